/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-matrix.c: the answer "matrix" as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

/* A verdict in one column. */
static char mark(const char *verdict)
{
	if (!strcmp(verdict, "ok"))
		return '+';
	if (!strcmp(verdict, "warn"))
		return 'w';
	return strcmp(verdict, "unknown") ? 'X' : '?';
}

/* Classes side by side fit up to this many; beyond, each group lists them. */
#define MATRIX_COLUMNS 6
/* … and so many of them are listed where nobody asks for all. */
#define MATRIX_LISTED 40

static void matrix_table(struct out *out, const json_t *answer)
{
	const json_t *groups = json_object_get(answer, "guest_groups");
	const json_t *classes = json_object_get(answer, "classes");
	const json_t *group, *class, *cell;
	size_t i, c;

	g_string_append_printf(out->text, "%-22s", "");
	json_array_foreach (classes, c, class)
		g_string_append_printf(out->text, " %-8.8s", get_text(class, "id", "?"));
	out_end_line(out);
	g_string_append_printf(out->text, "%-22s", "hosts");
	json_array_foreach (classes, c, class)
		g_string_append_printf(out->text, " %-8d", (int)get_int(class, "hosts_n"));
	out_end_line(out);
	json_array_foreach (groups, i, group) {
		g_autofree char *name = group_name(group, 20);

		g_string_append_printf(out->text, "%-22s", name);
		json_array_foreach (json_array_get(json_object_get(answer, "cells"), i), c, cell) {
			g_autofree char *word = out_verdict(out, json_string_value(cell), 8);

			g_string_append_printf(out->text, " %s", word);
		}
		out_end_line(out);
	}
}

/* A line of marks a group where there are more classes than columns. */
static void matrix_marks(struct out *out, const json_t *answer)
{
	const json_t *groups = json_object_get(answer, "guest_groups");
	const json_t *group, *cell;
	size_t i, c;

	out_line(out, "+ ok  w warn  ? unknown  X block; classes in the order below");
	json_array_foreach (groups, i, group) {
		g_autofree char *names = out->options->expand ?
						 join_hosts(json_object_get(group, "guests"), 0) :
						 group_name(group, 18);
		GString *line = g_string_new(NULL);

		json_array_foreach (json_array_get(json_object_get(answer, "cells"), i), c, cell) {
			if (c && c % 10 == 0)
				g_string_append_c(line, ' ');
			g_string_append_c(line, mark(json_string_value(cell)));
		}
		out_item(out, names, 20, line->str);
		g_string_free(line, TRUE);
	}
}

static void list_guests(struct out *out, const json_t *answer)
{
	const json_t *group;
	size_t i;

	out_line(out, "\nguests");
	json_array_foreach (json_object_get(answer, "guest_groups"), i, group) {
		g_autofree char *names = join_strings(json_object_get(group, "guests"), " ");

		out_item(out, json_is_true(json_object_get(group, "running")) ? "  running" : "  defined",
			 11, names);
	}
}

static void list_classes(struct out *out, const json_t *answer)
{
	const json_t *classes = json_object_get(answer, "classes");
	const json_t *class;
	size_t i;

	out_line(out, "\nclasses");
	json_array_foreach (classes, i, class) {
		g_autofree char *names = few_hosts(out, json_object_get(class, "hosts"));
		g_autofree char *head = g_strdup_printf("  %s", get_text(class, "id", "?"));

		if (i == MATRIX_LISTED && !out->options->expand) {
			out_line(out, "  and %zu more (--expand)", json_array_size(classes) - i);
			break;
		}
		out_item(out, head, 11, names);
	}
}

/* Classes that guests get to and can't leave. */
static void list_islands(struct out *out, const json_t *answer)
{
	const json_t *group;
	bool any = false;
	size_t i;

	json_array_foreach (json_object_get(answer, "guest_groups"), i, group) {
		const json_t *islands = json_object_get(group, "islands");
		g_autofree char *name = group_name(group, 20);
		g_autofree char *head = g_strdup_printf("  %s", name);
		g_autofree char *ids = join_strings(islands, " ");

		if (!json_array_size(islands))
			continue;
		if (!any)
			out_line(out, "\ngets there, and no host would take it from there (islands)");
		any = true;
		out_item(out, head, 23, ids);
	}
}

void text_matrix(struct out *out, const json_t *answer)
{
	const json_t *groups = json_object_get(answer, "guest_groups");
	const json_t *classes = json_object_get(answer, "classes");
	json_int_t guests = 0, hosts = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (groups, i, one)
		guests += get_int(one, "guests_n");
	json_array_foreach (classes, i, one)
		hosts += get_int(one, "hosts_n");
	out_line(out, "%d guest%s in %zu group%s, %d host%s in %zu class%s\n", (int)guests,
		 plural(guests), json_array_size(groups), plural((json_int_t)json_array_size(groups)),
		 (int)hosts, plural(hosts), json_array_size(classes),
		 json_array_size(classes) == 1 ? "" : "es");
	if (json_array_size(classes) <= MATRIX_COLUMNS)
		matrix_table(out, answer);
	else
		matrix_marks(out, answer);
	if (out->options->expand)
		list_guests(out, answer);
	if (out->options->expand || json_array_size(classes) > MATRIX_COLUMNS)
		list_classes(out, answer);
	list_islands(out, answer);
	out_line(out, "\nrunning guests: migrate; defined ones: start");
	out_end(out, answer);
}
