/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * baseline-facts.c: the meet of what is told of a host or of an emulator as a whole, not of a CPU
 * that a guest would get; see baseline-meet.h.
 *
 * Each capability is met in one view: the first in which every class knows it. Of several emulators
 * a host's first one counts, which is what guests get that name none.
 */
#include "config.h"

#include <string.h>

#include "model/value.h"
#include "plan/baseline-meet.h"

/* The meet of one capability as told in one view. */
struct sum {
	struct value value;
	guint known;  /* classes that know it */
	guint last;   /* 1 + index of the last of them */
	bool bottom;
};

static struct sum *sum_of(struct sum *sums, int cap, enum view view)
{
	return &sums[(size_t)cap * VIEWS + view];
}

/* What is absent from a complete list is the least there is: no feature, a width of nothing. */
bool baseline_fact_value(const struct fact *fact, struct value *value)
{
	const struct capability *cap = &cap_table[fact->cap];

	if (fact->state == FACT_KNOWN)
		return value_from_json(cap->type, fact->value, value, NULL);
	if (fact->state != FACT_ABSENT ||
	    !(cap->type == CAP_BOOL || ((cap->type == CAP_UINT || cap->type == CAP_BITMAP) &&
					cap->rule == RULE_LOWER_SAFE)))
		return false;
	*value = (struct value){ .type = cap->type };
	return true;
}

/* A class's first fact counts; @class is its place. */
static void sum_fact(struct sum *sum, const struct fact *fact, guint class)
{
	enum cap_rule rule = cap_table[fact->cap].rule;
	struct value value, met;

	if (sum->last == class + 1 || !baseline_fact_value(fact, &value))
		return;
	sum->last = class + 1;
	if (!sum->known++) {
		sum->value = value;
		return;
	}
	if (!sum->bottom && value_meet(rule, &sum->value, &value, &met)) {
		value_clear(&sum->value);
		sum->value = met;
	} else {
		sum->bottom = true;
	}
	value_clear(&value);
}

/* The value that a class counts with in a view; false where it knows none. */
static bool class_value(const struct host_class *c, int cap, enum view view, struct value *value)
{
	const struct profile *p = c->profile;

	for (guint i = 0; i < p->plain->len; i++) {
		guint index = g_array_index(p->plain, guint, i);
		const struct fact *fact = &g_array_index(p->facts, struct fact, index);

		if (fact->cap == cap && fact->scope.view == view && baseline_fact_value(fact, value))
			return true;
	}
	return false;
}

/* Does the class have it, or, of a set, @member? */
static bool class_has(const struct host_class *c, int cap, enum view view, const char *member)
{
	struct value value;
	bool has;

	if (!class_value(c, cap, view, &value))
		return false;
	has = member ? g_ptr_array_find_with_equal_func(value.set, member, g_str_equal, NULL)
		     : value.truth;
	value_clear(&value);
	return has;
}

/* The classes that don't know a capability in a view. */
static GPtrArray *classes_unknowing(const struct baseline *b, int cap, enum view view)
{
	GPtrArray *without = g_ptr_array_new();
	struct value value;

	for (guint i = 0; i < b->classes->len; i++) {
		if (class_value(b->classes->pdata[i], cap, view, &value))
			value_clear(&value);
		else
			g_ptr_array_add(without, b->classes->pdata[i]);
	}
	return without;
}

/* A bool, or one name of a set, that some classes have and others don't. */
static void tell_lost(struct baseline *b, int cap, enum view view, const char *member)
{
	GPtrArray *without = g_ptr_array_new();

	for (guint i = 0; i < b->classes->len; i++)
		if (!class_has(b->classes->pdata[i], cap, view, member))
			g_ptr_array_add(without, b->classes->pdata[i]);
	if (without->len < b->classes->len)
		baseline_add_lost(b, cap_table[cap].id, member ? json_string(member) : json_true(),
				  without);
	else
		g_ptr_array_unref(without);
}

static int by_string(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names that some class has and the meet hasn't. */
static void tell_lost_names(struct baseline *b, int cap, enum view view, const GPtrArray *met)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	GHashTableIter iter;
	void *name;

	for (guint i = 0; i < b->classes->len; i++) {
		struct value value;

		if (!class_value(b->classes->pdata[i], cap, view, &value))
			continue;
		for (guint k = 0; k < value.set->len; k++)
			g_hash_table_add(seen, g_strdup(value.set->pdata[k]));
		value_clear(&value);
	}
	g_hash_table_iter_init(&iter, seen);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_ptr_array_find_with_equal_func((GPtrArray *)met, name, g_str_equal, NULL))
			g_ptr_array_add(names, name);
	g_ptr_array_sort(names, by_string);
	for (guint i = 0; i < names->len; i++)
		tell_lost(b, cap, view, names->pdata[i]);
}

static int by_first(const void *a, const void *b)
{
	const struct value_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* All addresses that some class has, cut wherever a range of any class starts or ends. */
static GArray *pieces_of(struct baseline *b, int cap, enum view view)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	GArray *pieces = g_array_new(FALSE, FALSE, sizeof(struct value_range));

	for (guint i = 0; i < b->classes->len; i++) {
		struct value value;

		if (!class_value(b->classes->pdata[i], cap, view, &value))
			continue;
		g_array_append_vals(all, value.ranges->data, value.ranges->len);
		value_clear(&value);
	}
	g_array_sort(all, by_first);
	for (guint i = 0; i < all->len; i++) {
		const struct value_range *r = &g_array_index(all, struct value_range, i);
		struct value_range piece = *r;

		/* up to the next cut within it; what is left is a piece of its own */
		for (guint k = 0; k < all->len; k++) {
			const struct value_range *o = &g_array_index(all, struct value_range, k);

			if (o->first > piece.first && o->first <= piece.last)
				piece.last = o->first - 1;
			if (o->last >= piece.first && o->last < piece.last)
				piece.last = o->last;
		}
		g_array_append_val(pieces, piece);
		if (piece.last < r->last && all->len < 10000) {
			struct value_range rest = { piece.last + 1, r->last };

			g_array_append_val(all, rest);
		}
	}
	return pieces;
}

static bool class_maps(const struct host_class *c, int cap, enum view view,
		       const struct value_range *piece)
{
	struct value value;
	bool maps = false;

	if (!class_value(c, cap, view, &value))
		return false;
	for (guint i = 0; i < value.ranges->len && !maps; i++) {
		const struct value_range *r = &g_array_index(value.ranges, struct value_range, i);

		maps = r->first <= piece->first && piece->last <= r->last;
	}
	value_clear(&value);
	return maps;
}

/* Addresses that some class has and others lack: those that the same ones lack as one. */
static void tell_lost_ranges(struct baseline *b, int cap, enum view view)
{
	g_autoptr(GArray) pieces = pieces_of(b, cap, view);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < pieces->len; i++) {
		const struct value_range *piece = &g_array_index(pieces, struct value_range, i);
		GPtrArray *without = g_ptr_array_new();
		char *text = g_strdup_printf("0x%" G_GINT64_MODIFIER "x-0x%" G_GINT64_MODIFIER "x",
					     piece->first, piece->last);

		for (guint k = 0; k < b->classes->len; k++)
			if (!class_maps(b->classes->pdata[k], cap, view, piece))
				g_ptr_array_add(without, b->classes->pdata[k]);
		if (!g_hash_table_add(seen, text) || !without->len ||
		    without->len == b->classes->len)
			g_ptr_array_unref(without);
		else
			baseline_add_lost(b, cap_table[cap].id, json_string(text), without);
	}
}

/* A meet that more knowledge could only make smaller, and that is empty already. */
static bool nothing_left(const struct sum *sum, int cap)
{
	const struct value *v = &sum->value;

	if (cap_table[cap].rule == RULE_HIGHER_SAFE)
		return false;
	return (v->type == CAP_BOOL && !v->truth) || (v->type == CAP_SET && !v->set->len);
}

static void tell_met(struct baseline *b, const struct sum *sum, int cap, enum view view)
{
	const struct value *v = &sum->value;
	bool obliges = cap_table[cap].rule == RULE_HIGHER_SAFE;

	if (sum->bottom)
		return;
	if (v->type == CAP_SET)
		tell_lost_names(b, cap, view, v->set);
	else if (v->type == CAP_RANGES)
		tell_lost_ranges(b, cap, view);
	else if (v->type == CAP_BOOL && !v->truth && !obliges)
		tell_lost(b, cap, view, NULL);
	if ((v->type != CAP_BOOL || v->truth) && (v->type != CAP_SET || v->set->len))
		json_object_set_new(b->capabilities, cap_table[cap].id, value_to_json(v));
}

/* One view for all: the first in which every class knows the capability, else any does. */
static void tell_sum(struct baseline *b, struct sum *sums, int cap)
{
	static const enum view order[] = { VIEW_KVM, VIEW_KERNEL, VIEW_RAW, VIEW_LIBVIRT, VIEW_QEMU };
	int first = -1;

	for (size_t v = 0; v < G_N_ELEMENTS(order); v++) {
		const struct sum *sum = sum_of(sums, cap, order[v]);

		if (sum->known && first < 0)
			first = (int)order[v];
		if (sum->known < b->classes->len)
			continue;
		tell_met(b, sum, cap, order[v]);
		return;
	}
	if (first >= 0 && !nothing_left(sum_of(sums, cap, (enum view)first), cap))
		baseline_add_unknown(b, cap_table[cap].id, "not known there",
				     classes_unknowing(b, cap, (enum view)first));
}

/* POWER's generation is met by whoever tells it (baseline-name.c), and tells the maker too. */
static bool met_by_name(const struct baseline *b, int cap)
{
	const char *id = cap_table[cap].id;

	return b->family == ARCH_PPC64 && (arch_of_id(id) == ARCH_PPC64 || !strcmp(id, "cpu.vendor"));
}

void baseline_meet_facts(struct baseline *b)
{
	struct sum *sums = g_new0(struct sum, cap_count * VIEWS);

	for (guint i = 0; i < b->classes->len; i++) {
		const struct host_class *c = g_ptr_array_index(b->classes, i);

		for (guint k = 0; k < c->profile->plain->len; k++) {
			guint index = g_array_index(c->profile->plain, guint, k);
			const struct fact *fact = &g_array_index(c->profile->facts, struct fact, index);

			sum_fact(sum_of(sums, fact->cap, fact->scope.view), fact, i);
		}
	}
	for (size_t cap = 0; cap < cap_count; cap++)
		if (!met_by_name(b, (int)cap))
			tell_sum(b, sums, (int)cap);
	for (size_t i = 0; i < cap_count * VIEWS; i++)
		if (sums[i].known)
			value_clear(&sums[i].value);
	g_free(sums);
}
