/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * firmware.c: firmware for guests that is installed: what descriptions offer, and which of the
 * files they name, and of the usual ones, are there.
 */
#include "config.h"

#include <string.h>

#include "interop.h"
#include "model/firmware.h"
#include "probe.h"
#include "read/read-host.h"

#define FILES "host/firmware-files"

/* Lines "SIZE PATH", or "- PATH" of what isn't there. */
static char *ask_files(void *data, GError **error)
{
	const GPtrArray *paths = data;
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < paths->len; i++) {
		const char *path = g_ptr_array_index(paths, i);
		struct source_file file;
		int err;

		if (source_stat(live, path, &file, &err))
			g_string_append_printf(text, "%" G_GUINT64_FORMAT " %s\n", file.size, path);
		else
			g_string_append_printf(text, "- %s\n", path);
	}
	return g_string_free(text, FALSE);
}

static void add_path(GPtrArray *paths, const char *path)
{
	if (path && *path == '/' && !strchr(path, '\n'))
		g_ptr_array_add(paths, (gpointer)path);
}

/* All descriptions, or NULL with the first that libvirt couldn't read either in @reason. */
static GPtrArray *read_descriptions(struct context *context, char *const *files, char **reason)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)firmware_free);

	for (guint i = 0; files[i] && *files[i]; i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *name = g_path_get_basename(files[i]);
		size_t length;
		int err;
		g_autofree char *bytes = source_read(context->source, files[i], &length, &err);
		struct firmware *f = bytes ? firmware_parse(bytes, length, name, &error) : NULL;

		if (f)
			g_ptr_array_add(all, f);
		else if (!*reason)
			*reason = g_strdup_printf("%s: %s (mend or remove the file)", files[i],
						  error ? error->message : g_strerror(err));
	}
	return all;
}

static bool collect_files(struct context *context, const GPtrArray *all)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autofree char *text = NULL;

	for (size_t i = 0; firmware_places[i]; i++)
		add_path(paths, firmware_places[i]);
	for (guint i = 0; i < all->len; i++) {
		const struct firmware *f = g_ptr_array_index(all, i);

		add_path(paths, f->file);
		add_path(paths, f->template_file);
	}
	text = source_ask(context->source, FILES, ask_files, paths, NULL);
	if (text)
		read_firmware_files(context->doc, text, "stat(2) of firmware files");
	return text != NULL;
}

static void collect(struct context *context)
{
	const char *arch = json_string_value(json_object_get(context->shared, "arch"));
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) files = interop_list(context->source, "firmware", &error);
	g_autofree char *reason = NULL;
	g_autoptr(GPtrArray) all = NULL;
	bool stated;

	if (!files) {
		probe_report(context, &firmware_probe, source_error_state(error), false, error->message);
		return;
	}
	all = read_descriptions(context, files, &reason);
	if (!reason)
		read_firmware_descriptions(context->doc, all, arch, "/usr/share/qemu/firmware");
	stated = collect_files(context, all);
	if (!reason && !stated)
		reason = g_strdup("which files are there is not in the recording (record again)");
	probe_report(context, &firmware_probe, reason ? "partial" : "ok", false, reason);
}

const struct probe firmware_probe = {
	.name = "firmware",
	.help = "firmware installed for guests: descriptions and files",
	.local = true,
	.view = VIEWS,
	.percent = 10,
	.collect = collect,
};
