/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz-recording.c: recordings with any files in them, replayed by the probes of IOMMUs and devices.
 *
 * The input is a text of parts "@@ PATH\n" and the file's bytes. They are written into a folder of
 * this process's own; then the probes read it one after the other, each leaving for the next what it
 * found, as in run.c. What comes of it must be a profile that our own parser takes, or refuses.
 */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "merge.h"
#include "probe.h"
#include "source.h"

#define MARK "@@ "
#define MAX_PARTS 48

static const struct probe *const fuzzed[] = {
	&acpi_probe, &options_probe, &vtd_probe, &amdvi_probe,	 &smmuv3_probe,
	&spapr_probe, &iommu_probe,  &pci_probe, &iommufd_probe, &vfio_probe,
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level ? remove(path) : 0;
}

/* The process's folder, emptied. */
static const char *folder(void)
{
	static char *path;

	if (!path)
		path = g_dir_make_tmp("capbroker-fuzz-XXXXXX", NULL);
	g_assert_nonnull(path);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return path;
}

static void write_part(const char *dir, const char *name, const char *bytes, size_t length)
{
	g_autofree char *path = g_strdup_printf("%s/%s", dir, name);
	g_autofree char *parent = g_path_get_dirname(path);

	if (!*name || strstr(name, "..") || strlen(path) > 400)
		return;
	if (g_mkdir_with_parents(parent, 0755) == 0)
		g_file_set_contents(path, bytes, (gssize)length, NULL);
}

static void write_parts(const char *dir, const char *text, size_t length)
{
	const char *end = text + length;

	for (unsigned int i = 0; i < MAX_PARTS && text < end; i++) {
		const char *line, *next;
		g_autofree char *name = NULL;

		if ((size_t)(end - text) < strlen(MARK) || memcmp(text, MARK, strlen(MARK)))
			return;
		text += strlen(MARK);
		line = memchr(text, '\n', (size_t)(end - text));
		if (!line)
			return;
		name = g_strndup(text, (size_t)(line - text));
		text = line + 1;
		next = g_strstr_len(text, end - text, "\n" MARK);
		write_part(dir, name, text, (size_t)((next ? next : end) - text));
		text = next ? next + 1 : end;
	}
}

static json_t *claims_of(struct source *source)
{
	g_autofree char *text = source_recall(source, "recording.json");
	json_t *recording = text ? json_loads(text, 0, NULL) : NULL;
	json_t *claims = json_incref(json_object_get(recording, "claims"));

	json_decref(recording);
	return claims;
}

static void run(const struct probe *probe, struct context *context, json_t *doc, json_t *shared)
{
	context->shared = shared;
	context->doc = document_new("", NULL, NULL);
	context->found = json_object();
	context->told = false;
	probe->collect(context);
	g_assert_true(context->told);
	merge_fragment(doc, context->doc);
	merge_object(shared, context->found);
	json_decref(context->doc);
	json_decref(context->found);
}

static void replay(struct source *source)
{
	struct probe_options options = { .timeout = 60 };
	struct context context = { .source = source, .options = &options };
	json_t *doc = document_new("fuzzed", NULL, "x86_64");
	json_t *shared = json_pack("{s:s, s:s}", "arch", "x86_64", "kernel", "7.2.13");
	json_t *claims = claims_of(source);
	struct universe *universe = universe_new();
	struct profile *profile;
	GError *error = NULL;

	if (claims)
		json_object_set_new(shared, "claims", claims);
	for (size_t i = 0; i < G_N_ELEMENTS(fuzzed); i++)
		run(fuzzed[i], &context, doc, shared);
	profile = profile_parse(doc, universe, &error);
	g_assert_true((profile == NULL) == (error != NULL));
	g_clear_pointer(&profile, profile_free);
	g_clear_error(&error);
	universe_free(universe);
	json_decref(shared);
	json_decref(doc);
}

FUZZ(recording)
{
	const char *dir = folder();
	GError *error = NULL;
	struct source *source;

	write_parts(dir, (const char *)data, size);
	source = source_new(SOURCE_REPLAY, dir, &error);
	g_assert_true((source == NULL) == (error != NULL));
	if (source)
		replay(source);
	source_free(source);
	g_clear_error(&error);
}
