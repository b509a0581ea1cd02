/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * claim.c: see claim.h. What may be claimed is in claim-check.c.
 *
 * Theory of operation: only VFIO of a bound device tells what its IOMMU does for it. A device that
 * is bound to a driver of VFIO already is left as it is. Another one is given to vfio-pci and back:
 *
 *	driver_override = vfio-pci; unbind; drivers_probe; …asked…; unbind; driver_override as it
 *	was; bind to the driver that it had, if it had one
 *
 * Whatever ends the probe must not leave a device behind. So before anything is changed a
 * supervisor is forked, which knows what was there and waits for the end of a pipe that the probe
 * holds open. The pipe ends when claim_end() closes it, and also when the probe is killed: its
 * children, which inherit the pipe, die with it (PR_SET_PDEATHSIG, run.c). Then the supervisor looks
 * at what is there now and takes back what differs, at whichever step that was. It has a session
 * of its own, so that neither a terminal's signals nor a kill of the process group reach it. Should
 * the supervisor itself be killed, claim_end() does its work. Only who kills both at once (a
 * control group, say) leaves a device on vfio-pci; nothing is lost by that but the binding.
 *
 * claim_check() has locked the devices' folders, and the supervisor holds the lock until it has given
 * them back, so that the next probe doesn't take a device that is on its way for one that was so.
 *
 * Unbinding from vfio-pci waits in the kernel until nobody has the device open any more.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claim-private.h"

struct claim {
	GArray *takes; /* struct take */
	int pipe;      /* its end ends the claim */
	pid_t supervisor;
};

/* --- giving back ------------------------------------------------------------------------------ */

static bool write_to(const char *address, const char *attribute, const char *text, int *err)
{
	g_autofree char *path = g_strdup_printf(CLAIM_DEVICES "/%s/%s", address, attribute);

	return source_write(path, text, err);
}

static bool bind_to(const char *address, const char *driver, const char *how, int *err)
{
	g_autofree char *path = g_strdup_printf(CLAIM_DRIVERS "/%s/%s", driver, how);

	return source_write(path, address, err);
}

/* The kernel takes a line's end for no override, which old ones called "(null)". */
static void give_back_override(const struct take *take, int *err)
{
	g_autofree char *now = claim_attribute(take->address, "driver_override");
	bool none = !*take->override || !strcmp(take->override, "(null)");

	*err = 0;
	if (g_strcmp0(now, take->override))
		write_to(take->address, "driver_override", none ? "\n" : take->override, err);
}

/* vfio-pci lets a device rest and, when it loses it, keeps it from resting. */
static void give_back_power(const struct take *take)
{
	g_autofree char *now = claim_attribute(take->address, "power/control");
	int err;

	if (take->power && g_strcmp0(now, take->power))
		write_to(take->address, "power/control", take->power, &err);
}

/* Whatever was done of a take is undone; what was not, is not there to be undone. */
static bool give_back(const struct take *take, int *err)
{
	g_autofree char *driver = claim_driver(take->address);
	bool same = !g_strcmp0(driver, take->driver);
	int failed = 0;

	*err = 0;
	if (!same && driver && !strcmp(driver, CLAIM_VFIO_PCI) &&
	    !bind_to(take->address, driver, "unbind", err))
		failed = *err;
	give_back_override(take, err);
	failed = failed ? failed : *err;
	/* Another driver may have been faster: that is where the device would be. */
	g_free(driver);
	driver = claim_driver(take->address);
	if (!same && take->driver && !driver && !bind_to(take->address, take->driver, "bind", err))
		failed = failed ? failed : *err;
	give_back_power(take);
	*err = failed;
	return !failed;
}

static char *give_all_back(const GArray *takes)
{
	char *complaint = NULL;

	for (guint i = takes->len; i-- > 0;) {
		const struct take *take = &g_array_index(takes, struct take, i);
		int err;

		if (give_back(take, &err) || complaint)
			continue;
		complaint = g_strdup_printf("%s: cannot give it back to %s: %s (bind it by hand)",
					    take->address, take->driver ? take->driver : "nobody",
					    g_strerror(err));
	}
	return complaint;
}

/* --- the supervisor --------------------------------------------------------------------------- */

static G_GNUC_NORETURN void supervise(const GArray *takes, int fd, int ready)
{
	g_autofree char *complaint = NULL;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char byte;
	ssize_t n;

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (null >= 0) { /* a reader of the probe's output isn't kept waiting */
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	if (write(ready, "", 1) != 1)
		_exit(1); /* the probe is gone, and has changed nothing */
	close(ready);
	do
		n = read(fd, &byte, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
	complaint = give_all_back(takes);
	if (complaint)
		g_printerr("capbroker-probe: %s\n", complaint);
	_exit(complaint ? 1 : 0);
}

/* Returns once the supervisor is out of reach of what might end the probe. */
static bool start_supervisor(struct claim *claim, int *err)
{
	int end[2], ready[2];
	char byte;
	ssize_t n = -1;

	*err = EMFILE;
	if (pipe2(end, O_CLOEXEC) < 0)
		return false;
	if (pipe2(ready, O_CLOEXEC) < 0) {
		close(end[0]);
		close(end[1]);
		return false;
	}
	claim->supervisor = fork();
	if (!claim->supervisor) {
		close(end[1]);
		close(ready[0]);
		supervise(claim->takes, end[0], ready[1]);
	}
	close(end[0]);
	close(ready[1]);
	claim->pipe = end[1];
	while (claim->supervisor > 0 && (n = read(ready[0], &byte, 1)) < 0 && errno == EINTR)
		;
	close(ready[0]);
	*err = EAGAIN;
	if (n != 1)
		close(claim->pipe);
	return n == 1;
}

/* --- taking ----------------------------------------------------------------------------------- */

/* NULL, or what failed. */
static char *take_device(const struct take *take)
{
	g_autofree char *driver = NULL;
	int err = 0;

	if (!write_to(take->address, "driver_override", CLAIM_VFIO_PCI, &err))
		return g_strdup_printf("driver_override: %s (run as root)", g_strerror(err));
	if (take->driver && !bind_to(take->address, take->driver, "unbind", &err))
		return g_strdup_printf("cannot be taken from %s: %s", take->driver, g_strerror(err));
	if (!source_write("/sys/bus/pci/drivers_probe", take->address, &err))
		return g_strdup_printf("cannot be given to vfio-pci: %s", g_strerror(err));
	driver = claim_driver(take->address);
	if (g_strcmp0(driver, CLAIM_VFIO_PCI))
		return g_strdup("vfio-pci doesn't take it (see the kernel's log)");
	return NULL;
}

static void say(json_t *outcomes, const char *name, const char *what)
{
	json_t *outcome = json_object();

	if (what)
		json_object_set_new(outcome, "error", json_string(what));
	json_object_set_new(outcomes, name, outcome);
}

struct claim *claim_begin(char *const *names, json_t *outcomes)
{
	struct claim *claim = g_new0(struct claim, 1);
	int err = 0;

	claim->takes = claim_takes(names);
	for (size_t i = 0; names[i]; i++)
		say(outcomes, names[i], NULL);
	if (claim->takes->len && !start_supervisor(claim, &err)) {
		for (size_t i = 0; names[i]; i++)
			say(outcomes, names[i], g_strerror(err));
		g_array_unref(claim->takes);
		g_free(claim);
		return NULL;
	}
	for (guint i = 0; i < claim->takes->len; i++) {
		const struct take *take = &g_array_index(claim->takes, struct take, i);
		g_autofree char *failure = take_device(take);

		if (failure)
			say(outcomes, take->address, failure);
	}
	return claim;
}

char *claim_end(struct claim *claim)
{
	char *complaint = NULL;
	int status = 0;

	if (!claim)
		return NULL;
	if (claim->takes->len) {
		close(claim->pipe);
		while (waitpid(claim->supervisor, &status, 0) < 0 && errno == EINTR)
			;
		if (WIFSIGNALED(status))
			complaint = give_all_back(claim->takes);
		else if (WEXITSTATUS(status))
			complaint = g_strdup("a claimed device was not given back (see above)");
	}
	g_array_unref(claim->takes);
	g_free(claim);
	return complaint;
}
