/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-acpi-facts.c: what the firmware's tables say of a host, as facts; see read-iommu.h. */
#include "config.h"

#include <string.h>

#include "read/read-iommu.h"
#include "read/read-parts.h"

static uint64_t number_of(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	if (json_is_integer(member))
		return (uint64_t)json_integer_value(member);
	return json_is_string(member) ? g_ascii_strtoull(json_string_value(member), NULL, 16) : 0;
}

static void put_bool(json_t *facts, const char *id, bool truth, const char *origin)
{
	read_put_once(facts, id, json_boolean(truth), &scope_raw, origin);
}

static void put_uint(json_t *facts, const char *id, uint64_t value, const char *origin)
{
	read_put_once(facts, id, read_number(value), &scope_raw, origin);
}

/* DMAR's flags: bit 0 INTR_REMAP, 1 X2APIC_OPT_OUT, 2 DMA_CTRL_PLATFORM_OPT_IN. */
static void put_dmar(json_t *facts, const json_t *table, const char *origin)
{
	uint64_t flags = number_of(table, "flags");

	put_uint(facts, "acpi.dmar.address-width", number_of(table, "host_address_width"), origin);
	put_bool(facts, "acpi.dmar.interrupt-remapping", flags & 1, origin);
	put_bool(facts, "acpi.dmar.x2apic-opt-out", flags & 2, origin);
	put_bool(facts, "acpi.dmar.dma-protection", flags & 4, origin);
}

/* IVinfo: bit 0 EFRSup, 1 DMA protection, 14:8 PASize, 21:15 VASize. */
static void put_ivrs(json_t *facts, const json_t *table, const char *origin)
{
	uint64_t info = number_of(table, "iv_info");

	put_bool(facts, "acpi.ivrs.efr-supported", info & 1, origin);
	put_bool(facts, "acpi.ivrs.dma-protection", info & 2, origin);
	put_uint(facts, "acpi.ivrs.address-width", info >> 8 & 0x7f, origin);
	put_uint(facts, "acpi.ivrs.virtual-address-width", info >> 15 & 0x7f, origin);
}

static void add_region(json_t *set, uint64_t first, uint64_t last, const char *kind)
{
	if (first <= last)
		json_array_append_new(set, json_sprintf("0x%" G_GINT64_MODIFIER
							"x-0x%" G_GINT64_MODIFIER "x/%s",
							first, last, kind));
}

static void add_sized(json_t *set, const json_t *part, const char *kind)
{
	uint64_t base = number_of(part, "base"), size = number_of(part, "size");

	if (size)
		add_region(set, base, base + (size - 1), kind);
}

static void put_reserved(json_t *facts, const json_t *table, const char *origin)
{
	json_t *set = json_array();
	const json_t *part, *region;
	size_t i, k;

	json_array_foreach (json_object_get(table, "subtables"), i, part) {
		const char *name = json_string_value(json_object_get(part, "name"));

		if (!strcmp(name, "rmrr"))
			add_region(set, number_of(part, "base"), number_of(part, "limit"), "rmrr");
		if (g_str_has_prefix(name, "ivmd-"))
			add_sized(set, part, "ivmd");
		json_array_foreach (json_object_get(part, "regions"), k, region)
			add_sized(set, region, "rmr");
	}
	read_put_once(facts, "acpi.reserved", set, &scope_raw, origin);
}

void read_acpi_facts(json_t *facts, const json_t *table, const char *origin)
{
	const char *signature = json_string_value(json_object_get(table, "signature"));

	if (!g_strcmp0(signature, "DMAR"))
		put_dmar(facts, table, origin);
	else if (!g_strcmp0(signature, "IVRS"))
		put_ivrs(facts, table, origin);
	if (g_strcmp0(signature, "VIOT"))
		put_reserved(facts, table, origin);
}
