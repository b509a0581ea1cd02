/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-report.c: who can move, what to do, and how often what hooks predicted came true. */
#include "config.h"

#include "ask.h"
#include "commands.h"
#include "times.h"

static char *since, *html;

static const GOptionEntry entries[] = {
	{ "since", 0, 0, G_OPTION_ARG_STRING, &since, "How far back (default: 30d)", "DURATION" },
	{ "html", 0, 0, G_OPTION_ARG_FILENAME, &html, "Also write it into this file, as a page", "FILE" },
	{ 0 },
};

static bool write_page(const json_t *answer, GError **error)
{
	g_autofree char *text = writer_html_report(answer);

	return !html || cli_write_file(html, text, error);
}

static int run(struct cli *cli, char **args)
{
	int64_t seconds = 30 * 24 * 3600;

	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	if (since && !duration_parse(since, &seconds))
		return cli_usage(cli, "--since: '%s' is no duration such as 12h, 7d or 4w", since);
	return cli_ask_and(cli, "report", json_pack("{s:I}", "seconds", (json_int_t)seconds), write_page);
}

const struct command cmd_report = {
	.name = "report",
	.arguments = "",
	.help = "Say who can move, what to do now, what to plan, and how often hooks were right",
	.entries = entries,
	.run = run,
};
