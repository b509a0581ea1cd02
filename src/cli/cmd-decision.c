/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-decision.c: a recorded decision, and what came of it. */
#include "config.h"

#include <string.h>

#include "answer/answer.h"
#include "commands.h"
#include "moves-json.h"

static struct store *open_store(const struct cli *cli, GError **error)
{
	g_autofree char *path = cli_database(cli);

	return store_open(path, true, error);
}

static bool one_name(const GPtrArray *decisions)
{
	for (guint i = 1; i < decisions->len; i++) {
		const struct store_decision *a = g_ptr_array_index(decisions, 0), *b = decisions->pdata[i];

		if (strcmp(a->name, b->name))
			return false;
	}
	return true;
}

static json_t *answer_of(const GPtrArray *decisions)
{
	const struct store_decision *newest = g_ptr_array_index(decisions, 0);
	json_t *answer = answer_new("decision"), *records = json_array();
	json_t *check = json_loads(newest->document, 0, NULL);

	for (guint i = 0; i < decisions->len; i++)
		json_array_append_new(records, decision_json(g_ptr_array_index(decisions, i)));
	json_object_set_new(answer, "id", json_string(newest->name));
	json_object_set_new(answer, "records", records);
	json_object_set(answer, "check", json_object_get(check, "verdicts") ? check : json_null());
	json_decref(check);
	return answer;
}

static json_t *find(struct store *store, const char *id, GError **error)
{
	g_autoptr(GPtrArray) decisions = store_decisions(store, id, 0, error);

	if (!decisions)
		return NULL;
	if (decisions->len && one_name(decisions))
		return answer_of(decisions);
	g_set_error(error, CLI_ERROR, CLI_ERROR_NAME, "%s: %s", id,
		    decisions->len ? "more than one decision begins so (give more digits)" :
				     "no decision of that id was recorded here (the host that decided has it)");
	return NULL;
}

static int run(struct cli *cli, char **args)
{
	g_autoptr(Store) store = NULL;
	GError *error = NULL;
	json_t *answer = NULL;

	if (!args[0] || args[1] || strlen(args[0]) < 4)
		return cli_usage(cli, "exactly one decision's id is expected, four digits of it at least");
	store = open_store(cli, &error);
	if (store)
		answer = find(store, args[0], &error);
	return answer ? cli_answer(cli, answer, EXIT_OK, false) : cli_fail(cli, error);
}

const struct command cmd_decision = {
	.name = "decision",
	.arguments = "ID",
	.help = "Show a decision that a hook recorded, and what came of it",
	.run = run,
};
