/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-sync.c: write what hosts promise to what runs the fleet. */
#include "config.h"

#include <string.h>

#include "commands.h"
#include "sync.h"

static char *url, *auth_url;
static gboolean noauth, plain_http, dry_run, prune;

static const GOptionEntry entries[] = {
	{ "url", 0, 0, G_OPTION_ARG_STRING, &url, "Where it is (default: as Keystone's catalog says)", "URL" },
	{ "auth-url", 0, 0, G_OPTION_ARG_STRING, &auth_url, "Keystone (default: $OS_AUTH_URL)", "URL" },
	{ "noauth", 0, 0, G_OPTION_ARG_NONE, &noauth, "Nobody is asked for a token (auth_strategy = noauth2)", NULL },
	{ "plain-http", 0, 0, G_OPTION_ARG_NONE, &plain_http, "Go by http:// to other machines too, where tokens can be read on the way", NULL },
	{ "dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Say what would change, and change nothing", NULL },
	{ "prune", 0, 0, G_OPTION_ARG_NONE, &prune, "Also take what is capbroker's from what is no host of it, and names nobody has", NULL },
	{ 0 },
};

static const struct {
	const char *name;
	json_t *(*run)(const struct sync *sync, GError **error);
} targets[] = {
	{ "placement", sync_placement },
	{ "kubernetes", sync_kubernetes },
};

static bool fill(struct cli *cli, struct sync_options *options, bool keystone, int *status)
{
	const char *ca = cli->ca_file ? cli->ca_file : g_getenv("CAPBROKER_CA_FILE");

	*options = (struct sync_options){ .url = url, .ca_file = ca && *ca ? ca : NULL, .noauth = noauth,
					  .plain_http = plain_http, .dry_run = dry_run, .prune = prune };
	options->auth_url = auth_url ? auth_url : g_getenv("OS_AUTH_URL");
	options->token_file = cli->token_file;
	if (!keystone && auth_url)
		*status = cli_usage(cli, "--auth-url: Kubernetes has none (leave it out)");
	else if (!keystone)
		return true;
	else if (noauth && !url)
		*status = cli_usage(cli, "--noauth: say where it is (--url)");
	else if (!noauth && (!options->auth_url || !*options->auth_url))
		*status = cli_usage(cli, "say --auth-url (or set OS_AUTH_URL, as the project's openrc does), or --noauth");
	return *status == EXIT_OK;
}

static int write_out(struct cli *cli, size_t target, struct sync *sync, char **selectors)
{
	GError *error = NULL;
	json_t *answer = NULL;
	int status;

	/* to take everything away no host is needed */
	if (prune && !selectors[0] && !sync->session->fleet->hosts->len)
		sync->hosts = g_ptr_array_new();
	else
		sync->hosts = session_select(sync->session, selectors, &error);
	sync->marks = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	sync->untold = g_ptr_array_new();
	if (sync->hosts && sync_marks(sync, &error))
		answer = targets[target].run(sync, &error);
	status = answer && json_array_size(json_object_get(answer, "failed")) ? EXIT_ERROR : EXIT_OK;
	status = answer ? cli_answer(cli, answer, status, false) : cli_fail(cli, error);
	g_ptr_array_unref(sync->untold);
	g_hash_table_unref(sync->marks);
	g_clear_pointer(&sync->hosts, g_ptr_array_unref);
	return status;
}

static int run(struct cli *cli, char **args)
{
	struct sync_options options;
	struct sync sync = { .options = &options };
	struct session session;
	GError *error = NULL;
	int status = EXIT_OK;
	size_t target = 0;

	while (args[0] && target < G_N_ELEMENTS(targets) && strcmp(targets[target].name, args[0]))
		target++;
	if (!args[0] || target == G_N_ELEMENTS(targets))
		return cli_usage(cli, "'placement' or 'kubernetes' is expected");
	if (!fill(cli, &options, target == 0, &status))
		return status;
	if (session_open(&session, cli, SESSION_FLEET, &error)) {
		sync.session = &session;
		status = write_out(cli, target, &sync, args + 1);
	} else {
		status = cli_fail(cli, error);
	}
	session_close(&session);
	return status;
}

const struct command cmd_sync = {
	.name = "sync",
	.arguments = "placement|kubernetes [SELECTOR…]",
	.help = "Write what hosts promise to what runs the fleet",
	.description =
		"placement: levels and machine types as traits of OpenStack's resource providers, so that a flavor with\n"
		"trait:CUSTOM_CAPBROKER_LEVEL_PROD_2026_1=required starts and moves its guests among hosts that take\n"
		"them. Traits of others stay. Who asks: OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME of the environment.\n"
		"kubernetes: the same and more as labels capbroker.io/… of its nodes. Who asks: --token-file, or the pod.",
	.entries = entries,
	.changes = true,
	.run = run,
};
