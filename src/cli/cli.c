/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cli.c: see cli.h. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answer/answer.h"
#include "cli.h"
#include "model/error.h"
#include "store.h"
#include "writer-text.h"

G_DEFINE_QUARK(cli-error, cli_error)

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

/* A word for programs. */
static const char *error_code(const GError *error)
{
	static const char *const store_codes[] = {
		[STORE_ERROR_OPEN] = "store-open",   [STORE_ERROR_LOCKED] = "store-locked",
		[STORE_ERROR_CORRUPT] = "store-corrupt", [STORE_ERROR_NEWER] = "store-newer",
		[STORE_ERROR_FULL] = "store-full",   [STORE_ERROR_FAILED] = "store-failed",
	};
	static const char *const cli_codes[] = {
		[CLI_ERROR_USAGE] = "usage",
		[CLI_ERROR_IO] = "io",
		[CLI_ERROR_NAME] = "unknown-name",
	};

	if (error->domain == STORE_ERROR && (gsize)error->code < G_N_ELEMENTS(store_codes))
		return store_codes[error->code];
	if (error->domain == CLI_ERROR && (gsize)error->code < G_N_ELEMENTS(cli_codes))
		return cli_codes[error->code];
	if (error->domain == G_OPTION_ERROR)
		return "usage";
	if (error->domain == CAPBROKER_ERROR)
		return error->code == ERROR_UNKNOWN ? "unknown-name" : "invalid";
	return "failed";
}

int cli_fail(const struct cli *cli, GError *error)
{
	g_autofree char *line = g_utf8_make_valid(error->message, -1);

	/* One line, whatever names and foreign messages hold. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	fprintf(stderr, "capbroker: %s\n", line);
	if (cli->json) {
		json_t *answer = answer_error(error_code(error), line);
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
