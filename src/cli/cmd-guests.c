/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-guests.c: the guests that are known. */
#include "config.h"

#include "commands.h"
#include "load.h"

static int run(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	int status;

	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	if (session_open(&session, cli, SESSION_GUESTS, &error))
		status = cli_answer(cli, answer_guests(&session.answering, session.guests), EXIT_OK,
				    false);
	else
		status = cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_guests = {
	.name = "guests",
	.arguments = "",
	.help = "List the guests that are known",
	.run = run,
};
