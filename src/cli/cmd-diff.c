/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-diff.c: what the differences between two hosts mean for guests. */
#include "config.h"

#include "commands.h"
#include "load.h"

static int run(struct cli *cli, char **args)
{
	const struct host *one = NULL, *other = NULL;
	struct session session;
	GError *error = NULL;
	int status;

	if (!args[0] || !args[1] || args[2])
		return cli_usage(cli, "exactly two hosts are expected");
	if (session_open(&session, cli, SESSION_READ, &error))
		one = session_host(&session, args[0], &error);
	if (one)
		other = session_host(&session, args[1], &error);
	status = other ? cli_answer(cli, answer_diff(&session.answering, one, other), EXIT_OK, false)
		       : cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_diff = {
	.name = "diff",
	.arguments = "HOST HOST",
	.help = "Say what the differences of two hosts mean for guests",
	.run = run,
};
