/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-store-profiles.c: what is put comes out; equal sections lie there once; the history tells
 * what was in force; what people wrote outlives what was observed.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store-fixture.h"

struct fixture {
	char *folder, *path;
	struct store *store;
};

static void set_up(struct fixture *fixture, const void *data)
{
	(void)data;
	fixture->folder = fixture_folder();
	fixture->path = g_build_filename(fixture->folder, "state", "a b?c#d%20e.db", NULL);
	fixture->store = fixture_open(fixture->path);
}

static void tear_down(struct fixture *fixture, const void *data)
{
	(void)data;
	store_close(fixture->store);
	g_free(fixture->path);
	fixture_remove(fixture->folder);
}

static void reopen(struct fixture *fixture)
{
	store_close(fixture->store);
	fixture->store = fixture_open(fixture->path);
}

static struct store_host *find_host(GPtrArray *hosts, const char *name)
{
	for (guint i = 0; i < hosts->len; i++) {
		struct store_host *host = hosts->pdata[i];

		if (strcmp(host->name, name) == 0)
			return host;
	}
	return NULL;
}

static GPtrArray *get_hosts(struct store *store)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *hosts = store_hosts(store, &error);

	g_assert_no_error(error);
	return hosts;
}

static void check_section(struct store *store, const char *digest, const char *name,
			  const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) profile = store_profile(store, digest, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(g_hash_table_lookup(profile, name), ==, text);
}

static void check_history(struct store *store, const char *host, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) history = store_history(store, host, &error);
	g_autoptr(GString) text = g_string_new("");

	g_assert_no_error(error);
	for (guint i = 0; i < history->len; i++) {
		struct store_history *entry = history->pdata[i];

		g_string_append_printf(text, "%s@%d ", entry->digest, (int)entry->since);
	}
	g_assert_cmpstr(text->str, ==, expected);
}

static void test_modes(struct fixture *fixture, const void *data)
{
	g_autofree char *folder = g_path_get_dirname(fixture->path);
	GStatBuf status;

	(void)data;
	g_assert_cmpint(g_stat(fixture->path, &status), ==, 0);
	g_assert_cmpint(status.st_mode & 07777, ==, 0600);
	g_assert_cmpint(g_stat(folder, &status), ==, 0);
	g_assert_cmpint(status.st_mode & 07777, ==, 0700);
	g_assert_cmpint(fixture_number(fixture->path, "PRAGMA application_id"), ==, 0x63617062);
}

static void test_round_trip(struct fixture *fixture, const void *data)
{
	g_autoptr(GHashTable) labels = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) aliases = g_hash_table_new(g_str_hash, g_str_equal);
	const char *sections[] = { "facts", "[\"größe\"]", "devices", "[]", NULL };
	struct store_host in = { "h1", "UUID-1", "x86_64", "blue", "d1", "{\"k\":1}", 7, labels,
		aliases };
	g_autoptr(GPtrArray) hosts = NULL;
	struct store_host *host;

	(void)data;
	g_hash_table_insert(labels, "rack", "r1");
	g_hash_table_insert(aliases, "nova", "n1");
	g_assert_true(store_put_profile(fixture->store, &in, sections, NULL));
	reopen(fixture);
	hosts = get_hosts(fixture->store);
	g_assert_cmpuint(hosts->len, ==, 1);
	host = hosts->pdata[0];
	g_assert_cmpstr(host->name, ==, "h1");
	g_assert_cmpstr(host->uuid, ==, "UUID-1");
	g_assert_cmpstr(host->arch, ==, "x86_64");
	g_assert_cmpstr(host->cluster, ==, "blue");
	g_assert_cmpstr(host->digest, ==, "d1");
	g_assert_cmpstr(host->fingerprint, ==, "{\"k\":1}");
	g_assert_cmpint(host->confirmed, ==, 7);
	g_assert_cmpstr(g_hash_table_lookup(host->labels, "rack"), ==, "r1");
	g_assert_cmpstr(g_hash_table_lookup(host->aliases, "nova"), ==, "n1");
	check_section(fixture->store, "d1", "facts", "[\"größe\"]");
	check_section(fixture->store, "d1", "devices", "[]");
	check_section(fixture->store, "d1", "other", NULL);
}

static void test_authored(struct fixture *fixture, const void *data)
{
	g_autoptr(GHashTable) labels = g_hash_table_new(g_str_hash, g_str_equal);
	struct store_host in = fixture_host("h1", "d1", 1);
	const char *sections[] = { "facts", "[]", NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) hosts = NULL;
	struct store_host *host;

	(void)data;
	in.cluster = "blue";
	in.uuid = "u1";
	g_assert_true(store_put_profile(fixture->store, &in, sections, NULL));
	g_assert_true(store_set_label(fixture->store, "h1", "rack", "r1", NULL));
	g_assert_true(store_set_label(fixture->store, "h1", "gone", "x", NULL));
	g_assert_true(store_set_label(fixture->store, "h1", "gone", NULL, NULL));
	g_hash_table_insert(labels, "row", "7");
	in.labels = labels;
	in.cluster = in.uuid = NULL;
	in.digest = "d2";
	g_assert_true(store_put_profile(fixture->store, &in, sections, NULL));
	hosts = get_hosts(fixture->store);
	host = hosts->pdata[0];
	g_assert_cmpstr(host->cluster, ==, "blue");
	g_assert_cmpstr(host->uuid, ==, "u1");
	g_assert_cmpuint(g_hash_table_size(host->labels), ==, 2);
	g_assert_cmpstr(g_hash_table_lookup(host->labels, "rack"), ==, "r1");
	g_assert_cmpstr(g_hash_table_lookup(host->labels, "row"), ==, "7");
	g_assert_false(store_set_label(fixture->store, "h2", "rack", "r1", &error));
	fixture_check_error(&error, STORE_ERROR_FAILED, fixture->path, "no host 'h2'");
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM host_label"), ==, 2);
}

static goffset log_size(struct fixture *fixture)
{
	g_autofree char *log = g_strconcat(fixture->path, "-wal", NULL);
	GStatBuf status;

	return g_stat(log, &status) ? 0 : status.st_size;
}

/* An unchanged profile costs one page in the log, whatever its size. */
static void test_unchanged(struct fixture *fixture, const void *data)
{
	g_autofree char *large = g_strnfill(1 << 20, 'x');
	struct store_host again = fixture_host("h1", "d1", 20);
	g_autoptr(GPtrArray) hosts = NULL;
	struct store_host *host;
	goffset before;

	(void)data;
	fixture_put(fixture->store, "h1", "d1", 10, "facts", large, NULL);
	reopen(fixture); /* empties the log */
	again.fingerprint = "{\"boot\":2}";
	before = log_size(fixture);
	g_assert_true(store_put_profile(fixture->store, &again, NULL, NULL));
	g_assert_cmpint(log_size(fixture) - before, <=, 2 * (4096 + 24) + 32);
	hosts = get_hosts(fixture->store);
	host = hosts->pdata[0];
	g_assert_cmpint(host->confirmed, ==, 20);
	g_assert_cmpstr(host->fingerprint, ==, "{\"boot\":2}");
	check_history(fixture->store, "h1", "d1@10 ");
}

static void test_sections_once(struct fixture *fixture, const void *data)
{
	(void)data;
	for (int i = 0; i < 50; i++) {
		g_autofree char *name = g_strdup_printf("h%d", i);
		g_autofree char *digest = g_strdup_printf("d%d", i);
		g_autofree char *own = g_strdup_printf("{\"name\":%d}", i);

		fixture_put(fixture->store, name, digest, i, "host", own, "facts",
			i % 2 ? "[1]" : "[2]", "devices", "[1]", NULL);
	}
	/* 50 of their own, "[1]" and "[2]" */
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM section"), ==, 52);
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM profile_section"), ==,
		150);
	for (int i = 0; i < 50; i++) {
		g_autofree char *name = g_strdup_printf("h%d", i);
		bool found = false;

		g_assert_true(store_forget(fixture->store, name, &found, NULL));
		g_assert_true(found);
	}
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM section"), ==, 0);
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM profile"), ==, 0);
}

static void test_history(struct fixture *fixture, const void *data)
{
	int64_t dropped = -1;

	(void)data;
	fixture_put(fixture->store, "h1", "a", 10, "facts", "[1]", NULL);
	fixture_put(fixture->store, "h1", "b", 20, "facts", "[2]", NULL);
	fixture_put(fixture->store, "h1", "a", 30, "facts", "[1]", NULL);
	fixture_put(fixture->store, "h1", "c", 40, "facts", "[3]", NULL);
	fixture_put(fixture->store, "h2", "b2", 15, "facts", "[2]", NULL);
	check_history(fixture->store, "h1", "c@40 a@30 b@20 a@10 ");
	check_history(fixture->store, "unknown", "");
	/* At 25 b was in force, so it stays; the first a was replaced at 20. */
	g_assert_true(store_prune(fixture->store, 25, &dropped, NULL));
	g_assert_cmpint(dropped, ==, 1);
	check_history(fixture->store, "h1", "c@40 a@30 b@20 ");
	check_section(fixture->store, "a", "facts", "[1]");
	g_assert_true(store_prune(fixture->store, 1000, &dropped, NULL));
	g_assert_cmpint(dropped, ==, 2);
	check_history(fixture->store, "h1", "c@40 ");
	check_history(fixture->store, "h2", "b2@15 ");
	check_section(fixture->store, "b2", "facts", "[2]");
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM section"), ==, 2);
}

static void test_forget(struct fixture *fixture, const void *data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) hosts = NULL;
	bool found = true;

	(void)data;
	fixture_put(fixture->store, "h1", "a", 10, "facts", "[1]", NULL);
	fixture_put(fixture->store, "h2", "b", 10, "facts", "[1]", "own", "{}", NULL);
	g_assert_true(store_set_label(fixture->store, "h2", "rack", "r1", NULL));
	g_assert_true(store_forget(fixture->store, "h3", &found, NULL));
	g_assert_false(found);
	g_assert_true(store_forget(fixture->store, "h2", &found, NULL));
	g_assert_true(found);
	hosts = get_hosts(fixture->store);
	g_assert_cmpuint(hosts->len, ==, 1);
	g_assert_nonnull(find_host(hosts, "h1"));
	check_section(fixture->store, "a", "facts", "[1]");
	g_assert_null(store_profile(fixture->store, "b", &error));
	fixture_check_error(&error, STORE_ERROR_FAILED, fixture->path, "'b'");
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM section"), ==, 1);
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM host_label"), ==, 0);
}

/* One failing change is taken back alone; the batch stands. */
static void test_batch(struct fixture *fixture, const void *data)
{
	struct store_host bad = fixture_host("bad", "bad", 1);
	const char *twice[] = { "facts", "[8]", "facts", "[9]", NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) hosts = NULL;

	(void)data;
	g_assert_true(store_begin(fixture->store, NULL));
	fixture_put(fixture->store, "h1", "a", 1, "facts", "[1]", NULL);
	g_assert_false(store_put_profile(fixture->store, &bad, twice, &error));
	fixture_check_error(&error, STORE_ERROR_FAILED, fixture->path, "two sections 'facts'");
	fixture_put(fixture->store, "h2", "b", 1, "facts", "[2]", NULL);
	g_assert_true(store_commit(fixture->store, NULL));
	g_assert_true(store_begin(fixture->store, NULL));
	fixture_put(fixture->store, "h3", "c", 1, "facts", "[3]", NULL);
	store_rollback(fixture->store);
	reopen(fixture);
	hosts = get_hosts(fixture->store);
	g_assert_cmpuint(hosts->len, ==, 2);
	g_assert_nonnull(find_host(hosts, "h1"));
	g_assert_nonnull(find_host(hosts, "h2"));
	g_assert_cmpint(fixture_number(fixture->path, "SELECT count(*) FROM section"), ==, 2);
}

struct seen {
	GHashTable *texts; /* hash → text pointer */
	GString *order;
	guint stop_after, hosts;
};

static bool see(const struct store_host *host, const struct store_section *sections,
		size_t n_sections, void *data, GError **error)
{
	struct seen *seen = data;

	g_string_append_printf(seen->order, "%s/%s:", host->name, host->digest);
	for (size_t i = 0; i < n_sections; i++) {
		const char *text = g_hash_table_lookup(seen->texts, sections[i].hash);
		g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256,
			sections[i].text, -1);

		g_assert_cmpstr(sections[i].hash, ==, hash);
		g_assert_cmpuint(sections[i].length, ==, strlen(sections[i].text));
		g_assert_true(!text || text == sections[i].text);
		g_hash_table_insert(seen->texts, g_strdup(sections[i].hash),
			(char *)sections[i].text);
		g_string_append_printf(seen->order, " %s=%s", sections[i].name, sections[i].text);
	}
	g_string_append(seen->order, "\n");
	if (++seen->hosts < seen->stop_after)
		return true;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR, "enough");
	return false;
}

static void test_each(struct fixture *fixture, const void *data)
{
	struct seen seen = {
		.texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.order = g_string_new(""),
		.stop_after = 99,
	};
	g_autoptr(GError) error = NULL;

	(void)data;
	fixture_put(fixture->store, "h2", "b", 1, "z", "[1]", "a", "[2]", "m", "[1]", NULL);
	fixture_put(fixture->store, "h1", "old", 1, "z", "[0]", NULL);
	fixture_put(fixture->store, "h1", "a", 2, "z", "[2]", NULL);
	fixture_put(fixture->store, "h3", "c", 1, NULL);
	g_assert_true(store_each_profile(fixture->store, see, &seen, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(seen.order->str, ==, "h1/a: z=[2]\nh2/b: z=[1] a=[2] m=[1]\nh3/c:\n");
	g_assert_cmpuint(g_hash_table_size(seen.texts), ==, 2);
	g_hash_table_remove_all(seen.texts); /* pointers of the next call are its own */
	seen.hosts = 0;
	seen.stop_after = 2;
	g_assert_false(store_each_profile(fixture->store, see, &seen, &error));
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR);
	g_assert_cmpuint(seen.hosts, ==, 2);
	fixture_put(fixture->store, "h4", "d", 1, "z", "[4]", NULL); /* no transaction stays open */
	g_hash_table_unref(seen.texts);
	g_string_free(seen.order, TRUE);
}

static bool see_former(const struct store_host *host, const struct store_section *sections, size_t n,
		       void *data, GError **error)
{
	GString *order = data;

	(void)error;
	g_string_append_printf(order, "%s/%s:", host->name, host->digest ? host->digest : "-");
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(order, " %s=%s", sections[i].name, sections[i].text);
	g_string_append(order, "\n");
	return true;
}

static char *formers_at(struct store *store, int64_t at)
{
	g_autoptr(GError) error = NULL;
	GString *order = g_string_new("");

	g_assert_true(store_each_former(store, at, see_former, order, &error));
	g_assert_no_error(error);
	return g_string_free(order, FALSE);
}

/* Only hosts that have another profile now, each with the one that was in force then. */
static void test_former(struct fixture *fixture, const void *data)
{
	static const struct {
		int64_t at;
		const char *formers;
	} cases[] = {
		{ 9, "back/-:\nmoved/-:\nnew/-:\nstays/-:\n" },
		{ 10, "moved/a: z=[1]\nnew/-:\n" },
		{ 19, "moved/a: z=[1]\nnew/-:\n" },
		{ 20, "back/b: z=[2]\nmoved/b: z=[2]\nnew/-:\n" },
		{ 30, "" },
		{ 99, "" },
	};

	(void)data;
	fixture_put(fixture->store, "stays", "a", 10, "z", "[1]", NULL);
	fixture_put(fixture->store, "moved", "a", 10, "z", "[1]", NULL);
	fixture_put(fixture->store, "back", "a", 10, "z", "[1]", NULL);
	fixture_put(fixture->store, "moved", "b", 20, "z", "[2]", NULL);
	fixture_put(fixture->store, "back", "b", 20, "z", "[2]", NULL);
	fixture_put(fixture->store, "moved", "c", 30, "z", "[3]", NULL);
	fixture_put(fixture->store, "back", "a", 30, "z", "[1]", NULL);
	fixture_put(fixture->store, "new", "c", 30, "z", "[3]", NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *formers = formers_at(fixture->store, cases[i].at);

		g_assert_cmpstr(formers, ==, cases[i].formers);
	}
	fixture_put(fixture->store, "new", "d", 40, "z", "[4]", NULL); /* no transaction stays open */
}

#define ADD(name, test) g_test_add(name, struct fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/store/modes", test_modes);
	ADD("/store/round-trip", test_round_trip);
	ADD("/store/authored", test_authored);
	ADD("/store/unchanged", test_unchanged);
	ADD("/store/sections-once", test_sections_once);
	ADD("/store/history", test_history);
	ADD("/store/forget", test_forget);
	ADD("/store/batch", test_batch);
	ADD("/store/each", test_each);
	ADD("/store/former", test_former);
	return g_test_run();
}
