/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * upgrade.c: see upgrade.h.
 *
 * Theory of operation: who is stranded at a step depends on which transitions are done by then and
 * not on their order, so the best order is found over sets of transitions: what a set costs is the
 * least over its last member. Beyond MAX_EXACT of them the next one is the cheapest each time.
 */
#include "config.h"

#include <string.h>

#include "answer/upgrade.h"

#define MAX_EXACT 12u
#define MAX_TRANSITIONS 512u

void host_change_free(void *data)
{
	struct host_change *change = data;

	g_free(change->name);
	g_free(change);
}

/* --- transitions ------------------------------------------------------------------------------- */

static void transition_free(void *data)
{
	struct transition *t = data;

	g_ptr_array_unref(t->changes);
	g_free(t);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct host_change *const *)a)->name,
		      (*(const struct host_change *const *)b)->name);
}

static int by_size(const void *a, const void *b)
{
	const struct transition *x = *(struct transition *const *)a, *y = *(struct transition *const *)b;

	if (x->changes->len != y->changes->len)
		return x->changes->len > y->changes->len ? -1 : 1;
	return strcmp(x->first->name, y->first->name);
}

GPtrArray *transitions_of(const GPtrArray *changes)
{
	g_autoptr(GHashTable) by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *all = g_ptr_array_new_with_free_func(transition_free);

	for (guint i = 0; i < changes->len; i++) {
		const struct host_change *c = g_ptr_array_index(changes, i);
		const char *was = c->was ? c->was_class : "-", *now = c->now ? c->now->class->full : "-";
		char *key = g_strconcat(was, " ", now, NULL);
		struct transition *t = g_hash_table_lookup(by_key, key);

		if (t || !strcmp(was, now)) {
			g_free(key);
		} else {
			t = g_new0(struct transition, 1);
			t->first = c;
			t->changes = g_ptr_array_new();
			g_hash_table_insert(by_key, key, t);
			g_ptr_array_add(all, t);
		}
		if (t)
			g_ptr_array_add(t->changes, (void *)c);
	}
	for (guint i = 0; i < all->len; i++) {
		struct transition *t = g_ptr_array_index(all, i);

		g_ptr_array_sort(t->changes, by_name);
		t->first = g_ptr_array_index(t->changes, 0);
	}
	g_ptr_array_sort(all, by_size);
	return all;
}

json_t *transition_json(const struct transition *t)
{
	const struct host_change *first = t->first;
	g_autofree char *was = first->was ? g_strndup(first->was_class, CLASS_ID_DIGITS) : NULL;
	json_t *names = json_array();

	for (guint i = 0; i < t->changes->len; i++) {
		const struct host_change *c = g_ptr_array_index(t->changes, i);

		json_array_append_new(names, json_string(c->name));
	}
	return json_pack("{s:s?, s:s?, s:i, s:o}", "from_class", was, "to_class",
			 first->now ? first->now->class->id : NULL, "hosts_n", (int)t->changes->len, "hosts",
			 names);
}

/* --- steps ------------------------------------------------------------------------------------- */

/* Transitions. */
struct set {
	uint64_t words[MAX_TRANSITIONS / 64];
};

static bool in_set(const struct set *set, guint i)
{
	return set->words[i / 64] >> i % 64 & 1;
}

static void put_in(struct set *set, guint i)
{
	set->words[i / 64] |= UINT64_C(1) << i % 64;
}

/* Guests of one kind on the hosts of a transition, and where they could go. */
struct mover {
	struct guest_group *group;
	guint step;              /* the transition that their hosts are of */
	bool away;               /* to a host that doesn't change */
	struct set was, will;    /* transitions whose hosts would take them before, after */
};

struct upgrade {
	const struct answering *a;
	struct routes *routes;
	GPtrArray *transitions;
	GArray *movers;          /* struct mover, by step */
	guint *first;            /* by step: its first mover, and one more: their number */
	GPtrArray *groups;       /* arrays of struct guest_group, one a transition: keeps them */
	guint *unchanged;        /* by class: hosts that don't change */
};

enum when { WHEN_FINE, WHEN_FIRST, WHEN_LAST, WHEN_NEVER };

/* Would hosts of another transition take it, as they are when some are done? */
static bool by_others(const struct mover *m, const struct set *done)
{
	for (guint i = 0; i < G_N_ELEMENTS(done->words); i++) {
		uint64_t own = m->step / 64 == i ? UINT64_C(1) << m->step % 64 : 0;

		if (((m->was.words[i] & ~done->words[i]) | (m->will.words[i] & done->words[i])) & ~own)
			return true;
	}
	return false;
}

static enum when when(const struct upgrade *u, const struct mover *m, const struct set *done)
{
	const struct transition *t = g_ptr_array_index(u->transitions, m->step);
	bool twins = t->changes->len > 1;
	bool was = twins && in_set(&m->was, m->step), will = twins && in_set(&m->will, m->step);

	if (m->away || (was && will) || by_others(m, done))
		return WHEN_FINE;
	return was ? WHEN_LAST : will ? WHEN_FIRST : WHEN_NEVER;
}

/* Guests that are stranded while a transition's hosts are changed, others being done. */
static guint64 cost(const struct upgrade *u, guint step, const struct set *done)
{
	guint64 n = 0;

	for (guint i = u->first[step]; i < u->first[step + 1]; i++) {
		const struct mover *m = &g_array_index(u->movers, struct mover, i);

		if (when(u, m, done) != WHEN_FINE)
			n += m->group->guests->len;
	}
	return n;
}

/* The best order, over all sets. */
static void order_exactly(const struct upgrade *u, guint *order)
{
	guint n = u->transitions->len;
	size_t sets = (size_t)1 << n, set = sets - 1;
	g_autofree guint64 *least = g_new0(guint64, sets);
	g_autofree guint8 *last = g_new0(guint8, sets);

	for (size_t s = 1; s < sets; s++) {
		least[s] = G_MAXUINT64;
		for (guint i = n; i-- > 0;) {
			size_t before = s & ~((size_t)1 << i);
			struct set done = { .words = { before } };
			guint64 total;

			if (before == s)
				continue;
			total = least[before] + cost(u, i, &done);
			if (total < least[s]) {
				least[s] = total;
				last[s] = (guint8)i;
			}
		}
	}
	for (guint at = n; at-- > 0;) {
		order[at] = last[set];
		set &= ~((size_t)1 << last[set]);
	}
}

static void order_greedily(const struct upgrade *u, guint *order)
{
	struct set done = { 0 };

	for (guint at = 0; at < u->transitions->len; at++) {
		guint64 least = G_MAXUINT64;

		for (guint i = 0; i < u->transitions->len; i++) {
			guint64 total = in_set(&done, i) ? G_MAXUINT64 : cost(u, i, &done);

			if (total < least) {
				least = total;
				order[at] = i;
			}
		}
		put_in(&done, order[at]);
	}
}

static void add_mover(struct upgrade *u, guint step, struct guest_group *group)
{
	const struct transition *own = g_ptr_array_index(u->transitions, step);
	const struct profile *from = own->first->was;
	struct mover m = { .group = group, .step = step };

	for (guint i = 0; i < u->a->fleet->classes->len && !m.away; i++) {
		const struct host_class *to = g_ptr_array_index(u->a->fleet->classes, i);

		m.away = u->unchanged[i] &&
			 verdict_is_good(routes_move(u->routes, group->first, from, to->profile));
	}
	for (guint i = 0; i < u->transitions->len; i++) {
		const struct host_change *to = ((struct transition *)g_ptr_array_index(u->transitions, i))->first;

		if (to->was && verdict_is_good(routes_move(u->routes, group->first, from, to->was)))
			put_in(&m.was, i);
		if (to->now && verdict_is_good(routes_move(u->routes, group->first, from, to->now->profile)))
			put_in(&m.will, i);
	}
	g_array_append_val(u->movers, m);
}

/* Running guests of each transition's hosts, by what they need. */
static void add_movers(struct upgrade *u, const GPtrArray *guests)
{
	g_autoptr(GHashTable) step_of = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) by_step = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);

	for (guint i = 0; i < u->transitions->len; i++) {
		const struct transition *t = g_ptr_array_index(u->transitions, i);

		g_ptr_array_add(by_step, g_ptr_array_new());
		for (guint c = 0; t->first->was && c < t->changes->len; c++)
			g_hash_table_insert(step_of, ((struct host_change *)t->changes->pdata[c])->name,
					    GUINT_TO_POINTER(i + 1));
	}
	for (guint i = 0; i < guests->len; i++) {
		struct guest *g = g_ptr_array_index(guests, i);
		guint step = g->host && g->running ?
				     GPOINTER_TO_UINT(g_hash_table_lookup(step_of, g->host)) : 0;

		if (step)
			g_ptr_array_add(g_ptr_array_index(by_step, step - 1), g);
	}
	for (guint i = 0; i < by_step->len; i++) {
		GPtrArray *groups = guest_groups(u->a, g_ptr_array_index(by_step, i));

		g_ptr_array_add(u->groups, groups);
		u->first[i] = u->movers->len;
		for (guint k = 0; k < groups->len; k++)
			add_mover(u, i, g_ptr_array_index(groups, k));
	}
	u->first[by_step->len] = u->movers->len;
}

static void count_unchanged(struct upgrade *u)
{
	u->unchanged = g_new0(guint, u->a->fleet->classes->len + 1);
	for (guint i = 0; i < u->a->fleet->classes->len; i++)
		u->unchanged[i] = ((struct host_class *)g_ptr_array_index(u->a->fleet->classes, i))->hosts->len;
	for (guint i = 0; i < u->transitions->len; i++) {
		const struct transition *t = g_ptr_array_index(u->transitions, i);

		if (t->first->now)
			u->unchanged[t->first->now->class->index] -= t->changes->len;
	}
}

/* --- the answer -------------------------------------------------------------------------------- */

static bool has_guest_on(const struct guest_group *group, const char *host)
{
	for (guint i = 0; i < group->guests->len; i++)
		if (!strcmp(((const struct guest *)g_ptr_array_index(group->guests, i))->host, host))
			return true;
	return false;
}

static json_t *step_json(const struct upgrade *u, guint step, const struct set *done, const char *only)
{
	static const char *const words[] = { "", "first", "last", "never" };
	json_t *json = transition_json(g_ptr_array_index(u->transitions, step));
	json_t *stranded = json_array();
	guint guests = 0, n = 0;

	for (guint i = u->first[step]; i < u->first[step + 1]; i++) {
		const struct mover *m = &g_array_index(u->movers, struct mover, i);
		enum when at = when(u, m, done);
		json_t *group;

		guests += m->group->guests->len;
		if (at == WHEN_FINE)
			continue;
		n += m->group->guests->len;
		if (only && !has_guest_on(m->group, only))
			continue;
		group = guest_group_json(m->group);
		json_object_set_new(group, "when", json_string(words[at]));
		json_array_append_new(stranded, group);
	}
	json_object_update_new(json, json_pack("{s:i, s:i, s:o}", "guests_n", (int)guests, "stranded_n", (int)n,
					       "stranded", stranded));
	return json;
}

static json_t *steps_json(const struct upgrade *u, const char *only)
{
	guint n = u->transitions->len;
	g_autofree guint *order = g_new0(guint, n + 1);
	json_t *steps = json_array();
	struct set done = { 0 };
	guint64 total = 0;

	if (n <= MAX_EXACT)
		order_exactly(u, order);
	else
		order_greedily(u, order);
	for (guint i = 0; i < n; i++) {
		total += cost(u, order[i], &done);
		json_array_append_new(steps, step_json(u, order[i], &done, only));
		put_in(&done, order[i]);
	}
	return json_pack("{s:b, s:i, s:o}", "exact", n <= MAX_EXACT, "stranded_n", (int)total, "steps", steps);
}

json_t *upgrade_json(const struct answering *a, struct routes *routes, const GPtrArray *guests,
		     const GPtrArray *changes, const char *only)
{
	struct upgrade u = { .a = a, .routes = routes, .transitions = transitions_of(changes) };
	json_t *json = json_null();

	u.movers = g_array_new(FALSE, FALSE, sizeof(struct mover));
	u.groups = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	if (u.transitions->len && u.transitions->len <= MAX_TRANSITIONS) {
		u.first = g_new0(guint, u.transitions->len + 1);
		count_unchanged(&u);
		add_movers(&u, guests);
		json = steps_json(&u, only);
	}
	g_free(u.unchanged);
	g_free(u.first);
	g_ptr_array_unref(u.groups);
	g_array_unref(u.movers);
	g_ptr_array_unref(u.transitions);
	return json;
}
