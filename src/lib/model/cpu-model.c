/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu-model.c: see cpu-model.h.
 *
 * The table is text: a line of column names after '#', then a line a model, columns apart by
 * tabs: name, vendor, canonical, first libvirt, features (apart by spaces), source. "-" or
 * nothing stands for none.
 */
#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "model/cpu-model.h"
#include "model/error.h"

#define MAX_MODELS 10000u
#define MAX_FEATURES 4096u
#define COLUMNS 5u /* those that are used */

struct cpu_models {
	char *text; /* owned; the strings point into it */
	GArray *models; /* struct named_model, in the order of the file */
	GHashTable *by_name; /* name → index + 1 */
};

static void model_clear(gpointer data)
{
	g_free(((struct named_model *)data)->features);
}

void cpu_models_free(struct cpu_models *models)
{
	if (!models)
		return;
	g_hash_table_unref(models->by_name);
	g_array_unref(models->models);
	g_free(models->text);
	g_free(models);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Splits @text in place; sorted, each name once. */
static char **split_features(char *text, size_t *n)
{
	GPtrArray *names = g_ptr_array_new();
	guint kept = 0;

	for (char *name = strtok_r(text, " ", &text); name; name = strtok_r(NULL, " ", &text))
		g_ptr_array_add(names, name);
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++)
		if (!kept || strcmp(names->pdata[kept - 1], names->pdata[i]))
			names->pdata[kept++] = names->pdata[i];
	g_ptr_array_set_size(names, (gint)kept);
	g_ptr_array_add(names, NULL);
	*n = kept;
	return (char **)g_ptr_array_free(names, FALSE);
}

static const char *or_null(const char *column)
{
	return *column && strcmp(column, "-") ? column : NULL;
}

static bool parse_line(struct cpu_models *models, char *line, const char **why)
{
	char *columns[COLUMNS];
	struct named_model model;

	for (size_t i = 0; i < COLUMNS; i++) {
		columns[i] = strsep(&line, "\t");
		if (!columns[i]) {
			*why = "has less than five columns apart by tabs";
			return false;
		}
	}
	if (!*columns[0]) {
		*why = "has no name";
		return false;
	}
	if (models->models->len >= MAX_MODELS) {
		*why = "is one model too many";
		return false;
	}
	if (g_hash_table_contains(models->by_name, columns[0])) {
		*why = "gives a model a second time";
		return false;
	}
	model.name = columns[0];
	model.vendor = or_null(columns[1]);
	model.canonical = or_null(columns[2]) ? columns[2] : columns[0];
	model.first_libvirt = or_null(columns[3]);
	model.features = split_features(columns[4], &model.n_features);
	g_array_append_val(models->models, model);
	g_hash_table_insert(models->by_name, columns[0], GUINT_TO_POINTER(models->models->len));
	if (model.n_features > MAX_FEATURES) {
		*why = "has too many features";
		return false;
	}
	return true;
}

struct cpu_models *cpu_models_parse(const char *bytes, size_t length, GError **error)
{
	g_autoptr(CpuModels) models = g_new0(struct cpu_models, 1);
	const char *why = "is not UTF-8";
	unsigned int number = 0;
	char *rest, *line;

	models->models = g_array_new(FALSE, FALSE, sizeof(struct named_model));
	g_array_set_clear_func(models->models, model_clear);
	models->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	rest = models->text = g_strndup(bytes, length);
	while ((line = strsep(&rest, "\n"))) {
		number++;
		line[strcspn(line, "\r")] = 0;
		if (!*line || *line == '#')
			continue;
		if (!g_utf8_validate(line, -1, NULL) || !parse_line(models, line, &why)) {
			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
				    "CPU models: line %u %s (reinstall the data files)", number,
				    why);
			return NULL;
		}
	}
	return g_steal_pointer(&models);
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
