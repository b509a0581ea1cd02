/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ask.h: questions as values: an object of JSON in, an answer out. What is on a command line and what
 * comes over a network are asked by the same words, and so have the same answers.
 */
#ifndef SERVICE_ASK_H
#define SERVICE_ASK_H

#include "load.h"

enum member_type { MEMBER_TEXT, MEMBER_TEXTS, MEMBER_FLAG, MEMBER_NUMBER, MEMBER_OBJECT, MEMBER_ARRAY };

/* What a question may say. */
struct question_member {
	const char *name;
	enum member_type type;
	bool required;
};

/* A kind of question. */
struct asking {
	const char *name;
	enum session_need need;  /* what it is asked of */
	const struct question_member *members; /* ends in one without a name */
	/* @question: checked against members. @status: as the command exits; left where it is 0. */
	json_t *(*answer)(struct session *session, const json_t *question, int *status, GError **error);
};

/* The kind of a name ("check", "baseline", …), or NULL. */
const struct asking *asking_find(const char *name);

/* All of them; NULL behind the last. */
const struct asking *asking_at(size_t i);

/**
 * ask - answer a question
 * @session: loaded as asking->need says
 * @question: an object; "assume", which was read by whoever loaded the session, is passed over
 * @status: set to 0 (ok), 1 (block) or 3 (unknown)
 *
 * Returns the answer, or NULL with @error: SERVICE_ERROR_USAGE where the question is malformed.
 */
json_t *ask(struct session *session, const struct asking *asking, const json_t *question, int *status,
	    GError **error);

/* --- for whoever makes a question ------------------------------------------------------------- */

/**
 * question_file - a file's text as a value: {"label", "text"} or, where that isn't UTF-8,
 * {"label", "base64"}
 *
 * Where it can't be read: {"label", "problem"}, an answer "error", which counts once it is needed.
 */
json_t *question_file(const char *path);

/* An array of strings, made valid; of NULL: empty. */
json_t *question_texts(char *const *texts);

/* What an option says as a string, made valid; NULL for NULL. */
json_t *question_text(const char *text);

/* --- for questions ---------------------------------------------------------------------------- */

/* A member that is a string, or NULL; that is true; an integer, or @other. */
const char *asked_text(const json_t *question, const char *name);
bool asked_flag(const json_t *question, const char *name);
int64_t asked_number(const json_t *question, const char *name, int64_t other);

/* The strings of an array, NULL-terminated, borrowed; NULL where there is none. Free with g_free(). */
char **asked_texts(const json_t *question, const char *name);

/**
 * asked_file - a file's bytes
 * @file: as question_file() gives it
 * @label: set to what messages call it; borrowed
 *
 * Returns the bytes with a NUL behind them, to be freed by g_free(), or NULL with @error.
 */
char *asked_file(const json_t *file, const char **label, gsize *length, GError **error);

/* The hosts that the strings of a member name; all of them where it has none. */
GPtrArray *asked_hosts(const struct session *session, const json_t *question, const char *name, GError **error);

/* The answer "show", where nobody can ask the host itself whether it is still so. */
json_t *show_host_of(const struct session *session, const struct host *host, const struct profile *own, bool all);

extern const struct asking asking_check, asking_baseline, asking_tradeoff, asking_pools, asking_hosts,
	asking_show, asking_guests, asking_contracts, asking_diff, asking_matrix, asking_drain,
	asking_stranded, asking_drift, asking_decision, asking_report, asking_levels,
	asking_level, asking_level_join, asking_level_propose;

#endif
