/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pools.h: hosts into few migration domains that keep most of what they have.
 *
 * A pool is worth, for each of its hosts, what all of them have in common.
 */
#ifndef PLAN_POOLS_H
#define PLAN_POOLS_H

#include "plan/problem.h"

#define POOLS_EXACT 12u /* up to so many classes of a group all partitions are considered */

struct pools_options {
	guint max;      /* pools, over all groups */
	guint min_size; /* hosts in each; 0 or 1: any */
	bool spread;    /* each pool's hosts are in two places at least */
};

struct pool {
	guint group;    /* index of its problem */
	guint layer;    /* by whose view it is worth most */
	uint64_t *set;  /* a bit set of the group's classes */
	guint first;    /* the first of them */
	guint hosts;
	uint64_t worth; /* for each host */
	bool fits;      /* min_size and spread are kept */
};

struct pools {
	GArray *pools;   /* struct pool, by group, the largest first */
	uint64_t value;  /* the sum of hosts × worth */
	uint64_t bound;  /* no other choice is worth more */
	uint64_t whole;  /* with one pool a group */
	uint64_t apart;  /* with each class for itself */
	bool fits;       /* every pool does */
};

/**
 * pools_choose - the most valuable partition of each group's classes
 * @groups: struct plan_problem *: hosts of two groups never share a pool
 *
 * Exact where every group has at most POOLS_EXACT classes; classes are not taken apart. A group
 * whose hosts together don't fit the options is one pool that doesn't fit. @options->max must be at
 * least the number of groups.
 */
struct pools pools_choose(const GPtrArray *groups, const struct pools_options *options);
void pools_clear(struct pools *pools);

#endif
