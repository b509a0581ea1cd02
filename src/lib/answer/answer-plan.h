/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-plan.h: what the answers of plans share; internal to answer/. */
#ifndef ANSWER_ANSWER_PLAN_H
#define ANSWER_ANSWER_PLAN_H

#include "answer/answer.h"
#include "plan/coverage.h"

/* A group's problem; @pins is filled with the names of what is pinned there (borrowed). */
struct plan_problem *group_problem(const struct answering *a, const struct baseline *b,
				   const struct planning *planning, GPtrArray *pins);

/* The group's classes that are in a bit set, or those that are not: struct host_class *. */
GPtrArray *group_classes(const struct baseline *b, const uint64_t *set, bool within);

/*
 * What one choice has that another hasn't, {"capability", "worth"} each, the dearest first; the other
 * way round with the two exchanged.
 */
json_t *plan_gained(const struct plan_problem *p, const struct plan_choice *one,
		    const struct plan_choice *other);

/*
 * Ends an answer about groups: what wasn't judged, and the decision; @asked: what was asked, strings
 * (NULL: none) up to a count of @n.
 */
void answer_plan_end(json_t *answer, const struct answering *a, const GPtrArray *groups,
		     const char *const *asked, size_t n);

#endif
