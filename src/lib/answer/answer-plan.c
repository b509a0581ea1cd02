/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-plan.c: coverage, and the answer "tradeoff"; see answer.h. */
#include "config.h"

#include <string.h>

#include "answer/answer-plan.h"
#include "model/bits.h"
#include "plan/coverage.h"

#define FRONTIER_STEPS 32u

struct plan_problem *group_problem(const struct answering *a, const struct baseline *b,
				   const struct planning *planning, GPtrArray *pins)
{
	struct offering_options options = planning->offering;

	for (guint i = 0; options.pins && i < options.pins->len; i++)
		g_ptr_array_add(pins, options.pins->pdata[i]);
	policy_floors(planning->policy, b->arch, b->vendor, pins);
	options.pins = pins;
	return offering_problem(a->judge, b, &options);
}

GPtrArray *group_classes(const struct baseline *b, const uint64_t *set, bool within)
{
	GPtrArray *classes = g_ptr_array_new();

	for (guint i = 0; i < b->classes->len; i++)
		if (bits_test(set, i) == within)
			g_ptr_array_add(classes, b->classes->pdata[i]);
	return classes;
}

/* The atoms of @row that are not in @but (or NULL), with what each is worth, the dearest first. */
static json_t *atoms_json(const struct plan_layer *l, const uint64_t *row, const uint64_t *but)
{
	json_t *array = json_array();

	for (guint a = 0; a < l->atoms->len; a++) {
		guint value = g_array_index(l->values, guint, a);
		size_t at = 0;

		if (!value || !bits_test(row, a) || (but && bits_test(but, a)))
			continue;
		while (at < json_array_size(array) &&
		       json_integer_value(json_object_get(json_array_get(array, at), "worth")) >= value)
			at++;
		json_array_insert_new(array, at, json_pack("{s:s, s:i}", "capability", l->atoms->pdata[a],
							   "worth", (int)value));
	}
	return array;
}

/* The row of those that a choice keeps, in a layer. */
static uint64_t *kept_row(const struct plan_problem *p, const struct plan_layer *l,
			  const uint64_t *dropped)
{
	g_autofree uint64_t *kept = g_new0(uint64_t, MAX(bits_words(p->n), 1));
	uint64_t *row = g_new0(uint64_t, l->words);

	for (guint i = 0; i < p->n; i++)
		bits_put(kept, i, !dropped || !bits_test(dropped, i));
	layer_common(l, p->n, kept, row);
	return row;
}

static json_t *hosts_json(const struct baseline *b, const uint64_t *set, bool within, guint *n)
{
	g_autoptr(GPtrArray) classes = group_classes(b, set, within);
	g_autoptr(GPtrArray) hosts = baseline_members(b, classes);

	*n = hosts->len;
	return json_hosts(hosts);
}

/* Everything that is pinned, and who lacks it. */
static json_t *pins_json(const struct baseline *b, const struct plan_problem *p, const GPtrArray *pins)
{
	json_t *array = json_array();

	for (guint i = 0; i < pins->len; i++) {
		g_autofree uint64_t *lack = g_new0(uint64_t, MAX(bits_words(p->n), 1));
		guint n;
		json_t *hosts;

		offering_lacking(p, pins->pdata[i], lack);
		hosts = hosts_json(b, lack, true, &n);
		json_array_append_new(array, json_pack("{s:s, s:b, s:o, s:i}", "capability",
						       pins->pdata[i], "everywhere", n == 0, "lack_it",
						       hosts, "lack_n", (int)n));
	}
	return array;
}

static uint64_t total_of(const struct plan_problem *p)
{
	uint64_t total = 0;

	for (guint i = 0; i < p->n; i++)
		total += p->weights[i];
	return total;
}

static json_t *choice_json(const struct baseline *b, const struct plan_problem *p,
			   const struct plan_choice *c)
{
	const struct plan_layer *l = g_ptr_array_index(p->layers, c->layer);
	g_autofree uint64_t *row = kept_row(p, l, c->dropped);
	g_autofree uint64_t *all = kept_row(p, l, NULL);
	guint n;
	json_t *dropped = hosts_json(b, c->dropped, true, &n);

	return json_pack("{s:i, s:o, s:i, s:I, s:I, s:I, s:b, s:s, s:o}", "kept_n", (int)(b->hosts->len - n),
			 "dropped", dropped, "dropped_n", (int)n, "weight_kept",
			 (json_int_t)(total_of(p) - c->dropped_weight), "value", (json_int_t)c->value,
			 "bound", (json_int_t)c->bound, "optimal", c->bound <= c->value, "view", l->view,
			 "gained", atoms_json(l, row, all));
}

static uint64_t worth_of_all(const struct plan_problem *p)
{
	g_autofree uint64_t *set = g_new0(uint64_t, MAX(bits_words(p->n), 1));

	for (guint i = 0; i < p->n; i++)
		bits_put(set, i, true);
	return problem_worth(p, set, NULL);
}

/* Adds the groups of those kept; the first of them has the notes. */
static void add_kept(const struct answering *a, GPtrArray *to, json_t *notes, json_t *note,
		     const GPtrArray *hosts, const struct planning *planning)
{
	GPtrArray *groups = baseline_groups(a->judge, hosts, planning->offering.baseline);

	for (guint i = 0; i < groups->len; i++)
		json_array_append_new(notes, i ? json_object() : json_incref(note));
	json_decref(note);
	g_ptr_array_extend_and_steal(to, groups);
}

static void cover_group(const struct answering *a, const struct baseline *b,
			const struct planning *planning, GPtrArray *to, json_t *notes, bool *blocked)
{
	g_autoptr(GPtrArray) pins = g_ptr_array_new();
	g_autoptr(PlanProblem) p = group_problem(a, b, planning, pins);
	uint64_t total = total_of(p);
	struct plan_choice c = coverage_choose(
		p, coverage_need(total, planning->share ? planning->share : 1000000), 0);
	json_t *note = json_object(), *coverage;
	g_autofree uint64_t *none = g_new0(uint64_t, MAX(bits_words(p->n), 1));
	g_autoptr(GPtrArray) kept = group_classes(b, c.feasible ? c.dropped : none, false);
	g_autoptr(GPtrArray) hosts = baseline_members(b, kept);

	if (pins->len)
		json_object_set_new(note, "floors", pins_json(b, p, pins));
	*blocked = *blocked || !c.feasible;
	if (planning->share) {
		coverage = c.feasible ? choice_json(b, p, &c) : json_object();
		json_object_set_new(coverage, "feasible", json_boolean(c.feasible));
		json_object_set_new(coverage, "share", json_real(planning->share / 1e6));
		json_object_set_new(coverage, "weight_label",
				    planning->offering.weight_label ?
					    json_string(planning->offering.weight_label) : json_null());
		json_object_set_new(coverage, "weight", json_integer((json_int_t)total));
		json_object_set_new(coverage, "hosts_n", json_integer(b->hosts->len));
		json_object_set_new(coverage, "value_all", json_integer((json_int_t)worth_of_all(p)));
		json_object_set_new(note, "coverage", coverage);
	}
	add_kept(a, to, notes, note, hosts, planning);
	choice_clear(&c);
}

GPtrArray *answer_cover(const struct answering *a, const GPtrArray *groups, const struct planning *planning,
			json_t **notes, bool *blocked)
{
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	GPtrArray *kept = baseline_groups(a->judge, none, planning->offering.baseline);

	*notes = json_array();
	*blocked = false;
	for (guint i = 0; i < groups->len; i++)
		cover_group(a, g_ptr_array_index(groups, i), planning, kept, *notes, blocked);
	return kept;
}

/* How many guests are on the hosts of the classes left out. */
static guint guests_on(const struct answering *a, const struct baseline *b, const uint64_t *dropped,
		       const GPtrArray *guests)
{
	g_autoptr(GPtrArray) classes = group_classes(b, dropped, true);
	g_autoptr(GPtrArray) members = baseline_members(b, classes);
	g_autoptr(GHashTable) hosts = g_hash_table_new(NULL, NULL);
	guint n = 0;

	for (guint i = 0; i < members->len; i++)
		g_hash_table_add(hosts, members->pdata[i]);
	for (guint i = 0; i < guests->len; i++) {
		const struct guest *g = g_ptr_array_index(guests, i);
		const struct host *host = g->host ? fleet_find(a->fleet, g->host) : NULL;

		n += host && g_hash_table_contains(hosts, host);
	}
	return n;
}

json_t *plan_gained(const struct plan_problem *p, const struct plan_choice *one,
		    const struct plan_choice *other)
{
	const struct plan_layer *l = g_ptr_array_index(p->layers, one->layer);
	const struct plan_layer *k = g_ptr_array_index(p->layers, other->layer);
	g_autofree uint64_t *row = kept_row(p, l, one->dropped);
	g_autofree uint64_t *with = kept_row(p, k, other->dropped);
	g_autofree uint64_t *but = g_new0(uint64_t, l->words);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint a = 0; a < k->atoms->len; a++)
		if (bits_test(with, a))
			g_hash_table_add(names, k->atoms->pdata[a]);
	for (guint a = 0; a < l->atoms->len; a++)
		bits_put(but, a, g_hash_table_contains(names, l->atoms->pdata[a]));
	return atoms_json(l, row, but);
}

static json_t *steps_json(const struct answering *a, const struct baseline *b,
			  const struct plan_problem *p, const GArray *steps, const GPtrArray *guests)
{
	json_t *array = json_array();

	for (guint i = 0; i < steps->len; i++) {
		const struct plan_choice *c = &g_array_index(steps, struct plan_choice, i);
		json_t *step = choice_json(b, p, c);

		json_object_set_new(step, "guests_n",
				    json_integer(guests_on(a, b, c->dropped, guests)));
		if (i) {
			json_object_set_new(step, "gained", plan_gained(p, c, c - 1));
			json_object_set_new(step, "given_up", plan_gained(p, c - 1, c));
		}
		json_array_append_new(array, step);
	}
	return array;
}

static json_t *tradeoff_group(const struct answering *a, const struct baseline *b,
			      const GPtrArray *guests, const struct planning *planning)
{
	g_autoptr(GPtrArray) pins = g_ptr_array_new();
	g_autoptr(PlanProblem) p = group_problem(a, b, planning, pins);
	g_autoptr(GArray) steps = coverage_frontier(p, FRONTIER_STEPS);

	return json_pack("{s:s, s:s, s:i, s:i, s:I, s:o, s:o}", "arch", b->arch, "vendor", b->vendor,
			 "hosts_n", (int)b->hosts->len, "classes_n", (int)b->classes->len, "weight",
			 (json_int_t)total_of(p), "pinned", pins_json(b, p, pins), "steps",
			 steps_json(a, b, p, steps, guests));
}

void answer_plan_end(json_t *answer, const struct answering *a, const GPtrArray *groups,
		     const char *const *asked, size_t n)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new();

	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);

		for (guint c = 0; c < b->classes->len; c++)
			g_ptr_array_add(parts, ((struct host_class *)b->classes->pdata[c])->full);
	}
	for (size_t i = 0; i < n; i++)
		g_ptr_array_add(parts, (void *)(asked[i] ? asked[i] : ""));
	answer_not_judged(answer);
	answer_decision(answer, a, parts);
}

/* Names in one line, for decisions. */
static char *joined(const GPtrArray *names)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; names && i < names->len; i++)
		g_string_append_printf(text, "%s ", (char *)names->pdata[i]);
	return g_string_free(text, FALSE);
}

json_t *answer_tradeoff(const struct answering *a, const GPtrArray *hosts, const GPtrArray *groups,
			const GPtrArray *guests, const struct planning *planning)
{
	json_t *answer = answer_new("tradeoff"), *array = json_array();
	g_autofree char *pins = joined(planning->offering.pins), *forbid = joined(planning->offering.forbid);
	const char *const asked[] = { "tradeoff", planning->offering.weight_label, pins, forbid };

	json_object_set_new(answer, "hosts_n", json_integer(hosts->len));
	json_object_set_new(answer, "weight_label",
			    planning->offering.weight_label ?
				    json_string(planning->offering.weight_label) : json_null());
	json_object_set_new(answer, "forbidden", json_strings(planning->offering.forbid));
	for (guint i = 0; i < groups->len; i++)
		json_array_append_new(array, tradeoff_group(a, g_ptr_array_index(groups, i), guests, planning));
	json_object_set_new(answer, "groups", array);
	answer_plan_end(answer, a, groups, asked, G_N_ELEMENTS(asked));
	return answer;
}
