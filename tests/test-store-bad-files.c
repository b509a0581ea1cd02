/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-store-bad-files.c: what can't be opened gets one line that names the file, and keeps its
 * bytes; what is damaged never crashes a reader.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store-fixture.h"

struct fixture {
	char *folder, *path;
};

static void set_up(struct fixture *fixture, const void *data)
{
	(void)data;
	fixture->folder = fixture_folder();
	fixture->path = g_build_filename(fixture->folder, "state.db", NULL);
}

static void tear_down(struct fixture *fixture, const void *data)
{
	(void)data;
	g_free(fixture->path);
	fixture_remove(fixture->folder);
}

/* A database with enough in it that damage can hit trees, not only the schema. */
static void make_database(const char *path)
{
	g_autoptr(Store) store = fixture_open(path);

	g_assert_true(store_begin(store, NULL));
	for (int i = 0; i < 40; i++) {
		g_autofree char *name = g_strdup_printf("h%d", i);
		g_autofree char *text = g_strnfill(1000 + 97 * i, 'a' + i % 26);

		fixture_put(store, name, name, i, "own", text, "facts", "[]", NULL);
	}
	g_assert_true(store_commit(store, NULL));
}

static void check_refused(const char *path, bool read_only, enum store_error code,
			  const char *words)
{
	g_autofree char *before = g_file_test(path, G_FILE_TEST_IS_REGULAR) ?
		fixture_checksum(path) : NULL;
	g_autofree char *after = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_null(store_open(path, read_only, &error));
	fixture_check_error(&error, code, path, words);
	after = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? fixture_checksum(path) : NULL;
	g_assert_cmpstr(before, ==, after);
}

static void write_bytes(const char *path, const char *bytes, gssize length)
{
	g_assert_true(g_file_set_contents(path, bytes, length, NULL));
}

static void test_not_files(struct fixture *fixture, const void *data)
{
	g_autofree char *inside = g_build_filename(fixture->path, "inner.db", NULL);
	g_autofree char *missing = g_build_filename(fixture->folder, "none", "x.db", NULL);

	(void)data;
	check_refused(fixture->folder, false, STORE_ERROR_OPEN, "is a folder");
	check_refused(missing, true, STORE_ERROR_OPEN, "no such database");
	g_assert_false(g_file_test(missing, G_FILE_TEST_EXISTS));
	write_bytes(fixture->path, "", 0);
	check_refused(inside, false, STORE_ERROR_OPEN, "Not a directory");
	g_assert_cmpint(g_unlink(fixture->path), ==, 0);
	g_assert_cmpint(mkfifo(fixture->path, 0600), ==, 0);
	check_refused(fixture->path, false, STORE_ERROR_OPEN, "not a regular file");
	check_refused("/dev/full", false, STORE_ERROR_OPEN, "not a regular file");
}

static void test_empty(struct fixture *fixture, const void *data)
{
	(void)data;
	write_bytes(fixture->path, "", 0);
	check_refused(fixture->path, true, STORE_ERROR_OPEN, "is empty");
	store_close(fixture_open(fixture->path));
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM host"), ==, 0);
}

static void test_no_database(struct fixture *fixture, const void *data)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	guint32 noise[4096];

	(void)data;
	write_bytes(fixture->path, "host1 x86_64\n", -1);
	check_refused(fixture->path, false, STORE_ERROR_CORRUPT, "not a database");
	check_refused(fixture->path, true, STORE_ERROR_CORRUPT, "not a database");
	for (size_t i = 0; i < G_N_ELEMENTS(noise); i++)
		noise[i] = g_rand_int(rand);
	write_bytes(fixture->path, (char *)noise, sizeof(noise));
	check_refused(fixture->path, false, STORE_ERROR_CORRUPT, "not a database");
	memcpy(noise, "SQLite format 3", 16);
	write_bytes(fixture->path, (char *)noise, sizeof(noise));
	check_refused(fixture->path, false, STORE_ERROR_CORRUPT, fixture->path);
}

static void test_foreign(struct fixture *fixture, const void *data)
{
	g_autofree char *log = g_strconcat(fixture->path, "-wal", NULL);

	(void)data;
	fixture_run(fixture->path, "PRAGMA journal_mode = WAL; CREATE TABLE mail (id INTEGER)");
	check_refused(fixture->path, false, STORE_ERROR_CORRUPT, "another program's");
	g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
	fixture_run(fixture->path, "DROP TABLE mail; PRAGMA application_id = 77");
	check_refused(fixture->path, false, STORE_ERROR_CORRUPT, "another program's");
	fixture_run(fixture->path, "PRAGMA application_id = 0; PRAGMA user_version = 3");
	check_refused(fixture->path, false, STORE_ERROR_CORRUPT, "another program's");
}

static void test_newer(struct fixture *fixture, const void *data)
{
	g_autofree char *copy = g_build_filename(fixture->folder, "copy.db", NULL);
	g_autofree char *copy_log = g_strconcat(copy, "-wal", NULL);
	g_autofree char *log = g_strconcat(fixture->path, "-wal", NULL);
	g_autofree char *bytes = NULL, *log_bytes = NULL;
	g_autoptr(Store) store = NULL;
	gsize length, log_length;

	(void)data;
	make_database(fixture->path);
	/* The new number stands only in the log: copy both while a reader keeps it. */
	store = fixture_open(fixture->path);
	fixture_run(fixture->path, "PRAGMA user_version = 9");
	g_assert_true(g_file_get_contents(fixture->path, &bytes, &length, NULL));
	g_assert_true(g_file_get_contents(log, &log_bytes, &log_length, NULL));
	g_assert_cmpuint(log_length, >, 0);
	write_bytes(copy, bytes, length);
	write_bytes(copy_log, log_bytes, log_length);
	store_close(g_steal_pointer(&store));
	check_refused(fixture->path, false, STORE_ERROR_NEWER, "schema 9, this one knows ");
	check_refused(fixture->path, true, STORE_ERROR_NEWER, "written by a newer capbroker");
	check_refused(copy, false, STORE_ERROR_NEWER, "schema 9");
	g_assert_cmpint(fixture_number(copy, "PRAGMA user_version"), ==, 9);
	g_assert_cmpint(fixture_number(copy, "SELECT count(*) FROM host"), ==, 40);
}

static bool touch(const struct store_host *host, const struct store_section *sections,
		  size_t n_sections, void *data, GError **error)
{
	size_t *bytes = data;

	(void)error;
	*bytes += strlen(host->name);
	for (size_t i = 0; i < n_sections; i++)
		*bytes += strlen(sections[i].name) + strlen(sections[i].text);
	return true;
}

/* Reads all there is. */
static bool read_all(struct store *store, GError **error)
{
	g_autoptr(GPtrArray) guests = store_guests(store, error);
	size_t bytes = 0;

	return guests && store_each_profile(store, touch, &bytes, error);
}

/* Every length that a file can be cut to: no crash, and no false "all is well". */
static void test_truncated(struct fixture *fixture, const void *data)
{
	g_autofree char *bytes = NULL;
	gsize length;

	(void)data;
	make_database(fixture->path);
	g_assert_true(g_file_get_contents(fixture->path, &bytes, &length, NULL));
	g_assert_cmpuint(length, >, 20 * 4096);
	for (gsize cut = 1; cut < length; cut += cut < 4096 ? 331 : 4001) {
		write_bytes(fixture->path, bytes, cut);
		check_refused(fixture->path, false, STORE_ERROR_CORRUPT, "move it away");
		check_refused(fixture->path, true, STORE_ERROR_CORRUPT, "move it away");
	}
	write_bytes(fixture->path, bytes, length);
	store_close(fixture_open(fixture->path));
}

/* Whether damage was noticed: by a clear error, else the test fails. */
static bool try_damaged(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = store_open(path, false, &error);
	bool ok = store && read_all(store, &error);

	if (ok && store_forget(store, "h3", NULL, &error))
		return false;
	g_assert_nonnull(error);
	g_assert_null(strchr(error->message, '\n'));
	g_assert_true(g_str_has_prefix(error->message, path));
	return true;
}

static void test_damaged(struct fixture *fixture, const void *data)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(11);
	g_autofree char *bytes = NULL;
	int noticed = 0;
	gsize length;

	(void)data;
	make_database(fixture->path);
	g_assert_true(g_file_get_contents(fixture->path, &bytes, &length, NULL));
	for (int round = 0; round < 150; round++) {
		g_autofree char *bad = g_memdup2(bytes, length);
		guint32 at = g_rand_int_range(rand, 100, length - 64);

		for (int i = 0; i < 64; i++)
			bad[at + i] = g_rand_int(rand);
		write_bytes(fixture->path, bad, length);
		noticed += try_damaged(fixture->path);
	}
	g_test_message("%d of 150 damages noticed", noticed);
	/* Half of a database is free space and what isn't read here. */
	g_assert_cmpint(noticed, >, 50);
}

/* A text that was changed without SQLite noticing is caught by its checksum. */
static void test_checksum(struct fixture *fixture, const void *data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = NULL;
	size_t bytes = 0;

	(void)data;
	make_database(fixture->path);
	fixture_run(fixture->path, "UPDATE section SET text = '[1]' WHERE text = '[]'");
	store = fixture_open(fixture->path);
	g_assert_null(store_profile(store, "h1", &error));
	fixture_check_error(&error, STORE_ERROR_CORRUPT, fixture->path, "checksum");
	g_assert_false(store_each_profile(store, touch, &bytes, &error));
	fixture_check_error(&error, STORE_ERROR_CORRUPT, fixture->path, "checksum");
}

/* A schema that isn't the one its number promises, and rows that contradict each other. */
static void test_contradictions(struct fixture *fixture, const void *data)
{
	g_autoptr(GError) error = NULL;
	struct store *store;

	(void)data;
	make_database(fixture->path);
	fixture_run(fixture->path, "DELETE FROM section WHERE text = '[]'");
	store = fixture_open(fixture->path);
	g_assert_false(read_all(store, &error));
	fixture_check_error(&error, STORE_ERROR_CORRUPT, fixture->path, "section is missing");
	store_close(store);
	fixture_run(fixture->path, "DELETE FROM profile");
	store = fixture_open(fixture->path);
	g_assert_false(read_all(store, &error));
	fixture_check_error(&error, STORE_ERROR_CORRUPT, fixture->path, "missing in a row");
	store_close(store);
	fixture_run(fixture->path, "DROP TABLE guest");
	store = fixture_open(fixture->path);
	g_assert_false(read_all(store, &error));
	fixture_check_error(&error, STORE_ERROR_CORRUPT, fixture->path, "no such table");
	store_close(store);
}

#define ADD(name, test) g_test_add(name, struct fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/store/bad/not-files", test_not_files);
	ADD("/store/bad/empty", test_empty);
	ADD("/store/bad/no-database", test_no_database);
	ADD("/store/bad/foreign", test_foreign);
	ADD("/store/bad/newer", test_newer);
	ADD("/store/bad/truncated", test_truncated);
	ADD("/store/bad/damaged", test_damaged);
	ADD("/store/bad/checksum", test_checksum);
	ADD("/store/bad/contradictions", test_contradictions);
	return g_test_run();
}
