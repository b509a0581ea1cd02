/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu-properties.c: see qemu-properties.h. */
#include "config.h"

#include <string.h>

#include "model/qemu-properties.h"

/* Rows of a device's property, each (type, default, first_in) once: the first one is believed. */
struct spans {
	const struct table *table;
	GPtrArray *rows; /* char *const * */
	int type, value, not_in, first, last;
};

static bool is_none(const char *cell)
{
	return !strcmp(cell, "-");
}

static bool repeated(const struct spans *s, char *const *row)
{
	for (guint i = 0; i < s->rows->len; i++) {
		char *const *other = g_ptr_array_index(s->rows, i);

		if (!strcmp(other[s->first], row[s->first]) && !strcmp(other[s->type], row[s->type]) &&
		    !strcmp(other[s->value], row[s->value]))
			return true;
	}
	return false;
}

/* @device, @property: "-" for none. */
static void find_spans(struct spans *s, const struct table *t, const char *device,
		       const char *property)
{
	int d = table_column(t, "device"), p = table_column(t, "property");
	const GPtrArray *rows;

	*s = (struct spans){ .table = t,
			     .type = table_column(t, "type"),
			     .value = table_column(t, "default"),
			     .not_in = table_column(t, "not_in"),
			     .first = table_column(t, "first_in"),
			     .last = table_column(t, "last_in") };
	s->rows = g_ptr_array_new();
	if (d < 0 || p < 0 || s->type < 0 || s->value < 0 || s->not_in < 0 || s->first < 0 ||
	    s->last < 0)
		return;
	rows = table_rows_of(t, d, p, device, property);
	for (guint i = 0; rows && i < rows->len; i++) {
		char *const *row = g_ptr_array_index(rows, i);

		if (!repeated(s, row))
			g_ptr_array_add(s->rows, (gpointer)row);
	}
}

/* Is it there in a version that was looked at? */
static bool there(const struct spans *s, const char *version)
{
	for (guint i = 0; i < s->rows->len; i++) {
		char *const *row = g_ptr_array_index(s->rows, i);

		if (version_compare(row[s->first], version) <= 0 &&
		    (is_none(row[s->last]) || version_compare(version, row[s->last]) <= 0))
			return true;
	}
	return false;
}

/* Was the device asked for when the version was looked at? Not before the first that is told. */
static bool looked_at(const struct spans *device, const char *version)
{
	for (guint i = 0; i < device->rows->len; i++) {
		char *const *row = g_ptr_array_index(device->rows, i);

		if (!is_none(row[device->not_in]) || version_compare(row[device->first], version) <= 0)
			return true;
	}
	return false;
}

/* The versions looked at on either side of one; NULL where there is none. */
static void neighbours(const struct spans *looked, const char *version, const char **older,
		       const char **newer)
{
	*older = *newer = NULL;
	for (guint i = 0; i < looked->rows->len; i++) {
		const char *v = ((char *const *)g_ptr_array_index(looked->rows, i))[looked->first];

		if (version_compare(v, version) <= 0) {
			if (!*older || version_compare(v, *older) > 0)
				*older = v;
		} else if (!*newer || version_compare(v, *newer) < 0) {
			*newer = v;
		}
	}
}

/* The same but for the last number: a stable branch adds nothing. */
static bool same_release(const char *a, const char *b)
{
	const char *x = strrchr(a, '.'), *y = strrchr(b, '.');

	return x && y && x - a == y - b && !strncmp(a, b, (size_t)(x - a));
}

/* What both neighbours of a version say alike, or the one that it is a bugfix release of. */
static int ask(const struct table *t, const char *device, const char *property, const char *version)
{
	struct spans looked, devices, spans;
	const char *older, *newer;
	int truth = -1;

	find_spans(&looked, t, "-", "-");
	find_spans(&devices, t, device, "-");
	find_spans(&spans, t, device, property);
	neighbours(&looked, version, &older, &newer);
	if (older && looked_at(&devices, older)) {
		if (same_release(older, version) || (newer && there(&spans, older) == there(&spans, newer)))
			truth = there(&spans, older);
	} else if (!older && newer && looked_at(&devices, newer) && !there(&spans, newer)) {
		truth = 0;
	}
	g_ptr_array_unref(looked.rows);
	g_ptr_array_unref(devices.rows);
	g_ptr_array_unref(spans.rows);
	return truth;
}

/* The same, worked out once for each question. */
static int ask_once(const struct table *table, const char *device, const char *property,
		    const char *version)
{
	g_autofree char *key = g_strjoin("\t", device, property, version, NULL);
	struct table *t = (struct table *)table;
	void *found;
	int truth;

	if (!t->memo)
		t->memo = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (g_hash_table_lookup_extended(t->memo, key, NULL, &found))
		return GPOINTER_TO_INT(found);
	truth = ask(t, device, property, version);
	g_hash_table_insert(t->memo, g_steal_pointer(&key), GINT_TO_POINTER(truth));
	return truth;
}

int tables_qemu_property(const struct tables *tables, const char *device, const char *property,
			 const char *version)
{
	const struct table *t = tables ? tables->properties : NULL;
	int truth = t ? ask_once(t, device, "-", version) : -1;

	return truth == 1 && property ? ask_once(t, device, property, version) : truth;
}
