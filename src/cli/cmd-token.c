/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-token.c: who may ask a broker from afar: run where the broker runs, as its user. */
#include "config.h"

#include <string.h>

#include "commands.h"
#include "times.h"
#include "tokens.h"

#define TOKENS_FILE "/var/lib/capbroker/tokens"
#define USES_MAX 1000000

static char *file, *role, *host, *note, *expires, *uses;
static gboolean enrol;

static const GOptionEntry entries[] = {
	{ "tokens", 0, 0, G_OPTION_ARG_FILENAME, &file, "The broker's file of tokens (default: " TOKENS_FILE ")", "FILE" },
	{ "role", 0, 0, G_OPTION_ARG_STRING, &role, "agent, reader or admin", "ROLE" },
	{ "host", 0, 0, G_OPTION_ARG_STRING, &host, "The host of an agent", "HOST" },
	{ "expires", 0, 0, G_OPTION_ARG_STRING, &expires, "When it ends: 12h, 7d, 2w, or a date", "T" },
	{ "note", 0, 0, G_OPTION_ARG_STRING, &note, "For whoever lists them", "TEXT" },
	{ "enrol", 0, 0, G_OPTION_ARG_NONE, &enrol, "A secret that agents exchange for tokens of their own", NULL },
	{ "uses", 0, 0, G_OPTION_ARG_STRING, &uses, "By so many of them (default: 1)", "N" },
	{ 0 },
};

static bool fill(struct cli *cli, struct token *spec, int64_t now, int *status)
{
	guint64 n = 1;

	spec->role = enrol ? ROLE_AGENT : role_parse(role);
	spec->host = host;
	spec->note = note;
	spec->enrolment = enrol;
	if (enrol && (role || host))
		*status = cli_usage(cli, "--enrol: goes without --role and --host (each agent says which host it is of)");
	else if (uses && (!enrol || !g_ascii_string_to_unsigned(uses, 10, 1, USES_MAX, &n, NULL)))
		*status = cli_usage(cli, "--uses: a number from 1 to %d is expected, with --enrol", USES_MAX);
	else if (spec->role == ROLE_NONE)
		*status = cli_usage(cli, "--role: agent, reader or admin is expected");
	else if ((spec->role == ROLE_AGENT && !enrol) != (host != NULL))
		*status = cli_usage(cli, "--host: an agent's token is of one host, others of none");
	else if (expires && (!time_parse(expires, now, &spec->expires) || spec->expires <= now))
		*status = cli_usage(cli, "--expires: '%s' is no time to come (say 7d, or 2026-12-24)", expires);
	spec->uses = enrol ? (int64_t)n : 0;
	return *status == EXIT_OK;
}

/* The token goes to standard output and nowhere else. */
static int create(struct cli *cli, const char *path)
{
	int64_t now = g_get_real_time() / G_USEC_PER_SEC;
	struct token spec = { .expires = 0 };
	g_autofree char *text = NULL, *line = NULL;
	GError *error = NULL;
	int status = EXIT_OK;

	if (!fill(cli, &spec, now, &status))
		return status;
	text = token_create(path, &spec, now, &error);
	line = text ? g_strconcat(text, "\n", NULL) : NULL;
	if (!text)
		return cli_fail(cli, error);
	if (!cli->json)
		return cli_text(cli, line);
	return cli_answer(cli, json_pack("{s:s, s:s?, s:s}", "format", "capbroker.token/1", "host", host, "token", text),
			  EXIT_OK, false);
}

static int list_tokens(struct cli *cli, const char *path)
{
	GError *error = NULL;
	struct tokens *tokens = tokens_read(path, &error);
	json_t *answer = tokens ? answer_tokens(tokens, g_get_real_time() / G_USEC_PER_SEC) : NULL;

	tokens_free(tokens);
	return answer ? cli_answer(cli, answer, EXIT_OK, false) : cli_fail(cli, error);
}

static int end_token(struct cli *cli, const char *path, const char *id)
{
	GError *error = NULL;

	if (!token_revoke(path, id, &error))
		return cli_fail(cli, error);
	return list_tokens(cli, path);
}

static int run(struct cli *cli, char **args)
{
	const char *path = file ? file : TOKENS_FILE;
	bool one = args[0] && !args[1];

	if (one && !strcmp(args[0], "create"))
		return create(cli, path);
	if (one && !strcmp(args[0], "list"))
		return list_tokens(cli, path);
	if (args[0] && !strcmp(args[0], "revoke") && args[1] && !args[2])
		return end_token(cli, path, args[1]);
	return cli_usage(cli, "'create', 'list' or 'revoke ID' is expected");
}

const struct command cmd_token = {
	.name = "token",
	.arguments = "create|list|revoke [ID]",
	.help = "Say who may ask a broker from afar",
	.description =
		"create prints a token, which is kept nowhere but as a hash: put it into a file that only its user\n"
		"may read. An agent's token is good for what its own host sends. --enrol makes a secret for a\n"
		"script that installs agents: each exchanges it for a token of its own (capbroker-probe --enrol).",
	.entries = entries,
	.changes = true,
	.run = run,
};
