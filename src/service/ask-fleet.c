/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ask-fleet.c: what hosts and guests there are, who can go where, and what has changed. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "guest-contracts.h"
#include "level-load.h"
#include "model/document.h"

static const struct question_member no_members[] = { { 0 } };

/* --- hosts ------------------------------------------------------------------------------------ */

/* None at all is an answer here, unless somebody asks for some. */
static json_t *hosts(struct session *s, const json_t *question, int *status, GError **error)
{
	bool all = !json_array_size(json_object_get(question, "select"));
	g_autoptr(GPtrArray) selected = all ? g_ptr_array_ref(s->fleet->hosts) :
					      asked_hosts(s, question, "select", error);

	struct levels levels;
	json_t *answer = NULL;

	(void)status;
	if (!selected)
		return NULL;
	if (!s->store)
		return answer_hosts(&s->answering, selected);
	if (levels_open(&levels, s, error)) {
		answer = answer_hosts(&s->answering, selected);
		answer_hosts_levels(answer, &s->answering, &levels.site, levels.all);
	}
	levels_close(&levels);
	return answer;
}

static const struct question_member hosts_members[] = { { "select", MEMBER_TEXTS, false }, { 0 } };

const struct asking asking_hosts = { "hosts", SESSION_READ, hosts_members, hosts };

/* --- show, diff ------------------------------------------------------------------------------- */

json_t *show_host_of(const struct session *s, const struct host *host, const struct profile *own, bool all)
{
	const json_t *fingerprint = json_object_get(own->doc, "fingerprint");
	bool imported = json_object_get(fingerprint, "imported") || !json_object_get(fingerprint, "kernel");
	json_t *answer = answer_show(&s->answering, host, own, all);

	json_object_set_new(answer, "validity",
			    json_pack("{s:s, s:[], s:s}", "state", "unknown", "changed", "reason",
				      imported ? "it was imported" : "it isn't this host"));
	return answer;
}

static json_t *show(struct session *s, const json_t *question, int *status, GError **error)
{
	const struct host *host = session_host(s, asked_text(question, "host"), error);
	g_autoptr(Profile) own = host ? session_profile(s, host, error) : NULL;

	(void)status;
	return own ? show_host_of(s, host, own, asked_flag(question, "all")) : NULL;
}

static const struct question_member show_members[] = {
	{ "host", MEMBER_TEXT, true },
	{ "all", MEMBER_FLAG, false },
	{ 0 },
};

const struct asking asking_show = { "show", SESSION_READ, show_members, show };

static json_t *diff(struct session *s, const json_t *question, int *status, GError **error)
{
	const struct host *one = session_host(s, asked_text(question, "one"), error);
	const struct host *other = one ? session_host(s, asked_text(question, "other"), error) : NULL;

	(void)status;
	return other ? answer_diff(&s->answering, one, other) : NULL;
}

static const struct question_member diff_members[] = {
	{ "one", MEMBER_TEXT, true },
	{ "other", MEMBER_TEXT, true },
	{ 0 },
};

const struct asking asking_diff = { "diff", SESSION_READ, diff_members, diff };

/* --- guests ----------------------------------------------------------------------------------- */

static json_t *guests(struct session *s, const json_t *question, int *status, GError **error)
{
	(void)question;
	(void)status;
	(void)error;
	return answer_guests(&s->answering, s->guests);
}

const struct asking asking_guests = { "guests", SESSION_GUESTS, no_members, guests };

static json_t *contracts(struct session *s, const json_t *question, int *status, GError **error)
{
	const struct guest *guest = session_guest(s, asked_text(question, "guest"), error);

	(void)status;
	return guest ? guest_contracts(s, guest, error) : NULL;
}

static const struct question_member contracts_members[] = { { "guest", MEMBER_TEXT, true }, { 0 } };

const struct asking asking_contracts = { "contracts", SESSION_READ, contracts_members, contracts };

/* --- who can go where ------------------------------------------------------------------------- */

static json_t *matrix(struct session *s, const json_t *question, int *status, GError **error)
{
	(void)question;
	(void)status;
	(void)error;
	return answer_matrix(&s->answering, s->guests);
}

const struct asking asking_matrix = { "matrix", SESSION_FLEET, no_members, matrix };

static json_t *drain(struct session *s, const json_t *question, int *status, GError **error)
{
	const struct host *host = session_host(s, asked_text(question, "host"), error);
	g_autoptr(GPtrArray) targets = host ? asked_hosts(s, question, "to", error) : NULL;
	json_t *answer = targets ? answer_drain(&s->answering, host, s->guests, targets, s->changes) : NULL;

	if (answer)
		*status = answer_verdict_status(answer);
	return answer;
}

static const struct question_member drain_members[] = {
	{ "host", MEMBER_TEXT, true },
	{ "to", MEMBER_TEXTS, false },
	{ 0 },
};

const struct asking asking_drain = { "drain", SESSION_FLEET, drain_members, drain };


static json_t *stranded(struct session *s, const json_t *question, int *status, GError **error)
{
	int64_t few = asked_number(question, "few", STRANDED_FEW);
	json_t *answer;

	if (few < 0 || few > G_MAXINT) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "stranded: --few: %" G_GINT64_FORMAT " is no number of hosts (0 or more)", (gint64)few);
		return NULL;
	}
	answer = answer_stranded(&s->answering, s->guests, s->changes, (unsigned int)few);
	*status = answer_verdict_status(answer);
	return answer;
}

static const struct question_member stranded_members[] = { { "few", MEMBER_NUMBER, false }, { 0 } };

const struct asking asking_stranded = { "stranded", SESSION_FLEET, stranded_members, stranded };

static json_t *drift(struct session *s, const json_t *question, int *status, GError **error)
{
	int64_t since = asked_number(question, "since", 0);
	json_t *answer;

	if (!session_since(s, since, error))
		return NULL;
	answer = answer_drift(&s->answering, s->guests, s->changes, since);
	*status = answer_verdict_status(answer);
	return answer;
}

static const struct question_member drift_members[] = { { "since", MEMBER_NUMBER, true }, { 0 } };

const struct asking asking_drift = { "drift", SESSION_FLEET, drift_members, drift };
