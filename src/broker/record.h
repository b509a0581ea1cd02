/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * record.h: what was answered to questions about moves and starts, kept with what it was made of.
 */
#ifndef BROKER_RECORD_H
#define BROKER_RECORD_H

#include "broker.h"

/*
 * Has an answer "check" written once nobody waits for it any more. Beside the answer it holds
 * "asked": the question, when, and of each target the digest of its profile, its fingerprint and
 * age, so that it can be put again to what was known then. One decision is recorded once an hour.
 */
void record_check(struct broker *broker, const struct session *session, const json_t *question, const json_t *answer);

#endif
