/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * coverage.c: see coverage.h.
 *
 * Theory of operation: atoms that the same classes lack are one column. A column is gained once
 * every class that lacks it is left out, so what is looked for is the set of columns of most value
 * whose classes, taken together, fit the budget: a knapsack in which things share their weight.
 * Branch and bound over columns: take the best one (leaving out its classes), then do without it.
 * The bound splits each class's weight evenly among the columns that still want it gone: whatever
 * columns are taken, their shares add up to no more than the classes weigh, so that an ordinary
 * knapsack of the shares, cut in fractions, is worth at least as much.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "model/bits.h"
#include "plan/coverage.h"

#define USUAL_EFFORT UINT64_C(30000000)

struct column {
	uint64_t *lack;  /* classes that lack it */
	uint64_t value;
	bool without;    /* this branch does without it */
};

struct search {
	const struct plan_problem *p;
	size_t words;    /* of a set of classes */
	struct column *columns;
	guint m;
	uint64_t base;   /* worth of what all have */
	uint64_t budget;
	uint64_t steps, effort;
	uint64_t open;   /* bound of what wasn't looked at */
	bool found;
	uint64_t best, best_weight;
	uint64_t *best_set;
};

/* One column as the bound sees it. */
struct item {
	double share, value;
	guint column;
};

void choice_clear(struct plan_choice *choice)
{
	g_clear_pointer(&choice->dropped, g_free);
}

uint64_t coverage_need(uint64_t total, guint share)
{
	uint64_t whole = total / 1000000 * share, rest = total % 1000000 * share;
	uint64_t need = whole + (rest + 999999) / 1000000;

	return total && !need ? 1 : need;
}

static uint64_t weight_of(const struct search *s, const uint64_t *set, const uint64_t *but)
{
	uint64_t sum = 0;

	for (size_t w = 0; w < s->words; w++) {
		uint64_t bits = but ? set[w] & ~but[w] : set[w];

		for (; bits; bits &= bits - 1)
			sum += s->p->weights[w * 64 + (size_t)__builtin_ctzll(bits)];
	}
	return sum;
}

static int by_ratio(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	double l = x->value * y->share, r = y->value * x->share;

	if (l != r)
		return l > r ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

/* The columns that can still be gained, with their shares; what the left-out classes gain. */
static GArray *open_items(struct search *s, const uint64_t *dropped, uint64_t left, uint64_t *gained)
{
	GArray *items = g_array_new(FALSE, FALSE, sizeof(struct item));
	g_autofree guint *wanted = g_new0(guint, s->p->n);

	*gained = s->base;
	for (guint j = 0; j < s->m; j++) {
		const struct column *c = &s->columns[j];

		s->steps += s->words;
		if (bits_within(c->lack, dropped, s->words)) {
			*gained += c->value;
			continue;
		}
		if (c->without || weight_of(s, c->lack, dropped) > left)
			continue;
		g_array_append_val(items, ((struct item){ 0, (double)c->value, j }));
		BITS_FOREACH (i, c->lack, s->words)
			wanted[i]++;
	}
	for (guint k = 0; k < items->len; k++) {
		struct item *item = &g_array_index(items, struct item, k);

		BITS_FOREACH (i, s->columns[item->column].lack, s->words) {
			s->steps++;
			if (!bits_test(dropped, (size_t)i))
				item->share += (double)s->p->weights[i] / wanted[i];
		}
	}
	g_array_sort(items, by_ratio);
	return items;
}

static uint64_t bound_of(const GArray *items, uint64_t gained, uint64_t left)
{
	double room = (double)left, sum = 0;

	for (guint k = 0; k < items->len; k++) {
		const struct item *item = &g_array_index(items, struct item, k);

		if (item->share > room) {
			sum += item->value * room / item->share;
			break;
		}
		sum += item->value;
		room -= item->share;
	}
	/* what rounding may have taken away is given back */
	return gained + (uint64_t)floor(sum * (1 + 1e-9) + 1e-6);
}

static void keep_best(struct search *s, const uint64_t *dropped, uint64_t weight, uint64_t value)
{
	if (s->found && (value < s->best || (value == s->best && weight >= s->best_weight)))
		return;
	s->found = true;
	s->best = value;
	s->best_weight = weight;
	memcpy(s->best_set, dropped, s->words * sizeof(*dropped));
}

static void branch(struct search *s, const uint64_t *dropped, uint64_t weight)
{
	g_autoptr(GArray) without = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autofree uint64_t *next = g_new(uint64_t, s->words);

	for (;;) {
		uint64_t left = s->budget - weight, gained, bound;
		g_autoptr(GArray) items = open_items(s, dropped, left, &gained);
		guint j;

		keep_best(s, dropped, weight, gained);
		bound = bound_of(items, gained, left);
		if (!items->len || bound < s->best || (bound == s->best && weight >= s->best_weight))
			break;
		if (s->steps > s->effort) {
			s->open = MAX(s->open, bound);
			break;
		}
		j = g_array_index(items, struct item, 0).column;
		for (size_t w = 0; w < s->words; w++)
			next[w] = dropped[w] | s->columns[j].lack[w];
		branch(s, next, weight_of(s, next, NULL));
		s->columns[j].without = true;
		g_array_append_val(without, j);
	}
	for (guint k = 0; k < without->len; k++)
		s->columns[g_array_index(without, guint, k)].without = false;
}

static guint hash_set(const void *data)
{
	return g_bytes_hash(data);
}

/* Draws atoms that the same classes lack together; what nobody lacks, or nobody has, is no column. */
static void make_columns(struct search *s, const struct plan_layer *l)
{
	g_autoptr(GHashTable) seen =
		g_hash_table_new_full(hash_set, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	guint n = s->p->n;

	s->columns = g_new0(struct column, MAX(l->atoms->len, 1));
	for (guint a = 0; a < l->atoms->len; a++) {
		const GArray *having = g_ptr_array_index(l->having, a);
		uint64_t value = g_array_index(l->values, guint, a);
		uint64_t *lack;
		GBytes *key;
		gsize at;

		if (having->len == n)
			s->base += value;
		if (!value || !having->len || having->len == n)
			continue;
		lack = g_new0(uint64_t, s->words);
		for (guint i = 0; i < n; i++)
			bits_put(lack, i, true);
		for (guint i = 0; i < having->len; i++)
			bits_put(lack, g_array_index(having, guint, i), false);
		key = g_bytes_new(lack, s->words * sizeof(*lack));
		at = GPOINTER_TO_SIZE(g_hash_table_lookup(seen, key));
		if (at) {
			s->columns[at - 1].value += value;
			g_bytes_unref(key);
			g_free(lack);
			continue;
		}
		s->columns[s->m++] = (struct column){ .lack = lack, .value = value };
		g_hash_table_insert(seen, key, GSIZE_TO_POINTER(s->m));
	}
}

/* The classes that lack what is pinned; false where nobody has it. */
static bool must_drop(const struct search *s, const struct plan_layer *l, uint64_t *dropped)
{
	if (l->pin_missing)
		return false;
	for (guint k = 0; k < l->pinned->len; k++) {
		guint a = g_array_index(l->pinned, guint, k);

		for (guint i = 0; i < s->p->n; i++)
			if (!bits_test(l->rows + i * l->words, a))
				bits_put(dropped, i, true);
	}
	return true;
}

static void choose_in(struct plan_choice *choice, const struct plan_problem *p, guint layer,
		      uint64_t budget, uint64_t effort)
{
	const struct plan_layer *l = g_ptr_array_index(p->layers, layer);
	struct search s = { .p = p, .words = MAX(bits_words(p->n), 1), .budget = budget,
			    .effort = effort };
	g_autofree uint64_t *dropped = g_new0(uint64_t, s.words);
	uint64_t weight;

	s.best_set = g_new0(uint64_t, s.words);
	make_columns(&s, l);
	if (must_drop(&s, l, dropped)) {
		weight = weight_of(&s, dropped, NULL);
		if (weight <= budget && bits_count(dropped, s.words) < p->n)
			branch(&s, dropped, weight);
	}
	if (s.found) {
		choice->bound = MAX(choice->bound, MAX(s.open, s.best));
		if (!choice->feasible || s.best > choice->value ||
		    (s.best == choice->value && s.best_weight < choice->dropped_weight)) {
			choice->feasible = true;
			choice->layer = layer;
			choice->value = s.best;
			choice->dropped_weight = s.best_weight;
			g_free(choice->dropped);
			choice->dropped = g_steal_pointer(&s.best_set);
		}
	}
	for (guint j = 0; j < s.m; j++)
		g_free(s.columns[j].lack);
	g_free(s.columns);
	g_free(s.best_set);
}

static uint64_t total_weight(const struct plan_problem *p)
{
	uint64_t total = 0;

	for (guint i = 0; i < p->n; i++)
		total += p->weights[i];
	return total;
}

struct plan_choice coverage_choose(const struct plan_problem *p, uint64_t need, uint64_t effort)
{
	struct plan_choice choice = { 0 };
	uint64_t total = total_weight(p);

	if (need > total)
		return choice;
	effort = (effort ? effort : USUAL_EFFORT) / MAX(p->layers->len, 1);
	for (guint i = 0; i < p->layers->len; i++)
		choose_in(&choice, p, i, total - need, effort);
	return choice;
}

static void clear_one(void *data)
{
	choice_clear(data);
}

GArray *coverage_frontier(const struct plan_problem *p, guint most)
{
	GArray *steps = g_array_new(FALSE, FALSE, sizeof(struct plan_choice));
	uint64_t total = total_weight(p), budget = total ? total - 1 : 0;
	uint64_t effort = USUAL_EFFORT / MAX(most, 1);

	g_array_set_clear_func(steps, clear_one);
	for (;;) {
		struct plan_choice c = coverage_choose(p, total - budget, effort);
		uint64_t grid;

		if (!c.feasible)
			break;
		/* a search that ended early may find less with more room */
		while (steps->len && g_array_index(steps, struct plan_choice, 0).value <= c.value)
			g_array_remove_index(steps, 0);
		g_array_prepend_val(steps, c);
		if (!c.dropped_weight)
			break;
		/* of many classes only steps at even distances */
		grid = (budget * most - 1) / MAX(total, 1) * total / MAX(most, 1);
		budget = p->n > most * 2 ? MIN(c.dropped_weight - 1, grid) : c.dropped_weight - 1;
	}
	return steps;
}

