/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-show-units.c: a host's IOMMU units and devices in the answer "show"; see answer-show.h.
 *
 * What is told of a unit is told once, in the kernel's view before the hardware's, with the view.
 */
#include "config.h"

#include <string.h>

#include "answer/answer-show.h"
#include "model/units.h"
#include "model/value.h"

/* id of a fact → member of the answer, in the order shown. */
static const struct member {
	const char *id, *key;
} members[] = {
	{ "iommu.address-bits", "address_bits" },
	{ "iommu.ranges", "ranges" },
	{ "iommu.reserved", "reserved" },
	{ "iommu.alignment", "alignment" },
	{ "iommu.page-sizes", "page_sizes" },
	{ "iommu.formats", "formats" },
	{ "iommu.nested", "nested" },
	{ "iommu.dirty-tracking", "dirty_tracking" },
	{ "iommu.pasid", "pasid" },
	{ "iommu.interrupt-remapping", "interrupt_remapping" },
	{ "iommu.snoop", "snoop" },
};

/* A unit's reserved regions as told of it, else those of the devices behind it together. */
static json_t *reserved_of(const struct iommu_unit *unit)
{
	json_t *all = json_array();

	for (guint i = 0; i < unit->devices->len; i++) {
		const struct device *d = g_ptr_array_index(unit->devices, i);
		const struct fact *f = facts_find(d->facts, "iommu.reserved", VIEWS);
		const json_t *one;
		size_t k, n;

		json_array_foreach (f ? f->value : NULL, k, one) {
			for (n = 0; n < json_array_size(all); n++)
				if (json_equal(json_array_get(all, n), one))
					break;
			if (n == json_array_size(all))
				json_array_append(all, (json_t *)one);
		}
	}
	return all;
}

/* The holes between ranges. */
static json_t *holes_of(const json_t *ranges)
{
	json_t *holes = json_array();
	struct value value;

	if (!value_from_json(CAP_RANGES, ranges, &value, NULL))
		return holes;
	for (guint i = 1; i < value.ranges->len; i++) {
		const struct value_range *a = &g_array_index(value.ranges, struct value_range, i - 1);
		const struct value_range *b = a + 1;

		json_array_append_new(holes, json_pack("[o, o]",
						       json_sprintf("0x%" G_GINT64_MODIFIER "x",
								    a->last + 1),
						       json_sprintf("0x%" G_GINT64_MODIFIER "x",
								    b->first - 1)));
	}
	value_clear(&value);
	return holes;
}

static void put_members(json_t *json, const struct iommu_unit *unit)
{
	json_t *views = json_object();

	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		const struct fact *f = facts_find(unit->facts, members[i].id, VIEWS);

		if (!f || (f->state != FACT_KNOWN && f->state != FACT_ABSENT))
			continue;
		json_object_set(json, members[i].key,
				f->state == FACT_KNOWN ? (json_t *)f->value : json_false());
		json_object_set_new(views, members[i].key, json_string(view_name(f->scope.view)));
		if (!strcmp(members[i].key, "ranges") && f->state == FACT_KNOWN)
			json_object_set_new(json, "holes", holes_of(f->value));
	}
	if (!json_object_get(json, "reserved"))
		json_object_set_new(json, "reserved", reserved_of(unit));
	json_object_set_new(json, "views", views);
}

json_t *answer_facts(const GArray *facts)
{
	json_t *array = json_array();

	for (guint i = 0; i < facts->len; i++)
		json_array_append_new(array, answer_fact(&g_array_index(facts, struct fact, i)));
	return array;
}

static json_t *unit_json(const struct iommu_unit *unit, bool all)
{
	json_t *json = json_pack("{s:s, s:s, s:b}", "id", unit->id, "type", unit->type, "serves",
				 unit->serves);
	json_t *devices = json_array();

	for (guint i = 0; i < unit->devices->len; i++) {
		const struct device *d = g_ptr_array_index(unit->devices, i);

		json_array_append_new(devices, json_string(d->address));
	}
	json_object_set_new(json, "devices", devices);
	put_members(json, unit);
	if (all)
		json_object_set_new(json, "facts", answer_facts(unit->facts));
	return json;
}

/* What a device can do that bears on where it can go, by the dictionary's names without "pci.". */
static json_t *abilities(const struct device *d)
{
	static const char *const ids[] = {
		"pci.ats", "pci.pri", "pci.pasid", "pci.sriov", "pci.acs", "pci.vf", "pci.flr",
		"vfio.migration.stop-copy", "vfio.migration.p2p", "vfio.migration.pre-copy",
	};
	json_t *array = json_array();

	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		if (facts_truth(d->facts, ids[i]) == 1)
			json_array_append_new(array, json_string(strchr(ids[i], '.') + 1));
	return array;
}

static json_t *device_json(const struct device *d, bool all)
{
	json_t *json = json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:o}", "address", d->address,
				 "vendor", d->vendor, "device", d->number, "class", d->class, "driver",
				 d->driver, "iommu", d->unit ? d->unit->id : NULL, "group",
				 d->group < 0 ? json_null() : json_integer(d->group), "has",
				 abilities(d));

	json_object_set_new(json, "eligible",
			    d->eligible < 0 ? json_null() : json_boolean(d->eligible));
	if (d->why)
		json_object_set_new(json, "why", json_string(d->why));
	if (all)
		json_object_set_new(json, "facts", answer_facts(d->facts));
	return json;
}

void answer_show_units(json_t *answer, const struct profile *profile, bool all)
{
	json_t *units = json_array(), *devices = json_array();

	for (guint i = 0; i < profile->units->len; i++)
		json_array_append_new(units, unit_json(g_ptr_array_index(profile->units, i), all));
	for (guint i = 0; i < profile->devices->len; i++)
		json_array_append_new(devices,
				      device_json(g_ptr_array_index(profile->devices, i), all));
	json_object_set_new(answer, "iommus", units);
	json_object_set_new(answer, "devices", devices);
}
