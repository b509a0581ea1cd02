/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-hook.c: what hooks of libvirt, VDSM and Ganeti call; see hook.h. */
#include "config.h"

#include <stdio.h>

#include "commands.h"
#include "hook.h"

static char *config;

static const GOptionEntry entries[] = {
	{ "config", 0, 0, G_OPTION_ARG_FILENAME, &config, "Policy (default: " HOOK_CONFIG ")", "FILE" },
	{ 0 },
};

static enum hook_status work(void *data, GString *say)
{
	const struct hook_run *run = data;
	enum hook_status status = HOOK_ALLOW;
	g_autoptr(GError) error = NULL;

	if (run->call->event == HOOK_ARRIVES)
		status = hook_arrives(run, say, &error);
	else
		hook_outcome(run, &error);
	if (error) {
		g_string_append_printf(say, "capbroker: hook: %s: %s (by policy: see capbroker-hook(8))\n",
				       run->call->guest, error->message);
		/* What came of a move is told too late to refuse anything. */
		status = run->call->event == HOOK_ARRIVES ? HOOK_FAILED : HOOK_ALLOW;
	}
	return status;
}

static int run(struct cli *cli, char **args)
{
	struct hook_policy policy;
	struct hook_call call;
	g_autofree char *database = NULL;
	g_autoptr(GError) error = NULL;
	struct hook_run run = { .cli = cli, .policy = &policy, .call = &call,
				.began = g_get_monotonic_time() };
	int status;

	if (!args[0])
		return cli_usage(cli, "no dialect given (libvirt, vdsm or ganeti)");
	if (!hook_call_read(args[0], args + 1, &call))
		return cli_usage(cli, "'%s' with these arguments is no hook that is known", args[0]);
	if (call.event == HOOK_NOTHING)
		return EXIT_OK;
	if (!hook_policy_read(config, &policy, &error))
		fprintf(stderr, "capbroker: hook: %s (nothing is refused until it is mended)\n",
			error->message);
	database = cli->db || !policy.database ? cli_database(cli) : g_strdup(policy.database);
	run.database = database;
	status = hook_guard(&policy, work, &run);
	hook_policy_clear(&policy);
	return status;
}

const struct command cmd_hook = {
	.name = "hook",
	.arguments = "DIALECT ARGUMENT…",
	.help = "Decide for a hook of libvirt, VDSM or Ganeti",
	.description =
		"DIALECT: libvirt GUEST OPERATION SUB-OPERATION EXTRA, the definition on standard input;\n"
		"vdsm HOOK-POINT; ganeti. See capbroker-hook(8).\n\n"
		"Exit status: 0 the guest may come, 1 it may not. Nothing is written to standard output.",
	.entries = entries,
	.changes = true,
	.run = run,
};
