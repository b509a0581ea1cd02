/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer.c: what all answers share; see answer.h. */
#include "config.h"

#include <string.h>

#include "answer/answer.h"
#include "model/dictionary.h"

/* Digits of a decision's id: enough for people to tell decisions apart. */
#define DECISION_DIGITS 8

json_t *answer_new(const char *name)
{
	g_autofree char *format = g_strdup_printf("capbroker.%s/1", name);

	return json_pack("{s:s}", "format", format);
}

void answer_not_judged(json_t *answer)
{
	json_object_set_new(answer, "not_judged",
			    json_pack("[s, s, s]", "storage", "networks", "capacity"));
}

void answer_decision(json_t *answer, const struct answering *a, const GPtrArray *parts)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	const char *const fixed[] = { cap_dictionary_version, a->data, a->cpu_map };
	char id[DECISION_DIGITS + 1];

	for (guint i = 0; i < parts->len + G_N_ELEMENTS(fixed); i++) {
		const char *part = i < parts->len ? g_ptr_array_index(parts, i)
						  : fixed[i - parts->len];

		g_checksum_update(sum, (const guchar *)part, (gssize)strlen(part) + 1);
	}
	if (a->policy)
		g_checksum_update(sum, (const guchar *)a->policy, -1);
	g_strlcpy(id, g_checksum_get_string(sum), sizeof(id));
	json_object_set_new(answer, "decision",
			    json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "dictionary",
				      cap_dictionary_version, "data", a->data, "cpu_map",
				      a->cpu_map, "policy", a->policy ? a->policy : "default"));
}

json_t *json_strings(const GPtrArray *strings)
{
	json_t *array = json_array();

	for (guint i = 0; strings && i < strings->len; i++)
		json_array_append_new(array, json_string(g_ptr_array_index(strings, i)));
	return array;
}

json_t *json_hosts(const GPtrArray *hosts)
{
	json_t *array = json_array();

	for (guint i = 0; hosts && i < hosts->len; i++) {
		const struct host *h = g_ptr_array_index(hosts, i);

		json_array_append_new(array, json_string(h->name));
	}
	return array;
}

json_t *json_pairs(GHashTable *table)
{
	json_t *object = json_object();
	g_autoptr(GList) keys = table ? g_hash_table_get_keys(table) : NULL;

	keys = g_list_sort(keys, (GCompareFunc)strcmp);
	for (GList *k = keys; k; k = k->next)
		json_object_set_new(object, k->data, json_string(g_hash_table_lookup(table, k->data)));
	return object;
}

json_t *answer_error(const char *code, const char *message)
{
	const char *colon = strstr(message, ": ");
	const char *open = g_str_has_suffix(message, ")") ? g_strrstr(message, " (") : NULL;
	g_autofree char *where = colon ? g_strndup(message, (gsize)(colon - message)) : NULL;
	const char *what = colon ? colon + 2 : message;
	g_autofree char *text = NULL;
	g_autofree char *fix = NULL;
	json_t *answer = answer_new("error");

	if (open && open < what)
		open = NULL;
	text = open ? g_strndup(what, (gsize)(open - what)) : g_strdup(what);
	fix = open ? g_strndup(open + 2, strlen(open + 2) - 1) : NULL;
	json_object_set_new(answer, "error",
			    json_pack("{s:s, s:s, s:s, s:s?}", "code", code, "where",
				      where ? where : "capbroker", "message", text, "fix", fix));
	return answer;
}
