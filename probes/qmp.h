/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp.h: starts QEMUs that run no guest, asks them things, and ends them whatever they do.
 */
#ifndef QMP_H
#define QMP_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

enum qmp_outcome {
	QMP_NOT_REACHED, /* time was up before its turn, or in the middle of it */
	QMP_OK,
	QMP_REFUSED,     /* QEMU ended by itself with a message: it won't start so */
	QMP_CRASHED,     /* ended by a signal */
	QMP_TIMED_OUT,   /* used up its own time limit */
	QMP_GARBAGE,     /* doesn't speak QMP */
	QMP_NOT_STARTED, /* could not be executed */
	QMP_OUTCOMES
};

/* One process: what to start it with, what to ask, what came back (its numbers as reals). */
struct qmp_job {
	char *emulator, *accel, *machine;
	const char *part;  /* what a recording calls it besides, or NULL */
	json_t *commands;  /* array of {"key", "execute", "arguments"?, "keep"?} */
	json_t *replies;   /* object: key → QEMU's reply, {"return":…} or {"error":…} */
	GString *raw;      /* the same as QEMU wrote it */
	enum qmp_outcome outcome;
	char *reason;      /* one line, NULL where QMP_OK */
};

struct qmp_job *qmp_job_new(const char *emulator, const char *accel, const char *machine);
void qmp_job_free(struct qmp_job *job);

/* Adds a command; @arguments is stolen and may be NULL. */
void qmp_job_ask(struct qmp_job *job, const char *key, const char *execute, json_t *arguments);

/* Of the reply to the command added last, only these members are kept, and recorded: the others
 * are secrets, or name the machine. @members is stolen. */
void qmp_job_keep_only(struct qmp_job *job, json_t *members);

/* What a command returned, or NULL where it failed or was not reached. */
const json_t *qmp_job_return(const struct qmp_job *job, const char *key);

/* What came of a job, as text for a recording; false where the text says nothing of one. */
char *qmp_job_text(const struct qmp_job *job);
bool qmp_job_load(struct qmp_job *job, const char *text);

/**
 * qmp_run - run jobs, a few at a time, in their order
 * @jobs: struct qmp_job
 * @parallel: how many processes at a time
 * @limit_ms: what one process may take
 * @deadline: g_get_monotonic_time() after which none is started and those running are ended
 */
void qmp_run(const GPtrArray *jobs, unsigned int parallel, int limit_ms, gint64 deadline);

/* "ok", "refused", …; -1 for a name that is none */
const char *qmp_outcome_name(enum qmp_outcome outcome);
int qmp_outcome_find(const char *name);

#endif
