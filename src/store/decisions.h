/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * decisions.h: what was decided of moves, and what came of them. Recorded by hooks on the target.
 */
#ifndef STORE_DECISIONS_H
#define STORE_DECISIONS_H

#include "store.h"

/* One decision. Strings are owned; free with store_decision_free(). */
struct store_decision {
	int64_t id;         /* of the row; 0 before it is stored */
	char *name;         /* the answer's decision id */
	int64_t time;       /* seconds since the epoch */
	char *guest_uuid;   /* NULL unknown */
	char *guest_name;
	char *source;       /* NULL unknown */
	char *target;
	char *question, *verdict, *mode;
	bool refused;
	int64_t ms;
	char *document;     /* the answer, compact JSON */
	char *outcome;      /* "started", "arrived", "failed", or NULL: nothing was heard */
	int64_t outcome_time;
	char *outcome_reason;
	int64_t left_time;  /* 0: it didn't */
};
void store_decision_free(struct store_decision *decision);

/* Decisions older than this many seconds are dropped as new ones come. */
#define STORE_DECISIONS_KEPT (400 * 24 * 3600)

/* Adds a decision; id, outcome and left_time are not looked at. */
bool store_put_decision(struct store *store, const struct store_decision *decision, GError **error);

/**
 * store_decisions - decisions, newest first
 * @name: only those whose id begins so; NULL: all
 * @since: only those of this time and later
 *
 * Returns an array of struct store_decision, or NULL.
 */
GPtrArray *store_decisions(struct store *store, const char *name, int64_t since, GError **error);

/**
 * store_last_move - the last decision that let a guest come to a host
 * @uuid, @name: the guest's; the name counts where the UUID isn't known
 *
 * Returns 1 with *@decision set, 0 where there is none, -1 with @error.
 */
int store_last_move(struct store *store, const char *target, const char *uuid, const char *name,
		    struct store_decision **decision, GError **error);

/**
 * store_set_outcome - what came of a decision
 * @outcome: NULL leaves it
 * @left: when the guest stopped there or went on, 0: it didn't
 */
bool store_set_outcome(struct store *store, int64_t id, const char *outcome, const char *reason,
		       int64_t time, int64_t left, GError **error);

/* Seconds within which a guest that was let in is heard of, if only that its QEMU was started. */
#define STORE_MOVE_BEGINS 60

/**
 * store_confirm_moves - what a probe of a host says of moves there
 * @guests: struct store_guest, all of that host at @time
 *
 * Those that wait, and whose guest runs there, arrived. Of others nothing was heard although their
 * time passed: libvirt refused them before it started a QEMU, and calls no hook then.
 */
bool store_confirm_moves(struct store *store, const char *host, const GPtrArray *guests,
			 int64_t time, GError **error);

#endif
