/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pools-search.c: a good partition of many classes: join the two pools that lose least by it until
 * few enough are left, then move classes while that gains.
 *
 * The bound: at least n - k of n classes share one of k pools with another, and each of those keeps
 * no more than what it has in common with the one class that it has most in common with.
 */
#include "config.h"

#include <string.h>

#include "model/bits.h"
#include "plan/pools-parts.h"

struct joining {
	const struct group_plan *g;
	size_t words;
	guint n;          /* pools that are left */
	uint64_t **sets;
	int64_t *worth;   /* hosts counted */
	guint *hosts;
	int64_t *loss;    /* of joining i and k, n × n of the first n; */
	guint stride;
};

static int64_t worth_of(const struct group_plan *g, const uint64_t *set)
{
	return (int64_t)(problem_worth(g->p, set, NULL) * pool_hosts(g->p, set));
}

static int64_t loss_of(const struct joining *j, guint a, guint b)
{
	g_autofree uint64_t *both = g_new(uint64_t, j->words);

	for (size_t w = 0; w < j->words; w++)
		both[w] = j->sets[a][w] | j->sets[b][w];
	return j->worth[a] + j->worth[b] - worth_of(j->g, both);
}

static int64_t *loss_at(const struct joining *j, guint a, guint b)
{
	return &j->loss[(size_t)MIN(a, b) * j->stride + MAX(a, b)];
}

static void joining_init(struct joining *j, const struct group_plan *g)
{
	j->g = g;
	j->n = j->stride = g->p->n;
	j->words = bits_words(j->n);
	j->sets = g_new(uint64_t *, j->n);
	j->worth = g_new(int64_t, j->n);
	j->hosts = g_new(guint, j->n);
	j->loss = g_new0(int64_t, (size_t)j->n * j->n);
	for (guint i = 0; i < j->n; i++) {
		j->sets[i] = g_new0(uint64_t, j->words);
		bits_put(j->sets[i], i, true);
		j->worth[i] = worth_of(g, j->sets[i]);
	}
	for (guint i = 0; i < j->n; i++)
		for (guint k = i + 1; k < j->n; k++)
			*loss_at(j, i, k) = loss_of(j, i, k);
}

static void joining_clear(struct joining *j)
{
	for (guint i = 0; i < j->n; i++)
		g_free(j->sets[i]);
	g_free(j->sets);
	g_free(j->worth);
	g_free(j->hosts);
	g_free(j->loss);
}

/* Joins b into a; the last one takes b's place. */
static void join(struct joining *j, guint a, guint b)
{
	guint last = j->n - 1;

	for (size_t w = 0; w < j->words; w++)
		j->sets[a][w] |= j->sets[b][w];
	g_free(j->sets[b]);
	j->worth[a] = worth_of(j->g, j->sets[a]);
	if (b != last) {
		j->sets[b] = j->sets[last];
		j->worth[b] = j->worth[last];
		for (guint i = 0; i < last; i++)
			if (i != b)
				*loss_at(j, i, b) = *loss_at(j, i, last);
	}
	j->n = last;
	for (guint i = 0; i < j->n; i++)
		if (i != a)
			*loss_at(j, i, a) = loss_of(j, i, a);
}

/* Joins the pair that loses least, of those with a pool that doesn't fit where there is one. */
static void join_best(struct joining *j, int misfit)
{
	guint a = 0, b = 1;
	int64_t least = INT64_MAX;

	for (guint i = 0; i < j->n; i++)
		for (guint k = i + 1; k < j->n; k++) {
			if (misfit >= 0 && i != (guint)misfit && k != (guint)misfit)
				continue;
			if (*loss_at(j, i, k) >= least)
				continue;
			least = *loss_at(j, i, k);
			a = i;
			b = k;
		}
	join(j, a, b);
}

static int first_misfit(const struct joining *j)
{
	for (guint i = 0; i < j->n; i++)
		if (!pool_fits(j->g->p, j->g->options, j->sets[i]))
			return (int)i;
	return -1;
}

static GPtrArray *snapshot(const struct joining *j, int64_t *value)
{
	GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);

	*value = 0;
	for (guint i = 0; i < j->n; i++) {
		g_ptr_array_add(parts, copy_of(j->sets[i], j->words * sizeof(uint64_t)));
		*value += j->worth[i];
	}
	return parts;
}

/* Moves a class from one pool to another where that gains; returns what it gained. */
static int64_t try_move(const struct group_plan *g, GPtrArray *parts, guint class, guint from, guint to)
{
	size_t words = bits_words(g->p->n);
	uint64_t *a = parts->pdata[from], *b = parts->pdata[to];
	int64_t before = worth_of(g, a) + worth_of(g, b), after = -1;

	bits_put(a, class, false);
	bits_put(b, class, true);
	if (!bits_empty(a, words) && pool_fits(g->p, g->options, a))
		after = worth_of(g, a) + worth_of(g, b);
	if (after > before)
		return after - before;
	bits_put(a, class, true);
	bits_put(b, class, false);
	return 0;
}

static int64_t move_round(const struct group_plan *g, GPtrArray *parts)
{
	int64_t gained = 0;

	for (guint c = 0; c < g->p->n; c++)
		for (guint to = 0; to < parts->len; to++) {
			guint from = 0;

			while (!bits_test(parts->pdata[from], c))
				from++;
			if (from != to)
				gained += try_move(g, parts, c, from, to);
		}
	return gained;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void set_bounds(struct group_plan *g, const struct joining *j)
{
	g_autofree int64_t *least = g_new(int64_t, j->n);
	int64_t bound = 0;
	guint alone = j->n;

	for (guint i = 0; i < j->n; i++) {
		uint64_t most = 0;

		for (guint k = 0; k < j->n; k++) {
			g_autofree uint64_t *both = g_new(uint64_t, j->words);

			if (k == i)
				continue;
			for (size_t w = 0; w < j->words; w++)
				both[w] = j->sets[i][w] | j->sets[k][w];
			most = MAX(most, problem_worth(g->p, both, NULL));
		}
		least[i] = j->worth[i] - (int64_t)most * g->p->hosts[i];
		bound += j->worth[i];
	}
	qsort(least, j->n, sizeof(*least), by_size);
	for (guint i = 0; i < j->n; i++) {
		alone--;
		bound -= least[i];
		if (alone >= 1 && alone <= g->most)
			g->bound[alone] = bound;
	}
}

#define ROUNDS 4u

void group_search(struct group_plan *g)
{
	struct joining j = { 0 };
	int misfit;

	joining_init(&j, g);
	for (guint k = 1; k <= g->most; k++)
		for (guint i = 0; i < j.n; i++)
			g->bound[k] += j.worth[i];
	set_bounds(g, &j);
	while ((misfit = first_misfit(&j)) >= 0 && j.n > 1)
		join_best(&j, misfit);
	for (; misfit < 0; join_best(&j, -1)) {
		guint k = MIN(j.n, g->most);

		if (j.n <= g->most)
			g->parts[k] = snapshot(&j, &g->value[k]);
		if (j.n == 1)
			break;
	}
	for (guint k = 1; k <= g->most; k++) {
		int64_t gained = 1;

		for (guint r = 0; g->parts[k] && gained && r < ROUNDS; r++)
			g->value[k] += gained = move_round(g, g->parts[k]);
	}
	joining_clear(&j);
}
