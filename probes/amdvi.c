/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * amdvi.c: registers of AMD's IOMMU units, as sysfs has them for everybody: EFR, and on newer
 * kernels EFR2 behind a colon. The kernel tells of each unit what all of them have in common.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "probe.h"
#include "read/read-iommu.h"
#include "units.h"

#define UNITS "/sys/class/iommu"

struct outcome {
	unsigned int units, failed;
	char *complaint; /* of the first unit that failed */
};

static void complain(struct outcome *outcome, const char *text)
{
	if (!outcome->failed++)
		outcome->complaint = g_strdup(text);
}

/*
 * EFR.HATS: 4, 5 or 6 levels of host tables, of 9 bits each above 12; 3 says none at all. The kernel
 * (drivers/iommu/amd/init.c) looks at it before it can read the register: it takes it from the
 * table IVRS, and where IVinfo.EFRSup says that this has none, for 4 levels; IVinfo.VASize is the
 * most, 0 stands for 64.
 */
static void add_aperture(const struct context *context, json_t *apertures, const char *unit,
			 const char *features)
{
	static const unsigned int bits[] = { 48, 57, 64, 0 };
	const json_t *ivrs = json_object_get(json_object_get(context->shared, "acpi"), "IVRS");
	const char *text = json_string_value(json_object_get(ivrs, "iv_info"));
	uint64_t info = text ? g_ascii_strtoull(text, NULL, 0)
			     : (uint64_t)json_integer_value(json_object_get(ivrs, "iv_info"));
	uint64_t efr = g_ascii_strtoull(features, NULL, 16);
	unsigned int most = info >> 15 & 0x7f, width = bits[efr >> 10 & 3];

	if (ivrs && !(info & 1) && width)
		width = bits[0];
	if (most)
		width = MIN(width, most);
	if (width && width <= 64)
		json_object_set_new(apertures, unit,
				    json_pack("{s:i, s:s}", "bits", (int)width, "origin",
					      ivrs ? "AMD EFR.HATS, IVRS' IVinfo" : "AMD EFR.HATS"));
}

static void read_capability(struct context *context, const char *name, json_t *facts)
{
	g_autofree char *path = g_strdup_printf(UNITS "/%s/amd-iommu/cap", name);
	int err;
	g_autofree char *text = source_text(context->source, path, &err);
	char *end;
	uint64_t value = text ? g_ascii_strtoull(text, &end, 16) : 0;

	if (text && *text && !*end)
		document_fact(facts, "amdvi.cap", json_sprintf("0x%" G_GINT64_MODIFIER "x", value),
			      &scope_raw, path);
}

static void read_unit(struct context *context, const char *name, json_t *apertures,
		      struct outcome *outcome)
{
	json_t *unit = unit_entry(context->doc, name);
	g_autofree char *path = g_strdup_printf(UNITS "/%s/amd-iommu/features", name);
	g_autoptr(GError) error = NULL;
	int err;
	g_autofree char *text = source_text(context->source, path, &err);

	json_object_set_new(unit, "type", json_string("amdvi"));
	read_capability(context, name, entry_facts(unit));
	if (text && read_amdvi_features(entry_facts(unit), text, &scope_raw, path, &error)) {
		add_aperture(context, apertures, name, text);
		return;
	}
	document_fact_missing(entry_facts(unit), "amdvi.efr", FACT_UNREADABLE, &scope_raw, path,
			      text ? EINVAL : err);
	if (error) {
		complain(outcome, error->message);
	} else {
		g_autofree char *what = g_strdup_printf("%s: %s (look at the kernel's log)", path,
							g_strerror(err));

		complain(outcome, what);
	}
}

static void collect(struct context *context)
{
	json_t *apertures = json_object();
	struct outcome outcome = { 0 };
	int err;
	g_auto(GStrv) names = source_names(context->source, UNITS, &err);
	const char *why = json_string_value(json_object_get(context->shared, "no_iommu"));
	bool ivrs = json_object_get(json_object_get(context->shared, "acpi"), "IVRS");
	bool none = names && !ivrs; /* of another kind of host: nothing is missing */

	for (size_t i = 0; names && names[i] && outcome.units < UNITS_MAX; i++) {
		if (!g_str_has_prefix(names[i], "ivhd"))
			continue;
		read_unit(context, names[i], apertures, &outcome);
		outcome.units++;
	}
	json_object_set_new(context->found, "apertures", apertures);
	probe_report(context, &amdvi_probe,
		     outcome.failed ? "partial" : outcome.units || none ? "ok" : "missing", false,
		     outcome.units || none ? outcome.complaint : ivrs && why ? why : "no AMD-Vi unit");
	g_free(outcome.complaint);
}

const struct probe amdvi_probe = {
	.name = "amdvi",
	.help = "AMD's IOMMU units: EFR, EFR2",
	.needs = "acpi,options",
	.local = true,
	.view = VIEWS,
	.percent = 10,
	.collect = collect,
};
