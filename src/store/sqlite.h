/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sqlite.h: what the rest of the store needs of SQLite, as statements with values.
 *
 * Internal to src/store; the public face is store.h. Every failure is one line that begins with
 * the database's path and says what to do.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store.h"

/* A statement being run. Ended by sql_end() (or g_autoptr) before its values go out of scope. */
struct query;

/**
 * sql_start - begin to run a statement
 * @sql: a string literal: it is compiled once and kept
 * @types: one letter a parameter: 's' const char * (NULL is SQL's NULL), 'i' int64_t
 *
 * The strings given must live until sql_end(). Returns NULL with @error set.
 */
struct query *sql_start(struct store *store, GError **error, const char *sql,
			const char *types, ...);

/**
 * sql_next - step to the next row
 *
 * Returns 1 for a row, 0 at the end, -1 with @error set.
 */
int sql_next(struct query *query, GError **error);

/* A column of the row: text lives until the next step and may be NULL. */
const char *sql_text(struct query *query, int column);
int64_t sql_int(struct query *query, int column);

/* A copy of a column that is never NULL in a sound database; where it is, the next step fails. */
char *sql_copy(struct query *query, int column);

void sql_end(struct query *query);
typedef struct query Query;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Query, sql_end)

/* Runs a statement to its end, as sql_start() and sql_next() do. */
bool sql_run(struct store *store, GError **error, const char *sql, const char *types, ...);

/**
 * sql_find - the first column of a statement's first row, a number
 *
 * Returns 1 when there was a row, 0 when there was none (@found is then left alone), -1 with
 * @error set.
 */
int sql_find(struct store *store, int64_t *found, GError **error, const char *sql,
	     const char *types, ...);

int64_t sql_changes(struct store *store); /* rows the last statement changed */
int64_t sql_last_id(struct store *store); /* id of the row inserted last */

/**
 * sql_enter, sql_leave - all of it or nothing
 * @ok: whether what was done since sql_enter() is to stay
 *
 * Inside store_begin() … store_commit() this is a savepoint, else a transaction of its own, which
 * is durable when sql_leave() returns true. sql_leave() returns false whenever @ok was.
 */
bool sql_enter(struct store *store, GError **error);
bool sql_leave(struct store *store, bool ok, GError **error);

/* sql_enter_read, sql_leave_read: several statements see one state of the database. */
bool sql_enter_read(struct store *store, GError **error);
void sql_leave_read(struct store *store);

/* Sets STORE_ERROR_CORRUPT: the database contradicts itself; @what says in what. */
void sql_set_damaged(struct store *store, GError **error, const char *what);

const char *sql_path(struct store *store);

#endif
