/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-matrix.c: the answer "matrix"; see answer.h. Guests with identical needs on hosts of one
 * class make one row, hosts of one class one column.
 */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "answer/routes.h"
#include "model/document.h"

/* Cells of one row, and the classes that such a guest can get to and not leave. */
static json_t *cells(const struct answering *a, struct routes *routes, const struct guest_group *row,
		     json_t *islands)
{
	json_t *array = json_array();

	for (guint i = 0; i < a->fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(a->fleet->classes, i);
		enum verdict v = routes_answer(routes, row, class);
		struct reach onward;

		json_array_append_new(array, json_string(verdict_name(v)));
		if (!verdict_is_good(v) || a->fleet->hosts->len < 2)
			continue;
		onward = routes_onward(routes, a->fleet, row->first,
				       row->from ? row->from->profile : NULL, class, true);
		if (!reach_good(&onward))
			json_array_append_new(islands, json_string(class->id));
	}
	return array;
}

static json_t *group(const struct guest_group *row, json_t *needs, json_t *islands)
{
	json_t *json = guest_group_json(row);

	json_object_set_new(json, "from_class", row->from ? json_string(row->from->class->id) :
							    json_null());
	json_object_set_new(json, "islands", islands);
	json_object_set_new(json, "needs", needs);
	return json;
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
	g_autoptr(GPtrArray) rows = guest_groups(a, guests);
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
	struct routes *routes = routes_new(a);
	json_t *answer = answer_new("matrix");
	json_t *groups = json_array();
	json_t *all = json_array();

	for (guint i = 0; i < guests->len; i++) {
		g_autofree char *allowed = override_signature(a, g_ptr_array_index(guests, i), NULL);

		if (*allowed)
			g_ptr_array_add(parts, g_steal_pointer(&allowed));
	}
	json_object_set_new(answer, "guest_groups", groups);
	json_object_set_new(answer, "classes", classes(a->fleet, parts));
	json_object_set_new(answer, "cells", all);
	for (guint i = 0; i < rows->len; i++) {
		const struct guest_group *row = g_ptr_array_index(rows, i);
		json_t *needs = guest_group_needs(row);
		json_t *islands = json_array();

		g_ptr_array_add(parts, document_text(needs));
		json_array_append_new(all, cells(a, routes, row, islands));
		json_array_append_new(groups, group(row, needs, islands));
	}
	answer_not_judged(answer);
	answer_decision(answer, a, parts);
	routes_free(routes);
	return answer;
}
