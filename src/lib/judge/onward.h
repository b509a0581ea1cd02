/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * onward.h: a guest that gets to a host and can't leave it again.
 */
#ifndef JUDGE_ONWARD_H
#define JUDGE_ONWARD_H

#include "judge/verdict.h"

/**
 * move_onward - tell of a guest that no other host would take from where it is to go
 * @good, @unknown: the other hosts, the one it comes from included, that would take it from there,
 *	and those of which that isn't known
 * @others: all other hosts
 *
 * Adds a finding where the guest may move there and none would; the move warns then.
 */
void move_onward(struct verdicts *verdicts, const struct judge *judge, guint good, guint unknown, guint others);

#endif
