/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * iommu-ranges.c: see iommu-ranges.h.
 */
#include "config.h"

#include <inttypes.h>

#include "iommu-ranges.h"

static bool has(const GArray *ranges, const struct value_range *r)
{
	for (guint i = 0; i < ranges->len; i++) {
		const struct value_range *other = &g_array_index(ranges, struct value_range, i);

		if (other->first == r->first && other->last == r->last)
			return true;
	}
	return false;
}

void ranges_keep(GArray *ranges, const GArray *others)
{
	for (guint i = ranges->len; i-- > 0;)
		if (!has(others, &g_array_index(ranges, struct value_range, i)))
			g_array_remove_index(ranges, i);
}

static void add(json_t *ranges, uint64_t first, uint64_t last)
{
	json_array_append_new(ranges, json_pack("[o, o]", json_sprintf("0x%" PRIx64, first),
						json_sprintf("0x%" PRIx64, last)));
}

/* The lowest reserved range that ends at or after an address. */
static const struct value_range *next_reserved(const GArray *reserved, uint64_t address)
{
	const struct value_range *lowest = NULL;

	for (guint i = 0; i < reserved->len; i++) {
		const struct value_range *r = &g_array_index(reserved, struct value_range, i);

		if (r->last >= address && (!lowest || r->first < lowest->first))
			lowest = r;
	}
	return lowest;
}

json_t *ranges_left(unsigned int bits, const GArray *reserved)
{
	uint64_t end = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
	uint64_t next = 0; /* the first address that isn't settled */
	const struct value_range *r;
	json_t *ranges = json_array();

	while ((r = next_reserved(reserved, next)) && r->first <= end) {
		if (r->first > next)
			add(ranges, next, r->first - 1);
		if (r->last >= end)
			return ranges;
		next = r->last + 1;
	}
	add(ranges, next, end);
	return ranges;
}
