/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * writer-text-moves.c: decisions, what came of them, overrides and contracts as text; see
 * writer-text.h.
 */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

/* "30 Nov 2026 18:04" in UTC, of an ISO time; free with g_free(). */
static char *when(const json_t *object, const char *key)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(get_text(object, key, ""), utc);

	return time ? g_date_time_format(time, "%Y-%m-%d %H:%M UTC") : g_strdup("?");
}

static void record_line(struct out *out, const char *head, const json_t *record)
{
	g_autofree char *at = when(record, "at");
	const json_t *guest = json_object_get(record, "guest");

	out_itemf(out, head, 8, "%s: %s%s -> %s: %s%s%s, decision %s", at, get_text(guest, "name", "?"),
		  get_text(record, "source", NULL) ? " from " : "", get_text(record, "target", "?"),
		  get_text(record, "verdict", "?"), get_text(record, "check", NULL) ? ", " : "",
		  get_text(record, "check", ""), get_text(record, "id", "?"));
}

static void outcome_line(struct out *out, const json_t *record)
{
	const char *outcome = get_text(record, "outcome", NULL), *left = get_text(record, "left_at", NULL);
	const char *reason = get_text(record, "outcome_reason", NULL);
	g_autofree char *gone = when(record, "left_at");

	if (json_is_true(json_object_get(record, "refused")))
		out_item(out, "then", 8, "refused: it stayed at its source");
	else if (!outcome)
		out_item(out, "then", 8, "nothing was heard of it yet");
	else
		out_itemf(out, "then", 8, "%s%s%s%s%s", outcome, reason ? ": " : "", reason ? reason : "",
			  left ? "; it left or ended there " : "", left ? gone : "");
}

static void doubts(struct out *out, const json_t *check)
{
	const json_t *doubt;
	size_t i;

	json_array_foreach (json_object_get(check, "doubts"), i, doubt)
		out_item(out, "unknown", 8, json_string_value(doubt));
}

void text_decision(struct out *out, const json_t *answer)
{
	const json_t *check = json_object_get(answer, "check"), *record;
	size_t i;

	json_array_foreach (json_object_get(answer, "records"), i, record) {
		g_autofree char *at = when(record, "at");

		out_itemf(out, "decided", 8, "%s on %s in %d ms, mode %s: %s", at,
			  get_text(record, "target", "?"), (int)get_int(record, "ms"),
			  get_text(record, "mode", "?"), get_text(record, "verdict", "?"));
		outcome_line(out, record);
		if (get_text(record, "failure", NULL))
			out_item(out, "failed", 8, get_text(record, "failure", ""));
	}
	if (!json_is_object(check))
		return;
	doubts(out, check);
	out_line(out, "%s", "");
	text_check(out, check);
}

static void override_line(struct out *out, const json_t *o)
{
	g_autofree char *until = when(o, "expires");
	const char *state = get_text(o, "state", "?");
	g_autofree char *head = g_strdup_printf("%4d  %-8s", (int)get_int(o, "id"), state);

	out_itemf(out, head, 16, "%s --to %s: %s until %s%s (%s: %s)", get_text(o, "guest_name", "?"),
		  get_text(o, "to", "?"), get_text(o, "check", "?"), until,
		  json_is_true(json_object_get(o, "accept_risk")) ? ", risk accepted" : "",
		  get_text(o, "by", "?"), get_text(o, "reason", "?"));
	if (get_text(o, "revoked_by", NULL)) {
		g_autofree char *revoked = when(o, "revoked");

		out_itemf(out, "", 16, "revoked %s by %s", revoked, get_text(o, "revoked_by", "?"));
	}
	text_price(out, json_object_get(o, "price"), "", 16);
}

void text_overrides(struct out *out, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "overrides"), *o;
	size_t i, active = 0;

	json_array_foreach (list, i, o)
		active += !strcmp(get_text(o, "state", ""), "active");
	out_line(out, "%zu override%s, %zu active", json_array_size(list), plural((json_int_t)json_array_size(list)),
		 active);
	json_array_foreach (list, i, o)
		override_line(out, o);
}

/* "409 arrived, 2 failed, 1 refused" */
static char *outcomes(const json_t *row)
{
	static const char *const keys[][2] = { { "arrived_n", "arrived" }, { "failed_n", "failed" },
					       { "refused_n", "refused" }, { "unheard_n", "not heard of" } };
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		if (get_int(row, keys[i][0]))
			g_string_append_printf(text, "%s%d %s", text->len ? ", " : "",
					       (int)get_int(row, keys[i][0]), keys[i][1]);
	return g_string_free(text, FALSE);
}

static void review(struct out *out, const char *title, const json_t *records)
{
	const json_t *record;
	size_t i;

	if (!json_array_size(records))
		return;
	out_line(out, "\n%s", title);
	json_array_foreach (records, i, record) {
		if (i == 20 && !out->options->verbose) {
			out_line(out, "  and %zu more (-v)", json_array_size(records) - i);
			break;
		}
		record_line(out, "  see", record);
	}
}

void text_report(struct out *out, const json_t *answer)
{
	const json_t *row, *ms = json_object_get(answer, "ms");
	const json_t *overrides = json_object_get(answer, "overrides"), *o;
	json_int_t days = (get_int(answer, "now") - get_int(answer, "since") + 43200) / 86400;
	size_t i;

	out_line(out, "Moves that hooks decided, last %d day%s: %d", (int)days, plural(days),
		 (int)get_int(answer, "moves_n"));
	json_array_foreach (json_object_get(answer, "predicted"), i, row) {
		g_autofree char *head = g_strdup_printf("  predicted %-8s%5d", get_text(row, "verdict", "?"),
							(int)get_int(row, "moves_n"));
		g_autofree char *said = outcomes(row);

		if (get_int(row, "moves_n"))
			out_item(out, head, 27, said);
	}
	review(out, "Predicted block, and it arrived (a false alarm, or silent harm: review)",
	       json_object_get(answer, "false_alarms"));
	review(out, "Predicted ok, and it failed", json_object_get(answer, "missed"));
	out_line(out, "%s", "");
	if (get_int(answer, "failures_n"))
		out_line(out, "%d could not be judged (they count as unknown)", (int)get_int(answer, "failures_n"));
	if (json_is_object(ms))
		out_line(out, "a decision took %d ms (median), %d ms at most", (int)get_int(ms, "median"),
			 (int)get_int(ms, "max"));
	out_line(out, "overrides: %zu active, %d move%s that one bore on", json_array_size(overrides),
		 (int)get_int(answer, "overridden_n"), plural(get_int(answer, "overridden_n")));
	json_array_foreach (overrides, i, o)
		override_line(out, o);
	out_end(out, answer);
}

void text_contracts(struct out *out, const json_t *answer)
{
	const json_t *guest = json_object_get(answer, "guest"), *c;
	size_t i;

	out_line(out, "%s: %zu contract%s", get_text(guest, "name", "?"),
		 json_array_size(json_object_get(answer, "contracts")),
		 plural((json_int_t)json_array_size(json_object_get(answer, "contracts"))));
	json_array_foreach (json_object_get(answer, "contracts"), i, c) {
		g_autofree char *since = when(c, "since");
		g_autofree char *head = g_strdup_printf("%4d", (int)get_int(c, "version"));
		g_autofree char *changed = join_strings(json_object_get(c, "changed"), ", ");

		out_itemf(out, head, 6, "since %s%s%s: %s; machine %s, QEMU %s", since,
			  get_text(c, "host", NULL) ? " on " : "", get_text(c, "host", ""),
			  get_text(c, "cause", "?"), get_text(c, "machine", "?"), get_text(c, "qemu", "not known"));
		if (*changed)
			out_itemf(out, "", 6, "changed: %s", changed);
	}
}
