/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * import-probe.c: running capbroker-probe as a program, and gathering what it found; see
 * import-probe.h.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "files.h"
#include "import-probe.h"
#include "model/error.h"

#define PROBE "capbroker-probe"

/* The folder this program lies in, or NULL. */
static char *own_folder(void)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);

	return self ? g_path_get_dirname(self) : NULL;
}

/* $CAPBROKER_PROBE, else beside us, else where it is installed, else by PATH. */
static char *find_probe(GError **error)
{
	const char *named = g_getenv("CAPBROKER_PROBE");
	g_autofree char *folder = own_folder();
	g_autofree char *beside = folder ? g_build_filename(folder, PROBE, NULL) : NULL;
	char *found;

	if (named && *named)
		return g_strdup(named);
	if (beside && g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
		return g_steal_pointer(&beside);
	found = g_find_program_in_path(PROBE);
	if (!found)
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO,
			    PROBE ": not found (install it, or set CAPBROKER_PROBE to its path)");
	return found;
}

/* The last line that the probe wrote, without its own name. */
static void probe_failed(const char *text, GError **error)
{
	g_autofree char *copy = g_strchomp(g_strdup(text ? text : ""));
	const char *line = strrchr(copy, '\n') ? strrchr(copy, '\n') + 1 : copy;

	if (g_str_has_prefix(line, PROBE ": "))
		line += strlen(PROBE ": ");
	g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s",
		    *line ? line : PROBE ": ended without a word (run it by hand)");
}

static json_t *load(const char *path, const char *what, GError **error)
{
	char *bytes;
	gsize length;
	json_t *json;

	if (!file_read(path, PROFILE_MAX_BYTES, &bytes, &length, error))
		return NULL;
	json = json_bytes_parse(bytes, length, PROFILE_MAX_BYTES, error);
	g_free(bytes);
	if (!json)
		g_prefix_error(error, PROBE ": %s: ", what);
	return json;
}

static const struct import_host *find_host(const struct import *import, const char *name)
{
	for (guint i = 0; i < import->hosts->len; i++) {
		const struct import_host *host = g_ptr_array_index(import->hosts, i);
		const json_t *own = json_object_get(json_object_get(host->doc, "host"), "name");

		if (host->doc && !g_strcmp0(json_string_value(own), name))
			return host;
	}
	return NULL;
}

/* Two connections to one host are a mistake, which must not keep the others out. */
static bool check_twice(const struct import *import, const json_t *doc, GError **error)
{
	const json_t *own = json_object_get(json_object_get(doc, "host"), "name");
	const char *name = json_string_value(own);
	const struct import_host *other = name ? find_host(import, name) : NULL;

	if (!other || import->options->name)
		return true;
	g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
		    "calls itself '%s', as %s does (leave one out, or give the hosts names of their own)",
		    name, other->label);
	return false;
}

static bool gather(struct import *import, const struct probe_run *run, GError **error)
{
	json_t *doc = load(run->profile, "profile", error);
	json_t *list;
	bool ok;

	if (doc && !check_twice(import, doc, error)) {
		json_decref(doc);
		return false;
	}
	if (!doc || !import_add_profile(import, run->label, doc, error))
		return false;
	if (!g_file_test(run->guests, G_FILE_TEST_EXISTS))
		return true;
	list = load(run->guests, "guests", error);
	/* A probe that couldn't ask for guests knows nothing against those that are known. */
	ok = list && (!json_is_true(json_object_get(list, "complete")) ||
		      import_add_guests(import, run->label, list, error));
	json_decref(list);
	return ok;
}

static char **arguments_of(const struct probe_run *run, const char *program,
			   const char *const *arguments)
{
	GPtrArray *argv = g_ptr_array_new();

	g_ptr_array_add(argv, g_strdup(program));
	for (gsize i = 0; arguments[i]; i++)
		g_ptr_array_add(argv, g_strdup(arguments[i]));
	g_ptr_array_add(argv, g_strdup("--output"));
	g_ptr_array_add(argv, g_strdup(run->profile));
	g_ptr_array_add(argv, g_strdup("--guests"));
	g_ptr_array_add(argv, g_strdup(run->guests));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

static bool start(struct probe_run *run, const char *const *arguments, GError **error)
{
	g_autofree char *program = find_probe(error);
	g_auto(GStrv) argv = program ? arguments_of(run, program, arguments) : NULL;
	int errors;
	bool ok;

	if (!program)
		return false;
	errors = open(run->errors, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = g_spawn_async_with_fds(NULL, argv, NULL,
				    G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, NULL, NULL,
				    &run->pid, -1, -1, errors, error);
	if (errors >= 0)
		close(errors);
	if (!ok)
		g_prefix_error(error, PROBE ": ");
	return ok;
}

struct probe_run *probe_run_start(const char *label, const char *const *arguments, GError **error)
{
	struct probe_run *run = g_new0(struct probe_run, 1);

	run->label = g_strdup(label);
	run->folder = g_dir_make_tmp("capbroker-XXXXXX", error);
	if (run->folder) {
		run->profile = g_build_filename(run->folder, "profile.json", NULL);
		run->guests = g_build_filename(run->folder, "guests.json", NULL);
		run->errors = g_build_filename(run->folder, "errors", NULL);
	} else {
		g_prefix_error(error, "temporary folder: ");
	}
	if (!run->folder || !start(run, arguments, error))
		g_clear_pointer(&run, probe_run_free);
	return run;
}

bool probe_run_gather(struct probe_run *run, int status, struct import *import, GError **error)
{
	g_autofree char *text = NULL;

	if (status == 0)
		return gather(import, run, error);
	g_file_get_contents(run->errors, &text, NULL, NULL);
	probe_failed(text, error);
	return false;
}

void probe_run_free(struct probe_run *run)
{
	if (!run)
		return;
	if (run->folder) {
		g_unlink(run->profile);
		g_unlink(run->guests);
		g_unlink(run->errors);
		g_rmdir(run->folder);
	}
	g_free(run->label);
	g_free(run->folder);
	g_free(run->profile);
	g_free(run->guests);
	g_free(run->errors);
	g_free(run);
}

bool import_probe(struct import *import, const char *const *arguments, GError **error)
{
	/* a label for messages: what was asked */
	const char *label = arguments[0] && arguments[1] ? arguments[1] : "this host";
	struct probe_run *run = probe_run_start(label, arguments, error);
	int status = -1;
	bool ok;

	if (!run)
		return false;
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	ok = probe_run_gather(run, status, import, error);
	probe_run_free(run);
	return ok;
}
