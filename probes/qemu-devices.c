/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu-devices.c: see qemu-devices.h. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "qemu-devices.h"
#include "source.h"

#define TABLE "qemu-devices.tsv"
#define MAX_TYPES 500u

/* The first column of the rows below the table's head. */
static char **read_types(void)
{
	g_autoptr(GPtrArray) types = g_ptr_array_new();
	g_autofree char *text = NULL;
	bool head = true;
	size_t length;
	char *rest, *line;

	text = source_data_file(TABLE, &length);
	rest = text;
	while (types->len < MAX_TYPES && rest && (line = strsep(&rest, "\n"))) {
		if (*line == '#' || !*line)
			continue;
		if (!head)
			g_ptr_array_add(types, g_strndup(line, strcspn(line, "\t\r")));
		head = false;
	}
	g_ptr_array_add(types, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&types), FALSE);
}

const char *const *qemu_device_types(void)
{
	static char **types;

	if (g_once_init_enter(&types))
		g_once_init_leave(&types, read_types());
	return (const char *const *)types;
}
