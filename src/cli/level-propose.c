/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * level-propose.c: level propose; see cmd-level.c.
 *
 * --apply does what is proposed, for whoever asks. --auto is for timers: it does the raises alone that
 * the policy names, once the same raise was proposed for as long as the policy wants it to have held.
 * When it was first seen is in the log ("proposed"); another proposal, or none, begins anew.
 */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "level-parts.h"
#include "model/document.h"

struct proposing {
	struct session *s;
	const struct levels *levels;
	const struct store_act *act;
	json_t *applied, *waiting;
	const json_t *answer;
};

static bool check_options(GError **error)
{
	const struct level_options *o = &level_options;
	const char *wrong = o->apply && o->automatic ? "--apply and --auto exclude each other" :
			    o->sink && !o->apply ? "--sink goes with --apply" :
			    o->reason && !o->apply ? "--reason goes with --apply" : NULL;

	if (wrong)
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "level: propose: %s (see capbroker level --help)", wrong);
	return !wrong;
}

static bool check_series(const struct levels *levels, char *const *series, GError **error)
{
	for (; *series; series++)
		if (!level_newest(levels->all, *series)) {
			g_set_error(error, CLI_ERROR, CLI_ERROR_NAME,
				    "%s: no series of that name has a level that isn't retired (see 'capbroker level list')",
				    *series);
			return false;
		}
	return true;
}

/* What the log says of why. */
static json_t *detail_of(const struct proposing *p, const json_t *proposal, const char *cause)
{
	const struct session *s = p->s;

	return json_pack("{s:s, s:s, s:s?, s:s, s:O?}", "cause", cause, "from", member_text(proposal, "level"), "digest",
			 member_text(proposal, "digest"), "policy", s->policy ? s->policy->digest : "default", "decision",
			 json_object_get(json_object_get(p->answer, "decision"), "id"));
}

static bool apply_step(struct proposing *p, const json_t *proposal, const char *cause, GError **error)
{
	json_t *detail = detail_of(p, proposal, cause);
	bool ok = level_store(p->s, member_text(proposal, "kind"), json_object_get(proposal, "document"), detail, p->act,
			      error);

	json_decref(detail);
	if (ok)
		json_array_append_new(p->applied, json_pack("{s:s, s:s, s:s}", "kind", member_text(proposal, "kind"),
							    "level", member_text(proposal, "level"), "next",
							    member_text(proposal, "next")));
	return ok;
}

static bool apply_retire(struct proposing *p, const json_t *proposal, GError **error)
{
	const struct level *level = levels_find(p->levels, member_text(proposal, "level"), error);
	json_t *detail;
	bool ok;

	if (!level)
		return false;
	detail = detail_of(p, proposal, "operator");
	ok = level_store_retired(p->s, level, detail, p->act, error);
	json_decref(detail);
	if (ok)
		json_array_append_new(p->applied, json_pack("{s:s, s:s, s:n}", "kind", "retire", "level", level->name,
							    "next"));
	return ok;
}

/* A series keeps its newest level: to retire that takes a word of its own. */
static bool apply_one(struct proposing *p, const json_t *proposal, GError **error)
{
	const char *kind = member_text(proposal, "kind");

	if (!strcmp(kind, "raise") || (!strcmp(kind, "sink") && level_options.sink))
		return !json_is_object(json_object_get(proposal, "document")) ||
		       apply_step(p, proposal, "operator", error);
	if (!strcmp(kind, "retire") && !json_is_true(json_object_get(proposal, "newest")))
		return apply_retire(p, proposal, error);
	return true;
}

/* --- by policy ----------------------------------------------------------------------------------- */

static bool log_series(struct proposing *p, const char *action, const char *series, const json_t *detail, GError **error)
{
	g_autofree char *text = document_text(detail);
	const struct store_level_entry entry = { .action = (char *)action, .series = (char *)series, .act = *p->act,
						 .detail = text };

	return store_log_level(p->s->store, &entry, error);
}

/* When a raise was first proposed and has been since: 0 it wasn't; -1 with @error. *@open: something waits. */
static int64_t first_seen(struct proposing *p, const char *series, const char *digest, bool *open, GError **error)
{
	g_autoptr(GPtrArray) log = store_level_log(p->s->store, series, error);
	int64_t since = 0;

	*open = false;
	if (!log)
		return -1;
	for (guint i = 0; i < log->len; i++) {
		const struct store_level_entry *e = g_ptr_array_index(log, i);
		json_t *detail;

		if (!strcmp(e->action, "proposed")) {
			detail = json_loads(e->detail, 0, NULL);
			*open = true;
			since = !g_strcmp0(member_text(detail, "digest"), digest) ? e->act.time : 0;
			json_decref(detail);
		} else if (!strcmp(e->action, "withdrawn") || !strcmp(e->action, "raise") ||
			   !strcmp(e->action, "sink") || !strcmp(e->action, "create")) {
			*open = false;
			since = 0;
		}
	}
	return since;
}

static void wait_for(struct proposing *p, const json_t *proposal, int64_t since)
{
	g_autofree char *from = time_text(since), *until = time_text(since + p->s->policy->settle);

	json_array_append_new(p->waiting, json_pack("{s:s, s:s, s:s, s:s}", "level", member_text(proposal, "level"), "next",
						    member_text(proposal, "next"), "since", from, "until", until));
}

/* The raise of a series, done once it has held; NULL: there is none. */
static bool auto_series(struct proposing *p, const char *series, const json_t *proposal, GError **error)
{
	const char *digest = proposal ? member_text(proposal, "digest") : NULL;
	int64_t now = p->s->answering.now, settle = p->s->policy->settle, since;
	json_t *detail;
	bool open, ok = true;

	since = first_seen(p, series, digest, &open, error);
	if (since < 0)
		return false;
	if (!proposal) {
		detail = json_object();
		ok = !open || log_series(p, "withdrawn", series, detail, error);
		json_decref(detail);
		return ok;
	}
	if (settle && !since) {
		detail = detail_of(p, proposal, "policy");
		ok = log_series(p, "proposed", series, detail, error);
		json_decref(detail);
		since = now;
	}
	if (!ok || !settle || now - since >= settle)
		return ok && apply_step(p, proposal, "policy", error);
	wait_for(p, proposal, since);
	return true;
}

static const json_t *raise_of(const json_t *answer, const char *series)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(answer, "proposals"), i, one)
		if (!strcmp(member_text(one, "series"), series) && !strcmp(member_text(one, "kind"), "raise") &&
		    json_is_object(json_object_get(one, "document")))
			return one;
	return NULL;
}

static bool asked_for(char *const *series, const char *name)
{
	return !*series || g_strv_contains((const char *const *)series, name);
}

static bool by_policy(struct proposing *p, char *const *series, GError **error)
{
	const struct policy *policy = p->s->policy;

	for (guint i = 0; policy && i < policy->auto_raise->len; i++) {
		const char *name = g_ptr_array_index(policy->auto_raise, i);

		if (asked_for(series, name) && level_newest(p->levels->all, name) &&
		    !auto_series(p, name, raise_of(p->answer, name), error))
			return false;
	}
	return true;
}

/* --- all of it ----------------------------------------------------------------------------------- */

/* All or nothing. */
static bool apply_all(struct proposing *p, char *const *series, GError **error)
{
	const json_t *one;
	bool ok = true;
	size_t i;

	if (!store_begin(p->s->store, error))
		return false;
	if (level_options.automatic)
		ok = by_policy(p, series, error);
	else
		json_array_foreach (json_object_get(p->answer, "proposals"), i, one)
			ok = ok && apply_one(p, one, error);
	if (ok)
		return store_commit(p->s->store, error);
	store_rollback(p->s->store);
	return false;
}

json_t *level_propose(struct session *s, const struct cli *cli, char **args, GError **error)
{
	struct store_act act = { 0 };
	struct levels levels = { 0 };
	struct proposing p = { .s = s, .levels = &levels, .act = &act };
	bool changes = level_options.apply || level_options.automatic, ok;
	json_t *answer = NULL;

	ok = check_options(error) && level_act_now(&act, level_options.reason, s->answering.now, error) &&
	     levels_open(&levels, s, error) && check_series(&levels, args, error);
	if (ok)
		answer = answer_level_propose(&s->answering, &levels.site, levels.all, args);
	if (answer && changes) {
		p.answer = answer;
		p.applied = json_array();
		p.waiting = json_array();
		ok = session_store(s, cli, error) && apply_all(&p, args, error);
		json_object_set_new(answer, "applied", p.applied);
		json_object_set_new(answer, "waiting", p.waiting);
	}
	if (!ok)
		g_clear_pointer(&answer, json_decref);
	levels_close(&levels);
	level_act_clear(&act);
	return answer;
}
