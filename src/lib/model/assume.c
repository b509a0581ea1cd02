/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* assume.c: see assume.h. */
#include "config.h"

#include <string.h>

#include "model/assume.h"
#include "model/dictionary.h"
#include "model/error.h"
#include "model/profile.h"

#define ORIGIN "assumed"

struct change {
	const char *id;
	bool have;
	int cap; /* -1: the dictionary doesn't know it */
	const struct cpu_models *models;
};

char *assume_find(struct universe *universe, const char *name, GError **error)
{
	g_autofree char *id = feature_id(NS_LIBVIRT, name);
	int cap = cap_find(name);

	if (cap < 0)
		cap = cap_find(id);
	if (cap >= 0 && cap_table[cap].type == CAP_BOOL)
		return g_strdup(cap_table[cap].id);
	if (cap < 0 && universe_bit(universe, name, FALSE) >= 0)
		return g_strdup(name);
	if (cap < 0 && universe_bit(universe, id, FALSE) >= 0)
		return g_steal_pointer(&id);
	if (cap >= 0)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s is a %s, neither given nor taken (assume another profile instead)",
			    cap_table[cap].id, cap_type_name(cap_table[cap].type));
	else
		g_set_error(error, CAPBROKER_ERROR, ERROR_UNKNOWN,
			    "no capability is called '%s' (see 'capbroker explain')", name);
	return NULL;
}

static bool is_cpu(const char *id)
{
	return g_str_has_prefix(id, "cpu.") || g_str_has_prefix(id, "msr.");
}

static bool is_told(const json_t *fact)
{
	const char *state = json_string_value(json_object_get(fact, "state"));

	/* in an emulator's entry "known" goes without saying */
	return !state || !strcmp(state, "known") || !strcmp(state, "absent");
}

static void set_fact(json_t *fact, const struct change *change)
{
	json_object_set_new(fact, "value", json_boolean(change->have));
	json_object_set_new(fact, "origin", json_string(ORIGIN));
	if (json_object_get(fact, "state"))
		json_object_set_new(fact, "state", json_string("known"));
}

/* Changes the facts of that id; returns whether there were any in @view (NULL: in any). */
static bool set_facts(json_t *facts, const struct change *change, const char *view)
{
	bool found = false;
	json_t *fact;
	size_t i;

	json_array_foreach (facts, i, fact) {
		const json_t *scope = json_object_get(fact, "scope");

		if (g_strcmp0(json_string_value(json_object_get(fact, "id")), change->id))
			continue;
		if (view && g_strcmp0(json_string_value(json_object_get(scope, "view")), view))
			continue;
		found = true;
		if (is_told(fact))
			set_fact(fact, change);
	}
	return found;
}

/* Lists that are complete say of what they lack that it isn't there: that is known, too. */
static void set_top(json_t *doc, const struct change *change)
{
	json_t *facts = json_object_get(doc, "facts");
	const json_t *source;
	size_t i;

	set_facts(facts, change, NULL);
	json_array_foreach (json_object_get(json_object_get(doc, "probe"), "sources"), i, source) {
		const char *view = json_string_value(json_object_get(source, "view"));
		struct scope scope = { .migratable = -1 };

		if (!view || view_find(view) < 0 || !change->have || !is_cpu(change->id) ||
		    !json_is_true(json_object_get(source, "complete")) || set_facts(facts, change, view))
			continue;
		scope.view = (enum view)view_find(view);
		document_fact(facts, change->id, json_true(), &scope, ORIGIN);
	}
}

/* What somebody calls it: the place in the list, or its size. */
static size_t place_of(const json_t *names, const struct change *change)
{
	const json_t *name;
	size_t i;

	json_array_foreach (names, i, name) {
		const char *text = json_string_value(name);
		g_autofree char *libvirt = text ? feature_id(NS_LIBVIRT, text) : NULL;
		g_autofree char *qemu = text ? feature_id(NS_QEMU, text) : NULL;

		if (!g_strcmp0(libvirt, change->id) || !g_strcmp0(qemu, change->id))
			return i;
	}
	return json_array_size(names);
}

static bool model_holds(const struct change *change, const char *name)
{
	const struct named_model *model =
		change->models && name ? cpu_models_find(change->models, name) : NULL;

	for (size_t i = 0; model && i < model->n_features; i++) {
		g_autofree char *id = feature_id(NS_LIBVIRT, model->features[i]);

		if (!strcmp(id, change->id))
			return true;
	}
	return false;
}

/* A named model can run where it lacks nothing; one that isn't known to lack it may. */
static void set_model(json_t *model, const struct change *change, enum cap_namespace ns)
{
	json_t *missing = json_object_get(model, "missing");
	size_t at = place_of(missing, change);
	bool lacks = at < json_array_size(missing);
	const char *spelling = change->cap >= 0 ? cap_alias_of(ns, change->cap) : NULL;

	if (change->have && lacks) {
		json_array_remove(missing, at);
		if (!json_array_size(missing))
			json_object_set_new(model, "usable", json_true());
	} else if (!change->have && !lacks &&
		   model_holds(change, json_string_value(json_object_get(model, "name")))) {
		if (json_is_array(missing))
			json_array_append_new(missing,
					      json_string(spelling ? spelling : strchr(change->id, '.') + 1));
		if (json_object_get(model, "usable"))
			json_object_set_new(model, "usable", json_false());
	}
}

static void set_emulator(json_t *entry, const struct change *change)
{
	const char *view = json_string_value(json_object_get(entry, "view"));
	json_t *facts = json_object_get(entry, "facts");
	json_t *model;
	size_t i;

	if (!set_facts(facts, change, NULL) && change->have && is_cpu(change->id) &&
	    json_is_true(json_object_get(entry, "complete")))
		document_fact(facts, change->id, json_true(), NULL, ORIGIN);
	json_array_foreach (json_object_get(entry, "cpu_models"), i, model)
		set_model(model, change, !g_strcmp0(view, "libvirt") ? NS_LIBVIRT : NS_QEMU);
}

json_t *assume_in_profile(const json_t *doc, const char *id, bool have,
			  const struct cpu_models *models)
{
	static const char *const parts[] = { "iommus", "devices" };
	const struct change change = { id, have, cap_find(id), models };
	/* parts of it are shared with other profiles */
	json_t *copy = json_deep_copy(doc);
	json_t *member;
	size_t i;

	set_top(copy, &change);
	for (size_t p = 0; p < G_N_ELEMENTS(parts); p++)
		json_array_foreach (json_object_get(copy, parts[p]), i, member)
			set_facts(json_object_get(member, "facts"), &change, NULL);
	json_array_foreach (json_object_get(copy, "emulators"), i, member)
		set_emulator(member, &change);
	return copy;
}
