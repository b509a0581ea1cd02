/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan-solve.c: what test-plan-brute.py asks: coverage, frontier and pools of problems that are
 * given as JSON, a line each; answers a line each.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>

#include "model/bits.h"
#include "plan/coverage.h"
#include "plan/pools.h"

static guint number(const json_t *array, size_t i)
{
	return (guint)json_integer_value(json_array_get(array, i));
}

static void read_layer(struct plan_problem *p, const json_t *json)
{
	const json_t *values = json_object_get(json, "values"), *having = json_object_get(json, "having");
	const json_t *pins = json_object_get(json, "pins");
	struct plan_layer *l = problem_layer(p, "test");

	for (size_t a = 0; a < json_array_size(values); a++) {
		GArray *classes = g_array_new(FALSE, FALSE, sizeof(guint));
		const json_t *list = json_array_get(having, a);
		char name[16];

		for (size_t i = 0; i < json_array_size(list); i++)
			g_array_append_val(classes, (guint){ number(list, i) });
		g_snprintf(name, sizeof(name), "a%zu", a);
		layer_atom(l, name, number(values, a), classes);
	}
	for (size_t i = 0; i < json_array_size(pins); i++)
		layer_pin(l, number(pins, i));
}

static struct plan_problem *read_problem(const json_t *json)
{
	const json_t *hosts = json_object_get(json, "hosts"), *layer;
	struct plan_problem *p = problem_new((guint)json_array_size(hosts));
	size_t i;

	for (i = 0; i < p->n; i++) {
		p->hosts[i] = number(hosts, i);
		p->weights[i] = number(json_object_get(json, "weights"), i);
		p->spread[i] = (int)number(json_object_get(json, "spread"), i);
	}
	json_array_foreach (json_object_get(json, "layers"), i, layer)
		read_layer(p, layer);
	problem_settle(p);
	return p;
}

static json_t *members(const uint64_t *set, guint n)
{
	json_t *array = json_array();

	BITS_FOREACH (i, set, bits_words(n))
		json_array_append_new(array, json_integer(i));
	return array;
}

static json_t *choice_json(const struct plan_choice *c, guint n)
{
	return c->feasible ? json_pack("{s:I, s:I, s:I, s:o}", "value", (json_int_t)c->value, "bound",
				       (json_int_t)c->bound, "weight", (json_int_t)c->dropped_weight,
				       "dropped", members(c->dropped, n)) :
			     json_null();
}

static json_t *solve_pools(const json_t *json)
{
	g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func((GDestroyNotify)problem_free);
	const struct pools_options options = {
		.max = (guint)json_integer_value(json_object_get(json, "max")),
		.min_size = (guint)json_integer_value(json_object_get(json, "min_size")),
		.spread = json_is_true(json_object_get(json, "apart")),
	};
	json_t *parts = json_array();
	struct pools pools;
	const json_t *group;
	size_t i;

	json_array_foreach (json_object_get(json, "groups"), i, group)
		g_ptr_array_add(groups, read_problem(group));
	pools = pools_choose(groups, &options);
	for (guint k = 0; k < pools.pools->len; k++) {
		const struct pool *pool = &g_array_index(pools.pools, struct pool, k);
		const struct plan_problem *p = groups->pdata[pool->group];

		json_array_append_new(parts, json_pack("[i, o]", (int)pool->group, members(pool->set, p->n)));
	}
	pools_clear(&pools);
	return json_pack("{s:I, s:I, s:b, s:o}", "value", (json_int_t)pools.value, "bound",
			 (json_int_t)pools.bound, "fits", pools.fits, "pools", parts);
}

static json_t *solve(const json_t *json)
{
	const json_t *need = json_object_get(json, "need");
	g_autoptr(PlanProblem) p = NULL;
	g_autoptr(GArray) steps = NULL;
	json_t *array;

	if (json_object_get(json, "groups"))
		return solve_pools(json);
	p = read_problem(json);
	if (need) {
		struct plan_choice c = coverage_choose(p, (uint64_t)json_integer_value(need), 0);

		array = choice_json(&c, p->n);
		choice_clear(&c);
		return array;
	}
	steps = coverage_frontier(p, 32);
	array = json_array();
	for (guint i = 0; i < steps->len; i++)
		json_array_append_new(array, choice_json(&g_array_index(steps, struct plan_choice, i), p->n));
	return array;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		json_t *json = json_loads(line, 0, NULL), *answer = solve(json);
		char *text = json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);

		puts(text);
		free(text);
		json_decref(answer);
		json_decref(json);
	}
	free(line);
	return 0;
}
