/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy.h: what a site has decided: capbroker-policy(5). Only what is honoured is accepted.
 */
#ifndef PLAN_POLICY_H
#define PLAN_POLICY_H

#include <glib.h>

#include "judge/verdict-policy.h"
#include "plan/weights.h"

#define POLICY_MAX_BYTES (1024u * 1024)

/* What a baseline is never to be without, in one group or in all. */
struct policy_floor {
	char *group; /* "x86_64/Intel", or "all" */
	char *atom;  /* "cpu.md-clear", "qemu.machine=pc-q35-7.2" */
};

struct policy {
	struct verdict_policy *verdicts; /* NULL: none is changed */
	guint changed, accepted;         /* how many checks have a verdict; whose risk is accepted */
	gint64 age_limit, age_grace;     /* seconds; 0: none */
	guint coverage;                  /* millionths; 0: not said */
	char *weight_label;              /* or NULL */
	struct weights *weights;         /* NULL: none of its own */
	GArray *floors;                  /* struct policy_floor */
	GPtrArray *auto_raise;           /* char *: series of levels that are raised by themselves */
	gint64 settle;                   /* seconds that such a raise must have been due; 0: none */
	char digest[9];
};

/**
 * policy_parse - read a policy
 * @where: the file's name for messages
 *
 * Returns the policy, to be freed by policy_free(), or NULL with @error, which names the group and
 * the key.
 */
struct policy *policy_parse(const char *bytes, gsize length, const char *where, GError **error);
void policy_free(struct policy *policy);

/**
 * share_parse - "0.95" or "95%", of at most six decimals (four with a %)
 * @share: set to millionths
 *
 * Returns false with @error for what is none, or beyond 0 … 1.
 */
bool share_parse(const char *text, guint *share, GError **error);

/* Adds the atoms that a group's baseline is never to be without: char *, borrowed. */
void policy_floors(const struct policy *policy, const char *arch, const char *vendor, GPtrArray *into);

#endif
