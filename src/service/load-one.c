/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * load-one.c: one host of the database, for those who can't wait for all; see load.h.
 *
 * What QEMU gives under each accelerator with each machine type is most of a profile, and a guest
 * asks for one of each. Where that very entry is there, QEMU's others are left out, but for those
 * that were asked without a machine type: they hold what is alike for all.
 */
#include "config.h"

#include <string.h>

#include "load.h"
#include "model/document.h"
#include "model/error.h"

/* The guest's words as they stand in a section's compact text; NULL machine: none is left out. */
struct wanted {
	const char *accel, *machine;
	bool exact; /* QEMU's entry of just these is there */
};

static bool is_qemus(const char *name, const char *text)
{
	return g_str_has_prefix(name, "emulators/") && strstr(text, "\"view\":\"qemu\"") &&
	       !strstr(text, "\"view\":\"libvirt\"");
}

static bool is_exact(const struct wanted *w, const char *name, const char *text)
{
	return is_qemus(name, text) && strstr(text, w->accel) && strstr(text, w->machine);
}

/* Wants nothing: only looks whether the entry is there. */
static bool look(const char *name, const char *text, void *data)
{
	struct wanted *w = data;

	if (!w->exact && g_str_has_prefix(name, "emulators/") && !strstr(text, "\"machine\":\"none\""))
		w->exact = is_exact(w, name, text);
	return false;
}

static bool want(const char *name, const char *text, void *data)
{
	const struct wanted *w = data;

	return !w->exact || !is_qemus(name, text) || is_exact(w, name, text) ||
	       strstr(text, "\"machine\":\"none\"");
}

/* The sections of a profile, or those that bear on a guest. */
static GHashTable *read_sections(struct store *store, const char *digest, const struct needs *needs,
				 GError **error)
{
	g_autofree char *accel = NULL, *machine = NULL;
	struct wanted w = { 0 };
	GHashTable *none;

	if (!needs || !needs->accel || !needs->machine)
		return store_profile(store, digest, error);
	w.accel = accel = g_strdup_printf("\"accel\":\"%s\"", needs->accel);
	w.machine = machine = g_strdup_printf("\"%s\"", needs->machine);
	none = store_profile_part(store, digest, look, &w, error);
	if (!none)
		return NULL;
	g_hash_table_unref(none);
	return store_profile_part(store, digest, want, &w, error);
}

static bool add_section(json_t **doc, const char *name, const char *text, GError **error)
{
	json_t *json = json_bytes_parse(text, strlen(text), PROFILE_MAX_BYTES, error);
	bool ok = json && document_join(doc, name, json);

	if (json && !ok)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "section '%s' has no place (probe or import it again)", name);
	json_decref(json);
	return ok;
}

/* The sections' names in order, "head" first. */
static GList *ordered(GHashTable *sections)
{
	GList *names = g_list_sort(g_hash_table_get_keys(sections), (GCompareFunc)strcmp);
	GList *head = g_list_find_custom(names, "head", (GCompareFunc)strcmp);

	if (!head)
		return names;
	names = g_list_remove_link(names, head);
	return g_list_concat(head, names);
}

static json_t *join(GHashTable *sections, GError **error)
{
	g_autoptr(GList) names = ordered(sections);
	json_t *doc = NULL;
	bool ok = true;

	for (GList *n = names; ok && n; n = n->next) {
		const char *text = g_hash_table_lookup(sections, n->data);

		ok = add_section(&doc, n->data, text, error);
	}
	if (ok && doc)
		return doc;
	if (ok)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "no sections (probe or import it again)");
	json_decref(doc);
	return NULL;
}

struct host *session_add_host(struct session *s, const struct store_host *row,
			      const struct needs *needs, GError **error)
{
	g_autoptr(GHashTable) sections = read_sections(s->store, row->digest, needs, error);
	json_t *doc = sections ? join(sections, error) : NULL;
	struct profile *profile = doc ? profile_parse(doc, s->fleet->universe, error) : NULL;
	struct host *host;

	json_decref(doc);
	if (!profile) {
		if (sections)
			g_prefix_error(error, "%s: stored profile: ", row->name);
		return NULL;
	}
	fleet_own(s->fleet, profile);
	host = fleet_add(s->fleet, row->name, profile, row->digest);
	host->uuid = g_strdup(row->uuid);
	host->cluster = g_strdup(row->cluster);
	host->digest = g_strdup(row->digest);
	host->fingerprint = g_strdup(row->fingerprint);
	host->confirmed = row->confirmed;
	host->labels = row->labels ? g_hash_table_ref(row->labels) : NULL;
	host->aliases = row->aliases ? g_hash_table_ref(row->aliases) : NULL;
	return host;
}
