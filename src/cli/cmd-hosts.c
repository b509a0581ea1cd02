/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-hosts.c: the hosts that are known. */
#include "config.h"

#include "commands.h"
#include "load.h"

static int run(struct cli *cli, char **args)
{
	struct session session;
	g_autoptr(GPtrArray) hosts = NULL;
	GError *error = NULL;
	int status;

	if (session_open(&session, cli, SESSION_READ, &error))
		hosts = *args ? session_select(&session, args, &error)
			      : g_ptr_array_ref(session.fleet->hosts);
	status = hosts ? cli_answer(cli, answer_hosts(&session.answering, hosts), EXIT_OK, false)
		       : cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_hosts = {
	.name = "hosts",
	.arguments = "[SELECTOR…]",
	.help = "List the hosts that are known",
	.description = "SELECTOR: a host's name, UUID or alias; cluster=NAME; label:K=V; class=ID; all.",
	.run = run,
};
