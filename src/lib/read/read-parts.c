/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-parts.c: see read-parts.h. */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "model/power.h"
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

static const char *host_arch(const json_t *doc)
{
	return json_string_value(json_object_get(json_object_get(doc, "host"), "arch"));
}

enum arch_family read_family(const json_t *doc, const char *path)
{
	const char *arch = path ? arch_of_emulator(path) : NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "emulators"), i, entry) {
		const char *own = json_string_value(json_object_get(entry, "arch"));

		if (own && !g_strcmp0(json_string_value(json_object_get(entry, "path")), path))
			return arch_family(own);
	}
	return arch_family(arch ? arch : host_arch(doc));
}

const char *read_default_emulator(const json_t *doc)
{
	const char *arch = host_arch(doc);
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "emulators"), i, entry) {
		const char *path = json_string_value(json_object_get(entry, "path"));

		if (path && !g_strcmp0(json_string_value(json_object_get(entry, "arch")),
				       arch ? arch : "x86_64"))
			return path;
	}
	/* of a host that nothing was told of, what was read of first */
	entry = arch ? NULL : json_array_get(json_object_get(doc, "emulators"), 0);
	return entry ? json_string_value(json_object_get(entry, "path")) : arch_usual_emulator(arch);
}

static bool is_there(const json_t *facts, const char *id, const struct scope *scope)
{
	json_t *where = NULL;
	const json_t *fact;
	bool there = false;
	size_t i;

	json_array_foreach (facts, i, fact) {
		if (g_strcmp0(json_string_value(json_object_get(fact, "id")), id))
			continue;
		where = where ? where : scope_json(scope);
		there |= json_equal(json_object_get(fact, "scope"), where);
	}
	json_decref(where);
	return there;
}

void read_put_once(json_t *facts, const char *id, json_t *value, const struct scope *scope,
		   const char *origin)
{
	if (is_there(facts, id, scope))
		json_decref(value);
	else
		document_fact(facts, id, value, scope, origin);
}

void read_put_missing_once(json_t *facts, const char *id, enum fact_state state,
			   const struct scope *scope, const char *origin, int err)
{
	if (!is_there(facts, id, scope))
		document_fact_missing(facts, id, state, scope, origin, err);
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

void read_collect(GHashTable *features, enum arch_family family, enum cap_namespace ns,
		  const struct cpu_models *models, const char *name, bool on)
{
	const struct named_model *group = cpu_models_group(models, family, name);

	g_hash_table_replace(features, arch_feature_id(family, ns, name), GINT_TO_POINTER(on));
	for (size_t i = 0; group && i < group->n_features; i++)
		g_hash_table_replace(features, arch_feature_id(family, ns, group->features[i]),
				     GINT_TO_POINTER(on));
}

void read_collect_model(GHashTable *features, const struct named_model *model,
			const struct cpu_models *models)
{
	for (size_t i = 0; i < model->n_features; i++)
		read_collect(features, model->family, NS_LIBVIRT, models, model->features[i], true);
}

void read_put_model(json_t *facts, enum arch_family family, const char *model,
		    const struct scope *scope, const char *origin)
{
	g_autofree char *id = g_strconcat(arch_room(family), ".model", NULL);
	int cap = cap_find(id), level = family == ARCH_PPC64 ? power_level(model) : -1;

	if (cap < 0 || cap_table[cap].type != CAP_STRING)
		return;
	document_fact(facts, id, json_string(model), scope, origin);
	if (level >= 0)
		document_fact(facts, "ppc64.compat", json_integer(level), scope, origin);
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
