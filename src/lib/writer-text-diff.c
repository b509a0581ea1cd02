/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-diff.c: the answer "diff" as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

#define FEW 8

static void side(struct out *out, const json_t *list, const char *host, const char *what)
{
	g_autofree char *names = join_strings(list, " ");
	g_autofree char *head = g_strdup_printf("  %s %s", what, host);

	if (json_array_size(list))
		out_item(out, head, MAX(strlen(head) + 2, 20), names);
}

static void means(struct out *out, const json_t *difference)
{
	const json_t *text;
	size_t i;

	json_array_foreach (json_object_get(difference, "means"), i, text)
		out_item(out, "  so", 6, json_string_value(text));
}

/* Names that only one of them has, cut short where nobody asked for all. */
static void few_side(struct out *out, const json_t *list, const char *host)
{
	size_t n = json_array_size(list);
	json_t *few = json_array();
	const json_t *name;
	size_t i;

	json_array_foreach (list, i, name)
		if (i < FEW || out->options->verbose || n <= FEW + 1)
			json_array_append(few, (json_t *)name);
	if (json_array_size(few) < n)
		json_array_append_new(few, json_sprintf("and %zu more (-v)", n - json_array_size(few)));
	side(out, few, host, "only");
	json_decref(few);
}

/* What else differs: a list of which each has its own, or two values. */
static void more(struct out *out, const json_t *answer, const json_t *entry)
{
	const char *one = get_text(answer, "one", "?"), *other = get_text(answer, "other", "?");

	out_line(out, "\n%s", get_text(entry, "title", "?"));
	if (json_object_get(entry, "only_one")) {
		few_side(out, json_object_get(entry, "only_one"), one);
		few_side(out, json_object_get(entry, "only_other"), other);
	} else {
		g_autofree char *x = value_text(json_object_get(entry, "one"));
		g_autofree char *y = value_text(json_object_get(entry, "other"));

		out_itemf(out, "  value", 20, "%s %s, %s %s", one, x, other, y);
	}
	means(out, entry);
}

static void diff_scope(struct out *out, const json_t *answer, const json_t *scope)
{
	const char *one = get_text(answer, "one", "?"), *other = get_text(answer, "other", "?");
	const json_t *entry;
	size_t i;

	out_line(out, "%s", "");
	json_array_foreach (json_object_get(scope, "scopes"), i, entry)
		if (i < 4 || out->options->verbose)
			out_line(out, "%s", json_string_value(entry));
	if (i > 4 && !out->options->verbose)
		out_line(out, "and %zu more like these (-v)", i - 4);
	side(out, json_object_get(scope, "only_one"), one, "only");
	side(out, json_object_get(scope, "only_other"), other, "only");
	side(out, json_object_get(scope, "obliges_one"), one, "obliges");
	side(out, json_object_get(scope, "obliges_other"), other, "obliges");
	json_array_foreach (json_object_get(scope, "values"), i, entry) {
		g_autofree char *x = value_text(json_object_get(entry, "one"));
		g_autofree char *y = value_text(json_object_get(entry, "other"));

		out_itemf(out, "  value", 20, "%s: %s %s, %s %s: %s", get_text(entry, "id", "?"), one,
			  x, other, y, get_text(entry, "means", ""));
	}
	if (out->options->verbose)
		side(out, json_object_get(scope, "unsure"), "one of them", "unknown on");
	else if (json_array_size(json_object_get(scope, "unsure")))
		out_itemf(out, "  unsure", 20, "%zu known on one of them only (-v)",
			  json_array_size(json_object_get(scope, "unsure")));
	means(out, scope);
}

static size_t count_scopes(const json_t *answer, bool all)
{
	const json_t *scope;
	size_t i, n = 0;

	json_array_foreach (json_object_get(answer, "scopes"), i, scope)
		if (all || !json_is_true(json_object_get(scope, "same")))
			n += json_array_size(json_object_get(scope, "scopes"));
	return n;
}

/* Scopes that only one of them was asked for say nothing of a difference. */
static void only_asked(struct out *out, const json_t *list, const char *host)
{
	const json_t *scope;
	size_t i, n = json_array_size(list);

	if (n && !out->options->verbose)
		out_line(out, "%zu scope%s only %s was asked for (-v)", n, plural((json_int_t)n), host);
	if (!n || !out->options->verbose)
		return;
	out_line(out, "\nonly %s was asked for", host);
	json_array_foreach (list, i, scope)
		out_line(out, "  %s", json_string_value(scope));
}

void text_diff(struct out *out, const json_t *answer)
{
	const char *one = get_text(answer, "one", "?"), *other = get_text(answer, "other", "?");
	const json_t *machines = json_object_get(answer, "machines");
	const json_t *entry;
	size_t i;

	if (json_is_true(json_object_get(answer, "same_class")))
		out_line(out, "%s and %s are of one class: alike for every guest", one, other);
	else
		out_line(out, "%s and %s differ in %zu of %zu scopes that both were asked for", one,
			 other, count_scopes(answer, false), count_scopes(answer, true));
	json_array_foreach (json_object_get(answer, "scopes"), i, entry)
		if (!json_is_true(json_object_get(entry, "same")) || out->options->verbose)
			diff_scope(out, answer, entry);
	if (json_array_size(json_object_get(machines, "means"))) {
		out_line(out, "\nmachine types");
		side(out, json_object_get(machines, "only_one"), one, "only");
		side(out, json_object_get(machines, "only_other"), other, "only");
		means(out, machines);
	}
	json_array_foreach (json_object_get(answer, "more"), i, entry)
		more(out, answer, entry);
	if (json_array_size(json_object_get(answer, "about")))
		out_line(out, "%s", "");
	json_array_foreach (json_object_get(answer, "about"), i, entry) {
		g_autofree char *x = value_text(json_object_get(entry, "one"));
		g_autofree char *y = value_text(json_object_get(entry, "other"));

		out_itemf(out, "about", 8, "%s: %s / %s", get_text(entry, "id", "?"), x, y);
	}
	out_line(out, "%s", "");
	only_asked(out, json_object_get(answer, "only_asked_of_one"), one);
	only_asked(out, json_object_get(answer, "only_asked_of_other"), other);
	out_end(out, answer);
}
