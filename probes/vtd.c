/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vtd.c: registers of Intel's IOMMU units, as sysfs has them for everybody.
 *
 * What widths of addresses they can translate is left for the probe iommu in "apertures".
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "probe.h"
#include "read/read-iommu.h"
#include "units.h"

#define UNITS "/sys/class/iommu"
#define CAP_FS5LP (UINT64_C(1) << 60)
#define ECAP_SMTS (UINT64_C(1) << 43)
#define ECAP_SSTS (UINT64_C(1) << 46)
#define ECAP_FSTS (UINT64_C(1) << 47)

struct outcome {
	unsigned int units, unreadable;
	int err;
};

/* A register's text: hexadecimal without 0x. */
static bool read_value(struct context *context, const char *unit, const char *name, uint64_t *value,
		       int *err)
{
	g_autofree char *path = g_strdup_printf(UNITS "/%s/intel-iommu/%s", unit, name);
	g_autofree char *text = source_text(context->source, path, err);
	char *end;

	if (!text)
		return false;
	*err = EINVAL;
	*value = g_ascii_strtoull(text, &end, 16);
	return *text && !*end;
}

/* "1:0" */
static void read_version(struct context *context, const char *unit, json_t *facts)
{
	g_autofree char *path = g_strdup_printf(UNITS "/%s/intel-iommu/version", unit);
	int err;
	g_autofree char *text = source_text(context->source, path, &err);

	if (text && *text && strspn(text, "0123456789:") == strlen(text))
		document_fact(facts, "vtd.version", json_string(g_strdelimit(text, ":", '.')), &scope_raw,
			      path);
}

static void read_domains(struct context *context, const char *unit, json_t *facts)
{
	g_autofree char *path = g_strdup_printf(UNITS "/%s/intel-iommu/domains_supported", unit);
	int err;
	g_autofree char *text = source_text(context->source, path, &err);
	guint64 n = text ? g_ascii_strtoull(text, NULL, 10) : 0;

	if (n && n <= G_MAXUINT32)
		document_fact(facts, "vtd.domains", json_integer((json_int_t)n), &scope_kernel, path);
}

/*
 * The widest address that the kernel maps: of the second stage the widest of SAGAW, of the first
 * one half of it, for its upper half is another's; neither beyond MGAW. In scalable mode the kernel
 * takes the first stage where there is one. 0 where nothing can be translated.
 */
static unsigned int width_of(uint64_t cap, uint64_t ecap, bool scalable)
{
	unsigned int mgaw = (unsigned int)(cap >> 16 & 0x3f) + 1, widest = 0;
	unsigned int first = cap & CAP_FS5LP ? 57 : 48;

	for (unsigned int bit = 1; bit <= 3; bit++)
		if (cap & UINT64_C(1) << (8 + bit))
			widest = 30 + 9 * bit;
	if (scalable && ecap & ECAP_SMTS && ecap & ECAP_FSTS)
		return MIN(first, mgaw) - 1;
	return MIN(widest, mgaw);
}

static void add_aperture(struct context *context, json_t *apertures, const char *unit, uint64_t cap,
			 uint64_t ecap)
{
	const json_t *mode = json_object_get(json_object_get(context->shared, "iommu_options"),
					     "iommu.option.scalable-mode");
	/* Where no option says it, today's kernels are built to choose it. */
	unsigned int bits = width_of(cap, ecap, !json_is_false(mode));
	bool first = bits == width_of(cap, ecap, true) && bits != width_of(cap, ecap, false);
	const char *origin = first ? "VT-d CAP.MGAW, CAP.FS5LP (first stage)" : "VT-d CAP.MGAW, CAP.SAGAW";

	if (bits)
		json_object_set_new(apertures, unit,
				    json_pack("{s:i, s:s}", "bits", (int)bits, "origin", origin));
}

/* Registers that can't be read leave the width that the firmware tells of. */
static void add_firmware_aperture(const struct context *context, json_t *apertures, const char *unit)
{
	const json_t *dmar = json_object_get(json_object_get(context->shared, "acpi"), "DMAR");
	json_int_t bits = json_integer_value(json_object_get(dmar, "host_address_width"));

	if (bits > 0 && bits <= 64)
		json_object_set_new(apertures, unit,
				    json_pack("{s:I, s:s}", "bits", bits, "origin",
					      "DMAR's host address width"));
}

static void read_unit(struct context *context, const char *name, json_t *apertures,
		      struct outcome *outcome)
{
	json_t *unit = unit_entry(context->doc, name);
	g_autofree char *origin = g_strdup_printf(UNITS "/%s/intel-iommu", name);
	uint64_t cap, ecap, address;
	int err;

	json_object_set_new(unit, "type", json_string("vtd"));
	if (read_value(context, name, "address", &address, &err))
		json_object_set_new(unit, "address", json_sprintf("0x%" G_GINT64_MODIFIER "x", address));
	read_version(context, name, entry_facts(unit));
	read_domains(context, name, entry_facts(unit));
	if (read_value(context, name, "cap", &cap, &err) &&
	    read_value(context, name, "ecap", &ecap, &err)) {
		read_vtd(entry_facts(unit), cap, ecap, &scope_raw, origin);
		add_aperture(context, apertures, name, cap, ecap);
		return;
	}
	outcome->unreadable++;
	outcome->err = err;
	document_fact_missing(entry_facts(unit), "vtd.cap", FACT_UNREADABLE, &scope_raw, origin, err);
	document_fact_missing(entry_facts(unit), "vtd.ecap", FACT_UNREADABLE, &scope_raw, origin, err);
	add_firmware_aperture(context, apertures, name);
}

static void collect(struct context *context)
{
	json_t *apertures = json_object();
	struct outcome outcome = { 0 };
	int err;
	g_auto(GStrv) names = source_names(context->source, UNITS, &err);
	const char *why = json_string_value(json_object_get(context->shared, "no_iommu"));
	bool dmar = json_object_get(json_object_get(context->shared, "acpi"), "DMAR");
	bool none = names && !dmar; /* of another kind of host: nothing is missing */
	g_autofree char *reason = NULL;

	for (size_t i = 0; names && names[i] && outcome.units < UNITS_MAX; i++) {
		if (!g_str_has_prefix(names[i], "dmar"))
			continue;
		read_unit(context, names[i], apertures, &outcome);
		outcome.units++;
	}
	json_object_set_new(context->found, "apertures", apertures);
	if (outcome.unreadable)
		reason = g_strdup_printf("registers of %u units: %s (read them by hand: " UNITS
					 "/dmar*/intel-iommu)", outcome.unreadable,
					 g_strerror(outcome.err));
	else if (!outcome.units && !none)
		reason = g_strdup(dmar && why ? why : "no VT-d unit");
	probe_report(context, &vtd_probe,
		     outcome.unreadable ? "partial" : outcome.units || none ? "ok" : "missing", false,
		     reason);
}

const struct probe vtd_probe = {
	.name = "vtd",
	.help = "Intel's IOMMU units: CAP, ECAP, version",
	.needs = "acpi,options",
	.local = true,
	.view = VIEWS,
	.percent = 10,
	.collect = collect,
};
