/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-diff.c: the answer "diff", what the differences of two hosts mean for guests; see
 * answer.h. Like scopes are compared with like; what only one host was asked is said, not judged.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "answer/answer-diff.h"
#include "model/value.h"

bool diff_like(const struct scope *a, const struct scope *b)
{
	return a->view == b->view && a->migratable == b->migratable &&
	       !g_strcmp0(a->accel, b->accel) && !g_strcmp0(a->machine, b->machine) &&
	       !a->emulator == !b->emulator;
}

static const struct offer *like_offer(const struct profile *profile, const struct offer *offer)
{
	const struct offer *found = NULL;

	for (guint i = 0; i < profile->offers->len; i++) {
		const struct offer *o = g_ptr_array_index(profile->offers, i);

		if (scope_equal(&o->scope, &offer->scope))
			return o;
		if (!found && diff_like(&o->scope, &offer->scope))
			found = o;
	}
	return found;
}

static bool counts(const struct universe *universe, int bit)
{
	if (universe_is_extra(universe, bit))
		return true;
	return !(cap_table[cap_by_bit[bit]].flags & (CAP_HOST_ONLY | CAP_QEMU_OPTION));
}

static const char *bit_name(const struct universe *universe, int bit)
{
	return universe_is_cpu(universe, bit) ? universe_feature_name(universe, bit)
					      : universe_id(universe, bit);
}

static bool obliges(const struct universe *universe, int bit)
{
	return !universe_is_extra(universe, bit) &&
	       cap_table[cap_by_bit[bit]].rule == RULE_HIGHER_SAFE;
}

struct bits_diff {
	json_t *only_one, *only_other, *obliges_one, *obliges_other, *unsure, *groups;
};

static struct bits_diff diff_bits(const struct diff_pair *p, const struct offer *a,
				  const struct offer *b)
{
	const struct universe *universe = p->a->judge->universe;
	struct diff_groups *groups = diff_groups_new(p);
	struct bits_diff d = { json_array(), json_array(), json_array(), json_array(),
			       json_array(), NULL };

	for (int bit = 0; bit < (int)universe_bits(universe); bit++) {
		int x = offer_get(a, universe, bit), y = offer_get(b, universe, bit);
		json_t *into;

		if (x == y || !counts(universe, bit))
			continue;
		if (x < 0 || y < 0)
			into = x == 1 || y == 1 ? d.unsure : NULL;
		else if (obliges(universe, bit))
			into = x ? d.obliges_one : d.obliges_other;
		else
			into = x ? d.only_one : d.only_other;
		if (into)
			json_array_append_new(into, json_string(bit_name(universe, bit)));
		if (x >= 0 && y >= 0)
			diff_groups_add(groups, bit, x ? p->one : p->other);
	}
	d.groups = diff_groups_end(groups);
	return d;
}

static json_t *number_json(uint64_t n)
{
	return n < (UINT64_C(1) << 53) ? json_integer((json_int_t)n)
				       : json_sprintf("0x%" PRIx64, n);
}

static json_t *diff_numbers(const struct diff_pair *p, const struct offer *a, const struct offer *b)
{
	json_t *array = json_array();

	for (guint i = 0; i < a->numbers->len; i++) {
		const struct number *n = &g_array_index(a->numbers, struct number, i);
		const struct capability *cap = &cap_table[n->cap];
		struct value x = { .type = CAP_UINT, .number = n->value };
		struct value y = { .type = CAP_UINT };
		g_autofree char *means = NULL;

		if (cap->flags & (CAP_HOST_ONLY | CAP_QEMU_OPTION) ||
		    !offer_number(b, n->cap, &y.number) || x.number == y.number ||
		    (cap->rule == RULE_TOLERANCE && value_fits(cap->rule, &x, &y) == FIT_YES))
			continue;
		means = diff_mean_number(p, cap, x.number, y.number);
		json_array_append_new(array, json_pack("{s:s, s:o, s:o, s:s}", "id", cap->id, "one",
						       number_json(x.number), "other",
						       number_json(y.number), "means", means));
	}
	return array;
}

static json_t *diff_scope(const struct diff_pair *p, const struct offer *a, const struct offer *b)
{
	struct bits_diff d = diff_bits(p, a, b);
	json_t *numbers = diff_numbers(p, a, b);
	json_t *means = json_array();
	bool vendors = a->vendor && b->vendor && strcmp(a->vendor, b->vendor);
	bool same = !json_array_size(d.groups) && !json_array_size(numbers) && !vendors;
	const json_t *group;
	size_t i;

	if (json_array_size(d.groups) && (a->scope.view == VIEW_RAW || a->scope.view == VIEW_KERNEL))
		json_array_append_new(means, json_string("of the bare machine; what guests get of it is up to KVM and QEMU"));
	json_array_foreach (d.groups, i, group)
		json_array_append(means, json_object_get(group, "text"));
	if (vendors)
		json_array_append_new(means, json_sprintf("%s is %s, %s is %s: no live migration",
							  p->one->name, a->vendor, p->other->name,
							  b->vendor));
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "same", same, "only_one",
			 d.only_one, "only_other", d.only_other, "obliges_one", d.obliges_one,
			 "obliges_other", d.obliges_other, "values", numbers, "unsure", d.unsure,
			 "means", means, "groups", d.groups);
}

/* Puts a scope to those that differ in the same way; takes @difference over. */
static void group_scope(json_t *groups, json_t *difference, const struct scope *scope)
{
	g_autofree char *name = scope_text(scope);
	json_t *group, *same = NULL;
	size_t i;

	json_array_foreach (groups, i, group)
		if (json_equal(json_object_get(group, "difference"), difference))
			same = group;
	if (!same) {
		same = json_pack("{s:[], s:O}", "scopes", "difference", difference);
		json_array_append_new(groups, same);
	}
	json_array_append_new(json_object_get(same, "scopes"), json_string(name));
	json_decref(difference);
}

/* {"scopes": […], "same", "only_one", …} for all that differ in the same way. */
static json_t *scopes(const struct diff_pair *p, json_t *only_one)
{
	json_t *groups = json_array();
	json_t *group;
	size_t i;

	for (guint o = 0; o < p->one->profile->offers->len; o++) {
		const struct offer *a = g_ptr_array_index(p->one->profile->offers, o);
		const struct offer *b = like_offer(p->other->profile, a);
		g_autofree char *scope = scope_text(&a->scope);

		if (b)
			group_scope(groups, diff_scope(p, a, b), &a->scope);
		else
			json_array_append_new(only_one, json_string(scope));
	}
	json_array_foreach (groups, i, group) {
		json_t *difference = json_incref(json_object_get(group, "difference"));

		json_object_del(group, "difference");
		json_object_update(group, difference);
		json_decref(difference);
	}
	return groups;
}

static json_t *lonely(const struct profile *profile, const struct profile *other)
{
	json_t *array = json_array();

	for (guint i = 0; i < profile->offers->len; i++) {
		const struct offer *o = g_ptr_array_index(profile->offers, i);
		g_autofree char *scope = scope_text(&o->scope);

		if (!like_offer(other, o))
			json_array_append_new(array, json_string(scope));
	}
	return array;
}

/* All machine types and aliases of a host. */
static GHashTable *machines(const struct profile *profile)
{
	GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);

		for (guint m = 0; e->machines && m < e->machines->len; m++)
			g_hash_table_add(names, (void *)g_array_index(e->machines, struct machine,
								      m).name);
	}
	return names;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *only_in(GHashTable *one, GHashTable *other)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	GHashTableIter iter;
	void *name;

	g_hash_table_iter_init(&iter, one);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_hash_table_contains(other, name))
			g_ptr_array_add(names, name);
	g_ptr_array_sort(names, by_name);
	return json_strings(names);
}

/* "guests of these 8 machine types are bound to X" for each side that has some alone. */
static void mean_machines(json_t *means, const json_t *only, const struct host *has)
{
	size_t n = json_array_size(only);

	if (n)
		json_array_append_new(means, json_sprintf("guests of %s %s bound to %s", n == 1 ?
							  "this machine type" : "these machine types",
							  n == 1 ? "is" : "are", has->name));
}

static json_t *diff_machines(const struct diff_pair *p)
{
	g_autoptr(GHashTable) one = machines(p->one->profile);
	g_autoptr(GHashTable) other = machines(p->other->profile);
	bool known = g_hash_table_size(one) && g_hash_table_size(other);
	json_t *only_one = known ? only_in(one, other) : json_array();
	json_t *only_other = known ? only_in(other, one) : json_array();
	json_t *means = json_array();

	mean_machines(means, only_one, p->one);
	mean_machines(means, only_other, p->other);
	return json_pack("{s:b, s:o, s:o, s:o}", "known", known, "only_one", only_one, "only_other",
			 only_other, "means", means);
}

static bool said_already(const json_t *array, const json_t *entry)
{
	const json_t *before;
	size_t i;

	json_array_foreach (array, i, before)
		if (json_equal(before, entry))
			return true;
	return false;
}

/* Host-only facts that differ: they explain, and decide nothing by themselves. */
static json_t *diff_about(const struct diff_pair *p)
{
	json_t *array = json_array();

	for (guint i = 0; i < p->one->profile->facts->len; i++) {
		const struct fact *f = &g_array_index(p->one->profile->facts, struct fact, i);
		const struct fact *g;
		json_t *entry;

		if (f->cap < 0 || !(cap_table[f->cap].flags & CAP_HOST_ONLY) || !f->value ||
		    cap_table[f->cap].type == CAP_SET || f->scope.view == VIEW_QEMU)
			continue;
		g = profile_fact(p->other->profile, f->id, &f->scope);
		if (!g || !g->value || json_equal((json_t *)f->value, (json_t *)g->value))
			continue;
		entry = json_pack("{s:s, s:O, s:O}", "id", f->id, "one", (json_t *)f->value, "other",
				  (json_t *)g->value);
		if (!said_already(array, entry))
			json_array_append(array, entry);
		json_decref(entry);
	}
	return array;
}

json_t *answer_diff(const struct answering *a, const struct host *one, const struct host *other)
{
	struct diff_pair p = { a, one, other };
	json_t *answer = answer_new("diff");
	json_t *only_one = json_array();

	json_object_set_new(answer, "one", json_string(one->name));
	json_object_set_new(answer, "other", json_string(other->name));
	json_object_set_new(answer, "same_class", json_boolean(one->class == other->class));
	json_object_set_new(answer, "scopes", scopes(&p, only_one));
	json_object_set_new(answer, "only_asked_of_one", only_one);
	json_object_set_new(answer, "only_asked_of_other", lonely(other->profile, one->profile));
	json_object_set_new(answer, "machines", diff_machines(&p));
	json_object_set_new(answer, "more", diff_host(&p));
	json_object_set_new(answer, "about", diff_about(&p));
	answer_not_judged(answer);
	return answer;
}
