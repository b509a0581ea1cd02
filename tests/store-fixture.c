/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store-fixture.c: see store-fixture.h.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "store-fixture.h"

char *fixture_folder(void)
{
	g_autoptr(GError) error = NULL;
	char *folder = g_dir_make_tmp("capbroker-store-XXXXXX", &error);

	g_assert_no_error(error);
	return folder;
}

static void remove_tree(const char *path)
{
	g_autoptr(GDir) dir = NULL;
	const char *name;

	if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
		g_chmod(path, 0700);
		dir = g_dir_open(path, 0, NULL);
		while (dir && (name = g_dir_read_name(dir))) {
			g_autofree char *inner = g_build_filename(path, name, NULL);

			remove_tree(inner);
		}
	}
	g_remove(path);
}

void fixture_remove(char *folder)
{
	remove_tree(folder);
	g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
	g_free(folder);
}

struct store *fixture_open(const char *path)
{
	g_autoptr(GError) error = NULL;
	struct store *store = store_open(path, false, &error);

	g_assert_no_error(error);
	g_assert_nonnull(store);
	return store;
}

struct store_host fixture_host(const char *name, const char *digest, int64_t confirmed)
{
	return (struct store_host){
		.name = (char *)name,
		.digest = (char *)digest,
		.fingerprint = (char *)"{}",
		.confirmed = confirmed,
	};
}

void fixture_put(struct store *store, const char *host, const char *digest, int64_t confirmed, ...)
{
	struct store_host row = fixture_host(host, digest, confirmed);
	g_autoptr(GPtrArray) sections = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	va_list values;
	char *text;

	va_start(values, confirmed);
	while ((text = va_arg(values, char *)))
		g_ptr_array_add(sections, text);
	va_end(values);
	g_ptr_array_add(sections, NULL);
	store_put_profile(store, &row, (const char *const *)sections->pdata, &error);
	g_assert_no_error(error);
}

static sqlite3_stmt *ask(const char *path, const char *sql, sqlite3 **db)
{
	sqlite3_stmt *statement = NULL;

	g_assert_cmpint(sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_prepare_v2(*db, sql, -1, &statement, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
	return statement;
}

int64_t fixture_number(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement = ask(path, sql, &db);
	int64_t number = sqlite3_column_int64(statement, 0);

	sqlite3_finalize(statement);
	sqlite3_close(db);
	return number;
}

char *fixture_text(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement = ask(path, sql, &db);
	char *text = g_strdup((const char *)sqlite3_column_text(statement, 0));

	sqlite3_finalize(statement);
	sqlite3_close(db);
	return text;
}

void fixture_run(const char *path, const char *sql)
{
	sqlite3 *db;

	g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
	sqlite3_close(db);
}

char *fixture_checksum(const char *path)
{
	g_autofree char *bytes = NULL;
	gsize length;

	g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)bytes, length);
}

void fixture_check_error(GError **error, enum store_error code, const char *path,
			 const char *words)
{
	g_assert_nonnull(*error);
	g_test_message("%s", (*error)->message);
	g_assert_error(*error, STORE_ERROR, (int)code);
	g_assert_null(strchr((*error)->message, '\n'));
	g_assert_nonnull(strstr((*error)->message, path));
	g_assert_nonnull(strstr((*error)->message, words));
	g_clear_error(error);
}
