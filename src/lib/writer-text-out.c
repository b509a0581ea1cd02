/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-out.c: see writer-text-out.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "writer-text-out.h"

void out_line(struct out *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_string_append_vprintf(out->text, format, args);
	va_end(args);
	g_string_append_c(out->text, '\n');
}

static void fill(GString *text, size_t columns)
{
	for (; columns > 0; columns--)
		g_string_append_c(text, ' ');
}

/* Columns that a text takes, escape sequences for colours apart. */
static size_t columns_of(const char *text)
{
	size_t n = 0;

	for (; *text; text = g_utf8_next_char(text)) {
		if (*text == '\x1b') {
			while (*text && *text != 'm')
				text++;
			continue;
		}
		n++;
	}
	return n;
}

void out_end_line(struct out *out)
{
	GString *text = out->text;

	while (text->len && text->str[text->len - 1] == ' ')
		g_string_truncate(text, text->len - 1);
	g_string_append_c(text, '\n');
}

void out_item(struct out *out, const char *head, size_t width, const char *text)
{
	size_t at = columns_of(head);
	bool fresh = true;

	g_string_append(out->text, head);
	fill(out->text, at < width ? width - at : 0);
	at = MAX(at, width);
	while (*text == ' ')
		text++;
	while (*text) {
		size_t length = strcspn(text, " \n");
		g_autofree char *word = g_strndup(text, length);
		size_t columns = columns_of(word);

		if (!fresh && at + 1 + columns > TEXT_COLUMNS) {
			out_end_line(out);
			fill(out->text, width);
			at = width;
			fresh = true;
		}
		if (!fresh)
			g_string_append_c(out->text, ' ');
		g_string_append(out->text, word);
		at += columns + !fresh;
		fresh = false;
		text += length;
		text += strspn(text, " \n");
	}
	out_end_line(out);
}

void out_itemf(struct out *out, const char *head, size_t width, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	out_item(out, head, width, text);
}

static const char *color_of(const char *verdict)
{
	if (!strcmp(verdict, "ok"))
		return "\x1b[32m";
	if (!strcmp(verdict, "warn"))
		return "\x1b[33m";
	if (!strcmp(verdict, "unknown"))
		return "\x1b[35m";
	return g_ascii_strcasecmp(verdict, "block") ? "" : "\x1b[1;31m";
}

char *out_verdict(const struct out *out, const char *verdict, size_t width)
{
	size_t n = columns_of(verdict);
	int rest = n < width ? (int)(width - n) : 0;

	if (!out->options->color)
		return g_strdup_printf("%s%*s", verdict, rest, "");
	return g_strdup_printf("%s%s\x1b[0m%*s", color_of(verdict), verdict, rest, "");
}

void out_end(struct out *out, const json_t *answer)
{
	g_autofree char *not_judged = join_strings(json_object_get(answer, "not_judged"), ", ");
	const json_t *decision = json_object_get(answer, "decision");

	out_line(out, "not judged: %s", not_judged);
	if (decision)
		out_line(out, "decision %s", get_text(decision, "id", "?"));
}

char *join_strings(const json_t *array, const char *separator)
{
	GString *text = g_string_new(NULL);
	const json_t *one;
	size_t i;

	json_array_foreach (array, i, one) {
		const char *string = json_string_value(one);

		if (i)
			g_string_append(text, separator);
		g_string_append(text, string ? string : "?");
	}
	return g_string_free(text, FALSE);
}

/* Where the digits at a name's end begin; 0 where there are none, or too many for a number. */
static size_t digits_at(const char *name)
{
	size_t length = strlen(name), at = length;

	while (at > 0 && g_ascii_isdigit(name[at - 1]))
		at--;
	return at < length && length - at <= 9 ? at : 0;
}

/* Does @name follow @last, as r1n02 follows r1n01? */
static bool follows(const char *last, const char *name)
{
	size_t at = digits_at(last);

	if (!at || strlen(last) != strlen(name) || strncmp(last, name, at) || digits_at(name) != at)
		return false;
	return strtoul(name + at, NULL, 10) == strtoul(last + at, NULL, 10) + 1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *sort_names(const json_t *names)
{
	g_autoptr(GPtrArray) order = g_ptr_array_new();
	json_t *sorted = json_array();
	const json_t *name;
	size_t i;

	json_array_foreach (names, i, name)
		g_ptr_array_add(order, (void *)json_string_value(name));
	g_ptr_array_sort(order, by_name);
	for (i = 0; i < order->len; i++)
		json_array_append_new(sorted, json_string(g_ptr_array_index(order, i)));
	return sorted;
}

/* The end of the run of numbers that begins at @first. */
static size_t run_end(const json_t *names, size_t first)
{
	size_t last = first;

	while (last + 1 < json_array_size(names) &&
	       follows(json_string_value(json_array_get(names, last)),
		       json_string_value(json_array_get(names, last + 1))))
		last++;
	return last;
}

char *join_hosts(const json_t *names, size_t most)
{
	GString *text = g_string_new(NULL);
	size_t n = json_array_size(names), words = 0;

	for (size_t i = 0, last; i < n; i = last + 1) {
		const char *end;

		last = run_end(names, i);
		end = json_string_value(json_array_get(names, last));
		if (words && words == most) {
			g_string_append_printf(text, " and %zu more (-v)", n - i);
			break;
		}
		g_string_append_printf(text, "%s%s", words++ ? " " : "",
				       json_string_value(json_array_get(names, i)));
		if (last > i)
			g_string_append_printf(text, "-%s", end + digits_at(end));
	}
	return g_string_free(text, FALSE);
}

char *few_hosts(const struct out *out, const json_t *names)
{
	return join_hosts(names, out->options->verbose || out->options->expand ? 0 : MANY_HOSTS);
}

char *group_name(const json_t *group, size_t width)
{
	const char *first = json_string_value(json_array_get(json_object_get(group, "guests"), 0));
	json_int_t n = get_int(group, "guests_n");
	g_autofree char *more = n > 1 ? g_strdup_printf(" +%d", (int)n - 1) : g_strdup("");
	size_t room = width - MIN(strlen(more), width);

	if (g_utf8_strlen(first ? first : "?", -1) <= (glong)room)
		return g_strconcat(first ? first : "?", more, NULL);
	return g_strdup_printf("%.*s..%s", (int)(room - 2), first, more);
}

char *age_text(const json_t *seconds)
{
	json_int_t s = json_integer_value(seconds);

	if (!json_is_integer(seconds))
		return g_strdup("at a time not known");
	if (s < 60)
		return g_strdup("just now");
	if (s < 2 * 3600)
		return g_strdup_printf("%d min ago", (int)(s / 60));
	if (s < 2 * 86400)
		return g_strdup_printf("%d hours ago", (int)(s / 3600));
	return g_strdup_printf("%" JSON_INTEGER_FORMAT " days ago", s / 86400);
}

const char *get_text(const json_t *object, const char *key, const char *other)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : other;
}

json_int_t get_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* "0x0-0xffff 0x20000-0x2ffff"; NULL where it is no list of ranges. */
static char *ranges_text(const json_t *value)
{
	GString *text = g_string_new(NULL);
	const json_t *range;
	size_t i;

	json_array_foreach (value, i, range) {
		const char *first = json_string_value(json_array_get(range, 0));
		const char *last = json_string_value(json_array_get(range, 1));

		if (!first || !last || json_array_size(range) != 2) {
			g_string_free(text, TRUE);
			return NULL;
		}
		g_string_append_printf(text, "%s%s-%s", i ? " " : "", first, last);
	}
	return g_string_free(text, FALSE);
}

char *value_text(const json_t *value)
{
	char *text;

	if (!value || json_is_null(value))
		return g_strdup("not known");
	if (json_is_string(value))
		return g_strdup(json_string_value(value));
	if (json_is_true(value))
		return g_strdup("yes");
	if (json_is_false(value))
		return g_strdup("no");
	if (json_is_array(value) && json_array_size(value) &&
	    json_is_string(json_array_get(value, 0)))
		return join_strings(value, " ");
	if (json_is_array(json_array_get(value, 0))) {
		text = ranges_text(value);
		if (text)
			return text;
	}
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
	return text;
}

const char *plural(json_int_t n)
{
	return n == 1 ? "" : "s";
}

char *count_text(json_int_t n, const char *one, const char *many)
{
	return g_strdup_printf("%" JSON_INTEGER_FORMAT " %s", n, n == 1 ? one : many);
}

const char *short_atom(const char *name)
{
	static const char *const heads[] = { "cpu.", "qemu.machine=", NULL };

	for (size_t i = 0; heads[i]; i++)
		if (g_str_has_prefix(name, heads[i]))
			return name + strlen(heads[i]);
	return name;
}

char *some_names(const struct out *out, size_t few, const json_t *names)
{
	GString *text = g_string_new(NULL);
	size_t n = json_array_size(names), most = out->options->verbose ? n : few;

	for (size_t i = 0; i < MIN(n, most); i++)
		g_string_append_printf(text, "%s%s", i ? " " : "", json_string_value(json_array_get(names, i)));
	if (n > most)
		g_string_append_printf(text, " and %zu more", n - most);
	return g_string_free(text, FALSE);
}

char *atoms_text(const struct out *out, const json_t *atoms)
{
	json_t *names = json_array();
	const json_t *atom;
	char *text;
	size_t i;

	json_array_foreach (atoms, i, atom)
		json_array_append_new(names, json_string(short_atom(get_text(atom, "capability", "?"))));
	text = some_names(out, FEW_ATOMS, names);
	json_decref(names);
	return text;
}
