/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-diff.h: what the files that make the answer "diff" share; for nobody else.
 */
#ifndef ANSWER_ANSWER_DIFF_H
#define ANSWER_ANSWER_DIFF_H

#include "answer/answer.h"
#include "model/offer.h"

/* The two hosts. */
struct diff_pair {
	const struct answering *a;
	const struct host *one, *other;
};

/* Equal but for the path: the same emulator may be installed elsewhere. */
bool diff_like(const struct scope *a, const struct scope *b);

/* "avx2 bmi1 bmi2 fma and 3 more", of an array of strings; free with g_free(). */
char *diff_few(const json_t *names);

/* --- answer-diff-mean.c: what a difference means for guests, by the dictionary's attributes ------ */

/* Features (and other yes or no) on which two like offers differ, while they are sorted. */
struct diff_groups;

struct diff_groups *diff_groups_new(const struct diff_pair *p);

/**
 * diff_groups_add - @has has the place of a bit set, the other host hasn't
 */
void diff_groups_add(struct diff_groups *groups, int bit, const struct host *has);

/**
 * diff_groups_end - the groups, each {"kind", "names", "has", "lacks", "text"}, and frees them
 *
 * Every place that was added is in one group: those with one consequence for guests.
 */
json_t *diff_groups_end(struct diff_groups *groups);

/* What two different numbers of a capability mean; a new string. */
char *diff_mean_number(const struct diff_pair *p, const struct capability *cap, uint64_t one,
		       uint64_t other);

/* --- answer-diff-host.c -------------------------------------------------------------------------- */

/**
 * diff_host - what differs beside CPUs and machine types: facts of the hosts as a whole, names and
 * rules of their libvirts, CPU models, devices, what domain capabilities list
 *
 * Returns an array of {"kind", "title", "only_one", "only_other", "means": [sentences]}, and of
 * {"kind", "title", "one", "other", "means"} where it isn't a list.
 */
json_t *diff_host(const struct diff_pair *p);

/* A list of which each host has names of its own. */
struct diff_sides {
	GPtrArray *one, *other; /* char * */
};

struct diff_sides diff_sides_new(void);

/**
 * diff_add_sides - adds an entry where the sides differ, and frees them
 * @format: a sentence where %n is the names, %h who has them, %l who lacks them
 */
void diff_add_sides(json_t *array, const struct diff_pair *p, const char *kind, const char *title,
		    struct diff_sides *sides, const char *format);

/* Adds an entry where two known facts of one id differ. */
void diff_fact(json_t *array, const struct diff_pair *p, const struct fact *f,
	       const struct fact *g);

/* --- answer-diff-units.c ------------------------------------------------------------------------- */

/* What the host as a whole has of its IOMMU units, which diff_units() tells of. */
bool diff_is_of_units(const struct fact *fact);

/* What a guest with devices of the host would notice of their IOMMUs. */
void diff_units(json_t *array, const struct diff_pair *p);

#endif
