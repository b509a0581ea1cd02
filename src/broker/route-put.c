/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * route-put.c: what agents send of their hosts.
 *
 * An agent says first which profile its host has, by digest: most often that one is in force, and the
 * answer is that it is confirmed. It sends it whole where the broker asks for it (409).
 */
#include "config.h"

#include <string.h>

#include "guest/definition.h"
#include "model/document.h"
#include "model/error.h"
#include "model/profile.h"
#include "routes.h"

#define CONFIRM_FORMAT "capbroker.confirm/1"
#define NAME_MAX_BYTES 253u

/* Options of an import, with what they borrow. */
struct options {
	struct import_options options;
	GPtrArray *labels, *aliases;
};

struct pending {
	struct request *request;
	struct worker *worker;
	struct broker *broker;
	struct options *options;
};

static void options_free(struct options *o)
{
	if (!o)
		return;
	g_free((char *)o->options.cluster);
	g_free((char *)o->options.guests_on);
	g_ptr_array_unref(o->labels);
	g_ptr_array_unref(o->aliases);
	g_free(o);
}

static GPtrArray *pairs_of(const struct request *r, const char *name)
{
	const GPtrArray *given = g_hash_table_lookup(r->arguments, name);
	GPtrArray *pairs = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; given && i < given->len; i++)
		g_ptr_array_add(pairs, g_strdup(g_ptr_array_index(given, i)));
	g_ptr_array_add(pairs, NULL);
	return pairs;
}

/* Cluster, labels and aliases are an administrator's to say. */
static struct options *options_of(const struct request *r)
{
	const GPtrArray *cluster = g_hash_table_lookup(r->arguments, "cluster");
	struct options *o = g_new0(struct options, 1);

	o->labels = pairs_of(r, "label");
	o->aliases = pairs_of(r, "alias");
	o->options.cluster = cluster ? g_strdup(g_ptr_array_index(cluster, 0)) : NULL;
	o->options.labels = (char **)o->labels->pdata;
	o->options.aliases = (char **)o->aliases->pdata;
	return o;
}

/* --- whose ------------------------------------------------------------------------------------ */

/* The name of the host that a path names, which may be by UUID or alias; NULL with the error set. */
static char *host_of(struct worker *w, const struct request *r, GError **error)
{
	const struct routed *routed = r->data;
	struct snapshot *s = keeper_snapshot(w->broker->keeper);
	const struct host *known = fleet_find(s->fleet, routed->named);
	g_autofree char *name = g_strdup(known ? known->name : routed->named);

	snapshot_unref(s);
	if (strlen(name) > NAME_MAX_BYTES) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE, "%.64s…: too long for a host's name (rename it)", name);
		return NULL;
	}
	return g_steal_pointer(&name);
}

/* False where the caller is another host's agent; the answer is set then. */
static bool is_its_own(struct worker *w, struct request *r, const char *host)
{
	const struct routed *routed = r->data;
	const struct caller *c = &routed->caller;
	bool says = g_hash_table_size(r->arguments) > 0;
	GError *error;

	if (c->role == ROLE_ADMIN || (c->host && !strcmp(c->host, host) && !says))
		return true;
	metrics_refused(w->broker->metrics);
	log_event(LOG_LEVEL_WARNING, "refused", "peer", r->peer, "caller", c->name, "host", host, NULL);
	error = g_error_new(SERVICE_ERROR, SERVICE_ERROR_USAGE, says && c->host && !strcmp(c->host, host) ?
			    "%s: cluster, labels and aliases are an administrator's to say (leave them out)" :
			    "%s: not this agent's host (an agent sends what its own host is)", host);
	reply_json(r, 403, error_answer(error));
	g_error_free(error);
	return false;
}

/* --- once it is written ----------------------------------------------------------------------- */

static void written(struct change *c, void *data)
{
	struct pending *p = data;
	GHashTable *before = NULL;

	if (c->error) {
		reply_error(p->request, g_steal_pointer(&c->error));
	} else if (c->kind == CHANGE_CONFIRM) {
		reply_json(p->request, 200, json_pack("{s:s, s:[{s:s, s:s, s:s}], s:[]}", "format", "capbroker.import/1",
						      "hosts", "name", c->host, "profile_digest", c->digest, "change",
						      c->word, "guests"));
	} else {
		const struct import_host *host = c->import->hosts->len ? c->import->hosts->pdata[0] : NULL;

		before = g_hash_table_new(g_str_hash, g_str_equal);
		if (host && strcmp(c->word, "new"))
			g_hash_table_insert(before, host->name, strcmp(c->word, "changed") ? host->digest : (char *)"another");
		reply_json(p->request, 200, import_answer(c->import, before));
		g_hash_table_unref(before);
		if (host && strcmp(c->word, "confirmed"))
			log_event(LOG_LEVEL_INFO, "profile", "host", host->name, "change", c->word, "digest", host->digest, NULL);
	}
	http_reply(p->request);
	change_free(c);
	options_free(p->options);
	g_free(p);
}

/* Hands it to the writer; @o and @c are taken over. */
static void hand_over(struct worker *w, struct request *r, struct change *c, struct options *o)
{
	struct pending *p = g_new0(struct pending, 1);

	*p = (struct pending){ r, w, w->broker, o };
	c->done = written;
	c->data = p;
	if (keeper_put(w->broker->keeper, c))
		return;
	c->error = g_error_new(STORE_ERROR, STORE_ERROR_LOCKED, "the broker: too much waits to be written (try again)");
	written(c, p);
}

static void answer_error_to(struct request *r, GError *error)
{
	reply_error(r, error);
	http_reply(r);
}

/* What was taken in goes to the keeper; of what wasn't (@error is set) the answer tells. */
static void end_import(struct worker *w, struct request *r, const char *host, struct import *import, struct options *o,
		       GError *error)
{
	struct change *c;

	if (error) {
		import_free(import);
		options_free(o);
		answer_error_to(r, error);
		return;
	}
	c = g_new0(struct change, 1);
	c->kind = CHANGE_IMPORT;
	c->host = g_strdup(host);
	c->import = import;
	hand_over(w, r, c, o);
}

/* --- profiles --------------------------------------------------------------------------------- */

/* As far as the agent says so and that isn't in the future; else now. */
static int64_t time_of(const json_t *doc)
{
	const char *text = member_text(doc, "time");
	int64_t now = g_get_real_time() / G_USEC_PER_SEC;
	g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;
	int64_t then = time ? g_date_time_to_unix(time) : now;

	return then > 0 && then < now ? then : now;
}

static bool is_in_force(struct worker *w, const char *host, const char *digest)
{
	struct snapshot *s = keeper_snapshot(w->broker->keeper);
	const struct host *known = fleet_find(s->fleet, host);
	bool same = known && digest && !strcmp(known->digest, digest);

	snapshot_unref(s);
	return same;
}

static void confirm(struct worker *w, struct request *r, const char *host, const json_t *doc)
{
	const char *digest = member_text(doc, "profile_digest");
	json_t *fingerprint = json_object_get(doc, "fingerprint");
	struct change *c;

	if (!digest || !json_is_object(fingerprint)) {
		answer_error_to(r, g_error_new(SERVICE_ERROR, SERVICE_ERROR_USAGE,
					       "%s: profile_digest and fingerprint are expected (see capbrokerd(8))", host));
		return;
	}
	if (!is_in_force(w, host, digest)) {
		GError *error = g_error_new(SERVICE_ERROR, SERVICE_ERROR_NAME,
					    "%s: that profile isn't the one in force here (send it whole)", host);

		reply_json(r, 409, error_answer(error));
		g_error_free(error);
		http_reply(r);
		return;
	}
	c = g_new0(struct change, 1);
	c->kind = CHANGE_CONFIRM;
	c->host = g_strdup(host);
	c->digest = g_strdup(digest);
	c->fingerprint = document_text(fingerprint);
	c->time = time_of(doc);
	hand_over(w, r, c, NULL);
}

/* The document's own name must be that of the path: nobody pushes another's by a slip. */
static bool check_name(const struct import *import, const char *host, GError **error)
{
	const struct import_host *one = import->hosts->pdata[0];

	if (!strcmp(one->name, host))
		return true;
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
		    "%s: the profile is of host '%s' (send it to that path, or rename the host in it)", host, one->name);
	return false;
}

/* @doc: the reference is taken over. */
static void put_whole(struct worker *w, struct request *r, const char *host, json_t *doc)
{
	struct options *o = options_of(r);
	struct import *import = import_new(&o->options, w->files->models);
	GError *error = NULL;

	if (import_add_profile(import, host, doc, &error) && import_prepare(import, &error))
		check_name(import, host, &error);
	end_import(w, r, host, import, o, error);
}

void route_put_profile(struct worker *w, struct request *r)
{
	GError *error = NULL;
	g_autofree char *host = host_of(w, r, &error);
	json_t *doc = host ? body_json(r, PROFILE_MAX_BYTES, &error) : NULL;

	if (!doc) {
		answer_error_to(r, error);
	} else if (!is_its_own(w, r, host)) {
		json_decref(doc);
		http_reply(r);
	} else if (!g_strcmp0(member_text(doc, "format"), CONFIRM_FORMAT)) {
		confirm(w, r, host, doc);
		json_decref(doc);
	} else {
		put_whole(w, r, host, doc);
	}
}

/* --- guests ----------------------------------------------------------------------------------- */

/* A definition, reduced as an agent should have; NULL with @error. */
static char *reduced(const char *text, GError **error)
{
	g_autoptr(XmlDocument) xml = xml_parse(text, strlen(text), "definition", error);

	return xml ? definition_reduce(xml_root(xml), error) : NULL;
}

/* An entry with the members that there are, and no more: what an agent shouldn't have sent isn't kept. */
static json_t *projected(const json_t *entry, GError **error)
{
	static const char *const beside[] = { "running", "qemu", "saved", "snapshots" };
	const char *text = member_text(entry, "definition");
	g_autofree char *definition = text ? reduced(text, error) : NULL;
	json_t *copy = json_copy((json_t *)entry), *clean = NULL;
	g_autoptr(Needs) needs = NULL;

	if (text && definition)
		json_object_set_new(copy, "definition", json_string(definition));
	needs = !text || definition ? needs_from_json(copy, error) : NULL;
	clean = needs ? needs_to_json(needs) : NULL;
	for (size_t i = 0; clean && i < G_N_ELEMENTS(beside); i++)
		if (json_object_get(entry, beside[i]))
			json_object_set(clean, beside[i], json_object_get(entry, beside[i]));
	json_decref(copy);
	return clean;
}

/* The whole list so; NULL with @error. */
static json_t *projected_list(const char *host, const json_t *doc, GError **error)
{
	json_t *list = json_array(), *whole, *one;
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "guests"), i, entry) {
		one = projected(entry, error);
		if (!one) {
			g_prefix_error(error, "%s: guests[%zu]: ", host, i);
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, one);
	}
	whole = json_pack("{s:s}", "host", host);
	json_object_set(whole, "format", json_object_get(doc, "format"));
	json_object_set(whole, "complete", json_object_get(doc, "complete"));
	json_object_set_new(whole, "guests", list);
	return whole;
}

static void put_guests(struct worker *w, struct request *r, const char *host, const json_t *doc)
{
	struct options *o = options_of(r);
	struct import *import = import_new(&o->options, w->files->models);
	GError *error = NULL;
	json_t *clean;

	o->options.guests_on = g_strdup(host);
	clean = json_is_array(json_object_get(doc, "guests")) ? projected_list(host, doc, &error) : json_incref((json_t *)doc);
	if (clean)
		import_add_guests(import, host, clean, &error);
	json_decref(clean);
	end_import(w, r, host, import, o, error);
}

void route_put_guests(struct worker *w, struct request *r)
{
	GError *error = NULL;
	g_autofree char *host = host_of(w, r, &error);
	json_t *doc = host ? body_json(r, PROFILE_MAX_BYTES, &error) : NULL;

	if (!doc)
		answer_error_to(r, error);
	else if (!is_its_own(w, r, host))
		http_reply(r);
	else
		put_guests(w, r, host, doc);
	json_decref(doc);
}

/* --- enrolment -------------------------------------------------------------------------------- */

void route_enrol(struct worker *w, struct request *r)
{
	GError *error = NULL;
	json_t *doc = body_json(r, 65536, &error);
	const char *host = member_text(doc, "host");
	g_autofree char *token = NULL;

	if (doc && (!host || !*host || strlen(host) > NAME_MAX_BYTES || strpbrk(host, "/\n\r")))
		error = g_error_new(SERVICE_ERROR, SERVICE_ERROR_USAGE, "enrol: 'host': the host's name is expected (see capbrokerd(8))");
	if (!error)
		token = token_enrol(w->broker->settings->tokens, r->authorization + strlen("Bearer "), host,
				    g_get_real_time() / G_USEC_PER_SEC, &error);
	if (token) {
		log_event(LOG_LEVEL_INFO, "enrolled", "host", host, "peer", r->peer, NULL);
		reply_json(r, 201, json_pack("{s:s, s:s, s:s}", "format", "capbroker.token/1", "host", host, "token", token));
	} else if (error->domain == SERVICE_ERROR && error->code == SERVICE_ERROR_IO) {
		reply_json(r, 500, error_answer(error));
		g_error_free(error);
	} else {
		reply_json(r, error->code == SERVICE_ERROR_NAME ? 403 : 409, error_answer(error));
		g_error_free(error);
	}
	json_decref(doc);
	http_reply(r);
}
