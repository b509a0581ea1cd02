/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * main.c: capbroker-probe's command line.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "push.h"
#include "run.h"

#define MAX_TIMEOUT 3600
#define LIVE_TIMEOUT 30
/* Nobody is waited for in a replay; this only ends one that would never end. */
#define REPLAY_TIMEOUT 600

struct arguments {
	gboolean list, version;
	char *only, *record, *replay, *connect, *output, *guests;
	char *push, *token_file, *enrol_file, *ca_file;
	char **emulators, **claims;
	int timeout;
};

static bool parse(int *argc, char ***argv, struct arguments *a, GError **error)
{
	const GOptionEntry entries[] = {
		{ "list", 0, 0, G_OPTION_ARG_NONE, &a->list, "List the probes and end", NULL },
		{ "only", 0, 0, G_OPTION_ARG_STRING, &a->only, "Run only these, and what they need",
		  "NAME,…" },
		{ "record", 0, 0, G_OPTION_ARG_FILENAME, &a->record,
		  "Keep all that is read in a new folder", "DIR" },
		{ "replay", 0, 0, G_OPTION_ARG_FILENAME, &a->replay,
		  "Read a recording instead of this host", "DIR" },
		{ "connect", 0, 0, G_OPTION_ARG_STRING, &a->connect,
		  "libvirt to ask (of a remote one: nothing of this host)", "URI" },
		{ "emulator", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &a->emulators, "Ask this QEMU too",
		  "PATH" },
		{ "claim", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a->claims,
		  "Ask VFIO of this device, and give it back (see CLAIMS in the manual)", "DEVICE" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output,
		  "Write the profile there (default: standard output)", "FILE" },
		{ "guests", 0, 0, G_OPTION_ARG_FILENAME, &a->guests,
		  "Write the host's guests there", "FILE" },
		{ "push", 0, 0, G_OPTION_ARG_STRING, &a->push, "Tell this broker, instead of printing", "URL" },
		{ "token-file", 0, 0, G_OPTION_ARG_FILENAME, &a->token_file, "The file with this host's token for it",
		  "FILE" },
		{ "enrol", 0, 0, G_OPTION_ARG_FILENAME, &a->enrol_file,
		  "A file with a secret to get that token for, where there is none yet", "FILE" },
		{ "ca-file", 0, 0, G_OPTION_ARG_FILENAME, &a->ca_file,
		  "Whom to trust for its TLS (default: as the system does)", "FILE" },
		{ "timeout", 0, 0, G_OPTION_ARG_INT, &a->timeout, "Seconds for all of it (default 30)",
		  "S" },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &a->version, "Print the version and end", NULL },
		{ 0 },
	};
	GOptionContext *context = g_option_context_new(NULL);
	bool ok;

	g_option_context_set_summary(
		context, "Reads what this host can promise guests and prints it as a profile.");
	g_option_context_add_main_entries(context, entries, NULL);
	ok = g_option_context_parse(context, argc, argv, error);
	g_option_context_free(context);
	return ok;
}

/* Another machine's libvirt, or one whose machine can't be told from here. */
static bool is_remote(const char *uri)
{
	const char *rest = uri ? strstr(uri, "://") : NULL;

	if (!uri)
		return false;
	return !g_str_has_prefix(uri, "qemu") || !rest || rest[3] != '/' || strstr(uri, "socket=");
}

static bool check(const struct arguments *a, int argc, char **argv, GError **error)
{
	const char *what = NULL;

	if (argc > 1) {
		g_set_error(error, SOURCE_ERROR, SOURCE_FAILED,
			    "%s: no argument is expected (see --help)", argv[1]);
		return false;
	}
	if (a->record && a->replay)
		what = "--record: cannot be given with --replay (choose one)";
	else if (a->replay && (a->connect || a->emulators || a->claims))
		what = "--replay: asks nobody, so --connect, --emulator and --claim say nothing (leave them out)";
	else if (a->claims && is_remote(a->connect))
		what = "--claim: takes devices of this host, but --connect is another (leave one out)";
	else if (!a->push && (a->token_file || a->enrol_file || a->ca_file))
		what = "--token-file, --enrol and --ca-file: are for --push (give a broker's URL)";
	else if (a->enrol_file && !a->token_file)
		what = "--enrol: wants --token-file (where the token is to be kept)";
	else if (a->push && a->only)
		what = "--push: cannot be given with --only (a part of a profile is none)";
	else if (a->timeout < 1 || a->timeout > MAX_TIMEOUT)
		what = "--timeout: not a number of seconds from 1 to 3600 (give one)";
	else if (a->connect && !*a->connect)
		what = "--connect: empty (give a URI such as qemu:///system)";
	if (what)
		g_set_error_literal(error, SOURCE_ERROR, SOURCE_FAILED, what);
	return !what;
}

static void list(void)
{
	for (size_t i = 0; probes[i]; i++)
		printf("%-12s %s\n", probes[i]->name, probes[i]->help);
}

static bool print(const json_t *json, const char *path, GError **error)
{
	g_autofree char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);
	g_autofree char *line = g_strconcat(text, "\n", NULL);

	if (path && strcmp(path, "-"))
		return source_write_output(path, line, error);
	if (fputs(line, stdout) != EOF && fflush(stdout) != EOF)
		return true;
	g_set_error_literal(error, SOURCE_ERROR, SOURCE_FAILED,
			    "standard output: cannot write (is its disk full?)");
	return false;
}

static bool probe(const struct arguments *a, GError **error)
{
	g_autoptr(GPtrArray) emulators = g_ptr_array_new_with_free_func(g_free);
	struct probe_options options = {
		.connect = a->connect,
		.remote = is_remote(a->connect),
		.emulators = emulators,
		.claims = a->claims,
		.timeout = (unsigned int)a->timeout,
	};
	const struct push_options to = { a->push, a->token_file, a->enrol_file, a->ca_file };
	enum source_mode mode = a->record ? SOURCE_RECORD : a->replay ? SOURCE_REPLAY : SOURCE_LIVE;
	g_autoptr(Source) source = source_new(mode, a->record ? a->record : a->replay, error);
	g_autofree char *whole = a->replay ? g_canonicalize_filename(a->replay, NULL) : NULL;
	g_autofree char *name = whole ? g_path_get_basename(whole) : g_strdup("localhost");
	json_t *guests = NULL;
	json_t *doc;
	bool ok;

	if (!source || (a->claims && !claim_check(a->claims, error)))
		return false;
	for (size_t i = 0; a->emulators && a->emulators[i]; i++)
		g_ptr_array_add(emulators, g_canonicalize_filename(a->emulators[i], NULL));
	doc = run_probes(source, &options, a->only, name, &guests, error);
	ok = doc && (!a->guests || print(guests, a->guests, error)) &&
	     ((a->push && !a->output) || print(doc, a->output, error)) && (!a->push || push(&to, doc, guests, error));
	json_decref(guests);
	json_decref(doc);
	return ok;
}

int main(int argc, char **argv)
{
	struct arguments a = { .timeout = -1 };
	g_autoptr(GError) error = NULL;
	bool ok;

	setlocale(LC_CTYPE, "");
	g_set_prgname("capbroker-probe");
	ok = parse(&argc, &argv, &a, &error);
	if (a.timeout == -1)
		a.timeout = a.replay ? REPLAY_TIMEOUT : LIVE_TIMEOUT;
	ok = ok && check(&a, argc, argv, &error);
	if (ok && a.version)
		printf("capbroker-probe %s (dictionary %s)\n", PACKAGE_VERSION, cap_dictionary_version);
	else if (ok && a.list)
		list();
	else if (ok)
		ok = probe(&a, &error);
	if (!ok)
		g_printerr("capbroker-probe: %s%s\n", error->message,
			   error->domain == G_OPTION_ERROR ? " (see --help)" : "");
	g_free(a.only);
	g_free(a.record);
	g_free(a.replay);
	g_free(a.connect);
	g_free(a.output);
	g_free(a.guests);
	g_free(a.push);
	g_free(a.token_file);
	g_free(a.enrol_file);
	g_free(a.ca_file);
	g_strfreev(a.emulators);
	g_strfreev(a.claims);
	return ok ? 0 : 2;
}
