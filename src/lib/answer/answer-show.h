/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-show.h: what the files that make the answer "show" share; for nobody else. */
#ifndef ANSWER_ANSWER_SHOW_H
#define ANSWER_ANSWER_SHOW_H

#include "answer/answer.h"

/* A fact as answers show it: {"id", "state", "value", "scope", "origin", "errno"?}. */
json_t *answer_fact(const struct fact *fact);

/* An array of struct fact, all of them. */
json_t *answer_facts(const GArray *facts);

/**
 * answer_show_units - adds "iommus" and "devices"
 * @all: also every fact of each
 */
void answer_show_units(json_t *answer, const struct profile *profile, bool all);

#endif
