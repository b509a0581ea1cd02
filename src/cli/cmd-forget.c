/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-forget.c: drop a host and all that is known of it. */
#include "config.h"

#include "commands.h"
#include "load.h"

/* By the name it has, or by the UUID or alias of a host that is known. */
static bool forget(const struct cli *cli, const char *name, char **forgotten, GError **error)
{
	struct session session;
	struct host *host = NULL;
	bool found = false;

	if (session_open(&session, cli, SESSION_READ, error))
		host = session_host(&session, name, error);
	if (host && session_store(&session, cli, error)) {
		*forgotten = g_strdup(host->name);
		found = store_forget(session.store, host->name, &found, error) && found;
	}
	session_close(&session);
	return found;
}

static int run(struct cli *cli, char **args)
{
	g_autofree char *name = NULL;
	GError *error = NULL;
	json_t *answer;

	if (!args[0] || args[1])
		return cli_usage(cli, "exactly one host is expected");
	if (!forget(cli, args[0], &name, &error)) {
		if (!error)
			error = g_error_new(CLI_ERROR, CLI_ERROR_NAME,
					    "%s: was forgotten by somebody else meanwhile", args[0]);
		return cli_fail(cli, error);
	}
	answer = answer_new("forget");
	json_object_set_new(answer, "forgotten", json_string(name));
	return cli_answer(cli, answer, EXIT_OK, false);
}

const struct command cmd_forget = {
	.name = "forget",
	.arguments = "HOST",
	.help = "Drop a host, its guests, its history and its labels",
	.changes = true,
	.run = run,
};
