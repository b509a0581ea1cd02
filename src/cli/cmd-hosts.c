/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-hosts.c: the hosts that are known. */
#include "config.h"

#include "ask.h"
#include "commands.h"

static int run(struct cli *cli, char **args)
{
	return cli_ask(cli, "hosts", json_pack("{s:o}", "select", question_texts(args)), false);
}

const struct command cmd_hosts = {
	.name = "hosts",
	.arguments = "[SELECTOR…]",
	.help = "List the hosts that are known",
	.description = "SELECTOR: a host's name, UUID or alias; cluster=NAME; label:K=V; class=ID; all.",
	.run = run,
};
