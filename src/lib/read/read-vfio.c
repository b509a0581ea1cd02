/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-vfio.c: what VFIO and sysfs say of addresses, page sizes and moving a device; see
 * read-iommu.h.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "model/error.h"
#include "model/value.h"
#include "read/read-iommu.h"
#include "read/read-parts.h"

#define MAX_REGIONS 4096u
#define MAX_CAPABILITIES 256u

static json_t *ranges_json(const struct value_range *ranges, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_pack("[o, o]", read_hex(ranges[i].first),
						       read_hex(ranges[i].last)));
	return array;
}

void read_iova_ranges(json_t *facts, const struct value_range *ranges, size_t n,
		      uint64_t alignment, const char *origin)
{
	read_put_once(facts, "iommu.ranges", ranges_json(ranges, n), &scope_kernel, origin);
	if (alignment)
		read_put_once(facts, "iommu.alignment", read_number(alignment), &scope_kernel,
			      origin);
}

static bool parse_region(const char *line, struct value_range *range, char type[32])
{
	char first[20], last[20], more;
	char *end[2];

	if (sscanf(line, "0x%18[0-9a-fA-F] 0x%18[0-9a-fA-F] %31s %c", first, last, type, &more) != 3)
		return false;
	if (strlen(first) > 16 || strlen(last) > 16)
		return false;
	range->first = g_ascii_strtoull(first, &end[0], 16);
	range->last = g_ascii_strtoull(last, &end[1], 16);
	return !*end[0] && !*end[1] && range->first <= range->last;
}

bool read_reserved_regions(json_t *facts, const char *text, GArray *ranges, const char *origin,
			   GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", MAX_REGIONS + 1);
	json_t *set = json_array();

	for (guint i = 0; lines[i]; i++) {
		struct value_range range;
		char type[32];

		if (!*lines[i])
			continue;
		if (i >= MAX_REGIONS || !parse_region(lines[i], &range, type)) {
			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
				    "%s: line %u: expected '0xFIRST 0xLAST TYPE'", origin, i + 1);
			json_decref(set);
			return false;
		}
		json_array_append_new(set, json_sprintf("0x%" G_GINT64_MODIFIER
							"x-0x%" G_GINT64_MODIFIER "x/%s",
							range.first, range.last, type));
		if (ranges && strcmp(type, "direct-relaxable"))
			g_array_append_val(ranges, range);
	}
	read_put_once(facts, "iommu.reserved", set, &scope_kernel, origin);
	return true;
}

void read_vfio_migration(json_t *facts, uint64_t flags, const char *origin)
{
	read_register(facts, "vfio.migration", flags, ~UINT64_C(0), &scope_kernel, origin);
}

static const char *const feature_names[] = {
	"vf-token",	      "migration",	    "mig-device-state",
	"low-power-entry",    "low-power-wakeup",   "low-power-exit",
	"dma-logging-start",  "dma-logging-stop",   "dma-logging-report",
	"mig-data-size",      "bus-master",	    "dma-buf",
	"mig-precopy-infov2", "zpci-error",
};
_Static_assert(G_N_ELEMENTS(feature_names) == 14, "VFIO_DEVICE_FEATURE_… of linux/vfio.h");

const char *vfio_feature_name(unsigned int index)
{
	return index < G_N_ELEMENTS(feature_names) ? feature_names[index] : NULL;
}

struct chain {
	json_t *facts;
	const uint8_t *bytes;
	size_t length;
	const char *origin;
};

static bool refuse(const struct chain *c, size_t offset, const char *what, GError **error)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: offset 0x%zx: %s", c->origin, offset,
		    what);
	return false;
}

/* {header 8, u32 nr_iovas, u32 reserved, {u64 start, u64 end}[]} */
static bool read_iova_capability(const struct chain *c, size_t at, size_t room, GError **error)
{
	g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	uint32_t n = room >= 16 ? read_le32(c->bytes + at + 8) : 0;

	if (room < 16 || n > (room - 16) / 16)
		return refuse(c, at, "the list of ranges ends outside the answer", error);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *entry = c->bytes + at + 16 + (size_t)16 * i;
		struct value_range range = { read_le64(entry), read_le64(entry + 8) };

		if (range.first > range.last)
			return refuse(c, at, "a range that ends before it starts", error);
		g_array_append_val(ranges, range);
	}
	read_put_once(c->facts, "vfio.type1.ranges",
		      ranges_json((const struct value_range *)(void *)ranges->data, ranges->len),
		      &scope_kernel, c->origin);
	return true;
}

/* {header 8, u32 flags, pad 4, u64 pgsize_bitmap, u64 max_dirty_bitmap_size} */
static bool read_dirty_capability(const struct chain *c, size_t at, size_t room, GError **error)
{
	if (room < 32)
		return refuse(c, at, "too short for what is said of tracking", error);
	read_put_once(c->facts, "vfio.type1.dirty-page-sizes", read_hex(read_le64(c->bytes + at + 16)),
		      &scope_kernel, c->origin);
	read_put_once(c->facts, "vfio.type1.dirty-bitmap-max",
		      read_number(read_le64(c->bytes + at + 24)), &scope_kernel, c->origin);
	return true;
}

static bool read_available_capability(const struct chain *c, size_t at, size_t room, GError **error)
{
	if (room < 12)
		return refuse(c, at, "too short for a number of mappings", error);
	read_put_once(c->facts, "vfio.type1.dma-available",
		      json_integer(read_le32(c->bytes + at + 8)), &scope_kernel, c->origin);
	return true;
}

static bool read_capability(const struct chain *c, size_t at, GError **error)
{
	static bool (*const readers[])(const struct chain *, size_t, size_t, GError **) = {
		NULL, read_iova_capability, read_dirty_capability, read_available_capability,
	};
	uint16_t id = read_le16(c->bytes + at), version = read_le16(c->bytes + at + 2);

	if (id < G_N_ELEMENTS(readers) && readers[id] && version == 1)
		return readers[id](c, at, c->length - at, error);
	g_autofree char *unnamed = g_strdup_printf("vfio.unnamed.type1-capability.%u.%u", id, version);

	read_put_once(c->facts, unnamed, json_true(), &scope_kernel, c->origin);
	return true;
}

static bool read_chain(const struct chain *c, size_t at, GError **error)
{
	size_t seen[MAX_CAPABILITIES];
	size_t n = 0;

	while (at) {
		if (at > c->length || c->length - at < 8)
			return refuse(c, at, "a capability outside the answer", error);
		for (size_t i = 0; i < n; i++)
			if (seen[i] == at)
				return refuse(c, at, "the chain of capabilities loops", error);
		if (n == MAX_CAPABILITIES)
			return refuse(c, at, "more than 256 capabilities", error);
		seen[n++] = at;
		if (!read_capability(c, at, error))
			return false;
		at = read_le32(c->bytes + at + 4);
	}
	return true;
}

bool read_vfio_type1(json_t *facts, const uint8_t *bytes, size_t length, const char *origin,
		     GError **error)
{
	struct chain c = { facts, bytes, length, origin };
	uint32_t flags;

	if (length < 16)
		return refuse(&c, length, "an answer of VFIO_IOMMU_GET_INFO has 16 bytes or more",
			      error);
	flags = read_le32(bytes + 4);
	if (flags & 1)
		read_put_once(facts, "vfio.type1.page-sizes", read_hex(read_le64(bytes + 8)),
			      &scope_kernel, origin);
	if (!(flags & 2) || length < 20)
		return true;
	return read_chain(&c, read_le32(bytes + 16), error);
}

void read_spapr(json_t *facts, const struct spapr_info *info, const char *origin)
{
	read_register(facts, "spapr.flags", info->flags, ~UINT64_C(0), &scope_kernel, origin);
	read_put_once(facts, "spapr.dma32-window-start", json_integer(info->dma32_window_start),
		      &scope_kernel, origin);
	read_put_once(facts, "spapr.dma32-window-size", json_integer(info->dma32_window_size),
		      &scope_kernel, origin);
	if (!(info->flags & 1)) /* the rest is filled in with DDW alone */
		return;
	read_put_once(facts, "spapr.ddw-page-sizes", read_hex(info->page_sizes), &scope_kernel,
		      origin);
	read_put_once(facts, "spapr.ddw-windows", json_integer(info->windows), &scope_kernel, origin);
	read_put_once(facts, "spapr.ddw-levels", json_integer(info->levels), &scope_kernel, origin);
}
