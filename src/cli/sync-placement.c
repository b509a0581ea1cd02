/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sync-placement.c: marks of hosts as traits of Placement's resource providers.
 *
 * Theory of operation: a provider's traits are written as a whole, under its generation. Whoever
 * writes meanwhile moves that on, and our write is refused (409): then everything is read again, so
 * that nobody's traits are lost. Ours have a prefix; all others stay. Only providers whose set
 * changes are written.
 */
#include "config.h"

#include <string.h>

#include "sync.h"

#define TIMEOUT_MS 60000u
#define TRIES 12u
#define PAUSE_US 20000u /* after a conflict, the more the oftener */
#define PROVIDERS_MAX 200000u

struct placement {
	const struct sync *sync;
	struct client *client;
	GHashTable *known;    /* set of traits that exist there and are ours */
	json_t *changed, *failed, *made, *deleted;
	unsigned int unchanged, strangers, retries;
};

static bool says(const char *path, const json_t *json, long status, GError **error)
{
	const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
	const char *detail = json_string_value(json_object_get(first, "detail"));
	g_autofree char *line = g_strndup(detail ? detail : "no reason given", 200);

	g_strdelimit(line, "\r\n\t", ' ');
	g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s: Placement answers HTTP status %ld: %s (%s)", path, status,
		    g_strstrip(line), status == 401 || status == 403 ? "is the user an admin?" : "see its log");
	return false;
}

/* A reply of status 200, or NULL with @error. */
static json_t *get(struct placement *p, const char *path, GError **error)
{
	long status;
	json_t *json = sync_call(p->client, "GET", path, NULL, &status, error);

	if (!json || status == 200)
		return json;
	says(path, json, status, error);
	json_decref(json);
	return NULL;
}

/* A request whose success says nothing; @conflict: set where 409 came instead. */
static bool put(struct placement *p, const char *method, const char *path, json_t *body, bool *conflict, GError **error)
{
	long status;
	json_t *json = sync_call(p->client, method, path, body, &status, error);
	bool ok = json && status >= 200 && status < 300;

	*conflict = json && status == 409;
	if (json && !ok && !*conflict)
		says(path, json, status, error);
	json_decref(json);
	return ok;
}

/* The names of ours that Placement knows; @unused: only those that no provider has. */
static json_t *our_traits(struct placement *p, bool unused, GError **error)
{
	g_autofree char *path = g_strconcat("/traits?name=startswith:" TRAIT_PREFIX, unused ? "&associated=false" : "", NULL);
	json_t *reply = get(p, path, error);
	json_t *names = json_incref(json_object_get(reply, "traits"));

	if (reply && !json_is_array(names)) {
		says(path, NULL, 200, error);
		g_clear_pointer(&names, json_decref);
	}
	json_decref(reply);
	return names;
}

static bool make_trait(struct placement *p, const char *trait, GError **error)
{
	g_autofree char *path = g_strconcat("/traits/", trait, NULL);
	bool conflict;

	if (g_hash_table_contains(p->known, trait))
		return true;
	if (!p->sync->options->dry_run && !put(p, "PUT", path, NULL, &conflict, error))
		return false;
	g_hash_table_add(p->known, g_strdup(trait));
	json_array_append_new(p->made, json_string(trait));
	return true;
}

static bool make_traits(struct placement *p, const json_t *added, GError **error)
{
	const json_t *trait;
	size_t i;

	json_array_foreach (added, i, trait)
		if (!make_trait(p, json_string_value(trait), error))
			return false;
	return true;
}

/* The set of traits that a host's marks are; of two marks that make one trait nobody knows which is meant. */
static GHashTable *wanted(const GPtrArray *marks, GError **error)
{
	GHashTable *want = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; marks && i < marks->len; i++) {
		const struct mark *mark = g_ptr_array_index(marks, i), *other;
		char *trait = trait_of(mark);

		other = trait ? g_hash_table_lookup(want, trait) : NULL;
		if (other && strcmp(other->name, mark->name)) {
			g_set_error(error, CLI_ERROR, CLI_ERROR_NAME,
				    "sync: %s '%s' and '%s' would both be trait %s (rename one)", mark->kind, other->name,
				    mark->name, trait);
			g_free(trait);
			g_hash_table_unref(want);
			return NULL;
		}
		if (trait)
			g_hash_table_insert(want, trait, (gpointer)mark);
	}
	return want;
}

enum written { WRITTEN, WRITTEN_NOTHING, WRITTEN_CONFLICT, WRITTEN_FAILED };

/* Reads what a provider has, and writes what it is to have. */
static enum written write_once(struct placement *p, const char *uuid, GHashTable *want, json_t *added, json_t *removed,
			       GError **error)
{
	g_autofree char *escaped = client_escape(uuid);
	g_autofree char *path = g_strdup_printf("/resource_providers/%s/traits", escaped);
	json_t *reply = get(p, path, error), *merged;
	bool conflict = false, ok;

	/* what isn't told would be taken away */
	if (reply && (!json_is_array(json_object_get(reply, "traits")) ||
		      !json_is_integer(json_object_get(reply, "resource_provider_generation")))) {
		says(path, NULL, 200, error);
		g_clear_pointer(&reply, json_decref);
	}
	if (!reply)
		return WRITTEN_FAILED;
	merged = traits_merge(json_object_get(reply, "traits"), want, added, removed);
	if (!merged) {
		json_decref(reply);
		return WRITTEN_NOTHING;
	}
	ok = make_traits(p, added, error);
	if (!ok || p->sync->options->dry_run)
		json_decref(merged);
	else
		ok = put(p, "PUT", path,
			 json_pack("{s:O, s:o}", "resource_provider_generation",
				   json_object_get(reply, "resource_provider_generation"), "traits", merged),
			 &conflict, error);
	json_decref(reply);
	return ok ? WRITTEN : conflict ? WRITTEN_CONFLICT : WRITTEN_FAILED;
}

static enum written write_provider(struct placement *p, const char *uuid, GHashTable *want, json_t *added,
				   json_t *removed, GError **error)
{
	enum written written = WRITTEN_CONFLICT;

	for (unsigned int i = 0; i < TRIES && written == WRITTEN_CONFLICT; i++) {
		if (i) {
			p->retries++;
			g_usleep(i * PAUSE_US + (gulong)g_random_int_range(0, PAUSE_US));
		}
		json_array_clear(added);
		json_array_clear(removed);
		written = write_once(p, uuid, want, added, removed, error);
	}
	if (written == WRITTEN_CONFLICT)
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO,
			    "%s: somebody else writes it all the time (try again later)", uuid);
	return written;
}

/* One provider; what is wrong with it alone doesn't stop the others. */
static void one_provider(struct placement *p, const json_t *provider, const struct host *host)
{
	const char *uuid = json_string_value(json_object_get(provider, "uuid"));
	const char *name = json_string_value(json_object_get(provider, "name"));
	json_t *added = json_array(), *removed = json_array();
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) want = wanted(host ? g_hash_table_lookup(p->sync->marks, host) : NULL, &error);
	enum written written = want ? write_provider(p, uuid, want, added, removed, &error) : WRITTEN_FAILED;

	if (written == WRITTEN)
		json_array_append_new(p->changed, json_pack("{s:s?, s:s, s:s, s:O, s:O}", "host", host ? host->name : NULL,
							    "provider", uuid, "name", name, "added", added, "removed",
							    removed));
	else if (written == WRITTEN_FAILED || written == WRITTEN_CONFLICT)
		json_array_append_new(p->failed, json_pack("{s:s?, s:s, s:s, s:s}", "host", host ? host->name : NULL,
							   "provider", uuid, "name", name, "reason", error->message));
	else
		p->unchanged++;
	json_decref(added);
	json_decref(removed);
}

/* Providers of hosts: those that stand under no other. */
static bool is_root(const json_t *provider)
{
	return json_is_string(json_object_get(provider, "uuid")) && json_is_string(json_object_get(provider, "name")) &&
	       json_is_null(json_object_get(provider, "parent_provider_uuid"));
}

static const struct host *host_of(const struct placement *p, const json_t *provider)
{
	const struct fleet *fleet = p->sync->session->fleet;
	const struct host *host = fleet_find(fleet, json_string_value(json_object_get(provider, "name")));

	return host ? host : fleet_find(fleet, json_string_value(json_object_get(provider, "uuid")));
}

static void all_providers(struct placement *p, const json_t *providers, GHashTable *met)
{
	const json_t *provider;
	size_t i;

	json_array_foreach (providers, i, provider) {
		const struct host *host = i < PROVIDERS_MAX && is_root(provider) ? host_of(p, provider) : NULL;

		if (!is_root(provider))
			continue;
		p->strangers += !host;
		if (host && g_hash_table_contains(p->sync->marks, host)) {
			g_hash_table_add(met, (gpointer)host);
			one_provider(p, provider, host);
		} else if (!host && p->sync->options->prune) {
			one_provider(p, provider, NULL);
		}
	}
}

/* Takes away names that nobody has any more. */
static bool prune(struct placement *p, GError **error)
{
	json_t *names = our_traits(p, true, error);
	const json_t *name;
	bool ok = names != NULL, conflict;
	size_t i;

	json_array_foreach (names, i, name) {
		g_autofree char *path = g_strconcat("/traits/", json_string_value(name), NULL);

		if (!ok)
			break;
		/* one that was given to somebody just now stays */
		ok = p->sync->options->dry_run || put(p, "DELETE", path, NULL, &conflict, error) || conflict;
		if (ok)
			json_array_append(p->deleted, (json_t *)name);
	}
	json_decref(names);
	return ok;
}

static json_t *names_of(const GPtrArray *hosts, GHashTable *except)
{
	json_t *names = json_array();

	for (guint i = 0; i < hosts->len; i++) {
		const struct host *host = g_ptr_array_index(hosts, i);

		if (!except || !g_hash_table_contains(except, host))
			json_array_append_new(names, json_string(host->name));
	}
	return names;
}

static json_t *answer_of(const struct placement *p, GHashTable *met)
{
	return json_pack("{s:s, s:s, s:b, s:i, s:O, s:i, s:o, s:o, s:i, s:O, s:O, s:i, s:O}", "format", "capbroker.sync/1",
			 "target", "placement", "dry_run", p->sync->options->dry_run, "hosts_n",
			 (int)p->sync->hosts->len, "changed", p->changed, "unchanged_n", (int)p->unchanged, "unmatched",
			 names_of(p->sync->hosts, met), "untold", names_of(p->sync->untold, NULL), "strangers_n",
			 (int)p->strangers, "made", p->made, "deleted", p->deleted, "retries", (int)p->retries, "failed",
			 p->failed);
}

static json_t *run(struct placement *p, GError **error)
{
	g_autoptr(GHashTable) met = g_hash_table_new(NULL, NULL);
	json_t *ours = our_traits(p, false, error), *answer = NULL;
	json_t *reply = ours ? get(p, "/resource_providers", error) : NULL;
	const json_t *name;
	size_t i;

	if (reply && !json_is_array(json_object_get(reply, "resource_providers"))) {
		says("/resource_providers", NULL, 200, error);
		g_clear_pointer(&reply, json_decref);
	}
	json_array_foreach (ours, i, name)
		g_hash_table_add(p->known, g_strdup(json_string_value(name)));
	if (reply) {
		all_providers(p, json_object_get(reply, "resource_providers"), met);
		if (!p->sync->options->prune || prune(p, error))
			answer = answer_of(p, met);
	}
	json_decref(ours);
	json_decref(reply);
	return answer;
}

static struct client *connect_to(const struct sync_options *o, GError **error)
{
	g_autofree char *token = NULL, *found = NULL, *header = NULL;
	const char *headers[] = { NULL, "OpenStack-API-Version: placement 1.30", "Accept: application/json", NULL };
	struct client_options options = { .ca_file = o->ca_file, .timeout_ms = TIMEOUT_MS, .service = "Placement",
					  .headers = headers, .plain_http = o->plain_http };

	if (!o->noauth && !sync_keystone(o, "placement", &token, o->url ? NULL : &found, error))
		return NULL;
	header = g_strconcat("X-Auth-Token: ", o->noauth ? "admin" : token, NULL);
	headers[0] = header;
	options.url = o->url ? o->url : found;
	return client_new(&options, error);
}

json_t *sync_placement(const struct sync *sync, GError **error)
{
	g_autoptr(Client) client = connect_to(sync->options, error);
	struct placement p = { .sync = sync, .client = client };
	json_t *answer;

	if (!client)
		return NULL;
	p.known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	p.changed = json_array();
	p.failed = json_array();
	p.made = json_array();
	p.deleted = json_array();
	answer = run(&p, error);
	g_hash_table_unref(p.known);
	json_decref(p.changed);
	json_decref(p.failed);
	json_decref(p.made);
	json_decref(p.deleted);
	return answer;
}
