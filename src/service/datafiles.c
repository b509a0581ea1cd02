/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* datafiles.c: see datafiles.h. */
#include "config.h"

#include <string.h>

#include "errors.h"
#include "datafiles.h"
#include "files.h"

static char *data_path(const char *name)
{
	const char *dir = g_getenv("CAPBROKER_DATADIR");

	return g_build_filename(dir && *dir ? dir : PKGDATADIR, "data", name, NULL);
}

/* A site's own rows: $CAPBROKER_SITEDIR, else where that was compiled in. */
static char *site_path(const char *name)
{
	const char *dir = g_getenv("CAPBROKER_SITEDIR");

	return dir && *dir ? g_build_filename(dir, name, NULL) :
			     g_build_filename(SYSCONFDIR, "capbroker", "data", name, NULL);
}

static struct table *parse_file(const char *path, const char *where, GChecksum *sum, GError **error)
{
	g_autofree char *bytes = NULL;
	gsize length;

	if (!file_read(path, TABLE_MAX_BYTES, &bytes, &length, error))
		return NULL;
	g_checksum_update(sum, (const guchar *)bytes, (gssize)length);
	return table_parse(bytes, length, where, error);
}

/*
 * Our table with the site's own rows: instead of ours that have the same @key (a column); before
 * ours where there is no key, for what is found first is believed.
 */
static bool load_table(struct table **table, const char *name, const char *key, GChecksum *sum,
		       GError **error)
{
	g_autofree char *path = data_path(name), *own = site_path(name);
	struct table *site;
	bool ok;

	*table = parse_file(path, name, sum, error);
	if (!*table) {
		g_prefix_error(error, "data: ");
		return false;
	}
	if (!g_file_test(own, G_FILE_TEST_EXISTS))
		return true;
	site = parse_file(own, own, sum, error);
	ok = site && table_join(*table, site, key);
	if (site && !ok)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO,
			    "%s: columns differ from the table it adds to (its header must be the same)",
			    own);
	table_free(site);
	return ok;
}

static bool load_other_models(struct datafiles *files, GChecksum *sum, GError **error)
{
	struct table *table = NULL;

	if (load_table(&table, "other-cpu-models.tsv", "name", sum, error))
		return cpu_models_add(files->models, table, error);
	table_free(table);
	return false;
}

static bool load_models(struct datafiles *files, GChecksum *all, GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	struct table *table = NULL;

	if (load_table(&table, "cpu-models.tsv", "name", sum, error)) {
		g_strlcpy(files->cpu_map, g_checksum_get_string(sum), sizeof(files->cpu_map));
		g_checksum_update(all, (const guchar *)files->cpu_map, -1);
		files->models = cpu_models_new(table, error);
	} else {
		table_free(table);
	}
	return files->models && load_other_models(files, all, error);
}

static bool load_rules(struct datafiles *files, GChecksum *sum, GError **error)
{
	static const char *const names[DATAFILES_RULES] = {
		"definition-rules-platform.tsv", "definition-rules-boot.tsv",
		"definition-rules-devices.tsv", "definition-rules-qemu.tsv",
		"definition-rules-security.tsv", "definition-rules-arch.tsv",
		"definition-rules-parser.tsv", "definition-rules-argv.tsv"
	};

	for (size_t i = 0; i < DATAFILES_RULES; i++)
		if (!load_table(&files->rule_tables[i], names[i], "rule", sum, error))
			return false;
	files->rules = rulebook_new(files->rule_tables, DATAFILES_RULES, error);
	if (!files->rules)
		g_prefix_error(error, "data: definition-rules: ");
	return files->rules != NULL;
}

static bool load_grammar(struct datafiles *files, GChecksum *sum, GError **error)
{
	struct table *table = NULL;

	if (!load_table(&table, "libvirt-grammar.tsv", NULL, sum, error))
		return false;
	files->grammar = grammar_new(table, error);
	table_free(table);
	if (!files->grammar)
		g_prefix_error(error, "data: libvirt-grammar.tsv: ");
	return files->grammar != NULL;
}

static bool load_weights(struct datafiles *files, GChecksum *sum, GError **error)
{
	if (!load_table(&files->weight_table, "weights.tsv", "match", sum, error))
		return false;
	files->weights = weights_from_table(files->weight_table, error);
	if (!files->weights)
		g_prefix_error(error, "data: weights.tsv: ");
	return files->weights != NULL;
}

struct datafiles *datafiles_load(GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	struct datafiles *files = g_new0(struct datafiles, 1);

	files->tables = g_new0(struct tables, 1);
	if (load_models(files, sum, error) &&
	    load_table(&files->tables->machines, "machine-types.tsv", NULL, sum, error) &&
	    load_table(&files->tables->libvirt_names, "libvirt-names.tsv", NULL, sum, error) &&
	    load_table(&files->tables->differences, "arithmetic-differences.tsv", NULL, sum, error) &&
	    load_table(&files->tables->qemu_models, "qemu-cpu-models.tsv", NULL, sum, error) &&
	    load_table(&files->tables->downstream, "machine-types-downstream.tsv", NULL, sum, error) &&
	    load_table(&files->tables->vendors, "qemu-vendors.tsv", NULL, sum, error) &&
	    load_table(&files->tables->properties, "qemu-properties.tsv", NULL, sum, error) &&
	    load_table(&files->tables->viommu, "viommu-properties.tsv", NULL, sum, error) &&
	    load_table(&files->tables->consumers, "consumer-names.tsv", NULL, sum, error) &&
	    load_table(&files->tables->ovirt_cpus, "ovirt-cpus.tsv", NULL, sum, error) &&
	    load_table(&files->tables->security_classes, "security-classes.tsv", "class", sum, error) &&
	    load_table(&files->tables->performance, "performance.tsv", "match", sum, error) &&
	    load_rules(files, sum, error) && load_grammar(files, sum, error) &&
	    load_weights(files, sum, error)) {
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
	grammar_free(files->grammar);
	weights_free(files->weights);
	table_free(files->weight_table);
	for (size_t i = 0; i < DATAFILES_RULES; i++)
		table_free(files->rule_tables[i]);
	g_free(files);
}
