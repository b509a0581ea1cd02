/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * document.c: building `capbroker.profile/1`, and taking it apart into the sections that the
 * store keeps once each.
 */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "model/document.h"
#include "model/profile.h"

static const char *const view_names[] = {
	[VIEW_RAW] = "raw",   [VIEW_KERNEL] = "kernel",	  [VIEW_KVM] = "kvm",
	[VIEW_QEMU] = "qemu", [VIEW_LIBVIRT] = "libvirt",
};
static const char *const state_names[] = {
	[FACT_KNOWN] = "known",
	[FACT_ABSENT] = "absent",
	[FACT_UNSUPPORTED_BY_KERNEL] = "unsupported-by-kernel",
	[FACT_UNREADABLE] = "unreadable",
	[FACT_UNKNOWN] = "unknown",
};
_Static_assert(G_N_ELEMENTS(view_names) == VIEWS, "a view without a name");
_Static_assert(G_N_ELEMENTS(state_names) == FACT_STATES, "a state without a name");

const char *view_name(enum view view)
{
	return view_names[view];
}

int view_find(const char *name)
{
	for (int i = 0; i < VIEWS; i++)
		if (!strcmp(view_names[i], name))
			return i;
	return -1;
}

const char *fact_state_name(enum fact_state state)
{
	return state_names[state];
}

int fact_state_find(const char *name)
{
	for (int i = 0; i < FACT_STATES; i++)
		if (!strcmp(state_names[i], name))
			return i;
	return -1;
}

json_t *document_new(const char *name, const char *uuid, const char *arch)
{
	json_t *host = json_pack("{s:s, s:s*, s:s*, s:{}}", "name", name, "uuid", uuid, "arch",
				 arch, "aliases");

	return json_pack("{s:s, s:o, s:{}, s:{s:[]}, s:[], s:[], s:[], s:[]}", "format",
			 PROFILE_FORMAT, "host", host, "fingerprint", "probe", "sources", "facts",
			 "iommus", "devices", "emulators");
}

json_t *scope_json(const struct scope *scope)
{
	json_t *json = json_pack("{s:s, s:s*, s:s*, s:s*}", "view", view_names[scope->view],
				 "emulator", scope->emulator, "accel", scope->accel, "machine",
				 scope->machine);

	if (scope->migratable >= 0)
		json_object_set_new(json, "migratable", json_boolean(scope->migratable));
	return json;
}

static json_t *fact_new(const char *id, enum fact_state state, const struct scope *scope,
			const char *origin)
{
	json_t *fact = json_pack("{s:s, s:s, s:s}", "id", id, "state", state_names[state], "origin",
				 origin);

	if (scope)
		json_object_set_new(fact, "scope", scope_json(scope));
	return fact;
}

void document_fact(json_t *facts, const char *id, json_t *value, const struct scope *scope,
		   const char *origin)
{
	json_t *fact = fact_new(id, FACT_KNOWN, scope, origin);

	json_object_set_new(fact, "value", value);
	json_array_append_new(facts, fact);
}

void document_fact_missing(json_t *facts, const char *id, enum fact_state state,
			   const struct scope *scope, const char *origin, int err)
{
	json_t *fact = fact_new(id, state, scope, origin);

	json_object_set_new(fact, "value", json_null());
	if (err)
		json_object_set_new(fact, "errno", json_integer(err));
	json_array_append_new(facts, fact);
}

/* The members of an emulator's entry that make its scope. */
static bool entry_is(const json_t *entry, const struct scope *scope)
{
	const char *view = json_string_value(json_object_get(entry, "view"));
	const json_t *migratable = json_object_get(entry, "migratable");
	int m = migratable ? json_is_true(migratable) : -1;

	return g_strcmp0(view ? view : "qemu", view_names[scope->view]) == 0 &&
	       g_strcmp0(json_string_value(json_object_get(entry, "path")), scope->emulator) == 0 &&
	       g_strcmp0(json_string_value(json_object_get(entry, "accel")), scope->accel) == 0 &&
	       g_strcmp0(json_string_value(json_object_get(entry, "machine")), scope->machine) == 0 &&
	       m == scope->migratable;
}

const char *member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_t *document_emulator(json_t *doc, const struct scope *scope, const char *version)
{
	json_t *emulators = json_object_get(doc, "emulators");
	json_t *entry;
	size_t i;

	json_array_foreach (emulators, i, entry) {
		if (!entry_is(entry, scope))
			continue;
		if (version)
			json_object_set_new(entry, "version", json_string(version));
		return entry;
	}
	entry = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:[]}", "view", view_names[scope->view],
			  "path", scope->emulator, "version", version, "accel", scope->accel,
			  "machine", scope->machine, "facts");
	if (scope->migratable >= 0)
		json_object_set_new(entry, "migratable", json_boolean(scope->migratable));
	json_array_append_new(emulators, entry);
	return entry;
}

void document_source(json_t *doc, const char *name, const char *state, bool complete,
		     enum view view, const char *reason, double ms)
{
	json_t *sources = json_object_get(json_object_get(doc, "probe"), "sources");
	json_t *source = json_pack("{s:s, s:s, s:b, s:s*}", "name", name, "state", state,
				   "complete", complete, "reason", reason);

	if (view != VIEWS)
		json_object_set_new(source, "view", json_string(view_names[view]));
	if (ms >= 0)
		json_object_set_new(source, "ms", json_real(ms));
	json_array_append_new(sources, source);
}

char *feature_id(enum cap_namespace ns, const char *name)
{
	return arch_feature_id(ARCH_X86, ns, name);
}

char *document_text(const json_t *json)
{
	return json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

/* The document without what changes from run to run on an unchanged host. */
static json_t *timeless(const json_t *doc)
{
	json_t *copy = json_copy((json_t *)doc);
	json_t *probe = json_copy(json_object_get(doc, "probe"));
	json_t *fingerprint = json_copy(json_object_get(doc, "fingerprint"));
	json_t *sources = json_array();
	const json_t *source;
	size_t i;

	json_object_del(probe, "time");
	json_array_foreach (json_object_get(probe, "sources"), i, source) {
		json_t *plain = json_copy((json_t *)source);

		json_object_del(plain, "ms");
		json_array_append_new(sources, plain);
	}
	if (json_object_get(probe, "sources"))
		json_object_set(probe, "sources", sources);
	json_decref(sources);
	json_object_del(fingerprint, "boot_id");
	json_object_set_new(copy, "probe", probe);
	json_object_set_new(copy, "fingerprint", fingerprint);
	return copy;
}

void document_digest(const json_t *doc, char digest[static 65])
{
	json_t *copy = timeless(doc);
	g_autofree char *text = document_text(copy);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

	memcpy(digest, sum, 65);
	json_decref(copy);
}

/* Sections: every array of the document apart, each emulator's entry by itself. */
static const char *const section_arrays[] = { "facts", "iommus", "devices" };

GPtrArray *document_split(const json_t *doc)
{
	GPtrArray *sections = g_ptr_array_new_with_free_func(g_free);
	json_t *head = json_copy((json_t *)doc);
	const json_t *entry;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(section_arrays); i++) {
		const json_t *array = json_object_get(doc, section_arrays[i]);

		if (!array)
			continue;
		json_object_del(head, section_arrays[i]);
		g_ptr_array_add(sections, g_strdup(section_arrays[i]));
		g_ptr_array_add(sections, document_text(array));
	}
	json_array_foreach (json_object_get(doc, "emulators"), i, entry) {
		g_ptr_array_add(sections, g_strdup_printf("emulators/%04zu", i));
		g_ptr_array_add(sections, document_text(entry));
	}
	json_object_set_new(head, "emulators", json_array());
	g_ptr_array_insert(sections, 0, g_strdup("head"));
	g_ptr_array_insert(sections, 1, document_text(head));
	json_decref(head);
	g_ptr_array_add(sections, NULL);
	return sections;
}

/* Puts one section where it was taken from. */
bool document_join(json_t **doc, const char *name, json_t *section)
{
	if (!strcmp(name, "head")) {
		json_decref(*doc);
		*doc = json_copy(section);
		json_object_set_new(*doc, "emulators", json_array());
		return json_is_object(section);
	}
	if (!*doc)
		return false;
	if (g_str_has_prefix(name, "emulators/"))
		return !json_array_append(json_object_get(*doc, "emulators"), section);
	return !json_object_set(*doc, name, section);
}
