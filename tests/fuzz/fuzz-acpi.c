/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz-acpi.c: the firmware's tables of IOMMUs, of any bytes; as they are, and with length and
 * checksum mended, which no fuzzer finds by itself.
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "read/read-iommu.h"

static void read_one(const uint8_t *data, size_t size)
{
	json_t *facts = json_array();
	GError *error = NULL;
	json_t *table = read_acpi(data, size, "fuzz", &error);

	g_assert_true((table != NULL) == (error == NULL));
	if (table)
		read_acpi_facts(facts, table, "fuzz");
	json_decref(table);
	json_decref(facts);
	g_clear_error(&error);
}

static void mend(uint8_t *table, size_t size)
{
	uint8_t sum = 0;

	for (int i = 0; i < 4; i++)
		table[4 + i] = (uint8_t)(size >> 8 * i);
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)(table[9] - sum);
}

FUZZ(acpi)
{
	uint8_t *copy;

	read_one(data, size);
	if (size < 36)
		return;
	copy = g_memdup2(data, size);
	mend(copy, size);
	read_one(copy, size);
	g_free(copy);
}
