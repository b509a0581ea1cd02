/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-probe.c: run the probe here and store what it found. */
#include "config.h"

#include "commands.h"
#include "import-probe.h"
#include "load.h"
#include "show.h"

static struct import_options options;
static char *timeout;
static char **claims;

static const GOptionEntry entries[] = {
	{ "name", 0, 0, G_OPTION_ARG_STRING, &options.name, "Call this host so", "NAME" },
	{ "cluster", 0, 0, G_OPTION_ARG_STRING, &options.cluster, "Its cluster", "CLUSTER" },
	{ "label", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.labels, "A label of it", "K=V" },
	{ "alias", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.aliases, "What somebody (K) calls it", "K=V" },
	{ "claim", 0, 0, G_OPTION_ARG_STRING_ARRAY, &claims,
	  "Ask VFIO of this device (see capbroker-probe(1))", "DEVICE" },
	{ "timeout", 0, 0, G_OPTION_ARG_STRING, &timeout, "How long the probe may take", "SECONDS" },
	{ 0 },
};

/* What is passed on to the probe; the strings are borrowed. */
static GPtrArray *probe_arguments(void)
{
	GPtrArray *arguments = g_ptr_array_new();

	if (timeout) {
		g_ptr_array_add(arguments, (gpointer)"--timeout");
		g_ptr_array_add(arguments, timeout);
	}
	for (size_t i = 0; claims && claims[i]; i++) {
		g_ptr_array_add(arguments, (gpointer)"--claim");
		g_ptr_array_add(arguments, claims[i]);
	}
	g_ptr_array_add(arguments, NULL);
	return arguments;
}

/* Returns the host's name, or NULL. */
static char *probe(const struct cli *cli, GError **error)
{
	g_autoptr(GPtrArray) arguments = probe_arguments();
	struct session session;
	g_autoptr(Import) import = NULL;
	json_t *answer = NULL;
	char *name = NULL;

	if (session_open(&session, cli, SESSION_FILES, error)) {
		import = import_new(&options, session.files->models);
		if (import_probe(import, (const char *const *)arguments->pdata, error) && import_prepare(import, error) &&
		    session_store(&session, cli, error))
			answer = import_store(import, session.store, error);
	}
	if (answer) {
		const struct import_host *host = g_ptr_array_index(import->hosts, 0);

		name = g_strdup(host->name);
	}
	json_decref(answer);
	session_close(&session);
	return name;
}

static int run(struct cli *cli, char **args)
{
	g_autofree char *name = NULL;
	GError *error = NULL;

	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	name = probe(cli, &error);
	return name ? show_host(cli, name) : cli_fail(cli, error);
}

const struct command cmd_probe = {
	.name = "probe",
	.arguments = "",
	.help = "Probe this host and store what was found",
	.description = "Ends with what 'show' says of it.",
	.entries = entries,
	.changes = true,
	.run = run,
};
