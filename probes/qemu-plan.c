/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu-plan.c: see qemu-plan.h.
 */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "qemu-plan.h"

#define MAX_EMULATORS 16u
#define MAX_MACHINES 512u

/* Where distributions put them; the first of several names of one file is the one it goes by. */
static const char *const folders[] = { "/usr/bin/", "/usr/local/bin/" };
static const char *const usual[] = {
	"/usr/libexec/qemu-kvm",
	"/usr/bin/qemu-kvm",
	"/usr/bin/qemu-system-x86_64-microvm",
};

static void plan_free(struct emulator_plan *plan)
{
	g_free(plan->path);
	g_free(plan->version);
	g_free(plan->trouble);
	g_free(plan->no_devices);
	g_ptr_array_unref(plan->accels);
	g_ptr_array_unref(plan->unusable);
	if (plan->machines)
		g_ptr_array_unref(plan->machines);
	g_ptr_array_unref(plan->docs);
	g_hash_table_destroy(plan->groups);
	json_decref(plan->refused);
	g_free(plan);
}

static struct emulator_plan *plan_new(const char *path, const struct source_file *file)
{
	struct emulator_plan *plan = g_new0(struct emulator_plan, 1);

	plan->path = g_strdup(path);
	plan->file = *file;
	plan->accels = g_ptr_array_new_with_free_func(g_free);
	plan->unusable = g_ptr_array_new_with_free_func(g_free);
	plan->docs = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	plan->groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	plan->refused = json_pack("{s:{}, s:{}}", "kvm", "tcg");
	return plan;
}

/* Adds a path that leads to a program none of the others leads to. */
static void add_emulator(struct context *context, GPtrArray *plans, const char *path)
{
	struct source_file file;
	int err;

	if (plans->len >= MAX_EMULATORS || !g_path_is_absolute(path))
		return;
	if (!source_stat(context->source, path, &file, &err) || !file.executable)
		return;
	for (guint i = 0; i < plans->len; i++) {
		const struct emulator_plan *plan = g_ptr_array_index(plans, i);

		if (plan->file.inode == file.inode && plan->file.device == file.device)
			return;
	}
	g_ptr_array_add(plans, plan_new(path, &file));
}

/* Another architecture's QEMU is not asked; the 32-bit one only where a guest has it. */
static bool is_own(const char *path, const char *arch)
{
	const char *own = arch_of_emulator(path);

	return !own || arch_family(own) == arch_family(arch);
}

GPtrArray *plan_emulators(struct context *context)
{
	GPtrArray *plans = g_ptr_array_new_with_free_func((GDestroyNotify)plan_free);
	const json_t *named = json_object_get(context->shared, "emulators");
	const GPtrArray *given = context->options->emulators;
	const char *arch = probe_arch(context);
	const json_t *path;
	size_t i;

	for (i = 0; i < given->len; i++)
		add_emulator(context, plans, g_ptr_array_index(given, i));
	for (i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *one = g_strconcat(folders[i], arch_usual_emulator(arch), NULL);

		add_emulator(context, plans, one);
	}
	for (i = 0; i < G_N_ELEMENTS(usual); i++)
		if (is_own(usual[i], arch))
			add_emulator(context, plans, usual[i]);
	json_array_foreach (named, i, path)
		if (is_own(json_string_value(path), arch))
			add_emulator(context, plans, json_string_value(path));
	return plans;
}

struct emulator_plan *plan_find(const GPtrArray *plans, const char *path)
{
	for (guint i = 0; i < plans->len; i++) {
		struct emulator_plan *plan = g_ptr_array_index(plans, i);

		if (!strcmp(plan->path, path))
			return plan;
	}
	return NULL;
}

/* --- machine types ---------------------------------------------------------------------------- */

struct candidate {
	const char *name;
	bool first, deprecated;
	unsigned int major, minor;
};

/* The version a name ends in: "pc-q35-7.2", "pc-i440fx-rhel7.6.0"; zero where there is none. */
static void read_version(struct candidate *c)
{
	const char *at = strrchr(c->name, '-');

	at = at ? at + strcspn(at, "0123456789") : "";
	c->major = (unsigned int)g_ascii_strtoull(at, NULL, 10);
	at = strchr(at, '.');
	c->minor = at ? (unsigned int)g_ascii_strtoull(at + 1, NULL, 10) : 0;
}

static int by_worth(gconstpointer a, gconstpointer b)
{
	const struct candidate *x = a, *y = b;

	if (x->first != y->first)
		return x->first ? -1 : 1;
	if (x->deprecated != y->deprecated)
		return x->deprecated ? 1 : -1;
	if (x->major != y->major)
		return x->major > y->major ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor > y->minor ? -1 : 1;
	return strcmp(x->name, y->name);
}

void plan_machines(struct emulator_plan *plan, const json_t *machines)
{
	g_autoptr(GArray) candidates = g_array_new(FALSE, TRUE, sizeof(struct candidate));
	const json_t *machine;
	size_t i;

	json_array_foreach (machines, i, machine) {
		struct candidate c = { .name = json_string_value(json_object_get(machine, "name")) };

		if (!c.name || !strcmp(c.name, "none") || candidates->len >= MAX_MACHINES)
			continue;
		c.first = json_object_get(machine, "alias") ||
			  json_is_true(json_object_get(machine, "is-default"));
		c.deprecated = json_is_true(json_object_get(machine, "deprecated"));
		read_version(&c);
		g_array_append_val(candidates, c);
	}
	g_array_sort(candidates, by_worth);
	plan->machines = g_ptr_array_new_with_free_func(g_free);
	for (guint k = 0; k < candidates->len; k++) {
		const struct candidate *c = &g_array_index(candidates, struct candidate, k);

		g_ptr_array_add(plan->machines, g_strdup(c->name));
		plan->first += c->first;
	}
}

/* --- turns ------------------------------------------------------------------------------------ */

static bool in_use(const struct context *context, const char *machine)
{
	const json_t *used = json_object_get(context->shared, "machines");
	const json_t *name;
	size_t i;

	json_array_foreach (used, i, name)
		if (!strcmp(json_string_value(name), machine))
			return true;
	return false;
}

static void add_turns(GPtrArray *turns, struct emulator_plan *plan, const char *machine)
{
	for (guint i = 0; i < plan->accels->len; i++) {
		struct turn *turn = g_new0(struct turn, 1);

		*turn = (struct turn){ plan, g_ptr_array_index(plan->accels, i), machine };
		g_ptr_array_add(turns, turn);
		plan->asked++;
	}
}

GPtrArray *plan_turns(struct context *context, const GPtrArray *plans)
{
	GPtrArray *turns = g_ptr_array_new_with_free_func(g_free);

	for (int round = 0; round < 2; round++) {
		for (guint i = 0; i < plans->len; i++) {
			struct emulator_plan *plan = g_ptr_array_index(plans, i);

			for (guint k = 0; plan->machines && k < plan->machines->len; k++) {
				const char *machine = g_ptr_array_index(plan->machines, k);
				bool early = k < plan->first || in_use(context, machine);

				if (early == (round == 0))
					add_turns(turns, plan, machine);
			}
		}
	}
	return turns;
}
