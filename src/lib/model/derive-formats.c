/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * derive-formats.c: the page tables that an IOMMU can walk, as tuples; see derive.h.
 *
 * FAMILY/STAGE/LEVELS/GRANULES/INPUT/OUTPUT/FLAGS: the family is the kernel's (generic_pt, and lpae of
 * io-pgtable-arm), granules are pages and blocks, input and output widths are bits ('-': not told),
 * flags are "a" where hardware sets accessed flags, "ad" where dirty ones too, else "-".
 * Hardware that has more levels has the shallower tables as well, where each has a tuple of its own.
 */
#include "config.h"

#include <string.h>

#include "model/derive.h"

struct formats {
	json_t *set;
	const struct profile *profile;
	const struct iommu_unit *unit;
	enum view view;
};

static void add(const struct formats *f, const char *family, int stage, int levels,
		const char *granules, int input, int output, const char *flags)
{
	g_autofree char *out = output ? g_strdup_printf("%d", output) : g_strdup("-");

	json_array_append_new(f->set, json_sprintf("%s/%d/%d/%s/%d/%s/%s", family, stage, levels,
						   granules, input, out, flags));
}

static int truth(const struct formats *f, const char *id)
{
	return facts_truth(f->unit->facts, id);
}

/* Does the kernel run the unit in scalable mode? */
static int vtd_scalable(const struct formats *f)
{
	const int all[] = {
		truth(f, "vtd.ecap.smts"),
		derive_option(f->profile, "iommu.option.scalable-mode", -1),
	};

	return derive_all(all, G_N_ELEMENTS(all));
}

/* SAGAW has a bit for each number of levels. Legacy mode always has a second stage; in scalable mode
 * the kernel has none without ECAP.SSTS (Linux intel/iommu.c, domain_alloc_second_stage). */
static bool vtd_second_stage(const struct formats *f)
{
	g_autoptr(GString) granules = g_string_new("4K");
	uint64_t sagaw, sslps, mgaw;
	int large = f->view == VIEW_RAW
			    ? 1
			    : derive_option(f->profile, "iommu.option.super-pages", 1);
	int scalable = f->view == VIEW_RAW ? 0 : vtd_scalable(f);
	int there = scalable ? truth(f, "vtd.ecap.ssts") : 1;

	if (scalable > 0 && there == 0)
		return true;
	if (there <= 0)
		return false;
	if (!facts_number(f->unit->facts, "vtd.cap.sagaw", &sagaw) ||
	    !facts_number(f->unit->facts, "vtd.cap.sslps", &sslps) ||
	    !facts_number(f->unit->facts, "vtd.cap.mgaw", &mgaw))
		return false;
	if (large < 0 && sslps & 3)
		return false;
	if (large && sslps & 1)
		g_string_append(granules, "+2M");
	if (large && sslps & 2)
		g_string_append(granules, "+1G");
	for (int bit = 1; bit <= 3; bit++) {
		int width = 30 + 9 * bit;

		if (sagaw >> bit & 1)
			add(f, "vtdss", 2, 2 + bit, granules->str, MIN(width, (int)mgaw), 0,
			    truth(f, "vtd.ecap.ssads") == 1 ? "ad" : "-");
	}
	return true;
}

/* The first stage is scalable mode's; the kernel gives it to guests where it nests. */
static bool vtd_first_stage(const struct formats *f)
{
	const int all[] = {
		truth(f, "vtd.ecap.smts"),
		truth(f, "vtd.ecap.fsts"),
		f->view == VIEW_RAW ? 1 : vtd_scalable(f),
	};
	int there = derive_all(all, G_N_ELEMENTS(all));
	const char *granules = truth(f, "vtd.cap.fs1gp") == 1 ? "4K+2M+1G" : "4K+2M";

	if (there <= 0)
		return there == 0;
	add(f, "x86_64", 1, 4, granules, 48, 0, "ad");
	if (truth(f, "vtd.cap.fs5lp") == 1)
		add(f, "x86_64", 1, 5, granules, 57, 0, "ad");
	return true;
}

/* Host tables of up to HATS levels, guest tables of up to GATS. */
static bool amd_formats(const struct formats *f)
{
	int guest = truth(f, "amdvi.efr.gtsup");
	int host = f->view == VIEW_RAW ? 1
				       : derive_option(f->profile, "iommu.option.host-tables", 1);
	const char *flags = truth(f, "amdvi.efr.hdsup") == 1   ? "ad"
			    : truth(f, "amdvi.efr.hasup") == 1 ? "a"
							       : "-";
	uint64_t hats, gats = 4;

	if (!facts_number(f->unit->facts, "amdvi.efr.hats", &hats) || guest < 0 || host < 0)
		return false;
	for (int levels = 4; host && levels <= (int)hats; levels++)
		add(f, "amdv1", 2, levels, "4K-2^n", MIN(12 + 9 * levels, 64), 52, flags);
	facts_number(f->unit->facts, "amdvi.efr.gats", &gats);
	for (int levels = 4; guest && levels <= MIN((int)gats, 5); levels++)
		add(f, "x86_64", 1, levels, "4K+2M+1G", 12 + 9 * levels, 52, "ad");
	return true;
}

static void smmu_stage(const struct formats *f, int stage, int input, int output,
		       const char *flags)
{
	static const struct {
		const char *id, *granules;
		int page_bits;
	} granules[] = {
		{ "smmuv3.idr5.gran4k", "4K+2M+1G", 12 },
		{ "smmuv3.idr5.gran16k", "16K+32M", 14 },
		{ "smmuv3.idr5.gran64k", "64K+512M", 16 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(granules); i++) {
		int step = granules[i].page_bits - 3;

		if (truth(f, granules[i].id) == 1)
			add(f, "lpae", stage, (input - granules[i].page_bits + step - 1) / step,
			    granules[i].granules, input, output, flags);
	}
}

static bool smmu_formats(const struct formats *f)
{
	int s1 = truth(f, "smmuv3.idr0.s1p"), s2 = truth(f, "smmuv3.idr0.s2p");
	uint64_t oas, vax, httu;
	const char *flags;

	if (s1 < 0 || s2 < 0 || !facts_number(f->unit->facts, "smmuv3.idr5.oas", &oas) ||
	    !facts_number(f->unit->facts, "smmuv3.idr5.vax", &vax) ||
	    !facts_number(f->unit->facts, "smmuv3.idr0.httu", &httu))
		return false;
	flags = httu == 2 ? "ad" : httu == 1 ? "a" : "-";
	if (s1)
		smmu_stage(f, 1, (int)vax, (int)oas, flags);
	if (s2)
		smmu_stage(f, 2, (int)oas, (int)oas, flags);
	return true;
}

json_t *derive_formats(const struct profile *profile, const struct iommu_unit *unit,
		       enum view view)
{
	struct formats f = { json_array(), profile, unit, view };
	bool told = !strcmp(unit->type, "vtd")	    ? vtd_second_stage(&f) && vtd_first_stage(&f)
		    : !strcmp(unit->type, "amdvi")  ? amd_formats(&f)
		    : !strcmp(unit->type, "smmuv3") ? smmu_formats(&f)
						    : false;

	if (!told)
		g_clear_pointer(&f.set, json_decref);
	return f.set;
}
