/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* price.c: see price.h. What is said of classes and capabilities is in the tables. */
#include "config.h"

#include <string.h>

#include "model/dictionary.h"
#include "plan/price.h"

/* The capability of an atom: what stands before '=' and '>='. */
static int cap_of(const char *atom)
{
	g_autofree char *id = g_strndup(atom, strcspn(atom, "=>"));

	return cap_find(id);
}

/* The text of a row of a table, or NULL: there is none, or nothing is said. */
static const char *cell(const struct table *t, char *const *row, const char *column)
{
	int at = table_column(t, column);

	return row && at >= 0 && strcmp(row[at], "-") ? row[at] : NULL;
}

static char *const *class_row(const struct table *t, const char *class)
{
	int at = table_column(t, "class");

	for (guint i = 0; at >= 0 && i < t->rows->len; i++)
		if (!strcmp(((char **)t->rows->pdata[i])[at], class))
			return t->rows->pdata[i];
	return NULL;
}

/* --- security --------------------------------------------------------------------------------- */

static json_t *find_class(const json_t *array, const char *class, bool immunity)
{
	json_t *one;
	size_t i;

	json_array_foreach (array, i, one)
		if (!strcmp(json_string_value(json_object_get(one, "class")), class) &&
		    json_is_true(json_object_get(one, "immunity")) == immunity)
			return one;
	return NULL;
}

static json_t *new_class(const struct tables *tables, const char *class, bool immunity)
{
	char *const *row = class_row(tables->security_classes, class);
	const char *exposed = cell(tables->security_classes, row, "exposed");
	const char *cves = cell(tables->security_classes, row, "cves");
	g_auto(GStrv) names = g_strsplit(cves ? cves : "", " ", -1);
	g_autofree char *text = NULL;
	json_t *list = json_array();

	for (size_t i = 0; names[i]; i++)
		json_array_append_new(list, json_string(names[i]));
	if (immunity)
		text = g_strdup("guests take themselves for vulnerable, and go the slower way around it");
	else
		text = g_strdup_printf("guests have a protection less; attacks of that class get at %s",
				       exposed ? exposed : "what isn't theirs");
	return json_pack("{s:s, s:o, s:[], s:b, s:s}", "class", class, "cves", list, "capabilities", "immunity",
			 immunity, "text", text);
}

/* Obligations (higher-safe) are told to guests by gaining them; losing one is no loss. */
static void add_security(json_t *array, const struct tables *tables, const char *atom)
{
	int cap = cap_of(atom);
	const char *class = cap >= 0 ? cap_table[cap].security : NULL;
	json_t *one;
	bool immunity;

	if (!class || cap_table[cap].rule == RULE_HIGHER_SAFE || g_str_has_prefix(atom, "mitigation."))
		return;
	immunity = cap_table[cap].rule == RULE_IMMUNITY;
	one = find_class(array, class, immunity);
	if (!one) {
		one = new_class(tables, class, immunity);
		json_array_append_new(array, one);
	}
	json_array_append_new(json_object_get(one, "capabilities"), json_string(atom));
}

/* Lost protections come first. */
static json_t *security(const struct tables *tables, const GPtrArray *lost)
{
	json_t *found = json_array(), *sorted = json_array(), *one;
	size_t i;

	for (guint k = 0; lost && k < lost->len; k++)
		add_security(found, tables, lost->pdata[k]);
	for (int immunity = 0; immunity < 2; immunity++)
		json_array_foreach (found, i, one)
			if (json_is_true(json_object_get(one, "immunity")) == immunity)
				json_array_append(sorted, one);
	json_decref(found);
	return sorted;
}

/* --- performance ------------------------------------------------------------------------------ */

/* The row of a capability, else that of its longest beginning. */
static char *const *performance_row(const struct table *t, const char *atom)
{
	int at = table_column(t, "match");
	size_t length = strcspn(atom, "=>"), best = 0;
	char *const *found = NULL;

	for (guint i = 0; at >= 0 && i < t->rows->len; i++) {
		char **row = t->rows->pdata[i];
		size_t n = strlen(row[at]);
		bool open = n && row[at][n - 1] == '*';

		if (!open && n == length && !strncmp(row[at], atom, n))
			return row;
		if (open && n - 1 <= length && n > best && !strncmp(row[at], atom, n - 1)) {
			found = row;
			best = n;
		}
	}
	return found;
}

/* The same said of several capabilities stands once, with the first of them. */
static void add_performance(json_t *array, const struct tables *tables, const GPtrArray *atoms,
			    const char *direction)
{
	g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; atoms && i < atoms->len; i++) {
		const char *atom = atoms->pdata[i];
		char *const *row = performance_row(tables->performance, atom);
		const char *text = cell(tables->performance, row, direction);

		if (text && g_hash_table_add(told, (void *)text))
			json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "capability", atom, "direction",
							       direction, "text", text));
	}
}

json_t *price_json(const struct tables *tables, const GPtrArray *lost, const GPtrArray *gained)
{
	json_t *performance = json_array();

	add_performance(performance, tables, lost, "lost");
	add_performance(performance, tables, gained, "gained");
	return json_pack("{s:o, s:o}", "security", security(tables, lost), "performance", performance);
}

bool price_is_empty(const json_t *price)
{
	return !json_array_size(json_object_get(price, "security")) &&
	       !json_array_size(json_object_get(price, "performance"));
}
