/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-store-kill.c: what was acknowledged survives a kill at any moment; readers see whole
 * commits while another process writes; many processes may open a new file at once.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store-fixture.h"

enum { KILLS = 25, READERS = 3, OPENERS = 8, FLEET = 20 };

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

/*
 * A power cut can't be had in a test, so SQLite's calls are watched: they come here, before the C
 * library's.
 */
static int syncs;

int fsync(int file)
{
	syncs++;
	return syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
	syncs++;
	return syscall(SYS_fdatasync, file);
}

static void test_synced(struct fixture *fixture, const void *data)
{
	g_autoptr(Store) store = fixture_open(fixture->path);

	(void)data;
	for (int i = 0; i < 10; i++) {
		int before = syncs;

		fixture_put(store, "h1", i % 2 ? "a" : "b", i, "facts", "[]", NULL);
		g_assert_cmpint(syncs, >, before);
		before = syncs;
		fixture_put(store, "h1", i % 2 ? "a" : "b", i + 1, NULL); /* unchanged */
		g_assert_cmpint(syncs, >, before);
		g_assert_true(store_begin(store, NULL));
		fixture_put(store, "h2", i % 2 ? "c" : "d", i, "facts", "[]", NULL);
		before = syncs;
		g_assert_true(store_commit(store, NULL));
		g_assert_cmpint(syncs, >, before);
	}
}

/* --- killed ----------------------------------------------------------------------------------- */

/* Puts hosts from number @next on, and writes each number once its commit returned. */
static void put_and_acknowledge(const char *path, int next, int out)
{
	g_autoptr(Store) store = fixture_open(path);

	for (;; next++) {
		g_autofree char *name = g_strdup_printf("h%d", next);
		g_autofree char *text = g_strnfill(next % 7 * 3000 + 10, 'a' + next % 26);
		bool batch = next % 3 == 0;

		if (batch)
			g_assert_true(store_begin(store, NULL));
		fixture_put(store, name, name, next, "own", text, "facts", "[]", NULL);
		if (batch)
			g_assert_true(store_commit(store, NULL));
		if (write(out, &next, sizeof(next)) != sizeof(next))
			_exit(1);
	}
}

/*
 * Returns the last number acknowledged by a child that lived for some microseconds, or @last.
 * Every other child lives at least to its first commit, however slow the machine.
 */
static int run_and_kill(const char *path, int last, int round, gulong lifetime_us)
{
	struct pollfd poll_for = { .events = POLLIN };
	int ends[2], status, number;
	pid_t child;

	g_assert_cmpint(pipe(ends), ==, 0);
	child = fork();
	g_assert_cmpint(child, >=, 0);
	if (child == 0) {
		close(ends[0]);
		put_and_acknowledge(path, last + 1, ends[1]);
	}
	close(ends[1]);
	poll_for.fd = ends[0];
	if (round % 2)
		g_assert_cmpint(poll(&poll_for, 1, 60 * 1000), ==, 1);
	g_usleep(lifetime_us);
	g_assert_cmpint(kill(child, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (read(ends[0], &number, sizeof(number)) == sizeof(number)) {
		g_assert_cmpint(number, ==, last + 1);
		last = number;
	}
	close(ends[0]);
	return last;
}

static bool count_whole(const struct store_host *host, const struct store_section *sections,
			size_t n_sections, void *data, GError **error)
{
	int *count = data;

	(void)error;
	g_assert_cmpstr(host->name, ==, host->digest);
	g_assert_cmpuint(n_sections, ==, 2);
	g_assert_cmpstr(sections[1].text, ==, "[]");
	++*count;
	return true;
}

static void test_killed(struct fixture *fixture, const void *data)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(3);
	int last = -1;

	(void)data;
	for (int i = 0; i < KILLS; i++) {
		g_autoptr(Store) store = NULL;
		g_autoptr(GError) error = NULL;
		int count = 0, wrote_to = run_and_kill(fixture->path, last, i,
				   g_rand_int_range(rand, 500, 60000));

		store = fixture_open(fixture->path);
		store_each_profile(store, count_whole, &count, &error);
		g_assert_no_error(error);
		/* One more may have been committed than could be acknowledged. */
		g_assert_cmpint(count, >=, wrote_to + 1);
		g_assert_cmpint(count, <=, wrote_to + 2);
		last = count - 1;
	}
	g_test_message("%d commits over %d kills", last + 1, KILLS);
	g_assert_cmpint(last + 1, >=, KILLS / 2);
	g_assert_cmpint(fixture_number(fixture->path,
		"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), ==, 1);
}

/* --- at once ---------------------------------------------------------------------------------- */

/* Every commit gives all hosts of the fleet the same new profile text. */
static void write_generation(struct store *store, int generation)
{
	g_autofree char *text = g_strdup_printf("%d", generation);

	g_assert_true(store_begin(store, NULL));
	for (int i = 0; i < FLEET; i++) {
		g_autofree char *name = g_strdup_printf("h%d", i);
		g_autofree char *digest = g_strdup_printf("%d-%d", i, generation);

		fixture_put(store, name, digest, generation, "facts", text, NULL);
	}
	g_assert_true(store_commit(store, NULL));
}

struct view {
	char generation[16];
	int hosts;
};

static bool check_generation(const struct store_host *host, const struct store_section *sections,
			     size_t n_sections, void *data, GError **error)
{
	struct view *view = data;

	(void)host;
	(void)error;
	g_assert_cmpuint(n_sections, ==, 1);
	if (view->hosts++ == 0)
		g_strlcpy(view->generation, sections[0].text, sizeof(view->generation));
	g_assert_cmpstr(view->generation, ==, sections[0].text);
	return true;
}

/* Reads until the last generation is seen; each view must be of one generation. */
static void read_generations(const char *path, int last)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Store) store = store_open(path, true, &error);
	int seen = -1;

	g_assert_no_error(error);
	while (seen < last) {
		struct view view = { .hosts = 0 };
		int generation;

		store_each_profile(store, check_generation, &view, &error);
		g_assert_no_error(error);
		g_assert_cmpint(view.hosts, ==, FLEET);
		generation = atoi(view.generation);
		g_assert_cmpint(generation, >=, seen);
		seen = generation;
	}
}

static pid_t start(void (*body)(const char *path, int number), const char *path, int number)
{
	pid_t child = fork();

	g_assert_cmpint(child, >=, 0);
	if (child == 0) {
		body(path, number);
		_exit(0);
	}
	return child;
}

static void expect_success(pid_t child)
{
	int status;

	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
}

static void test_readers(struct fixture *fixture, const void *data)
{
	struct store *store = fixture_open(fixture->path);
	const int last = 40;
	pid_t readers[READERS];

	(void)data;
	write_generation(store, 0);
	store_close(store); /* no connection may live across a fork */
	for (int i = 0; i < READERS; i++)
		readers[i] = start(read_generations, fixture->path, last);
	store = fixture_open(fixture->path);
	for (int i = 1; i <= last; i++)
		write_generation(store, i);
	for (int i = 0; i < READERS; i++)
		expect_success(readers[i]);
	store_close(store);
}

static void open_and_put(const char *path, int number)
{
	g_autoptr(Store) store = fixture_open(path);
	g_autofree char *name = g_strdup_printf("h%d", number);

	fixture_put(store, name, name, 1, "facts", "[]", NULL);
}

static void test_openers(struct fixture *fixture, const void *data)
{
	pid_t openers[OPENERS];

	(void)data;
	for (int i = 0; i < OPENERS; i++)
		openers[i] = start(open_and_put, fixture->path, i);
	for (int i = 0; i < OPENERS; i++)
		expect_success(openers[i]);
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM host"), ==, OPENERS);
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM section"), ==, 1);
}

#define ADD(name, test) g_test_add(name, struct fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/store/kill/synced", test_synced);
	ADD("/store/kill/killed", test_killed);
	ADD("/store/kill/readers", test_readers);
	ADD("/store/kill/openers", test_openers);
	return g_test_run();
}
