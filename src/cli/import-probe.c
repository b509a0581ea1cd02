/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * import-probe.c: running capbroker-probe as a program, and gathering what it found; see
 * import.h.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "files.h"
#include "import.h"
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

static bool run(char **argv, GError **error)
{
	g_autofree char *text = NULL;
	int status;

	if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &text, &status,
			  error)) {
		g_prefix_error(error, PROBE ": ");
		return false;
	}
	if (status == 0)
		return true;
	probe_failed(text, error);
	return false;
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

/* A label for messages: what was asked. */
static char *label_of(const char *const *arguments)
{
	return g_strdup(arguments[0] && arguments[1] ? arguments[1] : "this host");
}

static bool gather(struct import *import, const char *label, const char *profile,
		   const char *guests, GError **error)
{
	json_t *doc = load(profile, "profile", error);
	json_t *list;
	bool ok;

	if (!doc || !import_add_profile(import, label, doc, error))
		return false;
	if (!g_file_test(guests, G_FILE_TEST_EXISTS))
		return true;
	list = load(guests, "guests", error);
	/* A probe that couldn't ask for guests knows nothing against those that are known. */
	ok = list && (!json_is_true(json_object_get(list, "complete")) ||
		      import_add_guests(import, label, list, error));
	json_decref(list);
	return ok;
}

static bool run_into(struct import *import, const char *folder, const char *const *arguments,
		     GError **error)
{
	g_autofree char *probe = find_probe(error);
	g_autofree char *profile = g_build_filename(folder, "profile.json", NULL);
	g_autofree char *guests = g_build_filename(folder, "guests.json", NULL);
	g_autofree char *label = label_of(arguments);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	bool ok;

	if (!probe)
		return false;
	g_ptr_array_add(argv, probe);
	for (gsize i = 0; arguments[i]; i++)
		g_ptr_array_add(argv, (void *)arguments[i]);
	g_ptr_array_add(argv, (void *)"--output");
	g_ptr_array_add(argv, profile);
	g_ptr_array_add(argv, (void *)"--guests");
	g_ptr_array_add(argv, guests);
	g_ptr_array_add(argv, NULL);
	ok = run((char **)argv->pdata, error) && gather(import, label, profile, guests, error);
	g_unlink(profile);
	g_unlink(guests);
	return ok;
}

bool import_probe(struct import *import, const char *const *arguments, GError **error)
{
	g_autofree char *folder = g_dir_make_tmp("capbroker-XXXXXX", error);
	bool ok = folder && run_into(import, folder, arguments, error);

	if (folder)
		g_rmdir(folder);
	else
		g_prefix_error(error, "temporary folder: ");
	return ok;
}
