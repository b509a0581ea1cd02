/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* traits.c: see traits.h. */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "plan/traits.h"

static void mark_free(gpointer data)
{
	struct mark *mark = data;

	g_free(mark->kind);
	g_free(mark->name);
	g_free(mark);
}

GPtrArray *marks_new(void)
{
	return g_ptr_array_new_with_free_func(mark_free);
}

void marks_add(GPtrArray *marks, const char *kind, const char *name)
{
	struct mark *mark = g_new(struct mark, 1);

	*mark = (struct mark){ g_strdup(kind), g_strdup(name) };
	g_ptr_array_add(marks, mark);
}

/* The first list of a view that is of the host's own architecture. */
static const GArray *machines_of(const struct profile *profile, enum view view)
{
	const char *usual = arch_usual_emulator(profile->arch);

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);
		const char *own = e->scope.emulator ? arch_of_emulator(e->scope.emulator) : NULL;

		if (e->scope.view == view && e->machines &&
		    (!own || !profile->arch || !strcmp(arch_usual_emulator(own), usual)))
			return e->machines;
	}
	return NULL;
}

bool marks_add_machines(GPtrArray *marks, const struct profile *profile)
{
	const GArray *machines = machines_of(profile, VIEW_QEMU);

	if (!machines)
		machines = machines_of(profile, VIEW_LIBVIRT);
	for (guint i = 0; machines && i < machines->len; i++) {
		const char *name = g_array_index(machines, struct machine, i).name;

		if (strcmp(name, "none"))
			marks_add(marks, "machine", name);
	}
	return machines != NULL;
}

char *trait_of(const struct mark *mark)
{
	GString *trait = g_string_new(TRAIT_PREFIX);
	char *kind = g_ascii_strup(mark->kind, -1);

	g_string_append_printf(trait, "%s_", kind);
	g_free(kind);
	for (const char *c = mark->name; *c; c++)
		g_string_append_c(trait, g_ascii_isalnum(*c) ? g_ascii_toupper(*c) : '_');
	if (trait->len <= TRAIT_MAX)
		return g_string_free(trait, FALSE);
	g_string_free(trait, TRUE);
	return NULL;
}

bool trait_is_ours(const char *trait)
{
	return g_str_has_prefix(trait, TRAIT_PREFIX);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_sorted(json_t *array, GPtrArray *names)
{
	g_ptr_array_sort(names, by_text);
	for (guint i = 0; i < names->len; i++)
		json_array_append_new(array, json_string(g_ptr_array_index(names, i)));
}

json_t *traits_merge(const json_t *have, GHashTable *want, json_t *added, json_t *removed)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new(), come = g_ptr_array_new(), go = g_ptr_array_new();
	g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
	const json_t *member;
	GHashTableIter iter;
	gpointer trait;
	json_t *merged;
	size_t i;

	json_array_foreach (have, i, member) {
		const char *name = json_string_value(member);

		if (!name || !g_hash_table_add(there, (gpointer)name))
			continue;
		g_ptr_array_add(trait_is_ours(name) && !g_hash_table_contains(want, name) ? go : all, (gpointer)name);
	}
	g_hash_table_iter_init(&iter, want);
	while (g_hash_table_iter_next(&iter, &trait, NULL)) {
		if (g_hash_table_contains(there, trait))
			continue;
		g_ptr_array_add(come, trait);
		g_ptr_array_add(all, trait);
	}
	add_sorted(added, come);
	add_sorted(removed, go);
	if (!come->len && !go->len)
		return NULL;
	merged = json_array();
	add_sorted(merged, all);
	return merged;
}
