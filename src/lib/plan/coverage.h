/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * coverage.h: which classes to leave out so that the others have most in common.
 */
#ifndef PLAN_COVERAGE_H
#define PLAN_COVERAGE_H

#include "plan/problem.h"

struct plan_choice {
	bool feasible;        /* what is pinned can be had within the budget */
	guint layer;
	uint64_t value;       /* what those kept have in common is worth */
	uint64_t bound;       /* no choice is worth more */
	uint64_t dropped_weight;
	uint64_t *dropped;    /* a bit set of classes; NULL where not feasible */
};

void choice_clear(struct plan_choice *choice);

/**
 * coverage_need - the least weight that a share of all is
 * @share: in millionths
 *
 * At least 1 where there is any weight: nothing is true of no host.
 */
uint64_t coverage_need(uint64_t total, guint share);

/**
 * coverage_choose - the most valuable set that classes of enough weight have in common
 * @need: the least weight of those kept, at most that of all
 * @effort: after so many steps the search ends with the best found and a bound; 0: the usual
 *
 * Exact (value == bound) unless the effort ended. Of several sets of one value one that leaves out
 * least is looked for.
 */
struct plan_choice coverage_choose(const struct plan_problem *problem, uint64_t need,
				   uint64_t effort);

/**
 * coverage_frontier - from all hosts to those that have most: what each further loss gains
 * @most: at most about so many steps
 *
 * Returns an array of struct plan_choice, by weight left out; none is as good as another in both
 * ways. The first leaves out least that is feasible.
 */
GArray *coverage_frontier(const struct plan_problem *problem, guint most);

#endif
