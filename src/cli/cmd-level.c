/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-level.c: levels: named baselines that never change, and what is due for them. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "commands.h"
#include "level-parts.h"
#include "setting-text.h"

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
	{ "format", 0, 0, G_OPTION_ARG_STRING, &level_options.format, "show: text, json, or settings as baseline --format writes them", "FORMAT" },
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
		{ "unassign", o->unassign, ASSIGN }, { "all", o->all, LIST }, { "format", o->format, SHOW },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(given); i++)
		if (given[i].given && !(given[i].of & sub))
			return given[i].name;
	return NULL;
}

static int list(struct cli *cli, char **args)
{
	(void)args;
	return cli_ask(cli, "levels", json_pack("{s:b}", "all", level_options.all), false);
}

static int show(struct cli *cli, char **args)
{
	const char *format = level_options.format;
	enum setting_consumer consumer;
	int status = setting_format_check(cli, format);

	if (status)
		return status;
	if (format && setting_consumer_find(format, &consumer))
		return setting_print(cli, "level", json_pack("{s:o}", "level", question_text(args[0])), consumer);
	return cli_ask(cli, "level", json_pack("{s:o}", "level", question_text(args[0])), false);
}

static int join(struct cli *cli, char **args)
{
	json_t *question = json_pack("{s:o}", "host", question_text(args[0]));

	if (args[1])
		json_object_set_new(question, "level", question_text(args[1]));
	return cli_ask(cli, "level-join", question, false);
}

static int propose(struct cli *cli, char **args)
{
	return cli_ask(cli, "level-propose", json_pack("{s:o}", "series", question_texts(args)), false);
}

/* What asks does so like every question; what changes something needs the database for itself. */
static const struct subcommand {
	const char *name;
	int bit;
	guint least, most; /* arguments */
	const char *expected;
	bool assumes;      /* --assume bears on it */
	int (*ask)(struct cli *cli, char **args);
	json_t *(*change)(struct session *session, const struct cli *cli, char **args, GError **error);
} subcommands[] = {
	{ "create", CREATE, 1, 1000, "the name of a series, and selectors,", false, NULL, level_create },
	{ "list", LIST, 0, 0, "nothing", false, list, NULL },
	{ "show", SHOW, 1, 1, "the name of one level", true, show, NULL },
	{ "propose", PROPOSE, 0, 1000, "", true, propose, level_propose },
	{ "assign", ASSIGN, 1, 100000, "the name of a level, and guests,", false, NULL, level_assign_guests },
	{ "retire", RETIRE, 1, 1, "the name of one level", false, NULL, level_retire },
	{ "join", JOIN, 1, 2, "a host, and at most one level,", true, join, NULL },
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

static int change(const struct cli *cli, const struct subcommand *sub, char **args)
{
	struct session session;
	GError *error = NULL;
	json_t *answer = NULL;
	int status;

	if (session_open(&session, cli, SESSION_FLEET, &error))
		answer = sub->change(&session, cli, args, &error);
	status = answer ? cli_answer(cli, answer, level_propose_status(answer), false) : cli_fail(cli, error);
	session_close(&session);
	return status;
}

static int run(struct cli *cli, char **args)
{
	const struct subcommand *sub = find(args[0]);
	bool changes = level_options.apply || level_options.automatic;
	GError *error = NULL;
	int status = check(cli, sub, args);

	if (status)
		return status;
	if (sub->bit == PROPOSE && !level_propose_options(&error))
		return cli_fail(cli, error);
	return sub->ask && !changes ? sub->ask(cli, args + 1) : change(cli, sub, args + 1);
}

const struct command cmd_level = {
	.name = "level",
	.arguments = "SUBCOMMAND …",
	.help = "Name what guests get, and say when the next level is due",
	.description =
		"capbroker level create SERIES [SELECTOR…]    make its next level, SERIES-YEAR.NUMBER\n"
		"capbroker level list [--all]\n"
		"capbroker level show LEVEL [--format FORMAT] what it promises, and how it stands; or as settings\n"
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
