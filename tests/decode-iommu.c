/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * decode-iommu.c: what read-iommu.h makes of bytes, for tests.
 *
 * Each line of stdin is a request, "KIND ARGUMENT…", bytes in hexadecimal; each gets a line of JSON,
 * {"facts":[…], "unit":[…]?, "table":{…}?, "error":"…"?}. Bytes are copied to a buffer of just
 * their size, so that valgrind and the sanitizers see whoever reads beyond.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "model/value.h"
#include "read/read-iommu.h"

struct request {
	char **words; /* the first is the kind */
	guint n;
	json_t *facts, *out;
	GError *error;
};

static uint8_t *bytes_of(const char *hex, size_t *length)
{
	size_t n = hex ? strlen(hex) / 2 : 0;
	uint8_t *bytes = g_malloc(MAX(n, 1));

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 |
				     g_ascii_xdigit_value(hex[2 * i + 1]));
	*length = n;
	return bytes;
}

static uint64_t number_of(const struct request *r, guint i)
{
	return i < r->n ? g_ascii_strtoull(r->words[i], NULL, 0) : 0;
}

static void do_register(struct request *r)
{
	if (r->n > 1)
		read_register(r->facts, r->words[1], number_of(r, 2), ~UINT64_C(0), &scope_raw, "test");
}

static void do_vtd(struct request *r)
{
	read_vtd(r->facts, number_of(r, 1), number_of(r, 2), &scope_raw, "test");
}

static void do_amdvi(struct request *r)
{
	read_amdvi_features(r->facts, r->n > 1 ? r->words[1] : "", &scope_raw, "test", &r->error);
}

static void do_hwinfo(struct request *r)
{
	size_t length;
	g_autofree uint8_t *data = bytes_of(r->n > 5 ? r->words[5] : NULL, &length);
	struct hwinfo info = {
		.data_type = (uint32_t)number_of(r, 1),
		.max_pasid_log2 = (uint8_t)number_of(r, 2),
		.capabilities = number_of(r, 3),
		.kernel = (unsigned int)number_of(r, 4),
		.data = data,
		.data_length = length,
	};
	json_t *unit = json_array();

	read_hwinfo(r->facts, unit, &info, "test", &r->error);
	json_object_set_new(r->out, "unit", unit);
}

static void do_acpi(struct request *r)
{
	size_t length;
	g_autofree uint8_t *bytes = bytes_of(r->n > 1 ? r->words[1] : NULL, &length);
	json_t *table = read_acpi(bytes, length, "test", &r->error);

	if (!table)
		return;
	read_acpi_facts(r->facts, table, "test");
	json_object_set_new(r->out, "table", table);
}

static void do_pci(struct request *r)
{
	size_t length;
	g_autofree uint8_t *bytes = bytes_of(r->n > 1 ? r->words[1] : NULL, &length);

	read_pci_config(r->facts, bytes, length, "test", &r->error);
}

static void do_type1(struct request *r)
{
	size_t length;
	g_autofree uint8_t *bytes = bytes_of(r->n > 1 ? r->words[1] : NULL, &length);

	read_vfio_type1(r->facts, bytes, length, "test", &r->error);
}

static void do_migration(struct request *r)
{
	read_vfio_migration(r->facts, number_of(r, 1), "test");
}

static void do_spapr(struct request *r)
{
	struct spapr_info info = {
		.flags = (uint32_t)number_of(r, 1),
		.dma32_window_start = (uint32_t)number_of(r, 2),
		.dma32_window_size = (uint32_t)number_of(r, 3),
		.page_sizes = number_of(r, 4),
		.windows = (uint32_t)number_of(r, 5),
		.levels = (uint32_t)number_of(r, 6),
	};

	read_spapr(r->facts, &info, "test");
}

/* The text's bytes; the ranges that are left of the first and last address given. */
static void do_reserved(struct request *r)
{
	g_autoptr(GArray) holes = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	struct value_range range = { number_of(r, 2), number_of(r, 3) };
	size_t length;
	g_autofree uint8_t *bytes = bytes_of(r->n > 1 ? r->words[1] : NULL, &length);
	g_autofree char *text = g_strndup((const char *)bytes, length);
	g_autoptr(GArray) left = NULL;

	if (!read_reserved_regions(r->facts, text, holes, "test", &r->error))
		return;
	g_array_append_val(all, range);
	value_ranges_normalize(holes);
	left = value_ranges_without(all, holes);
	read_iova_ranges(r->facts, (const struct value_range *)(void *)left->data, left->len, 4096,
			 "test");
}

static const struct {
	const char *kind;
	void (*run)(struct request *r);
} kinds[] = {
	{ "register", do_register },
	{ "vtd", do_vtd },   { "amdvi", do_amdvi },	    { "hwinfo", do_hwinfo },
	{ "acpi", do_acpi }, { "pci", do_pci },		    { "type1", do_type1 },
	{ "spapr", do_spapr }, { "migration", do_migration }, { "reserved", do_reserved },
};

static void answer(char *line)
{
	g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", -1);
	struct request r = { .words = words, .n = g_strv_length(words), .facts = json_array(),
			     .out = json_object() };

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (words[0] && !strcmp(words[0], kinds[i].kind))
			kinds[i].run(&r);
	json_object_set_new(r.out, "facts", r.facts);
	if (r.error)
		json_object_set_new(r.out, "error", json_string(r.error->message));
	json_dumpf(r.out, stdout, JSON_COMPACT | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(r.out);
	g_clear_error(&r.error);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		answer(line);
	free(line);
	return 0;
}
