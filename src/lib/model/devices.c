/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* devices.c: see devices.h. */
#include "config.h"

#include <string.h>

#include "model/devices.h"

static bool listed(const json_t *array, const char *name)
{
	const json_t *member;
	size_t i;

	json_array_foreach (array, i, member)
		if (!g_strcmp0(json_string_value(member), name))
			return true;
	return false;
}

bool device_is_cpu(const char *type)
{
	return g_str_has_suffix(type, "-cpu");
}

/* The entries of QEMU's own view with that path, one after the other: the next from *@i on. */
static const json_t *next_entry(const struct profile *profile, const char *path, guint *i)
{
	while (*i < profile->emulators->len) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, (*i)++);

		if (e->scope.view == VIEW_QEMU && (!path || !g_strcmp0(e->scope.emulator, path)))
			return e->json;
	}
	return NULL;
}

int emulator_has_device(const struct profile *profile, const char *path, const char *type)
{
	const json_t *entry;
	int has = -1;
	guint i = 0;

	if (device_is_cpu(type) || !strcmp(type, "cpu"))
		return -1;
	while ((entry = next_entry(profile, path, &i))) {
		if (json_object_get(json_object_get(entry, "devices"), type))
			return 1;
		if (json_is_true(json_object_get(entry, "devices_complete")))
			has = 0;
	}
	return has;
}

int emulator_has_property(const struct profile *profile, const char *path, const char *type,
			  const char *property)
{
	const json_t *entry;
	guint i = 0;

	while ((entry = next_entry(profile, path, &i))) {
		const json_t *names = json_object_get(json_object_get(entry, "devices"), type);

		if (json_is_array(names))
			return listed(names, property);
	}
	return emulator_has_device(profile, path, type) == 0 ? 0 : -1;
}

int emulator_has_object(const struct profile *profile, const char *path, const char *type)
{
	const json_t *entry;
	guint i = 0;

	while ((entry = next_entry(profile, path, &i))) {
		const json_t *names = json_object_get(entry, "objects");

		if (json_is_array(names))
			return listed(names, type);
	}
	return -1;
}
