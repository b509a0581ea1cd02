/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-qmp-cpu.c: QEMU's CPU models, and what a model's expansion gives a guest.
 *
 * An expansion lists every property of the CPU, so what isn't true there is absent. Many features
 * have several spellings, which all show the same value; some properties are no features but
 * switches, which the dictionary marks.
 */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "read/read-qmp.h"

#define MAX_PHYS_BITS 64

/* QEMU's name of a feature as libvirt spells it, where the dictionary knows both. */
static const char *libvirt_name(enum arch_family family, const char *name)
{
	int cap = arch_find_alias(family, NS_QEMU, name);
	const char *other = cap >= 0 ? cap_alias_of(NS_LIBVIRT, cap) : NULL;

	return other ? other : name;
}

static bool put_missing(json_t *model, enum arch_family family, const json_t *list,
			const char *origin, size_t at, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const json_t *name;
	size_t i, strings = 0;

	if (!list)
		return true;
	json_array_foreach (list, i, name) {
		strings += json_is_string(name);
		/* QEMU 2.12 has empty names here, for a bit it had none for. */
		if (read_name_ok(json_string_value(name)))
			g_ptr_array_add(names, (gpointer)libvirt_name(family, json_string_value(name)));
	}
	if (!json_is_array(list) || strings > READ_MAX_PROPERTIES ||
	    strings != json_array_size(list)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: return[%zu].unavailable-features: must be a list of names", origin,
			    at);
		return false;
	}
	json_object_set_new(model, "usable", json_boolean(!strings));
	if (names->len)
		json_object_set_new(model, "missing", read_qmp_names(names));
	return true;
}

/* Under KVM on POWER the name of the host's own generation stands for the host's own processor. */
static void put_own_generation(json_t *entry, const json_t *value, const char *origin)
{
	json_t *facts = json_object_get(entry, "facts");
	const json_t *member;
	size_t i;

	json_array_foreach (value, i, member) {
		const char *name = json_string_value(json_object_get(member, "name"));
		const char *type = json_string_value(json_object_get(member, "typename"));

		if (!g_strcmp0(type, "host-powerpc64-cpu") && power_level(name) >= 0 &&
		    !json_array_size(facts)) {
			read_put_model(facts, ARCH_PPC64, name, NULL, origin);
			return;
		}
	}
}

bool read_qmp_definitions(json_t *doc, const json_t *value, const struct scope *scope,
			  const char *origin, GError **error)
{
	enum arch_family family = read_family(doc, scope->emulator);
	g_autoptr(GPtrArray) models = read_qmp_list();
	const json_t *member;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > READ_MAX_MODELS)
		return read_fail(error, origin, "return: must be a list of CPU models, not too long");
	json_array_foreach (value, i, member) {
		const char *name;
		json_t *model;

		if (!read_qmp_named(member, origin, i, &name, error))
			return false;
		model = json_pack("{s:s}", "name", name);
		g_ptr_array_add(models, model);
		read_qmp_copy_name(model, "alias_of", member, "alias-of");
		read_qmp_copy_bool(model, "deprecated", member, "deprecated");
		if (!put_missing(model, family, json_object_get(member, "unavailable-features"),
				 origin, i, error))
			return false;
	}
	g_ptr_array_set_free_func(models, NULL);
	json_object_set_new(read_emulator(doc, scope), "cpu_models", read_qmp_sorted(models));
	if (family == ARCH_PPC64 && !g_strcmp0(scope->accel, "kvm"))
		put_own_generation(read_emulator(doc, scope), value, origin);
	return true;
}

/*
 * A name that the dictionary doesn't have: what QEMU spells with both '_' and '-' is one feature,
 * and "x-…" is a switch (a guess by QEMU's own habit).
 */
static char *unknown_id(const json_t *props, const char *name)
{
	g_autofree char *dashes = g_strdelimit(g_strdup(name), "_", '-');

	if (g_str_has_prefix(name, "x-") || !read_name_ok(name) || strlen(name) > 100)
		return NULL;
	return feature_id(NS_QEMU, json_object_get(props, dashes) ? dashes : name);
}

/* Elsewhere than on x86 what is off is told too, where a list may be only what differs. */
static void collect_other(GHashTable *features, enum arch_family family,
			  const struct cpu_models *models, const json_t *props)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)props, name, value) {
		int cap = arch_find_alias(family, NS_QEMU, name);

		if (!json_is_boolean(value) || !read_name_ok(name) || g_str_has_prefix(name, "x-") ||
		    (cap >= 0 && cap_table[cap].flags & CAP_QEMU_OPTION))
			continue;
		read_collect(features, family, NS_QEMU, models, name, json_is_true(value));
	}
}

static void collect_features(GHashTable *features, const json_t *props)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)props, name, value) {
		int cap;
		char *id;

		if (!json_is_true(value))
			continue;
		cap = cap_find_alias(NS_QEMU, name);
		if (cap >= 0 && ((cap_table[cap].flags & CAP_QEMU_OPTION) ||
				 cap_table[cap].type != CAP_BOOL))
			continue;
		id = cap >= 0 ? g_strdup(cap_table[cap].id) : unknown_id(props, name);
		if (id)
			g_hash_table_replace(features, id, GINT_TO_POINTER(true));
	}
}

static void put_number(json_t *facts, const char *id, const json_t *value, double min, double max,
		       double divisor, const char *origin)
{
	double n = json_number_value(value);

	if (json_is_number(value) && n >= min && n <= max)
		document_fact(facts, id, json_integer((json_int_t)(n / divisor)), NULL, origin);
}

static void put_numbers(json_t *facts, const json_t *props, const char *origin)
{
	const char *vendor = json_string_value(json_object_get(props, "vendor"));

	put_number(facts, "cpu.phys-bits", json_object_get(props, "phys-bits"), 1, MAX_PHYS_BITS, 1,
		   origin);
	put_number(facts, "cpu.tsc-khz", json_object_get(props, "tsc-frequency"), 1000, 1e15, 1000,
		   origin);
	put_number(facts, "cpu.family", json_object_get(props, "family"), 0, 1023, 1, origin);
	put_number(facts, "cpu.model", json_object_get(props, "model"), 0, 1023, 1, origin);
	put_number(facts, "cpu.stepping", json_object_get(props, "stepping"), 0, 1023, 1, origin);
	if (read_name_ok(vendor))
		document_fact(facts, "cpu.vendor", json_string(read_vendor(vendor)), NULL, origin);
}

/* Once for all entries of an emulator that have the same ones. */
static void put_properties(json_t *doc, json_t *entry, const json_t *props)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	const json_t *other;
	const char *name;
	json_t *names, *value;
	size_t i;

	json_object_foreach ((json_t *)props, name, value)
		g_ptr_array_add(list, (gpointer)name);
	names = read_qmp_names(list);
	json_array_foreach (json_object_get(doc, "emulators"), i, other) {
		const json_t *theirs = json_object_get(json_object_get(other, "devices"), "cpu");

		if (theirs && other != entry && json_equal(theirs, names) &&
		    json_equal(json_object_get(other, "path"), json_object_get(entry, "path"))) {
			json_object_del(json_object_get(entry, "devices"), "cpu");
			json_decref(names);
			return;
		}
	}
	read_qmp_set_properties(entry, "cpu", names);
}

/* Is it a model, from which what is told differs? */
static bool is_delta(const char *name)
{
	return name && strcmp(name, "host") && strcmp(name, "max");
}

/*
 * What QEMU makes of the host's processor on other architectures. On s390x it tells a model and
 * what differs from it, or all; on others the few features that it can switch.
 */
static bool put_other(json_t *facts, enum arch_family family, const struct cpu_models *models,
		      const json_t *expanded, const char *origin)
{
	g_autoptr(GHashTable) features =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *name = json_string_value(json_object_get(expanded, "name"));
	const struct named_model *base = name && models ? cpu_models_find(models, name) : NULL;
	bool whole = family == ARCH_S390X && !is_delta(name);

	if (base && base->family == family) {
		read_collect_model(features, base, models);
		whole = family == ARCH_S390X;
	}
	collect_other(features, family, models, json_object_get(expanded, "props"));
	read_put_features(facts, features, NULL, origin);
	if (name && is_delta(name))
		read_put_model(facts, family, name, NULL, origin);
	return whole;
}

/* Everything told after the model alone: the model stays known. */
static void keep_model(json_t *facts, const json_t *before, enum arch_family family)
{
	g_autofree char *id = g_strconcat(arch_room(family), ".model", NULL);
	json_t *fact;
	size_t i;

	json_array_foreach (facts, i, fact)
		if (!strcmp(json_string_value(json_object_get(fact, "id")), id))
			return;
	json_array_foreach (before, i, fact)
		if (!strcmp(json_string_value(json_object_get(fact, "id")), id))
			json_array_append(facts, fact);
}

/* Is what a guest gets of this model what the host offers? "base" is a host's static form. */
static bool is_offer(const char *model)
{
	return !strcmp(model, "host") || !strcmp(model, "max") || !strcmp(model, "base");
}

/* x86: every property is told, so that what isn't true is absent. */
static bool put_x86(json_t *facts, const json_t *props, const char *origin)
{
	g_autoptr(GHashTable) features =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	collect_features(features, props);
	read_put_features(facts, features, NULL, origin);
	put_numbers(facts, props, origin);
	return true;
}

bool read_qmp_expansion(json_t *doc, const json_t *value, const struct scope *asked,
			const char *model, const struct cpu_models *models, const char *origin,
			GError **error)
{
	enum arch_family family = read_family(doc, asked->emulator);
	const json_t *expanded = json_object_get(value, "model");
	const json_t *props = json_object_get(expanded, "props");
	struct scope scope = *asked;
	json_t *entry, *facts, *before;
	bool complete;

	if (!model)
		model = json_string_value(json_object_get(expanded, "name"));
	if (!model || !json_is_object(props) || json_object_size(props) > READ_MAX_PROPERTIES)
		return read_fail(error, origin,
				 "return.model: must have a name and not too many props");
	if (!is_offer(model))
		return true;
	if (scope.migratable < 0 && json_is_boolean(json_object_get(props, "migratable")))
		scope.migratable = json_is_true(json_object_get(props, "migratable"));
	entry = read_emulator(doc, &scope);
	before = json_object_get(entry, "cpu_model");
	if (!strcmp(model, "max") && before && strcmp(json_string_value(before), "max"))
		return true; /* "host" is what KVM offers */
	facts = json_array();
	complete = family == ARCH_X86 ? put_x86(facts, props, origin) :
					put_other(facts, family, models, expanded, origin);
	if (family != ARCH_X86)
		keep_model(facts, json_object_get(entry, "facts"), family);
	json_object_set_new(entry, "facts", facts);
	json_object_set_new(entry, "complete", json_boolean(complete));
	json_object_set_new(entry, "cpu_model", json_string(model));
	if (family == ARCH_X86 || !is_delta(json_string_value(json_object_get(expanded, "name"))))
		put_properties(doc, entry, props);
	return true;
}
