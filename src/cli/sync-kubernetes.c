/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sync-kubernetes.c: marks of hosts as labels of Kubernetes' nodes.
 *
 * Theory of operation: each label is added or taken away by an operation of its own, so that nobody
 * else's is touched whoever writes meanwhile. A patch that doesn't fit any more (a label that we take
 * away is gone already) is refused as a whole: then the node is read again.
 */
#include "config.h"

#include <string.h>

#include "files.h"
#include "sync.h"

#define TIMEOUT_MS 60000u
#define TRIES 8u
#define PAUSE_US 20000u
#define PAGE 500u
#define PAGES_MAX 400u
#define TOKEN_MAX 65536u
#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

struct kubernetes {
	const struct sync *sync;
	struct client *client; /* for reading */
	struct client *writer; /* its bodies are patches */
	GHashTable *met;       /* set of struct host */
	json_t *changed, *failed;
	unsigned int unchanged, strangers, retries;
};

static bool says(const char *path, const json_t *json, long status, GError **error)
{
	const char *message = json_string_value(json_object_get(json, "message"));
	g_autofree char *line = g_strndup(message ? message : "no reason given", 200);

	g_strdelimit(line, "\r\n\t", ' ');
	g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s: Kubernetes answers HTTP status %ld: %s (%s)", path, status, line,
		    status == 401 || status == 403 ? "may the account list and patch nodes?" : "is it an API server?");
	return false;
}

/* The object of a path whose member is of the type that is asked for, or NULL with @error. */
static json_t *get(struct kubernetes *k, const char *path, const char *member, json_type type, GError **error)
{
	long status;
	json_t *json = sync_call(k->client, "GET", path, NULL, &status, error);

	if (!json || (status == 200 && json_is_object(json) &&
		      json_typeof(json_object_get(json, member) ? json_object_get(json, member) : json) == type &&
		      json_object_get(json, member)))
		return json;
	says(path, json, status, error);
	json_decref(json);
	return NULL;
}

static const char *name_of(const json_t *node)
{
	return json_string_value(json_object_get(json_object_get(node, "metadata"), "name"));
}

/* Where a node has no labels at all, a place for them, unless somebody made one meanwhile. */
static void make_room(json_t *patch, const json_t *metadata)
{
	json_t *version = json_object_get(metadata, "resourceVersion");

	if (json_is_object(json_object_get(metadata, "labels")))
		return;
	json_array_insert_new(patch, 0, json_pack("{s:s, s:s, s:{}}", "op", "add", "path", "/metadata/labels", "value"));
	if (version)
		json_array_insert_new(patch, 0, json_pack("{s:s, s:s, s:O}", "op", "test", "path",
							  "/metadata/resourceVersion", "value", version));
}

enum written { WRITTEN, WRITTEN_NOTHING, WRITTEN_CONFLICT, WRITTEN_FAILED };

static enum written write_once(struct kubernetes *k, const json_t *node, GHashTable *want, json_t *added, json_t *removed,
			       GError **error)
{
	const json_t *metadata = json_object_get(node, "metadata");
	json_t *patch = labels_patch(json_object_get(metadata, "labels"), want, added, removed), *reply;
	g_autofree char *escaped = client_escape(name_of(node)), *path = g_strconcat("/api/v1/nodes/", escaped, NULL);
	long status = 0;
	bool ok;

	if (!patch)
		return WRITTEN_NOTHING;
	if (k->sync->options->dry_run) {
		json_decref(patch);
		return WRITTEN;
	}
	make_room(patch, metadata);
	reply = sync_call(k->writer, "PATCH", path, patch, &status, error);
	ok = reply && status >= 200 && status < 300;
	if (reply && !ok && status != 409 && status != 422)
		says(path, reply, status, error);
	json_decref(reply);
	return ok ? WRITTEN : status == 409 || status == 422 ? WRITTEN_CONFLICT : WRITTEN_FAILED;
}

static enum written write_node(struct kubernetes *k, const json_t *listed, GHashTable *want, json_t *added,
			       json_t *removed, GError **error)
{
	g_autofree char *escaped = client_escape(name_of(listed)), *path = g_strconcat("/api/v1/nodes/", escaped, NULL);
	json_t *node = json_incref((json_t *)listed);
	enum written written = WRITTEN_CONFLICT;

	for (unsigned int i = 0; i < TRIES && written == WRITTEN_CONFLICT; i++) {
		if (i) {
			k->retries++;
			g_usleep(i * PAUSE_US);
			json_decref(node);
			node = get(k, path, "metadata", JSON_OBJECT, error);
		}
		json_array_clear(added);
		json_array_clear(removed);
		written = node ? write_once(k, node, want, added, removed, error) : WRITTEN_FAILED;
	}
	if (written == WRITTEN_CONFLICT)
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s: refuses what is to change, again and again (see its log)", path);
	json_decref(node);
	return written;
}

static void one_node(struct kubernetes *k, const json_t *node, const struct host *host)
{
	json_t *added = json_array(), *removed = json_array();
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) want =
		host ? labels_of(g_hash_table_lookup(k->sync->marks, host), host->profile, host->class->id) :
		       g_hash_table_new(g_str_hash, g_str_equal);
	enum written written = write_node(k, node, want, added, removed, &error);

	if (written == WRITTEN)
		json_array_append_new(k->changed, json_pack("{s:s?, s:s, s:O, s:O}", "host", host ? host->name : NULL, "name",
							    name_of(node), "added", added, "removed", removed));
	else if (written == WRITTEN_NOTHING)
		k->unchanged++;
	else
		json_array_append_new(k->failed, json_pack("{s:s?, s:s, s:s}", "host", host ? host->name : NULL, "name",
							   name_of(node), "reason", error->message));
	json_decref(added);
	json_decref(removed);
}

static void page_of_nodes(struct kubernetes *k, const json_t *items)
{
	const json_t *node;
	size_t i;

	json_array_foreach (items, i, node) {
		const char *name = name_of(node);
		const struct host *host = name ? fleet_find(k->sync->session->fleet, name) : NULL;

		if (!name)
			continue;
		k->strangers += !host;
		if (host && g_hash_table_contains(k->sync->marks, host)) {
			g_hash_table_add(k->met, (gpointer)host);
			one_node(k, node, host);
		} else if (!host && k->sync->options->prune) {
			one_node(k, node, NULL);
		}
	}
}

static bool all_nodes(struct kubernetes *k, GError **error)
{
	g_autofree char *from = g_strdup("");
	unsigned int pages = 0;

	do {
		g_autofree char *escaped = client_escape(from);
		g_autofree char *path = g_strdup_printf("/api/v1/nodes?limit=%u%s%s", PAGE, *from ? "&continue=" : "", escaped);
		json_t *list = get(k, path, "items", JSON_ARRAY, error);
		const char *more = json_string_value(json_object_get(json_object_get(list, "metadata"), "continue"));

		if (!list)
			return false;
		page_of_nodes(k, json_object_get(list, "items"));
		g_free(from);
		from = g_strdup(more ? more : "");
		json_decref(list);
	} while (*from && ++pages < PAGES_MAX);
	return true;
}

static json_t *answer_of(const struct kubernetes *k)
{
	json_t *unmatched = json_array(), *untold = json_array();

	for (guint i = 0; i < k->sync->hosts->len; i++) {
		const struct host *host = g_ptr_array_index(k->sync->hosts, i);

		if (!g_hash_table_contains(k->met, host))
			json_array_append_new(unmatched, json_string(host->name));
	}
	for (guint i = 0; i < k->sync->untold->len; i++)
		json_array_append_new(untold, json_string(((struct host *)k->sync->untold->pdata[i])->name));
	return json_pack("{s:s, s:s, s:b, s:i, s:O, s:i, s:o, s:o, s:i, s:[], s:[], s:i, s:O}", "format", "capbroker.sync/1",
			 "target", "kubernetes", "dry_run", k->sync->options->dry_run, "hosts_n", (int)k->sync->hosts->len,
			 "changed", k->changed, "unchanged_n", (int)k->unchanged, "unmatched", unmatched, "untold", untold,
			 "strangers_n", (int)k->strangers, "made", "deleted", "retries", (int)k->retries, "failed", k->failed);
}

/* "Authorization: Bearer …": of the file that was named, else of the pod's account. */
static bool read_account(const struct sync_options *o, char **header, GError **error)
{
	const char *path = o->token_file ? o->token_file : ACCOUNT "token";
	g_autofree char *bytes = NULL;
	gsize length;

	if (o->noauth || (!o->token_file && !g_file_test(path, G_FILE_TEST_EXISTS)))
		return true;
	if (!file_read(path, TOKEN_MAX, &bytes, &length, error))
		return false;
	g_strstrip(bytes);
	if (!*bytes || bytes[strcspn(bytes, "\r\n \t")]) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "%s: holds no token (a file of the token alone)", path);
		return false;
	}
	*header = g_strconcat("Authorization: Bearer ", bytes, NULL);
	return true;
}

/* Inside of a pod the environment says where the API server is. */
static char *place_of(const struct sync_options *o)
{
	const char *host = g_getenv("KUBERNETES_SERVICE_HOST"), *port = g_getenv("KUBERNETES_SERVICE_PORT");

	if (o->url)
		return g_strdup(o->url);
	return host && *host ? g_strdup_printf(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host,
					       port && *port ? port : "443") : NULL;
}

static bool connect_to(struct kubernetes *k, GError **error)
{
	const struct sync_options *o = k->sync->options;
	g_autofree char *url = place_of(o), *account = NULL;
	const char *headers[] = { "Accept: application/json", NULL, NULL, NULL };
	bool own_ca = !o->ca_file && g_file_test(ACCOUNT "ca.crt", G_FILE_TEST_EXISTS);
	struct client_options options = { .url = url, .ca_file = own_ca ? ACCOUNT "ca.crt" : o->ca_file,
					  .timeout_ms = TIMEOUT_MS, .service = "Kubernetes", .headers = headers,
					  .plain_http = o->plain_http };

	if (!url) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "sync: where the API server is isn't known (say --url, or run it in a pod)");
		return false;
	}
	if (!read_account(o, &account, error))
		return false;
	headers[1] = account;
	k->client = client_new(&options, error);
	headers[account ? 2 : 1] = "Content-Type: application/json-patch+json";
	k->writer = k->client ? client_new(&options, error) : NULL;
	return k->writer != NULL;
}

json_t *sync_kubernetes(const struct sync *sync, GError **error)
{
	struct kubernetes k = { .sync = sync };
	json_t *answer = NULL;

	k.met = g_hash_table_new(NULL, NULL);
	k.changed = json_array();
	k.failed = json_array();
	if (connect_to(&k, error) && all_nodes(&k, error))
		answer = answer_of(&k);
	client_free(k.client);
	client_free(k.writer);
	g_hash_table_unref(k.met);
	json_decref(k.changed);
	json_decref(k.failed);
	return answer;
}
