/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * swtpm.c: whether TPMs can be emulated, and which: what swtpm and swtpm_setup say they can.
 *
 * They are run with --print-capabilities, which starts nothing, from the folders libvirt takes
 * them from; what doesn't end in time is killed.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interop.h"
#include "probe.h"
#include "read/read-host.h"

#define MAX_ANSWER 16384u
#define LIMIT_MS 3000

static void die_with_parent(gpointer data)
{
	(void)data;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* All that comes until the end or the limit; NULL where that is nothing. */
static char *drain(int fd)
{
	gint64 end = g_get_monotonic_time() + LIMIT_MS * 1000;
	GString *text = g_string_new(NULL);
	char buffer[4096];
	ssize_t n;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		gint64 left = (end - g_get_monotonic_time()) / 1000;

		if (left <= 0 || text->len > MAX_ANSWER || poll(&p, 1, (int)left) <= 0)
			break;
		n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return g_string_free(text, text->len == 0);
		g_string_append_len(text, buffer, n);
	}
	g_string_free(text, TRUE);
	return NULL;
}

/* What a program prints of its capabilities, on one line, or NULL. */
static char *capabilities_of(const char *path)
{
	char *argv[] = { (char *)path, (char *)"--print-capabilities", NULL };
	char *envp[] = { (char *)"LC_ALL=C", (char *)"PATH=/usr/bin:/bin", NULL };
	char *text;
	GPid pid;
	int out;

	if (!g_spawn_async_with_pipes("/", argv, envp,
				      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL,
				      die_with_parent, NULL, &pid, NULL, &out, NULL, NULL))
		return NULL;
	text = drain(out);
	close(out);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return text ? g_strdelimit(g_strstrip(text), "\r\n", ' ') : NULL;
}

static char *ask_swtpm(void *data, GError **error)
{
	static const char *const programs[] = { "swtpm", "swtpm_setup", "swtpm_ioctl" };
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	GString *text = g_string_new(NULL);

	(void)data;
	for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *path = interop_program(live, programs[i]);
		g_autofree char *said = path && i < 2 ? capabilities_of(path) : NULL;

		if (path)
			g_string_append_printf(text, "%s %s\n", programs[i], path);
		if (said && *said == '{')
			g_string_append_printf(text, "%s\n", said);
	}
	return g_string_free(text, FALSE);
}

static void collect(struct context *context)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = source_ask(context->source, "host/swtpm", ask_swtpm, NULL, &error);

	if (text)
		read_swtpm(context->doc, text, "swtpm --print-capabilities");
	probe_report(context, &swtpm_probe, text ? "ok" : source_error_state(error), false,
		     text ? NULL : error->message);
}

const struct probe swtpm_probe = {
	.name = "swtpm",
	.help = "whether TPMs can be emulated, and of which versions",
	.local = true,
	.view = VIEWS,
	.percent = 20,
	.collect = collect,
};
