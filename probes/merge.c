/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * merge.c: see merge.h.
 */
#include "config.h"

#include "merge.h"
#include "units.h"

/* The members that make an emulator's scope equal. */
static bool same_entry(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "view", "path", "accel", "machine", "migratable" };

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		const json_t *x = json_object_get(a, keys[i]), *y = json_object_get(b, keys[i]);

		if (!x != !y || (x && !json_equal(x, y)))
			return false;
	}
	return true;
}

static void merge_emulator(json_t *doc, json_t *entry)
{
	json_t *emulators = json_object_get(doc, "emulators");
	json_t *facts = json_object_get(entry, "facts");
	json_t *old;
	size_t i;

	json_array_foreach (emulators, i, old) {
		if (!same_entry(old, entry))
			continue;
		json_array_extend(json_object_get(old, "facts"), facts);
		json_object_update_missing(old, entry);
		return;
	}
	json_array_append(emulators, entry);
}

/* Objects within are merged one level deep; the first to say something is believed. */
void merge_object(json_t *into, json_t *from)
{
	const char *key;
	json_t *value;

	json_object_foreach (from, key, value) {
		json_t *old = json_object_get(into, key);

		if (json_is_object(old) && json_is_object(value))
			json_object_update_missing(old, value);
		else if (json_is_array(old) && json_is_array(value))
			json_array_extend(old, value);
		else if (!old)
			json_object_set(into, key, value);
	}
}

void merge_fragment(json_t *doc, json_t *fragment)
{
	json_t *host = json_object_get(fragment, "host");
	json_t *entry;
	size_t i;

	if (!*json_string_value(json_object_get(host, "name")))
		json_object_del(host, "name");
	merge_object(json_object_get(doc, "host"), host);
	merge_object(json_object_get(doc, "fingerprint"), json_object_get(fragment, "fingerprint"));
	json_array_extend(json_object_get(doc, "facts"), json_object_get(fragment, "facts"));
	json_array_foreach (json_object_get(fragment, "emulators"), i, entry)
		merge_emulator(doc, entry);
	units_merge(json_object_get(doc, "iommus"), json_object_get(fragment, "iommus"), "id");
	units_merge(json_object_get(doc, "devices"), json_object_get(fragment, "devices"), "address");
}
