/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* route-ask.c: questions, by the words that the command line asks them with (ask.h). */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "assume.h"
#include "model/document.h"
#include "plan/policy.h"
#include "record.h"
#include "routes.h"

#define QUESTION_MAX (24u * 1024 * 1024)

/* What is assumed changes the fleet; so do the profiles that hosts had before. */
static bool wants_own(const struct asking *asking, const json_t *assume)
{
	return json_array_size(assume) || asking == &asking_drift;
}

static void add_assumed(json_t *answer, const json_t *assume)
{
	json_t *texts = json_array();
	const json_t *entry;
	size_t i;

	json_array_foreach (assume, i, entry)
		json_array_append(texts, json_object_get(entry, "text"));
	json_object_set_new(answer, "assumed", texts);
}

static json_t *answer_in(struct lent *lent, const struct asking *asking, const json_t *question, int *status,
			 GError **error)
{
	const json_t *assume = json_object_get(question, "assume");
	bool all = asking->need == SESSION_FLEET || asking->need == SESSION_GUESTS;
	json_t *answer;

	if (lent->own && (!assume_all(&lent->session, assume, error) ||
			  (all && !session_guests(&lent->session, asking->need, error))))
		return NULL;
	/* overrides name hosts, and these may be others now */
	if (lent->own && !session_again_overrides(&lent->session, error))
		return NULL;
	answer = ask(&lent->session, asking, question, status, error);
	if (answer && json_array_size(assume))
		add_assumed(answer, assume);
	return answer;
}

static json_t *answer_to(struct worker *w, const struct asking *asking, const json_t *question, int *status,
			 GError **error)
{
	const json_t *assume = json_object_get(question, "assume");
	struct lent lent;
	json_t *answer;

	if (assume && !json_is_array(assume)) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE, "%s: 'assume': must be an array (see capbrokerd(8))",
			    asking->name);
		return NULL;
	}
	if (!worker_lend(w, asking->need, wants_own(asking, assume), &lent, error))
		return NULL;
	answer = answer_in(&lent, asking, question, status, error);
	if (answer && asking == &asking_check && !lent.own)
		record_check(w->broker, &lent.session, question, answer);
	worker_return(&lent);
	return answer;
}

/* @question: the reference is taken over; NULL: @error was set. */
static void reply_to(struct worker *w, struct request *r, json_t *question, GError *error)
{
	const struct routed *routed = r->data;
	json_t *answer = NULL;
	int status = 0;

	if (question)
		answer = answer_to(w, asking_find(routed->asking), question, &status, &error);
	json_decref(question);
	if (answer) {
		r->exit_status = status;
		reply_json(r, 200, answer);
	} else {
		reply_error(r, error);
	}
	http_reply(r);
}

void route_ask(struct worker *w, struct request *r)
{
	GError *error = NULL;
	json_t *question = body_json(r, QUESTION_MAX, &error);

	reply_to(w, r, question, error);
}

void route_get_hosts(struct worker *w, struct request *r)
{
	const GPtrArray *given = g_hash_table_lookup(r->arguments, "select");
	json_t *select = json_array();

	for (guint i = 0; given && i < given->len; i++)
		json_array_append_new(select, json_string(g_ptr_array_index(given, i)));
	reply_to(w, r, json_pack("{s:o}", "select", select), NULL);
}

void route_get_host(struct worker *w, struct request *r)
{
	const struct routed *routed = r->data;

	reply_to(w, r, json_pack("{s:s, s:b}", "host", routed->named, "all", (int)g_hash_table_contains(r->arguments, "all")),
		 NULL);
}

void route_get_decision(struct worker *w, struct request *r)
{
	const struct routed *routed = r->data;
	GError *error = NULL;

	if (strlen(routed->named) < 4)
		error = g_error_new(SERVICE_ERROR, SERVICE_ERROR_USAGE,
				    "decision: '%s': four digits of an id at least are expected (see capbrokerd(8))",
				    routed->named);
	reply_to(w, r, error ? NULL : json_pack("{s:s}", "id", routed->named), error);
}
