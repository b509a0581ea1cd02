/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * filter.c: which of these hosts, for a scheduler.
 *
 * A scheduler names a thousand hosts and wants an answer in milliseconds. A guest is judged once a
 * class, and what came of that is kept by the class's digest for the next question about it: hosts that
 * change their classes don't matter, then. The answer is written as text at once; to build it of values
 * would cost more than to judge.
 */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "answer/routes.h"
#include "broker.h"
#include "model/document.h"
#include "model/error.h"

#define QUESTION_MAX (24u * 1024 * 1024)
#define HOSTS_MAX 100000u
#define KEPT_MAX 512u       /* guests */
#define ONWARD_MAX 3000u    /* judgements that are made to say where a guest could go on to */

enum op { OP_BOOT, OP_LIVE, OP_COLD, OP_EVACUATE, OPS };
static const char *const op_names[OPS] = { "boot", "live", "cold", "evacuate" };

/* What came of one class. */
struct judged {
	enum verdict start, migrate;
	GPtrArray *starts, *moves; /* char *: why it isn't ok */
	guint64 onward_of;         /* snapshot that @onward is of */
	int onward;                /* hosts; -1: not worked out */
};

/* A guest as this thread has it, coming from a class. */
struct kept_guest {
	struct guest *guest;
	GHashTable *judged; /* class digest → struct judged */
};

struct filter_cache {
	GHashTable *guests; /* key → struct kept_guest */
	size_t universe_bits;
};

struct asked {
	enum op op;
	struct lent lent;
	struct kept_guest *kept;
	const struct host *source;
	bool overridden;    /* somebody allowed this guest something */
	json_t *hosts;
	GHashTable *reasons; /* class → struct judged, in the answer */
	GPtrArray *verdicts; /* of this question, where overrides are heeded: class index → struct verdicts */
	int can;            /* hosts that it would start on; -1: not counted yet */
};

static void judged_free(void *data)
{
	struct judged *j = data;

	g_ptr_array_unref(j->starts);
	g_ptr_array_unref(j->moves);
	g_free(j);
}

static void kept_free(void *data)
{
	struct kept_guest *k = data;

	g_hash_table_unref(k->judged);
	guest_free(k->guest);
	g_free(k);
}

void filter_cache_free(struct filter_cache *cache)
{
	if (!cache)
		return;
	g_hash_table_unref(cache->guests);
	g_free(cache);
}

/* Names that nobody had before change what a guest's CPU is expanded to. */
static struct filter_cache *cache_of(struct worker *w, size_t universe_bits)
{
	struct filter_cache *c = w->filter;

	if (c && (c->universe_bits != universe_bits || g_hash_table_size(c->guests) > KEPT_MAX)) {
		filter_cache_free(c);
		c = NULL;
	}
	if (!c) {
		c = g_new0(struct filter_cache, 1);
		c->guests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, kept_free);
		c->universe_bits = universe_bits;
	}
	w->filter = c;
	return c;
}

/* The policy that holds where a site says nothing else: who flees takes what isn't known to fail. */
static bool unknown_is_ok(enum op op)
{
	return op == OP_EVACUATE;
}

/* --- the question ----------------------------------------------------------------------------- */

static bool usage(GError **error, const char *what)
{
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE, "filter: %s (see capbrokerd(8))", what);
	return false;
}

static bool check(const json_t *question, GError **error)
{
	static const char *const members[] = { "guest", "needs", "xml", "op", "source", "hosts", NULL };
	static const char *const guests[] = { "guest", "needs", "xml" };
	const json_t *hosts = json_object_get(question, "hosts"), *host;
	int given = 0;
	const char *key;
	json_t *value;
	size_t i;

	if (!json_is_object(question))
		return usage(error, "a question is an object");
	json_object_foreach ((json_t *)question, key, value)
		if (!g_strv_contains(members, key))
			return usage(error, "a member isn't one of guest, needs, xml, op, source, hosts");
	for (i = 0; i < G_N_ELEMENTS(guests); i++)
		given += json_object_get(question, guests[i]) != NULL;
	if (given != 1)
		return usage(error, "one of 'guest', 'needs' and 'xml' is expected");
	if (!json_is_array(hosts) || json_array_size(hosts) > HOSTS_MAX)
		return usage(error, "'hosts': an array of at most 100000 names is expected");
	json_array_foreach (hosts, i, host)
		if (!json_is_string(host))
			return usage(error, "'hosts': holds what is no name");
	return true;
}

static bool read_op(const json_t *question, enum op *op, GError **error)
{
	const char *name = member_text(question, "op");

	for (int i = 0; i < OPS; i++)
		if (!g_strcmp0(name, op_names[i])) {
			*op = (enum op)i;
			return true;
		}
	return usage(error, "'op': one of boot, live, cold, evacuate is expected");
}

static struct guest *guest_of(struct needs *needs)
{
	struct guest *g = g_new0(struct guest, 1);

	g->name = g_strdup(needs->name ? needs->name : "guest");
	g->uuid = g_strdup(needs->uuid);
	g->running = needs->live;
	if (needs->live)
		g->live = needs;
	else
		g->defined = needs;
	return g;
}

static struct guest *given_guest(const json_t *question, GError **error)
{
	const char *text = member_text(question, "xml");
	g_autoptr(XmlDocument) xml = text ? xml_parse(text, strlen(text), "xml", error) : NULL;
	struct needs *needs = NULL;

	if (text)
		needs = xml ? needs_from_xml(xml, error) : NULL;
	else if (json_is_object(json_object_get(question, "needs")))
		needs = needs_from_json(json_object_get(question, "needs"), error);
	else
		usage(error, "'needs' is an object, 'guest' and 'xml' are strings");
	if (!needs && error && *error)
		g_prefix_error(error, "filter: ");
	return needs ? guest_of(needs) : NULL;
}

/* What the guest goes by in the cache: a known one by the list that it is of, others by their text. */
static char *key_of(const struct asked *q, const json_t *question)
{
	const char *name = member_text(question, "guest");
	const json_t *given = json_object_get(question, "needs");
	g_autofree char *text = NULL, *sum = NULL;

	if (name)
		return g_strdup_printf("%" G_GUINT64_FORMAT " %s", q->lent.snapshot->guests_number, name);
	text = given ? document_text(given) : g_strdup(member_text(question, "xml"));
	sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text ? text : "", -1);
	return g_strconcat(given ? "needs " : "xml ", sum, NULL);
}

static bool find_guest(struct worker *w, struct asked *q, const json_t *question, const struct host *source,
		       GError **error)
{
	struct filter_cache *cache = cache_of(w, universe_bits(q->lent.snapshot->fleet->universe));
	struct session *s = &q->lent.session;
	const char *name = member_text(question, "guest");
	g_autofree char *own = key_of(q, question);
	g_autofree char *key = g_strconcat(own, " ", source ? source->class->full : "", NULL);
	struct guest *guest;

	q->kept = g_hash_table_lookup(cache->guests, key);
	if (q->kept)
		return true;
	guest = name ? session_guest(s, name, error) : given_guest(question, error);
	if (!guest)
		return false;
	if (name)
		guest = g_ptr_array_steal_index(s->guests, s->guests->len - 1);
	guest_expand(guest, &s->judge);
	q->kept = g_new0(struct kept_guest, 1);
	q->kept->guest = guest;
	q->kept->judged = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, judged_free);
	g_hash_table_insert(cache->guests, g_steal_pointer(&key), q->kept);
	return true;
}

/* Where it comes from: as said, else where a known guest runs. */
static bool find_source(struct asked *q, const json_t *question, GError **error)
{
	const struct session *s = &q->lent.session;
	const char *source = member_text(question, "source"), *name = member_text(question, "guest");

	if (json_object_get(question, "source") && !json_is_null(json_object_get(question, "source")) && !source)
		return usage(error, "'source': a host's name is expected");
	if (source) {
		q->source = fleet_find(s->fleet, source); /* an unknown one is as good as none */
		return true;
	}
	for (guint i = 0; name && i < s->stored->len; i++) {
		const struct store_guest *g = g_ptr_array_index(s->stored, i);

		if (g->host && (!strcmp(g->name, name) || (g->uuid && !g_ascii_strcasecmp(g->uuid, name))))
			q->source = fleet_find(s->fleet, g->host);
	}
	return true;
}

/* --- judging ---------------------------------------------------------------------------------- */

static GPtrArray *reasons_of(const struct verdicts *v, unsigned int on)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);

		if (f->verdict != V_OK && f->on & on)
			g_ptr_array_add(list, g_strdup_printf("%s: %s", f->check, f->text));
	}
	return list;
}

static const struct profile *from_of(const struct asked *q)
{
	return q->op == OP_LIVE && q->source ? q->source->profile : NULL;
}

static struct judged *judge(struct asked *q, const struct host_class *class)
{
	struct judged *j = g_hash_table_lookup(q->kept->judged, class->full);
	struct verdicts *v;

	if (j)
		return j;
	v = guest_judge(&q->lent.session.judge, q->kept->guest, from_of(q), class->profile);
	j = g_new0(struct judged, 1);
	j->start = v->start;
	j->migrate = v->migrate;
	j->starts = reasons_of(v, ON_START);
	j->moves = reasons_of(v, ON_MIGRATE);
	j->onward = -1;
	verdicts_free(v);
	g_hash_table_insert(q->kept->judged, g_strdup(class->full), j);
	return j;
}

/* With what somebody allowed; that is by host, so verdicts are needed whole. */
static enum verdict with_overrides(struct asked *q, const struct host *host, enum question question)
{
	struct verdicts *v = g_ptr_array_index(q->verdicts, host->class->index);

	if (!v) {
		v = guest_judge(&q->lent.session.judge, q->kept->guest, from_of(q), host->class->profile);
		q->verdicts->pdata[host->class->index] = v;
	}
	return override_answer(&q->lent.session.answering, q->kept->guest, host, v, question);
}

static enum verdict verdict_on(struct asked *q, const struct host *host)
{
	const struct judged *j = judge(q, host->class);
	enum verdict start = q->overridden ? with_overrides(q, host, ASK_START) : j->start;
	enum verdict v = start;

	if (q->op == OP_LIVE)
		v = MAX(v, q->overridden ? with_overrides(q, host, ASK_MIGRATE) : j->migrate);
	return MAX(v, answer_age(&q->lent.session.answering, host));
}

/* Others that it would start on: counted once. */
static int others(struct asked *q, const struct judged *j)
{
	const GPtrArray *classes = q->lent.snapshot->fleet->classes;

	for (guint i = 0; q->can < 0 && i < classes->len; i++) {
		int sum = 0;

		for (guint c = 0; c < classes->len; c++) {
			const struct host_class *class = g_ptr_array_index(classes, c);

			sum += verdict_is_good(judge(q, class)->start) ? (int)class->hosts->len : 0;
		}
		q->can = sum;
	}
	return q->can - (verdict_is_good(j->start) ? 1 : 0);
}

/* Where it could go on to from there; -1 where that takes too long to be worked out here. */
static int onward(struct asked *q, const struct host_class *class, struct judged *j, guint classes)
{
	const struct snapshot *snap = q->lent.snapshot;
	struct routes *routes;
	struct reach reach;

	if (q->op != OP_LIVE)
		return others(q, j);
	if (j->migrate == V_BLOCK)
		return 0;
	if (j->onward_of == snap->number)
		return j->onward;
	if ((guint64)classes * snap->fleet->classes->len > ONWARD_MAX)
		return -1;
	routes = routes_new(&q->lent.session.answering);
	reach = routes_onward(routes, snap->fleet, q->kept->guest, from_of(q), class, false);
	routes_free(routes);
	j->onward = (int)reach_good(&reach);
	j->onward_of = snap->number;
	return j->onward;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void add_text(GString *text, const char *word)
{
	const char *c = word;

	while (*c && (unsigned char)*c >= 0x20 && *c != '"' && *c != '\\')
		c++;
	if (*c) {
		json_t *json = json_string(word);
		char *quoted = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;

		g_string_append(text, quoted ? quoted : "\"\"");
		free(quoted);
		json_decref(json);
		return;
	}
	g_string_append_c(text, '"');
	g_string_append_len(text, word, c - word);
	g_string_append_c(text, '"');
}

static void add_host(struct asked *q, GString *text, const char *name, guint classes)
{
	struct host *host = fleet_find(q->lent.snapshot->fleet, name);
	enum verdict v = host ? verdict_on(q, host) : V_UNKNOWN;
	struct judged *j = host ? judge(q, host->class) : NULL;
	int on = j ? onward(q, host->class, j, classes) : -1;
	bool ok = verdict_is_good(v) || (v == V_UNKNOWN && unknown_is_ok(q->op));

	g_string_append(text, "{\"host\":");
	add_text(text, name);
	g_string_append_printf(text, ",\"ok\":%s,\"verdict\":\"%s\",\"class\":", ok ? "true" : "false", verdict_name(v));
	if (host)
		g_string_append_printf(text, "\"%s\"", host->class->id);
	else
		g_string_append(text, "null");
	if (on >= 0)
		g_string_append_printf(text, ",\"onward_hosts\":%d}", on);
	else
		g_string_append(text, ",\"onward_hosts\":null}");
	if (j && v != V_OK)
		g_hash_table_insert(q->reasons, host->class->id, j);
}

/* How many classes the hosts are of. */
static guint count_classes(const struct asked *q)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	const json_t *name;
	size_t i;

	json_array_foreach (q->hosts, i, name) {
		const struct host *host = fleet_find(q->lent.snapshot->fleet, json_string_value(name));

		if (host)
			g_hash_table_add(seen, host->class);
	}
	return g_hash_table_size(seen);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void add_reasons(const struct asked *q, GString *text)
{
	g_autoptr(GList) ids = g_list_sort(g_hash_table_get_keys(q->reasons), by_text);
	bool live = q->op == OP_LIVE;

	for (GList *n = ids; n; n = n->next) {
		const struct judged *j = g_hash_table_lookup(q->reasons, n->data);
		g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

		g_string_append_printf(text, "%s\"%s\":[", n == ids ? "" : ",", (const char *)n->data);
		for (guint i = 0; i < j->starts->len + (live ? j->moves->len : 0); i++) {
			const char *why = i < j->starts->len ? j->starts->pdata[i] : j->moves->pdata[i - j->starts->len];
			bool first = !g_hash_table_size(seen);

			if (!g_hash_table_add(seen, (void *)why))
				continue;
			g_string_append(text, first ? "" : ",");
			add_text(text, why);
		}
		g_string_append_c(text, ']');
	}
}

static char *answer(struct asked *q, gsize *length)
{
	GString *text = g_string_sized_new(json_array_size(q->hosts) * 128 + 4096);
	guint classes = q->op == OP_LIVE ? count_classes(q) : 0;
	const json_t *name;
	size_t i;

	g_string_append_printf(text, "{\"format\":\"capbroker.filter/1\",\"op\":\"%s\",\"unknown_ok\":%s,\"hosts\":[",
			       op_names[q->op], unknown_is_ok(q->op) ? "true" : "false");
	json_array_foreach (q->hosts, i, name) {
		if (i)
			g_string_append_c(text, ',');
		add_host(q, text, json_string_value(name), classes);
	}
	g_string_append(text, "],\"reasons\":{");
	add_reasons(q, text);
	g_string_append(text, "},\"not_judged\":[\"storage\",\"networks\",\"capacity\"]}");
	*length = text->len;
	return g_string_free(text, FALSE);
}

static void verdicts_drop(void *verdicts)
{
	if (verdicts)
		verdicts_free(verdicts);
}

static void prepare(struct asked *q, const json_t *question)
{
	g_autofree char *allowed = override_signature(&q->lent.session.answering, q->kept->guest, NULL);

	q->hosts = json_object_get(question, "hosts");
	q->reasons = g_hash_table_new(g_str_hash, g_str_equal);
	q->overridden = *allowed;
	q->verdicts = g_ptr_array_new_with_free_func(verdicts_drop);
	g_ptr_array_set_size(q->verdicts, (gint)q->lent.snapshot->fleet->classes->len);
	q->can = -1;
}

static char *answer_to(struct worker *w, const json_t *question, gsize *length, GError **error)
{
	struct asked q = { 0 };
	char *text = NULL;

	if (!check(question, error) || !read_op(question, &q.op, error) ||
	    !worker_lend(w, SESSION_READ, false, &q.lent, error))
		return NULL;
	if (find_source(&q, question, error) && find_guest(w, &q, question, q.op == OP_LIVE ? q.source : NULL, error)) {
		prepare(&q, question);
		text = answer(&q, length);
		g_ptr_array_unref(q.verdicts);
		g_hash_table_unref(q.reasons);
	}
	worker_return(&q.lent);
	return text;
}

void route_filter(struct worker *w, struct request *r)
{
	GError *error = NULL;
	json_t *question = body_json(r, QUESTION_MAX, &error);
	gsize length = 0;
	char *text = question ? answer_to(w, question, &length, &error) : NULL;

	json_decref(question);
	if (text) {
		r->status = 200;
		r->reply = text;
		r->reply_length = length;
	} else {
		reply_error(r, error);
	}
	http_reply(r);
}
