/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * levels.h: levels, the guests assigned to them, and the log of all that was done. Authored; a level
 * and the log's entries never change and never go (the database refuses it).
 */
#ifndef STORE_LEVELS_H
#define STORE_LEVELS_H

#include "store.h"

/* Who did something, when and why. Strings are owned by whoever holds it. */
struct store_act {
	char *author;
	int64_t uid;
	int64_t time; /* seconds since the epoch */
	char *reason; /* may be empty, not NULL */
};

/* One level. Strings are owned; free with store_level_free(). */
struct store_level {
	char *name, *series;
	int64_t year, number;
	char *document;             /* compact JSON */
	struct store_act created;
	bool is_retired;
	struct store_act retired;   /* where it is */
};
void store_level_free(struct store_level *level);

/* A guest that is assigned to a level; free with store_assigned_free(). */
struct store_assigned {
	char *guest;                /* its UUID, or its name where it has none */
	char *guest_name;
	char *level;
	struct store_act act;
};
void store_assigned_free(struct store_assigned *assigned);

/* An entry of the log; free with store_level_entry_free(). */
struct store_level_entry {
	int64_t id;                 /* 0 before it is stored */
	char *action;               /* create raise sink assign unassign retire proposed withdrawn */
	char *series;
	char *level;                /* NULL: the series as a whole */
	char *guest;                /* NULL: none */
	struct store_act act;
	char *detail;               /* compact JSON */
};
void store_level_entry_free(struct store_level_entry *entry);

/* All levels by series, year and number, with those that are retired; an array, or NULL. */
GPtrArray *store_levels(struct store *store, GError **error);

/* All assignments by level and guest; an array of struct store_assigned, or NULL. */
GPtrArray *store_assignments(struct store *store, GError **error);

/* The log, oldest first; @series: NULL all. An array of struct store_level_entry, or NULL. */
GPtrArray *store_level_log(struct store *store, const char *series, GError **error);

/**
 * store_put_level, store_retire_level, store_assign_level, store_unassign_level - change and log
 * @entry: what the log says of it; written together with the change, NULL: nothing (a restore)
 *
 * A name that is taken fails. Assigning replaces the guest's former level; unassigning a guest that
 * has none, and retiring what is retired, changes nothing but is logged.
 */
bool store_put_level(struct store *store, const struct store_level *level,
		     const struct store_level_entry *entry, GError **error);
bool store_retire_level(struct store *store, const char *level, const struct store_act *act,
			const struct store_level_entry *entry, GError **error);
bool store_assign_level(struct store *store, const struct store_assigned *assigned,
			const struct store_level_entry *entry, GError **error);
bool store_unassign_level(struct store *store, const char *guest,
			  const struct store_level_entry *entry, GError **error);

/* An entry alone; its id is kept where it isn't 0. */
bool store_log_level(struct store *store, const struct store_level_entry *entry, GError **error);

#endif
