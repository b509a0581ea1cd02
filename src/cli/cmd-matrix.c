/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-matrix.c: which guests can go where, by class. */
#include "config.h"

#include "commands.h"
#include "load.h"

static gboolean expand;

static const GOptionEntry entries[] = {
	{ "expand", 0, 0, G_OPTION_ARG_NONE, &expand, "Name all guests and hosts", NULL },
	{ 0 },
};

static int run(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	int status;

	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	if (session_open(&session, cli, SESSION_FLEET, &error))
		status = cli_answer(cli, answer_matrix(&session.answering, session.guests), EXIT_OK,
				    expand);
	else
		status = cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_matrix = {
	.name = "matrix",
	.arguments = "",
	.help = "Say which guests can go where: migration for running ones, start for others",
	.entries = entries,
	.run = run,
};
