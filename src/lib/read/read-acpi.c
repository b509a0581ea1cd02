/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-acpi.c: the firmware's tables of IOMMUs from bytes: their header, and DMAR; see
 * read-iommu.h. Sources: ACPI 6.5, 5.2.6; VT-d 4.1, 8.
 */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "read/read-acpi-parts.h"

bool acpi_fail(const struct acpi *table, size_t offset, const char *what, GError **error)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: offset 0x%zx: %s", table->where,
		    offset, what);
	return false;
}

void acpi_put(json_t *out, const char *key, uint64_t number)
{
	json_object_set_new(out, key, read_number(number));
}

void acpi_put_hex(json_t *out, const char *key, uint64_t number)
{
	json_object_set_new(out, key, read_hex(number));
}

bool acpi_part(const struct acpi *table, const struct acpi_kind *kinds, struct acpi_part *part,
	       GError **error)
{
	json_t *list = json_object_get(table->out, "subtables");
	const struct acpi_kind *kind = kinds;

	if (json_array_size(list) >= ACPI_MAX_PARTS)
		return acpi_fail(table, part->at, "more than 65536 sub-tables", error);
	while (kind->name && kind->type != part->type)
		kind++;
	part->out = json_pack("{s:I, s:I, s:i}", "offset", (json_int_t)part->at, "length",
			      (json_int_t)part->length, "type", (int)part->type);
	json_object_set_new(part->out, "name", kind->name ? json_string(kind->name)
							  : json_sprintf("type-0x%x", part->type));
	json_array_append_new(list, part->out);
	if (part->length < kind->least)
		return acpi_fail(table, part->at, "a sub-table that is too short for its type", error);
	return !kind->read || kind->read(table, part, error);
}

static json_t *scope_path(const uint8_t *bytes, size_t length)
{
	json_t *path = json_array();

	for (size_t i = 6; i + 2 <= length; i += 2)
		json_array_append_new(path, json_pack("[i, i]", bytes[i], bytes[i + 1]));
	return path;
}

/* The device scopes from @start on to the end of a sub-table (VT-d 4.1, 8.3.1). */
static bool read_scopes(const struct acpi *table, const struct acpi_part *part, size_t start,
			GError **error)
{
	json_t *scopes = json_array();
	size_t end = part->at + part->length;

	json_object_set_new(part->out, "scopes", scopes);
	for (size_t at = part->at + start; at < end;) {
		const uint8_t *scope = table->bytes + at;
		size_t length = end - at >= 2 ? scope[1] : 0;

		if (length < 6 || length > end - at)
			return acpi_fail(table, at, "a device scope of a length that can't be", error);
		json_array_append_new(scopes,
				      json_pack("{s:I, s:i, s:i, s:i, s:o}", "offset",
						(json_int_t)at, "type", scope[0], "id", scope[4],
						"bus", scope[5], "path", scope_path(scope, length)));
		at += length;
	}
	return true;
}

static void put_flags_segment(const struct acpi *table, const struct acpi_part *part)
{
	acpi_put(part->out, "flags", table->bytes[part->at + 4]);
	acpi_put(part->out, "segment", read_le16(table->bytes + part->at + 6));
}

static bool read_drhd(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	put_flags_segment(table, part);
	acpi_put_hex(part->out, "base", read_le64(table->bytes + part->at + 8));
	return read_scopes(table, part, 16, error);
}

static bool read_rmrr(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	acpi_put(part->out, "segment", read_le16(table->bytes + part->at + 6));
	acpi_put_hex(part->out, "base", read_le64(table->bytes + part->at + 8));
	acpi_put_hex(part->out, "limit", read_le64(table->bytes + part->at + 16));
	return read_scopes(table, part, 24, error);
}

/* ATSR, SATC and SIDP are alike. */
static bool read_atsr(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	put_flags_segment(table, part);
	return read_scopes(table, part, 8, error);
}

static bool read_rhsa(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	(void)error;
	acpi_put_hex(part->out, "base", read_le64(table->bytes + part->at + 8));
	acpi_put(part->out, "proximity", read_le32(table->bytes + part->at + 16));
	return true;
}

static bool read_andd(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	const char *name = (const char *)table->bytes + part->at + 8;
	g_autofree char *text = g_strndup(name, MIN(part->length - 8, READ_MAX_NAME));

	(void)error;
	for (char *c = text; *c; c++)
		if (!g_ascii_isprint(*c))
			*c = '?';
	acpi_put(part->out, "device", table->bytes[part->at + 7]);
	json_object_set_new(part->out, "object", json_string(text));
	return true;
}

static const struct acpi_kind dmar_kinds[] = {
	{ 0, "drhd", 16, read_drhd }, { 1, "rmrr", 24, read_rmrr }, { 2, "atsr", 8, read_atsr },
	{ 3, "rhsa", 20, read_rhsa }, { 4, "andd", 9, read_andd },  { 5, "satc", 8, read_atsr },
	{ 6, "sidp", 8, read_atsr },  { 0, NULL, 4, NULL },
};

static bool read_dmar(const struct acpi *table, GError **error)
{
	if (table->length < 48)
		return acpi_fail(table, table->length, "DMAR ends before its sub-tables", error);
	acpi_put(table->out, "host_address_width", table->bytes[36] + 1u);
	acpi_put(table->out, "flags", table->bytes[37]);
	for (size_t at = 48; at < table->length;) {
		struct acpi_part part = { .at = at };

		if (table->length - at < 4)
			return acpi_fail(table, at, "a sub-table that ends after the table", error);
		part.type = read_le16(table->bytes + at);
		part.length = read_le16(table->bytes + at + 2);
		if (part.length < 4)
			return acpi_fail(table, at, "a sub-table of no length", error);
		if (part.length > table->length - at)
			return acpi_fail(table, at, "a sub-table that ends after the table", error);
		if (!acpi_part(table, dmar_kinds, &part, error))
			return false;
		at += part.length;
	}
	return true;
}

static const struct table_kind {
	const char *signature;
	bool (*read)(const struct acpi *table, GError **error);
} tables[] = {
	{ "DMAR", read_dmar },
	{ "IVRS", acpi_read_ivrs },
	{ "IORT", acpi_read_iort },
	{ "VIOT", acpi_read_viot },
};

static json_t *text_of(const uint8_t *bytes, size_t length)
{
	g_autofree char *text = g_strndup((const char *)bytes, length);

	for (char *c = text; *c; c++)
		if (!g_ascii_isprint(*c))
			*c = '?';
	return json_string(g_strchomp(text));
}

/* What is wrong with the header is said with the offset of its field. */
static bool check_header(struct acpi *table, size_t there, GError **error)
{
	uint8_t sum = 0;

	if (there < ACPI_HEADER)
		return acpi_fail(table, there, "ends within the header of 36 bytes", error);
	table->length = read_le32(table->bytes + 4);
	if (table->length < ACPI_HEADER || table->length > ACPI_MAX_BYTES)
		return acpi_fail(table, 4, "a length below 36 bytes or above 4 MiB", error);
	if (table->length > there)
		return acpi_fail(table, 4, "a length beyond the bytes that are there", error);
	for (size_t i = 0; i < table->length; i++)
		sum = (uint8_t)(sum + table->bytes[i]);
	return !sum || acpi_fail(table, 9, "wrong checksum", error);
}

json_t *read_acpi(const uint8_t *bytes, size_t length, const char *where, GError **error)
{
	struct acpi table = { .bytes = bytes, .where = where };
	const struct table_kind *kind = NULL;

	if (!check_header(&table, length, error))
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
		if (!memcmp(bytes, tables[i].signature, 4))
			kind = &tables[i];
	if (!kind) {
		acpi_fail(&table, 0, "none of the tables DMAR, IVRS, IORT and VIOT", error);
		return NULL;
	}
	table.out = json_pack("{s:s, s:i, s:I, s:o, s:o, s:[]}", "signature", kind->signature,
			      "revision", bytes[8], "length", (json_int_t)table.length, "oem_id",
			      text_of(bytes + 10, 6), "oem_table_id", text_of(bytes + 16, 8),
			      "subtables");
	if (!kind->read(&table, error))
		g_clear_pointer(&table.out, json_decref);
	return table.out;
}
