/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * writer-svg.c: the answer "tradeoff" as a step plot: hosts kept to the right, what they have in
 * common upwards, one frame a group. Plain SVG 1.1, with the steps' numbers as titles.
 */
#include "config.h"

#include "answer/answer.h"

enum { WIDTH = 640, HEIGHT = 260, LEFT = 70, RIGHT = 20, TOP = 40, BOTTOM = 50 };

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Where a step is: all hosts to the left, none to the right. */
static double x_of(json_int_t kept, json_int_t hosts)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * (hosts ? (double)(hosts - kept) / (double)hosts : 0);
}

static double y_of(json_int_t value, json_int_t most)
{
	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (most ? (double)value / (double)most : 0);
}

static void put(GString *svg, const char *key, double value)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append_printf(svg, " %s=\"%s\"", key, g_ascii_formatd(text, sizeof(text), "%.1f", value));
}

static void line(GString *svg, double x1, double y1, double x2, double y2, const char *color)
{
	g_string_append(svg, "<line");
	put(svg, "x1", x1);
	put(svg, "y1", y1);
	put(svg, "x2", x2);
	put(svg, "y2", y2);
	g_string_append_printf(svg, " stroke=\"%s\"/>\n", color);
}

static void text(GString *svg, double x, double y, const char *anchor, const char *words)
{
	g_autofree char *plain = g_markup_escape_text(words, -1);

	g_string_append(svg, "<text");
	put(svg, "x", x);
	put(svg, "y", y);
	g_string_append_printf(svg, " text-anchor=\"%s\">%s</text>\n", anchor, plain);
}

static void point(GString *svg, const json_t *step, double x, double y)
{
	g_string_append(svg, "<circle");
	put(svg, "cx", x);
	put(svg, "cy", y);
	g_string_append_printf(svg, " r=\"3\" fill=\"#1f5a96\"><title>%d hosts, %d left out with %d guests: worth %d</title></circle>\n",
			       (int)number(step, "kept_n"), (int)number(step, "dropped_n"),
			       (int)number(step, "guests_n"), (int)number(step, "value"));
}

static void axes(GString *svg, const json_t *group, json_int_t most)
{
	g_autofree char *title = g_strdup_printf("%s %s", json_string_value(json_object_get(group, "arch")),
						 json_string_value(json_object_get(group, "vendor")));
	g_autofree char *hosts = g_strdup_printf("%d hosts", (int)number(group, "hosts_n"));
	g_autofree char *worth = g_strdup_printf("%d", (int)most);

	line(svg, LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "#888");
	line(svg, LEFT, TOP, LEFT, HEIGHT - BOTTOM, "#888");
	text(svg, LEFT, TOP - 16, "start", title);
	text(svg, LEFT, HEIGHT - BOTTOM + 18, "middle", hosts);
	text(svg, WIDTH - RIGHT, HEIGHT - BOTTOM + 18, "end", "left out");
	text(svg, LEFT - 8, TOP + 4, "end", worth);
	text(svg, LEFT - 8, HEIGHT - BOTTOM, "end", "0");
}

static void plot(GString *svg, const json_t *group)
{
	const json_t *steps = json_object_get(group, "steps"), *step;
	size_t n = json_array_size(steps), i;
	json_int_t hosts = number(group, "hosts_n");
	json_int_t most = n ? number(json_array_get(steps, n - 1), "value") : 0;
	double px = 0, py = 0;

	axes(svg, group, most);
	json_array_foreach (steps, i, step) {
		double x = x_of(number(step, "kept_n"), hosts), y = y_of(number(step, "value"), most);

		if (i) {
			line(svg, px, py, x, py, "#1f5a96");
			line(svg, x, py, x, y, "#1f5a96");
		}
		point(svg, step, x, y);
		px = x;
		py = y;
	}
	if (n)
		line(svg, px, py, WIDTH - RIGHT, py, "#1f5a96");
}

char *writer_svg_tradeoff(const json_t *answer)
{
	const json_t *groups = json_object_get(answer, "groups"), *group;
	GString *svg = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	size_t i;

	g_string_append_printf(svg,
			       "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
			       "font-family=\"sans-serif\" font-size=\"13\">\n"
			       "<title>What hosts have in common, by how many are left out</title>\n"
			       "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
			       WIDTH, HEIGHT * (int)MAX(json_array_size(groups), 1));
	json_array_foreach (groups, i, group) {
		g_string_append_printf(svg, "<g transform=\"translate(0,%d)\">\n", HEIGHT * (int)i);
		plot(svg, group);
		g_string_append(svg, "</g>\n");
	}
	g_string_append(svg, "</svg>\n");
	return g_string_free(svg, FALSE);
}
