/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * iommu.c: IOMMU units, the devices behind each, their groups, and where devices can be given
 * mappings, as far as that can be told without claiming one.
 *
 * The kernel tells of a device's addresses exactly only when it is attached (iommufd.c, vfio.c). Until
 * then they are reckoned: the width that the unit's registers or the firmware's tables tell of, less
 * the regions that the kernel says are reserved. The facts' origin says that they were.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "iommu-ranges.h"
#include "probe.h"
#include "read/read-iommu.h"
#include "units.h"

#define UNITS "/sys/class/iommu"
#define GROUPS "/sys/kernel/iommu_groups"

struct group {
	const char *number;
	char *text, *origin; /* its reserved_regions, or NULL, and where they stand */
	GArray *reserved;    /* struct value_range; NULL: not known */
};

struct walk {
	struct context *context;
	GHashTable *unit_of; /* device → id of its unit */
	GHashTable *regions; /* unit's id → GArray of struct value_range that all its groups have */
	GHashTable *domains; /* unit's id → json_t set of its groups' default domains */
	unsigned int units, groups;
	char *complaint;     /* the first file of another form, or NULL */
};

/* --- units ------------------------------------------------------------------------------------ */

/* What drivers call their units, where no attribute tells (ABI/testing/sysfs-class-iommu). */
static const char *type_of(struct walk *w, const char *name)
{
	g_autofree char *vendor_path = g_strdup_printf("/sys/bus/pci/devices/%s/vendor", name);
	g_autofree char *device_path = g_strdup_printf("/sys/bus/pci/devices/%s/device", name);
	g_autofree char *vendor = NULL;
	g_autofree char *device = NULL;
	int err;

	if (g_str_has_prefix(name, "dmar"))
		return "vtd";
	if (g_str_has_prefix(name, "ivhd"))
		return "amdvi";
	if (g_str_has_prefix(name, "smmu3."))
		return "smmuv3";
	if (g_str_has_prefix(name, "iommu-phb"))
		return "spapr";
	if (strstr(name, "virtio"))
		return "virtio";
	if (!is_pci_address(name))
		return "unknown";
	vendor = source_text(w->context->source, vendor_path, &err);
	device = source_text(w->context->source, device_path, &err);
	return vendor && device && !strcmp(vendor, "0x1af4") && !strcmp(device, "0x1057") ? "virtio"
											    : "unknown";
}

static void read_unit(struct walk *w, const char *name)
{
	json_t *unit = unit_entry(w->context->doc, name);
	g_autofree char *path = g_strdup_printf(UNITS "/%s/devices", name);
	const char *type = type_of(w, name);
	int err;
	g_auto(GStrv) devices = source_names(w->context->source, path, &err);

	json_object_set_new(unit, "type", json_string(type));
	json_object_set_new(unit, "origin", json_sprintf(UNITS "/%s", name));
	document_fact(entry_facts(unit), "iommu.type", json_string(type), &scope_kernel, UNITS);
	for (size_t i = 0; devices && devices[i] && i < DEVICES_MAX; i++) {
		json_array_append_new(json_object_get(unit, "devices"), json_string(devices[i]));
		g_hash_table_insert(w->unit_of, g_strdup(devices[i]), g_strdup(name));
	}
}

/* --- groups ----------------------------------------------------------------------------------- */

/* What all groups behind a unit have reserved is the unit's own. */
static void add_to_unit(struct walk *w, const char *unit, const struct group *group, const char *type)
{
	GArray *common = g_hash_table_lookup(w->regions, unit);
	json_t *domains = g_hash_table_lookup(w->domains, unit);

	if (group->reserved && !common)
		g_hash_table_insert(w->regions, g_strdup(unit), g_array_copy(group->reserved));
	else if (group->reserved)
		ranges_keep(common, group->reserved);
	if (!domains) {
		domains = json_object();
		g_hash_table_insert(w->domains, g_strdup(unit), domains);
	}
	if (type && *type)
		json_object_set_new(domains, type, json_true());
}

static const json_t *aperture_of(const struct walk *w, const char *unit)
{
	return json_object_get(json_object_get(w->context->shared, "apertures"), unit);
}

/* Addresses of a unit less what is reserved; nothing where its width isn't known. */
static void add_ranges(const struct walk *w, json_t *facts, const char *unit, const GArray *reserved)
{
	const json_t *aperture = aperture_of(w, unit);
	json_int_t bits = json_integer_value(json_object_get(aperture, "bits"));
	const char *from = json_string_value(json_object_get(aperture, "origin"));
	g_autofree char *origin = NULL;

	if (bits < 1 || bits > 64 || !reserved) {
		document_fact_missing(facts, "iommu.ranges", FACT_UNKNOWN, &scope_raw,
				      "told only of a device that is claimed (--claim)", 0);
		return;
	}
	origin = g_strdup_printf("reckoned: %s, less reserved_regions", from);
	document_fact(facts, "iommu.ranges", ranges_left((unsigned int)bits, reserved), &scope_raw, origin);
}

static void read_member(struct walk *w, const struct group *group, const char *name, const char *type)
{
	json_t *groups = json_object_get(w->context->found, "group_of");
	const char *unit = g_hash_table_lookup(w->unit_of, name);
	json_t *device;

	json_object_set_new(groups, name,
			    json_integer((json_int_t)g_ascii_strtoull(group->number, NULL, 10)));
	if (unit)
		add_to_unit(w, unit, group, type);
	if (!is_pci_address(name) && !is_uuid(name))
		return; /* on no bus that guests are given devices of */
	device = device_add(w->context->doc, name);
	json_object_set_new(device, "group", json_incref(json_object_get(groups, name)));
	json_object_set_new(device, "iommu", unit ? json_string(unit) : json_null());
	if (is_uuid(name)) /* a mediated device is made to be given away */
		json_object_set_new(device, "eligible", json_true());
	if (group->reserved)
		read_reserved_regions(entry_facts(device), group->text, NULL, group->origin, NULL);
	if (unit)
		add_ranges(w, entry_facts(device), unit, group->reserved);
}

/* Regions in a form that isn't understood are as good as unread: nothing is reckoned with them. */
static void read_reserved(struct walk *w, struct group *group)
{
	g_autoptr(GArray) reserved = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	json_t *unused = json_array();
	g_autoptr(GError) error = NULL;
	int err;

	group->origin = g_strdup_printf(GROUPS "/%s/reserved_regions", group->number);
	group->text = source_text(w->context->source, group->origin, &err);
	if (group->text && read_reserved_regions(unused, group->text, reserved, group->origin, &error))
		group->reserved = g_steal_pointer(&reserved);
	if (error && !w->complaint)
		w->complaint = g_strdup(error->message);
	json_decref(unused);
}

static void read_group(struct walk *w, const char *number)
{
	struct group group = { .number = number };
	g_autofree char *members = g_strdup_printf(GROUPS "/%s/devices", number);
	g_autofree char *type_path = g_strdup_printf(GROUPS "/%s/type", number);
	int err;
	g_autofree char *type = source_text(w->context->source, type_path, &err);
	g_auto(GStrv) names = source_names(w->context->source, members, &err);

	read_reserved(w, &group);
	for (size_t i = 0; names && names[i] && i < DEVICES_MAX; i++)
		read_member(w, &group, names[i], type);
	g_free(group.text);
	g_free(group.origin);
	g_clear_pointer(&group.reserved, g_array_unref);
}

/* --- the units again, now that their groups are known ------------------------------------------ */

static void finish_unit(struct walk *w, json_t *unit)
{
	const char *id = json_string_value(json_object_get(unit, "id"));
	const GArray *common = g_hash_table_lookup(w->regions, id);
	json_t *domains = g_hash_table_lookup(w->domains, id);
	json_t *set = json_array();
	const char *type;
	json_t *unused;

	if (json_array_size(json_object_get(unit, "devices")))
		add_ranges(w, entry_facts(unit), id, common);
	json_object_foreach (domains, type, unused)
		json_array_append_new(set, json_string(type));
	if (json_array_size(set))
		document_fact(entry_facts(unit), "iommu.default-domain", json_incref(set), &scope_kernel,
			      GROUPS "/*/type");
	json_decref(set);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Whether there is such a class is kept in words: a folder copied by hand says nothing by lacking it. */
static char *ask_class(void *data, GError **error)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	int err;
	g_auto(GStrv) names = source_list(live, UNITS, &err);

	(void)data;
	if (names || err == ENOENT)
		return g_strdup(names && names[0] ? "units\n" : "none\n");
	g_set_error(error, SOURCE_ERROR, SOURCE_UNREADABLE, UNITS ": %s", g_strerror(err));
	return NULL;
}

static void report(const struct walk *w)
{
	json_t *facts = json_object_get(w->context->doc, "facts");
	g_autofree char *class = source_ask(w->context->source, "iommu-class", ask_class, NULL, NULL);
	bool none = class && g_str_has_prefix(class, "none");
	const char *why = json_string_value(json_object_get(w->context->shared, "no_iommu"));

	if (w->units || none)
		document_fact(facts, "iommu.translation", json_boolean(w->units), &scope_kernel, UNITS);
	if (w->units)
		probe_report(w->context, &iommu_probe, w->complaint ? "partial" : "ok", false, w->complaint);
	else if (none)
		probe_report(w->context, &iommu_probe, "missing", false,
			     why ? why : "no IOMMU (switch it on in the firmware)");
	else
		probe_report(w->context, &iommu_probe, "missing", false,
			     UNITS ": nothing there (is sysfs mounted?)");
}

static void collect(struct context *context)
{
	struct walk w = { .context = context };
	json_t *unit;
	size_t k;
	int err;
	g_auto(GStrv) units = source_names(context->source, UNITS, &err);
	g_auto(GStrv) groups = source_names(context->source, GROUPS, &err);

	w.unit_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	w.regions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					  (GDestroyNotify)g_array_unref);
	w.domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
	json_object_set_new(context->found, "group_of", json_object());
	for (size_t i = 0; units && units[i] && w.units < UNITS_MAX; i++, w.units++)
		read_unit(&w, units[i]);
	for (size_t i = 0; groups && groups[i] && w.groups < DEVICES_MAX; i++, w.groups++)
		read_group(&w, groups[i]);
	json_array_foreach (json_object_get(context->doc, "iommus"), k, unit)
		finish_unit(&w, unit);
	report(&w);
	g_hash_table_destroy(w.unit_of);
	g_hash_table_destroy(w.regions);
	g_hash_table_destroy(w.domains);
	g_free(w.complaint);
}

const struct probe iommu_probe = {
	.name = "iommu",
	.help = "IOMMU units, what is behind each, groups, reserved regions, addresses that can be mapped",
	.needs = "kernel,acpi,options,vtd,amdvi",
	.local = true,
	.view = VIEWS,
	.percent = 20,
	.collect = collect,
};
