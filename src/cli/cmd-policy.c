/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-policy.c: is a policy right, and what does it say? */
#include "config.h"

#include <string.h>

#include "authored.h"
#include "commands.h"
#include "load.h"

/* A policy that was restored, as it was written; or which there are. */
static int show(struct cli *cli, const char *name)
{
	g_autofree char *path = cli_database(cli);
	g_autoptr(GHashTable) policies = NULL;
	g_autoptr(Store) store = NULL;
	GError *error = NULL;
	const char *text;

	store = store_open(path, true, &error);
	policies = store ? store_policies(store, &error) : NULL;
	if (!policies)
		return cli_fail(cli, error);
	text = g_hash_table_lookup(policies, name);
	if (text)
		return cli_text(cli, text);
	return cli_fail(cli, g_error_new(CLI_ERROR, CLI_ERROR_NAME,
					 "%s: no policy of that name was restored (see the file that 'capbroker export' wrote)",
					 name));
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	int status;

	if (args[0] && !strcmp(args[0], "show") && args[1] && !args[2])
		return show(cli, args[1]);
	if (!args[0] || strcmp(args[0], "check") || (args[1] && (args[2] || cli->policy)))
		return cli_usage(cli, "'check' and at most one file, or 'show' and a name, is expected");
	if (args[1])
		cli->policy = args[1];
	if (session_open(&session, cli, SESSION_FILES, &error) && session_policy(&session, cli, &error))
		status = cli_answer(cli, answer_policy(session.policy_path, session.policy,
						       session.files->weight_table), EXIT_OK, false);
	else
		status = cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_policy = {
	.name = "policy",
	.arguments = "check [FILE] | show NAME",
	.help = "Check a policy, and say what it changes",
	.description = "NAME: of a policy that 'capbroker restore' brought; it is printed.\n"
		       "FILE: else that of --policy, else the site's own; see capbroker-policy(5).\n"
		       "-v lists the weights that ship, with their reasons.",
	.changes = true,
	.run = run,
};
