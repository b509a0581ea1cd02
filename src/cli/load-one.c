/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * load-one.c: one host of the database, for those who can't wait for all; see load.h.
 *
 * An emulator's entry under another accelerator says nothing to a guest but that the emulator is
 * there, and is most of a profile: of those only the first of each emulator is parsed.
 */
#include "config.h"

#include <string.h>

#include "load.h"
#include "model/document.h"
#include "model/error.h"

/* A section's text has sorted keys, and "accel" comes first in an emulator's. */
static bool of_other_accel(const char *text, const char *accel)
{
	static const char key[] = "{\"accel\":\"";
	size_t length = strlen(accel);

	return accel && g_str_has_prefix(text, key) &&
	       (strncmp(text + sizeof(key) - 1, accel, length) || text[sizeof(key) - 1 + length] != '"');
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

static json_t *join(GHashTable *sections, const char *accel, GError **error)
{
	g_autoptr(GList) names = ordered(sections);
	json_t *doc = NULL;
	bool ok = true;

	for (GList *n = names; ok && n; n = n->next) {
		const char *text = g_hash_table_lookup(sections, n->data);

		if (!accel || !g_str_has_prefix(n->data, "emulators/") || !of_other_accel(text, accel))
			ok = add_section(&doc, n->data, text, error);
	}
	if (ok && doc)
		return doc;
	if (ok)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "no sections (probe or import it again)");
	json_decref(doc);
	return NULL;
}

struct host *session_add_host(struct session *s, const struct store_host *row, const char *accel,
			      GError **error)
{
	g_autoptr(GHashTable) sections = store_profile(s->store, row->digest, error);
	json_t *doc = sections ? join(sections, accel, error) : NULL;
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
