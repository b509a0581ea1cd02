/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-report.c: the answer "report"; see answer.h.
 *
 * A move that was refused shows nothing of whether it would have failed: it is counted apart. Of
 * the others a block that arrived is a suspected false alarm, and an ok that failed was missed.
 */
#include "config.h"

#include <string.h>

#include "answer/answer.h"

/* A guest whose QEMU was started and that nobody heard of for so long is taken to have arrived. */
#define SETTLED_S 600

struct tally {
	int n, arrived, failed, refused, unheard;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static const char *outcome_of(const json_t *record, int64_t now)
{
	const char *outcome = text_of(record, "outcome");

	if (json_is_true(json_object_get(record, "refused")))
		return "refused";
	if (strcmp(outcome, "started"))
		return *outcome ? outcome : "unheard";
	return json_integer_value(json_object_get(record, "time")) + SETTLED_S < now ? "arrived" : "unheard";
}

static void count(struct tally *tally, const char *outcome)
{
	tally->n++;
	tally->arrived += !strcmp(outcome, "arrived");
	tally->failed += !strcmp(outcome, "failed");
	tally->refused += !strcmp(outcome, "refused");
	tally->unheard += !strcmp(outcome, "unheard");
}

static int verdict_of(const json_t *record)
{
	int v = 0;

	while (v < V_BLOCK && strcmp(text_of(record, "verdict"), verdict_name((enum verdict)v)))
		v++;
	return v;
}

static json_t *predicted(const struct tally *tallies)
{
	json_t *array = json_array();

	for (int v = 0; v < VERDICTS; v++) {
		const struct tally *t = &tallies[v];

		json_array_append_new(array, json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "verdict",
						       verdict_name((enum verdict)v), "moves_n", t->n,
						       "arrived_n", t->arrived, "failed_n", t->failed,
						       "refused_n", t->refused, "unheard_n", t->unheard));
	}
	return array;
}

static int by_number(const void *a, const void *b)
{
	json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;

	return (x > y) - (x < y);
}

/* How long decisions took. */
static json_t *times(const json_t *records)
{
	size_t n = json_array_size(records), i;
	g_autofree json_int_t *ms = g_new0(json_int_t, n + 1);
	const json_t *record;

	json_array_foreach (records, i, record)
		ms[i] = json_integer_value(json_object_get(record, "ms"));
	qsort(ms, n, sizeof(*ms), by_number);
	return n ? json_pack("{s:I, s:I}", "median", ms[n / 2], "max", ms[n - 1]) : json_null();
}

json_t *answer_report(json_t *records, json_t *overrides, int64_t since, int64_t now)
{
	struct tally tallies[VERDICTS] = { 0 };
	json_t *alarms = json_array(), *missed = json_array(), *answer = answer_new("report");
	int agreed = 0, overridden = 0, failures = 0;
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		const char *outcome = outcome_of(record, now);
		int v = verdict_of(record);
		bool arrived = !strcmp(outcome, "arrived"), failed = !strcmp(outcome, "failed");

		count(&tallies[v], outcome);
		agreed += (v <= V_WARN && arrived) || (v == V_BLOCK && failed);
		overridden += json_array_size(json_object_get(record, "overrides")) > 0;
		failures += json_is_string(json_object_get(record, "failure"));
		if (v == V_BLOCK && arrived)
			json_array_append(alarms, (json_t *)record);
		if (v <= V_WARN && failed)
			json_array_append(missed, (json_t *)record);
	}
	json_object_set_new(answer, "since", json_integer(since));
	json_object_set_new(answer, "now", json_integer(now));
	json_object_set_new(answer, "moves_n", json_integer((json_int_t)json_array_size(records)));
	json_object_set_new(answer, "predicted", predicted(tallies));
	json_object_set_new(answer, "agreed_n", json_integer(agreed));
	json_object_set_new(answer, "false_alarms", alarms);
	json_object_set_new(answer, "missed", missed);
	json_object_set_new(answer, "overridden_n", json_integer(overridden));
	json_object_set_new(answer, "failures_n", json_integer(failures));
	json_object_set_new(answer, "ms", times(records));
	json_object_set_new(answer, "overrides", overrides);
	answer_not_judged(answer);
	json_decref(records);
	return answer;
}
