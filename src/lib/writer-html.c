/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * writer-html.c: the answer "report" as a page of its own: no script, nothing fetched, everything
 * that came from outside escaped.
 */
#include "config.h"

#include "answer/answer.h"
#include "writer-text.h"
#include "writer-text-out.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>capbroker report</title>\n<style>\n"
	"body{font:15px/1.45 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}\n"
	"table{border-collapse:collapse;width:100%;margin:.5em 0 1.5em}\n"
	"th,td{text-align:left;vertical-align:top;padding:.35em .7em;border-bottom:1px solid #ddd}\n"
	"td.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	".bar{display:flex;height:1.6em;border-radius:3px;overflow:hidden;margin:.5em 0}\n"
	".bar span{display:block}.free{background:#2e7d32}.limited{background:#f9a825}\n"
	".nowhere{background:#c62828}.unknown{background:#757575}\n"
	"small{color:#555}code{background:#f3f3f3;padding:0 .25em}\n"
	"@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}code{background:#2a2a2a}"
	"th,td{border-color:#444}small{color:#aaa}}\n"
	"</style></head><body>\n";

static void put(GString *html, const char *before, const char *text, const char *after)
{
	g_autofree char *safe = g_markup_escape_text(text, -1);

	g_string_append_printf(html, "%s%s%s", before, safe, after);
}

static void put_number(GString *html, json_int_t number)
{
	g_string_append_printf(html, "<td class=\"n\">%" JSON_INTEGER_FORMAT "</td>", number);
}

/* Who can move, as one bar of four parts and as words. */
static void can_move(GString *html, const json_t *can)
{
	static const char *const parts[][3] = { { "free_n", "free", "freely" }, { "limited_n", "limited", "limited" },
						{ "nowhere_n", "nowhere", "nowhere" },
						{ "unknown_n", "unknown", "unknown" } };

	g_string_append(html, "<h2>Can move</h2>\n<div class=\"bar\">");
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
		if (get_int(can, parts[i][0]))
			g_string_append_printf(html, "<span class=\"%s\" style=\"flex:%" JSON_INTEGER_FORMAT "\"></span>",
					       parts[i][1], get_int(can, parts[i][0]));
	g_string_append(html, "</div>\n<p>");
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
		g_string_append_printf(html, "%s<b>%" JSON_INTEGER_FORMAT "</b> %s", i ? ", " : "",
				       get_int(can, parts[i][0]), parts[i][2]);
	g_string_append(html, "</p>\n");
}

static void act_rows(GString *html, const json_t *list)
{
	const json_t *act;
	size_t i;

	if (!json_array_size(list))
		return;
	g_string_append(html, "<h2>Act now</h2>\n<table><tr><th>Guests</th><th></th><th>Why</th><th>Fix</th></tr>\n");
	json_array_foreach (list, i, act) {
		g_autofree char *names = join_hosts(json_object_get(act, "guests"), 0);

		g_string_append(html, "<tr>");
		put_number(html, get_int(act, "guests_n"));
		put(html, "<td>", get_text(act, "kind", ""), "</td>");
		put(html, "<td><code>", get_text(act, "check", "drift"), "</code> ");
		put(html, "", get_text(act, "text", "?"), "");
		put(html, "<br><small>", names, "</small></td>");
		put(html, "<td>", get_text(act, "fix", ""), "");
		put(html, " <small>capbroker ", get_text(act, "see", ""), "</small></td></tr>\n");
	}
	g_string_append(html, "</table>\n");
}

static void plan_rows(GString *html, const json_t *list)
{
	const json_t *plan;
	size_t i;

	if (!json_array_size(list))
		return;
	g_string_append(html, "<h2>Plan</h2>\n<table><tr><th>What</th><th>Guests</th><th>When, or for what</th></tr>\n");
	json_array_foreach (list, i, plan) {
		const char *machine = get_text(plan, "machine", NULL);

		if (machine) {
			put(html, "<tr><td>", machine, "</td>");
			put_number(html, get_int(plan, "guests_n"));
			put(html, "<td>deprecated ", get_text(plan, "deprecated", "-"), "");
			put(html, ", removed ", get_text(plan, "removed", "-"), "</td></tr>\n");
		} else {
			put(html, "<tr><td>", get_text(plan, "arch", "?"), "");
			put(html, " ", get_text(plan, "vendor", "?"), "</td><td></td>");
			put(html, "<td>", get_text(plan, "text", "?"), "</td></tr>\n");
		}
	}
	g_string_append(html, "</table>\n");
}

static void trust_rows(GString *html, const json_t *answer)
{
	static const char *const keys[] = { "moves_n", "arrived_n", "failed_n", "refused_n", "unheard_n" };
	const json_t *row;
	size_t i;

	g_string_append(html, "<h2>Trust</h2>\n<table><tr><th>Predicted</th><th>Moves</th><th>Arrived</th>"
			      "<th>Failed</th><th>Refused</th><th>Not heard of</th></tr>\n");
	json_array_foreach (json_object_get(answer, "predicted"), i, row) {
		put(html, "<tr><td>", get_text(row, "verdict", "?"), "</td>");
		for (size_t k = 0; k < G_N_ELEMENTS(keys); k++)
			put_number(html, get_int(row, keys[k]));
		g_string_append(html, "</tr>\n");
	}
	g_string_append_printf(html, "</table>\n<p>%zu predicted block and arrived, %zu predicted ok and failed; "
				     "%zu overrides active</p>\n",
			       json_array_size(json_object_get(answer, "false_alarms")),
			       json_array_size(json_object_get(answer, "missed")),
			       json_array_size(json_object_get(answer, "overrides")));
}

char *writer_html_report(const json_t *answer)
{
	const json_t *fleet = json_object_get(answer, "fleet"), *facts = json_object_get(fleet, "facts");
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(get_int(answer, "now"));
	g_autofree char *at = time ? g_date_time_format(time, "%Y-%m-%d %H:%M UTC") : g_strdup("");
	GString *html = g_string_new(head);

	g_string_append_printf(html, "<h1>%" JSON_INTEGER_FORMAT " hosts, %" JSON_INTEGER_FORMAT " guests</h1>\n"
				     "<p>%s; %" JSON_INTEGER_FORMAT " guests run</p>\n",
			       get_int(facts, "hosts_n"), get_int(fleet, "guests_n"), at, get_int(fleet, "running_n"));
	can_move(html, json_object_get(fleet, "can_move"));
	act_rows(html, json_object_get(fleet, "act"));
	plan_rows(html, json_object_get(fleet, "plan"));
	trust_rows(html, answer);
	g_string_append_printf(html, "<p>%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " hosts confirmed; ",
			       get_int(facts, "confirmed_n"), get_int(facts, "hosts_n"));
	put(html, "dictionary ", get_text(facts, "dictionary", "?"), "</p>\n");
	g_string_append(html, "<p><small>not judged: storage, networks, capacity</small></p>\n</body></html>\n");
	return g_string_free(html, FALSE);
}
