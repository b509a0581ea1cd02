/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reasons.h: why guests can't go where they can't, and what would help.
 */
#ifndef ANSWER_REASONS_H
#define ANSWER_REASONS_H

#include "answer/routes.h"

/**
 * reasons_json - why hosts don't take the guests of a group
 * @wanted: the verdict to be explained: V_BLOCK or V_UNKNOWN
 * @within: hosts that count, by class index; NULL: all
 *
 * Each is {"check", "verdict", "effect", "text", "fix", "hosts_n", "classes", "machine"}, once for all
 * hosts that it holds for. The first one stands in the way where least else does: where the most of
 * what is asked before it was fine. "machine" is null, or of a type that upstream has removed
 * {"name", "released", "removed", "removed_in"}.
 */
json_t *reasons_json(const struct answering *a, const struct guest_group *group, enum verdict wanted,
		     const guint *within);

/* The same of one profile. */
json_t *reasons_on(const struct answering *a, const struct guest_group *group, enum verdict wanted,
		   const struct profile *target);

/* A machine type as "machine" above, when upstream has removed it or will; null where that isn't known. */
json_t *removed_machine(const struct tables *tables, const char *name);

/**
 * stranded_snapshots - snapshots whose machine types no host has, or none is known to have
 *
 * Each {"guest", "snapshot", "verdict", "name" (of the machine type), "machine"}.
 */
json_t *stranded_snapshots(const struct answering *a, const GPtrArray *guests);

/* {"ok", "warn", "unknown", "block"} */
json_t *reach_json(const struct reach *reach);

/* The best that any host says; V_BLOCK where there are none. */
enum verdict reach_best(const struct reach *reach);

#endif
