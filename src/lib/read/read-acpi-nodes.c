/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-acpi-nodes.c: tables of nodes that refer to each other: Arm's IORT, and VIOT of virtio; see
 * read-acpi.c. Sources: Arm DEN 0049 (IORT), ACPI 6.5, 5.2.34 (VIOT).
 */
#include "config.h"

#include "read/read-acpi-parts.h"

#define IORT_MAPPING 20u
#define IORT_NODE 16u

/* Is there a node at the offset? Nodes are in the order of their offsets. */
static bool has_node(const json_t *nodes, json_int_t offset)
{
	size_t low = 0, high = json_array_size(nodes);

	while (low < high) {
		size_t middle = (low + high) / 2;
		json_int_t at = json_integer_value(json_object_get(json_array_get(nodes, middle), "offset"));

		if (at == offset)
			return true;
		if (at < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* What a node leads to must be another's offset. */
static bool check_references(const struct acpi *table, GError **error)
{
	const json_t *nodes = json_object_get(table->out, "subtables"), *node, *mapping;
	size_t i, k;

	json_array_foreach(nodes, i, node) {
		const json_t *to = json_object_get(node, "node");
		size_t at = (size_t)json_integer_value(json_object_get(node, "offset"));

		if (to && !has_node(nodes, json_integer_value(to)))
			return acpi_fail(table, at, "leads to where no node is", error);
		json_array_foreach(json_object_get(node, "mappings"), k, mapping) {
			if (!has_node(nodes, json_integer_value(json_object_get(mapping, "node"))))
				return acpi_fail(table, at, "an id mapping that leads to where no node is", error);
		}
	}
	return true;
}

/* The id mappings of a node; each leads to another node by that one's offset. */
static bool read_mappings(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	uint64_t count = read_le32(table->bytes + part->at + 8);
	uint64_t offset = read_le32(table->bytes + part->at + 12);
	json_t *mappings = json_array();

	json_object_set_new(part->out, "mappings", mappings);
	if (!count)
		return true;
	if (offset < IORT_NODE)
		return acpi_fail(table, part->at + 12, "id mappings that overlap their node's head",
				 error);
	if (offset > part->length || count > (part->length - offset) / IORT_MAPPING)
		return acpi_fail(table, part->at + 8, "id mappings that end after their node", error);
	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *m = table->bytes + part->at + offset + IORT_MAPPING * i;

		json_array_append_new(
			mappings,
			json_pack("{s:I, s:I, s:I, s:I, s:I}", "input", (json_int_t)read_le32(m),
				  "last", (json_int_t)read_le32(m + 4), "output",
				  (json_int_t)read_le32(m + 8), "node",
				  (json_int_t)read_le32(m + 12), "flags",
				  (json_int_t)read_le32(m + 16)));
	}
	return true;
}

static bool read_root_complex(const struct acpi *table, const struct acpi_part *part,
			      GError **error)
{
	const uint8_t *node = table->bytes + part->at;

	acpi_put(part->out, "ats", read_le32(node + 24) & 1);
	acpi_put(part->out, "segment", read_le32(node + 28));
	if (part->length >= 33)
		acpi_put(part->out, "address_bits", node[32]);
	return read_mappings(table, part, error);
}

static bool read_smmu(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	const uint8_t *node = table->bytes + part->at;

	acpi_put_hex(part->out, "base", read_le64(node + 16));
	acpi_put(part->out, "model", read_le32(node + 32));
	acpi_put(part->out, "flags", read_le32(node + 36));
	return read_mappings(table, part, error);
}

static bool read_smmuv3_node(const struct acpi *table, const struct acpi_part *part,
			     GError **error)
{
	const uint8_t *node = table->bytes + part->at;

	acpi_put_hex(part->out, "base", read_le64(node + 16));
	acpi_put(part->out, "flags", read_le32(node + 24));
	acpi_put(part->out, "model", read_le32(node + 40));
	return read_mappings(table, part, error);
}

/* Reserved memory: {u32 flags, u32 count, u32 offset}, each {u64 base, u64 size, u32}. */
static bool read_rmr(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	const uint8_t *node = table->bytes + part->at;
	uint64_t count = read_le32(node + 20), offset = read_le32(node + 24);
	json_t *regions = json_array();

	json_object_set_new(part->out, "regions", regions);
	if (count && (offset < 28 || offset > part->length ||
		      count > (part->length - offset) / 20))
		return acpi_fail(table, part->at + 20, "memory ranges outside their node", error);
	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *r = node + offset + 20 * i;

		json_array_append_new(regions, json_pack("{s:o, s:o}", "base", read_hex(read_le64(r)),
							 "size", read_hex(read_le64(r + 8))));
	}
	return read_mappings(table, part, error);
}

static const struct acpi_kind iort_kinds[] = {
	{ 0, "its-group", 20, read_mappings },	  { 1, "named-component", 29, read_mappings },
	{ 2, "root-complex", 32, read_root_complex }, { 3, "smmu", 40, read_smmu },
	{ 4, "smmuv3", 60, read_smmuv3_node },	  { 5, "pmcg", 32, read_mappings },
	{ 6, "rmr", 28, read_rmr },		  { 7, "iwb", 16, read_mappings },
	{ 0, NULL, IORT_NODE, read_mappings },
};

/* Nodes follow one another from the first one on; a gap or an overlap shows as a bad length. */
bool acpi_read_iort(const struct acpi *table, GError **error)
{
	uint32_t count, at;

	if (table->length < 48)
		return acpi_fail(table, table->length, "IORT ends before its nodes", error);
	count = read_le32(table->bytes + 36);
	at = read_le32(table->bytes + 40);
	acpi_put(table->out, "nodes", count);
	if (count && at < 48)
		return acpi_fail(table, 40, "nodes that overlap the table's head", error);
	for (uint32_t i = 0; i < count; i++) {
		struct acpi_part part = { .at = at };

		if (at > table->length || table->length - at < IORT_NODE)
			return acpi_fail(table, at, "a node that ends after the table", error);
		part.type = table->bytes[at];
		part.length = read_le16(table->bytes + at + 1);
		if (part.length < IORT_NODE)
			return acpi_fail(table, at, "a node of no length", error);
		if (part.length > table->length - at)
			return acpi_fail(table, at, "a node that ends after the table", error);
		if (!acpi_part(table, iort_kinds, &part, error))
			return false;
		at += (uint32_t)part.length;
	}
	return check_references(table, error);
}

static bool read_pci_range(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	const uint8_t *node = table->bytes + part->at;

	(void)error;
	acpi_put(part->out, "endpoint", read_le32(node + 4));
	acpi_put(part->out, "segment", read_le16(node + 8));
	acpi_put(part->out, "last_segment", read_le16(node + 10));
	acpi_put(part->out, "bdf", read_le16(node + 12));
	acpi_put(part->out, "last_bdf", read_le16(node + 14));
	acpi_put(part->out, "node", read_le16(node + 16));
	return true;
}

static bool read_mmio_endpoint(const struct acpi *table, const struct acpi_part *part,
			       GError **error)
{
	const uint8_t *node = table->bytes + part->at;

	(void)error;
	acpi_put(part->out, "endpoint", read_le32(node + 4));
	acpi_put_hex(part->out, "base", read_le64(node + 8));
	acpi_put(part->out, "node", read_le16(node + 16));
	return true;
}

static bool read_virtio_pci(const struct acpi *table, const struct acpi_part *part, GError **error)
{
	(void)error;
	acpi_put(part->out, "segment", read_le16(table->bytes + part->at + 4));
	acpi_put(part->out, "bdf", read_le16(table->bytes + part->at + 6));
	return true;
}

static bool read_virtio_mmio(const struct acpi *table, const struct acpi_part *part,
			     GError **error)
{
	(void)error;
	acpi_put_hex(part->out, "base", read_le64(table->bytes + part->at + 8));
	return true;
}

static const struct acpi_kind viot_kinds[] = {
	{ 1, "pci-range", 18, read_pci_range },	  { 2, "mmio-endpoint", 18, read_mmio_endpoint },
	{ 3, "virtio-pci", 8, read_virtio_pci },  { 4, "virtio-mmio", 16, read_virtio_mmio },
	{ 0, NULL, 4, NULL },
};

bool acpi_read_viot(const struct acpi *table, GError **error)
{
	size_t count, at;

	if (table->length < 48)
		return acpi_fail(table, table->length, "VIOT ends before its nodes", error);
	count = read_le16(table->bytes + 36);
	at = read_le16(table->bytes + 38);
	acpi_put(table->out, "nodes", count);
	if (count && at < 48)
		return acpi_fail(table, 38, "nodes that overlap the table's head", error);
	for (size_t i = 0; i < count; i++) {
		struct acpi_part part = { .at = at };

		if (at > table->length || table->length - at < 4)
			return acpi_fail(table, at, "a node that ends after the table", error);
		part.type = table->bytes[at];
		part.length = read_le16(table->bytes + at + 2);
		if (part.length < 4)
			return acpi_fail(table, at, "a node of no length", error);
		if (part.length > table->length - at)
			return acpi_fail(table, at, "a node that ends after the table", error);
		if (!acpi_part(table, viot_kinds, &part, error))
			return false;
		at += part.length;
	}
	return check_references(table, error);
}
