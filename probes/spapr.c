/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spapr.c: POWER's IOMMU (TCE tables), as far as the device tree tells: the window below 4 GiB of each
 * PCI host bridge, and whether further windows can be made. The rest is told only by VFIO of a
 * group that is claimed (vfio.c).
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "probe.h"
#include "read/read-iommu.h"
#include "units.h"

#define TREE "/proc/device-tree"
/* One cell of a number, two of an address, two of a size (PAPR; the kernel's of_parse_dma_window()). */
#define WINDOW_BYTES 20

static uint64_t cells(const char *bytes, unsigned int n)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < 4 * n; i++)
		value = value << 8 | (uint8_t)bytes[i];
	return value;
}

static bool read_window(struct context *context, const char *node)
{
	g_autofree char *path = g_strdup_printf(TREE "/%s/ibm,dma-window", node);
	g_autofree char *ddw = g_strdup_printf(TREE "/%s/ibm,ddw-applicable", node);
	size_t length;
	int err;
	g_autofree char *bytes = source_read(context->source, path, &length, &err);
	g_autofree char *further = bytes ? source_read(context->source, ddw, NULL, &err) : NULL;
	json_t *unit, *facts;

	if (!bytes || length != WINDOW_BYTES)
		return false;
	unit = unit_entry(context->doc, node);
	facts = entry_facts(unit);
	json_object_set_new(unit, "type", json_string("spapr"));
	json_object_set_new(unit, "origin", json_string(path));
	document_fact(facts, "iommu.type", json_string("spapr"), &scope_kernel, path);
	document_fact(facts, "spapr.dma32-window-start", json_integer((json_int_t)cells(bytes + 4, 2)),
		      &scope_raw, path);
	document_fact(facts, "spapr.dma32-window-size", json_integer((json_int_t)cells(bytes + 12, 2)),
		      &scope_raw, path);
	document_fact(facts, "spapr.ddw", json_boolean(further), &scope_raw, ddw);
	return true;
}

static void collect(struct context *context)
{
	const char *arch = json_string_value(json_object_get(context->shared, "arch"));
	unsigned int windows = 0;
	int err;
	g_auto(GStrv) names = NULL;

	if (arch && !g_str_has_prefix(arch, "ppc")) {
		probe_report(context, &spapr_probe, "ok", false, NULL); /* nothing is missing */
		return;
	}
	names = source_names(context->source, TREE, &err);
	for (size_t i = 0; names && names[i] && windows < UNITS_MAX; i++)
		if (g_str_has_prefix(names[i], "pci@"))
			windows += read_window(context, names[i]);
	probe_report(context, &spapr_probe, windows ? "ok" : "missing", false,
		     windows ? NULL : TREE ": no host bridge with a window for DMA");
}

const struct probe spapr_probe = {
	.name = "spapr",
	.help = "POWER's IOMMU: windows for DMA that the device tree tells of",
	.needs = "kernel",
	.local = true,
	.view = VIEWS,
	.percent = 10,
	.collect = collect,
};
