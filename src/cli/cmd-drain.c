/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-drain.c: can a host be emptied? */
#include "config.h"

#include "assumed-price.h"
#include "commands.h"
#include "load.h"

static char **to;
static gboolean expand;

static const GOptionEntry entries[] = {
	{ "to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &to, "Hosts that its guests may go to (default: all)", "SELECTOR" },
	{ "expand", 0, 0, G_OPTION_ARG_NONE, &expand, "Name all guests and hosts", NULL },
	{ 0 },
};

static json_t *ask(const struct session *s, const char *name, GError **error)
{
	const struct host *host = session_host(s, name, error);
	g_autoptr(GPtrArray) targets = host ? session_select(s, to, error) : NULL;

	return targets ? answer_drain(&s->answering, host, s->guests, targets, s->changes) : NULL;
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	json_t *answer = NULL;
	int status;

	if (!args[0])
		return cli_usage(cli, "no host given");
	if (args[1])
		return cli_usage(cli, "'%s' is not expected (one host at a time)", args[1]);
	if (session_open(&session, cli, SESSION_FLEET, &error))
		answer = ask(&session, args[0], &error);
	if (answer)
		assumed_price(cli, &session, answer);
	status = answer ? cli_answer(cli, answer, answer_verdict_status(answer), expand) :
			  cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_drain = {
	.name = "drain",
	.arguments = "HOST",
	.help = "Say whether a host can be emptied: where its guests can go, and why some can't",
	.description =
		"Running guests are asked about for a migration, powered-off ones for a start elsewhere. "
		"With --assume\nalso: in which order the hosts that change can be emptied and changed.\n\n"
		"Exit status: 0 all can leave, 1 some can't, 3 of some it isn't known.",
	.entries = entries,
	.run = run,
};
