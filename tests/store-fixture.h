/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store-fixture.h: a folder for a test's databases, hosts to put into them, and a look past the
 * store at what lies in the file.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "store.h"

/* A folder of its own; fixture_remove() takes it away with all in it and frees the name. */
char *fixture_folder(void);
void fixture_remove(char *folder);

/* Opens, and ends the test where that fails. */
struct store *fixture_open(const char *path);

/* Puts a profile made of name, text, …, NULL, and ends the test where that fails. */
void fixture_put(struct store *store, const char *host, const char *digest, int64_t confirmed,
		 ...) G_GNUC_NULL_TERMINATED;

/* A host with just what a profile needs, on the caller's strings. */
struct store_host fixture_host(const char *name, const char *digest, int64_t confirmed);

/* What @sql, asked without the store, gives as its first number or text. */
int64_t fixture_number(const char *path, const char *sql);
char *fixture_text(const char *path, const char *sql);

/* Runs SQL without the store. */
void fixture_run(const char *path, const char *sql);

/* SHA-256 of a file's bytes. */
char *fixture_checksum(const char *path);

/* That @error is one line of the code that names @path, and has all of @words; clears it. */
void fixture_check_error(GError **error, enum store_error code, const char *path,
			 const char *words);

#endif
