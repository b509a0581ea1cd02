/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-pools.c: the answer "pools"; see answer.h. */
#include "config.h"

#include "answer/answer-plan.h"

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

json_t *answer_pools(const struct answering *a, const GPtrArray *hosts, const GPtrArray *groups,
		     const struct planning *planning, const struct pools_options *options)
{
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func((GDestroyNotify)problem_free);
	struct planning plain = *planning;
	json_t *answer = answer_new("pools"), *array = json_array(), *more;
	g_autofree char *limits = g_strdup_printf("%u %u", options->max, options->min_size);
	const char *const asked[] = { "pools", limits, planning->offering.spread_label };
	struct pools pools;
	guint number = 0;

	plain.policy = NULL; /* floors are a baseline's */
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
	pools_clear(&pools);
	answer_plan_end(answer, a, groups, asked, G_N_ELEMENTS(asked));
	return answer;
}
