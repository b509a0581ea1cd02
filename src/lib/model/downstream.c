/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* downstream.c: see downstream.h. */
#include "config.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

#include "model/downstream.h"

const char *qemu_vendor(const struct tables *tables, const char *package)
{
	const struct table *t = tables ? tables->vendors : NULL;
	int pattern = table_column(t, "package"), vendor = table_column(t, "vendor");

	if (!package || pattern < 0 || vendor < 0)
		return NULL;
	for (guint i = 0; i < t->rows->len; i++) {
		char *const *row = g_ptr_array_index(t->rows, i);

		/* "-" stands for an empty name */
		if (!fnmatch(row[pattern], *package ? package : "-", 0))
			return row[vendor];
	}
	return NULL;
}

/* The vendor's row of a machine type's name, or NULL. */
static char *const *find(const struct table *t, const char *vendor, const char *machine)
{
	int whose = table_column(t, "vendor"), name = table_column(t, "name");

	for (guint i = 0; t && whose >= 0 && name >= 0 && i < t->rows->len; i++) {
		char *const *row = g_ptr_array_index(t->rows, i);

		if (!strcmp(row[whose], vendor) && !fnmatch(row[name], machine, 0))
			return row;
	}
	return NULL;
}

static const char *cell(const struct table *t, char *const *row, const char *column)
{
	int place = row ? table_column(t, column) : -1;

	return place >= 0 ? row[place] : "";
}

/* "9.2.1" and "9.2.3" are of one release: a stable branch changes no machine type. */
static bool same_release(const char *a, const char *b)
{
	g_auto(GStrv) x = g_strsplit(a, ".", 3), y = g_strsplit(b, ".", 3);

	return !g_strcmp0(x[0], y[0]) && (!x[0] || !g_strcmp0(x[1], y[1]));
}

int machine_same(const struct tables *tables, const char *name, const struct qemu_build *one,
		 const struct qemu_build *other, const char **why)
{
	const struct table *t = tables ? tables->downstream : NULL;
	char *const *row, *const *others;
	const char *differs, *differ_there;

	*why = NULL;
	if (!t || !one->vendor || !other->vendor)
		return 1;
	row = find(t, one->vendor, name);
	if (!strcmp(one->vendor, other->vendor)) {
		if (strcmp(cell(t, row, "steady"), "no") || !one->version || !other->version ||
		    same_release(one->version, other->version))
			return 1;
		*why = cell(t, row, "differs");
		return 0;
	}
	others = find(t, other->vendor, name);
	differs = cell(t, row, "differs");
	differ_there = cell(t, others, "differs");
	if (!strcmp(differs, "none") && !strcmp(differ_there, "none"))
		return 1;
	if (*differs && strcmp(differs, "none") && strcmp(differs, "unknown"))
		*why = differs;
	else if (*differ_there && strcmp(differ_there, "none") && strcmp(differ_there, "unknown"))
		*why = differ_there;
	return *why ? 0 : -1;
}
