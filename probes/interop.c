/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* interop.c: see interop.h. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "interop.h"

#define MAX_DESCRIPTIONS 512u

/* Names to paths of one folder's files; an empty one takes the name away. */
static void add_folder(struct source *live, const char *folder, GHashTable *paths)
{
	int err;
	g_auto(GStrv) names = source_list(live, folder, &err);

	for (guint i = 0; names && names[i] && g_hash_table_size(paths) < MAX_DESCRIPTIONS; i++) {
		char *path = g_build_filename(folder, names[i], NULL);
		struct source_file file;

		if (*names[i] == '.' || strchr(names[i], '\n') || !source_stat(live, path, &file, &err))
			g_free(path);
		else if (file.size)
			g_hash_table_insert(paths, g_strdup(names[i]), path);
		else {
			g_hash_table_remove(paths, names[i]);
			g_free(path);
		}
	}
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

static char *ask_list(void *data, GError **error)
{
	const char *kind = data;
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autofree char *ours = g_build_filename("/usr/share/qemu", kind, NULL);
	g_autofree char *site = g_build_filename("/etc/qemu", kind, NULL);
	g_autofree char *user = g_build_filename(g_get_user_config_dir(), "qemu", kind, NULL);
	GString *text = g_string_new(NULL);
	GList *names;

	add_folder(live, ours, paths);
	add_folder(live, site, paths);
	if (geteuid() != 0)
		add_folder(live, user, paths);
	names = g_list_sort(g_hash_table_get_keys(paths), by_name);
	for (GList *name = names; name; name = name->next)
		g_string_append_printf(text, "%s\n", (char *)g_hash_table_lookup(paths, name->data));
	g_list_free(names);
	return g_string_free(text, FALSE);
}

char **interop_list(struct source *source, const char *kind, GError **error)
{
	g_autofree char *name = g_strconcat("interop/", kind, NULL);
	g_autofree char *text = source_ask(source, name, ask_list, (void *)kind, error);

	return text ? g_strsplit(g_strstrip(text), "\n", *text ? -1 : 1) : NULL;
}

char *interop_program(struct source *live, const char *program)
{
	static const char *const folders[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					       "/usr/bin",	  "/sbin",	    "/bin" };

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		char *path = g_build_filename(folders[i], program, NULL);
		struct source_file file;
		int err;

		if (source_stat(live, path, &file, &err) && file.executable)
			return path;
		g_free(path);
	}
	return NULL;
}
