/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * units.c: see units.h.
 */
#include "config.h"

#include <string.h>

#include "units.h"

static json_t *new_entry(json_t *entries, const char *key, const char *name)
{
	json_t *entry = json_pack("{s:s, s:[]}", key, name, "facts");

	json_array_append_new(entries, entry);
	return entry;
}

static json_t *entry_of(json_t *entries, const char *key, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		if (!g_strcmp0(json_string_value(json_object_get(entry, key)), name))
			return entry;
	return new_entry(entries, key, name);
}

json_t *unit_entry(json_t *doc, const char *id)
{
	json_t *entry = entry_of(json_object_get(doc, "iommus"), "id", id);

	if (!json_object_get(entry, "devices"))
		json_object_set_new(entry, "devices", json_array());
	return entry;
}

json_t *device_entry(json_t *doc, const char *address)
{
	return entry_of(json_object_get(doc, "devices"), "address", address);
}

json_t *device_add(json_t *doc, const char *address)
{
	return new_entry(json_object_get(doc, "devices"), "address", address);
}

json_t *entry_facts(json_t *entry)
{
	return json_object_get(entry, "facts");
}

static bool has_string(const json_t *array, const json_t *string)
{
	const json_t *other;
	size_t i;

	json_array_foreach (array, i, other)
		if (json_equal(other, string))
			return true;
	return false;
}

static void merge_entry(json_t *into, json_t *from)
{
	json_t *names = json_object_get(into, "devices");
	json_t *name;
	size_t i;

	json_array_extend(json_object_get(into, "facts"), json_object_get(from, "facts"));
	json_array_foreach (json_object_get(from, "devices"), i, name)
		if (!has_string(names, name))
			json_array_append(names, name);
	json_object_update_missing(into, from);
}

void units_merge(json_t *into, json_t *from, const char *key)
{
	GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
	json_t *entry;
	size_t i;

	json_array_foreach (into, i, entry)
		g_hash_table_insert(known, (gpointer)json_string_value(json_object_get(entry, key)), entry);
	json_array_foreach (from, i, entry) {
		const char *name = json_string_value(json_object_get(entry, key));
		json_t *old = name ? g_hash_table_lookup(known, name) : NULL;

		if (old)
			merge_entry(old, entry);
		else if (name)
			json_array_append(into, entry);
	}
	g_hash_table_destroy(known);
}

/* Each 'h' is a hexadecimal digit. */
static bool looks_like(const char *name, const char *pattern)
{
	for (; *pattern; name++, pattern++)
		if (*pattern == 'h' ? !g_ascii_isxdigit(*name) : *name != *pattern)
			return false;
	return !*name;
}

bool is_pci_address(const char *name)
{
	return looks_like(name, "hhhh:hh:hh.h") || looks_like(name, "hhhhh:hh:hh.h");
}

bool is_uuid(const char *name)
{
	return looks_like(name, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh");
}
