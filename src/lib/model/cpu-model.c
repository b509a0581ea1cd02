/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cpu-model.c: see cpu-model.h. "-" in a column stands for none. */
#include "config.h"

#include <string.h>

#include "model/cpu-model.h"
#include "model/error.h"
#include "model/tables.h"

#define MAX_MODELS 10000u
#define WHERE "cpu-models.tsv"

enum column { NAME, VENDOR, CANONICAL, LIBVIRT, SIGNATURES, DECODE, ADDED, REMOVED, FEATURES };

static const char *const column_names[] = {
	"name",	  "vendor", "canonical", "first_libvirt", "signatures",
	"decode", "added",  "removed",	 "features",
};
_Static_assert(G_N_ELEMENTS(column_names) == FEATURES + 1, "a column without a name");

struct cpu_models {
	struct table *table; /* owns the strings */
	GArray *models;	     /* struct named_model, in the order of the file */
	GHashTable *by_name; /* name → index + 1 */
};

static void model_clear(gpointer data)
{
	struct named_model *model = data;

	g_free(model->features);
	g_free(model->added);
	g_free(model->removed);
}

void cpu_models_free(struct cpu_models *models)
{
	if (!models)
		return;
	g_hash_table_unref(models->by_name);
	g_array_unref(models->models);
	table_free(models->table);
	g_free(models);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Splits @text in place; sorted, each name once, NULL-terminated. */
static char **split_names(char *text, size_t *n)
{
	GPtrArray *names = g_ptr_array_new();
	char *name, *rest = strcmp(text, "-") ? text : NULL;
	guint kept = 0;

	while ((name = strsep(&rest, " ")))
		if (*name)
			g_ptr_array_add(names, name);
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++)
		if (!kept || strcmp(names->pdata[kept - 1], names->pdata[i]))
			names->pdata[kept++] = names->pdata[i];
	g_ptr_array_set_size(names, (gint)kept);
	g_ptr_array_add(names, NULL);
	if (n)
		*n = kept;
	return (char **)g_ptr_array_free(names, FALSE);
}

/* A column's text, NULL for none. */
static char *column(char **row, const int *places, enum column c)
{
	char *text = places[c] < 0 ? NULL : row[places[c]];

	return text && *text && strcmp(text, "-") ? text : NULL;
}

static char **names_in(char **row, const int *places, enum column c, size_t *n)
{
	char none[] = "-";
	char *text = column(row, places, c);

	return split_names(text ? text : none, n);
}

/* Is @word one of those that @list has, apart by commas? */
static bool has_word(const char *list, const char *word)
{
	g_auto(GStrv) words = g_strsplit(list ? list : "", ",", -1);

	return g_strv_contains((const char *const *)words, word);
}

static bool add_model(struct cpu_models *models, char **row, const int *places, GError **error)
{
	const char *decode = column(row, places, DECODE);
	struct named_model model = {
		.name = column(row, places, NAME),
		.vendor = column(row, places, VENDOR),
		.canonical = column(row, places, CANONICAL),
		.first_libvirt = column(row, places, LIBVIRT),
		.signatures = column(row, places, SIGNATURES),
		.decode_host = has_word(decode, "host"),
		.decode_guest = has_word(decode, "guest"),
	};

	if (!model.name || models->models->len == MAX_MODELS ||
	    g_hash_table_contains(models->by_name, model.name)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    WHERE ": row %u: model '%.64s' has no name, is there twice, or is one too many",
			    models->models->len + 1, model.name ? model.name : "");
		return false;
	}
	if (!model.canonical)
		model.canonical = model.name;
	model.features = names_in(row, places, FEATURES, &model.n_features);
	model.added = names_in(row, places, ADDED, NULL);
	model.removed = names_in(row, places, REMOVED, NULL);
	g_array_append_val(models->models, model);
	g_hash_table_insert(models->by_name, (gpointer)model.name,
			    GUINT_TO_POINTER(models->models->len));
	return true;
}

struct cpu_models *cpu_models_new(struct table *table, GError **error)
{
	g_autoptr(CpuModels) models = g_new0(struct cpu_models, 1);
	int places[G_N_ELEMENTS(column_names)];

	models->models = g_array_new(FALSE, FALSE, sizeof(struct named_model));
	g_array_set_clear_func(models->models, model_clear);
	models->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	models->table = table;
	for (size_t i = 0; i < G_N_ELEMENTS(column_names); i++)
		places[i] = table_column(models->table, column_names[i]);
	if (places[NAME] < 0 || places[FEATURES] < 0) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    WHERE ": the header has no column 'name' or 'features'");
		return NULL;
	}
	for (guint i = 0; i < models->table->rows->len; i++)
		if (!add_model(models, g_ptr_array_index(models->table->rows, i), places, error))
			return NULL;
	return g_steal_pointer(&models);
}

struct cpu_models *cpu_models_parse(const char *bytes, size_t length, GError **error)
{
	struct table *table = table_parse(bytes, length, WHERE, error);

	return table ? cpu_models_new(table, error) : NULL;
}

const struct named_model *cpu_models_find(const struct cpu_models *models, const char *name)
{
	guint i = GPOINTER_TO_UINT(g_hash_table_lookup(models->by_name, name));

	return i ? cpu_models_at(models, i - 1) : NULL;
}

size_t cpu_models_count(const struct cpu_models *models)
{
	return models->models->len;
}

const struct named_model *cpu_models_at(const struct cpu_models *models, size_t i)
{
	return &g_array_index(models->models, struct named_model, i);
}
