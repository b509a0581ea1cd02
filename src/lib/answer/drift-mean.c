/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * drift-mean.c: what it means that hosts have become others; see drift.h. A host before and the same
 * host now are two hosts to the answer "diff", which has the sentences.
 */
#include "config.h"

#include <string.h>

#include "answer/drift.h"

struct mean {
	json_t *changed, *lost, *gained, *machines_lost, *machines_gained, *means;
	char *before, *now; /* what the two are called */
};

static void add_once(json_t *array, const json_t *entry)
{
	const json_t *one;
	size_t i;

	json_array_foreach (array, i, one)
		if (json_equal(one, entry))
			return;
	json_array_append(array, (json_t *)entry);
}

/* Each emulator's version, before and now, by its path. */
static void add_versions(json_t *changed, const struct profile *was, const struct profile *now)
{
	for (guint i = 0; i < now->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(now->emulators, i);

		for (guint k = 0; e->version && k < was->emulators->len; k++) {
			const struct emulator *o = g_ptr_array_index(was->emulators, k);
			json_t *entry;

			if (!o->version || g_strcmp0(o->scope.emulator, e->scope.emulator) ||
			    !strcmp(o->version, e->version))
				continue;
			entry = json_pack("{s:s, s:s, s:s}", "id", "qemu.version", "before", o->version, "now",
					  e->version);
			add_once(changed, entry);
			json_decref(entry);
		}
	}
}

static void add_facts(json_t *changed, const json_t *about)
{
	const json_t *fact;
	size_t i;

	json_array_foreach (about, i, fact) {
		json_t *entry = json_pack("{s:O, s:O, s:O}", "id", json_object_get(fact, "id"), "before",
					  json_object_get(fact, "one"), "now", json_object_get(fact, "other"));

		add_once(changed, entry);
		json_decref(entry);
	}
}

static void add_names(json_t *into, const json_t *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach (names, i, name)
		add_once(into, name);
}

/* A sentence names where guests can't go, or what they would miss: that it was so is of no use now. */
static bool is_worse(const struct mean *m, const json_t *text)
{
	return strstr(json_string_value(text), m->now) || !strstr(json_string_value(text), m->before);
}

static void add_values(struct mean *m, const json_t *values)
{
	const json_t *value;
	size_t i;

	json_array_foreach (values, i, value) {
		const json_t *text = json_object_get(value, "means");
		json_t *entry = json_pack("{s:O, s:O, s:O}", "id", json_object_get(value, "id"), "before",
					  json_object_get(value, "one"), "now", json_object_get(value, "other"));

		add_once(m->changed, entry);
		json_decref(entry);
		if (is_worse(m, text))
			add_once(m->means, text);
	}
}

static void add_scopes(struct mean *m, const json_t *scopes)
{
	const json_t *scope, *group;
	size_t i, g;

	json_array_foreach (scopes, i, scope) {
		json_array_foreach (json_object_get(scope, "groups"), g, group) {
			bool lost = !strcmp(json_string_value(json_object_get(group, "lacks")), m->now);
			bool obliges = !strcmp(json_string_value(json_object_get(group, "kind")), "obligation");

			add_names(lost ? m->lost : m->gained, json_object_get(group, "names"));
			if (lost != obliges)
				add_once(m->means, json_object_get(group, "text"));
		}
		add_values(m, json_object_get(scope, "values"));
	}
}

/* Lists of names: the first sentence is about what is no more; of single facts there is one. */
static void add_more(struct mean *m, const json_t *more)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (more, i, entry) {
		const json_t *only = json_object_get(entry, "only_one");
		const json_t *first = json_array_get(json_object_get(entry, "means"), 0);

		if (first && (!only || json_array_size(only)) && is_worse(m, first))
			add_once(m->means, first);
	}
}

static void compare(struct mean *m, const struct answering *a, const struct transition *t)
{
	struct host was = { .name = m->before, .profile = t->first->was };
	struct host now = { .name = m->now, .profile = t->first->now->class->profile,
			    .class = t->first->now->class };
	json_t *diff = answer_diff(a, &was, &now);
	const json_t *machines = json_object_get(diff, "machines");

	add_versions(m->changed, was.profile, now.profile);
	add_facts(m->changed, json_object_get(diff, "about"));
	add_scopes(m, json_object_get(diff, "scopes"));
	add_names(m->machines_lost, json_object_get(machines, "only_one"));
	add_names(m->machines_gained, json_object_get(machines, "only_other"));
	if (json_array_size(m->machines_lost))
		json_array_append_new(m->means, json_string("guests of the machine types that are gone start there no more, and move there no more"));
	add_more(m, json_object_get(diff, "more"));
	json_decref(diff);
}

void drift_mean(json_t *json, const struct answering *a, const struct transition *t)
{
	struct mean m = { json_array(), json_array(), json_array(), json_array(), json_array(), json_array(),
			  g_strdup_printf("%s before", t->first->name),
			  g_strdup_printf("%s now", t->first->name) };

	if (t->first->was && t->first->now)
		compare(&m, a, t);
	json_object_update_new(json, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "changed", m.changed, "lost",
					       m.lost, "gained", m.gained, "machines_lost", m.machines_lost,
					       "machines_gained", m.machines_gained, "means", m.means));
	g_free(m.before);
	g_free(m.now);
}
