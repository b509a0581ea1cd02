/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tables.c: see tables.h. */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "model/tables.h"

static bool add_row(struct table *t, char *line, guint number, const char *where, GError **error)
{
	char **fields = g_strsplit(line, "\t", -1);

	if (!t->header) {
		t->header = fields;
		t->columns = g_strv_length(fields);
		return true;
	}
	if (g_strv_length(fields) != t->columns) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: line %u: %u fields where the header has %u (separate them by one tab each)",
			    where, number, g_strv_length(fields), t->columns);
		g_strfreev(fields);
		return false;
	}
	g_ptr_array_add(t->rows, fields);
	return true;
}

struct table *table_parse(const char *bytes, gsize length, const char *where, GError **error)
{
	struct table *t = g_new0(struct table, 1);
	g_autofree char *text = g_strndup(bytes, length);
	g_auto(GStrv) lines = NULL;
	bool ok = length <= TABLE_MAX_BYTES && strlen(text) == length;

	t->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	if (!ok)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: more than 8 MiB, or holds a NUL byte (is it the right file?)", where);
	lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; ok && lines[i]; i++) {
		g_strchomp(lines[i] + strcspn(lines[i], "\r"));
		if (*lines[i] && *lines[i] != '#')
			ok = add_row(t, lines[i], i + 1, where, error);
	}
	if (ok && !t->header) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: no header row", where);
		ok = false;
	}
	if (!ok)
		g_clear_pointer(&t, table_free);
	return t;
}

/* Puts a row in the place of the one with the same key, else behind all. */
static void replace_row(struct table *t, char **row, int key)
{
	for (guint i = 0; i < t->rows->len; i++) {
		char **old = g_ptr_array_index(t->rows, i);

		if (strcmp(old[key], row[key]))
			continue;
		g_strfreev(old);
		g_ptr_array_index(t->rows, i) = row;
		return;
	}
	g_ptr_array_add(t->rows, row);
}

bool table_join(struct table *t, struct table *from, const char *key)
{
	int column = key ? table_column(t, key) : -1;

	if (!g_strv_equal((const char *const *)t->header, (const char *const *)from->header))
		return false;
	g_clear_pointer(&t->index, g_hash_table_unref);
	g_clear_pointer(&t->memo, g_hash_table_unref);
	while (from->rows->len) {
		char **row = g_ptr_array_steal_index(from->rows, 0);

		if (column < 0)
			g_ptr_array_insert(t->rows, 0, row);
		else
			replace_row(t, row, column);
	}
	return true;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	g_strfreev(t->header);
	g_clear_pointer(&t->index, g_hash_table_unref);
	g_clear_pointer(&t->memo, g_hash_table_unref);
	g_ptr_array_unref(t->rows);
	g_free(t);
}

static char *index_key(const char *one, const char *other)
{
	return g_strconcat(one, "\t", other, NULL);
}

static GHashTable *index_new(const struct table *t, int one, int other)
{
	GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						  (GDestroyNotify)g_ptr_array_unref);

	for (guint i = 0; i < t->rows->len; i++) {
		char **row = g_ptr_array_index(t->rows, i);
		char *key = index_key(row[one], row[other]);
		GPtrArray *rows = g_hash_table_lookup(index, key);

		if (rows) {
			g_free(key);
		} else {
			rows = g_ptr_array_new();
			g_hash_table_insert(index, key, rows);
		}
		g_ptr_array_add(rows, row);
	}
	return index;
}

const GPtrArray *table_rows_of(const struct table *table, int one, int other, const char *of_one,
			       const char *of_other)
{
	struct table *t = (struct table *)table;
	g_autofree char *key = index_key(of_one, of_other);

	if (!t->index)
		t->index = index_new(t, one, other);
	return g_hash_table_lookup(t->index, key);
}

int table_column(const struct table *t, const char *name)
{
	for (guint i = 0; t && i < t->columns; i++)
		if (!strcmp(t->header[i], name))
			return (int)i;
	return -1;
}

void tables_free(struct tables *tables)
{
	if (!tables)
		return;
	table_free(tables->machines);
	table_free(tables->libvirt_names);
	table_free(tables->differences);
	table_free(tables->qemu_models);
	table_free(tables->downstream);
	table_free(tables->vendors);
	table_free(tables->properties);
	table_free(tables->viommu);
	table_free(tables->consumers);
	table_free(tables->ovirt_cpus);
	table_free(tables->security_classes);
	table_free(tables->performance);
	g_free(tables);
}

static const char *field(char *const *row, int column)
{
	return column >= 0 && *row[column] && strcmp(row[column], "-") ? row[column] : NULL;
}

bool tables_machine(const struct tables *tables, const char *name, struct machine_life *life)
{
	const struct table *t = tables ? tables->machines : NULL;
	int family = table_column(t, "family"), version = table_column(t, "version");

	for (guint i = 0; t && family >= 0 && version >= 0 && i < t->rows->len; i++) {
		char *const *row = g_ptr_array_index(t->rows, i);
		size_t n = strlen(row[family]);

		if (strncmp(name, row[family], n) || name[n] != '-' || strcmp(name + n + 1, row[version]))
			continue;
		*life = (struct machine_life){
			.family = row[family],
			.version = row[version],
			.released = field(row, table_column(t, "released")),
			.deprecated = field(row, table_column(t, "deprecated")),
			.removed = field(row, table_column(t, "removed")),
			.deprecated_in = field(row, table_column(t, "deprecated_in")),
			.removed_in = field(row, table_column(t, "removed_in")),
		};
		return true;
	}
	return false;
}

/* The column of QEMU's model of a name, where libvirt knows it too (@known "yes") or not ("no"). */
static const char *qemu_model(const struct tables *tables, const char *model, const char *known,
			      const char *column)
{
	const struct table *t = tables ? tables->qemu_models : NULL;
	int name = table_column(t, "name"), both = table_column(t, "in_libvirt");
	int differs = table_column(t, column);

	for (guint i = 0; t && name >= 0 && both >= 0 && differs >= 0 && i < t->rows->len; i++) {
		char *const *row = g_ptr_array_index(t->rows, i);

		if (!strcmp(row[name], model))
			return strcmp(row[both], known) ? NULL : row[differs];
	}
	return NULL;
}

const char *tables_qemu_differs(const struct tables *tables, const char *model, const char *column)
{
	return qemu_model(tables, model, "yes", column);
}

const char *tables_qemu_alone(const struct tables *tables, const char *model)
{
	return qemu_model(tables, model, "no", "more");
}

int version_compare(const char *a, const char *b)
{
	while (*a || *b) {
		guint64 x = g_ascii_strtoull(a, (char **)&a, 10);
		guint64 y = g_ascii_strtoull(b, (char **)&b, 10);

		if (x != y)
			return x < y ? -1 : 1;
		if (*a != '.' && *b != '.')
			return 0;
		a += *a == '.';
		b += *b == '.';
		if (!g_ascii_isdigit(*a) && !g_ascii_isdigit(*b))
			return 0;
	}
	return 0;
}

static const char *newest_looked_at(const struct table *t)
{
	static const char *const columns[] = { "not_in", "first_in", "last_in" };
	const char *newest = NULL;

	for (guint i = 0; i < t->rows->len; i++)
		for (size_t c = 0; c < G_N_ELEMENTS(columns); c++) {
			const char *version = field(g_ptr_array_index(t->rows, i), table_column(t, columns[c]));

			if (version && (!newest || version_compare(version, newest) > 0))
				newest = version;
		}
	return newest;
}

/*
 * Columns: kind, name, not_in (the newest version looked at that lacks the name), first_in (the
 * oldest that has it), last_in (the newest that still had it, where one dropped it). Between
 * versions that were looked at nothing is known.
 */
int tables_libvirt_knows(const struct tables *tables, const char *kind, const char *name,
			 const char *version)
{
	const struct table *t = tables ? tables->libvirt_names : NULL;
	int k = table_column(t, "kind"), n = table_column(t, "name");
	int not_in = table_column(t, "not_in"), first_in = table_column(t, "first_in");
	int last_in = table_column(t, "last_in");

	for (guint i = 0; t && k >= 0 && n >= 0 && i < t->rows->len; i++) {
		char *const *row = g_ptr_array_index(t->rows, i);
		const char *lacks = field(row, not_in), *first = field(row, first_in);
		const char *last = field(row, last_in);

		if (strcmp(row[n], name) || strcmp(row[k], kind))
			continue;
		if (last && version_compare(version, last) > 0)
			return -1;
		if (first && version_compare(version, first) >= 0)
			return 1;
		return lacks && version_compare(version, lacks) <= 0 ? 0 : -1;
	}
	/* a name that no version looked at has: older ones than the newest lack it too */
	return t && newest_looked_at(t) && version_compare(version, newest_looked_at(t)) <= 0 ? 0 : -1;
}

bool tables_libvirt_since(const struct tables *tables, const char *kind, const char *name,
			  const char **first, const char **before)
{
	const struct table *t = tables ? tables->libvirt_names : NULL;
	int k = table_column(t, "kind"), n = table_column(t, "name");

	for (guint i = 0; t && k >= 0 && n >= 0 && i < t->rows->len; i++) {
		char *const *row = g_ptr_array_index(t->rows, i);

		if (strcmp(row[n], name) || strcmp(row[k], kind))
			continue;
		*first = field(row, table_column(t, "first_in"));
		*before = field(row, table_column(t, "not_in"));
		return *first != NULL;
	}
	return false;
}
