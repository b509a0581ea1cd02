/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-diff.c: what the differences between two hosts mean for guests. */
#include "config.h"

#include "ask.h"
#include "commands.h"

static int run(struct cli *cli, char **args)
{
	if (!args[0] || !args[1] || args[2])
		return cli_usage(cli, "exactly two hosts are expected");
	return cli_ask(cli, "diff", json_pack("{s:o, s:o}", "one", question_text(args[0]), "other",
					      question_text(args[1])), false);
}

const struct command cmd_diff = {
	.name = "diff",
	.arguments = "HOST HOST",
	.help = "Say what the differences of two hosts mean for guests",
	.run = run,
};
