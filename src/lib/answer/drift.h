/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* drift.h: what the files that make the answer "drift" share; for nobody else. */
#ifndef ANSWER_DRIFT_H
#define ANSWER_DRIFT_H

#include "answer/upgrade.h"

/**
 * drift_mean - what hosts have become, into @json: "changed" (versions and other facts, before and
 * now), "lost" and "gained" (names), "machines_lost", "machines_gained", "means" (sentences on what is
 * worse); all empty where there is no before or no now
 */
void drift_mean(json_t *json, const struct answering *a, const struct transition *transition);

#endif
