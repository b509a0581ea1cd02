/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * upgrade.h: hosts that become others, one after the other, and who has nowhere to go meanwhile.
 */
#ifndef ANSWER_UPGRADE_H
#define ANSWER_UPGRADE_H

#include "answer/routes.h"

/* A host that was, or is, another than it is in the fleet. */
struct host_change {
	char *name;
	const struct profile *was;   /* NULL: it wasn't known then */
	char was_class[65];
	const struct host *now;      /* NULL: it is gone */
};

void host_change_free(void *change);

/* Hosts that changed alike. */
struct transition {
	const struct host_change *first;
	GPtrArray *changes;          /* const struct host_change * */
};

/**
 * transitions_of - changes by class before and class after, the one of most hosts first
 *
 * Changes that end in the class they began in are left out. Returns an array of struct transition.
 */
GPtrArray *transitions_of(const GPtrArray *changes);

/* {"from_class", "to_class", "hosts_n", "hosts"}; a class that isn't known, or is gone, is null. */
json_t *transition_json(const struct transition *transition);

/**
 * upgrade_json - in which order to change hosts, so that the fewest running guests are stranded
 * @guests: struct guest *: all of the fleet's, taken to run where they run now
 * @changes: struct host_change *: the fleet is as it will be after them
 * @only: list but the guests of this host; NULL: of all
 *
 * All hosts of a transition are changed one by one, each emptied before, then those of the next. A
 * guest has to leave its host at that host's turn: to a host that doesn't change, to one of another
 * transition as it is by then, or to one of its own, changed already or not yet.
 *
 * Returns {"exact", "stranded_n", "steps": [{"from_class", "to_class", "hosts_n", "hosts", "guests_n",
 * "stranded_n", "stranded": [{group…, "when"}]}]}. "when": "never" – no host would take them at their
 * turn; "last" – only hosts that aren't changed yet, so that the last of them can't be emptied;
 * "first" – only changed ones, so that one without such guests has to be first.
 */
json_t *upgrade_json(const struct answering *a, struct routes *routes, const GPtrArray *guests,
		     const GPtrArray *changes, const char *only);

#endif
