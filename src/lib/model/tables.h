/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tables.h: facts about versions that are data, read at run time from schema/data (*.tsv): one
 * table a file, a header row, a `source` column; a site's own rows are appended to ours.
 */
#ifndef MODEL_TABLES_H
#define MODEL_TABLES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define TABLE_MAX_BYTES (8u * 1024 * 1024)

/* A table of text: rows of equal length below a header. */
struct table {
	char **header;   /* NULL-terminated */
	guint columns;
	GPtrArray *rows; /* char **, NULL-terminated each */
	GHashTable *index; /* table_rows_of()'s: made when it is first asked, or NULL */
	GHashTable *memo;  /* char * → what was worked out of the rows (qemu-properties.c), or NULL */
};

/**
 * table_parse - read tab-separated text; lines that begin with '#' and empty ones are passed over
 * @where: the file's name for messages
 *
 * Returns the table, or NULL with the line in @error (a row of another length than the header).
 */
struct table *table_parse(const char *bytes, gsize length, const char *where, GError **error);
void table_free(struct table *table);

/**
 * table_join - add another table's rows to a table
 * @from: of equal columns; its rows are moved out of it
 * @key: a column: a row that has the same there as one of the table's takes its place, others go
 *       behind. NULL: all go before the table's own, the last one first, so that who looks for the
 *       first row that fits finds the one that was added last
 *
 * Returns false, with nothing done, where the columns differ.
 */
bool table_join(struct table *table, struct table *from, const char *key);

/* The column of a name, or -1. */
int table_column(const struct table *table, const char *name);

/**
 * table_rows_of - the rows that hold two values, in the table's order
 * @one, @other: columns, the same ones whenever this table is asked
 *
 * Returns an array of char *const *, owned by the table, or NULL where there are none. Not to be
 * asked by threads at once.
 */
const GPtrArray *table_rows_of(const struct table *table, int one, int other, const char *of_one,
			       const char *of_other);

/* A machine type of upstream's by its clock. */
struct machine_life {
	const char *family;    /* "pc-q35" */
	const char *version;   /* "7.2" */
	const char *released, *deprecated, *removed; /* dates YYYY-MM(-DD), or NULL */
	const char *deprecated_in; /* QEMU's version that calls it so, or NULL */
	const char *removed_in;    /* QEMU's first version without it, or NULL */
};

struct tables {
	struct table *machines;      /* machine-types.tsv */
	struct table *libvirt_names; /* libvirt-names.tsv */
	struct table *differences;   /* arithmetic-differences.tsv */
	struct table *qemu_models;   /* qemu-cpu-models.tsv */
	struct table *downstream;    /* machine-types-downstream.tsv */
	struct table *vendors;       /* qemu-vendors.tsv */
	struct table *properties;    /* qemu-properties.tsv */
	struct table *viommu;        /* viommu-properties.tsv */
	struct table *consumers;     /* consumer-names.tsv */
	struct table *ovirt_cpus;    /* ovirt-cpus.tsv */
	struct table *security_classes; /* security-classes.tsv */
	struct table *performance;   /* performance.tsv */
};

void tables_free(struct tables *tables);

/**
 * tables_machine - upstream's dates for a versioned machine type
 *
 * Returns false where the name isn't upstream's or the table has no row for it.
 */
bool tables_machine(const struct tables *tables, const char *name, struct machine_life *life);

/**
 * tables_qemu_differs - what QEMU's model of a name has more, or less, than libvirt's
 * @column: "more" or "less"
 *
 * Returns libvirt's names of the features, apart by spaces, "-" for none; NULL where the table
 * has no such model of both. Features that accelerators switch by themselves are not among them.
 */
const char *tables_qemu_differs(const struct tables *tables, const char *model, const char *column);

/* All features of a model that QEMU has and libvirt's maps don't, apart by spaces, or NULL. */
const char *tables_qemu_alone(const struct tables *tables, const char *model);

/**
 * tables_libvirt_knows - does a libvirt version know a feature's or model's name?
 * @kind: "feature" or "model"; or "removal": that a feature is gone from some models
 * @version: "9.0.0"
 *
 * Returns 1, 0, or -1 where the table can't tell (a version between two that were looked at).
 */
int tables_libvirt_knows(const struct tables *tables, const char *kind, const char *name,
			 const char *version);

/**
 * tables_libvirt_since - the oldest libvirt looked at that knows a name
 * @first: set to its version
 * @before: set to the newest looked at before it, which doesn't; NULL: none was
 *
 * Returns false where the table doesn't know the name.
 */
bool tables_libvirt_since(const struct tables *tables, const char *kind, const char *name,
			  const char **first, const char **before);

/* Compares dotted versions by number: below 0, 0, above 0. */
int version_compare(const char *a, const char *b);

#endif
