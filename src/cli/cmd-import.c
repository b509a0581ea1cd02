/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-import.c: hosts and guests from files, recordings and libvirt connections. */
#include "config.h"

#include <string.h>

#include "commands.h"
#include "import.h"
#include "load.h"

static struct import_options options;
static char **uris;

static const GOptionEntry entries[] = {
	{ "name", 0, 0, G_OPTION_ARG_STRING, &options.name, "All files describe this one host", "NAME" },
	{ "cluster", 0, 0, G_OPTION_ARG_STRING, &options.cluster, "The cluster of the hosts", "CLUSTER" },
	{ "label", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.labels, "A label of the hosts", "K=V" },
	{ "alias", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.aliases, "What somebody (K) calls the host", "K=V" },
	{ "accel", 0, 0, G_OPTION_ARG_STRING, &options.accel, "Accelerator that QEMU's replies are about", "ACCEL" },
	{ "machine", 0, 0, G_OPTION_ARG_STRING, &options.machine, "Machine type that they are about", "TYPE" },
	{ "host", 0, 0, G_OPTION_ARG_STRING, &options.guests_on, "The host that domain definitions belong to", "HOST" },
	{ "libvirt", 0, 0, G_OPTION_ARG_STRING_ARRAY, &uris, "A libvirt connection; more may follow", "URI" },
	{ 0 },
};

static bool gather_uri(struct import *import, const char *uri, GError **error)
{
	const char *const arguments[] = { "--connect", uri, NULL };

	return import_probe(import, arguments, error);
}

/* Behind --libvirt, what looks like a URI is one. */
static bool gather(struct import *import, char **args, GError **error)
{
	for (size_t i = 0; uris && uris[i]; i++)
		if (!gather_uri(import, uris[i], error))
			return false;
	for (size_t i = 0; args[i]; i++) {
		bool uri = uris && strstr(args[i], "://");

		if (!(uri ? gather_uri(import, args[i], error)
			  : import_file(import, args[i], error)))
			return false;
	}
	if (options.name && !import->hosts->len) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "import: --name names a host, and none of the files describes one (use --host for guests)");
		return false;
	}
	return true;
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	g_autoptr(Import) import = NULL;
	GError *error = NULL;
	json_t *answer = NULL;
	int status;

	if (!*args && !uris)
		return cli_usage(cli, "nothing to import");
	options.quiet = cli->json;
	if (session_open(&session, cli, SESSION_FILES, &error)) {
		import = import_new(&options, session.files->models);
		if (gather(import, args, &error) && import_prepare(import, &error) &&
		    session_store(&session, cli, &error))
			answer = import_store(import, session.store, &error);
	}
	status = answer ? cli_answer(cli, answer, EXIT_OK, false) : cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_import = {
	.name = "import",
	.arguments = "FILE…|FOLDER…|-",
	.help = "Take in hosts and guests from files, recordings or libvirt",
	.description =
		"Any mix of profiles; folders that capbroker-probe recorded; what 'virsh capabilities' "
		"and\n'virsh domcapabilities' print; a <cpu>; QEMU's replies; CPUID lines; domain XML "
		"(guests).\nWithout --name each file is a host of its own, called like the file. All "
		"of it is stored, or,\nwhere anything is wrong, nothing.",
	.entries = entries,
	.changes = true,
	.run = run,
};
