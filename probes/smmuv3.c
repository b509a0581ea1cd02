/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * smmuv3.c: Arm's SMMUv3 units. Linux shows none of their registers in sysfs: only a device that is
 * claimed tells of them (iommufd.c). The firmware's IORT says where they are, and of some whose
 * implementation they are, which is weak evidence and kept as such.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "probe.h"
#include "read/read-iommu.h"
#include "units.h"

#define UNITS "/sys/class/iommu"
#define PREFIX "smmu3."

/* The kernel names units by where their registers are: "smmu3.0x0000000009050000". */
static const json_t *node_of(const struct context *context, uint64_t address)
{
	const json_t *iort = json_object_get(json_object_get(context->shared, "acpi"), "IORT");
	const json_t *node;
	size_t i;

	json_array_foreach (json_object_get(iort, "subtables"), i, node) {
		const char *base = json_string_value(json_object_get(node, "base"));

		if (base && g_ascii_strtoull(base, NULL, 0) == address)
			return node;
	}
	return NULL;
}

static void read_unit(struct context *context, const char *name)
{
	json_t *unit = unit_entry(context->doc, name);
	uint64_t address = g_ascii_strtoull(name + strlen(PREFIX), NULL, 0);
	const json_t *node = address ? node_of(context, address) : NULL;

	json_object_set_new(unit, "type", json_string("smmuv3"));
	if (address)
		json_object_set_new(unit, "address", json_sprintf("0x%" G_GINT64_MODIFIER "x", address));
	if (node && json_object_get(node, "model"))
		json_object_set(unit, "iort_model", json_object_get(node, "model"));
}

static void collect(struct context *context)
{
	unsigned int units = 0;
	int err;
	g_auto(GStrv) names = source_names(context->source, UNITS, &err);

	for (size_t i = 0; names && names[i] && units < UNITS_MAX; i++) {
		if (!g_str_has_prefix(names[i], PREFIX))
			continue;
		read_unit(context, names[i]);
		units++;
	}
	if (!units && names) /* of another kind of host: nothing is missing */
		probe_report(context, &smmuv3_probe, "ok", false, NULL);
	else
		probe_report(context, &smmuv3_probe, units ? "partial" : "missing", false,
			     units ? "registers are told only of devices that are claimed (--claim)"
				   : "no SMMUv3 unit");
}

const struct probe smmuv3_probe = {
	.name = "smmuv3",
	.help = "Arm's SMMUv3 units, as far as the firmware tells of them",
	.needs = "acpi",
	.local = true,
	.view = VIEWS,
	.percent = 10,
	.collect = collect,
};
