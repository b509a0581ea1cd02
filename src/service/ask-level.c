/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ask-level.c: what levels there are, how they stand, and what is due for them. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "errors.h"
#include "level-load.h"

static json_t *list(struct session *s, const json_t *question, int *status, GError **error)
{
	struct levels levels;
	json_t *answer = NULL;

	(void)status;
	if (levels_open(&levels, s, error))
		answer = answer_levels(&s->answering, levels.all, asked_flag(question, "all"));
	levels_close(&levels);
	return answer;
}

static const struct question_member list_members[] = { { "all", MEMBER_FLAG, false }, { 0 } };

const struct asking asking_levels = { "levels", SESSION_FLEET, list_members, list };

/* The log of a level, and of its series as a whole. */
static json_t *log_of(struct session *s, const struct level *level, GError **error)
{
	g_autoptr(GPtrArray) log = store_level_log(s->store, level->series, error);
	json_t *array = log ? json_array() : NULL;

	for (guint i = 0; log && i < log->len; i++) {
		const struct store_level_entry *e = g_ptr_array_index(log, i);

		if (!g_strcmp0(e->level, level->name))
			json_array_append_new(array, level_entry_json(e));
	}
	return array;
}

static json_t *show(struct session *s, const json_t *question, int *status, GError **error)
{
	const char *name = asked_text(question, "level");
	struct levels levels;
	const struct level *level = levels_open(&levels, s, error) ? levels_find(&levels, name, error) : NULL;
	json_t *log = level ? log_of(s, level, error) : NULL;
	json_t *answer = log ? answer_level_show(&s->answering, &levels.site, levels.all, level, log) : NULL;

	(void)status;
	levels_close(&levels);
	return answer;
}

static const struct question_member show_members[] = { { "level", MEMBER_TEXT, true }, { 0 } };

const struct asking asking_level = { "level", SESSION_FLEET, show_members, show };

/* The level that is meant where none is named: the only series there is. */
static const struct level *only_series(const struct levels *levels, GError **error)
{
	const struct level *newest = NULL;

	for (guint i = 0; i < levels->all->len; i++) {
		const struct level *level = g_ptr_array_index(levels->all, i);

		if (level->is_retired)
			continue;
		if (newest && strcmp(newest->series, level->series)) {
			g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
				    "level: there is more than one series (name the level, see 'capbroker level list')");
			return NULL;
		}
		newest = level;
	}
	if (!newest)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "level: there is none yet (make one with 'capbroker level create SERIES')");
	return newest;
}

static json_t *join(struct session *s, const json_t *question, int *status, GError **error)
{
	const char *name = asked_text(question, "level");
	const struct host *host = session_host(s, asked_text(question, "host"), error);
	struct levels levels = { 0 };
	const struct level *level = NULL;
	json_t *answer = NULL;

	(void)status;
	if (host && levels_open(&levels, s, error))
		level = name ? levels_find(&levels, name, error) : only_series(&levels, error);
	if (level)
		answer = answer_level_join(&s->answering, &levels.site, level, host);
	levels_close(&levels);
	return answer;
}

static const struct question_member join_members[] = { { "host", MEMBER_TEXT, true },
						       { "level", MEMBER_TEXT, false }, { 0 } };

const struct asking asking_level_join = { "level-join", SESSION_FLEET, join_members, join };

/* A level that must sink, or that guests keep beyond its time, is no good news. */
int level_propose_status(const json_t *answer)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(answer, "proposals"), i, one) {
		const char *kind = json_string_value(json_object_get(one, "kind"));

		if (!g_strcmp0(kind, "sink") || !g_strcmp0(kind, "overdue"))
			return 1;
	}
	return 0;
}

static json_t *propose(struct session *s, const json_t *question, int *status, GError **error)
{
	g_autofree char **series = asked_texts(question, "series");
	char *const none[] = { NULL }, *const *asked = series ? series : none;
	struct levels levels;
	json_t *answer = NULL;

	if (levels_open(&levels, s, error) && levels_check_series(&levels, asked, error))
		answer = answer_level_propose(&s->answering, &levels.site, levels.all, asked);
	levels_close(&levels);
	*status = level_propose_status(answer);
	return answer;
}

static const struct question_member propose_members[] = { { "series", MEMBER_TEXTS, false }, { 0 } };

const struct asking asking_level_propose = { "level-propose", SESSION_FLEET, propose_members, propose };
