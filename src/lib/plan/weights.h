/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * weights.h: what it is worth that hosts have something in common, by rules of a table and of a
 * site's policy.
 */
#ifndef PLAN_WEIGHTS_H
#define PLAN_WEIGHTS_H

#include <glib.h>
#include <stdbool.h>

#include "model/tables.h"

#define WEIGHT_MAX 1000000u

struct weights;

struct weights *weights_new(void);
void weights_free(struct weights *weights);

/**
 * weights_add - add a rule; a later one of the same match takes its place
 * @match: "cpu.avx2", "qemu.machine=pc-q35-9.2", "cpu.avx512*", "class:mds", "class:*", "*"
 *
 * Returns false with @error where @match names no capability or class that the dictionary knows.
 */
bool weights_add(struct weights *weights, const char *match, guint weight, GError **error);

/* Reads a weight: 0 … WEIGHT_MAX; false with @error. */
bool weight_parse(const char *text, guint *weight, GError **error);

/* The rules of weights.tsv; NULL with @error. */
struct weights *weights_from_table(const struct table *table, GError **error);

/**
 * weights_of - what an atom is worth
 * @site: rules that come before all of @shipped, or NULL
 * @id: the capability
 * @atom: "id", "id=member" or "id>=number"
 */
guint weights_of(const struct weights *site, const struct weights *shipped, const char *id,
		 const char *atom);

/* How many rules there are. */
guint weights_size(const struct weights *weights);

#endif
