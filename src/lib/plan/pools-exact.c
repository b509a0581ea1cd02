/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pools-exact.c: the best partition of few classes: for each set of them the best one into at most
 * k pools, of those into at most k - 1, by the pool that its first class is in.
 */
#include "config.h"

#include "model/bits.h"
#include "plan/pools-parts.h"

/* What each set of classes is worth as a pool, hosts counted; -1 where it may not be one. */
static int64_t *worth_of_sets(const struct group_plan *g)
{
	guint sets = 1u << g->p->n;
	int64_t *worth = g_new(int64_t, sets);

	for (guint mask = 0; mask < sets; mask++) {
		uint64_t set = mask;

		worth[mask] = -1;
		if (mask && pool_fits(g->p, g->options, &set))
			worth[mask] = (int64_t)(problem_worth(g->p, &set, NULL) * pool_hosts(g->p, &set));
	}
	return worth;
}

/* One more pool: @more from @less; which pool the first class is in goes to @chosen. */
static void add_pool(guint n, const int64_t *worth, const int64_t *less, int64_t *more,
		     guint16 *chosen)
{
	for (guint mask = 1; mask < 1u << n; mask++) {
		guint first = mask & -mask, rest = mask ^ first;

		more[mask] = less[mask];
		chosen[mask] = 0;
		for (guint sub = rest;; sub = (sub - 1) & rest) {
			guint pool = sub | first;

			if (worth[pool] >= 0 && pool != mask && less[mask ^ pool] >= 0 &&
			    worth[pool] + less[mask ^ pool] > more[mask]) {
				more[mask] = worth[pool] + less[mask ^ pool];
				chosen[mask] = (guint16)pool;
			}
			if (!sub)
				break;
		}
	}
}

static void add_part(GPtrArray *parts, guint mask)
{
	uint64_t *set = g_new(uint64_t, 1);

	*set = mask;
	g_ptr_array_add(parts, set);
}

/* The pools of the best partition of all classes into at most @k. */
static GPtrArray *trace(const struct group_plan *g, guint16 **chosen, guint k)
{
	GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
	guint mask = (1u << g->p->n) - 1;

	for (; k > 1; k--)
		if (chosen[k][mask]) {
			guint pool = chosen[k][mask];

			add_part(parts, pool);
			mask ^= pool;
		}
	add_part(parts, mask);
	return parts;
}

void group_exact(struct group_plan *g)
{
	guint sets = 1u << g->p->n, all = sets - 1;
	g_autofree int64_t *worth = worth_of_sets(g);
	int64_t *less = copy_of(worth, sets * sizeof(*worth));
	int64_t *more = g_new(int64_t, sets);
	guint16 **chosen = g_new0(guint16 *, g->most + 1);

	for (guint k = 1; k <= g->most; k++) {
		if (k > 1) {
			chosen[k] = g_new0(guint16, sets);
			more[0] = -1;
			add_pool(g->p->n, worth, less, more, chosen[k]);
			int64_t *swap = less;

			less = more;
			more = swap;
		}
		g->value[k] = g->bound[k] = less[all];
		if (less[all] >= 0)
			g->parts[k] = trace(g, chosen, k);
	}
	for (guint k = 2; k <= g->most; k++)
		g_free(chosen[k]);
	g_free(chosen);
	g_free(less);
	g_free(more);
}
