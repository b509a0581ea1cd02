/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * offer.h: what one scope of a host gives a guest, dense enough to be compared fast.
 *
 * Booleans are three-valued: a place is known or not, and where known, true or false (value is
 * always within known). A complete offer knows every place of a CPU definition.
 */
#ifndef MODEL_OFFER_H
#define MODEL_OFFER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/bits.h"
#include "model/profile.h"
#include "model/universe.h"

struct number {
	int cap;
	uint64_t value;
};

struct offer {
	struct scope scope;
	bool complete;
	size_t words;
	uint64_t *known, *value;
	GArray *numbers;    /* struct number, by cap */
	const char *vendor; /* libvirt's name, or NULL: not known */
	const char *model;  /* other architectures than x86: what the processor is called, or NULL */
	const char *origin; /* where the facts came from, for messages; or NULL */
};

struct offer *offer_new(const struct scope *scope, bool complete, const struct universe *universe);
void offer_free(struct offer *offer);

/* Sets a place, growing the offer as needed. */
void offer_put(struct offer *offer, int bit, bool value);

/* 1 true, 0 false, -1 unknown. A place beyond the offer's words is @beyond (see offer_beyond()). */
int offer_get(const struct offer *offer, const struct universe *universe, int bit);

/**
 * offer_settle - make every place of a CPU definition known
 *
 * For a complete offer, after its facts are in: what wasn't named is false.
 */
void offer_settle(struct offer *offer, const struct universe *universe);

/* A number's value into *@value; false where it is not known. */
bool offer_number(const struct offer *offer, int cap, uint64_t *value);

#endif
