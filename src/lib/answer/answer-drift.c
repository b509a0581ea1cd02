/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-drift.c: the answer "drift", what has changed on hosts, alike ones once, and whom it hurts or
 * helps; see answer.h. What a change means is told in drift-mean.c.
 */
#include "config.h"

#include <string.h>

#include "answer/drift.h"
#include "answer/reasons.h"
#include "model/document.h"

/* Guests of equal needs whose hosts changed alike. */
struct kin {
	struct guest_group *group;
	const struct transition *own;  /* of their hosts, or NULL */
	const struct profile *was, *now; /* of the host they run on; NULL: they start anywhere */
	struct reach before, after;    /* before: where it was asked for (measure()) */
	bool measured;
	int index;                     /* in the answer, -1: not told of yet */
};

struct drift {
	const struct answering *a;
	struct routes *routes;
	GPtrArray *transitions;
	GPtrArray *groups;             /* arrays of struct guest_group: keeps them */
	GArray *kin;                   /* struct kin */
	guint *unchanged;              /* by class */
	json_t *told;                  /* "guest_groups" */
	guint hurt_n, stranded_n, unsure_n;
};

static enum verdict answer_of(struct drift *d, const struct kin *k, const struct profile *from,
			      const struct profile *to)
{
	return k->group->question == ASK_START ? routes_start(d->routes, k->group->first, to) :
						 routes_move(d->routes, k->group->first, from, to);
}

/* --- groups ------------------------------------------------------------------------------------ */

/* All hosts as they were; the one that they run on doesn't count. */
static struct reach reach_before(struct drift *d, const struct kin *k)
{
	struct reach reach = { 0 };

	for (guint i = 0; i < d->a->fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(d->a->fleet->classes, i);

		if (d->unchanged[i])
			reach.hosts[answer_of(d, k, k->was, class->profile)] += d->unchanged[i];
	}
	for (guint i = 0; i < d->transitions->len; i++) {
		const struct transition *t = g_ptr_array_index(d->transitions, i);

		if (t->first->was)
			reach.hosts[answer_of(d, k, k->was, t->first->was)] += t->changes->len;
	}
	if (k->group->question == ASK_MIGRATE && k->was && !(k->own && !k->own->first->was))
		reach.hosts[answer_of(d, k, k->was, k->was)]--;
	return reach;
}

static void measure(struct drift *d, struct kin *k)
{
	if (!k->measured)
		k->before = reach_before(d, k);
	k->measured = true;
}

static void add_kin(struct drift *d, struct guest_group *group, const struct transition *own)
{
	struct kin k = { .group = group, .own = own, .index = -1 };

	k.now = group->from ? group->from->class->profile : NULL;
	k.was = own && own->first->was && k.now ? own->first->was : k.now;
	k.after = routes_reach(d->routes, d->a->fleet, group, NULL);
	g_array_append_val(d->kin, k);
}

/* Guests by the transition of their hosts, those of hosts that didn't change last. */
static void add_guests(struct drift *d, const GPtrArray *guests)
{
	g_autoptr(GHashTable) own_of = g_hash_table_new(g_str_hash, g_str_equal);
	guint n = d->transitions->len;
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);

	for (guint i = 0; i <= n; i++)
		g_ptr_array_add(parts, g_ptr_array_new());
	for (guint i = 0; i < n; i++) {
		const struct transition *t = g_ptr_array_index(d->transitions, i);

		for (guint c = 0; c < t->changes->len; c++)
			g_hash_table_insert(own_of, ((struct host_change *)t->changes->pdata[c])->name,
					    GUINT_TO_POINTER(i + 1));
	}
	for (guint i = 0; i < guests->len; i++) {
		struct guest *g = g_ptr_array_index(guests, i);
		guint own = g->host ? GPOINTER_TO_UINT(g_hash_table_lookup(own_of, g->host)) : 0;

		g_ptr_array_add(g_ptr_array_index(parts, own ? own - 1 : n), g);
	}
	for (guint i = 0; i <= n; i++) {
		GPtrArray *groups = guest_groups(d->a, g_ptr_array_index(parts, i));

		g_ptr_array_add(d->groups, groups);
		for (guint k = 0; k < groups->len; k++)
			add_kin(d, g_ptr_array_index(groups, k),
				i < n ? g_ptr_array_index(d->transitions, i) : NULL);
	}
}

/* The group's place in the answer. */
static int tell(struct drift *d, struct kin *k)
{
	json_t *json;

	if (k->index >= 0)
		return k->index;
	measure(d, k);
	k->index = (int)json_array_size(d->told);
	json = guest_group_json(k->group);
	json_object_update_new(json, json_pack("{s:s, s:o, s:o, s:b}", "question",
					       question_name(k->group->question), "hosts_before",
					       reach_json(&k->before), "hosts_now", reach_json(&k->after),
					       "stranded", reach_good(&k->before) && !reach_good(&k->after)));
	json_array_append_new(d->told, json);
	return k->index;
}

/* --- transitions ------------------------------------------------------------------------------- */

/* Why it can't go, or start, where it could; or what it has to be warned of. */
static json_t *reason(struct drift *d, const struct kin *k, const struct transition *t, bool here,
		      enum verdict now)
{
	struct guest_group asked = *k->group;
	json_t *reasons, *first;

	if (here) {
		asked.question = ASK_START;
		asked.from = NULL;
	}
	if (!t->first->now || now == V_OK)
		return json_null();
	reasons = reasons_on(d->a, &asked, now, t->first->now->class->profile);
	first = json_incref(json_array_get(reasons, 0));
	json_decref(reasons);
	json_object_del(first, "classes");
	json_object_del(first, "hosts_n");
	return first ? first : json_null();
}

/* How a transition changes what a group can do: go to its hosts, or start again on the one it is on. */
static void weigh(struct drift *d, struct kin *k, const struct transition *t, json_t *hurts, json_t *helps)
{
	bool here = k->own == t && k->group->question == ASK_MIGRATE;
	const struct profile *was = t->first->was, *is = t->first->now ? t->first->now->class->profile : NULL;
	enum verdict before = !was ? V_BLOCK : here ? routes_start(d->routes, k->group->first, was) :
						      answer_of(d, k, k->was, was);
	enum verdict now = !is ? V_BLOCK : here ? routes_start(d->routes, k->group->first, is) :
						  answer_of(d, k, k->now, is);
	json_t *entry;

	/* what couldn't go there before loses nothing, and gains where it can now */
	if (before == now || (!verdict_is_good(before) && !verdict_is_good(now)))
		return;
	entry = json_pack("{s:i, s:b, s:s?, s:s?}", "group", tell(d, k), "here", here, "before",
			  was ? verdict_name(before) : NULL, "now", is ? verdict_name(now) : NULL);
	if (now > before)
		json_object_set_new(entry, "reason", reason(d, k, t, here, now));
	json_array_append_new(now > before ? hurts : helps, entry);
}

static json_t *transition(struct drift *d, const struct transition *t)
{
	json_t *json = transition_json(t);
	json_t *hurts = json_array(), *helps = json_array();

	drift_mean(json, d->a, t);
	for (guint i = 0; i < d->kin->len; i++)
		weigh(d, &g_array_index(d->kin, struct kin, i), t, hurts, helps);
	json_object_set_new(json, "hurts", hurts);
	json_object_set_new(json, "helps", helps);
	return json;
}

/* Hosts that are what they were, as far as guests could notice. */
static guint count_alike(const struct drift *d, const GPtrArray *changes)
{
	guint n = changes->len;

	for (guint i = 0; i < d->transitions->len; i++)
		n -= ((struct transition *)g_ptr_array_index(d->transitions, i))->changes->len;
	return n;
}

static void count_unchanged(struct drift *d)
{
	d->unchanged = g_new0(guint, d->a->fleet->classes->len + 1);
	for (guint i = 0; i < d->a->fleet->classes->len; i++)
		d->unchanged[i] = ((struct host_class *)g_ptr_array_index(d->a->fleet->classes, i))->hosts->len;
	for (guint i = 0; i < d->transitions->len; i++) {
		const struct transition *t = g_ptr_array_index(d->transitions, i);

		if (t->first->now)
			d->unchanged[t->first->now->class->index] -= t->changes->len;
	}
}

static void count_guests(struct drift *d, const json_t *transitions)
{
	g_autofree bool *hurt = g_new0(bool, json_array_size(d->told) + 1);
	const json_t *t, *entry;
	size_t i, h;

	json_array_foreach (transitions, i, t)
		json_array_foreach (json_object_get(t, "hurts"), h, entry)
			hurt[json_integer_value(json_object_get(entry, "group"))] = true;
	for (guint k = 0; k < d->kin->len; k++) {
		struct kin *kin = &g_array_index(d->kin, struct kin, k);
		guint n = kin->group->guests->len;

		if (kin->index >= 0 && hurt[kin->index])
			d->hurt_n += n;
		if (reach_good(&kin->after))
			continue;
		measure(d, kin);
		if (!reach_good(&kin->before))
			continue;
		d->stranded_n += n;
		d->unsure_n += reach_best(&kin->after) == V_UNKNOWN ? n : 0;
	}
}

static const char *overall(const struct drift *d)
{
	if (d->stranded_n > d->unsure_n)
		return "block";
	return d->unsure_n ? "unknown" : d->hurt_n ? "warn" : "ok";
}

static void add_decision(json_t *answer, const struct drift *d)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(parts, g_strdup("drift"));
	for (guint i = 0; i < d->transitions->len; i++) {
		const struct transition *t = g_ptr_array_index(d->transitions, i);

		g_ptr_array_add(parts, g_strdup_printf("%s %s %u", t->first->was_class,
						       t->first->now ? t->first->now->class->full : "-",
						       t->changes->len));
	}
	for (guint i = 0; i < d->kin->len; i++) {
		json_t *needs = guest_group_needs(g_array_index(d->kin, struct kin, i).group);

		g_ptr_array_add(parts, document_text(needs));
		json_decref(needs);
	}
	answer_decision(answer, d->a, parts);
}

json_t *answer_drift(const struct answering *a, const GPtrArray *guests, const GPtrArray *changes,
		     int64_t since)
{
	struct drift d = { .a = a, .routes = routes_new(a), .transitions = transitions_of(changes),
			   .told = json_array() };
	g_autoptr(GDateTime) then = g_date_time_new_from_unix_utc(since);
	g_autofree char *time = then ? g_date_time_format(then, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("?");
	json_t *answer = answer_new("drift");
	json_t *transitions = json_array();

	d.groups = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	d.kin = g_array_new(FALSE, FALSE, sizeof(struct kin));
	count_unchanged(&d);
	add_guests(&d, guests);
	for (guint i = 0; i < d.transitions->len; i++)
		json_array_append_new(transitions, transition(&d, g_ptr_array_index(d.transitions, i)));
	count_guests(&d, transitions);
	json_object_update_new(answer, json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "since", time,
						 "verdict", overall(&d), "hosts_n", (int)a->fleet->hosts->len,
						 "changed_n", (int)(changes->len - count_alike(&d, changes)),
						 "alike_n", (int)count_alike(&d, changes), "hurt_n",
						 (int)d.hurt_n, "stranded_n", (int)d.stranded_n, "transitions",
						 transitions, "guest_groups", d.told));
	answer_not_judged(answer);
	add_decision(answer, &d);
	g_free(d.unchanged);
	g_array_unref(d.kin);
	g_ptr_array_unref(d.groups);
	g_ptr_array_unref(d.transitions);
	routes_free(d.routes);
	return answer;
}
