/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planning.h: what baseline --coverage, tradeoff and pools are made with, from options and policy. */
#ifndef SERVICE_PLANNING_H
#define SERVICE_PLANNING_H

#include "load.h"

/* The names as given; each may be NULL. */
struct planning_names {
	const char *coverage;     /* --coverage: else the policy's */
	const char *weight_label; /* --weight-label: else the policy's */
	const char *spread;       /* --spread */
	char *const *pins, *const *forbid;
};

struct plans {
	struct planning planning;
	GPtrArray *pins, *forbid;
};

/**
 * plans_open - check the names, and that the hosts have the labels
 * @baseline: must live as long as the plans
 *
 * Returns false with @error; plans_close() is due either way.
 */
bool plans_open(struct plans *plans, const struct session *session, const struct baseline_options *baseline,
		const struct planning_names *names, const GPtrArray *hosts, GError **error);
void plans_close(struct plans *plans);

/* What the hosts of a question "baseline" have in common, after those that may be left out were. */
struct common {
	GPtrArray *hosts;  /* struct host *: all that were asked for */
	GPtrArray *groups; /* struct baseline */
	json_t *notes;     /* of answer_cover(), or NULL */
	bool blocked;      /* something pinned, or a floor, can't be had */
};

/* Returns it, to be freed by common_free(), or NULL with @error. */
struct common *common_of(const struct session *session, const json_t *question, GError **error);
void common_free(struct common *common);

#endif
