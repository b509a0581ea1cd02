/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* level-load.h: a database's levels as answers take them. */
#ifndef LEVEL_LOAD_H
#define LEVEL_LOAD_H

#include "answer/answer-level.h"
#include "levels.h"
#include "load.h"

/* The levels of a database, and what they are looked at with. */
struct levels {
	GPtrArray *stored;      /* struct store_level */
	GPtrArray *assignments; /* struct store_assigned */
	GPtrArray *all;         /* struct level, by series, year and number */
	struct level_site site;
};

/**
 * levels_open - read the levels of a session's database
 *
 * Returns false with @error; levels_close() is due either way.
 */
bool levels_open(struct levels *levels, const struct session *session, GError **error);
void levels_close(struct levels *levels);

/* The level of a name, or the newest of a series; NULL with @error. */
const struct level *levels_find(const struct levels *levels, const char *name, GError **error);

/* An entry of the log as answers have it. */
json_t *level_entry_json(const struct store_level_entry *entry);

/* Has each of these series a level that isn't retired? Else false with @error. */
bool levels_check_series(const struct levels *levels, char *const *series, GError **error);

/* What `level propose` exits with: 1 where a level must sink, or guests keep one beyond its time. */
int level_propose_status(const json_t *answer);

#endif
