/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* datafiles.c: see datafiles.h. */
#include "config.h"

#include <string.h>

#include "cli.h"
#include "datafiles.h"
#include "files.h"

static char *data_path(const char *name)
{
	const char *dir = g_getenv("CAPBROKER_DATADIR");

	return g_build_filename(dir && *dir ? dir : PKGDATADIR, "data", name, NULL);
}

/* Where the rows start: past comments, empty lines and the header, which is copied. */
static const char *rows_of(const char *text, char **header)
{
	while (*text == '#' || *text == '\n') {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	*header = g_strndup(text, strcspn(text, "\n"));
	text += strlen(*header);
	return text + (*text == '\n');
}

/* A site's own rows behind ours. */
static bool add_site(GString *text, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(SYSCONFDIR, "capbroker", "data", name, NULL);
	g_autofree char *site = NULL, *ours = NULL, *theirs = NULL;
	const char *rows;
	gsize length;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return true;
	if (!file_read(path, TABLE_MAX_BYTES, &site, &length, error))
		return false;
	rows_of(text->str, &ours);
	rows = rows_of(site, &theirs);
	if (strcmp(ours, theirs)) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO,
			    "%s: columns differ from the table it adds to (its header must be the same)",
			    path);
		return false;
	}
	if (text->len && text->str[text->len - 1] != '\n')
		g_string_append_c(text, '\n');
	g_string_append(text, rows);
	return true;
}

static GString *load(const char *name, GChecksum *sum, GError **error)
{
	g_autofree char *path = data_path(name);
	g_autofree char *bytes = NULL;
	GString *text;
	gsize length;

	if (!file_read(path, TABLE_MAX_BYTES, &bytes, &length, error)) {
		g_prefix_error(error, "data: ");
		return NULL;
	}
	text = g_string_new_len(bytes, (gssize)length);
	if (!add_site(text, name, error)) {
		g_string_free(text, TRUE);
		return NULL;
	}
	g_checksum_update(sum, (const guchar *)text->str, (gssize)text->len);
	return text;
}

static bool load_models(struct datafiles *files, GChecksum *all, GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	GString *text = load("cpu-models.tsv", sum, error);

	if (!text)
		return false;
	g_strlcpy(files->cpu_map, g_checksum_get_string(sum), sizeof(files->cpu_map));
	g_checksum_update(all, (const guchar *)text->str, (gssize)text->len);
	files->models = cpu_models_parse(text->str, text->len, error);
	g_string_free(text, TRUE);
	return files->models != NULL;
}

static bool load_table(struct table **table, const char *name, GChecksum *sum, GError **error)
{
	GString *text = load(name, sum, error);

	if (!text)
		return false;
	*table = table_parse(text->str, text->len, name, error);
	g_string_free(text, TRUE);
	return *table != NULL;
}

static bool load_rules(struct datafiles *files, GChecksum *sum, GError **error)
{
	static const char *const names[DATAFILES_RULES] = {
		"definition-rules-platform.tsv", "definition-rules-boot.tsv",
		"definition-rules-devices.tsv", "definition-rules-qemu.tsv"
	};

	for (size_t i = 0; i < DATAFILES_RULES; i++)
		if (!load_table(&files->rule_tables[i], names[i], sum, error))
			return false;
	files->rules = rulebook_new(files->rule_tables, DATAFILES_RULES, error);
	if (!files->rules)
		g_prefix_error(error, "data: definition-rules: ");
	return files->rules != NULL;
}

struct datafiles *datafiles_load(GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	struct datafiles *files = g_new0(struct datafiles, 1);

	files->tables = g_new0(struct tables, 1);
	if (load_models(files, sum, error) &&
	    load_table(&files->tables->machines, "machine-types.tsv", sum, error) &&
	    load_table(&files->tables->libvirt_names, "libvirt-names.tsv", sum, error) &&
	    load_table(&files->tables->differences, "arithmetic-differences.tsv", sum, error) &&
	    load_table(&files->tables->qemu_models, "qemu-cpu-models.tsv", sum, error) &&
	    load_rules(files, sum, error)) {
		g_strlcpy(files->digest, g_checksum_get_string(sum), sizeof(files->digest));
		return files;
	}
	datafiles_free(files);
	return NULL;
}

void datafiles_free(struct datafiles *files)
{
	if (!files)
		return;
	cpu_models_free(files->models);
	tables_free(files->tables);
	rulebook_free(files->rules);
	for (size_t i = 0; i < DATAFILES_RULES; i++)
		table_free(files->rule_tables[i]);
	g_free(files);
}
