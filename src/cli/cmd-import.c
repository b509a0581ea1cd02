/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-import.c: hosts and guests from files, recordings and libvirt connections. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "import-probe.h"
#include "load.h"

#define MAX_JOBS 256
#define MAX_TIMEOUT 3600
/* Fewer hosts than this are done before anybody wonders. */
#define PROGRESS_FROM 50u
/* Neither was given. */
#define USUAL G_MININT

static struct import_options options = { .jobs = USUAL, .timeout = USUAL, .probe = import_probe };
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
	{ "jobs", 0, 0, G_OPTION_ARG_INT, &options.jobs, "Connections asked at once (default 8)", "N" },
	{ "timeout", 0, 0, G_OPTION_ARG_INT, &options.timeout, "How long each may take (default 30)", "SECONDS" },
	{ 0 },
};

static void progress(guint done, guint all)
{
	if (all < PROGRESS_FROM || !isatty(STDERR_FILENO))
		return;
	if (done % 16 == 0 || done == all)
		fprintf(stderr, "\rimport: %u of %u hosts%s", done, all, done == all ? "\r\033[K" : "");
}

/* Parts files from connections: behind --libvirt, what looks like a URI is one. */
static bool gather(struct import *import, char **args, GError **error)
{
	g_autoptr(GPtrArray) links = g_ptr_array_new();

	for (size_t i = 0; uris && uris[i]; i++)
		g_ptr_array_add(links, uris[i]);
	for (size_t i = 0; args[i]; i++) {
		if (uris && strstr(args[i], "://"))
			g_ptr_array_add(links, args[i]);
		else if (!import_file(import, args[i], error))
			return false;
	}
	g_ptr_array_add(links, NULL);
	if (links->len > 1 && !import_libvirt(import, (char *const *)links->pdata, error))
		return false;
	if (options.name && !import->hosts->len && !json_array_size(import->failed)) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "import: --name names a host, and none of the files describes one (use --host for guests)");
		return false;
	}
	return true;
}

/* Connections failed: others may have come in all the same. */
static int tell_failed(struct cli *cli, const struct import *import, json_t *answer)
{
	size_t n = json_array_size(import->failed);
	g_autoptr(GString) names = g_string_new(NULL);
	const json_t *one;
	size_t i;

	json_array_foreach (import->failed, i, one)
		g_string_append_printf(names, "%s%s", i ? " " : "",
				       json_string_value(json_object_get(one, "uri")));
	json_object_set(answer, "failed", import->failed);
	cli_answer(cli, answer, EXIT_OK, false);
	fprintf(stderr, "capbroker: import: %zu connection%s failed: %s (the reasons are above)\n", n,
		n == 1 ? "" : "s", names->str);
	return EXIT_ERROR;
}

/* The answer of an import that brought nothing in. */
static json_t *nothing(void)
{
	json_t *answer = answer_new("import");

	json_object_set_new(answer, "hosts", json_array());
	json_object_set_new(answer, "guests", json_array());
	return answer;
}

/* One connection and nothing else: its reason is the error. */
static bool is_lone_failure(const struct import *import, GError **error)
{
	const json_t *one = json_array_get(import->failed, 0);

	if (import->hosts->len || import->guests->len || json_array_size(import->failed) != 1)
		return false;
	g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s: %s",
		    json_string_value(json_object_get(one, "uri")),
		    json_string_value(json_object_get(one, "reason")));
	return true;
}

static json_t *import_all(struct session *session, const struct cli *cli, struct import *import,
			  char **args, GError **error)
{
	if (!*args && !uris)
		return session_store(session, cli, error) ? import_names(import, session->store, error) : NULL;
	if (!gather(import, args, error) || is_lone_failure(import, error))
		return NULL;
	if (!import->hosts->len && !import->guests->len)
		return nothing();
	if (!import_prepare(import, error) || !session_store(session, cli, error))
		return NULL;
	return import_store(import, session->store, error);
}

static int check_options(struct cli *cli)
{
	if (!uris && (options.jobs != USUAL || options.timeout != USUAL))
		return cli_usage(cli, "--jobs and --timeout are for --libvirt");
	if (options.jobs != USUAL && (options.jobs < 1 || options.jobs > MAX_JOBS))
		return cli_usage(cli, "--jobs: not a number from 1 to %d", MAX_JOBS);
	if (options.timeout != USUAL && (options.timeout < 1 || options.timeout > MAX_TIMEOUT))
		return cli_usage(cli, "--timeout: not a number of seconds from 1 to %d", MAX_TIMEOUT);
	return EXIT_OK;
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	g_autoptr(Import) import = NULL;
	GError *error = NULL;
	json_t *answer = NULL;
	int status = check_options(cli);

	if (status)
		return status;
	if (!*args && !uris && !(options.name && (options.cluster || options.labels || options.aliases)))
		return cli_usage(cli, "nothing to import");
	options.progress = cli->json ? NULL : progress;
	if (session_open(&session, cli, SESSION_FILES, &error)) {
		import = import_new(&options, session.files->models);
		answer = import_all(&session, cli, import, args, &error);
	}
	if (!answer)
		status = cli_fail(cli, error);
	else if (json_array_size(import->failed))
		status = tell_failed(cli, import, answer);
	else
		status = cli_answer(cli, answer, EXIT_OK, false);
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
		"of it is stored, or,\nwhere anything is wrong, nothing; a libvirt connection that fails "
		"doesn't stop the rest.\nWith --name, no file, and a cluster, labels or aliases, a known host "
		"is called so, too.",
	.entries = entries,
	.changes = true,
	.run = run,
};
