/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-level.c: levels: named baselines that never change, and what is due for them. */
#include "config.h"

#include <string.h>

#include "commands.h"
#include "level-parts.h"

struct level_options level_options;

static const GOptionEntry entries[] = {
	{ "coverage", 0, 0, G_OPTION_ARG_STRING, &level_options.coverage, "create: leave out hosts, as long as at least this share is kept", "SHARE" },
	{ "weight-label", 0, 0, G_OPTION_ARG_STRING, &level_options.weight_label, "create: a host counts what this label of it says", "KEY" },
	{ "accel", 0, 0, G_OPTION_ARG_STRING, &level_options.accel, "create: for guests under kvm or tcg (default: the best known)", "ACCEL" },
	{ "pin", 0, 0, G_OPTION_ARG_STRING_ARRAY, &level_options.pins, "create: all that are kept must have it; more may follow", "CAP" },
	{ "forbid", 0, 0, G_OPTION_ARG_STRING_ARRAY, &level_options.forbid, "create: it counts nothing; more may follow", "CAP" },
	{ "since", 0, 0, G_OPTION_ARG_STRING, &level_options.since, "create: from when on it holds (default: today)", "DATE" },
	{ "review-by", 0, 0, G_OPTION_ARG_STRING, &level_options.review_by, "create: when to look at it again (default: in a year)", "DATE" },
	{ "retire-by", 0, 0, G_OPTION_ARG_STRING, &level_options.retire_by, "create: when it is to be gone (default: before its machine type is)", "DATE" },
	{ "reason", 0, 0, G_OPTION_ARG_STRING, &level_options.reason, "Why, for whoever reads it later", "TEXT" },
	{ "apply", 0, 0, G_OPTION_ARG_NONE, &level_options.apply, "propose: do what is proposed, but sinks", NULL },
	{ "sink", 0, 0, G_OPTION_ARG_NONE, &level_options.sink, "propose --apply: sinks too", NULL },
	{ "auto", 0, 0, G_OPTION_ARG_NONE, &level_options.automatic, "propose: do the raises that the policy lets happen by themselves", NULL },
	{ "unassign", 0, 0, G_OPTION_ARG_NONE, &level_options.unassign, "assign: take the guests from their levels", NULL },
	{ "all", 0, 0, G_OPTION_ARG_NONE, &level_options.all, "list: retired ones too", NULL },
	{ 0 },
};

enum { CREATE = 1, LIST = 2, SHOW = 4, PROPOSE = 8, ASSIGN = 16, RETIRE = 32, JOIN = 64 };

/* Options of subcommands that don't take them are mistakes. */
static const char *misplaced(int sub)
{
	const struct level_options *o = &level_options;
	const struct { const char *name; bool given; int of; } given[] = {
		{ "coverage", o->coverage, CREATE }, { "weight-label", o->weight_label, CREATE },
		{ "accel", o->accel, CREATE }, { "pin", o->pins, CREATE }, { "forbid", o->forbid, CREATE },
		{ "since", o->since, CREATE }, { "review-by", o->review_by, CREATE },
		{ "retire-by", o->retire_by, CREATE },
		{ "reason", o->reason, CREATE | PROPOSE | ASSIGN | RETIRE }, { "apply", o->apply, PROPOSE },
		{ "sink", o->sink, PROPOSE }, { "auto", o->automatic, PROPOSE },
		{ "unassign", o->unassign, ASSIGN }, { "all", o->all, LIST },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(given); i++)
		if (given[i].given && !(given[i].of & sub))
			return given[i].name;
	return NULL;
}

static json_t *list(struct session *s, const struct cli *cli, char **args, GError **error)
{
	struct levels levels;
	json_t *answer = NULL;

	(void)cli;
	(void)args;
	if (levels_open(&levels, s, error))
		answer = answer_levels(&s->answering, levels.all, level_options.all);
	levels_close(&levels);
	return answer;
}

/* The log of a level, and of its series as a whole. */
static json_t *log_of(struct session *s, const struct level *level, GError **error)
{
	g_autoptr(GPtrArray) log = store_level_log(s->store, level->series, error);
	json_t *array = log ? json_array() : NULL;

	for (guint i = 0; log && i < log->len; i++) {
		const struct store_level_entry *e = g_ptr_array_index(log, i);

		if (!g_strcmp0(e->level, level->name))
			json_array_append_new(array, level_entry_json(e));
	}
	return array;
}

static json_t *show(struct session *s, const struct cli *cli, char **args, GError **error)
{
	struct levels levels;
	const struct level *level = levels_open(&levels, s, error) ? levels_find(&levels, args[0], error) : NULL;
	json_t *log = level ? log_of(s, level, error) : NULL;
	json_t *answer = log ? answer_level_show(&s->answering, &levels.site, levels.all, level, log) : NULL;

	(void)cli;
	levels_close(&levels);
	return answer;
}

/* The level that is meant where none is named: the only series there is. */
static const struct level *only_series(const struct levels *levels, GError **error)
{
	const struct level *newest = NULL;

	for (guint i = 0; i < levels->all->len; i++) {
		const struct level *level = g_ptr_array_index(levels->all, i);

		if (level->is_retired)
			continue;
		if (newest && strcmp(newest->series, level->series)) {
			g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
				    "level: there is more than one series (name the level, see 'capbroker level list')");
			return NULL;
		}
		newest = level;
	}
	if (!newest)
		g_set_error(error, CLI_ERROR, CLI_ERROR_NAME,
			    "level: there is none yet (make one with 'capbroker level create SERIES')");
	return newest;
}

static json_t *join(struct session *s, const struct cli *cli, char **args, GError **error)
{
	struct levels levels;
	const struct host *host = session_host(s, args[0], error);
	const struct level *level = NULL;
	json_t *answer = NULL;

	(void)cli;
	levels = (struct levels){ 0 };
	if (host && levels_open(&levels, s, error))
		level = args[1] ? levels_find(&levels, args[1], error) : only_series(&levels, error);
	if (level)
		answer = answer_level_join(&s->answering, &levels.site, level, host);
	levels_close(&levels);
	return answer;
}

static const struct subcommand {
	const char *name;
	int bit;
	guint least, most; /* arguments */
	const char *expected;
	bool assumes;      /* --assume bears on it */
	json_t *(*run)(struct session *session, const struct cli *cli, char **args, GError **error);
} subcommands[] = {
	{ "create", CREATE, 1, 1000, "the name of a series, and selectors,", false, level_create },
	{ "list", LIST, 0, 0, "nothing", false, list },
	{ "show", SHOW, 1, 1, "the name of one level", true, show },
	{ "propose", PROPOSE, 0, 1000, "", true, level_propose },
	{ "assign", ASSIGN, 1, 100000, "the name of a level, and guests,", false, level_assign_guests },
	{ "retire", RETIRE, 1, 1, "the name of one level", false, level_retire },
	{ "join", JOIN, 1, 2, "a host, and at most one level,", true, join },
};

static const struct subcommand *find(const char *name)
{
	for (size_t i = 0; name && i < G_N_ELEMENTS(subcommands); i++)
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	return NULL;
}

static int check(struct cli *cli, const struct subcommand *sub, char **args)
{
	guint n = g_strv_length(args);
	const char *option;

	if (!sub)
		return cli_usage(cli, "create, list, show, propose, assign, retire or join is expected");
	option = misplaced(sub->bit);
	if (option)
		return cli_usage(cli, "%s: takes no --%s", sub->name, option);
	if (n - 1 < sub->least || n - 1 > sub->most)
		return cli_usage(cli, "%s: %s is expected", sub->name, sub->expected);
	if (cli->assume && (!sub->assumes || level_options.apply || level_options.automatic))
		return cli_usage(cli, "%s: nothing is changed for hosts that are assumed (leave --assume out)", sub->name);
	return EXIT_OK;
}

/* A level that must sink, or that guests keep beyond its time, is no good news. */
static int status_of(const json_t *answer)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(answer, "proposals"), i, one) {
		const char *kind = json_string_value(json_object_get(one, "kind"));

		if (!g_strcmp0(kind, "sink") || !g_strcmp0(kind, "overdue"))
			return EXIT_BLOCK;
	}
	return EXIT_OK;
}

static int run(struct cli *cli, char **args)
{
	const struct subcommand *sub = find(args[0]);
	struct session session;
	GError *error = NULL;
	json_t *answer = NULL;
	int status = check(cli, sub, args);

	if (status)
		return status;
	if (session_open(&session, cli, SESSION_FLEET, &error)) {
		if (session.store)
			answer = sub->run(&session, cli, args + 1, &error);
		else
			g_set_error(&error, CLI_ERROR, CLI_ERROR_NAME,
				    "level: there is no database yet (run 'capbroker probe' or 'capbroker import', or name another with --db)");
	}
	status = answer ? cli_answer(cli, answer, status_of(answer), false) : cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_level = {
	.name = "level",
	.arguments = "SUBCOMMAND …",
	.help = "Name what guests get, and say when the next level is due",
	.description =
		"capbroker level create SERIES [SELECTOR…]    make its next level, SERIES-YEAR.NUMBER\n"
		"capbroker level list [--all]\n"
		"capbroker level show LEVEL                   what it promises, and how it stands\n"
		"capbroker level propose [SERIES…]            what is due: raise, sink, retire, review\n"
		"capbroker level assign LEVEL GUEST…          from its next cold start\n"
		"capbroker level assign --unassign GUEST…\n"
		"capbroker level retire LEVEL --reason TEXT\n"
		"capbroker level join HOST [LEVEL]            what it would cost to take a host in\n\n"
		"A level never changes; a step makes the next one. LEVEL: a level's name, or a series: its newest.\n"
		"Exit status of propose: 1 where a level must sink, or guests keep one beyond its time.",
	.entries = entries,
	.run = run,
};
