/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * value.h: typed values of capabilities, and the rules by which they meet and fit.
 *
 * capbroker-capabilities(7) has a paragraph on each rule; tests/test-rules.c a truth table.
 * Unknown is not a value: whoever has none doesn't call these (offer.h, plan/baseline.h).
 */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/dictionary.h"

#define VALUE_MAX_MEMBERS 20000u

struct value_range {
	uint64_t first, last; /* both inclusive */
};

struct value {
	enum cap_type type;
	bool truth;        /* CAP_BOOL */
	uint64_t number;   /* CAP_UINT, CAP_BITMAP; CAP_PAIR: allowed-0, the bits that must be 1 */
	uint64_t high;     /* CAP_PAIR: allowed-1, the bits that may be 1 */
	char *string;      /* CAP_STRING */
	GPtrArray *set;    /* CAP_SET: char *, sorted, each once */
	GArray *ranges;    /* CAP_RANGES: struct value_range, sorted, apart from each other */
};

/**
 * value_from_json - read a value of a type
 * @type: what the dictionary says it is
 * @json: true/false; an integer or "0x…"; a string; an array of strings; an array of
 *	["0x first", "0x last"]; a pair {"allowed0": "0x…", "allowed1": "0x…"}
 * @value: filled; to be cleared by value_clear()
 *
 * Returns false with what is wrong in @error.
 */
bool value_from_json(enum cap_type type, const json_t *json, struct value *value, GError **error);

/* The same value as JSON (a new reference); numbers past 2^53 and bitmaps as "0x…". */
json_t *value_to_json(const struct value *value);

void value_clear(struct value *value);
bool value_equal(const struct value *a, const struct value *b);

/**
 * value_meet - what two hosts can both promise
 * @rule: the capability's rule
 * @a, @b: values of one type that fits the rule
 * @out: filled with a new value
 *
 * Returns false (and an @out of no content) for bottom: values that must be equal and are not.
 */
bool value_meet(enum cap_rule rule, const struct value *a, const struct value *b,
		struct value *out);

/* Sorts an array of struct value_range and joins those that touch or overlap. */
void value_ranges_normalize(GArray *ranges);

/**
 * value_ranges_without - ranges with holes taken out of them
 * @ranges, @holes: arrays of struct value_range, both normalized
 *
 * Returns a new array.
 */
GArray *value_ranges_without(const GArray *ranges, const GArray *holes);

enum fit {
	FIT_YES,
	FIT_OBLIGATION, /* runs, but the target obliges to more than the guest knows: security */
	FIT_NO,
};

/**
 * value_fits - does a host that has @have satisfy a guest that needs @need?
 */
enum fit value_fits(enum cap_rule rule, const struct value *need, const struct value *have);

/* How far two TSC frequencies may differ, in parts per million, as KVM tolerates it. */
#define TSC_TOLERANCE_PPM 250u

#endif
