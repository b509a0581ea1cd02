/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-store-guests.c: guests lie with the host that runs them, and go where they go.
 */
#include "config.h"

#include <string.h>

#include "store-fixture.h"

struct fixture {
	char *folder, *path;
	struct store *store;
};

static void set_up(struct fixture *fixture, const void *data)
{
	(void)data;
	fixture->folder = fixture_folder();
	fixture->path = g_build_filename(fixture->folder, "state.db", NULL);
	fixture->store = fixture_open(fixture->path);
	fixture_put(fixture->store, "h1", "d1", 1, "facts", "[]", NULL);
	fixture_put(fixture->store, "h2", "d2", 1, "facts", "[]", NULL);
}

static void tear_down(struct fixture *fixture, const void *data)
{
	(void)data;
	store_close(fixture->store);
	g_free(fixture->path);
	fixture_remove(fixture->folder);
}

/* Puts guests written as "NAME UUID STATE; …", UUID "-" for none, STATE "running" or "defined". */
static bool put(struct fixture *fixture, const char *host, const char *text, GError **error)
{
	g_autoptr(GPtrArray) guests = g_ptr_array_new_with_free_func(
		(GDestroyNotify)store_guest_free);
	g_auto(GStrv) lines = g_strsplit(text, "; ", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", -1);
		struct store_guest *guest = g_new0(struct store_guest, 1);

		g_assert_cmpuint(g_strv_length(words), ==, 3);
		guest->name = g_strdup(words[0]);
		guest->uuid = strcmp(words[1], "-") ? g_strdup(words[1]) : NULL;
		guest->running = strcmp(words[2], "running") == 0;
		guest->document = g_strdup_printf("{\"from\":\"%s\"}", host ? host : "import");
		guest->seen = 5;
		g_ptr_array_add(guests, guest);
	}
	return store_put_guests(fixture->store, host, guests, error);
}

static void must_put(struct fixture *fixture, const char *host, const char *text)
{
	g_autoptr(GError) error = NULL;

	put(fixture, host, text, &error);
	g_assert_no_error(error);
}

/* Expects "NAME@HOST STATE DOCUMENT's origin; …" */
static void check(struct fixture *fixture, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) guests = store_guests(fixture->store, &error);
	g_autoptr(GString) text = g_string_new("");

	g_assert_no_error(error);
	for (guint i = 0; i < guests->len; i++) {
		struct store_guest *guest = guests->pdata[i];
		const char *from = strstr(guest->document, "import") ? " imported" : "";

		g_assert_cmpint(guest->seen, ==, 5);
		g_string_append_printf(text, "%s%s@%s %s%s", i ? "; " : "", guest->name,
			guest->host ? guest->host : "", guest->running ? "running" : "defined", from);
	}
	g_assert_cmpstr(text->str, ==, expected);
}

static void test_replace(struct fixture *fixture, const void *data)
{
	(void)data;
	must_put(fixture, "h1", "b u2 running; a u1 defined; c - running");
	must_put(fixture, "h2", "d u4 running");
	check(fixture, "a@h1 defined; b@h1 running; c@h1 running; d@h2 running");
	must_put(fixture, "h1", "a u1 running");
	check(fixture, "a@h1 running; d@h2 running");
}

static void test_move(struct fixture *fixture, const void *data)
{
	(void)data;
	must_put(fixture, "h1", "a AB-1 running");
	must_put(fixture, "h2", "a ab-1 running"); /* UUIDs are one in either case */
	check(fixture, "a@h2 running");
	must_put(fixture, "h1", "a ab-1 defined"); /* the source keeps the definition */
	check(fixture, "a@h2 running");
	must_put(fixture, "h2", "b - defined");
	must_put(fixture, "h1", "a ab-1 defined");
	check(fixture, "a@h1 defined; b@h2 defined");
	must_put(fixture, "h2", "a ab-1 defined");
	check(fixture, "a@h2 defined");
}

static void test_import(struct fixture *fixture, const void *data)
{
	(void)data;
	must_put(fixture, NULL, "a u1 defined; n - defined");
	check(fixture, "a@ defined imported; n@ defined imported");
	must_put(fixture, NULL, "n - running");
	check(fixture, "a@ defined imported; n@ running imported");
	must_put(fixture, "h1", "a u1 running");
	check(fixture, "a@h1 running; n@ running imported");
	must_put(fixture, NULL, "a u1 running"); /* stays with its host */
	check(fixture, "a@h1 running imported; n@ running imported");
}

static void test_refused(struct fixture *fixture, const void *data)
{
	g_autoptr(GError) error = NULL;

	(void)data;
	must_put(fixture, "h1", "a u1 running");
	g_assert_false(put(fixture, "h1", "b u2 running; c U2 running", &error));
	fixture_check_error(&error, STORE_ERROR_FAILED, fixture->path,
		"'b' and 'c' both have UUID 'u2'");
	g_assert_false(put(fixture, "h9", "b u2 running", &error));
	fixture_check_error(&error, STORE_ERROR_FAILED, fixture->path, "no host 'h9'");
	check(fixture, "a@h1 running");
}

static void test_forget(struct fixture *fixture, const void *data)
{
	(void)data;
	must_put(fixture, "h1", "a u1 running; b u2 defined");
	must_put(fixture, "h2", "c u3 running");
	must_put(fixture, NULL, "d u4 defined");
	g_assert_true(store_forget(fixture->store, "h1", NULL, NULL));
	check(fixture, "c@h2 running; d@ defined imported");
}

#define ADD(name, test) g_test_add(name, struct fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/store/guests/replace", test_replace);
	ADD("/store/guests/move", test_move);
	ADD("/store/guests/import", test_import);
	ADD("/store/guests/refused", test_refused);
	ADD("/store/guests/forget", test_forget);
	return g_test_run();
}
