/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * snapshots.c: snapshots that no host can go back to, for their machine types are gone; see
 * reasons.h. Only the machine type is told of a snapshot, so only it is looked at.
 */
#include "config.h"

#include <string.h>

#include "answer/reasons.h"
#include "judge/target.h"

/* V_OK where a host has the machine type, V_UNKNOWN where none is known to and some don't tell. */
static enum verdict find_machine(const struct fleet *fleet, const struct needs *of, const char *machine)
{
	const struct needs needs = { .machine = (char *)machine, .accel = of->accel, .arch = of->arch,
				     .emulator = of->emulator };
	enum verdict verdict = V_BLOCK;

	for (guint i = 0; i < fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(fleet->classes, i);
		struct target t;

		target_resolve_machine(&needs, class->profile, &t);
		if (t.info)
			return V_OK;
		if (!t.machines_known)
			verdict = V_UNKNOWN;
	}
	return verdict;
}

static void add_guest(json_t *array, GHashTable *known, const struct answering *a, const struct guest *guest)
{
	const struct needs *needs = guest_needs(guest);
	const json_t *snapshot;
	size_t i;

	json_array_foreach (guest->snapshots, i, snapshot) {
		const char *name = json_string_value(json_object_get(snapshot, "name"));
		const char *machine = json_string_value(json_object_get(snapshot, "machine"));
		char *key = g_strdup_printf("%s %s %s %s", machine ? machine : "", needs->accel ? needs->accel : "",
					    needs->arch ? needs->arch : "",
					    needs->emulator ? needs->emulator : "");
		void *found;

		if (!name || !machine) {
			g_free(key);
			continue;
		}
		if (!g_hash_table_lookup_extended(known, key, NULL, &found)) {
			found = GINT_TO_POINTER((int)find_machine(a->fleet, needs, machine));
			g_hash_table_insert(known, key, found);
		} else {
			g_free(key);
		}
		if (GPOINTER_TO_INT(found) != V_OK)
			json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:o}", "guest", guest->name,
							       "snapshot", name, "verdict",
							       verdict_name((enum verdict)GPOINTER_TO_INT(found)),
							       "name", machine, "machine",
							       removed_machine(a->judge->tables, machine)));
	}
}

json_t *stranded_snapshots(const struct answering *a, const GPtrArray *guests)
{
	g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	json_t *array = json_array();

	for (guint i = 0; i < guests->len; i++)
		add_guest(array, known, a, g_ptr_array_index(guests, i));
	return array;
}
