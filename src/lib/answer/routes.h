/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * routes.h: the guests of a fleet by what they ask for and where they run, and which way is open to
 * them: each pair of classes is judged once, when it is first asked about.
 */
#ifndef ANSWER_ROUTES_H
#define ANSWER_ROUTES_H

#include "answer/answer.h"

/* Guests that get one answer everywhere. */
struct guest_group {
	const struct guest *first;  /* stands for all */
	const struct host *from;    /* the first one's host, whose class is that of all; NULL: not running,
				     * or where isn't known */
	enum question question;     /* ASK_MIGRATE: they run; ASK_START: powered off, or their host is gone */
	GPtrArray *guests;          /* const struct guest * */
};

/**
 * guest_groups - guests by equal needs, question, overrides and, where they run, class of their host
 * @guests: struct guest *
 *
 * Returns an array of struct guest_group in the order of their first guests; to be unref'd.
 */
GPtrArray *guest_groups(const struct answering *a, const GPtrArray *guests);

/* What a group needs, as JSON, without what tells its guests apart. */
json_t *guest_group_needs(const struct guest_group *group);

/* {"guests", "guests_n", "running", "machine", "cpu"}: how all answers name a group. */
json_t *guest_group_json(const struct guest_group *group);

struct routes;

struct routes *routes_new(const struct answering *a);
void routes_free(struct routes *routes);

/* May the guest move, as it runs, from one to the other; may it start there? */
enum verdict routes_move(struct routes *routes, const struct guest *guest,
			 const struct profile *from, const struct profile *to);
enum verdict routes_start(struct routes *routes, const struct guest *guest,
			  const struct profile *to);

/* The answer to a group's question, with what was allowed on all of the class's hosts. */
enum verdict routes_answer(struct routes *routes, const struct guest_group *group,
			   const struct host_class *to);

/* Hosts by the verdict on them. */
struct reach {
	guint hosts[VERDICTS];
};

/* ok or warn. */
bool verdict_is_good(enum verdict verdict);
guint reach_good(const struct reach *reach);

/**
 * routes_onward - where a guest could go from a host of @class, once it got there
 * @started: profile of the host that it comes from, or NULL where that isn't known or it starts on
 *	@class: what the definition leaves to its host (host-model, an alias for a machine type) is
 *	what it was there
 * @any: it is enough to know whether there is one: the counts are too low then
 */
struct reach routes_onward(struct routes *routes, const struct fleet *fleet, const struct guest *guest,
			   const struct profile *started, const struct host_class *class, bool any);

/* The verdict on going on from one host to another, as routes_onward() counts it. */
enum verdict routes_on(struct routes *routes, const struct guest *guest, const struct profile *started,
		       const struct profile *from, const struct profile *to);

/**
 * routes_reach - the hosts of the fleet by the answer to a group's question
 * @within: classes' hosts that count, by class index; NULL: all
 *
 * The host that they run on isn't counted: nobody moves to where it is.
 */
struct reach routes_reach(struct routes *routes, const struct fleet *fleet,
			  const struct guest_group *group, const guint *within);

#endif
