/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-export.c: all that somebody wrote, out as text and in again: export and restore. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "authored-json.h"
#include "commands.h"
#include "files.h"
#include "model/error.h"

static bool open_all(struct session *s, const struct cli *cli, bool writable, GError **error)
{
	g_autofree char *path = cli_database(cli);

	if (!session_open(s, cli, SESSION_FILES, error) || !session_policy(s, cli, error))
		return false;
	if (writable)
		return session_store(s, cli, error);
	s->store = store_open(path, true, error);
	return s->store != NULL;
}

/* Real numbers as they were written, not as they are kept. */
static char *text_of(const json_t *document)
{
	char *dump = json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	char *text = g_strconcat(dump, "\n", NULL);

	free(dump);
	return text;
}

static int write_out(const struct cli *cli, const char *file, const char *text)
{
	GError *failed = NULL, *error = NULL;
	g_autofree char *label = file ? g_filename_display_name(file) : NULL;

	if (!file || !strcmp(file, "-"))
		return cli_text(cli, text);
	if (g_file_set_contents(file, text, -1, &failed))
		return EXIT_OK;
	g_set_error(&error, CLI_ERROR, CLI_ERROR_IO, "%s: cannot write: %s (name another file)", label,
		    g_strerror(failed->code == G_FILE_ERROR_NOENT ? ENOENT : errno));
	g_error_free(failed);
	return cli_fail(cli, error);
}

static int run_export(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	json_t *document = NULL;
	int status;

	if (args[0] && args[1])
		return cli_usage(cli, "at most one file is expected");
	if (open_all(&session, cli, false, &error))
		document = authored_json(&session, &error);
	if (document) {
		g_autofree char *text = text_of(document);

		status = write_out(cli, args[0], text);
		json_decref(document);
	} else {
		status = cli_fail(cli, error);
	}
	session_close(&session);
	return status;
}

const struct command cmd_export = {
	.name = "export",
	.arguments = "[FILE]",
	.help = "Write down all that somebody wrote: levels, overrides, labels, policies",
	.description = "FILE: else standard output. One JSON document that diffs well, to be kept in git;\n"
		       "what was probed is not in it. See capbroker-level(7).",
	.changes = true,
	.run = run_export,
};

/* --- restore ------------------------------------------------------------------------------------ */

static gboolean dry_run;

static const GOptionEntry entries[] = {
	{ "dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Only say what would be restored", NULL },
	{ 0 },
};

static json_t *read_file(const char *path, GError **error)
{
	g_autofree char *bytes = NULL;
	json_t *document = NULL;
	gsize length;

	if (file_read(path, AUTHORED_MAX_BYTES, &bytes, &length, error))
		document = json_bytes_parse(bytes, length, AUTHORED_MAX_BYTES, error);
	if (bytes && !document)
		g_prefix_error(error, "%s: ", path);
	return document;
}

/* All or nothing; what a dry run put in is taken back. */
static bool restore(struct session *s, const json_t *document, json_t *added, json_t *same, GError **error)
{
	json_t *have = NULL;
	bool ok;

	if (!store_begin(s->store, error))
		return false;
	have = authored_json(s, error);
	ok = have && authored_restore(s, have, document, added, same, error);
	json_decref(have);
	if (ok && !dry_run)
		return store_commit(s->store, error);
	store_rollback(s->store);
	return ok;
}

static int run_restore(struct cli *cli, char **args)
{
	struct session session = { 0 };
	GError *error = NULL;
	json_t *document, *answer = NULL, *added = json_object(), *same = json_object();
	g_autofree char *label = NULL;
	int status;

	if (!args[0] || args[1])
		return cli_usage(cli, "one file is expected");
	label = g_filename_display_name(args[0]);
	document = read_file(args[0], &error);
	if (document && open_all(&session, cli, true, &error)) {
		if (restore(&session, document, added, same, &error)) {
			answer = answer_new("restore");
			json_object_update_new(answer, json_pack("{s:s, s:b, s:O, s:O}", "file", label, "dry_run",
								 (int)dry_run, "added", added, "same", same));
		} else {
			g_prefix_error(&error, "%s: ", label);
		}
	}
	status = answer ? cli_answer(cli, answer, EXIT_OK, false) : cli_fail(cli, error);
	json_decref(document);
	json_decref(added);
	json_decref(same);
	if (session.fleet)
		session_close(&session);
	return status;
}

const struct command cmd_restore = {
	.name = "restore",
	.arguments = "FILE",
	.help = "Put back what export wrote, all of it or nothing",
	.description = "FILE: as 'capbroker export' wrote it, or - for standard input. What is there already, and is\n"
		       "the same, stays; where anything is otherwise, nothing is restored.\n"
		       "Policies come back as text: see 'capbroker policy show'.",
	.entries = entries,
	.changes = true,
	.run = run_restore,
};
