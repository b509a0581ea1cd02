/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-policy.c: is a policy right, and what does it say? */
#include "config.h"

#include <string.h>

#include "commands.h"
#include "load.h"

static int run(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	int status;

	if (!args[0] || strcmp(args[0], "check") || (args[1] && (args[2] || cli->policy)))
		return cli_usage(cli, "'check', and at most one file, is expected");
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
	.arguments = "check [FILE]",
	.help = "Check a policy, and say what it changes",
	.description = "FILE: else that of --policy, else the site's own; see capbroker-policy(5).\n"
		       "-v lists the weights that ship, with their reasons.",
	.changes = true,
	.run = run,
};
