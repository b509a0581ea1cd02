/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-pools.c: hosts into few migration domains that keep most of what they have. */
#include "config.h"

#include "assumed-price.h"
#include "commands.h"
#include "planning.h"

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

static json_t *answer(const struct session *s, const GPtrArray *hosts, struct pools_options *options,
		      GError **error)
{
	const struct baseline_options baseline = { 0 };
	const struct planning_names names = { .spread = spread };
	g_autoptr(GPtrArray) groups = baseline_groups(&s->judge, hosts, &baseline);
	struct plans plans;
	json_t *json = NULL;

	if (groups->len > options->max) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "pools: --max %u: these hosts are of %u architectures and vendors, which never share a pool (allow %u, or select fewer hosts)",
			    options->max, groups->len, groups->len);
		return NULL;
	}
	if (plans_open(&plans, s, &baseline, &names, hosts, error))
		json = answer_pools(&s->answering, hosts, groups, &plans.planning, options);
	plans_close(&plans);
	return json;
}

static int run(struct cli *cli, char **args)
{
	struct pools_options options = { .spread = spread != NULL };
	struct session session;
	g_autoptr(GPtrArray) hosts = NULL;
	GError *error = NULL;
	json_t *json = NULL;
	int status;

	if (!max)
		return cli_usage(cli, "--max K is expected");
	if (!number(max, "max", &options.max, &error) || !number(min_size, "min-size", &options.min_size, &error))
		return cli_fail(cli, error);
	if (session_open(&session, cli, SESSION_READ, &error))
		hosts = session_select(&session, args, &error);
	if (hosts)
		json = answer(&session, hosts, &options, &error);
	status = json && json_is_true(json_object_get(json, "fits")) &&
				 !json_array_size(json_object_get(json, "below_floors")) ? EXIT_OK : EXIT_BLOCK;
	if (json)
		assumed_price(cli, &session, json);
	status = json ? cli_answer(cli, json, status, false) : cli_fail(cli, error);
	g_clear_pointer(&hosts, g_ptr_array_unref);
	session_close(&session);
	return status;
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
