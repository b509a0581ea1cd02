/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-store-limits.c: a locked database, a full disk, folders and files that may not be written:
 * one clear line each, and what was acknowledged before stays.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store-fixture.h"

enum { NOBODY = 65534, SKIP = 77 };

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

static int count_hosts(struct store *store)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) hosts = store_hosts(store, &error);

	g_assert_no_error(error);
	return hosts->len;
}

/* Runs @body in a child, which may spoil its own rights and limits. */
static void in_child(struct fixture *fixture, void (*body)(struct fixture *fixture))
{
	int status;
	pid_t child = fork();

	g_assert_cmpint(child, >=, 0);
	if (child == 0) {
		body(fixture);
		_exit(0);
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIP)
		g_test_skip("not root in a namespace of its own: cannot mount a file system");
	else
		g_assert_cmpint(status, ==, 0);
}

/* --- locked ----------------------------------------------------------------------------------- */

static void test_locked(struct fixture *fixture, const void *data)
{
	g_autoptr(Store) first = fixture_open(fixture->path);
	g_autoptr(Store) second = fixture_open(fixture->path);
	struct store_host host = fixture_host("h2", "d2", 1);
	const char *sections[] = { "facts", "[]", NULL };
	g_autoptr(GError) error = NULL;
	int64_t start, waited;

	(void)data;
	g_assert_true(store_begin(first, NULL));
	fixture_put(first, "h1", "d1", 1, "facts", "[1]", NULL);
	store_set_timeout(second, 300);
	g_assert_cmpint(count_hosts(second), ==, 0); /* reading never waits */
	start = g_get_monotonic_time();
	g_assert_false(store_put_profile(second, &host, sections, &error));
	waited = g_get_monotonic_time() - start;
	fixture_check_error(&error, STORE_ERROR_LOCKED, fixture->path, "for more than 0.3 s");
	g_assert_cmpint(waited, >=, 250 * 1000);
	g_assert_false(store_begin(second, &error));
	fixture_check_error(&error, STORE_ERROR_LOCKED, fixture->path, "locked by another process");
	g_assert_true(store_commit(first, NULL));
	fixture_put(second, "h2", "d2", 1, "facts", "[2]", NULL);
	g_assert_cmpint(count_hosts(first), ==, 2);
}

/* A new file that another process holds whole: given up after the time that store.h promises. */
static void test_locked_new(struct fixture *fixture, const void *data)
{
	g_autoptr(GError) error = NULL;
	int64_t start, waited;
	sqlite3 *db;

	(void)data;
	g_assert_cmpint(sqlite3_open(fixture->path, &db), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
	start = g_get_monotonic_time();
	g_assert_null(store_open(fixture->path, false, &error));
	waited = g_get_monotonic_time() - start;
	fixture_check_error(&error, STORE_ERROR_LOCKED, fixture->path, "for more than 5 s");
	g_assert_cmpint(waited, >=, STORE_TIMEOUT_MS * 1000 * 9 / 10);
	sqlite3_close(db);
	store_close(fixture_open(fixture->path));
}

/* --- full ------------------------------------------------------------------------------------- */

static bool put_large(struct store *store, const char *name, size_t bytes, GError **error)
{
	g_autofree char *text = g_strnfill(bytes, name[0]);
	const char *sections[] = { "facts", text, NULL };
	struct store_host host = fixture_host(name, name, 1);

	return store_put_profile(store, &host, sections, error);
}

/*
 * A small and a large profile in one batch. Up to SQLite's cache the large one fails at the
 * commit, beyond it when it is put; there is never an acknowledged commit that isn't kept.
 */
static void fill_batch(struct store *store, const char *path, size_t bytes)
{
	g_autoptr(GError) error = NULL;
	bool put, committed;

	g_assert_true(store_begin(store, NULL));
	fixture_put(store, "small", "s", 1, "facts", "[2]", NULL);
	put = put_large(store, "large", bytes, &error);
	if (!put)
		fixture_check_error(&error, STORE_ERROR_FULL, path, "make room");
	committed = store_commit(store, &error);
	g_assert_false(put && committed);
	g_assert_true(committed || error);
	g_clear_error(&error);
	g_assert_cmpint(count_hosts(store), ==, committed ? 2 : 1);
	if (committed)
		g_assert_true(store_forget(store, "small", NULL, NULL));
}

/* What a full disk does, with room made by @make_room afterwards. */
static void fill_up(const char *path, void (*make_room)(const char *path))
{
	g_autoptr(Store) store = fixture_open(path);
	g_autoptr(GError) error = NULL;

	fixture_put(store, "before", "b", 1, "facts", "[1]", NULL);
	g_assert_false(put_large(store, "large", 1 << 20, &error));
	fixture_check_error(&error, STORE_ERROR_FULL, path, "make room");
	g_assert_cmpint(count_hosts(store), ==, 1);
	fill_batch(store, path, 1 << 20);
	fill_batch(store, path, 8 << 20);
	g_clear_pointer(&store, store_close);
	make_room(path);
	store = fixture_open(path);
	g_assert_cmpint(count_hosts(store), ==, 1);
	put_large(store, "large", 1 << 20, &error);
	g_assert_no_error(error);
	g_assert_cmpint(count_hosts(store), ==, 2);
}

static void lift_limit(const char *path)
{
	struct rlimit limit;

	(void)path;
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	limit.rlim_cur = limit.rlim_max;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void lower_limit(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	limit.rlim_cur = bytes;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void fill_quota(struct fixture *fixture)
{
	lower_limit(512 * 1024);
	fill_up(fixture->path, lift_limit);
}

static void test_size_limit(struct fixture *fixture, const void *data)
{
	(void)data;
	in_child(fixture, fill_quota);
}

static void create_without_room(struct fixture *fixture)
{
	g_autoptr(GError) error = NULL;

	lower_limit(6000);
	g_assert_null(store_open(fixture->path, false, &error));
	fixture_check_error(&error, STORE_ERROR_FULL, fixture->path, "make room");
	lift_limit(NULL);
	store_close(fixture_open(fixture->path));
}

/* The schema doesn't fit: the file remains a new one. */
static void test_create_full(struct fixture *fixture, const void *data)
{
	(void)data;
	in_child(fixture, create_without_room);
}

static bool mount_here(struct fixture *fixture, const char *options)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0 &&
	       mount("capbroker-test", fixture->folder, "tmpfs", 0, options) == 0;
}

static void enlarge(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);

	g_assert_cmpint(mount("none", folder, "tmpfs", MS_REMOUNT, "size=16m"), ==, 0);
}

static void fill_disk(struct fixture *fixture)
{
	if (!mount_here(fixture, "size=600k"))
		_exit(SKIP);
	fill_up(fixture->path, enlarge);
}

static void test_full_disk(struct fixture *fixture, const void *data)
{
	(void)data;
	in_child(fixture, fill_disk);
}

/* --- not writable ----------------------------------------------------------------------------- */

static void use_read_only_disk(struct fixture *fixture)
{
	g_autofree char *fresh = g_build_filename(fixture->folder, "new.db", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = NULL;

	if (!mount_here(fixture, "size=4m"))
		_exit(SKIP);
	store = fixture_open(fixture->path);
	fixture_put(store, "h1", "d1", 1, "facts", "[1]", NULL);
	g_clear_pointer(&store, store_close);
	g_assert_cmpint(mount("none", fixture->folder, "tmpfs", MS_REMOUNT | MS_RDONLY, ""), ==, 0);
	g_assert_null(store_open(fixture->path, false, &error));
	fixture_check_error(&error, STORE_ERROR_FULL, fixture->path, "Read-only file system");
	g_assert_null(store_open(fresh, false, &error));
	fixture_check_error(&error, STORE_ERROR_FULL, fresh, "Read-only file system");
	store = store_open(fixture->path, true, &error);
	g_assert_no_error(error);
	g_assert_cmpint(count_hosts(store), ==, 1);
}

static void test_read_only_disk(struct fixture *fixture, const void *data)
{
	(void)data;
	in_child(fixture, use_read_only_disk);
}

/* Another user where this one is root, whom no mode stops. */
static void drop_rights(struct fixture *fixture)
{
	if (geteuid() != 0)
		return;
	g_assert_cmpint(chown(fixture->folder, NOBODY, NOBODY), ==, 0);
	g_assert_cmpint(setgid(NOBODY), ==, 0);
	g_assert_cmpint(setuid(NOBODY), ==, 0);
}

static void use_closed_folder(struct fixture *fixture)
{
	g_autofree char *fresh = g_build_filename(fixture->folder, "new.db", NULL);
	g_autofree char *deep = g_build_filename(fixture->folder, "deep", "new.db", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = NULL;

	drop_rights(fixture);
	store = fixture_open(fixture->path);
	fixture_put(store, "h1", "d1", 1, "facts", "[1]", NULL);
	g_clear_pointer(&store, store_close);
	g_assert_cmpint(g_chmod(fixture->folder, 0500), ==, 0);
	g_assert_null(store_open(fixture->path, false, &error));
	fixture_check_error(&error, STORE_ERROR_OPEN, fixture->path, "Permission denied");
	g_assert_null(store_open(fresh, false, &error));
	fixture_check_error(&error, STORE_ERROR_OPEN, fresh, "Permission denied");
	g_assert_null(store_open(deep, false, &error));
	fixture_check_error(&error, STORE_ERROR_OPEN, deep, "Permission denied");
	store = store_open(fixture->path, true, &error);
	g_assert_no_error(error);
	g_assert_cmpint(count_hosts(store), ==, 1);
}

static void test_closed_folder(struct fixture *fixture, const void *data)
{
	(void)data;
	in_child(fixture, use_closed_folder);
}

static void use_closed_file(struct fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = NULL;

	drop_rights(fixture);
	store = fixture_open(fixture->path);
	fixture_put(store, "h1", "d1", 1, "facts", "[1]", NULL);
	g_clear_pointer(&store, store_close);
	g_assert_cmpint(g_chmod(fixture->path, 0400), ==, 0);
	g_assert_null(store_open(fixture->path, false, &error));
	fixture_check_error(&error, STORE_ERROR_OPEN, fixture->path, "Permission denied");
	store = store_open(fixture->path, true, &error);
	g_assert_no_error(error);
	g_assert_cmpint(count_hosts(store), ==, 1);
	g_clear_pointer(&store, store_close);
	g_assert_cmpint(g_chmod(fixture->path, 0), ==, 0);
	g_assert_null(store_open(fixture->path, true, &error));
	fixture_check_error(&error, STORE_ERROR_OPEN, fixture->path, "read: Permission denied");
}

static void test_closed_file(struct fixture *fixture, const void *data)
{
	(void)data;
	in_child(fixture, use_closed_file);
}

static void test_read_only_open(struct fixture *fixture, const void *data)
{
	struct store_host host = fixture_host("h1", "d1", 1);
	const char *sections[] = { "facts", "[]", NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = NULL;

	(void)data;
	store_close(fixture_open(fixture->path));
	store = store_open(fixture->path, true, &error);
	g_assert_no_error(error);
	g_assert_false(store_put_profile(store, &host, sections, &error));
	fixture_check_error(&error, STORE_ERROR_FAILED, fixture->path, "for reading only");
}

#define ADD(name, test) g_test_add(name, struct fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/store/limits/locked", test_locked);
	ADD("/store/limits/locked-new", test_locked_new);
	ADD("/store/limits/size-limit", test_size_limit);
	ADD("/store/limits/create-full", test_create_full);
	ADD("/store/limits/full-disk", test_full_disk);
	ADD("/store/limits/read-only-disk", test_read_only_disk);
	ADD("/store/limits/closed-folder", test_closed_folder);
	ADD("/store/limits/closed-file", test_closed_file);
	ADD("/store/limits/read-only-open", test_read_only_open);
	return g_test_run();
}
