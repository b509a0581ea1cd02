/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * offering.h: what the classes of a group of hosts offer, as the problem of problem.h.
 */
#ifndef PLAN_OFFERING_H
#define PLAN_OFFERING_H

#include "plan/baseline.h"
#include "plan/problem.h"
#include "plan/weights.h"

struct offering_options {
	const struct baseline_options *baseline;
	const struct weights *site, *shipped; /* @site may be NULL */
	const char *weight_label; /* a host counts what this label says; NULL: 1 */
	const char *spread_label; /* where a host is, or NULL */
	const GPtrArray *pins;    /* char *: atoms that must be there, or NULL */
	const GPtrArray *forbid;  /* char *: atoms or ids that count nothing, or NULL */
};

/**
 * offering_problem - make a group's problem
 * @group: of baseline_groups(); its classes' numbers in the problem are those in group->classes
 *
 * A layer for each view of a CPU that any class has; machine types and facts of hosts are in all.
 * What is not known of a class it doesn't have; obligations, and ranges of addresses, are no atoms.
 */
struct plan_problem *offering_problem(const struct judge *judge, const struct baseline *group,
				      const struct offering_options *options);

/**
 * offering_name - what somebody calls a capability, as an atom
 * @text: an id, libvirt's name of a feature, "id=member", "id=number"
 *
 * Returns the atom's name ("id>=number" for numbers) to be freed, or NULL with @error.
 */
char *offering_name(const struct universe *universe, const char *text, GError **error);

/* What a host counts by a label; false where the label isn't there, or no whole number. */
bool offering_host_weight(const struct host *host, const char *label, guint64 *weight);

#endif
