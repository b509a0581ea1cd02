/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-diff-units.c: what a guest with devices of the host would notice of two hosts' IOMMUs; see
 * answer-diff.h.
 *
 * Yes or no goes in two lists: what is asked of any IOMMU, and fields of registers, which only guests
 * with page tables of their own see. Each id is told once, in the first view that both told it in.
 */
#include "config.h"

#include <string.h>

#include "answer/answer-diff.h"
#include "model/derive.h"
#include "model/value.h"

bool diff_is_of_units(const struct fact *fact)
{
	return fact->origin && g_str_has_prefix(fact->origin, DERIVED);
}

static bool is_told(const struct fact *f)
{
	return f->state == FACT_KNOWN || f->state == FACT_ABSENT;
}

static const struct fact *like(const struct profile *profile, const struct fact *fact)
{
	const struct fact *f = profile_fact(profile, fact->id, &fact->scope);

	return f && is_told(f) ? f : NULL;
}

struct lists {
	json_t *array;
	const struct diff_pair *p;
	struct diff_sides general, registers, obligations;
};

static void diff_bool(struct lists *lists, const struct fact *f, const struct fact *g)
{
	const struct capability *cap = &cap_table[f->cap];
	bool x = f->state == FACT_KNOWN && json_is_true(f->value);
	bool y = g->state == FACT_KNOWN && json_is_true(g->value);
	struct diff_sides *sides = cap->rule == RULE_HIGHER_SAFE ? &lists->obligations
				   : cap->reg >= 0		 ? &lists->registers
								 : &lists->general;

	if (x != y)
		g_ptr_array_add(x ? sides->one : sides->other, g_strdup(f->id));
}

static void add_ranges(GPtrArray *into, const struct value *has, const struct value *lacks)
{
	g_autoptr(GArray) left = value_ranges_without(has->ranges, lacks->ranges);

	for (guint i = 0; i < left->len; i++) {
		const struct value_range *r = &g_array_index(left, struct value_range, i);

		g_ptr_array_add(into, g_strdup_printf("0x%" G_GINT64_MODIFIER
						      "x-0x%" G_GINT64_MODIFIER "x",
						      r->first, r->last));
	}
}

static void diff_ranges(struct lists *lists, const struct fact *f, const struct fact *g)
{
	const struct capability *cap = &cap_table[f->cap];
	g_autofree char *title = g_strdup_printf("%s (%s)", cap->sentence, cap->id);
	struct diff_sides sides = diff_sides_new();
	struct value x, y;

	if (value_from_json(cap->type, f->value, &x, NULL)) {
		if (value_from_json(cap->type, g->value, &y, NULL)) {
			add_ranges(sides.one, &x, &y);
			add_ranges(sides.other, &y, &x);
			value_clear(&y);
		}
		value_clear(&x);
	}
	diff_add_sides(lists->array, lists->p, cap->id, title, &sides,
		       "guests whose devices are to reach %n can't go to %l");
}

static void diff_one(struct lists *lists, const struct fact *f, const struct fact *g)
{
	enum cap_type type = cap_table[f->cap].type;

	if (type == CAP_BOOL)
		diff_bool(lists, f, g);
	else if (f->state != FACT_KNOWN || g->state != FACT_KNOWN)
		return;
	else if (type == CAP_RANGES)
		diff_ranges(lists, f, g);
	else
		diff_fact(lists->array, lists->p, f, g);
}

/* The kernel's view of a fact comes before the hardware's. */
static void diff_view(struct lists *lists, enum view view, GHashTable *told)
{
	const GArray *facts = lists->p->one->profile->facts;

	for (guint i = 0; i < facts->len; i++) {
		const struct fact *f = &g_array_index(facts, struct fact, i);
		const struct fact *g;

		if (!diff_is_of_units(f) || f->scope.view != view || f->cap < 0 || !is_told(f))
			continue;
		g = like(lists->p->other->profile, f);
		if (g && g_hash_table_add(told, (void *)f->id))
			diff_one(lists, f, g);
	}
}

void diff_units(json_t *array, const struct diff_pair *p)
{
	g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
	struct lists lists = { array, p, diff_sides_new(), diff_sides_new(), diff_sides_new() };

	diff_view(&lists, VIEW_KERNEL, told);
	diff_view(&lists, VIEW_RAW, told);
	diff_add_sides(array, p, "iommu", "what IOMMUs give devices of guests", &lists.general,
		       "guests with devices that count on %n can't go to %l");
	diff_add_sides(array, p, "iommu-registers", "what IOMMUs can do, by their registers",
		       &lists.registers,
		       "guests with devices and page tables of their own that use %n can't go to %l");
	diff_add_sides(array, p, "iommu-obligations", "what IOMMUs oblige their users to",
		       &lists.obligations,
		       "guests with devices and page tables of their own that don't know of %n can't go to %h");
}
