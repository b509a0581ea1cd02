/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-drain.c: the answer "drain", can a host be emptied; see answer.h. Guests with equal needs are
 * asked about once, running ones for a migration, others for a start elsewhere.
 */
#include "config.h"

#include <string.h>

#include "answer/reasons.h"
#include "answer/upgrade.h"
#include "model/document.h"

struct drain {
	const struct answering *a;
	const struct host *host;
	struct routes *routes;
	guint *within;             /* by class: hosts that guests may go to */
	guint counts[2][VERDICTS]; /* guests by the best that a host says: running, powered off */
};

/* Where to send it: ok before warn, and not to where it can't leave again. */
static const struct host_class *best_class(const struct drain *d, const struct guest_group *group)
{
	const struct host_class *best = NULL;
	int best_rank = 0;

	for (guint i = 0; i < d->a->fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(d->a->fleet->classes, i);
		enum verdict v = d->within[i] ? routes_answer(d->routes, group, class) : V_BLOCK;
		struct reach onward;
		int rank;

		if (!verdict_is_good(v))
			continue;
		onward = routes_onward(d->routes, d->a->fleet, group->first, d->host->profile, class, true);
		rank = (v == V_OK ? 1 : 0) + (reach_good(&onward) ? 2 : 0) + 1;
		if (rank > best_rank) {
			best = class;
			best_rank = rank;
		}
	}
	return best;
}

/* One host of a class that guests may go to. */
static const char *example(const struct drain *d, const struct host_class *class, const GPtrArray *targets)
{
	for (guint i = 0; i < targets->len; i++) {
		const struct host *h = g_ptr_array_index(targets, i);

		if (h->class == class && h != d->host)
			return h->name;
	}
	return NULL;
}

static json_t *open_classes(const struct drain *d, const struct guest_group *group)
{
	json_t *array = json_array();

	for (guint i = 0; i < d->a->fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(d->a->fleet->classes, i);
		enum verdict v = d->within[i] ? routes_answer(d->routes, group, class) : V_BLOCK;

		if (verdict_is_good(v))
			json_array_append_new(array, json_pack("{s:s, s:s, s:i}", "id", class->id, "verdict",
							       verdict_name(v), "hosts_n", (int)d->within[i]));
	}
	return array;
}

static json_t *group_json(struct drain *d, const struct guest_group *group, const GPtrArray *targets)
{
	struct reach reach = routes_reach(d->routes, d->a->fleet, group, d->within);
	const struct host_class *class = best_class(d, group);
	enum verdict best = reach_best(&reach);
	json_t *json = guest_group_json(group);
	struct reach onward = { 0 };

	if (class)
		onward = routes_onward(d->routes, d->a->fleet, group->first, d->host->profile, class, false);
	d->counts[group->question == ASK_START][best] += group->guests->len;
	json_object_update_new(json, json_pack("{s:s, s:s, s:o, s:o, s:s?, s:i}", "question",
					       question_name(group->question), "verdict", verdict_name(best),
					       "hosts", reach_json(&reach), "classes", open_classes(d, group),
					       "example", class ? example(d, class, targets) : NULL,
					       "onward_hosts", (int)reach_good(&onward)));
	json_object_set_new(json, "reasons", verdict_is_good(best) ? json_array() :
				      reasons_json(d->a, group, best, d->within));
	return json;
}

static json_t *counts_json(const guint counts[static VERDICTS])
{
	json_t *json = json_object();
	guint all = 0;

	for (int v = V_OK; v < VERDICTS; v++)
		all += counts[v];
	json_object_set_new(json, "guests_n", json_integer(all));
	for (int v = V_OK; v < VERDICTS; v++)
		json_object_set_new(json, verdict_name((enum verdict)v), json_integer(counts[v]));
	return json;
}

/* The best of the worst off. */
static enum verdict overall(const struct drain *d)
{
	for (int v = VERDICTS - 1; v > V_OK; v--)
		if (d->counts[0][v] || d->counts[1][v])
			return (enum verdict)v;
	return V_OK;
}

static GPtrArray *guests_of(const struct host *host, const GPtrArray *guests)
{
	GPtrArray *own = g_ptr_array_new();

	for (guint i = 0; i < guests->len; i++) {
		const struct guest *g = g_ptr_array_index(guests, i);

		if (!g_strcmp0(g->host, host->name))
			g_ptr_array_add(own, (void *)g);
	}
	return own;
}

static void add_decision(json_t *answer, const struct drain *d, const GPtrArray *groups,
			 const GPtrArray *targets)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(parts, g_strdup_printf("drain %s %s", d->host->name, d->host->class->full));
	for (guint i = 0; i < targets->len; i++) {
		const struct host *h = g_ptr_array_index(targets, i);

		g_ptr_array_add(parts, g_strdup_printf("%s %s", h->name, h->class->full));
	}
	for (guint i = 0; i < groups->len; i++) {
		json_t *needs = guest_group_needs(g_ptr_array_index(groups, i));

		g_ptr_array_add(parts, document_text(needs));
		json_decref(needs);
	}
	answer_decision(answer, d->a, parts);
}

json_t *answer_drain(const struct answering *a, const struct host *host, const GPtrArray *guests,
		     const GPtrArray *targets, const GPtrArray *changes)
{
	g_autoptr(GPtrArray) own = guests_of(host, guests);
	g_autoptr(GPtrArray) groups = guest_groups(a, own);
	g_autofree guint *within = g_new0(guint, a->fleet->classes->len + 1);
	struct drain d = { .a = a, .host = host, .routes = routes_new(a), .within = within };
	json_t *answer = answer_new("drain");
	json_t *array = json_array();

	for (guint i = 0; i < targets->len; i++) {
		const struct host *h = g_ptr_array_index(targets, i);

		within[h->class->index] += h != host;
	}
	for (guint i = 0; i < groups->len; i++)
		json_array_append_new(array, group_json(&d, g_ptr_array_index(groups, i), targets));
	json_object_update_new(answer, json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "host", host->name, "class",
						 host->class->id, "verdict", verdict_name(overall(&d)),
						 "running", counts_json(d.counts[0]), "powered_off",
						 counts_json(d.counts[1]), "guest_groups", array));
	if (changes->len)
		json_object_set_new(answer, "upgrade", upgrade_json(a, d.routes, guests, changes, host->name));
	answer_not_judged(answer);
	add_decision(answer, &d, groups, targets);
	routes_free(d.routes);
	return answer;
}

int answer_verdict_status(const json_t *answer)
{
	const char *verdict = json_string_value(json_object_get(answer, "verdict"));

	if (!g_strcmp0(verdict, "block"))
		return 1;
	return g_strcmp0(verdict, "unknown") ? 0 : 3;
}
