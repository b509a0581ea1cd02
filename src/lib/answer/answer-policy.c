/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-policy.c: the answer "policy"; see answer.h. */
#include "config.h"

#include "answer/answer.h"

/* Check → verdict, of those that the policy changes; those of unknown findings as "NAME/unknown". */
static json_t *verdicts(const struct policy *p)
{
	json_t *object = json_object();

	for (size_t i = 0; p && i < check_count; i++) {
		g_autofree char *unknown = g_strconcat(check_at(i)->name, "/unknown", NULL);

		if (p->verdicts->found[i] >= 0)
			json_object_set_new(object, check_at(i)->name,
					    json_string(verdict_name((enum verdict)p->verdicts->found[i])));
		if (p->verdicts->unknown[i] >= 0)
			json_object_set_new(object, unknown,
					    json_string(verdict_name((enum verdict)p->verdicts->unknown[i])));
	}
	return object;
}

static json_t *accepted(const struct policy *p)
{
	json_t *array = json_array();

	for (size_t i = 0; p && i < check_count; i++)
		if (p->verdicts->accept[i])
			json_array_append_new(array, json_string(check_at(i)->name));
	return array;
}

static json_t *floors(const struct policy *p)
{
	json_t *array = json_array();

	for (guint i = 0; p && i < p->floors->len; i++) {
		const struct policy_floor *f = &g_array_index(p->floors, struct policy_floor, i);

		json_array_append_new(array, json_pack("{s:s, s:s}", "group", f->group, "capability", f->atom));
	}
	return array;
}

static json_t *weights(const struct table *table)
{
	static const char *const members[] = { "match", "weight", "reason", "source" };
	json_t *array = json_array();

	for (guint i = 0; i < table->rows->len; i++) {
		char **row = g_ptr_array_index(table->rows, i);
		json_t *one = json_object();

		for (size_t m = 0; m < G_N_ELEMENTS(members); m++) {
			int column = table_column(table, members[m]);

			if (column >= 0)
				json_object_set_new(one, members[m], json_string(row[column]));
		}
		json_array_append_new(array, one);
	}
	return array;
}

json_t *answer_policy(const char *path, const struct policy *p, const struct table *shipped)
{
	json_t *answer = answer_new("policy"), *more;

	more = json_pack("{s:s, s:b, s:s, s:o, s:o, s:o?, s:s?, s:i, s:o, s:o, s:I, s:I, s:o, s:I}", "file", path,
				  "present", p != NULL, "digest", p ? p->digest : "default", "verdicts",
				  verdicts(p), "accept_risk", accepted(p), "coverage",
				  p && p->coverage ? json_real(p->coverage / 1e6) : NULL, "weight_label",
				  p ? p->weight_label : NULL, "weights_n",
				  p ? (int)weights_size(p->weights) : 0, "floors", floors(p),
				  "shipped_weights", weights(shipped), "age_limit_s",
				  (json_int_t)(p ? p->age_limit : 0), "age_grace_s",
				  (json_int_t)(p ? p->age_grace : 0), "auto_raise",
				  json_strings(p ? p->auto_raise : NULL), "settle_s",
				  (json_int_t)(p ? p->settle : 0));
	json_object_update(answer, more);
	json_decref(more);
	return answer;
}
