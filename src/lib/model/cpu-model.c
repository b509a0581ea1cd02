/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cpu-model.c: see cpu-model.h. "-" in a column stands for none. */
#include "config.h"

#include <string.h>

#include "model/cpu-model.h"
#include "model/error.h"
#include "model/tables.h"

#define MAX_MODELS 10000u
#define X86_TABLE "cpu-models.tsv"
#define OTHER_TABLE "other-cpu-models.tsv"

enum column {
	NAME, VENDOR, CANONICAL, LIBVIRT, SIGNATURES, DECODE, PARTIAL, ADDED, REMOVED, ARCH, KIND, FEATURES
};

static const char *const column_names[] = {
	"name",	   "vendor", "canonical", "first_libvirt", "signatures", "decode",
	"partial", "added",  "removed",	  "arch",	   "kind",	 "features",
};
_Static_assert(G_N_ELEMENTS(column_names) == FEATURES + 1, "a column without a name");

struct cpu_models {
	GPtrArray *tables;   /* struct table: they own the strings */
	GArray *models;	     /* struct named_model, in the order of the files */
	GHashTable *by_name; /* name → index + 1 */
	GArray *groups;	     /* struct named_model */
};

static void model_clear(gpointer data)
{
	struct named_model *model = data;

	if (model->members != model->features)
		g_free(model->members);
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
	g_array_unref(models->groups);
	g_ptr_array_unref(models->tables);
	g_free(models);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_once(GPtrArray *names)
{
	guint kept = 0;

	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++)
		if (!kept || strcmp(names->pdata[kept - 1], names->pdata[i]))
			names->pdata[kept++] = names->pdata[i];
	g_ptr_array_set_size(names, (gint)kept);
}

/* The array's names, NULL-terminated; takes the array. */
static char **take_names(GPtrArray *names, size_t *n)
{
	if (n)
		*n = names->len;
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

/* Splits @text in place; sorted, each name once, NULL-terminated. */
static char **split_names(char *text, size_t *n)
{
	GPtrArray *names = g_ptr_array_new();
	char *name, *rest = strcmp(text, "-") ? text : NULL;

	while ((name = strsep(&rest, " ")))
		if (*name)
			g_ptr_array_add(names, name);
	sort_once(names);
	return take_names(names, n);
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

static bool row_fail(const char *where, guint row, const char *name, const char *what, GError **error)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: row %u: model '%.64s' %s", where, row,
		    name ? name : "", what);
	return false;
}

/* The family that a table's column names by its room; x86's where there is no such column. */
static enum arch_family family_of(const char *room)
{
	for (int i = 0; room && i < ARCH_FAMILIES; i++)
		if (!strcmp(arch_room((enum arch_family)i), room))
			return (enum arch_family)i;
	return room ? ARCH_FAMILIES : ARCH_X86;
}

static bool add_model(struct cpu_models *models, char **row, const int *places, const char *where,
		      guint number, GError **error)
{
	const char *decode = column(row, places, DECODE), *kind = column(row, places, KIND);
	struct named_model model = {
		.name = column(row, places, NAME),
		.vendor = column(row, places, VENDOR),
		.canonical = column(row, places, CANONICAL),
		.first_libvirt = column(row, places, LIBVIRT),
		.signatures = column(row, places, SIGNATURES),
		.family = family_of(column(row, places, ARCH)),
		.partial_blockers = !g_strcmp0(column(row, places, PARTIAL), "blockers"),
		.decode_host = has_word(decode, "host"),
		.decode_guest = has_word(decode, "guest"),
	};
	bool group = !g_strcmp0(kind, "group");

	if (!model.name || models->models->len + models->groups->len >= MAX_MODELS ||
	    (!group && g_hash_table_contains(models->by_name, model.name)))
		return row_fail(where, number, model.name, "has no name, is there twice, or is one too many",
				error);
	if (model.family == ARCH_FAMILIES || (kind && !group && strcmp(kind, "model")))
		return row_fail(where, number, model.name, "is of an arch or kind that is none of ours", error);
	if (!model.canonical)
		model.canonical = model.name;
	model.features = names_in(row, places, FEATURES, &model.n_features);
	model.members = model.features;
	model.n_members = model.n_features;
	model.added = names_in(row, places, ADDED, NULL);
	model.removed = names_in(row, places, REMOVED, NULL);
	if (group) {
		g_array_append_val(models->groups, model);
		return true;
	}
	g_array_append_val(models->models, model);
	g_hash_table_insert(models->by_name, (gpointer)model.name,
			    GUINT_TO_POINTER(models->models->len));
	return true;
}

static bool add_table(struct cpu_models *models, struct table *table, const char *where, GError **error)
{
	int places[G_N_ELEMENTS(column_names)];

	g_ptr_array_add(models->tables, table);
	for (size_t i = 0; i < G_N_ELEMENTS(column_names); i++)
		places[i] = table_column(table, column_names[i]);
	if (places[NAME] < 0 || places[FEATURES] < 0) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: the header has no column 'name' or 'features'", where);
		return false;
	}
	for (guint i = 0; i < table->rows->len; i++)
		if (!add_model(models, g_ptr_array_index(table->rows, i), places, where, i + 1, error))
			return false;
	return true;
}

struct cpu_models *cpu_models_new(struct table *table, GError **error)
{
	g_autoptr(CpuModels) models = g_new0(struct cpu_models, 1);

	models->tables = g_ptr_array_new_with_free_func((GDestroyNotify)table_free);
	models->models = g_array_new(FALSE, FALSE, sizeof(struct named_model));
	models->groups = g_array_new(FALSE, FALSE, sizeof(struct named_model));
	g_array_set_clear_func(models->models, model_clear);
	g_array_set_clear_func(models->groups, model_clear);
	models->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	return add_table(models, table, X86_TABLE, error) ? g_steal_pointer(&models) : NULL;
}

void cpu_models_spell_out(const struct cpu_models *models, enum arch_family family, GPtrArray *names)
{
	guint kept = 0, n = names->len;

	for (guint i = 0; i < n; i++) {
		const struct named_model *group = cpu_models_group(models, family, names->pdata[i]);

		if (!group)
			names->pdata[kept++] = names->pdata[i];
		for (size_t k = 0; group && k < group->n_features; k++)
			g_ptr_array_add(names, group->features[k]);
	}
	if (kept < n)
		g_ptr_array_remove_range(names, kept, n - kept);
	sort_once(names);
}

/* Where groups can be, after all rows were read. */
static void spell_out(struct cpu_models *models)
{
	for (guint i = 0; models->groups->len && i < models->models->len; i++) {
		struct named_model *m = &g_array_index(models->models, struct named_model, i);
		GPtrArray *names;

		if (m->members != m->features || m->family == ARCH_X86)
			continue;
		names = g_ptr_array_new();
		for (size_t k = 0; k < m->n_features; k++)
			g_ptr_array_add(names, m->features[k]);
		cpu_models_spell_out(models, m->family, names);
		m->members = take_names(names, &m->n_members);
	}
}

bool cpu_models_add(struct cpu_models *models, struct table *table, GError **error)
{
	if (!add_table(models, table, OTHER_TABLE, error))
		return false;
	spell_out(models);
	return true;
}

struct cpu_models *cpu_models_parse(const char *bytes, size_t length, GError **error)
{
	struct table *table = table_parse(bytes, length, X86_TABLE, error);

	return table ? cpu_models_new(table, error) : NULL;
}

const struct named_model *cpu_models_group(const struct cpu_models *models, enum arch_family family,
					   const char *name)
{
	for (guint i = 0; models && i < models->groups->len; i++) {
		const struct named_model *g = &g_array_index(models->groups, struct named_model, i);

		if (g->family == family && !strcmp(g->name, name))
			return g;
	}
	return NULL;
}

size_t cpu_models_groups(const struct cpu_models *models)
{
	return models->groups->len;
}

const struct named_model *cpu_models_group_at(const struct cpu_models *models, size_t i)
{
	return &g_array_index(models->groups, struct named_model, i);
}

/* Is a register's value one of those "VALUE/MASK" (POWER) or "IMPLEMENTER/PART" (Arm)? */
static bool signature_is(const char *signatures, enum arch_family family, uint64_t value)
{
	g_auto(GStrv) words = g_strsplit(signatures, " ", -1);

	for (char **word = words; *word; word++) {
		char *slash;
		guint64 first = g_ascii_strtoull(*word, &slash, 16);
		guint64 second = *slash == '/' ? g_ascii_strtoull(slash + 1, NULL, 16) : 0;

		if (family == ARCH_PPC64 ? second && (value & second) == first :
					   (value >> 24 & 0xff) == first && (value >> 4 & 0xfff) == second)
			return true;
	}
	return false;
}

const struct named_model *cpu_models_by_register(const struct cpu_models *models,
						 enum arch_family family, uint64_t value)
{
	for (size_t i = 0; models && i < cpu_models_count(models); i++) {
		const struct named_model *m = cpu_models_at(models, i);

		if (m->family == family && m->signatures && signature_is(m->signatures, family, value))
			return m;
	}
	return NULL;
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
