/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-store-upgrades.c: a database of every older version opens as the newest; one that is the
 * newest isn't written to.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "store-fixture.h"
#include "upgrades.h"

static const char schema_sql[] =
	"SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema"
	" WHERE sql IS NOT NULL ORDER BY type, name)";

/* A database as the version of that number left it, without a row. */
static void make_version(const char *path, size_t version)
{
	g_autofree char *stamp = g_strdup_printf("PRAGMA application_id = 0x63617062;"
						 "PRAGMA user_version = %zu", version);

	for (size_t i = 0; i < version; i++)
		fixture_run(path, store_upgrades[i].sql);
	if (version)
		fixture_run(path, stamp);
	else
		g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

static void test_numbers(void)
{
	g_assert_cmpuint(store_upgrade_count, >=, 1);
	for (size_t i = 0; i < store_upgrade_count; i++) {
		g_assert_cmpint(store_upgrades[i].version, ==, i + 1);
		g_assert_cmpint(atoi(store_upgrades[i].name), ==, i + 1);
	}
}

static void test_every_version(void)
{
	char *folder = fixture_folder();
	g_autofree char *fresh = g_build_filename(folder, "fresh.db", NULL);
	g_autofree char *expected = NULL;

	store_close(fixture_open(fresh));
	expected = fixture_text(fresh, schema_sql);
	g_assert_nonnull(strstr(expected, "CREATE TABLE host"));
	for (size_t version = 0; version <= store_upgrade_count; version++) {
		g_autofree char *name = g_strdup_printf("v%zu.db", version);
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *schema = NULL, *mode = NULL;
		struct store *store;

		make_version(path, version);
		store = fixture_open(path);
		fixture_put(store, "h1", "d1", 1, "facts", "[]", NULL);
		store_close(store);
		schema = fixture_text(path, schema_sql);
		g_assert_cmpstr(schema, ==, expected);
		g_assert_cmpint(fixture_number(path, "PRAGMA user_version"), ==,
			store_upgrade_count);
		g_assert_cmpint(fixture_number(path, "PRAGMA application_id"), ==, 0x63617062);
		mode = fixture_text(path, "PRAGMA journal_mode");
		g_assert_cmpstr(mode, ==, "wal");
	}
	fixture_remove(folder);
}

static void test_reopened(void)
{
	char *folder = fixture_folder();
	g_autofree char *path = g_build_filename(folder, "state.db", NULL);
	g_autofree char *log = g_strconcat(path, "-wal", NULL);
	g_autofree char *before = NULL;
	struct store *store = fixture_open(path);

	fixture_put(store, "h1", "d1", 1, "facts", "[]", NULL);
	store_close(store);
	g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS)); /* all is in the one file */
	before = fixture_checksum(path);
	for (int i = 0; i < 4; i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *after = NULL;

		store = store_open(path, i % 2, &error);
		g_assert_no_error(error);
		store_close(store);
		after = fixture_checksum(path);
		g_assert_cmpstr(before, ==, after);
	}
	fixture_remove(folder);
}

/* Our mark and tables, but a number that no version wrote. */
static void test_no_number(void)
{
	char *folder = fixture_folder();
	g_autofree char *path = g_build_filename(folder, "state.db", NULL);
	static const char *const numbers[] = { "0", "-1" };

	store_close(fixture_open(path));
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		g_autofree char *sql = g_strconcat("PRAGMA user_version = ", numbers[i], NULL);
		g_autoptr(GError) error = NULL;

		fixture_run(path, sql);
		g_assert_null(store_open(path, false, &error));
		fixture_check_error(&error, STORE_ERROR_CORRUPT, path, "no valid number");
	}
	fixture_remove(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/upgrades/numbers", test_numbers);
	g_test_add_func("/store/upgrades/every-version", test_every_version);
	g_test_add_func("/store/upgrades/reopened", test_reopened);
	g_test_add_func("/store/upgrades/no-number", test_no_number);
	return g_test_run();
}
