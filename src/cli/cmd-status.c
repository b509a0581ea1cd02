/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-status.c: how a broker is. */
#include "config.h"

#include "broker.h"
#include "commands.h"

static int run(struct cli *cli, char **args)
{
	GError *error = NULL;
	json_t *answer;

	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	if (!cli_broker(cli))
		return cli_usage(cli, "which broker? (give --broker URL, or set CAPBROKER_URL)");
	answer = broker_get(cli, "/v1/status", &error);
	return answer ? cli_answer(cli, answer, json_is_string(json_object_get(answer, "trouble")) ? EXIT_BLOCK : EXIT_OK,
				   false) :
			cli_fail(cli, error);
}

const struct command cmd_status = {
	.name = "status",
	.arguments = "",
	.help = "Say how a broker is",
	.description = "Exit status: 1 where its last transaction failed: what it answers is what was known before.",
	.run = run,
};
