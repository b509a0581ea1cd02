/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-store-moves.c: decisions with their outcomes, overrides, contracts; that they outlive hosts, and
 * that the upgrade which brings their tables leaves all that was there.
 */
#include "config.h"

#include <string.h>

#include "contracts.h"
#include "decisions.h"
#include "overrides.h"
#include "store-fixture.h"
#include "upgrades.h"

#define UUID "5e0f0000-1000-4000-8000-0000000000aa"
#define UUID_LOUD "5E0F0000-1000-4000-8000-0000000000AA"

struct place {
	char *folder, *path;
};

static struct place place_new(void)
{
	struct place place = { .folder = fixture_folder() };

	place.path = g_build_filename(place.folder, "state.db", NULL);
	return place;
}

static void place_free(struct place *place)
{
	g_free(place->path);
	fixture_remove(place->folder);
}

static void decide(struct store *store, const char *name, const char *uuid, const char *target, int64_t time,
		   bool refused)
{
	g_autoptr(GError) error = NULL;
	const struct store_decision d = {
		.name = (char *)name, .time = time, .guest_uuid = (char *)uuid, .guest_name = (char *)"web",
		.target = (char *)target, .question = (char *)"migrate", .verdict = (char *)"ok",
		.mode = (char *)"report", .refused = refused, .ms = 7, .document = (char *)"{}",
	};

	store_put_decision(store, &d, &error);
	g_assert_no_error(error);
}

static struct store_decision *last(struct store *store, const char *uuid, int expected)
{
	g_autoptr(GError) error = NULL;
	struct store_decision *move = NULL;

	g_assert_cmpint(store_last_move(store, "h1", uuid, "web", &move, &error), ==, expected);
	g_assert_no_error(error);
	return move;
}

static void test_decisions(void)
{
	struct place place = place_new();
	struct store *store = fixture_open(place.path);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) found = NULL, recent = NULL;
	struct store_decision *move;

	g_assert_null(last(store, UUID, 0));
	decide(store, "aaaa0001", UUID, "h1", 100, false);
	decide(store, "aaaa0002", UUID, "h1", 200, true); /* refused: it never came */
	decide(store, "aaaa0003", UUID, "h2", 300, false);
	decide(store, "bbbb0004", NULL, "h1", 400, false);
	move = last(store, UUID_LOUD, 1);
	g_assert_cmpstr(move->name, ==, "aaaa0001");
	g_assert_true(store_set_outcome(store, move->id, "started", NULL, 110, 0, &error));
	store_decision_free(move);
	move = last(store, UUID, 1);
	g_assert_cmpstr(move->outcome, ==, "started");
	g_assert_cmpint(move->outcome_time, ==, 110);
	g_assert_true(store_set_outcome(store, move->id, NULL, NULL, 500, 500, &error));
	store_decision_free(move);
	move = last(store, UUID, 1);
	g_assert_cmpstr(move->outcome, ==, "started");
	g_assert_cmpint(move->outcome_time, ==, 110);
	g_assert_cmpint(move->left_time, ==, 500);
	store_decision_free(move);
	move = last(store, NULL, 1);
	g_assert_cmpstr(move->name, ==, "bbbb0004");
	store_decision_free(move);

	found = store_decisions(store, "aaaa", 0, &error);
	g_assert_cmpuint(found->len, ==, 3);
	g_assert_cmpstr(((struct store_decision *)found->pdata[0])->name, ==, "aaaa0003");
	recent = store_decisions(store, NULL, 300, &error);
	g_assert_cmpuint(recent->len, ==, 2);
	decide(store, "cccc0005", UUID, "h1", 300 + STORE_DECISIONS_KEPT, false);
	g_assert_cmpint(fixture_number(place.path, "SELECT count(*) FROM decision"), ==, 3);
	store_close(store);
	place_free(&place);
}

static void test_overrides(void)
{
	struct place place = place_new();
	struct store *store = fixture_open(place.path);
	g_autoptr(GError) error = NULL;
	const struct store_override o = {
		.guest = (char *)UUID, .guest_name = (char *)"web", .selector = (char *)"h1",
		.check = (char *)"cpu-missing", .reason = (char *)"because", .author = (char *)"jdoe",
		.uid = 1000, .created = 10, .expires = 20,
	};
	const struct store_contract c = { .since = 5, .cause = (char *)"first seen", .host = (char *)"h1",
					  .document = (char *)"{}" };
	g_autoptr(GPtrArray) all = NULL, contracts = NULL;
	struct store_override *one;
	int64_t id = 0;
	bool found;

	fixture_put(store, "h1", "d1", 1, "facts", "[]", NULL);
	g_assert_true(store_put_override(store, &o, &id, &error));
	g_assert_true(store_put_contract(store, UUID, &c, &error));
	decide(store, "aaaa0001", UUID, "h1", 100, false);
	g_assert_true(store_forget(store, "h1", &found, &error) && found);
	all = store_overrides(store, &error);
	g_assert_cmpuint(all->len, ==, 1);
	one = all->pdata[0];
	g_assert_cmpint(one->id, ==, id);
	g_assert_cmpstr(one->selector, ==, "h1");
	g_assert_cmpstr(one->check, ==, "cpu-missing");
	g_assert_cmpstr(one->author, ==, "jdoe");
	g_assert_cmpint(one->uid, ==, 1000);
	g_assert_cmpint(one->expires, ==, 20);
	g_assert_cmpint(one->revoked, ==, 0);
	contracts = store_contracts(store, UUID_LOUD, &error);
	g_assert_cmpuint(contracts->len, ==, 1);
	store_decision_free(last(store, UUID, 1));

	g_assert_true(store_revoke_override(store, id, "root", 15, &found, &error) && found);
	g_assert_true(store_revoke_override(store, id, "root", 16, &found, &error) && !found);
	g_assert_true(store_revoke_override(store, 99, "root", 16, &found, &error) && !found);
	g_assert_cmpint(fixture_number(place.path, "SELECT revoked FROM override"), ==, 15);
	store_close(store);
	place_free(&place);
}

static void put_contract(struct store *store, const char *document)
{
	const struct store_contract c = { .since = 5, .cause = (char *)"hotplug", .document = (char *)document };
	g_autoptr(GError) error = NULL;

	store_put_contract(store, UUID, &c, &error);
	g_assert_no_error(error);
}

static void test_contracts(void)
{
	struct place place = place_new();
	struct store *store = fixture_open(place.path);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) contracts = NULL;

	put_contract(store, "1");
	put_contract(store, "1"); /* nothing new */
	put_contract(store, "2");
	put_contract(store, "1"); /* back again is a version of its own */
	g_assert_true(store_renew_contract(store, UUID, "3", &error));
	contracts = store_contracts(store, UUID, &error);
	g_assert_cmpuint(contracts->len, ==, 3);
	for (guint i = 0; i < 3; i++) {
		const struct store_contract *c = contracts->pdata[i];
		static const char *const documents[] = { "3", "2", "1" };

		g_assert_cmpint(c->version, ==, 3 - i);
		g_assert_cmpstr(c->document, ==, documents[i]);
		g_assert_null(c->host);
	}
	store_close(store);
	place_free(&place);
}

/* All that version 1 could hold is there afterwards, row for row. */
static void test_upgrade_keeps(void)
{
	static const char *const tables[] = { "section", "profile", "profile_section", "host", "history",
					      "guest", "host_cluster", "host_label", "host_alias" };
	static const char rows[] =
		"INSERT INTO section VALUES (1, 'e3b0', '[]'); INSERT INTO profile VALUES (1, 'd1');"
		"INSERT INTO profile_section VALUES (1, 'facts', 0, 1);"
		"INSERT INTO host VALUES (1, 'h1', 'u1', 'x86_64', 1, '{}', 7);"
		"INSERT INTO history VALUES (1, 1, 1, 7);"
		"INSERT INTO guest VALUES (1, 1, 'web', '" UUID "', 1, '{}', 8);"
		"INSERT INTO host_cluster VALUES ('h1', 'prod'); INSERT INTO host_label VALUES ('h1', 'a', 'b');"
		"INSERT INTO host_alias VALUES ('h1', 'nova', 'c1');"
		"PRAGMA application_id = 0x63617062; PRAGMA user_version = 1";
	struct place place = place_new();
	g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func(g_free);

	fixture_run(place.path, store_upgrades[0].sql);
	fixture_run(place.path, rows);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
			g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s", tables[i]);
			g_autofree char *guest = fixture_text(place.path, "SELECT name || uuid FROM guest");

			g_assert_cmpint(fixture_number(place.path, sql), ==, 1);
			g_assert_cmpstr(guest, ==, "web" UUID);
		}
		if (pass == 0)
			store_close(fixture_open(place.path));
	}
	g_assert_cmpint(fixture_number(place.path, "PRAGMA user_version"), ==, store_upgrade_count);
	g_assert_cmpint(fixture_number(place.path, "SELECT count(*) FROM override"), ==, 0);
	place_free(&place);
}

/* A database that another process holds is given up as soon as was said. */
static void test_within(void)
{
	struct place place = place_new();
	g_autoptr(GError) error = NULL;
	struct store *store = fixture_open(place.path), *other;
	gint64 began;

	g_assert_true(store_begin(store, &error));
	other = store_open_within(place.path, false, 50, &error);
	g_assert_no_error(error);
	began = g_get_monotonic_time();
	g_assert_false(store_begin(other, &error));
	g_assert_cmpint(g_get_monotonic_time() - began, <, 4 * G_USEC_PER_SEC);
	fixture_check_error(&error, STORE_ERROR_LOCKED, place.path, "more than 0.05 s");
	store_close(other);
	store_close(store);
	place_free(&place);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/moves/decisions", test_decisions);
	g_test_add_func("/store/moves/overrides", test_overrides);
	g_test_add_func("/store/moves/contracts", test_contracts);
	g_test_add_func("/store/moves/upgrade-keeps", test_upgrade_keeps);
	g_test_add_func("/store/moves/within", test_within);
	return g_test_run();
}
