/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* problem.c: see problem.h. */
#include "config.h"

#include <string.h>

#include "model/bits.h"
#include "plan/problem.h"

static void layer_free(void *data)
{
	struct plan_layer *l = data;

	g_free(l->view);
	g_ptr_array_unref(l->atoms);
	g_array_unref(l->values);
	g_array_unref(l->pinned);
	g_ptr_array_unref(l->having);
	g_free(l->rows);
	g_free(l->sums);
	g_free(l);
}

struct plan_problem *problem_new(guint n)
{
	struct plan_problem *p = g_new0(struct plan_problem, 1);

	p->n = n;
	p->weights = g_new0(uint64_t, n);
	p->hosts = g_new0(guint, n);
	p->spread = g_new0(int, n);
	p->layers = g_ptr_array_new_with_free_func(layer_free);
	return p;
}

void problem_free(struct plan_problem *p)
{
	if (!p)
		return;
	g_free(p->weights);
	g_free(p->hosts);
	g_free(p->spread);
	g_ptr_array_unref(p->layers);
	g_free(p);
}

struct plan_layer *problem_layer(struct plan_problem *p, const char *view)
{
	struct plan_layer *l = g_new0(struct plan_layer, 1);

	l->view = g_strdup(view);
	l->atoms = g_ptr_array_new_with_free_func(g_free);
	l->values = g_array_new(FALSE, FALSE, sizeof(guint));
	l->pinned = g_array_new(FALSE, FALSE, sizeof(guint));
	l->having = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	g_ptr_array_add(p->layers, l);
	return l;
}

guint layer_atom(struct plan_layer *l, const char *name, guint value, GArray *having)
{
	g_ptr_array_add(l->atoms, g_strdup(name));
	g_array_append_val(l->values, value);
	g_ptr_array_add(l->having, having);
	return l->atoms->len - 1;
}

void layer_pin(struct plan_layer *l, guint atom)
{
	g_array_append_val(l->pinned, atom);
}

static void settle_layer(struct plan_layer *l, guint n)
{
	l->words = MAX(bits_words(l->atoms->len), 1);
	l->rows = g_new0(uint64_t, l->words * MAX(n, 1));
	l->sums = g_new0(uint32_t, l->words * 8 * 256);
	for (guint a = 0; a < l->atoms->len; a++) {
		const GArray *having = g_ptr_array_index(l->having, a);
		uint32_t value = g_array_index(l->values, guint, a);

		for (guint i = 0; i < having->len; i++)
			bits_put(l->rows + g_array_index(having, guint, i) * l->words, a, true);
		for (guint byte = 0; byte < 256; byte++)
			if (byte >> (a % 8) & 1)
				l->sums[(a / 8) * 256 + byte] += value;
	}
}

void problem_settle(struct plan_problem *p)
{
	for (guint i = 0; i < p->layers->len; i++)
		settle_layer(g_ptr_array_index(p->layers, i), p->n);
}

uint64_t layer_worth(const struct plan_layer *l, const uint64_t *row)
{
	uint64_t sum = 0;

	for (size_t w = 0; w < l->words; w++)
		for (guint b = 0; b < 8; b++)
			sum += l->sums[(w * 8 + b) * 256 + (row[w] >> (8 * b) & 0xff)];
	return sum;
}

void layer_common(const struct plan_layer *l, guint n, const uint64_t *set, uint64_t *row)
{
	memset(row, 0xff, l->words * sizeof(*row));
	BITS_FOREACH (c, set, bits_words(n))
		for (size_t w = 0; w < l->words; w++)
			row[w] &= l->rows[(size_t)c * l->words + w];
}

uint64_t problem_worth(const struct plan_problem *p, const uint64_t *set, guint *best)
{
	uint64_t most = 0;

	if (best)
		*best = 0;
	for (guint i = 0; i < p->layers->len; i++) {
		const struct plan_layer *l = g_ptr_array_index(p->layers, i);
		g_autofree uint64_t *row = g_new(uint64_t, l->words);
		uint64_t worth;

		layer_common(l, p->n, set, row);
		worth = layer_worth(l, row);
		if (worth <= most)
			continue;
		most = worth;
		if (best)
			*best = i;
	}
	return most;
}
