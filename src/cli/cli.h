/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cli.h: what the commands of capbroker share: options, answers, errors.
 *
 * A command gets its arguments, makes one answer (a document of src/lib/answer) and hands it to
 * cli_answer(), or an error to cli_fail(); nothing else writes to standard output.
 */
#ifndef CLI_H
#define CLI_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "load.h"

/* Exit statuses. */
enum { EXIT_OK = 0, EXIT_BLOCK = 1, EXIT_ERROR = 2, EXIT_UNKNOWN = 3 };

/* The commands' own errors are of the kinds that questions have. */
#define CLI_ERROR SERVICE_ERROR
enum {
	CLI_ERROR_USAGE = SERVICE_ERROR_USAGE,
	CLI_ERROR_IO = SERVICE_ERROR_IO,
	CLI_ERROR_NAME = SERVICE_ERROR_NAME,
};

struct cli {
	const char *command; /* its name, for errors */
	char *db;            /* --db, or NULL */
	char *policy;        /* --policy, or NULL */
	char *broker;        /* --broker, or NULL */
	char *token_file, *ca_file; /* for it; or NULL */
	char **assume;       /* --assume, NULL-terminated, or NULL */
	gboolean json, verbose;
};

struct command {
	const char *name;
	const char *arguments;       /* as --help shows them */
	const char *help;            /* one line */
	const char *description;     /* what --help says below, or NULL */
	const GOptionEntry *entries; /* its own options, or NULL */
	bool changes;                /* what is stored: it answers nothing */
	/* @args: what is no option, NULL-terminated. Returns the exit status. */
	int (*run)(struct cli *cli, char **args);
};

/* Options of all commands. */
extern const GOptionEntry common_options[];

/* All commands; ends in NULL. */
extern const struct command *const commands[];

/* The database's file: --db, $CAPBROKER_DB, else by who asks; free with g_free(). */
char *cli_database(const struct cli *cli);

/*
 * session_load(), session_write() and session_read_policy() with what the options say. Also where
 * session_open() fails session_close() is due. What is to be asked of a broker isn't opened here.
 */
bool session_open(struct session *session, const struct cli *cli, enum session_need need, GError **error);
bool session_store(struct session *session, const struct cli *cli, GError **error);
bool session_policy(struct session *session, const struct cli *cli, GError **error);

/**
 * cli_ask - put a question (ask.h) and write its answer
 * @question: the reference is taken over
 *
 * Returns the exit status.
 */
int cli_ask(const struct cli *cli, const char *name, json_t *question, bool expand);

/* The same; @also does something with the answer before it is written, or fails with @error. */
typedef bool cli_also(const json_t *answer, GError **error);
int cli_ask_and(const struct cli *cli, const char *name, json_t *question, cli_also *also);

/**
 * cli_answer - write an answer, as JSON or as text for people
 * @answer: the reference is taken over
 * @status: the exit status it has
 * @expand: text names hosts and guests where it would count them
 *
 * Returns @status, or EXIT_ERROR where standard output can't be written.
 */
int cli_answer(const struct cli *cli, json_t *answer, int status, bool expand);

/* The broker to ask: --broker, else $CAPBROKER_URL where no database was named; or NULL. */
const char *cli_broker(const struct cli *cli);

/* What --assume says, in one line, or NULL: free with g_free(). */
char *cli_assumed(const struct cli *cli);

/* Writes text as it is; returns the exit status. */
int cli_text(const struct cli *cli, const char *text);

/**
 * cli_fail - one line on standard error, and with --json the error as a document
 * @error: what went wrong; freed
 *
 * Returns EXIT_ERROR.
 */
int cli_fail(const struct cli *cli, GError *error);

/* The same for a wrong command line. */
int cli_usage(const struct cli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
