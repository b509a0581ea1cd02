/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* routes.c: see routes.h. */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "answer/routes.h"

/* --- pairs ------------------------------------------------------------------------------------- */

struct pair {
	const struct needs *needs;
	const struct profile *from, *to; /* from NULL: not known, or a start */
	bool start;
};

struct routes {
	const struct answering *a;
	struct judge judge;
	GHashTable *verdicts; /* struct pair → enum verdict */
};

static guint pair_hash(const void *data)
{
	const struct pair *p = data;

	return g_direct_hash(p->needs) * 31 + g_direct_hash(p->from) * 17 + g_direct_hash(p->to) +
	       p->start;
}

static gboolean pair_equal(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->needs == y->needs && x->from == y->from && x->to == y->to && x->start == y->start;
}

struct routes *routes_new(const struct answering *a)
{
	struct routes *routes = g_new0(struct routes, 1);

	routes->a = a;
	routes->judge = *a->judge;
	routes->judge.brief = true;
	routes->verdicts = g_hash_table_new_full(pair_hash, pair_equal, g_free, NULL);
	return routes;
}

void routes_free(struct routes *routes)
{
	g_hash_table_unref(routes->verdicts);
	g_free(routes);
}

static enum verdict judge_pair(struct routes *routes, const struct pair *pair,
			       const struct cpu_need *cpu)
{
	struct verdicts *v;
	enum verdict verdict;
	void *found;

	if (g_hash_table_lookup_extended(routes->verdicts, pair, NULL, &found))
		return (enum verdict)GPOINTER_TO_INT(found);
	routes->judge.until = pair->start ? ON_START : ON_MIGRATE;
	v = judge_guest(&routes->judge, pair->needs, cpu, pair->from, pair->to);
	verdict = pair->start ? v->start : v->migrate;
	verdicts_free(v);
	g_hash_table_insert(routes->verdicts, g_memdup2(pair, sizeof(*pair)),
			    GINT_TO_POINTER((int)verdict));
	return verdict;
}

enum verdict routes_move(struct routes *routes, const struct guest *guest,
			 const struct profile *from, const struct profile *to)
{
	struct pair pair = { .needs = guest_needs(guest), .from = from, .to = to };

	return judge_pair(routes, &pair, guest->live ? guest->live_cpu : guest->defined_cpu);
}

enum verdict routes_start(struct routes *routes, const struct guest *guest,
			  const struct profile *to)
{
	struct pair pair = { .needs = guest->defined ? guest->defined : guest->live, .to = to,
			     .start = true };

	return judge_pair(routes, &pair, guest->defined ? guest->defined_cpu : guest->live_cpu);
}

/* Overrides touch findings, all of which are asked for then. */
static enum verdict allowed_answer(struct routes *routes, const struct guest_group *group,
				   const struct host_class *to)
{
	const struct profile *from = group->from ? group->from->profile : NULL;
	struct judge judge = routes->judge;
	struct verdicts *v;
	enum verdict verdict;

	judge.until = 0;
	v = guest_judge(&judge, group->first, from, to->profile);
	verdict = override_class_answer(routes->a, group->first, to, v, group->question);
	verdicts_free(v);
	return verdict;
}

enum verdict routes_answer(struct routes *routes, const struct guest_group *group,
			   const struct host_class *to)
{
	g_autofree char *allowed = override_signature(routes->a, group->first, NULL);

	if (*allowed)
		return allowed_answer(routes, group, to);
	return group->question == ASK_START ?
		       routes_start(routes, group->first, to->profile) :
		       routes_move(routes, group->first, group->from ? group->from->profile : NULL, to->profile);
}

/* --- counting ---------------------------------------------------------------------------------- */

bool verdict_is_good(enum verdict verdict)
{
	return verdict == V_OK || verdict == V_WARN;
}

guint reach_good(const struct reach *reach)
{
	return reach->hosts[V_OK] + reach->hosts[V_WARN];
}

/* The class itself comes first: mostly one of its own hosts is where a guest can go. */
static const struct host_class *class_after(const struct fleet *fleet, const struct host_class *own,
					    guint i)
{
	if (i == 0)
		return own;
	return g_ptr_array_index(fleet->classes, i <= own->index ? i - 1 : i);
}

/* Does the definition itself say what the guest sees, wherever it was started? */
static bool is_settled(const struct needs *needs)
{
	const char *digits = needs->machine ? strpbrk(needs->machine, "0123456789") : NULL;

	if (needs->live)
		return true;
	return (!needs->cpu || needs->cpu->mode == CPU_CUSTOM) && digits && strchr(digits, '.');
}

enum verdict routes_on(struct routes *routes, const struct guest *guest, const struct profile *started,
		       const struct profile *from, const struct profile *to)
{
	return routes_move(routes, guest, started && !is_settled(guest_needs(guest)) ? started : from, to);
}

struct reach routes_onward(struct routes *routes, const struct fleet *fleet, const struct guest *guest,
			   const struct profile *started, const struct host_class *class, bool any)
{
	struct reach reach = { 0 };

	for (guint i = 0; i < fleet->classes->len && !(any && reach_good(&reach)); i++) {
		const struct host_class *to = class_after(fleet, class, i);
		guint hosts = to->hosts->len - (to == class ? 1 : 0);

		if (hosts)
			reach.hosts[routes_on(routes, guest, started, class->profile, to->profile)] += hosts;
	}
	return reach;
}

struct reach routes_reach(struct routes *routes, const struct fleet *fleet,
			  const struct guest_group *group, const guint *within)
{
	const struct host_class *own = group->question == ASK_MIGRATE && group->from ?
					       group->from->class : NULL;
	struct reach reach = { 0 };

	for (guint i = 0; i < fleet->classes->len; i++) {
		const struct host_class *to = g_ptr_array_index(fleet->classes, i);
		guint hosts = within ? within[i] : to->hosts->len - (to == own ? 1 : 0);

		if (hosts)
			reach.hosts[routes_answer(routes, group, to)] += hosts;
	}
	return reach;
}
