/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-store-levels.c: levels never change, by whatever statement; what was done with them is logged
 * together with it; the upgrade which brings their tables leaves all that was there.
 */
#include "config.h"

#include <sqlite3.h>
#include <string.h>

#include "authored.h"
#include "levels.h"
#include "store-fixture.h"
#include "upgrades.h"

#define UUID "5e0f0000-1000-4000-8000-0000000000aa"
#define UUID_LOUD "5E0F0000-1000-4000-8000-0000000000AA"

struct place {
	char *folder, *path;
	struct store *store;
};

static struct place place_new(void)
{
	struct place place = { .folder = fixture_folder() };

	place.path = g_build_filename(place.folder, "state.db", NULL);
	place.store = fixture_open(place.path);
	return place;
}

static void place_free(struct place *place)
{
	store_close(place->store);
	g_free(place->path);
	fixture_remove(place->folder);
}

static struct store_act act(int64_t time)
{
	return (struct store_act){ (char *)"jdoe", 1000, time, (char *)"CHG-1" };
}

static struct store_level_entry entry(const char *action, const char *level, int64_t time)
{
	return (struct store_level_entry){ 0, (char *)action, (char *)"prod", (char *)level, NULL, act(time),
					   (char *)"{}" };
}

static bool put(struct place *place, const char *name, int64_t number, GError **error)
{
	const struct store_level level = { (char *)name, (char *)"prod", 2026, number, (char *)"{\"a\":1}",
					   act(number), false, act(0) };
	const struct store_level_entry log = entry("create", name, number);

	return store_put_level(place->store, &level, &log, error);
}

static guint log_size(struct place *place)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) log = store_level_log(place->store, "prod", &error);

	g_assert_no_error(error);
	return log->len;
}

static void test_levels(void)
{
	struct place place = place_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) levels = NULL;
	const struct store_act by = act(9);
	const struct store_level_entry log = entry("retire", "prod-2026.2", 9);
	const struct store_level *l;

	g_assert_true(put(&place, "prod-2026.10", 10, &error));
	g_assert_true(put(&place, "prod-2026.2", 2, &error));
	g_assert_no_error(error);
	g_assert_false(put(&place, "prod-2026.2", 3, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	g_assert_false(put(&place, "other", 2, &error));
	g_clear_error(&error);
	g_assert_cmpuint(log_size(&place), ==, 2); /* what failed isn't in the log */
	g_assert_true(store_retire_level(place.store, "prod-2026.2", &by, &log, &error));
	levels = store_levels(place.store, &error);
	g_assert_cmpuint(levels->len, ==, 2);
	l = levels->pdata[0]; /* by number, not by name */
	g_assert_cmpstr(l->name, ==, "prod-2026.2");
	g_assert_true(l->is_retired);
	g_assert_cmpint(l->retired.time, ==, 9);
	g_assert_cmpint(l->created.time, ==, 2);
	l = levels->pdata[1];
	g_assert_cmpstr(l->document, ==, "{\"a\":1}");
	g_assert_false(l->is_retired);
	g_assert_cmpuint(log_size(&place), ==, 3);
	place_free(&place);
}

/* Directly, past our functions. */
static bool refused(const char *path, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;
	bool failed;

	g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
	failed = sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK;
	sqlite3_free(message);
	sqlite3_close(db);
	return failed;
}

static void test_immutable(void)
{
	static const char *const statements[] = {
		"UPDATE level SET document = '{}'",
		"UPDATE OR REPLACE level SET name = 'x'",
		"DELETE FROM level",
		"INSERT OR REPLACE INTO level VALUES ('prod-2026.1', 'prod', 2026, 1, '{}', 'x', 0, 0, '')",
		"INSERT OR REPLACE INTO level VALUES ('y', 'prod', 2026, 1, '{}', 'x', 0, 0, '')",
		"UPDATE level_log SET author = 'x'",
		"DELETE FROM level_log",
		"INSERT OR REPLACE INTO level_log VALUES (1, 0, 'x', 'x', 'x', NULL, 'x', 0, '', '{}')",
	};
	static const char all[] = "SELECT group_concat(name || document) || (SELECT group_concat(author ||"
				  " action) FROM level_log) FROM level";
	struct place place = place_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *before = NULL;

	g_assert_true(put(&place, "prod-2026.1", 1, &error));
	before = fixture_text(place.path, all);
	for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
		g_autofree char *after = NULL;

		g_test_message("%s", statements[i]);
		g_assert_true(refused(place.path, statements[i]));
		after = fixture_text(place.path, all);
		g_assert_cmpstr(before, ==, after);
	}
	/* others are taken */
	g_assert_false(refused(place.path, "INSERT INTO level VALUES ('prod-2026.2', 'prod', 2026, 2, '{}',"
					   " 'x', 0, 0, '')"));
	place_free(&place);
}

static void test_assigned(void)
{
	struct place place = place_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) all = NULL, none = NULL;
	const struct store_level_entry log = entry("assign", "prod-2026.1", 5);
	struct store_assigned a = { (char *)UUID, (char *)"web", (char *)"prod-2026.1", act(5) };

	g_assert_true(store_assign_level(place.store, &a, &log, &error));
	a.guest = (char *)UUID_LOUD;
	a.level = (char *)"prod-2026.2";
	g_assert_true(store_assign_level(place.store, &a, &log, &error));
	all = store_assignments(place.store, &error);
	g_assert_cmpuint(all->len, ==, 1); /* one guest, however its UUID is written */
	g_assert_cmpstr(((struct store_assigned *)all->pdata[0])->level, ==, "prod-2026.2");
	g_assert_true(store_unassign_level(place.store, UUID, &log, &error));
	none = store_assignments(place.store, &error);
	g_assert_cmpuint(none->len, ==, 0);
	g_assert_cmpuint(log_size(&place), ==, 3);
	place_free(&place);
}

static void test_marks(void)
{
	struct place place = place_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) marks = NULL;
	g_autoptr(GHashTable) policies = NULL;
	const struct store_mark mark = { MARK_LABEL, (char *)"gone", (char *)"rack", (char *)"r1" };
	const struct store_mark cluster = { MARK_CLUSTER, (char *)"h1", (char *)"", (char *)"prod" };

	g_assert_true(store_put_mark(place.store, &mark, &error));
	g_assert_true(store_put_mark(place.store, &cluster, &error));
	g_assert_false(store_put_mark(place.store, &mark, &error));
	g_clear_error(&error);
	marks = store_marks(place.store, &error);
	g_assert_cmpuint(marks->len, ==, 2);
	g_assert_cmpint(((struct store_mark *)marks->pdata[0])->kind, ==, MARK_CLUSTER);
	g_assert_true(store_put_policy(place.store, "policy.conf", "[age]\n", &error));
	g_assert_false(store_put_policy(place.store, "policy.conf", "", &error));
	g_clear_error(&error);
	policies = store_policies(place.store, &error);
	g_assert_cmpstr(g_hash_table_lookup(policies, "policy.conf"), ==, "[age]\n");
	place_free(&place);
}

static void test_upgrade_keeps(void)
{
	static const char rows[] =
		"INSERT INTO override VALUES (7, 'web', 'web', 'all', 'c', 'r', 0, 'a', 1, 2, 3, NULL, NULL);"
		"INSERT INTO host_label VALUES ('h1', 'a', 'b');"
		"INSERT INTO contract VALUES (1, 'web', 1, 2, 'started', 'h1', '{}');"
		"PRAGMA application_id = 0x63617062; PRAGMA user_version = 2";
	char *folder = fixture_folder();
	g_autofree char *path = g_build_filename(folder, "state.db", NULL);

	fixture_run(path, store_upgrades[0].sql);
	fixture_run(path, store_upgrades[1].sql);
	fixture_run(path, rows);
	store_close(fixture_open(path));
	g_assert_cmpint(fixture_number(path, "PRAGMA user_version"), ==, store_upgrade_count);
	g_assert_cmpint(fixture_number(path, "SELECT id FROM override"), ==, 7);
	g_assert_cmpint(fixture_number(path, "SELECT count(*) FROM contract"), ==, 1);
	g_assert_cmpint(fixture_number(path, "SELECT count(*) FROM host_label"), ==, 1);
	g_assert_cmpint(fixture_number(path, "SELECT count(*) FROM level"), ==, 0);
	fixture_remove(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/levels/levels", test_levels);
	g_test_add_func("/store/levels/immutable", test_immutable);
	g_test_add_func("/store/levels/assigned", test_assigned);
	g_test_add_func("/store/levels/marks", test_marks);
	g_test_add_func("/store/levels/upgrade-keeps", test_upgrade_keeps);
	return g_test_run();
}
