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
 * @universe: where names beyond the dictionary are looked for, or NULL
 * @whole: also take the id alone of what isn't yes or no
 * @text: an id, libvirt's name of a feature, "id=member", "id=number"
 *
 * Returns the atom's name ("id>=number" for numbers) to be freed, or NULL with @error.
 */
char *offering_name(const struct universe *universe, const char *text, bool whole, GError **error);

/**
 * offering_lacking - the classes that aren't known to have an atom
 * @atom: a name of offering_name()'s
 * @set: filled: a bit set of the problem's classes, by the layer in which fewest lack it
 *
 * An atom that counts nothing is in the problem only where it was pinned.
 */
void offering_lacking(const struct plan_problem *problem, const char *atom, uint64_t *set);

/* What a host counts by a label; false where the label isn't there, or no whole number. */
bool offering_host_weight(const struct host *host, const char *label, guint64 *weight);

#endif
