/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-stranded.c: the answer "stranded", which guests can go nowhere or hardly anywhere, by cause;
 * see answer.h.
 */
#include "config.h"

#include <string.h>

#include "answer/reasons.h"
#include "answer/upgrade.h"
#include "model/document.h"

/* Guests that are kept by the same. */
struct cause {
	json_t *reason, *groups;
	enum verdict verdict;
	guint guests;
};

struct stranded {
	const struct answering *a;
	struct routes *routes;
	guint few;             /* up to so many hosts left is limited */
	GPtrArray *causes;     /* struct cause */
	json_t *limited;
	guint free_n, limited_n, nowhere_n, unknown_n;
};

static void cause_free(void *data)
{
	struct cause *cause = data;

	json_decref(cause->reason);
	json_decref(cause->groups);
	g_free(cause);
}

/* No host is there to say anything. */
static json_t *no_reason(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:n, s:i, s:[]}", "check", "none", "verdict", "block",
			 "effect", "fails-safely", "text", "no other host is known", "fix",
			 "run 'capbroker probe' on other hosts, or import them", "machine", "hosts_n", 0,
			 "classes");
}

static bool same_reason(const json_t *a, const json_t *b)
{
	static const char *const members[] = { "check", "verdict", "text", "fix" };

	for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
		if (!json_equal(json_object_get(a, members[i]), json_object_get(b, members[i])))
			return false;
	return true;
}

/* @group: the reference is taken over */
static void add_cause(struct stranded *s, enum verdict verdict, json_t *group, guint guests)
{
	json_t *first = json_array_get(json_object_get(group, "reasons"), 0);
	json_t *reason = first ? json_incref(first) : no_reason();
	struct cause *cause = NULL;

	for (guint i = 0; i < s->causes->len && !cause; i++) {
		cause = g_ptr_array_index(s->causes, i);
		if (!same_reason(cause->reason, reason))
			cause = NULL;
	}
	if (!cause) {
		cause = g_new0(struct cause, 1);
		cause->reason = json_incref(reason);
		cause->groups = json_array();
		cause->verdict = verdict;
		g_ptr_array_add(s->causes, cause);
	}
	cause->guests += guests;
	json_array_append_new(cause->groups, group);
	json_decref(reason);
}

/* Do they all run there? */
static bool is_theirs(const struct guest_group *group, const struct host *host)
{
	bool all = group->question == ASK_MIGRATE;

	for (guint i = 0; i < group->guests->len && all; i++)
		all = !g_strcmp0(((const struct guest *)g_ptr_array_index(group->guests, i))->host, host->name);
	return all;
}

/* Names of the hosts that a group can still go to. */
static json_t *left_to(const struct stranded *s, const struct guest_group *group)
{
	json_t *names = json_array();

	for (guint i = 0; i < s->a->fleet->hosts->len; i++) {
		const struct host *h = g_ptr_array_index(s->a->fleet->hosts, i);

		if (verdict_is_good(routes_answer(s->routes, group, h->class)) &&
		    !is_theirs(group, h))
			json_array_append_new(names, json_string(h->name));
	}
	return names;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The hosts that they run on, or are defined on. */
static json_t *hosts_of(const struct guest_group *group)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; i < group->guests->len; i++) {
		const struct guest *g = g_ptr_array_index(group->guests, i);

		if (g->host && g_hash_table_add(seen, g->host))
			g_ptr_array_add(names, g->host);
	}
	g_ptr_array_sort(names, by_name);
	return json_strings(names);
}

static void add_group(struct stranded *s, const struct guest_group *group)
{
	struct reach reach = routes_reach(s->routes, s->a->fleet, group, NULL);
	guint n = group->guests->len, good = reach_good(&reach);
	enum verdict best = reach_best(&reach);
	json_t *json;

	if (good > s->few || (good && good == s->a->fleet->hosts->len - (group->from ? 1 : 0))) {
		s->free_n += n;
		return;
	}
	json = guest_group_json(group);
	json_object_update_new(json, json_pack("{s:s, s:b, s:s, s:o, s:o, s:s?}", "question",
					       question_name(group->question), "saved", group->first->saved,
					       "verdict", verdict_name(best),
					       "hosts", reach_json(&reach), "on", hosts_of(group), "from_class",
					       group->from ? group->from->class->id : NULL));
	json_object_set_new(json, "reasons",
			    reasons_json(s->a, group, good || best == V_BLOCK ? V_BLOCK : V_UNKNOWN, NULL));
	if (good) {
		s->limited_n += n;
		json_object_set_new(json, "to", left_to(s, group));
		json_array_append_new(s->limited, json);
		return;
	}
	*(best == V_BLOCK ? &s->nowhere_n : &s->unknown_n) += n;
	add_cause(s, best, json, n);
}

static int by_weight(const void *a, const void *b)
{
	const struct cause *x = *(struct cause *const *)a, *y = *(struct cause *const *)b;

	if (x->verdict != y->verdict)
		return x->verdict > y->verdict ? -1 : 1;
	if (x->guests != y->guests)
		return x->guests > y->guests ? -1 : 1;
	return strcmp(json_string_value(json_object_get(x->reason, "text")),
		      json_string_value(json_object_get(y->reason, "text")));
}

static json_t *causes_json(struct stranded *s)
{
	json_t *array = json_array();

	g_ptr_array_sort(s->causes, by_weight);
	for (guint i = 0; i < s->causes->len; i++) {
		const struct cause *c = g_ptr_array_index(s->causes, i);
		json_t *json = json_pack("{s:s, s:i, s:O}", "verdict", verdict_name(c->verdict), "guests_n",
					 (int)c->guests, "guest_groups", c->groups);
		static const char *const members[] = { "check", "text", "fix", "machine" };

		for (size_t m = 0; m < G_N_ELEMENTS(members); m++)
			json_object_set(json, members[m], json_object_get(c->reason, members[m]));
		json_array_append_new(array, json);
	}
	return array;
}

static void add_decision(json_t *answer, const struct answering *a, const GPtrArray *groups)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(parts, g_strdup("stranded"));
	for (guint i = 0; i < a->fleet->hosts->len; i++) {
		const struct host *h = g_ptr_array_index(a->fleet->hosts, i);

		g_ptr_array_add(parts, g_strdup_printf("%s %s", h->name, h->class->full));
	}
	for (guint i = 0; i < groups->len; i++) {
		const struct guest_group *group = g_ptr_array_index(groups, i);
		json_t *needs = guest_group_needs(group);
		g_autofree char *text = document_text(needs);

		g_ptr_array_add(parts, g_strdup_printf("%s %u %s", group->from ? group->from->class->full : "-",
						       group->guests->len, text));
		json_decref(needs);
	}
	answer_decision(answer, a, parts);
}

json_t *answer_stranded(const struct answering *a, const GPtrArray *guests, const GPtrArray *changes,
			unsigned int few)
{
	g_autoptr(GPtrArray) groups = guest_groups(a, guests);
	struct stranded s = { .a = a, .routes = routes_new(a), .few = few, .limited = json_array() };
	json_t *answer = answer_new("stranded");

	s.causes = g_ptr_array_new_with_free_func(cause_free);
	for (guint i = 0; i < groups->len; i++)
		add_group(&s, g_ptr_array_index(groups, i));
	json_object_update_new(answer, json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "verdict",
						 s.nowhere_n ? "block" : s.unknown_n ? "unknown" : "ok",
						 "guests_n", (int)guests->len, "free_n", (int)s.free_n,
						 "limited_n", (int)s.limited_n, "nowhere_n", (int)s.nowhere_n,
						 "unknown_n", (int)s.unknown_n, "few", (int)few, "causes",
						 causes_json(&s), "limited", s.limited));
	json_object_set_new(answer, "snapshots", stranded_snapshots(a, guests));
	if (changes->len)
		json_object_set_new(answer, "upgrade", upgrade_json(a, s.routes, guests, changes, NULL));
	answer_not_judged(answer);
	add_decision(answer, a, groups);
	g_ptr_array_unref(s.causes);
	routes_free(s.routes);
	return answer;
}
