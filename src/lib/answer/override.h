/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * override.h: what somebody allowed although a check speaks against it.
 *
 * An override holds for one guest, some hosts and one check, and until a time. A finding that it
 * touches counts as a warning and names it; a silent hazard is left alone, unless the override says that
 * the risk is accepted. What QEMU does (qemu_starts, dma_works) no override changes.
 */
#ifndef ANSWER_OVERRIDE_H
#define ANSWER_OVERRIDE_H

#include "answer/answer.h"

struct override {
	int64_t id;
	char *guest;       /* its UUID, or its name where it has none */
	GHashTable *hosts; /* set of struct host * */
	char *check;
	char *by;          /* who allowed it */
	char *reason;
	bool accept_risk;
	int64_t expires;   /* seconds since the epoch */
};
void override_free(struct override *override);

/* The verdict on one host, overrides counted: of @v, which is its class's. */
enum verdict override_answer(const struct answering *a, const struct guest *guest, const struct host *host,
			     const struct verdicts *v, enum question question);

/* The worst of these over a class's hosts: what overrides let all of them do, and no more. */
enum verdict override_class_answer(const struct answering *a, const struct guest *guest,
				   const struct host_class *class, const struct verdicts *v,
				   enum question question);

/* How many of a class's hosts would take the guest, overrides counted. */
guint override_good_hosts(const struct answering *a, const struct guest *guest,
			  const struct host_class *class, const struct verdicts *v,
			  enum question question);

/* Puts overrides into a host's entry of the answer "check", made of @v: findings and verdicts. */
void override_show(const struct answering *a, const struct guest *guest, const struct host *host,
		   const struct verdicts *v, json_t *entry);

/* Which overrides there are for the guest on that host (NULL: on any), as a text; "" for none. */
char *override_signature(const struct answering *a, const struct guest *guest, const struct host *host);

/* "2026-11-30T18:00:00Z"; free with g_free(). */
char *time_text(int64_t seconds);

/**
 * override_price - what overriding a check costs a guest on some hosts
 * @hosts: struct host *
 *
 * Returns a price (plan/price.h) with "capabilities", what the check's findings say is lacking there; it
 * may be empty: not every check is about what guests lose.
 */
json_t *override_price(const struct answering *a, const struct guest *guest, const GPtrArray *hosts,
		       const char *check);

#endif
