/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-matrix.c: the answer "matrix"; see answer.h. Guests with identical needs on hosts of one
 * class make one row, hosts of one class one column.
 */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "model/document.h"

struct row {
	const struct guest *first; /* stands for all */
	const struct host *from;
	json_t *needs;
	GPtrArray *names;
};

static void row_free(void *data)
{
	struct row *row = data;

	json_decref(row->needs);
	g_ptr_array_unref(row->names);
	g_free(row);
}

/* What a guest needs, without what tells it from its twins. */
static json_t *anonymous(const struct needs *needs)
{
	json_t *json = needs ? needs_to_json(needs) : json_null();

	json_object_del(json, "name");
	json_object_del(json, "uuid");
	return json;
}

/* @allowed: the overrides that hold for the guest, which make it unlike its twins. */
static struct row *row_of(GHashTable *by_key, GPtrArray *rows, const struct guest *guest,
			  const struct host *from, const char *allowed)
{
	json_t *needs = json_pack("{s:o, s:o}", "live", anonymous(guest->live), "defined",
				  anonymous(guest->defined));
	g_autofree char *text = document_text(needs);
	char *key = g_strdup_printf("%d %s %s%s", guest->running, from ? from->class->full : "-", text, allowed);
	struct row *row = g_hash_table_lookup(by_key, key);

	if (row) {
		g_free(key);
		json_decref(needs);
		return row;
	}
	row = g_new0(struct row, 1);
	row->first = guest;
	row->from = from;
	row->needs = needs;
	row->names = g_ptr_array_new();
	g_hash_table_insert(by_key, key, row);
	g_ptr_array_add(rows, row);
	return row;
}

static json_t *cells(const struct answering *a, const struct row *row)
{
	enum question question = row->first->running ? ASK_MIGRATE : ASK_START;
	const struct profile *source = row->from ? row->from->profile : NULL;
	struct judge brief = *a->judge;
	json_t *array = json_array();

	brief.brief = true;
	for (guint i = 0; i < a->fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(a->fleet->classes, i);
		struct verdicts *v = guest_judge(&brief, row->first, source, class->profile);

		json_array_append_new(array,
				      json_string(verdict_name(override_class_answer(a, row->first, class, v,
										     question))));
		verdicts_free(v);
	}
	return array;
}

static json_t *group(const struct row *row)
{
	const struct needs *needs = guest_needs(row->first);

	return json_pack("{s:o, s:i, s:b, s:s?, s:s?, s:s?, s:O}", "guests",
			 json_strings(row->names), "guests_n", (int)row->names->len, "running",
			 row->first->running, "from_class", row->from ? row->from->class->id : NULL,
			 "machine", needs->machine, "cpu",
			 needs->cpu ? (needs->cpu->model ? needs->cpu->model
							 : cpu_mode_name(needs->cpu->mode))
				    : NULL,
			 "needs", row->needs);
}

static json_t *classes(const struct fleet *fleet, GPtrArray *parts)
{
	json_t *array = json_array();

	for (guint i = 0; i < fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(fleet->classes, i);

		json_array_append_new(array, json_pack("{s:s, s:i, s:o}", "id", class->id, "hosts_n",
						       (int)class->hosts->len, "hosts",
						       json_hosts(class->hosts)));
		g_ptr_array_add(parts, g_strdup(class->full));
	}
	return array;
}

json_t *answer_matrix(const struct answering *a, const GPtrArray *guests)
{
	g_autoptr(GHashTable) by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
	json_t *answer = answer_new("matrix");
	json_t *groups = json_array();
	json_t *all = json_array();

	for (guint i = 0; i < guests->len; i++) {
		const struct guest *g = g_ptr_array_index(guests, i);
		const struct host *from = g->host ? fleet_find(a->fleet, g->host) : NULL;
		g_autofree char *allowed = override_signature(a, g, NULL);

		g_ptr_array_add(row_of(by_key, rows, g, from, allowed)->names, g->name);
		if (*allowed)
			g_ptr_array_add(parts, g_steal_pointer(&allowed));
	}
	json_object_set_new(answer, "guest_groups", groups);
	json_object_set_new(answer, "classes", classes(a->fleet, parts));
	json_object_set_new(answer, "cells", all);
	for (guint i = 0; i < rows->len; i++) {
		const struct row *row = g_ptr_array_index(rows, i);

		json_array_append_new(groups, group(row));
		json_array_append_new(all, cells(a, row));
		g_ptr_array_add(parts, document_text(row->needs));
	}
	answer_not_judged(answer);
	answer_decision(answer, a, parts);
	return answer;
}
