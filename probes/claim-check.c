/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * claim-check.c: which devices may be claimed.
 *
 * A device is taken from its driver only where it is seen to be idle: a network interface that is
 * not up, or a disk that is neither mounted nor part of anything. Of other devices it can't be
 * seen; their driver must be unbound by who knows.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "claim-private.h"
#include "model/units.h"
#include "pci-use.h"
#include "units.h"

#define LOCK_TRIES 100u
#define LOCK_WAIT_US 100000

#define CLASS_STORAGE 0x01
#define CLASS_NETWORK 0x02
#define CLASS_BRIDGE 0x06

char *claim_attribute(const char *address, const char *name)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, NULL);
	g_autofree char *path = g_strdup_printf(CLAIM_DEVICES "/%s/%s", address, name);
	int err;

	return source_text(live, path, &err);
}

static char *link_of(const char *dir, const char *address, const char *name)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, NULL);
	g_autofree char *path = g_strdup_printf("%s/%s/%s", dir, address, name);
	int err;
	g_autofree char *target = source_link(live, path, &err);

	return target ? g_path_get_basename(target) : NULL;
}

char *claim_driver(const char *address)
{
	return link_of(CLAIM_DEVICES, address, "driver");
}

/* vfio-pci, mlx5_vfio_pci, nvgrace_gpu_vfio_pci, … */
static bool is_vfio(const char *driver)
{
	return driver && strstr(driver, "vfio");
}

static void clear_take(gpointer data)
{
	struct take *take = data;

	g_free(take->address);
	g_free(take->driver);
	g_free(take->override);
	g_free(take->power);
}

GArray *claim_takes(char *const *names)
{
	GArray *takes = g_array_new(FALSE, FALSE, sizeof(struct take));

	g_array_set_clear_func(takes, clear_take);
	for (size_t i = 0; names[i]; i++) {
		g_autofree char *driver = claim_driver(names[i]);
		struct take take;

		if (!is_pci_address(names[i]) || is_vfio(driver))
			continue;
		take = (struct take){ g_strdup(names[i]), g_steal_pointer(&driver),
				      claim_attribute(names[i], "driver_override"),
				      claim_attribute(names[i], "power/control") };
		if (!take.override)
			take.override = g_strdup("");
		g_array_append_val(takes, take);
	}
	return takes;
}

/* --- reasons against it; each free with g_free(), NULL: none ------------------------------------ */

static char *in_use(const GArray *uses, const char *address)
{
	for (guint i = 0; uses && i < uses->len; i++)
		if (!strcmp(g_array_index(uses, struct pci_use, i).address, address))
			return g_strdup(g_array_index(uses, struct pci_use, i).what);
	return NULL;
}

static unsigned int class_of(const char *address)
{
	g_autofree char *text = claim_attribute(address, "class");

	return text ? (unsigned int)(g_ascii_strtoull(text, NULL, 0) >> 16 & 0xff) : CLASS_BRIDGE;
}

/* Is its driver one that it can be taken from? */
static char *driver_reason(const char *address, const char *driver)
{
	g_autofree char *boot = claim_attribute(address, "boot_vga");
	g_autofree char *vfs = claim_attribute(address, "sriov_numvfs");
	unsigned int class = class_of(address);

	if (class == CLASS_BRIDGE)
		return g_strdup("a bridge");
	if (boot && !strcmp(boot, "1"))
		return g_strdup("the boot display");
	if (vfs && strcmp(vfs, "0"))
		return g_strdup_printf("it has %s virtual functions (switch them off first)", vfs);
	if (driver && class != CLASS_STORAGE && class != CLASS_NETWORK)
		return g_strdup_printf("held by %s, and whether it is idle can't be seen (unbind it first)",
				       driver);
	return NULL;
}

/* The kernel lets nobody have a group while another driver holds one of its members. */
static char *group_reason(char *const *names, const char *address)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, NULL);
	g_autofree char *dir = g_strdup_printf(CLAIM_DEVICES "/%s/iommu_group/devices", address);
	int err;
	g_auto(GStrv) members = source_list(live, dir, &err);

	if (!members)
		return g_strdup("in no IOMMU group (is there an IOMMU, and is it switched on?)");
	for (size_t i = 0; members[i]; i++) {
		g_autofree char *driver = claim_driver(members[i]);

		if (g_strv_contains((const char *const *)names, members[i]) || !driver ||
		    driver_leaves_group(driver))
			continue;
		return g_strdup_printf("its group also has %s, held by %s (unbind that first)", members[i],
				       driver);
	}
	return NULL;
}

/* One probe at a time: another one may just be giving the device back. */
static char *lock_reason(const char *dir, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/%s", dir, name);
	int err;

	for (unsigned int tries = 0; tries < LOCK_TRIES; tries++) {
		if (source_lock(path, &err))
			return NULL;
		if (err != EWOULDBLOCK)
			return g_strdup_printf("%s: %s (see there)", path, g_strerror(err));
		g_usleep(LOCK_WAIT_US);
	}
	return g_strdup("another capbroker-probe has it (wait for that one)");
}

static char *reason_against(const GArray *uses, char *const *names, const char *address)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, NULL);
	g_autofree char *path = g_strdup_printf(CLAIM_DEVICES "/%s", address);
	g_autofree char *driver = claim_driver(address);
	struct source_file file;
	char *reason;
	int err;

	if (!source_stat(live, path, &file, &err))
		return g_strdup("no such PCI device (see /sys/bus/pci/devices)");
	reason = lock_reason(CLAIM_DEVICES, address);
	if (!reason)
		reason = group_reason(names, address);
	if (reason || is_vfio(driver))
		return reason;
	reason = in_use(uses, address);
	if (!reason)
		reason = driver_reason(address, driver);
	if (!reason && !source_stat(live, CLAIM_DRIVERS "/" CLAIM_VFIO_PCI, &file, &err))
		reason = g_strdup("vfio-pci isn't there to take it (modprobe vfio-pci)");
	return reason;
}

/* A mediated device is made for VFIO: it only has to be there. */
static char *mdev_reason(const char *uuid)
{
	g_autofree char *group = link_of(CLAIM_MDEVS, uuid, "iommu_group");

	return group ? lock_reason(CLAIM_MDEVS, uuid)
		     : g_strdup("no such mediated device, or without a group (see " CLAIM_MDEVS ")");
}

bool claim_check(char *const *names, GError **error)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	g_autoptr(GArray) uses = pci_use_read(live);

	for (size_t i = 0; names[i]; i++) {
		g_autofree char *reason = NULL;
		g_autofree char *shown = g_strescape(names[i], NULL);

		if (i >= CLAIMS_MAX)
			reason = g_strdup("too many (claim at most 64)");
		else if (g_strv_contains((const char *const *)names + i + 1, names[i]))
			reason = g_strdup("named twice (name it once)");
		else if (is_pci_address(names[i]))
			reason = reason_against(uses, names, names[i]);
		else if (is_uuid(names[i]))
			reason = mdev_reason(names[i]);
		else
			reason = g_strdup("neither a PCI address nor a UUID (write 0000:00:02.0)");
		if (!reason)
			continue;
		g_set_error(error, SOURCE_ERROR, SOURCE_FAILED, "--claim %s: not claimed: %s", shown,
			    reason);
		return false;
	}
	return true;
}
