/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio-device.c: see vfio.h.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "read/read-iommu.h"
#include "units.h"
#include "vfio-abi.h"
#include "vfio.h"

#define MAX_FEATURES 32u /* more than any kernel has */

/* --- claimed devices -------------------------------------------------------------------------- */

static char *link_name(struct context *context, const char *dir, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/%s", dir, name);
	int err;
	g_autofree char *target = source_link(context->source, path, &err);

	return target ? g_path_get_basename(target) : NULL;
}

static char *unit_of(struct context *context, const struct claimed *claimed)
{
	g_autofree char *path = g_strdup_printf("/sys/class/iommu");
	char *linked = link_name(context, claimed->sysfs, "iommu");
	int err;
	g_auto(GStrv) units = linked ? NULL : source_names(context->source, path, &err);

	for (size_t i = 0; !linked && units && units[i]; i++) {
		g_autofree char *dir = g_strdup_printf("%s/%s/devices", path, units[i]);
		g_auto(GStrv) devices = source_names(context->source, dir, &err);

		if (devices && g_strv_contains((const char *const *)devices, claimed->name))
			linked = g_strdup(units[i]);
	}
	return linked;
}

static void set_claimed(struct context *context, struct claimed *claimed, const json_t *outcome)
{
	g_autofree char *unit = NULL;
	bool pci = is_pci_address(claimed->name);

	claimed->sysfs = g_strdup_printf("/sys/bus/%s/devices/%s", pci ? "pci" : "mdev", claimed->name);
	claimed->group = link_name(context, claimed->sysfs, "iommu_group");
	claimed->entry = device_entry(context->doc, claimed->name);
	claimed->error = json_string_value(json_object_get(outcome, "error"));
	unit = unit_of(context, claimed);
	claimed->unit = unit ? unit_entry(context->doc, unit) : NULL;
	if (claimed->group && g_ascii_isdigit(*claimed->group))
		json_object_set_new(claimed->entry, "group",
				    json_integer((json_int_t)(g_ascii_strtoull(claimed->group, NULL, 10) &
							      0xffffff)));
	json_object_set_new(claimed->entry, "claimed", json_boolean(!claimed->error));
}

unsigned int vfio_each_claimed(struct context *context,
			       void (*ask)(struct context *context, struct claimed *claimed, void *data),
			       void *data)
{
	unsigned int n = 0;
	const char *name;
	json_t *outcome;

	json_object_foreach (json_object_get(context->shared, "claims"), name, outcome) {
		struct claimed claimed = { .name = name };

		if (!is_pci_address(name) && !is_uuid(name))
			continue; /* a recording that was tampered with */
		n++;
		set_claimed(context, &claimed, outcome);
		ask(context, &claimed, data);
		g_free(claimed.sysfs);
		g_free(claimed.group);
	}
	return n;
}

void vfio_report_claimed(struct context *context, const struct probe *probe, unsigned int claimed,
			 unsigned int asked, const char *reason)
{
	if (!claimed)
		probe_report(context, probe, "partial", false,
			     "no device was claimed, so none was asked (--claim)");
	else if (!reason)
		probe_report(context, probe, "ok", false, NULL);
	else
		probe_report(context, probe, asked ? "partial" : "failed", false, reason);
}

/* --- features --------------------------------------------------------------------------------- */

static void read_migration(struct source_device *device, json_t *facts)
{
	struct vfio_feature_u64 feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_FEATURE_GET | VFIO_FEATURE_MIGRATION,
	};
	static const char call[] = "VFIO_DEVICE_FEATURE_MIGRATION";
	static const char *const ids[] = { "stop-copy", "p2p", "pre-copy" };
	int err;

	if (source_ioctl(device, call, VFIO_DEVICE_FEATURES, (uintptr_t)&feature, sizeof(feature), &err) >=
	    0) {
		read_vfio_migration(facts, feature.value, call);
		return;
	}
	/* The driver has no such thing, or the kernel has no migration of this kind at all: whichever
	 * it is, the device can't be moved here. */
	if (err == ENOTTY) {
		read_vfio_migration(facts, 0, "VFIO_DEVICE_FEATURE_MIGRATION: not supported by its driver");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		g_autofree char *id = g_strdup_printf("vfio.migration.%s", ids[i]);

		document_fact_missing(facts, id, vfio_state(err), &scope_kernel, call, err);
	}
}

void vfio_read_features(struct source_device *device, json_t *facts)
{
	json_t *names = json_array();

	for (unsigned int i = 0; i < MAX_FEATURES; i++) {
		struct vfio_feature_u64 feature = {
			.argsz = sizeof(feature),
			.flags = VFIO_FEATURE_PROBE | i,
		};
		g_autofree char *call = g_strdup_printf("VFIO_DEVICE_FEATURE %u", i);
		g_autofree char *unnamed = g_strdup_printf("feature-%u", i);
		const char *name = vfio_feature_name(i);
		int err;

		if (source_ioctl(device, call, VFIO_DEVICE_FEATURES, (uintptr_t)&feature, sizeof(feature),
				 &err) >= 0)
			json_array_append_new(names, json_string(name ? name : unnamed));
	}
	document_fact(facts, "vfio.device-features", names, &scope_kernel, "VFIO_DEVICE_FEATURE_PROBE");
	read_migration(device, facts);
}

/* --- whether and why not ---------------------------------------------------------------------- */

/* Lines " 10 vfio" */
bool vfio_registered(struct context *context, const char *misc)
{
	int err;
	g_autofree char *text = source_text(context->source, "/proc/misc", &err);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (size_t i = 0; lines[i]; i++) {
		const char *name = g_strstrip(lines[i]);

		name += strspn(name, "0123456789");
		if (!strcmp(name + strspn(name, " \t"), misc))
			return true;
	}
	return false;
}

const char *vfio_reason(int err)
{
	switch (err) {
	case EPERM:
		return "interrupts aren't remapped (allow_unsafe_interrupts=1 of vfio_iommu_type1 or iommufd takes the risk)";
	case EACCES:
		return "permission denied (run as root)";
	case EBUSY:
		return "somebody else has it (a guest?)";
	case ENOTTY:
		return "this kernel doesn't know the call";
	case EOPNOTSUPP:
		return "the IOMMU or its driver can't";
	case E2BIG:
		return "this kernel doesn't know a part of the question";
	case ENODEV:
		return "the device went away, or is in no group";
	case ENOENT:
		return "not there";
	default:
		return g_strerror(err);
	}
}

enum fact_state vfio_state(int err)
{
	return err == ENOTTY || err == E2BIG ? FACT_UNSUPPORTED_BY_KERNEL : FACT_UNREADABLE;
}

void vfio_complain(char **reason, const char *name, const char *what, int err)
{
	if (!*reason)
		*reason = g_strdup_printf("%s: %s: %s", name, what, vfio_reason(err));
}
