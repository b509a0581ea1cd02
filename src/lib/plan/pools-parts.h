/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pools-parts.h: one group's partitions, exact and found by search; internal to plan/. */
#ifndef PLAN_POOLS_PARTS_H
#define PLAN_POOLS_PARTS_H

#include <string.h>

#include "plan/pools.h"

static inline void *copy_of(const void *from, size_t bytes)
{
	return memcpy(g_malloc(bytes), from, bytes);
}

/* What one group gives for each number of pools. */
struct group_plan {
	const struct plan_problem *p;
	const struct pools_options *options;
	guint most;        /* numbers of pools: 1 … most */
	int64_t *value;    /* by number of pools at most, [1 … most]; -1: none fits */
	int64_t *bound;
	GPtrArray **parts; /* by number of pools: bit sets (uint64_t *), or NULL */
};

/* May these classes be a pool? */
bool pool_fits(const struct plan_problem *p, const struct pools_options *options,
	       const uint64_t *set);
guint pool_hosts(const struct plan_problem *p, const uint64_t *set);

/* Fills value, bound and parts: all partitions (up to POOLS_EXACT classes); joining and moving. */
void group_exact(struct group_plan *g);
void group_search(struct group_plan *g);

#endif
