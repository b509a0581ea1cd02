/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-baseline.c: the answer "baseline"; see answer.h. */
#include "config.h"

#include "answer/answer.h"
#include "plan/price.h"

static json_t *delta(const struct cpu_choice *cpu)
{
	json_t *array = json_array();

	for (guint i = 0; cpu->delta && i < cpu->delta->len; i++) {
		const struct feature_policy *f = &g_array_index(cpu->delta, struct feature_policy, i);

		json_t *one = json_pack("{s:s, s:s}", "name", f->name, "policy",
					f->require ? "require" : "disable");

		if (f->nameless)
			json_object_set_new(one, "nameless", json_true());
		json_array_append_new(array, one);
	}
	return array;
}

json_t *answer_cpu(const struct baseline *b)
{
	json_t *json = json_pack("{s:s?, s:o, s:o, s:o, s:s, s:s?, s:s?}", "model", b->cpu.model, "delta",
				 delta(&b->cpu), "features", json_strings(b->features), "disabled",
				 json_strings(b->disabled), "usability",
				 b->cpu.usability_known ? "known" : "unknown", "view", b->view, "accel",
				 b->accel);

	if (b->cpu.mode)
		json_object_set_new(json, "mode", json_string(b->cpu.mode));
	return json;
}

/* The names of the group's hosts of some classes. */
static json_t *json_members(const struct baseline *b, const GPtrArray *classes)
{
	g_autoptr(GPtrArray) members = baseline_members(b, classes);

	return json_hosts(members);
}

/* Entries of struct baseline_hosts, the id under @key. */
static json_t *reasons(const struct baseline *b, const GPtrArray *entries, const char *key)
{
	json_t *array = json_array();

	for (guint i = 0; entries && i < entries->len; i++) {
		const struct baseline_hosts *e = g_ptr_array_index(entries, i);

		json_array_append_new(array, json_pack("{s:s, s:s?, s:o, s:i}", key, e->id, "reason",
						       e->reason, "hosts", json_members(b, e->classes),
						       "hosts_n", (int)e->hosts_n));
	}
	return array;
}

static json_t *lost(const struct baseline *b)
{
	json_t *array = json_array();

	for (guint i = 0; b->lost && i < b->lost->len; i++) {
		const struct baseline_lost *l = g_ptr_array_index(b->lost, i);

		json_array_append_new(array, json_pack("{s:s, s:O?, s:i, s:o, s:i}", "capability",
						       l->id, "value_lost", l->value, "has_it",
						       (int)l->has_it, "hosts", json_members(b, l->classes),
						       "hosts_n", (int)l->hosts_n));
	}
	return array;
}

/* What the loss of all that costs. */
static json_t *price(const struct answering *a, const struct baseline *b)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; b->lost && i < b->lost->len; i++)
		g_ptr_array_add(names, ((struct baseline_lost *)b->lost->pdata[i])->id);
	return price_json(a->judge->tables, names, NULL);
}

static json_t *group(const struct answering *a, const struct baseline *b)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:O?, s:o, s:o, s:o, s:o, s:o, s:s?}",
			 "arch", b->arch, "vendor", b->vendor, "hosts_n", (int)b->hosts->len,
			 "classes_n", (int)b->classes->len, "hosts", json_hosts(b->hosts), "cpu",
			 answer_cpu(b), "machines", json_strings(b->machines), "capabilities",
			 b->capabilities, "unknown", reasons(b, b->unknown, "id"), "lost", lost(b),
			 "differs_from_libvirt", reasons(b, b->differs, "feature"), "not_expressible",
			 reasons(b, b->not_expressible, "id"), "price", price(a, b), "best_step", b->best_step);
}

json_t *answer_baseline(const struct answering *a, const GPtrArray *hosts,
			const GPtrArray *groups)
{
	json_t *answer = answer_new("baseline");
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	json_t *array = json_array();

	json_object_set_new(answer, "hosts_n", json_integer(hosts->len));
	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);

		json_array_append_new(array, group(a, b));
		for (guint c = 0; c < b->classes->len; c++) {
			struct host_class *class = g_ptr_array_index(b->classes, c);

			g_ptr_array_add(parts, class->full);
		}
	}
	json_object_set_new(answer, "baselines", array);
	answer_not_judged(answer);
	answer_decision(answer, a, parts);
	return answer;
}
