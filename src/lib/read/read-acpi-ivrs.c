/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-acpi-ivrs.c: AMD's table of IOMMUs, IVRS; see read-acpi.c. Source: AMD 48882, 5.2. */
#include "config.h"

#include "read/read-acpi-parts.h"

#define ENTRY_ACPI_HID 0xf0

/* How long a device entry is, by its type; 0: its bytes end before that can be told. */
static size_t entry_length(const uint8_t *entry, size_t room)
{
	if (entry[0] == ENTRY_ACPI_HID)
		return room >= 22 ? 22u + entry[21] : 0;
	return (size_t)4 << (entry[0] >> 6);
}

static void put_entry(json_t *entries, const uint8_t *entry, size_t at, size_t length)
{
	json_t *out = json_pack("{s:I, s:i, s:i, s:i}", "offset", (json_int_t)at, "type", entry[0],
				"device_id", read_le16(entry + 1), "data", entry[3]);

	if (length == 8) {
		acpi_put(out, "source_id", read_le16(entry + 5));
		acpi_put(out, "handle", entry[4]);
		acpi_put(out, "variety", entry[7]);
	}
	json_array_append_new(entries, out);
}

static bool read_entries(const struct acpi *table, const struct acpi_part *part, size_t start,
			 GError **error)
{
	json_t *entries = json_array();
	size_t end = part->at + part->length;

	json_object_set_new(part->out, "entries", entries);
	for (size_t at = part->at + start; at < end;) {
		size_t length = entry_length(table->bytes + at, end - at);

		if (!length || length > end - at)
			return acpi_fail(table, at, "a device entry that ends after its block", error);
		put_entry(entries, table->bytes + at, at, length);
		at += length;
	}
	return true;
}

static void put_hardware(const struct acpi *table, const struct acpi_part *part)
{
	const uint8_t *block = table->bytes + part->at;

	acpi_put(part->out, "flags", block[1]);
	acpi_put(part->out, "device_id", read_le16(block + 4));
	acpi_put(part->out, "capability_offset", read_le16(block + 6));
	acpi_put_hex(part->out, "base", read_le64(block + 8));
	acpi_put(part->out, "segment", read_le16(block + 16));
	acpi_put(part->out, "info", read_le16(block + 18));
}

static bool read_ivhd_10(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	put_hardware(table, part);
	acpi_put_hex(part->out, "features", read_le32(table->bytes + part->at + 20));
	return read_entries(table, part, 24, error);
}

/* 11h and 40h have images of the feature registers. */
static bool read_ivhd_11(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	put_hardware(table, part);
	acpi_put_hex(part->out, "attributes", read_le32(table->bytes + part->at + 20));
	acpi_put_hex(part->out, "efr", read_le64(table->bytes + part->at + 24));
	acpi_put_hex(part->out, "efr2", read_le64(table->bytes + part->at + 32));
	return read_entries(table, part, 40, error);
}

static bool read_ivmd(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	const uint8_t *block = table->bytes + part->at;

	(void)error;
	acpi_put(part->out, "flags", block[1]);
	acpi_put(part->out, "device_id", read_le16(block + 4));
	acpi_put(part->out, "last_device_id", read_le16(block + 6));
	acpi_put_hex(part->out, "base", read_le64(block + 16));
	acpi_put_hex(part->out, "size", read_le64(block + 24));
	return true;
}

static const struct acpi_kind ivrs_kinds[] = {
	{ 0x10, "ivhd-10", 24, read_ivhd_10 }, { 0x11, "ivhd-11", 40, read_ivhd_11 },
	{ 0x40, "ivhd-40", 40, read_ivhd_11 }, { 0x20, "ivmd-20", 32, read_ivmd },
	{ 0x21, "ivmd-21", 32, read_ivmd },    { 0x22, "ivmd-22", 32, read_ivmd },
	{ 0, NULL, 4, NULL },
};

bool acpi_read_ivrs(const struct acpi *table, GError **error)
{
	if (table->length < 48)
		return acpi_fail(table, table->length, "IVRS ends before its blocks", error);
	acpi_put_hex(table->out, "iv_info", read_le32(table->bytes + 36));
	for (size_t at = 48; at < table->length;) {
		struct acpi_part part = { .at = at };

		if (table->length - at < 4)
			return acpi_fail(table, at, "a block that ends after the table", error);
		part.type = table->bytes[at];
		part.length = read_le16(table->bytes + at + 2);
		if (part.length < 4)
			return acpi_fail(table, at, "a block of no length", error);
		if (part.length > table->length - at)
			return acpi_fail(table, at, "a block that ends after the table", error);
		if (!acpi_part(table, ivrs_kinds, &part, error))
			return false;
		at += part.length;
	}
	return true;
}
