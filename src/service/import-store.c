/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* import-store.c: what was prepared into the database, all or nothing; see import.h. */
#include "config.h"

#include <string.h>

#include "answer/answer.h"
#include "errors.h"
#include "import.h"

/* K=V pairs of the command line as a table; NULL for none. */
static GHashTable *pairs(char **from, const char *option, GError **error)
{
	GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	for (gsize i = 0; from && from[i]; i++) {
		const char *equals = strchr(from[i], '=');

		if (!equals || equals == from[i] || !equals[1]) {
			g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
				    "%s: '%s' is not of the form K=V (see capbroker import --help)",
				    option, from[i]);
			g_hash_table_unref(table);
			return NULL;
		}
		g_hash_table_replace(table, g_strndup(from[i], (gsize)(equals - from[i])),
				     g_strdup(equals + 1));
	}
	return table;
}

static bool put_host(struct store *store, const struct import *import,
		     const struct import_host *host, GHashTable *labels, GHashTable *aliases,
		     GError **error)
{
	const struct store_host row = {
		.name = host->name,
		.uuid = host->uuid,
		.arch = host->arch,
		.cluster = (char *)import->options->cluster,
		.digest = host->digest,
		.fingerprint = host->fingerprint,
		.confirmed = host->confirmed,
		.labels = labels,
		.aliases = aliases,
	};

	return store_put_profile(store, &row, (const char *const *)host->sections->pdata, error);
}

static bool put_hosts(struct store *store, const struct import *import, GError **error)
{
	g_autoptr(GHashTable) labels = pairs(import->options->labels, "--label", error);
	g_autoptr(GHashTable) aliases =
		labels ? pairs(import->options->aliases, "--alias", error) : NULL;

	if (!aliases)
		return false;
	for (guint i = 0; i < import->hosts->len; i++)
		if (!put_host(store, import, g_ptr_array_index(import->hosts, i), labels, aliases,
			      error))
			return false;
	return true;
}

static const struct store_guest *same_guest(const GPtrArray *guests, const struct store_guest *guest)
{
	for (guint i = 0; i < guests->len; i++) {
		const struct store_guest *g = g_ptr_array_index(guests, i);

		if (g->uuid && guest->uuid ? !g_ascii_strcasecmp(g->uuid, guest->uuid)
					   : !strcmp(g->name, guest->name))
			return g;
	}
	return NULL;
}

static bool host_is_known(struct store *store, const char *name, bool *known, GError **error)
{
	g_autoptr(GPtrArray) hosts = store_hosts(store, error);

	*known = false;
	for (guint i = 0; hosts && i < hosts->len; i++) {
		const struct store_host *host = g_ptr_array_index(hosts, i);

		*known = *known || !strcmp(host->name, name);
	}
	return hosts != NULL;
}

/* A list that isn't all that a host has stands beside what is known of it. */
static bool put_guests(struct store *store, const struct import_guests *list, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autoptr(GPtrArray) before = NULL;
	bool known;

	if (!list->host)
		return store_put_guests(store, NULL, list->guests, error);
	if (!host_is_known(store, list->host, &known, error))
		return false;
	if (!known) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "%s: its host '%s' is not known (probe or import that first)", list->label,
			    list->host);
		return false;
	}
	if (list->complete)
		return store_put_guests(store, list->host, list->guests, error);
	before = store_guests(store, error);
	if (!before)
		return false;
	for (guint i = 0; i < list->guests->len; i++)
		g_ptr_array_add(all, g_ptr_array_index(list->guests, i));
	for (guint i = 0; i < before->len; i++) {
		struct store_guest *g = g_ptr_array_index(before, i);

		if (!g_strcmp0(g->host, list->host) && !same_guest(list->guests, g))
			g_ptr_array_add(all, g);
	}
	return store_put_guests(store, list->host, all, error);
}

bool import_put(const struct import *import, struct store *store, GError **error)
{
	if (!put_hosts(store, import, error))
		return false;
	for (guint i = 0; i < import->guests->len; i++)
		if (!put_guests(store, g_ptr_array_index(import->guests, i), error) ||
		    !import_freeze(store, g_ptr_array_index(import->guests, i), error))
			return false;
	return true;
}

/* Digests in force before, by name. */
static GHashTable *digests(struct store *store, GError **error)
{
	g_autoptr(GPtrArray) hosts = store_hosts(store, error);
	GHashTable *table;

	if (!hosts)
		return NULL;
	table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (guint i = 0; i < hosts->len; i++) {
		const struct store_host *host = g_ptr_array_index(hosts, i);

		g_hash_table_insert(table, g_strdup(host->name), g_strdup(host->digest));
	}
	return table;
}

json_t *import_answer(const struct import *import, GHashTable *before)
{
	json_t *json = answer_new("import");
	json_t *hosts = json_array(), *guests = json_array();

	for (guint i = 0; i < import->hosts->len; i++) {
		const struct import_host *host = g_ptr_array_index(import->hosts, i);
		const char *was = g_hash_table_lookup(before, host->name);

		json_array_append_new(hosts,
				      json_pack("{s:s, s:s, s:s}", "name", host->name,
						"profile_digest", host->digest, "change",
						!was			      ? "new"
						: strcmp(was, host->digest) ? "changed"
									    : "confirmed"));
	}
	for (guint i = 0; i < import->guests->len; i++) {
		const struct import_guests *list = g_ptr_array_index(import->guests, i);

		for (guint g = 0; g < list->guests->len; g++) {
			const struct store_guest *guest = g_ptr_array_index(list->guests, g);

			json_array_append_new(guests, json_pack("{s:s, s:s?, s:s?, s:b}", "name",
								guest->name, "uuid", guest->uuid,
								"host", list->host, "running",
								guest->running));
		}
	}
	json_object_set_new(json, "hosts", hosts);
	json_object_set_new(json, "guests", guests);
	return json;
}

json_t *import_store(struct import *import, struct store *store, GError **error)
{
	g_autoptr(GHashTable) before = NULL;

	if (!store_begin(store, error))
		return NULL;
	before = digests(store, error);
	if (!before || !import_put(import, store, error)) {
		store_rollback(store);
		return NULL;
	}
	if (!store_commit(store, error))
		return NULL;
	return import_answer(import, before);
}

static const struct store_host *known_host(const GPtrArray *hosts, const char *name)
{
	for (guint i = 0; i < hosts->len; i++) {
		const struct store_host *host = g_ptr_array_index(hosts, i);

		if (!strcmp(host->name, name))
			return host;
	}
	return NULL;
}

json_t *import_names(struct import *import, struct store *store, GError **error)
{
	const struct import_options *o = import->options;
	g_autoptr(GHashTable) before = digests(store, error);
	g_autoptr(GPtrArray) hosts = before ? store_hosts(store, error) : NULL;
	const struct store_host *known = hosts ? known_host(hosts, o->name) : NULL;
	g_autoptr(GHashTable) labels = NULL;
	g_autoptr(GHashTable) aliases = NULL;
	struct store_host row = { .cluster = (char *)o->cluster };
	json_t *json;

	if (hosts && !known)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "%s: no such host (see 'capbroker hosts', or give files that describe it)", o->name);
	if (!known)
		return NULL;
	labels = pairs(o->labels, "--label", error);
	aliases = labels ? pairs(o->aliases, "--alias", error) : NULL;
	row.name = known->name;
	row.labels = labels;
	row.aliases = aliases;
	if (!aliases || !store_put_authored(store, &row, error))
		return NULL;
	json = import_answer(import, before);
	json_array_append_new(json_object_get(json, "hosts"),
			      json_pack("{s:s, s:s?, s:s}", "name", known->name, "profile_digest", known->digest,
					"change", "named"));
	return json;
}
