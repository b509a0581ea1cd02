/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-pools.c: the answer "pools"; see answer.h. */
#include "config.h"

#include "answer/answer-plan.h"
#include "model/bits.h"

static json_t *pool_json(const struct answering *a, const struct baseline *b, const struct plan_problem *p,
			 const struct pool *pool, guint number, const struct planning *planning)
{
	const struct plan_layer *l = g_ptr_array_index(p->layers, pool->layer);
	g_autoptr(GPtrArray) classes = group_classes(b, pool->set, true);
	g_autoptr(GPtrArray) hosts = baseline_members(b, classes);
	g_autoptr(GPtrArray) own = baseline_groups(a->judge, hosts, planning->offering.baseline);
	const struct baseline *first = g_ptr_array_index(own, 0);
	g_autofree char *name = g_strdup_printf("%s-%s-%u", b->arch, b->vendor, number);
	json_t *ids = json_array();

	for (guint i = 0; i < classes->len; i++)
		json_array_append_new(ids, json_string(((struct host_class *)classes->pdata[i])->id));
	return json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:I, s:b, s:s, s:o, s:s?}", "name", name, "arch",
			 b->arch, "vendor", b->vendor, "hosts_n", (int)pool->hosts, "hosts",
			 json_hosts(hosts), "classes", ids, "worth", (json_int_t)pool->worth, "fits",
			 pool->fits, "view", l->view, "cpu", answer_cpu(first), "machine",
			 first->machines->len ? first->machines->pdata[0] : NULL);
}

/* Of a group those that are known to have all that the policy wants there; adds who lacks what. */
static void above_floors(const struct answering *a, const struct baseline *b, const struct planning *planning,
			 GPtrArray *hosts, GPtrArray *below, json_t *floors)
{
	const struct offering_options plain = { .baseline = planning->offering.baseline,
						.site = planning->offering.site,
						.shipped = planning->offering.shipped };
	const struct planning only = { .offering = plain, .policy = planning->policy };
	g_autoptr(GPtrArray) pins = g_ptr_array_new();
	g_autoptr(PlanProblem) p = group_problem(a, b, &only, pins);
	g_autofree uint64_t *lack = g_new0(uint64_t, MAX(bits_words(p->n), 1));
	json_t *said = group_pins_json(b, p, pins);

	for (guint i = 0; i < pins->len; i++) {
		g_autofree uint64_t *one = g_new0(uint64_t, MAX(bits_words(p->n), 1));

		offering_lacking(p, pins->pdata[i], one);
		for (size_t w = 0; w < bits_words(p->n); w++)
			lack[w] |= one[w];
	}
	for (int within = 0; within < 2; within++) {
		g_autoptr(GPtrArray) classes = group_classes(b, lack, within);
		g_autoptr(GPtrArray) members = baseline_members(b, classes);

		for (guint i = 0; i < members->len; i++)
			g_ptr_array_add(within ? below : hosts, members->pdata[i]);
	}
	json_array_extend(floors, said);
	json_decref(said);
}

/* The groups of hosts that may be in a pool; @below and @floors are filled. */
static GPtrArray *pool_groups(const struct answering *a, const GPtrArray *groups,
			      const struct planning *planning, GPtrArray *below, json_t *floors)
{
	g_autoptr(GPtrArray) hosts = g_ptr_array_new();

	for (guint i = 0; i < groups->len; i++)
		above_floors(a, groups->pdata[i], planning, hosts, below, floors);
	return baseline_groups(a->judge, hosts, planning->offering.baseline);
}

json_t *answer_pools(const struct answering *a, const GPtrArray *hosts, const GPtrArray *all,
		     const struct planning *planning, const struct pools_options *options)
{
	g_autoptr(GPtrArray) below = g_ptr_array_new();
	json_t *floors = json_array();
	g_autoptr(GPtrArray) groups = pool_groups(a, all, planning, below, floors);
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func((GDestroyNotify)problem_free);
	struct planning plain = *planning;
	json_t *answer = answer_new("pools"), *array = json_array(), *more;
	g_autofree char *limits = g_strdup_printf("%u %u", options->max, options->min_size);
	const char *const asked[] = { "pools", limits, planning->offering.spread_label };
	struct pools pools;
	guint number = 0;

	plain.policy = NULL; /* who is below its floors is left out already */
	for (guint i = 0; i < groups->len; i++) {
		g_autoptr(GPtrArray) pins = g_ptr_array_new();

		g_ptr_array_add(problems, group_problem(a, groups->pdata[i], &plain, pins));
	}
	pools = pools_choose(problems, options);
	for (guint i = 0; i < pools.pools->len; i++) {
		const struct pool *pool = &g_array_index(pools.pools, struct pool, i);

		number = i && pool->group == (pool - 1)->group ? number + 1 : 1;
		json_array_append_new(array, pool_json(a, groups->pdata[pool->group],
						       problems->pdata[pool->group], pool, number, &plain));
	}
	more = json_pack("{s:i, s:i, s:i, s:s?, s:o, s:I, s:I, s:b, s:I, s:I, s:b}", "hosts_n",
				  (int)hosts->len, "max", (int)options->max, "min_size",
				  (int)options->min_size, "spread", planning->offering.spread_label,
				  "pools", array, "value", (json_int_t)pools.value, "bound",
				  (json_int_t)pools.bound, "optimal", pools.bound <= pools.value,
				  "value_whole", (json_int_t)pools.whole, "value_apart",
				  (json_int_t)pools.apart, "fits", pools.fits);
	json_object_update(answer, more);
	json_decref(more);
	if (json_array_size(floors)) {
		json_object_set(answer, "floors", floors);
		json_object_set_new(answer, "below_floors", json_hosts(below));
	}
	json_decref(floors);
	pools_clear(&pools);
	answer_plan_end(answer, a, all, asked, G_N_ELEMENTS(asked));
	return answer;
}
