/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-register.c: the fields of registers that have names, by the dictionary; see read-iommu.h. */
#include "config.h"

#include <string.h>

#include "read/read-iommu.h"
#include "read/read-parts.h"

const struct scope scope_raw = { .view = VIEW_RAW, .migratable = -1 };
const struct scope scope_kernel = { .view = VIEW_KERNEL, .migratable = -1 };

static uint64_t field_mask(const struct capability *cap)
{
	unsigned int width = cap->high - cap->low + 1u;

	return (width < 64 ? (UINT64_C(1) << width) - 1 : ~UINT64_C(0)) << cap->low;
}

static uint64_t field_of(const struct capability *cap, uint64_t reg)
{
	return (reg & field_mask(cap)) >> cap->low;
}

json_t *read_hex(uint64_t value)
{
	return json_sprintf("0x%" G_GINT64_MODIFIER "x", value);
}

json_t *read_number(uint64_t value)
{
	return value < (UINT64_C(1) << 53) ? json_integer((json_int_t)value) : read_hex(value);
}

static json_t *members_of(const char *joined)
{
	g_auto(GStrv) members = g_strsplit(joined, "+", -1);
	json_t *set = json_array();

	for (char **member = members; *member; member++)
		json_array_append_new(set, json_string(*member));
	return set;
}

/* What the number in a field stands for; NULL where that number is reserved. */
static json_t *meaning(const struct capability *cap, uint64_t number)
{
	uint64_t labels = 0;

	switch (cap->type) {
	case CAP_BOOL:
		return json_boolean(number);
	case CAP_BITMAP:
		return read_hex(number);
	case CAP_SET:
		return cap->values[number] ? members_of(cap->values[number]) : NULL;
	case CAP_UINT:
		if (cap->values)
			return cap->values[number] ? read_number(g_ascii_strtoull(cap->values[number],
										  NULL, 10))
						   : NULL;
		while (cap->labels && cap->labels[labels])
			labels++;
		if (cap->labels && number >= labels)
			return NULL;
		return read_number(number * cap->times + cap->plus);
	default:
		return NULL;
	}
}

/* Is what the field is meaningless without unset in the same register? */
static bool is_meaningless(const struct capability *cap, uint64_t reg)
{
	for (const uint16_t *need = cap->needs; *need != 0xffff; need++) {
		const struct capability *other = &cap_table[*need];

		if (cap->type != CAP_BOOL && other->reg == cap->reg && other->type == CAP_BOOL &&
		    !field_of(other, reg))
			return true;
	}
	return false;
}

static void put_field(json_t *facts, const struct capability *cap, uint64_t reg,
		      const struct scope *scope, const char *origin)
{
	json_t *value;

	if (is_meaningless(cap, reg)) {
		read_put_missing_once(facts, cap->id, FACT_ABSENT, scope, origin, 0);
		return;
	}
	value = meaning(cap, field_of(cap, reg));
	if (value)
		read_put_once(facts, cap->id, value, scope, origin);
	else
		read_put_missing_once(facts, cap->id, FACT_UNKNOWN, scope, origin, 0);
}

/* "vtd.ecap" → "vtd.unnamed.ecap.5" */
static void put_unnamed(json_t *facts, const char *name, uint64_t bits, const struct scope *scope,
			const char *origin)
{
	int room = (int)strcspn(name, ".");

	for (unsigned int i = 0; i < 64; i++) {
		g_autofree char *id = NULL;

		if (!(bits >> i & 1))
			continue;
		id = g_strdup_printf("%.*s.unnamed%s.%u", room, name, name + room, i);
		read_put_once(facts, id, json_true(), scope, origin);
	}
}

void read_register(json_t *facts, const char *name, uint64_t value, uint64_t mask,
		   const struct scope *scope, const char *origin)
{
	int reg = cap_find_named_register(name);

	if (reg < 0)
		return;
	for (size_t i = 0; i < cap_count; i++) {
		const struct capability *cap = &cap_table[i];

		if (cap->reg == reg && !(field_mask(cap) & ~mask))
			put_field(facts, cap, value, scope, origin);
	}
	put_unnamed(facts, name, value & mask & ~cap_registers[reg].known, scope, origin);
}
