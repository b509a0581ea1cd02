/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pools.c: see pools.h: each group for itself (pools-exact.c, pools-search.c), then the pools shared
 * out among groups.
 */
#include "config.h"

#include "model/bits.h"
#include "plan/pools-parts.h"

guint pool_hosts(const struct plan_problem *p, const uint64_t *set)
{
	guint hosts = 0;

	BITS_FOREACH (i, set, bits_words(p->n))
		hosts += p->hosts[i];
	return hosts;
}

bool pool_fits(const struct plan_problem *p, const struct pools_options *options,
	       const uint64_t *set)
{
	int place = SPREAD_NONE;

	if (options->min_size > 1 && pool_hosts(p, set) < options->min_size)
		return false;
	if (!options->spread)
		return true;
	BITS_FOREACH (i, set, bits_words(p->n)) {
		int here = p->spread[i];

		if (here == SPREAD_MANY || (here >= 0 && place >= 0 && here != place))
			return true;
		place = here >= 0 ? here : place;
	}
	return false;
}

static uint64_t *whole_set(const struct plan_problem *p)
{
	uint64_t *set = g_new0(uint64_t, MAX(bits_words(p->n), 1));

	for (guint i = 0; i < p->n; i++)
		bits_put(set, i, true);
	return set;
}

static void plan_group(struct group_plan *g, const struct plan_problem *p,
		       const struct pools_options *options, guint most)
{
	g->p = p;
	g->options = options;
	g->most = MIN(most, p->n);
	g->value = g_new(int64_t, g->most + 1);
	g->bound = g_new0(int64_t, g->most + 1);
	g->parts = g_new0(GPtrArray *, g->most + 1);
	for (guint k = 0; k <= g->most; k++)
		g->value[k] = -1;
	if (p->n <= POOLS_EXACT)
		group_exact(g);
	else
		group_search(g);
	if (g->value[1] >= 0)
		return;
	/* nothing fits: all of them are one pool that doesn't */
	g->most = 1;
	g->parts[1] = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(g->parts[1], whole_set(p));
	g->value[1] = (int64_t)(problem_worth(p, g->parts[1]->pdata[0], NULL) *
				pool_hosts(p, g->parts[1]->pdata[0]));
	g->bound[1] = g->value[1];
}

static void group_clear(struct group_plan *g, guint was)
{
	for (guint k = 1; k <= was; k++)
		g_clear_pointer(&g->parts[k], g_ptr_array_unref);
	g_free(g->parts);
	g_free(g->value);
	g_free(g->bound);
}

/*
 * Shares @max pools out among the groups so that the sum of values (or of bounds) is the largest;
 * @share: by group, or NULL.
 */
static int64_t share_out(const struct group_plan *groups, guint n, guint max, bool bounds, guint *share)
{
	g_autofree int64_t *sum = g_new(int64_t, (size_t)(n + 1) * (max + 1));
	g_autofree guint *taken = g_new0(guint, (size_t)(n + 1) * (max + 1));

	for (guint k = 0; k <= max; k++)
		sum[k] = 0;
	for (guint i = 1; i <= n; i++)
		for (guint k = 0; k <= max; k++) {
			int64_t *here = &sum[(size_t)i * (max + 1) + k];
			const struct group_plan *g = &groups[i - 1];

			*here = -1;
			for (guint own = 1; own <= MIN(k, g->most); own++) {
				int64_t before = sum[(size_t)(i - 1) * (max + 1) + k - own];
				int64_t mine = bounds ? g->bound[own] : g->value[own];

				if (before < 0 || mine < 0 || before + mine <= *here)
					continue;
				*here = before + mine;
				taken[(size_t)i * (max + 1) + k] = own;
			}
		}
	for (guint i = n, k = max; share && i > 0; i--) {
		share[i - 1] = taken[(size_t)i * (max + 1) + k];
		k -= share[i - 1];
	}
	return sum[(size_t)n * (max + 1) + max];
}

static int by_group(const void *a, const void *b)
{
	const struct pool *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->hosts != y->hosts)
		return x->hosts > y->hosts ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static void add_pools(struct pools *pools, const struct group_plan *g, guint group, guint share)
{
	const GPtrArray *parts = g->parts[share];
	g_autofree uint64_t *all = whole_set(g->p);

	for (guint i = 0; i < parts->len; i++) {
		struct pool pool = { .group = group };
		size_t words = MAX(bits_words(g->p->n), 1);

		pool.set = copy_of(parts->pdata[i], words * sizeof(uint64_t));
		pool.first = (guint)bits_next(pool.set, words, 0);
		pool.hosts = pool_hosts(g->p, pool.set);
		pool.worth = problem_worth(g->p, pool.set, &pool.layer);
		pool.fits = pool_fits(g->p, g->options, pool.set);
		pools->fits = pools->fits && pool.fits;
		g_array_append_val(pools->pools, pool);
	}
	pools->whole += problem_worth(g->p, all, NULL) * pool_hosts(g->p, all);
	for (guint i = 0; i < g->p->n; i++) {
		g_autofree uint64_t *one = g_new0(uint64_t, bits_words(g->p->n));

		bits_put(one, i, true);
		pools->apart += problem_worth(g->p, one, NULL) * g->p->hosts[i];
	}
}

static void clear_pool(void *data)
{
	g_free(((struct pool *)data)->set);
}

struct pools pools_choose(const GPtrArray *groups, const struct pools_options *options)
{
	struct pools pools = { .fits = true };
	struct group_plan *plans = g_new0(struct group_plan, MAX(groups->len, 1));
	g_autofree guint *was = g_new0(guint, groups->len + 1);
	g_autofree guint *share = g_new0(guint, groups->len + 1);
	guint most = options->max - (groups->len ? groups->len - 1 : 0), wanted = 0;

	pools.pools = g_array_new(FALSE, FALSE, sizeof(struct pool));
	g_array_set_clear_func(pools.pools, clear_pool);
	for (guint i = 0; i < groups->len; i++) {
		plan_group(&plans[i], g_ptr_array_index(groups, i), options, most);
		was[i] = MIN(most, plans[i].p->n);
		wanted += plans[i].most;
	}
	wanted = MIN(wanted, options->max);
	pools.value = (uint64_t)share_out(plans, groups->len, wanted, false, share);
	pools.bound = MAX(pools.value, (uint64_t)share_out(plans, groups->len, wanted, true, NULL));
	for (guint i = 0; i < groups->len; i++) {
		/* a number of pools that no partition was found for */
		while (share[i] > 1 && !plans[i].parts[share[i]])
			share[i]--;
		add_pools(&pools, &plans[i], i, share[i]);
		group_clear(&plans[i], was[i]);
	}
	g_array_sort(pools.pools, by_group);
	g_free(plans);
	return pools;
}

void pools_clear(struct pools *pools)
{
	g_clear_pointer(&pools->pools, g_array_unref);
}
