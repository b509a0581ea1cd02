/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-pools.c: hosts into few migration domains that keep most of what they have. */
#include "config.h"

#include "ask.h"
#include "commands.h"

static char *max, *min_size, *spread;

static const GOptionEntry entries[] = {
	{ "max", 0, 0, G_OPTION_ARG_STRING, &max, "At most so many pools", "K" },
	{ "min-size", 0, 0, G_OPTION_ARG_STRING, &min_size, "Each of at least so many hosts", "N" },
	{ "spread", 0, 0, G_OPTION_ARG_STRING, &spread, "Each in at least two places by this label", "LABEL" },
	{ 0 },
};

static bool number(const char *text, const char *option, guint *value, GError **error)
{
	guint64 parsed = 0;

	if (text && !g_ascii_string_to_unsigned(text, 10, 1, 1000, &parsed, NULL)) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "pools: --%s %s: is no number from 1 to 1000 (see capbroker pools --help)", option, text);
		return false;
	}
	*value = (guint)parsed;
	return true;
}

static int run(struct cli *cli, char **args)
{
	GError *error = NULL;
	guint most, least;
	json_t *question;

	if (!max)
		return cli_usage(cli, "--max K is expected");
	if (!number(max, "max", &most, &error) || !number(min_size, "min-size", &least, &error))
		return cli_fail(cli, error);
	question = json_pack("{s:o, s:i}", "select", question_texts(args), "max", (int)most);
	if (min_size)
		json_object_set_new(question, "min_size", json_integer(least));
	if (spread)
		json_object_set_new(question, "spread", question_text(spread));
	return cli_ask(cli, "pools", question, false);
}

const struct command cmd_pools = {
	.name = "pools",
	.arguments = "[SELECTOR…]",
	.help = "Say which hosts to pool, so that most is kept of what they have",
	.description =
		"SELECTOR: a host's name, UUID or alias; cluster=NAME; label:K=V; class=ID; all (the default).\n\n"
		"Hosts of different architectures or vendors never share a pool; those of one class always do.\n"
		"Exit status: 1 where some pool can't be as large, or as spread, as asked for.",
	.entries = entries,
	.run = run,
};
