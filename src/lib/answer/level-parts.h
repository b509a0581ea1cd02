/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* level-parts.h: what the files that make and look at levels share; internal to answer/. */
#ifndef ANSWER_LEVEL_PARTS_H
#define ANSWER_LEVEL_PARTS_H

#include "answer/answer-level.h"
#include "answer/answer-plan.h"

/* How a level is asked for, read from its document, which must outlive it. */
struct level_plan {
	struct baseline_options baseline;
	struct planning planning;
	GPtrArray *pins, *forbid, *owned;
};
void level_plan_open(const struct answering *a, struct level_plan *plan, const struct level_site *site,
		     const json_t *document);
void level_plan_close(struct level_plan *plan);

struct level_weights level_weights_of(const struct level_site *site, const json_t *document);

/* The groups of hosts that a level would have, with notes as answer_cover() makes them, or NULL. */
GPtrArray *level_cover(const struct answering *a, const struct level_plan *plan, const GPtrArray *hosts,
		       json_t **notes, bool *blocked);

/* One group of a document; @left_out: names of hosts, or NULL. */
json_t *level_group(const struct answering *a, const struct level_site *site, const struct baseline *b,
		    const struct planning *planning, const json_t *head, const json_t *left_out);

/*
 * Why a guest of the group would be refused on one of the hosts that it was made of; NULL: it isn't.
 * Free with g_free().
 */
char *level_refused(const struct answering *a, const struct level_site *site, const struct baseline *b,
		    const json_t *group);

/* Fills dates that nobody gave; says by what the document was made. */
void level_dates(json_t *document);
void level_made_by(json_t *document, const struct answering *a);

/* A guest of a group, with its virtual IOMMU or without; free with guest_free(). */
struct guest *level_guest(const struct answering *a, const json_t *group, bool viommu);

/**
 * level_moves - can a guest of a group move between all pairs of classes, both ways?
 * @guest: by level_guest(), as long as the routes; NULL: none can be made
 *
 * Returns {"pairs", "good", "stuck": [[from, to, verdict], …]}; the hosts named stand for their classes.
 */
json_t *level_moves(struct routes *routes, const struct guest *guest, const GPtrArray *classes);

#endif
