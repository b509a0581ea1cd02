/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * derive.c: what follows from an IOMMU's facts; see derive.h.
 *
 * The predicates are Linux': intel_iommu_domain_alloc_paging_flags() and domain_supports for VT-d,
 * is_nest_parent_supported() and amd_iommu_hd_support() for AMD, arm_smmu_domain_alloc_paging_flags(),
 * arm_smmu_dbm_capable() and arm_vsmmu_init() for SMMUv3.
 */
#include "config.h"

#include <string.h>

#include "model/derive.h"
#include "model/value.h"

static const struct scope kernel_scope = { .view = VIEW_KERNEL, .migratable = -1 };
static const struct scope raw_scope = { .view = VIEW_RAW, .migratable = -1 };

int derive_all(const int *truths, size_t n)
{
	int all = 1;

	for (size_t i = 0; i < n; i++) {
		if (!truths[i])
			return 0;
		all = truths[i] < 0 ? -1 : all;
	}
	return all;
}

/* The same, by ids of one unit's facts. */
static int all_of(const struct iommu_unit *unit, const char *const *ids, size_t n)
{
	int truths[8];

	for (size_t i = 0; i < n; i++)
		truths[i] = facts_truth(unit->facts, ids[i]);
	return derive_all(truths, n);
}

static int host_truth(const struct profile *profile, const char *id)
{
	const struct fact *f = profile_fact_any(profile, id);

	return f && f->state == FACT_KNOWN ? json_is_true(f->value) : -1;
}

int derive_option(const struct profile *profile, const char *id, int otherwise)
{
	const struct fact *given = profile_fact_any(profile, "iommu.option.given");
	int told = host_truth(profile, id);

	return told >= 0 ? told : given && given->state == FACT_KNOWN ? otherwise : -1;
}

static bool is_type(const struct iommu_unit *unit, const char *type)
{
	return !strcmp(unit->type, type);
}

static int scalable_mode(const struct profile *profile)
{
	return derive_option(profile, "iommu.option.scalable-mode", -1);
}

/* --- each property ----------------------------------------------------------------------------- */

static int vtd_nested(const struct profile *profile, const struct iommu_unit *unit)
{
	static const char *const ids[] = { "vtd.ecap.smts", "vtd.ecap.nest", "vtd.ecap.ssts" };
	const int both[] = { scalable_mode(profile), all_of(unit, ids, G_N_ELEMENTS(ids)) };

	return derive_all(both, 2);
}

static int amd_nested(const struct iommu_unit *unit)
{
	static const char *const ids[] = { "amdvi.efr.gtsup", "amdvi.efr.giosup",
					   "amdvi.efr2.gcr3trpmode" };

	return all_of(unit, ids, G_N_ELEMENTS(ids));
}

/* Without FWB, coherent devices (CANWBS, by IORT) may still do: that is not known here. */
static int smmu_nested(const struct iommu_unit *unit)
{
	const struct fact *errata = facts_find(unit->facts, "smmuv3.errata", VIEWS);
	const int all[] = {
		facts_truth(unit->facts, "smmuv3.idr0.s1p"),
		facts_truth(unit->facts, "smmuv3.idr0.s2p"),
		errata && errata->state == FACT_KNOWN ? json_array_size(errata->value) == 0 : -1,
		facts_truth(unit->facts, "smmuv3.idr3.fwb") == 1 ? 1 : -1,
	};

	return derive_all(all, G_N_ELEMENTS(all));
}

static int nested(const struct profile *profile, const struct iommu_unit *unit)
{
	int trial = facts_truth(unit->facts, "iommu.hwpt-nest-parent");

	if (trial >= 0)
		return trial;
	return is_type(unit, "vtd")	 ? vtd_nested(profile, unit)
	       : is_type(unit, "amdvi")	 ? amd_nested(unit)
	       : is_type(unit, "smmuv3") ? smmu_nested(unit)
					 : -1;
}

static int registers_dirty(const struct profile *profile, const struct iommu_unit *unit)
{
	static const char *const vtd[] = { "vtd.ecap.smts", "vtd.ecap.ssads", "vtd.ecap.smpwcs" };
	uint64_t httu;
	int both[2];

	if (is_type(unit, "vtd")) {
		both[0] = scalable_mode(profile);
		both[1] = all_of(unit, vtd, G_N_ELEMENTS(vtd));
		return derive_all(both, 2);
	}
	if (is_type(unit, "amdvi")) {
		both[0] = derive_option(profile, "iommu.option.host-tables", 1);
		both[1] = facts_truth(unit->facts, "amdvi.efr.hdsup");
		return derive_all(both, 2);
	}
	if (!is_type(unit, "smmuv3") || !facts_number(unit->facts, "smmuv3.idr0.httu", &httu))
		return -1;
	both[0] = httu == 2;
	both[1] = facts_truth(unit->facts, "smmuv3.idr0.cohacc");
	return derive_all(both, 2);
}

static int dirty_tracking(const struct profile *profile, const struct iommu_unit *unit)
{
	int trial = facts_truth(unit->facts, "iommu.hwpt-dirty");
	int told = facts_truth(unit->facts, "hwinfo.dirty-tracking");

	return trial >= 0 ? trial : told >= 0 ? told : registers_dirty(profile, unit);
}

/* A device that has PASIDs switched on shows it; that one has none says nothing of the unit. */
static int pasid(const struct profile *profile, const struct iommu_unit *unit)
{
	static const char *const vtd[] = { "vtd.ecap.smts", "vtd.ecap.pasid" };
	/* amd_iommu_pasid_supported(), and the page tables of version 2 that PASIDs need */
	static const char *const amd[] = { "amdvi.efr.gtsup", "amdvi.efr.pprsup",
					   "amdvi.efr.giosup" };
	uint64_t width = 0;
	int both[2];

	if (facts_truth(unit->facts, "iommu.hwpt-pasid") == 0)
		return 0;
	if (facts_number(unit->facts, "hwinfo.max-pasid-log2", &width) && width)
		return 1;
	if (is_type(unit, "vtd")) {
		both[0] = scalable_mode(profile);
		both[1] = all_of(unit, vtd, G_N_ELEMENTS(vtd));
		return derive_all(both, 2);
	}
	if (is_type(unit, "amdvi"))
		return all_of(unit, amd, G_N_ELEMENTS(amd));
	if (is_type(unit, "smmuv3") && facts_number(unit->facts, "smmuv3.idr1.ssidsize", &width))
		return width > 0;
	return -1;
}

/* AMD's kernel driver always lets coherency be enforced; Arm's goes by device. */
static int snoop(const struct profile *profile, const struct iommu_unit *unit)
{
	(void)profile;
	return is_type(unit, "vtd")    ? facts_truth(unit->facts, "vtd.ecap.sc")
	       : is_type(unit, "amdvi") ? 1
					: -1;
}

static int interrupt_remapping(const struct profile *profile, const struct iommu_unit *unit)
{
	int told = host_truth(profile, "iommu.interrupt-remapping");
	const int both[] = { facts_truth(unit->facts, "vtd.ecap.ir"),
			     host_truth(profile, "acpi.dmar.interrupt-remapping") };

	if (told >= 0)
		return told;
	/* Capable hardware may still be told not to: only a no is certain. */
	return is_type(unit, "vtd") && derive_all(both, 2) == 0 ? 0 : -1;
}

static const struct property {
	const char *id, *from;
	int (*derive)(const struct profile *profile, const struct iommu_unit *unit);
} properties[] = {
	{ "iommu.nested", "iommu.hwpt-nest-parent, registers, the kernel's predicate", nested },
	{ "iommu.dirty-tracking", "iommu.hwpt-dirty, hwinfo, registers", dirty_tracking },
	{ "iommu.pasid", "iommu.hwpt-pasid, hwinfo, registers", pasid },
	{ "iommu.snoop", "registers", snoop },
	{ "iommu.interrupt-remapping", "registers, the firmware's table", interrupt_remapping },
};

/* --- numbers ----------------------------------------------------------------------------------- */

/* The width of the last address, as somebody told of them: what QEMU holds aw-bits against. */
static json_t *address_bits(const struct iommu_unit *unit, enum view view)
{
	const struct fact *f = facts_find(unit->facts, "iommu.ranges", view);
	struct value value;
	uint64_t last = 0;
	unsigned int bits = 0;

	if (!f || f->state != FACT_KNOWN || !value_from_json(CAP_RANGES, f->value, &value, NULL))
		return NULL;
	if (value.ranges->len)
		last = g_array_index(value.ranges, struct value_range, value.ranges->len - 1).last;
	value_clear(&value);
	while (bits < 64 && last >> bits)
		bits++;
	return json_integer(bits);
}

/* 0 where it isn't known whether large pages are switched off, and there are any. */
static uint64_t vtd_page_sizes(const struct profile *profile, uint64_t sslps)
{
	int large = derive_option(profile, "iommu.option.super-pages", 1);
	uint64_t sizes = 1u << 12;

	if (!(sslps & 3) || !large)
		return sizes;
	sizes |= sslps & 1 ? UINT64_C(1) << 21 : 0;
	sizes |= sslps & 2 ? UINT64_C(1) << 30 : 0;
	return large < 0 ? 0 : sizes;
}

/*
 * The kernel takes one granule: that of its own pages, where the SMMU has it. 0 where it isn't known
 * which.
 */
static uint64_t smmu_page_sizes(const struct profile *profile, const struct iommu_unit *unit)
{
	static const struct {
		const char *id;
		uint64_t page, blocks;
	} granules[] = {
		{ "smmuv3.idr5.gran4k", 1u << 12, UINT64_C(1) << 21 | UINT64_C(1) << 30 },
		{ "smmuv3.idr5.gran16k", 1u << 14, UINT64_C(1) << 25 },
		{ "smmuv3.idr5.gran64k", 1u << 16, UINT64_C(1) << 29 },
	};
	const struct fact *own = profile_fact_any(profile, "host.page-size");
	uint64_t page = own && own->state == FACT_KNOWN ? (uint64_t)json_integer_value(own->value) : 0;
	uint64_t sizes = 0;
	unsigned int n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(granules); i++) {
		if (facts_truth(unit->facts, granules[i].id) != 1)
			continue;
		n++;
		sizes = granules[i].page | granules[i].blocks;
		if (granules[i].page == page)
			return sizes;
	}
	return n == 1 ? sizes : 0;
}

/* The kernel's VFIO says it; else what its drivers take of the registers. */
static json_t *page_sizes(const struct profile *profile, const struct iommu_unit *unit)
{
	const struct fact *told = facts_find(unit->facts, "vfio.type1.page-sizes", VIEWS);
	uint64_t sslps, sizes = 0;

	if (told && told->state == FACT_KNOWN)
		return json_deep_copy(told->value);
	if (is_type(unit, "vtd") && facts_number(unit->facts, "vtd.cap.sslps", &sslps))
		sizes = vtd_page_sizes(profile, sslps);
	else if (is_type(unit, "amdvi")) /* larger ones depend on the kernel; 512 GiB never work */
		sizes = (UINT64_C(1) << 39) - (UINT64_C(1) << 12);
	else if (is_type(unit, "smmuv3"))
		sizes = smmu_page_sizes(profile, unit);
	return sizes ? json_sprintf("0x%" G_GINT64_MODIFIER "x", sizes) : NULL;
}

/* --- a unit ------------------------------------------------------------------------------------ */

static bool is_told(const struct iommu_unit *unit, const char *id, enum view view)
{
	const struct fact *f = facts_find(unit->facts, id, view);

	return f && (f->state == FACT_KNOWN || f->state == FACT_ABSENT);
}

static void put(json_t *facts, const struct iommu_unit *unit, const char *id, json_t *value,
		const struct scope *scope, const char *from)
{
	g_autofree char *origin = g_strconcat(DERIVED, from, NULL);

	if (!value)
		return;
	if (is_told(unit, id, scope->view))
		json_decref(value);
	else
		document_fact(facts, id, value, scope, origin);
}

json_t *derive_unit(const struct profile *profile, const struct iommu_unit *unit)
{
	json_t *facts = json_array();

	if (!is_type(unit, "unknown"))
		put(facts, unit, "iommu.type", json_string(unit->type), &kernel_scope, "the unit's type");
	put(facts, unit, "iommu.address-bits", address_bits(unit, VIEW_KERNEL), &kernel_scope,
	    "the end of iommu.ranges");
	put(facts, unit, "iommu.address-bits", address_bits(unit, VIEW_RAW), &raw_scope,
	    "the end of iommu.ranges");
	put(facts, unit, "iommu.page-sizes", page_sizes(profile, unit), &kernel_scope,
	    "vfio.type1.page-sizes, else registers as the kernel takes them");
	for (size_t i = 0; i < G_N_ELEMENTS(properties); i++) {
		int truth = properties[i].derive(profile, unit);

		put(facts, unit, properties[i].id, truth < 0 ? NULL : json_boolean(truth),
		    &kernel_scope, properties[i].from);
	}
	put(facts, unit, "iommu.formats", derive_formats(profile, unit, VIEW_RAW), &raw_scope,
	    "registers");
	put(facts, unit, "iommu.formats", derive_formats(profile, unit, VIEW_KERNEL), &kernel_scope,
	    "registers and the kernel's predicates");
	return facts;
}
