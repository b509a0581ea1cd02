/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-report.c: the fleet's part of the answer "report" as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

#define FEW_GUESTS 4

/* "now" as "30 Nov 2026 18:04 UTC"; free with g_free(). */
static char *told_at(const json_t *answer)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(get_int(answer, "now"));

	return time ? g_date_time_format(time, "%e %b %Y %H:%M UTC") : g_strdup("");
}

static const char *act_words(const char *kind)
{
	return !strcmp(kind, "nowhere") ? "with nowhere to go" :
	       !strcmp(kind, "unknown") ? "that may have nowhere to go" :
	       !strcmp(kind, "limited") ? "limited to few hosts" : "hurt by changes";
}

static void act_lines(struct out *out, size_t number, const json_t *act)
{
	json_int_t n = get_int(act, "guests_n");
	g_autofree char *head = g_strdup_printf("%3zu", number);
	g_autofree char *names = some_names(out, FEW_GUESTS, json_object_get(act, "guests"));
	const char *check = get_text(act, "check", NULL), *fix = get_text(act, "fix", NULL);

	out_itemf(out, head, 4, "%d guest%s %s: %s%s%s", (int)n, plural(n), act_words(get_text(act, "kind", "")),
		  check ? check : "", check ? ": " : "", get_text(act, "text", "?"));
	if (*names)
		out_item(out, "", 4, names);
	out_itemf(out, "", 4, "%s%s%s(list: %s)", fix ? "fix: " : "", fix ? fix : "", fix ? " " : "",
		  get_text(act, "see", "stranded"));
}

static void plan_line(struct out *out, const json_t *plan)
{
	json_int_t n = get_int(plan, "guests_n");
	const char *removed = get_text(plan, "removed", NULL), *in = get_text(plan, "removed_in", NULL);
	const char *deprecated = get_text(plan, "deprecated", NULL);
	GString *text;

	if (strcmp(get_text(plan, "kind", ""), "machine")) {
		out_itemf(out, "", 4, "%s %s: %s", get_text(plan, "arch", "?"), get_text(plan, "vendor", "?"),
			  get_text(plan, "text", "?"));
		return;
	}
	text = g_string_new(NULL);
	if (deprecated)
		g_string_append_printf(text, ", deprecated by QEMU %s", deprecated);
	if (removed)
		g_string_append_printf(text, ", removed%s%s %s", in ? " in " : "", in ? in : "", removed);
	out_itemf(out, "", 4, "%s: %d guest%s%s", get_text(plan, "machine", "?"), (int)n, plural(n), text->str);
	g_string_free(text, TRUE);
}

void text_report_fleet(struct out *out, const json_t *answer)
{
	const json_t *fleet = json_object_get(answer, "fleet"), *can = json_object_get(fleet, "can_move"), *row;
	const json_t *facts = json_object_get(fleet, "facts");
	g_autofree char *at = told_at(answer);
	g_autofree char *hosts = count_text(get_int(facts, "hosts_n"), "host", "hosts");
	g_autofree char *guests = count_text(get_int(fleet, "guests_n"), "guest", "guests");
	size_t i;

	out_line(out, "%s  %s (%d running)  %s", hosts, guests, (int)get_int(fleet, "running_n"), at);
	out_line(out, "Can move: %d freely  %d limited  %d nowhere  %d unknown", (int)get_int(can, "free_n"),
		 (int)get_int(can, "limited_n"), (int)get_int(can, "nowhere_n"), (int)get_int(can, "unknown_n"));
	if (json_array_size(json_object_get(fleet, "act")))
		out_line(out, "\nAct now");
	json_array_foreach (json_object_get(fleet, "act"), i, row)
		act_lines(out, i + 1, row);
	if (json_array_size(json_object_get(fleet, "plan")))
		out_line(out, "\nPlan");
	json_array_foreach (json_object_get(fleet, "plan"), i, row)
		plan_line(out, row);
	out_line(out, "%s", "");
}

void text_report_facts(struct out *out, const json_t *answer)
{
	const json_t *facts = json_object_get(json_object_get(answer, "fleet"), "facts");
	json_int_t days = (get_int(answer, "now") - get_int(answer, "since") + 43200) / 86400;
	g_autofree char *oldest = age_text(json_object_get(facts, "oldest_s"));
	g_autofree char *others = few_hosts(out, json_object_get(facts, "others"));

	out_itemf(out, "Facts:", 7, "%d/%d hosts confirmed in the last %d day%s, the oldest %s; dictionary %s",
		  (int)get_int(facts, "confirmed_n"), (int)get_int(facts, "hosts_n"), (int)days, plural(days), oldest,
		  get_text(facts, "dictionary", "?"));
	if (*others)
		out_itemf(out, "", 7, "not: %s", others);
}
