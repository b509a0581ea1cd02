/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * routes.c: the paths, who may ask for which, and how a request goes from one to an answer. What each
 * answers is in route-*.c and filter.c.
 */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "broker.h"
#include "model/error.h"
#include "routes.h"

#define QUESTION_MAX (24u * 1024 * 1024) /* a guest's definition fits, as base64 too */
#define SMALL_MAX (64u * 1024)

enum {
	MAY_ANYBODY = 1 << 0,
	MAY_ENROL = 1 << 1,
	MAY_AGENT = 1 << 2,
	MAY_READER = 1 << 3,
	MAY_ADMIN = 1 << 4,
	MAY_READ = MAY_READER | MAY_ADMIN,
	MAY_PUSH = MAY_AGENT | MAY_ADMIN,
};

enum body { BODY_NONE, BODY_SMALL, BODY_QUESTION, BODY_DOCUMENT };

static const struct route {
	const char *method, *path, *name;
	unsigned int may;
	enum body body;
	enum lane lane;
	job_fn *run;
	const char *asking; /* a question's name, where the path isn't its name */
} routes[] = {
	{ "GET", "/healthz", "healthz", MAY_ANYBODY, BODY_NONE, LANE_QUICK, route_health, NULL },
	{ "GET", "/metrics", "metrics", MAY_READ, BODY_NONE, LANE_QUICK, route_metrics, NULL },
	{ "GET", "/v1/status", "status", MAY_READ, BODY_NONE, LANE_QUICK, route_status, NULL },
	{ "POST", "/v1/enrol", "enrol", MAY_ENROL, BODY_SMALL, LANE_INGEST, route_enrol, NULL },
	{ "PUT", "/v1/hosts/{host}/profile", "put-profile", MAY_PUSH, BODY_DOCUMENT, LANE_INGEST, route_put_profile, NULL },
	{ "PUT", "/v1/hosts/{host}/guests", "put-guests", MAY_PUSH, BODY_DOCUMENT, LANE_INGEST, route_put_guests, NULL },
	{ "GET", "/v1/hosts", "hosts", MAY_READ, BODY_NONE, LANE_QUICK, route_get_hosts, "hosts" },
	{ "GET", "/v1/hosts/{host}", "show", MAY_READ, BODY_NONE, LANE_QUICK, route_get_host, "show" },
	{ "GET", "/v1/decisions/{id}", "decision", MAY_READ, BODY_NONE, LANE_QUICK, route_get_decision, "decision" },
	{ "POST", "/v1/filter", "filter", MAY_READ, BODY_QUESTION, LANE_QUICK, route_filter, NULL },
	{ "POST", "/v1/check", "check", MAY_READ, BODY_QUESTION, LANE_QUICK, route_ask, "check" },
	{ "POST", "/v1/hosts", "hosts-by", MAY_READ, BODY_QUESTION, LANE_QUICK, route_ask, "hosts" },
	{ "POST", "/v1/show", "show-by", MAY_READ, BODY_QUESTION, LANE_QUICK, route_ask, "show" },
	{ "POST", "/v1/diff", "diff", MAY_READ, BODY_QUESTION, LANE_QUICK, route_ask, "diff" },
	{ "POST", "/v1/contracts", "contracts", MAY_READ, BODY_QUESTION, LANE_QUICK, route_ask, "contracts" },
	{ "POST", "/v1/decision", "decision-by", MAY_READ, BODY_QUESTION, LANE_QUICK, route_ask, "decision" },
	{ "POST", "/v1/report", "report", MAY_READ, BODY_QUESTION, LANE_QUICK, route_ask, "report" },
	{ "POST", "/v1/baseline", "baseline", MAY_READ, BODY_QUESTION, LANE_SLOW, route_ask, "baseline" },
	{ "POST", "/v1/tradeoff", "tradeoff", MAY_READ, BODY_QUESTION, LANE_SLOW, route_ask, "tradeoff" },
	{ "POST", "/v1/pools", "pools", MAY_READ, BODY_QUESTION, LANE_SLOW, route_ask, "pools" },
	{ "POST", "/v1/guests", "guests", MAY_READ, BODY_QUESTION, LANE_SLOW, route_ask, "guests" },
	{ "POST", "/v1/matrix", "matrix", MAY_READ, BODY_QUESTION, LANE_SLOW, route_ask, "matrix" },
	{ "POST", "/v1/drain", "drain", MAY_READ, BODY_QUESTION, LANE_SLOW, route_ask, "drain" },
	{ "POST", "/v1/stranded", "stranded", MAY_READ, BODY_QUESTION, LANE_SLOW, route_ask, "stranded" },
	{ "POST", "/v1/drift", "drift", MAY_READ, BODY_QUESTION, LANE_SLOW, route_ask, "drift" },
};

const char *const *route_list(void)
{
	static const char *list[G_N_ELEMENTS(routes) + 1];

	for (size_t i = 0; i < G_N_ELEMENTS(routes) && !list[i]; i++)
		list[i] = g_strconcat(routes[i].method, " ", routes[i].path, NULL);
	return list;
}

/* --- which ------------------------------------------------------------------------------------ */

/* The part that stands for "{…}" is put into @named. */
static bool matches(const struct route *route, char *const *path, const char **named)
{
	g_auto(GStrv) parts = g_strsplit(route->path + 1, "/", -1);
	size_t i;

	for (i = 0; parts[i] && path[i]; i++) {
		if (*parts[i] == '{')
			*named = path[i];
		else if (strcmp(parts[i], path[i]))
			return false;
	}
	return !parts[i] && !path[i];
}

/* Sets @allowed where there is such a path, for other methods too. */
static const struct route *find(const struct request *r, const char **named, bool *known)
{
	for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
		const char *part = NULL;

		if (!matches(&routes[i], r->path, &part))
			continue;
		*known = true;
		*named = part;
		if (!strcmp(routes[i].method, r->method))
			return &routes[i];
	}
	return NULL;
}

static bool may(const struct route *route, const struct caller *c)
{
	static const unsigned int of_role[ROLES] = { [ROLE_AGENT] = MAY_AGENT, [ROLE_READER] = MAY_READER,
						     [ROLE_ADMIN] = MAY_ADMIN };
	unsigned int as = MAY_ANYBODY | (c->enrols ? MAY_ENROL : of_role[c->role]);

	return (route->may & as) != 0;
}

/* --- replies ---------------------------------------------------------------------------------- */

void reply_json(struct request *r, unsigned int status, json_t *json)
{
	r->status = status;
	free(r->reply);
	r->reply = json_dumps(json, JSON_COMPACT);
	r->reply_length = r->reply ? strlen(r->reply) : 0;
	json_decref(json);
}

static unsigned int status_of(const GError *error)
{
	const char *code = error_code(error);

	if (!strcmp(code, "store-locked"))
		return 503;
	if (!strcmp(code, "store-full"))
		return 507;
	if (!strcmp(code, "usage") || !strcmp(code, "invalid") || !strcmp(code, "io"))
		return 400;
	return !strcmp(code, "unknown-name") ? 404 : 500;
}

void reply_error(struct request *r, GError *error)
{
	unsigned int status = status_of(error);

	if (status == 503)
		r->retry_after_s = 1;
	if (status >= 500)
		log_event(LOG_LEVEL_ERROR, "failed", "reason", error->message, "peer", r->peer, NULL);
	reply_json(r, status, error_answer(error));
	g_error_free(error);
}

static bool refuse(struct request *r, unsigned int status, const char *what)
{
	GError *error = g_error_new(SERVICE_ERROR, SERVICE_ERROR_USAGE, "request: %s", what);

	reply_json(r, status, error_answer(error));
	g_error_free(error);
	return false;
}

json_t *body_json(const struct request *r, gsize limit, GError **error)
{
	json_t *json = NULL;

	if (!r->body || !r->body->len)
		return json_object();
	json = json_bytes_parse((const char *)r->body->data, r->body->len, limit, error);
	if (!json)
		g_prefix_error(error, "request: body: ");
	return json;
}

/* --- the way of a request --------------------------------------------------------------------- */

static void routed_free(void *data)
{
	struct routed *routed = data;

	caller_clear(&routed->caller);
	g_free(routed->named);
	g_free(routed);
}

static bool turn_away(struct broker *b, struct request *r, const struct caller *c)
{
	metrics_refused(b->metrics);
	log_event(LOG_LEVEL_WARNING, "refused", "peer", r->peer, "caller", c->name, "method", r->method, "known",
		  c->known ? "yes" : "no", NULL);
	return c->known ? refuse(r, 403, "not for that role (capbrokerd(8) says which may do what)") :
			  refuse(r, r->local && !r->authorization ? 403 : 401,
				 "nobody known (give a token that is good, or connect as a user who may)");
}

static gsize limit_of(const struct broker *b, enum body body)
{
	static const gsize limits[] = { [BODY_NONE] = 0, [BODY_SMALL] = SMALL_MAX, [BODY_QUESTION] = QUESTION_MAX };
	gsize most = (gsize)b->settings->body_mib << 20;

	return body == BODY_DOCUMENT ? most : MIN(limits[body], most);
}

static bool head(struct request *r, gsize *limit, void *data)
{
	struct broker *b = data;
	struct routed *routed = g_new0(struct routed, 1);
	const char *named = NULL;
	bool known = false;

	r->data = routed;
	r->data_free = routed_free;
	auth_caller(b->auth, r, &routed->caller);
	routed->route = find(r, &named, &known);
	routed->named = g_strdup(named);
	/* whoever isn't known isn't told which paths there are, either */
	if (!routed->route && !routed->caller.known)
		return turn_away(b, r, &routed->caller);
	if (!routed->route)
		return known ? refuse(r, 405, "not with that method (see capbrokerd(8))") :
			       refuse(r, 404, "no such path (see capbrokerd(8))");
	routed->name = routed->route->name;
	routed->asking = routed->route->asking;
	if (!may(routed->route, &routed->caller))
		return turn_away(b, r, &routed->caller);
	if (g_atomic_int_get(&b->stopping)) {
		r->retry_after_s = 5;
		return refuse(r, 503, "the broker is ending (try again)");
	}
	*limit = limit_of(b, routed->route->body);
	return true;
}

static void whole(struct request *r, void *data)
{
	struct broker *b = data;
	const struct routed *routed = r->data;

	if (workers_put(b->workers, routed->route->lane, routed->route->run, r))
		return;
	r->retry_after_s = 1;
	refuse(r, 503, "too many wait for an answer (try again)");
	http_reply(r);
}

static void done(struct request *r, void *data)
{
	struct broker *b = data;
	const struct routed *routed = r->data;
	const char *name = routed && routed->name ? routed->name : "none";
	g_autofree char *status = NULL, *ms = NULL;
	gint64 us = g_get_monotonic_time() - r->began;

	metrics_request(b->metrics, name, r->status, us);
	if (!b->settings->requests)
		return;
	status = g_strdup_printf("%u", r->status);
	ms = g_strdup_printf("%.1f", (double)us / 1000);
	log_event(LOG_LEVEL_INFO, "request", "route", name, "status", status, "ms", ms, "peer", r->peer, "caller",
		  routed ? routed->caller.name : NULL, NULL);
}

const struct http_calls route_calls = { .head = head, .whole = whole, .done = done };
