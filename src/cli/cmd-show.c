/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-show.c: what one host can promise a guest. */
#include "config.h"

#include "ask.h"
#include "commands.h"
#include "show.h"
#include "validity.h"

static json_t *show(const struct session *session, const char *name, bool all, GError **error)
{
	const struct host *host = session_host(session, name, error);
	g_autoptr(Profile) own = host ? session_profile(session, host, error) : NULL;

	json_t *answer = own ? show_host_of(session, host, own, all) : NULL;

	if (answer)
		json_object_set_new(answer, "validity", validity_of(host, own));
	return answer;
}

int show_host(struct cli *cli, const char *name)
{
	struct session session;
	GError *error = NULL;
	json_t *answer = NULL;
	int status;

	if (cli_broker(cli))
		return cli_ask(cli, "show", json_pack("{s:o, s:b}", "host", question_text(name), "all", (int)cli->verbose),
			       false);
	if (session_open(&session, cli, SESSION_READ, &error))
		answer = show(&session, name, cli->verbose, &error);
	status = answer ? cli_answer(cli, answer, EXIT_OK, false) : cli_fail(cli, error);
	session_close(&session);
	return status;
}

static int run(struct cli *cli, char **args)
{
	if (!args[0] || args[1])
		return cli_usage(cli, "exactly one host is expected");
	return show_host(cli, args[0]);
}

const struct command cmd_show = {
	.name = "show",
	.arguments = "HOST",
	.help = "Say what one host can promise a guest",
	.description = "With -v every fact is listed.",
	.run = run,
};
