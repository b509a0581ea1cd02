/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-report.c: how often what hooks predicted came true. */
#include "config.h"

#include "answer/answer.h"
#include "commands.h"
#include "moves-json.h"
#include "times.h"

static char *since;

static const GOptionEntry entries[] = {
	{ "since", 0, 0, G_OPTION_ARG_STRING, &since, "How far back (default: 30d)", "DURATION" },
	{ 0 },
};

static json_t *report(struct store *store, int64_t from, int64_t now, GError **error)
{
	g_autoptr(GPtrArray) decisions = store_decisions(store, NULL, from, error);
	g_autoptr(GPtrArray) overrides = decisions ? store_overrides(store, error) : NULL;
	json_t *records;

	if (!overrides)
		return NULL;
	records = json_array();
	for (guint i = 0; i < decisions->len; i++)
		json_array_append_new(records, decision_json(g_ptr_array_index(decisions, i)));
	return answer_report(records, overrides_json(overrides, now, false), from, now);
}

static int run(struct cli *cli, char **args)
{
	g_autofree char *path = cli_database(cli);
	g_autoptr(Store) store = NULL;
	int64_t now = g_get_real_time() / G_USEC_PER_SEC, seconds = 30 * 24 * 3600;
	GError *error = NULL;
	json_t *answer = NULL;

	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	if (since && !duration_parse(since, &seconds))
		return cli_usage(cli, "--since: '%s' is no duration such as 12h, 7d or 4w", since);
	store = store_open(path, true, &error);
	if (store)
		answer = report(store, now - seconds, now, &error);
	return answer ? cli_answer(cli, answer, EXIT_OK, false) : cli_fail(cli, error);
}

const struct command cmd_report = {
	.name = "report",
	.arguments = "",
	.help = "Say how often what hooks predicted came true",
	.entries = entries,
	.run = run,
};
