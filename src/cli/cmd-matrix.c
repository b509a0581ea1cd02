/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-matrix.c: which guests can go where, by class. */
#include "config.h"

#include "ask.h"
#include "commands.h"

static gboolean expand;

static const GOptionEntry entries[] = {
	{ "expand", 0, 0, G_OPTION_ARG_NONE, &expand, "Name all guests and hosts", NULL },
	{ 0 },
};

static int run(struct cli *cli, char **args)
{
	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	return cli_ask(cli, "matrix", json_object(), expand);
}

const struct command cmd_matrix = {
	.name = "matrix",
	.arguments = "",
	.help = "Say which guests can go where: migration for running ones, start for others",
	.entries = entries,
	.run = run,
};
