/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * make-profile.c: files that say something of one host, as its profile.
 *
 *	make-profile NAME EMULATOR SCHEMA-DATA FILE…
 *
 * Reads the files in the order given, as 'capbroker import --name NAME' would, and prints the
 * document; the host's architecture is the emulator's. Unlike import it adds no time and no
 * fingerprint, so that the same files give the same document. make-hosts.py runs it; nothing else
 * needs to.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "model/document.h"
#include "model/tables.h"
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

static char *load(const char *folder, const char *name, gsize *length, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	char *bytes = NULL;

	return g_file_get_contents(path, &bytes, length, error) ? bytes : NULL;
}

/* x86's models, and those of other architectures with them. */
static struct cpu_models *load_models(const char *folder, GError **error)
{
	static const char others[] = "other-cpu-models.tsv";
	g_autoptr(CpuModels) models = NULL;
	g_autofree char *bytes = NULL, *text = NULL;
	struct table *table;
	gsize length;

	bytes = load(folder, "cpu-models.tsv", &length, error);
	models = bytes ? cpu_models_parse(bytes, length, error) : NULL;
	text = models ? load(folder, others, &length, error) : NULL;
	table = text ? table_parse(text, length, others, error) : NULL;
	return table && cpu_models_add(models, table, error) ? g_steal_pointer(&models) : NULL;
}

/* What the emulator's name ends in. */
static const char *arch_of(const char *emulator)
{
	const char *dash = strrchr(emulator, '-');

	return dash ? dash + 1 : "x86_64";
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
		fprintf(stderr, "usage: make-profile NAME EMULATOR SCHEMA-DATA FILE…\n");
		return 2;
	}
	models = load_models(argv[3], &error);
	doc = document_new(argv[1], NULL, arch_of(argv[2]));
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
