/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* power.c: see power.h. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "model/power.h"

#define FIRST 6u
#define LAST 11u

/* As libvirt reads it: the prefix and nothing but a number of a generation that has modes. */
static int level(const char *name, const char *prefix)
{
	guint64 n;

	if (!name || !g_str_has_prefix(name, prefix) ||
	    !g_ascii_string_to_unsigned(name + strlen(prefix), 10, FIRST, LAST, &n, NULL))
		return -1;
	return (int)(n - FIRST + 1);
}

int power_level(const char *model)
{
	return level(model, "POWER");
}

int power_mode_level(const char *mode)
{
	return level(mode, "power");
}

const char *power_mode(int level)
{
	static const char *const modes[] = { "power6", "power7", "power8", "power9", "power10", "power11" };
	_Static_assert(G_N_ELEMENTS(modes) == LAST - FIRST + 1, "a mode without a name");

	return level > 0 && (size_t)level <= G_N_ELEMENTS(modes) ? modes[level - 1] : NULL;
}

const char *power_generation(const char *model)
{
	static const char *const old[][2] = {
		{ "POWER7_v2.1", "POWER7" },  { "POWER7_v2.3", "POWER7" },
		{ "POWER7+_v2.1", "POWER7" }, { "POWER8_v1.0", "POWER8" },
	};

	for (size_t i = 0; model && i < G_N_ELEMENTS(old); i++)
		if (!strcmp(old[i][0], model))
			return old[i][1];
	return model;
}
