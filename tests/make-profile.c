/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * make-profile.c: files that say something of one host, as its profile.
 *
 *	make-profile NAME EMULATOR CPU-MODELS.tsv FILE…
 *
 * Reads the files in the order given, as 'capbroker import --name NAME' would, and prints the
 * document. Unlike import it adds no time and no fingerprint, so that the same files give the
 * same document. make-hosts.py runs it; nothing else needs to.
 */
#include "config.h"

#include <stdio.h>

#include "model/document.h"
#include "read/read.h"

static bool add_file(json_t *doc, const char *path, const char *emulator,
		     const struct cpu_models *models, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	const struct read_hints hints = { .name = name, .emulator = emulator, .migratable = -1,
					  .models = models };
	g_autofree char *bytes = NULL;
	gsize length;

	if (!g_file_get_contents(path, &bytes, &length, error))
		return false;
	return read_file(doc, bytes, length, &hints, error);
}

static struct cpu_models *load_models(const char *path, GError **error)
{
	g_autofree char *bytes = NULL;
	gsize length;

	if (!g_file_get_contents(path, &bytes, &length, error))
		return NULL;
	return cpu_models_parse(bytes, length, error);
}

static bool check(json_t *doc, GError **error)
{
	g_autoptr(Universe) universe = universe_new();
	g_autoptr(Profile) profile = profile_parse(doc, universe, error);

	return profile != NULL;
}

int main(int argc, char **argv)
{
	g_autoptr(CpuModels) models = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	json_t *doc;
	bool ok;

	if (argc < 5) {
		fprintf(stderr, "usage: make-profile NAME EMULATOR CPU-MODELS.tsv FILE…\n");
		return 2;
	}
	models = load_models(argv[3], &error);
	doc = document_new(argv[1], NULL, "x86_64");
	ok = models != NULL;
	for (int i = 4; ok && i < argc; i++)
		ok = add_file(doc, argv[i], argv[2], models, &error);
	ok = ok && check(doc, &error);
	text = ok ? document_text(doc) : NULL;
	json_decref(doc);
	if (!ok || puts(text) == EOF || fflush(stdout)) {
		fprintf(stderr, "make-profile: %s: %s\n", argv[1],
			error ? error->message : "cannot write");
		return 1;
	}
	return 0;
}
