/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-report.c: how often what hooks predicted came true. */
#include "config.h"

#include "ask.h"
#include "commands.h"
#include "times.h"

static char *since;

static const GOptionEntry entries[] = {
	{ "since", 0, 0, G_OPTION_ARG_STRING, &since, "How far back (default: 30d)", "DURATION" },
	{ 0 },
};

static int run(struct cli *cli, char **args)
{
	int64_t seconds = 30 * 24 * 3600;

	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	if (since && !duration_parse(since, &seconds))
		return cli_usage(cli, "--since: '%s' is no duration such as 12h, 7d or 4w", since);
	return cli_ask(cli, "report", json_pack("{s:I}", "seconds", (json_int_t)seconds), false);
}

const struct command cmd_report = {
	.name = "report",
	.arguments = "",
	.help = "Say how often what hooks predicted came true",
	.entries = entries,
	.run = run,
};
