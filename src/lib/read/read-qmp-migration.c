/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-qmp-migration.c: what a QEMU can be asked of a migration, as it says itself: its lists of
 * capabilities and parameters, or the schema of its commands, which has both.
 *
 * These are facts of an emulator, whatever the accelerator and machine type. What was not asked
 * stays unknown: nothing is concluded from a version.
 */
#include "config.h"

#include <string.h>

#include "model/document.h"
#include "read/read-qmp.h"

#define MAX_NAMES 1000u
#define MAX_SCHEMA 20000u

static void put_names(json_t *doc, const char *id, GPtrArray *names, const struct scope *asked,
		      const char *origin)
{
	const struct scope scope = { .view = VIEW_QEMU, .emulator = asked->emulator,
				     .migratable = -1 };

	if (names->len)
		read_put_once(read_facts(doc), id, read_qmp_names(names), &scope, origin);
}

bool read_qmp_migrate_capabilities(json_t *doc, const json_t *value, const struct scope *asked,
				   const char *origin, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const json_t *member;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > MAX_NAMES)
		return read_fail(error, origin, "return: must be a list of capabilities, not too long");
	json_array_foreach (value, i, member) {
		const char *name = json_string_value(json_object_get(member, "capability"));

		if (!read_name_ok(name))
			return read_fail(error, origin,
					 "return: each capability must be a name, not empty nor too long");
		g_ptr_array_add(names, (gpointer)name);
	}
	put_names(doc, "qemu.migration-capability", names, asked, origin);
	return true;
}

bool read_qmp_migrate_parameters(json_t *doc, const json_t *value, const struct scope *asked,
				 const char *origin, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *name;
	json_t *member;

	if (!json_is_object(value) || json_object_size(value) > MAX_NAMES)
		return read_fail(error, origin, "return: must be an object of parameters, not too large");
	json_object_foreach ((json_t *)value, name, member)
		if (read_name_ok(name))
			g_ptr_array_add(names, (gpointer)name);
	put_names(doc, "qemu.migration-parameter", names, asked, origin);
	return true;
}

/* --- the schema: types go by numbers, and refer to each other ---------------------------------- */

static const json_t *schema_find(const json_t *schema, const char *name, const char *meta)
{
	const json_t *type;
	size_t i;

	json_array_foreach (schema, i, type)
		if (name && !g_strcmp0(json_string_value(json_object_get(type, "name")), name) &&
		    !g_strcmp0(json_string_value(json_object_get(type, "meta-type")), meta))
			return type;
	return NULL;
}

/* The type of an object's member. */
static const char *member_type(const json_t *object, const char *name)
{
	const json_t *member;
	size_t i;

	json_array_foreach (json_object_get(object, "members"), i, member)
		if (!g_strcmp0(member_text(member, "name"), name))
			return member_text(member, "type");
	return NULL;
}

/* An object's members by name, or an enum's values: strings, or objects with a name. */
static void names_of(const json_t *list, GPtrArray *names)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const char *name = json_is_string(entry) ? json_string_value(entry)
							 : member_text(entry, "name");

		if (read_name_ok(name) && names->len < MAX_NAMES)
			g_ptr_array_add(names, (gpointer)name);
	}
}

bool read_qmp_schema(json_t *doc, const json_t *schema, const struct scope *asked,
		     const char *origin, GError **error)
{
	g_autoptr(GPtrArray) capabilities = g_ptr_array_new();
	g_autoptr(GPtrArray) parameters = g_ptr_array_new();
	const json_t *type;

	if (!json_is_array(schema) || json_array_size(schema) > MAX_SCHEMA)
		return read_fail(error, origin, "return: must be a list of types, not too long");
	type = schema_find(schema, "query-migrate-capabilities", "command");
	type = schema_find(schema, member_text(type, "ret-type"), "array");
	type = schema_find(schema, member_text(type, "element-type"), "object");
	type = schema_find(schema, member_type(type, "capability"), "enum");
	names_of(json_object_get(type, json_object_get(type, "members") ? "members" : "values"),
		 capabilities);
	type = schema_find(schema, "query-migrate-parameters", "command");
	type = schema_find(schema, member_text(type, "ret-type"), "object");
	names_of(json_object_get(type, "members"), parameters);
	put_names(doc, "qemu.migration-capability", capabilities, asked, origin);
	put_names(doc, "qemu.migration-parameter", parameters, asked, origin);
	return true;
}
