/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-decision.c: a recorded decision, and what came of it. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "commands.h"

static int run(struct cli *cli, char **args)
{
	if (!args[0] || args[1] || strlen(args[0]) < 4)
		return cli_usage(cli, "exactly one decision's id is expected, four digits of it at least");
	return cli_ask(cli, "decision", json_pack("{s:o}", "id", question_text(args[0])), false);
}

const struct command cmd_decision = {
	.name = "decision",
	.arguments = "ID",
	.help = "Show a decision that a hook recorded, and what came of it",
	.run = run,
};
