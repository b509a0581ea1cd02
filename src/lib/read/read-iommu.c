/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-iommu.c: registers of IOMMUs, and what IOMMU_GET_HW_INFO answers; see read-iommu.h.
 *
 * sysfs has the registers of VT-d and AMD-Vi raw. The kernel's interface gives them raw too, and
 * says which fields may be concluded from: those are told once more, in the kernel's view.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "model/error.h"
#include "read/read-iommu.h"
#include "read/read-parts.h"

#define ALL_BITS (~UINT64_C(0))

/* The whole of a register that has an entry of its own, named as the register is. */
static void put_whole(json_t *facts, const char *name, uint64_t value, const char *origin)
{
	read_put_once(facts, name, read_hex(value), &scope_raw, origin);
}

/* What the kernel lets a VMM read of a register. */
static void put_granted(json_t *facts, const char *name, uint64_t value, const char *origin)
{
	int reg = cap_find_named_register(name);

	if (reg >= 0 && cap_registers[reg].vmm)
		read_register(facts, name, value, cap_registers[reg].vmm, &scope_kernel, origin);
}

void read_vtd(json_t *facts, uint64_t cap, uint64_t ecap, const struct scope *scope,
	      const char *origin)
{
	put_whole(facts, "vtd.cap", cap, origin);
	put_whole(facts, "vtd.ecap", ecap, origin);
	read_register(facts, "vtd.cap", cap, ALL_BITS, scope, origin);
	read_register(facts, "vtd.ecap", ecap, ALL_BITS, scope, origin);
}

void read_amdvi(json_t *facts, uint64_t efr, uint64_t efr2, bool has_efr2,
		const struct scope *scope, const char *origin)
{
	put_whole(facts, "amdvi.efr", efr, origin);
	read_register(facts, "amdvi.efr", efr, ALL_BITS, scope, origin);
	if (!has_efr2)
		return;
	put_whole(facts, "amdvi.efr2", efr2, origin);
	read_register(facts, "amdvi.efr2", efr2, ALL_BITS, scope, origin);
}

/* 1 to 16 hexadecimal digits, and nothing else. */
static bool parse_hex(const char *text, uint64_t *value)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");

	if (!digits || digits > 16 || text[digits])
		return false;
	*value = g_ascii_strtoull(text, NULL, 16);
	return true;
}

bool read_amdvi_features(json_t *facts, const char *text, const struct scope *scope,
			 const char *origin, GError **error)
{
	g_autofree char *line = g_strndup(text, 64);
	uint64_t efr, efr2 = 0;
	char *second;

	g_strstrip(line);
	second = strchr(line, ':');
	if (second)
		*second++ = 0;
	if (!parse_hex(line, &efr) || (second && !parse_hex(second, &efr2))) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: expected EFR or EFR:EFR2 in hexadecimal", origin);
		return false;
	}
	read_amdvi(facts, efr, efr2, second != NULL, scope, origin);
	return true;
}

/* Implementations of Arm's own that the kernel knows to err, by product number. */
static const struct implementation {
	uint32_t product;
	const char *name;
} implementations[] = {
	{ 0x483, "MMU-600" },
	{ 0x487, "MMU-700" },
	{ 0x48a, "MMU-L1" },
	{ 0x498, "MMU-S3" },
};

#define IMPLEMENTER_ARM 0x43bu

static void put_errata(json_t *facts, uint32_t product, uint32_t variant, uint32_t revision,
		       const char *origin)
{
	json_t *errata = json_array();

	if (product == 0x483 && variant < 2)
		json_array_append_new(errata, json_string("1209401"));
	if (product == 0x487 && (variant < 1 || revision < 1)) {
		json_array_append_new(errata, json_string("2268618"));
		json_array_append_new(errata, json_string("2812531"));
	}
	read_put_once(facts, "smmuv3.errata", errata, &scope_kernel, origin);
}

static void put_implementation(json_t *facts, uint32_t iidr, const char *origin)
{
	uint32_t product = iidr >> 20, variant = iidr >> 16 & 0xf, revision = iidr >> 12 & 0xf;
	json_t *name = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(implementations); i++)
		if ((iidr & 0xfff) == IMPLEMENTER_ARM && implementations[i].product == product)
			name = json_sprintf("%s r%up%u", implementations[i].name, variant, revision);
	if (!name)
		name = json_sprintf("0x%03x:0x%03x r%up%u", iidr & 0xfff, product, variant, revision);
	read_put_once(facts, "smmuv3.implementation", name, &scope_raw, origin);
	put_errata(facts, (iidr & 0xfff) == IMPLEMENTER_ARM ? product : 0, variant, revision, origin);
}

void read_smmuv3(json_t *facts, const struct smmuv3_registers *registers, const char *origin)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(registers->idr); i++) {
		char name[16];

		g_snprintf(name, sizeof(name), "smmuv3.idr%u", i);
		put_whole(facts, name, registers->idr[i], origin);
		read_register(facts, name, registers->idr[i], ALL_BITS, &scope_raw, origin);
		put_granted(facts, name, registers->idr[i], origin);
	}
	put_whole(facts, "smmuv3.iidr", registers->iidr, origin);
	put_whole(facts, "smmuv3.aidr", registers->aidr, origin);
	read_register(facts, "smmuv3.iidr", registers->iidr, ALL_BITS, &scope_raw, origin);
	put_implementation(facts, registers->iidr, origin);
	read_put_once(facts, "smmuv3.repeat-tlbi-cfgi", json_boolean(registers->flags & 1),
		      &scope_kernel, origin);
}

enum { TYPE_NONE, TYPE_VTD, TYPE_SMMUV3, TYPE_TEGRA241, TYPE_AMD, TYPES };

/* By number of enum iommu_hw_info_type: what it is called, and the least data that says it all. */
static const struct hwinfo_type {
	const char *name;
	size_t data_length;
} types[TYPES] = {
	[TYPE_NONE] = { "none", 0 },	      [TYPE_VTD] = { "vtd", 24 },
	[TYPE_SMMUV3] = { "smmuv3", 40 },     [TYPE_TEGRA241] = { "tegra241-cmdqv", 8 },
	[TYPE_AMD] = { "amd", 16 },
};

const char *hwinfo_type_name(uint32_t type)
{
	return type < TYPES ? types[type].name : NULL;
}

static void read_data_vtd(json_t *unit, const uint8_t *data, const char *origin)
{
	read_vtd(unit, read_le64(data + 8), read_le64(data + 16), &scope_kernel, origin);
	read_put_once(unit, "vtd.errata-772415", json_boolean(data[0] & 1), &scope_kernel, origin);
}

static void read_data_smmuv3(json_t *unit, const uint8_t *data, const char *origin)
{
	struct smmuv3_registers registers = {
		.flags = read_le32(data),
		.iidr = read_le32(data + 32),
		.aidr = read_le32(data + 36),
	};

	for (size_t i = 0; i < G_N_ELEMENTS(registers.idr); i++)
		registers.idr[i] = read_le32(data + 8 + 4 * i);
	read_smmuv3(unit, &registers, origin);
}

static void read_data_tegra(json_t *unit, const uint8_t *data, const char *origin)
{
	static const char *const ids[] = {
		"hwinfo.tegra241-cmdqv-version",
		"hwinfo.tegra241-cmdqv-vcmdqs",
		"hwinfo.tegra241-cmdqv-vsids",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		read_put_once(unit, ids[i], json_integer(data[4 + i]), &scope_kernel, origin);
}

static void read_data_amd(json_t *unit, const uint8_t *data, const char *origin)
{
	uint64_t efr = read_le64(data), efr2 = read_le64(data + 8);

	read_amdvi(unit, efr, efr2, true, &scope_raw, origin);
	put_granted(unit, "amdvi.efr", efr, origin);
	put_granted(unit, "amdvi.efr2", efr2, origin);
}

/* A flag that older kernels leave unset without meaning it. */
static void put_since(json_t *facts, const char *id, bool set, unsigned int kernel,
		      unsigned int since, const char *origin)
{
	if (set || kernel >= since)
		read_put_once(facts, id, json_boolean(set), &scope_kernel, origin);
	else
		read_put_missing_once(facts, id,
				      kernel ? FACT_UNSUPPORTED_BY_KERNEL : FACT_UNKNOWN,
				      &scope_kernel, origin, 0);
}

static void put_capabilities(json_t *facts, const struct hwinfo *info, const char *origin)
{
	static const char *const with_pasid[] = { "hwinfo.pasid-exec", "hwinfo.pasid-priv" };
	uint64_t known = cap_registers[cap_find_named_register("hwinfo.caps")].known;

	put_since(facts, "hwinfo.dirty-tracking", info->capabilities & 1, info->kernel, 6007, origin);
	put_since(facts, "hwinfo.ats-not-supported", info->capabilities & 8, info->kernel, 7001,
		  origin);
	for (unsigned int i = 0; i < G_N_ELEMENTS(with_pasid); i++) {
		if (info->max_pasid_log2)
			read_put_once(facts, with_pasid[i],
				      json_boolean(info->capabilities >> (1 + i) & 1), &scope_kernel,
				      origin);
		else
			read_put_missing_once(facts, with_pasid[i], FACT_ABSENT, &scope_kernel, origin,
					      0);
	}
	read_register(facts, "hwinfo.caps", info->capabilities, ~known, &scope_kernel, origin);
}

bool read_hwinfo(json_t *device, json_t *unit, const struct hwinfo *info, const char *origin,
		 GError **error)
{
	static void (*const readers[TYPES])(json_t *, const uint8_t *, const char *) = {
		[TYPE_VTD] = read_data_vtd,
		[TYPE_SMMUV3] = read_data_smmuv3,
		[TYPE_TEGRA241] = read_data_tegra,
		[TYPE_AMD] = read_data_amd,
	};
	json_t *type = info->data_type < TYPES ? json_string(types[info->data_type].name)
					       : json_sprintf("type-%u", info->data_type);

	read_put_once(device, "hwinfo.type", type, &scope_kernel, origin);
	read_put_once(device, "hwinfo.max-pasid-log2", json_integer(info->max_pasid_log2),
		      &scope_kernel, origin);
	read_put_once(device, "hwinfo.data-length", json_integer((json_int_t)info->data_length),
		      &scope_kernel, origin);
	put_capabilities(device, info, origin);
	if (info->data_type >= TYPES || !readers[info->data_type])
		return true;
	if (info->data_length < types[info->data_type].data_length || !info->data) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: %zu bytes of data where '%s' has %zu", origin, info->data_length,
			    types[info->data_type].name, types[info->data_type].data_length);
		return false;
	}
	if (unit)
		readers[info->data_type](unit, info->data, origin);
	return true;
}
