/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-acpi-parts.h: what the readers of the firmware's tables share; for nobody else. */
#ifndef READ_READ_ACPI_PARTS_H
#define READ_READ_ACPI_PARTS_H

#include "read/read-iommu.h"
#include "read/read-parts.h"

/* Larger tables, or ones of more sub-tables, are refused. */
#define ACPI_MAX_BYTES (4u * 1024 * 1024)
#define ACPI_MAX_PARTS 65536u
#define ACPI_HEADER 36u

/* A table being read: all of it lies within @bytes. */
struct acpi {
	const uint8_t *bytes;
	size_t length; /* as the table says, not more than there are bytes */
	const char *where;
	json_t *out;   /* the document of it */
};

/* A part of it: a sub-table, a node, a device scope. */
struct acpi_part {
	size_t at, length; /* offset in the table, bytes */
	unsigned int type;
	json_t *out;
};

/* One kind of sub-table. @read adds its members to part->out; @least is what it needs. */
struct acpi_kind {
	unsigned int type;
	const char *name;
	size_t least;
	bool (*read)(const struct acpi *table, const struct acpi_part *part, GError **error);
};

/* Sets @error to "WHERE: offset 0xN: WHAT"; returns false. */
bool acpi_fail(const struct acpi *table, size_t offset, const char *what, GError **error);

/**
 * acpi_part - add a sub-table to the table's "subtables"
 * @kinds: those of that table, ended by one without a name; another type is kept as "type-0xN"
 */
bool acpi_part(const struct acpi *table, const struct acpi_kind *kinds, struct acpi_part *part,
	       GError **error);

void acpi_put(json_t *out, const char *key, uint64_t number);     /* an integer below 2^53 */
void acpi_put_hex(json_t *out, const char *key, uint64_t number); /* "0x…" */

bool acpi_read_ivrs(const struct acpi *table, GError **error);
bool acpi_read_iort(const struct acpi *table, GError **error);
bool acpi_read_viot(const struct acpi *table, GError **error);

#endif
