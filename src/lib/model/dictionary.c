/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dictionary.c: look-ups in the generated tables.
 *
 * Everything that can be asked by name is sorted by the generator, so that each look-up is a
 * binary search; the order is that of strcmp().
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/dictionary.h"

static const char *const type_names[] = {
	[CAP_BOOL] = "bool",     [CAP_UINT] = "uint", [CAP_BITMAP] = "bitmap", [CAP_STRING] = "string",
	[CAP_SET] = "set",       [CAP_RANGES] = "ranges", [CAP_PAIR] = "pair",
};
static_assert(sizeof(type_names) / sizeof(type_names[0]) == CAP_TYPES, "a name for each type");

static const char *const rule_names[] = {
	[RULE_LOWER_SAFE] = "lower-safe",
	[RULE_HIGHER_SAFE] = "higher-safe",
	[RULE_IMMUNITY] = "immunity",
	[RULE_EXACT] = "exact",
	[RULE_SET] = "set",
	[RULE_RANGES] = "ranges",
	[RULE_CHAIN] = "chain",
	[RULE_TOLERANCE] = "tolerance",
	[RULE_ALLOWED_PAIR] = "allowed-pair",
};
static_assert(sizeof(rule_names) / sizeof(rule_names[0]) == RULES, "a name for each rule");

static const char *const namespace_names[] = {
	[NS_LIBVIRT] = "libvirt",
	[NS_QEMU] = "qemu",
	[NS_KERNEL] = "kernel",
	[NS_NOVA] = "nova",
};
static_assert(sizeof(namespace_names) / sizeof(namespace_names[0]) == CAP_NAMESPACES,
	      "a name for each namespace");

static int
compare_id(const void *key, const void *entry)
{
	return strcmp(key, ((const struct capability *)entry)->id);
}

int
cap_find(const char *id)
{
	const struct capability *found;

	if (id == NULL)
		return -1;
	found = bsearch(id, cap_table, cap_count, sizeof(cap_table[0]), compare_id);
	return found ? (int)(found - cap_table) : -1;
}

static int
compare_alias(const void *key, const void *entry)
{
	return strcmp(key, ((const struct cap_alias *)entry)->name);
}

int
cap_find_alias(enum cap_namespace ns, const char *name)
{
	const struct cap_alias *found;

	if ((unsigned int)ns >= CAP_NAMESPACES || name == NULL)
		return -1;
	found = bsearch(name, cap_aliases[ns], cap_alias_count[ns], sizeof(*found), compare_alias);
	return found ? found->cap : -1;
}

const char *
cap_alias_of(enum cap_namespace ns, int cap)
{
	if ((unsigned int)ns >= CAP_NAMESPACES || cap < 0 || (size_t)cap >= cap_count)
		return NULL;
	return cap_table[cap].names[ns];
}

/* The generator sorts by the same four keys in the same order. */
static int
compare_register(const void *key, const void *entry)
{
	const struct cap_register *a = key, *b = entry;

	if (a->kind != b->kind) /* those that have names are last */
		return a->kind < b->kind ? -1 : 1;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	if (a->subindex != b->subindex)
		return a->subindex < b->subindex ? -1 : 1;
	return a->part - b->part;
}

int
cap_find_register(enum cap_register_kind kind, uint32_t index, uint32_t subindex, char part)
{
	const struct cap_register key = {
		.kind = kind, .index = index, .subindex = subindex, .part = part,
	};
	const struct cap_register *found;

	found = bsearch(&key, cap_registers, cap_register_count, sizeof(key), compare_register);
	return found ? (int)(found - cap_registers) : -1;
}

/* They stand last, in the order of their names. */
int
cap_find_named_register(const char *name)
{
	size_t low = 0, high = cap_register_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct cap_register *reg = &cap_registers[middle];
		int order = reg->kind == REG_NAMED ? strcmp(name, reg->name) : 1;

		if (!order)
			return (int)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

const char *
cap_type_name(enum cap_type type)
{
	return (unsigned int)type < CAP_TYPES ? type_names[type] : NULL;
}

const char *
cap_rule_name(enum cap_rule rule)
{
	return (unsigned int)rule < RULES ? rule_names[rule] : NULL;
}

const char *
cap_namespace_name(enum cap_namespace ns)
{
	return (unsigned int)ns < CAP_NAMESPACES ? namespace_names[ns] : NULL;
}
