/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-probe-plan.c: which machine types a QEMU is asked for, and in which order.
 */
#include "config.h"

#include <glib.h>
#include <glib/gstdio.h>

#include "../probes/qemu-plan.h"

/* As query-machines lists them: in no order, with what matters in between. */
static const char machines_text[] =
	"[{\"name\": \"pc-q35-2.9\"}, {\"name\": \"none\"}, {\"name\": \"microvm\"},"
	" {\"name\": \"pc-i440fx-10.0\", \"alias\": \"pc\", \"is-default\": true},"
	" {\"name\": \"pc-q35-9.2\"}, {\"name\": \"pc-q35-10.0\", \"alias\": \"q35\"},"
	" {\"name\": \"pc-i440fx-2.4\", \"deprecated\": true}, {\"name\": \"pc-q35-2.10\"},"
	" {\"name\": \"pc-q35-rhel9.6.0\"}, {\"name\": 5}, {\"alias\": \"nameless\"}, 7]";

static const char *const expected[] = {
	"pc-i440fx-10.0", "pc-q35-10.0", /* what aliases and the default stand for */
	"pc-q35-rhel9.6.0", "pc-q35-9.2", "pc-q35-2.10", "pc-q35-2.9", /* by number, not by letter */
	"microvm", /* no version */
	"pc-i440fx-2.4", /* deprecated */
};

static void add_stat(GString *text, const char *path, int inode, bool executable)
{
	g_string_append_printf(text,
			       "{\"path\": \"stat:%s\", \"size\": 1, \"inode\": %d, \"device\": 1,"
			       " \"mtime\": 1, \"executable\": %s}\n",
			       path, inode, executable ? "true" : "false");
}

/* A recording of a host with some emulators, two of which are one file. */
static char *make_recording(void)
{
	char *dir = g_dir_make_tmp("capbroker-test-XXXXXX", NULL);
	g_autofree char *meta = g_build_filename(dir, "meta.jsonl", NULL);
	GString *text = g_string_new(NULL);

	add_stat(text, "/usr/libexec/qemu-kvm", 10, true);
	add_stat(text, "/usr/bin/qemu-kvm", 10, true);
	add_stat(text, "/usr/bin/qemu-system-x86_64", 11, false);
	add_stat(text, "/opt/qemu/bin/qemu-system-x86_64", 12, true);
	add_stat(text, "/usr/bin/qemu-system-aarch64", 13, true);
	add_stat(text, "/srv/own-qemu", 14, true);
	g_assert_true(g_file_set_contents(meta, text->str, -1, NULL));
	g_string_free(text, TRUE);
	return dir;
}

static void remove_recording(char *dir)
{
	g_autofree char *meta = g_build_filename(dir, "meta.jsonl", NULL);

	g_assert_cmpint(g_unlink(meta), ==, 0);
	g_assert_cmpint(g_rmdir(dir), ==, 0);
	g_free(dir);
}

struct fixture {
	char *dir;
	struct source *source;
	struct probe_options options;
	json_t *shared;
	struct context context;
	GPtrArray *plans;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	(void)data;
	f->dir = make_recording();
	f->source = source_new(SOURCE_REPLAY, f->dir, NULL);
	f->options.emulators = g_ptr_array_new();
	g_ptr_array_add(f->options.emulators, "/srv/own-qemu");
	f->shared = json_pack("{s:[s, s, s, s], s:[s, s]}", "emulators", "/usr/bin/qemu-system-aarch64",
			      "/opt/qemu/bin/qemu-system-x86_64", "/usr/bin/gone", "relative", "machines",
			      "pc-q35-2.9", "no-such");
	f->context = (struct context){ .source = f->source, .options = &f->options, .shared = f->shared };
	f->plans = plan_emulators(&f->context);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	(void)data;
	g_ptr_array_unref(f->plans);
	json_decref(f->shared);
	g_ptr_array_unref(f->options.emulators);
	source_free(f->source);
	remove_recording(f->dir);
}

static struct emulator_plan *plan_at(const struct fixture *f, guint i)
{
	return g_ptr_array_index(f->plans, i);
}

/* Each file once, by the name that comes first; what can't be run or is no x86 QEMU is left out. */
static void test_emulators(struct fixture *f, gconstpointer data)
{
	(void)data;
	g_assert_cmpuint(f->plans->len, ==, 3);
	g_assert_cmpstr(plan_at(f, 0)->path, ==, "/srv/own-qemu");
	g_assert_cmpstr(plan_at(f, 1)->path, ==, "/usr/libexec/qemu-kvm");
	g_assert_cmpstr(plan_at(f, 2)->path, ==, "/opt/qemu/bin/qemu-system-x86_64");
	g_assert_true(plan_find(f->plans, "/srv/own-qemu") == plan_at(f, 0));
	g_assert_null(plan_find(f->plans, "/usr/bin/qemu-kvm"));
}

static void test_machines(struct fixture *f, gconstpointer data)
{
	struct emulator_plan *plan = plan_at(f, 0);
	json_t *machines = json_loads(machines_text, 0, NULL);

	(void)data;
	g_assert_nonnull(machines);
	plan_machines(plan, machines);
	g_assert_cmpuint(plan->machines->len, ==, G_N_ELEMENTS(expected));
	g_assert_cmpuint(plan->first, ==, 2);
	for (guint i = 0; i < plan->machines->len; i++)
		g_assert_cmpstr(g_ptr_array_index(plan->machines, i), ==, expected[i]);
	json_decref(machines);
}

static void assert_turn(const GPtrArray *turns, guint i, const struct emulator_plan *plan,
			const char *accel, const char *machine)
{
	const struct turn *turn = g_ptr_array_index(turns, i);

	g_assert_true(turn->plan == plan);
	g_assert_cmpstr(turn->accel, ==, accel);
	g_assert_cmpstr(turn->machine, ==, machine);
}

/* What guests use comes with the aliases' targets, of all emulators before the rest of any. */
static void test_turns(struct fixture *f, gconstpointer data)
{
	struct emulator_plan *a = plan_at(f, 0), *b = plan_at(f, 1);
	json_t *machines = json_loads(machines_text, 0, NULL);
	g_autoptr(GPtrArray) turns = NULL;

	(void)data;
	plan_machines(a, machines);
	plan_machines(b, machines);
	g_ptr_array_add(a->accels, g_strdup("kvm"));
	g_ptr_array_add(a->accels, g_strdup("tcg"));
	g_ptr_array_add(b->accels, g_strdup("tcg"));
	turns = plan_turns(&f->context, f->plans);
	g_assert_cmpuint(turns->len, ==, 3 * G_N_ELEMENTS(expected));
	g_assert_cmpuint(a->asked, ==, 2 * G_N_ELEMENTS(expected));
	g_assert_cmpuint(plan_at(f, 2)->asked, ==, 0); /* no accelerator works: nothing to ask */
	assert_turn(turns, 0, a, "kvm", "pc-i440fx-10.0");
	assert_turn(turns, 1, a, "tcg", "pc-i440fx-10.0");
	assert_turn(turns, 4, a, "kvm", "pc-q35-2.9"); /* in use */
	assert_turn(turns, 6, b, "tcg", "pc-i440fx-10.0");
	assert_turn(turns, 8, b, "tcg", "pc-q35-2.9");
	assert_turn(turns, 9, a, "kvm", "pc-q35-rhel9.6.0");
	json_decref(machines);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/probe/plan/emulators", struct fixture, NULL, set_up, test_emulators, tear_down);
	g_test_add("/probe/plan/machines", struct fixture, NULL, set_up, test_machines, tear_down);
	g_test_add("/probe/plan/turns", struct fixture, NULL, set_up, test_turns, tear_down);
	return g_test_run();
}
