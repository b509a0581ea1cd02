/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verdict-policy.h: a site's own verdicts, by check.
 *
 * What a check found stays found: a site decides what it is to mean. Three things it can't do by
 * naming a check alone: make nothing of a hazard or a loss of security (that is accepting a risk,
 * and said apart), make something of what is unknown (said apart, too), and change what is
 * predicted of QEMU and DMA.
 */
#ifndef JUDGE_VERDICT_POLICY_H
#define JUDGE_VERDICT_POLICY_H

#include "judge/verdict.h"

/* By check, check_count of each; -1: as it is found. */
struct verdict_policy {
	signed char *found;    /* for warn and block: any verdict */
	signed char *unknown;  /* for unknown: warn, unknown or block */
	bool *accept;          /* its hazards and losses of security may become ok */
};

struct verdict_policy *verdict_policy_new(void);
void verdict_policy_free(struct verdict_policy *policy);

/* Puts a finding's verdict as the policy (or NULL) has it; done once, whenever it is asked. */
void verdict_policy_apply(const struct verdict_policy *policy, struct finding *finding);

#endif
