/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-parts.c: see read-parts.h. */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "read/read-parts.h"

bool read_fail(GError **error, const char *origin, const char *what)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: %s", origin, what);
	return false;
}

const char *read_vendor(const char *cpuid)
{
	static const struct {
		const char *cpuid, *name;
	} vendors[] = {
		{ "AuthenticAMD", "AMD" },	 { "CentaurHauls", "Centaur" },
		{ "CyrixInstead", "Cyrix" },	 { "GenuineIntel", "Intel" },
		{ "HygonGenuine", "Hygon" },	 { "TransmetaCPU", "Transmeta" },
		{ "GenuineTMx86", "Transmeta" }, { "  Shanghai  ", "Zhaoxin" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(vendors); i++)
		if (!strcmp(vendors[i].cpuid, cpuid))
			return vendors[i].name;
	return cpuid;
}

json_t *read_facts(json_t *doc)
{
	return json_object_get(doc, "facts");
}

static const char *version_of(const json_t *doc, const char *path)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "emulators"), i, entry) {
		const json_t *version = json_object_get(entry, "version");

		if (version && !g_strcmp0(json_string_value(json_object_get(entry, "path")), path))
			return json_string_value(version);
	}
	return NULL;
}

json_t *read_emulator(json_t *doc, const struct scope *scope)
{
	return document_emulator(doc, scope, version_of(doc, scope->emulator));
}

void read_set_version(json_t *doc, const char *path, const char *version)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "emulators"), i, entry)
		if (!g_strcmp0(json_string_value(json_object_get(entry, "path")), path))
			json_object_set_new(entry, "version", json_string(version));
}

const char *read_default_emulator(const json_t *doc)
{
	const char *arch = json_string_value(json_object_get(json_object_get(doc, "host"), "arch"));
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "emulators"), i, entry) {
		const char *path = json_string_value(json_object_get(entry, "path"));

		if (path && !g_strcmp0(json_string_value(json_object_get(entry, "arch")),
				       arch ? arch : "x86_64"))
			return path;
	}
	return "qemu-system-x86_64";
}

void read_put_once(json_t *facts, const char *id, json_t *value, const struct scope *scope,
		   const char *origin)
{
	json_t *where = scope_json(scope);
	const json_t *fact;
	bool there = false;
	size_t i;

	json_array_foreach (facts, i, fact)
		there |= !g_strcmp0(json_string_value(json_object_get(fact, "id")), id) &&
			 json_equal(json_object_get(fact, "scope"), where);
	json_decref(where);
	if (there)
		json_decref(value);
	else
		document_fact(facts, id, value, scope, origin);
}

void read_set_host(json_t *doc, const char *key, const char *value)
{
	json_t *host = json_object_get(doc, "host");

	if (value && *value && strlen(value) <= READ_MAX_NAME && !json_object_get(host, key))
		json_object_set_new(host, key, json_string(value));
}

bool read_name_ok(const char *name)
{
	return name && *name && strlen(name) <= READ_MAX_NAME && !strpbrk(name, "\r\n");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void read_put_features(json_t *facts, GHashTable *features, const struct scope *scope,
		       const char *origin)
{
	guint n;
	g_autofree const char **ids =
		(const char **)g_hash_table_get_keys_as_array(features, &n);

	qsort(ids, n, sizeof(*ids), by_name);
	for (guint i = 0; i < n; i++) {
		bool on = GPOINTER_TO_INT(g_hash_table_lookup(features, ids[i]));

		document_fact(facts, ids[i], json_boolean(on), scope, origin);
	}
}
