/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * iommu-ranges.h: what is left of a unit's addresses when reserved regions are taken out.
 */
#ifndef IOMMU_RANGES_H
#define IOMMU_RANGES_H

#include <glib.h>
#include <jansson.h>

#include "model/value.h"

/* Both are arrays of struct value_range. Takes out of @ranges what @others don't have alike. */
void ranges_keep(GArray *ranges, const GArray *others);

/**
 * ranges_left - addresses of a width less what is reserved
 * @bits: 1 to 64
 * @reserved: struct value_range in any order; may overlap
 *
 * Returns [["0xFIRST","0xLAST"], …], ascending, a new reference.
 */
json_t *ranges_left(unsigned int bits, const GArray *reserved);

#endif
