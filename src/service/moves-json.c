/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moves-json.c: see moves-json.h. */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "moves-json.h"

static json_t *time_or_null(int64_t seconds)
{
	g_autofree char *text = seconds ? time_text(seconds) : NULL;

	return text ? json_string(text) : json_null();
}

/* The worst finding's check on a migration, and the overrides that bore on it. */
static void add_findings(json_t *record, const json_t *document)
{
	const json_t *verdict = json_array_get(json_object_get(document, "verdicts"), 0), *f;
	const json_t *failure = json_object_get(document, "failure");
	json_t *check = NULL, *overrides = json_array();
	size_t i;

	json_array_foreach (json_object_get(verdict, "findings"), i, f) {
		const json_t *o = json_object_get(f, "override");

		if (!check && json_is_true(json_object_get(f, "migrate")))
			check = json_object_get(f, "check");
		if (o)
			json_array_append(overrides, json_object_get(o, "id"));
	}
	json_object_set(record, "check", check ? check : json_null());
	json_object_set_new(record, "overrides", overrides);
	if (failure)
		json_object_set(record, "failure", (json_t *)failure);
}

json_t *decision_json(const struct store_decision *d)
{
	json_t *document = json_loads(d->document, 0, NULL);
	json_t *record = json_pack("{s:s, s:o, s:I, s:{s:s, s:s?}, s:s?, s:s, s:s, s:s, s:s, s:b, s:I,"
				   " s:s?, s:o, s:s?, s:o}", "id", d->name, "at", time_or_null(d->time), "time", (json_int_t)d->time,
				   "guest", "name", d->guest_name, "uuid", d->guest_uuid, "source", d->source,
				   "target", d->target, "question", d->question, "verdict", d->verdict,
				   "mode", d->mode, "refused", (int)d->refused, "ms", (json_int_t)d->ms,
				   "outcome", d->outcome, "outcome_at", time_or_null(d->outcome_time),
				   "outcome_reason", d->outcome_reason, "left_at", time_or_null(d->left_time));

	add_findings(record, document);
	json_decref(document);
	return record;
}

json_t *override_json(const struct store_override *o, int64_t now)
{
	const char *state = o->revoked ? "revoked" : o->expires <= now ? "expired" : "active";

	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:I, s:o, s:o, s:s, s:o, s:s?}", "id",
			 (json_int_t)o->id, "guest", o->guest, "guest_name", o->guest_name, "to", o->selector,
			 "check", o->check, "reason", o->reason, "accept_risk", (int)o->accept_risk, "by",
			 o->author, "uid", (json_int_t)o->uid, "created", time_or_null(o->created), "expires",
			 time_or_null(o->expires), "state", state, "revoked", time_or_null(o->revoked),
			 "revoked_by", o->revoked_by);
}

json_t *overrides_json(const GPtrArray *overrides, int64_t now, bool all)
{
	json_t *array = json_array();

	for (guint i = 0; i < overrides->len; i++) {
		const struct store_override *o = g_ptr_array_index(overrides, i);

		if (all || (!o->revoked && o->expires > now))
			json_array_append_new(array, override_json(o, now));
	}
	return array;
}
