/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ask-moves.c: what was decided, and how often it came true. They are asked of the store alone. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "moves-json.h"

static bool one_name(const GPtrArray *decisions)
{
	for (guint i = 1; i < decisions->len; i++) {
		const struct store_decision *a = g_ptr_array_index(decisions, 0), *b = decisions->pdata[i];

		if (strcmp(a->name, b->name))
			return false;
	}
	return true;
}

static json_t *answer_of(const GPtrArray *decisions)
{
	const struct store_decision *newest = g_ptr_array_index(decisions, 0);
	json_t *answer = answer_new("decision"), *records = json_array();
	json_t *check = json_loads(newest->document, 0, NULL);

	for (guint i = 0; i < decisions->len; i++)
		json_array_append_new(records, decision_json(g_ptr_array_index(decisions, i)));
	json_object_set_new(answer, "id", json_string(newest->name));
	json_object_set_new(answer, "records", records);
	json_object_set(answer, "check", json_object_get(check, "verdicts") ? check : json_null());
	json_decref(check);
	return answer;
}

static json_t *decision(struct session *s, const json_t *question, int *status, GError **error)
{
	const char *id = asked_text(question, "id");
	g_autoptr(GPtrArray) decisions = store_decisions(s->store, id, 0, error);

	(void)status;
	if (!decisions)
		return NULL;
	if (decisions->len && one_name(decisions))
		return answer_of(decisions);
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME, "%s: %s", id,
		    decisions->len ? "more than one decision begins so (give more digits)" :
				     "no decision of that id was recorded here (the host that decided has it)");
	return NULL;
}

static const struct question_member decision_members[] = { { "id", MEMBER_TEXT, true }, { 0 } };

const struct asking asking_decision = { "decision", SESSION_STORE, decision_members, decision };

#define SINCE (30 * 24 * 3600)

static json_t *report(struct session *s, const json_t *question, int *status, GError **error)
{
	int64_t now = s->answering.now, from = now - asked_number(question, "seconds", SINCE);
	g_autoptr(GPtrArray) decisions = store_decisions(s->store, NULL, from, error);
	g_autoptr(GPtrArray) overrides = decisions ? store_overrides(s->store, error) : NULL;
	json_t *records;

	(void)status;
	if (!overrides)
		return NULL;
	records = json_array();
	for (guint i = 0; i < decisions->len; i++) {
		const struct store_decision *d = g_ptr_array_index(decisions, i);

		/* what somebody asked a broker is no move */
		if (strcmp(d->mode, "broker"))
			json_array_append_new(records, decision_json(d));
	}
	return answer_report(records, overrides_json(overrides, now, false), from, now);
}

static const struct question_member report_members[] = { { "seconds", MEMBER_NUMBER, false }, { 0 } };

const struct asking asking_report = { "report", SESSION_STORE, report_members, report };
