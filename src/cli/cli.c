/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cli.c: see cli.h. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answer/answer.h"
#include "ask.h"
#include "assume.h"
#include "broker.h"
#include "cli.h"
#include "writer-text.h"

char *cli_database(const struct cli *cli)
{
	const char *from = cli->db ? cli->db : g_getenv("CAPBROKER_DB");
	const char *state = g_getenv("XDG_STATE_HOME");

	if (from && *from)
		return g_strdup(from);
	if (geteuid() == 0)
		return g_strdup("/var/lib/capbroker/capbroker.db");
	if (state && g_path_is_absolute(state))
		return g_build_filename(state, "capbroker", "capbroker.db", NULL);
	return g_build_filename(g_get_home_dir(), ".local", "state", "capbroker", "capbroker.db",
				NULL);
}

const char *cli_broker(const struct cli *cli)
{
	const char *url = cli->broker ? cli->broker : cli->db || g_getenv("CAPBROKER_DB") ? NULL : g_getenv("CAPBROKER_URL");

	return url && *url ? url : NULL;
}

bool session_open(struct session *session, const struct cli *cli, enum session_need need, GError **error)
{
	g_autofree char *database = cli_database(cli);
	json_t *assume = assume_read(cli->assume);
	const struct session_options options = { database, cli->policy, assume };
	bool elsewhere = need != SESSION_FILES && cli_broker(cli);
	bool ok = session_load(session, &options, elsewhere ? SESSION_FILES : need, error) && !elsewhere;

	if (elsewhere && error && !*error)
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "%s: isn't asked of a broker (give --db for a database)",
			    cli->command);
	json_decref(assume);
	return ok;
}

bool session_store(struct session *session, const struct cli *cli, GError **error)
{
	(void)cli;
	return session_write(session, error);
}

bool session_policy(struct session *session, const struct cli *cli, GError **error)
{
	return session_read_policy(session, cli->policy, error);
}

/* What the database says; @question: the reference is taken over. */
static json_t *answer_here(const struct cli *cli, const char *name, json_t *question, int *status, GError **error)
{
	const struct asking *asking = asking_find(name);
	struct session session;
	json_t *answer = NULL;

	if (session_open(&session, cli, asking->need, error))
		answer = ask(&session, asking, question, status, error);
	session_close(&session);
	json_decref(question);
	return answer;
}

/* The same of a broker, or of the database. */
static json_t *answer_to(const struct cli *cli, const char *name, json_t *question, int *status, GError **error)
{
	json_t *assume, *answer;

	if (!cli_broker(cli))
		return answer_here(cli, name, question, status, error);
	assume = assume_read(cli->assume);
	if (assume)
		json_object_set_new(question, "assume", assume);
	answer = broker_ask(cli, name, question, status, error);
	json_decref(question);
	return answer;
}

int cli_ask(const struct cli *cli, const char *name, json_t *question, bool expand)
{
	GError *error = NULL;
	int status = EXIT_OK;
	json_t *answer = answer_to(cli, name, question, &status, &error);

	return answer ? cli_answer(cli, answer, status, expand) : cli_fail(cli, error);
}

int cli_ask_and(const struct cli *cli, const char *name, json_t *question, cli_also *also)
{
	GError *error = NULL;
	int status = EXIT_OK;
	json_t *answer = answer_to(cli, name, question, &status, &error);

	if (answer && !also(answer, &error))
		g_clear_pointer(&answer, json_decref);
	return answer ? cli_answer(cli, answer, status, false) : cli_fail(cli, error);
}

static bool put(const char *text, GError **error)
{
	if (fputs(text, stdout) != EOF && fflush(stdout) != EOF)
		return true;
	g_set_error_literal(error, CLI_ERROR, CLI_ERROR_IO,
			    "standard output: cannot write (is its disk full?)");
	return false;
}

int cli_text(const struct cli *cli, const char *text)
{
	GError *error = NULL;

	return put(text, &error) ? EXIT_OK : cli_fail(cli, error);
}

char *cli_assumed(const struct cli *cli)
{
	return cli->assume ? g_strjoinv(", ", cli->assume) : NULL;
}

/* An answer about a fleet that isn't so says so. */
static void add_assumed(const struct cli *cli, json_t *answer)
{
	json_t *assumed = json_array();

	for (size_t i = 0; cli->assume[i]; i++) {
		g_autofree char *valid = g_utf8_make_valid(cli->assume[i], -1);

		json_array_append_new(assumed, json_string(valid));
	}
	json_object_set_new(answer, "assumed", assumed);
}

int cli_answer(const struct cli *cli, json_t *answer, int status, bool expand)
{
	const char *term = g_getenv("TERM");
	const struct text_options options = {
		.color = isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR") && g_strcmp0(term, "dumb"),
		.verbose = cli->verbose,
		.expand = expand,
	};
	g_autofree char *text = NULL;
	GError *error = NULL;
	bool ok;

	if (cli->assume)
		add_assumed(cli, answer);
	if (cli->json) {
		char *dump = json_dumps(answer, JSON_INDENT(1));

		ok = put(dump, &error) && put("\n", &error);
		free(dump);
	} else {
		text = writer_text(answer, &options);
		ok = put(text, &error);
	}
	json_decref(answer);
	return ok ? status : cli_fail(cli, error);
}

int cli_fail(const struct cli *cli, GError *error)
{
	g_autofree char *line = error_line(error);

	fprintf(stderr, "capbroker: %s\n", line);
	if (cli->json) {
		json_t *answer = error_answer(error);
		char *text = json_dumps(answer, JSON_INDENT(1));

		puts(text);
		free(text);
		json_decref(answer);
	}
	g_error_free(error);
	return EXIT_ERROR;
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	return cli_fail(cli, g_error_new(CLI_ERROR, CLI_ERROR_USAGE,
					 "%s: %s (see capbroker %s --help)", cli->command, what,
					 cli->command));
}
