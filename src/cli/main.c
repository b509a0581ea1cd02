/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * main.c: capbroker's command line: finds the command, reads the options before and behind it,
 * and runs it. Each command is a file of its own, cmd-NAME.c.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "model/dictionary.h"

const struct command *const commands[] = {
	&cmd_probe, &cmd_import,   &cmd_hosts, &cmd_guests, &cmd_show,	 &cmd_diff,
	&cmd_check, &cmd_baseline, &cmd_matrix, &cmd_tradeoff, &cmd_pools,
	&cmd_level,
	&cmd_policy, &cmd_drain, &cmd_stranded, &cmd_drift, &cmd_sync, &cmd_allow,
	&cmd_explain, &cmd_forget, &cmd_hook, &cmd_decision, &cmd_report,
	&cmd_export, &cmd_restore,
	&cmd_status, &cmd_token,
	&cmd_complete, NULL,
};

static gboolean show_version;
static struct cli cli = { .command = "capbroker" };

const GOptionEntry common_options[] = {
	{ "db", 0, 0, G_OPTION_ARG_FILENAME, &cli.db, "Database (default: $CAPBROKER_DB, else by who asks)", "FILE" },
	{ "broker", 0, 0, G_OPTION_ARG_STRING, &cli.broker, "Ask a broker instead (default: $CAPBROKER_URL)", "URL" },
	{ "token-file", 0, 0, G_OPTION_ARG_FILENAME, &cli.token_file, "A file with the token for it (default: $CAPBROKER_TOKEN_FILE)", "FILE" },
	{ "ca-file", 0, 0, G_OPTION_ARG_FILENAME, &cli.ca_file, "Whom to trust for its TLS (default: $CAPBROKER_CA_FILE, else as the system does)", "FILE" },
	{ "policy", 0, 0, G_OPTION_ARG_FILENAME, &cli.policy, "What the site has decided (default: policy.conf in capbroker's folder of /etc)", "FILE" },
	{ "assume", 0, 0, G_OPTION_ARG_STRING_ARRAY, &cli.assume, "Answer as if these hosts were gone, had or lacked a capability, or were like another", "SELECTOR=PROFILE|+CAP|-CAP|gone" },
	{ "json", 0, 0, G_OPTION_ARG_NONE, &cli.json, "Answer as JSON, also errors", NULL },
	{ "verbose", 'v', 0, G_OPTION_ARG_NONE, &cli.verbose, "Also show what was fine", NULL },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Print the versions and end", NULL },
	{ 0 },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* An option that has a value, or is one with it behind "=". */
static bool has_value(const char *argument, bool *inside)
{
	static const char *const with[] = { "--db", "--policy", "--assume", "--broker", "--token-file", "--ca-file" };

	for (size_t i = 0; i < G_N_ELEMENTS(with); i++) {
		size_t length = strlen(with[i]);

		*inside = argument[length < strlen(argument) ? length : strlen(argument)] == '=';
		if (!strncmp(argument, with[i], length) && (*inside || !argument[length]))
			return true;
	}
	return false;
}

/*
 * The place of the command: the first argument that is neither an option nor the value of one. 0
 * where there is none, or a negative place: of an option that can't stand before a command.
 */
static int command_at(int argc, char **argv)
{
	static const char *const alone[] = { "--json", "-v", "--verbose", "--version", "--help",
					     "-h", NULL };
	bool inside;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			return i;
		if (has_value(argv[i], &inside))
			i += !inside;
		else if (!g_strv_contains(alone, argv[i]))
			return -i;
	}
	return 0;
}

static char *list_commands(void)
{
	GString *text = g_string_new("Commands:\n");

	for (size_t i = 0; commands[i]; i++)
		g_string_append_printf(text, "  %-9s %s\n", commands[i]->name, commands[i]->help);
	g_string_append(text, "\nExit status: 0 ok or warn, 1 block, 2 usage or error, 3 unknown.\n"
			      "'capbroker COMMAND --help' says more; see also capbroker(1).");
	return g_string_free(text, FALSE);
}

static GOptionContext *context_new(const struct command *command)
{
	g_autofree char *arguments = command ? g_strdup_printf("%s %s", command->name,
							       command->arguments)
					     : g_strdup("COMMAND …");
	GOptionContext *context = g_option_context_new(arguments);
	g_autofree char *list = command ? NULL : list_commands();

	g_option_context_set_summary(context,
				     command ? command->help
					     : "Which hosts can a virtual machine start on, which "
					       "can it migrate to, and if not, why?");
	if (list || command->description)
		g_option_context_set_description(context, list ? list : command->description);
	if (command && command->entries)
		g_option_context_add_main_entries(context, command->entries, NULL);
	g_option_context_add_main_entries(context, common_options, NULL);
	return context;
}

static int print_version(void)
{
	printf("capbroker %s (dictionary %s)\n", PACKAGE_VERSION, cap_dictionary_version);
	return EXIT_OK;
}

/* GOption's messages begin with a capital. */
static int wrong_options(GError *error, const struct command *command)
{
	int status;

	error->message[0] = g_ascii_tolower(error->message[0]);
	if (command) {
		cli.command = command->name;
		status = cli_usage(&cli, "%s", error->message);
	} else {
		status = cli_fail(&cli, g_error_new(CLI_ERROR, CLI_ERROR_USAGE,
						    "usage: %s (see capbroker --help)",
						    error->message));
	}
	g_error_free(error);
	return status;
}

static bool wants_json(char **argv)
{
	for (; *argv; argv++)
		if (!strcmp(*argv, "--json"))
			return true;
	return false;
}

/* Takes the command out of the arguments; NULL where there is none, or with @error. */
static const struct command *take_command(int *argc, char **argv, GError **error)
{
	int at = command_at(*argc, argv);
	const struct command *command = at > 0 ? find_command(argv[at]) : NULL;

	if (at < 0)
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "usage: unknown option %s before the command (see capbroker --help)",
			    argv[-at]);
	else if (at && !command)
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "%s: no such command (see capbroker --help)", argv[at]);
	if (!command)
		return NULL;
	memmove(&argv[at], &argv[at + 1], (size_t)(*argc - at) * sizeof(*argv));
	--*argc;
	return command;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = NULL;
	const struct command *command;
	GError *error = NULL;
	bool json = wants_json(argv);

	setlocale(LC_CTYPE, "");
	g_set_prgname("capbroker");
	cli.json = json;
	command = take_command(&argc, argv, &error);
	if (error)
		return cli_fail(&cli, error);
	context = context_new(command);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		cli.json = json; /* a failed parse takes everything back */
		return wrong_options(error, command);
	}
	if (show_version)
		return print_version();
	if (!command)
		return cli_fail(&cli, g_error_new(CLI_ERROR, CLI_ERROR_USAGE,
						  "usage: no command given (see capbroker --help)"));
	cli.command = command->name;
	if (cli.broker && command->changes)
		return cli_usage(&cli, "--broker: isn't asked of a broker (leave it out)");
	if (cli.assume && command->changes)
		return cli_usage(&cli, "--assume: answers no question of %s's (leave it out)",
				 command->name);
	/* "--" is left standing where it came first. */
	if (argc > 1 && !strcmp(argv[1], "--"))
		argv++;
	return command->run(&cli, argv + 1);
}
