/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-stranded.c: which guests can go nowhere, or hardly anywhere? */
#include "config.h"

#include "assumed-price.h"
#include "commands.h"
#include "load.h"

#define FEW 2

static int few = FEW;
static gboolean expand;

static const GOptionEntry entries[] = {
	{ "few", 0, 0, G_OPTION_ARG_INT, &few, "Up to so many hosts left count as limited (default 2)", "N" },
	{ "expand", 0, 0, G_OPTION_ARG_NONE, &expand, "Name all guests and hosts", NULL },
	{ 0 },
};

static int run(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	json_t *answer;
	int status;

	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	if (few < 0)
		return cli_usage(cli, "--few: %d is no number of hosts (0 or more)", few);
	if (session_open(&session, cli, SESSION_FLEET, &error)) {
		answer = answer_stranded(&session.answering, session.guests, session.changes,
					 (unsigned int)few);
		assumed_price(cli, &session, answer);
		status = cli_answer(cli, answer, answer_verdict_status(answer), expand);
	} else {
		status = cli_fail(cli, error);
	}
	session_close(&session);
	return status;
}

const struct command cmd_stranded = {
	.name = "stranded",
	.arguments = "",
	.help = "List guests that can go nowhere, or to few hosts, by what keeps them",
	.description =
		"Running guests are asked about for a migration to another host; powered-off ones, and those "
		"of hosts\nthat are assumed gone, for a start on any. With --assume also: in which order the "
		"hosts that change\ncan be emptied and changed, and which guests have nowhere to go meanwhile.\n\n"
		"Exit status: 0 none is stranded, 1 some are, 3 of some it isn't known.",
	.entries = entries,
	.run = run,
};
