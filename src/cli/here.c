/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* here.c: see here.h. */
#include "config.h"

#include <string.h>

#include "cli.h"
#include "here.h"

static char *line_of(const char *path)
{
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? g_strstrip(text) : NULL;
}

static const struct store_host *by_name(const GPtrArray *rows, const char *name)
{
	for (guint i = 0; i < rows->len; i++) {
		const struct store_host *row = g_ptr_array_index(rows, i);

		if (!strcmp(row->name, name) || (row->uuid && !g_ascii_strcasecmp(row->uuid, name)))
			return row;
	}
	return NULL;
}

/* The one host that has the text in its fingerprint; several may share a boot, as containers do. */
static const struct store_host *by_boot(const GPtrArray *rows)
{
	g_autofree char *boot = line_of("/proc/sys/kernel/random/boot_id");
	const struct store_host *found = NULL;

	for (guint i = 0; boot && *boot && i < rows->len; i++) {
		const struct store_host *row = g_ptr_array_index(rows, i);

		if (!strstr(row->fingerprint, boot))
			continue;
		if (found)
			return NULL;
		found = row;
	}
	return found;
}

const struct store_host *here_find(const GPtrArray *rows, const char *name, GError **error)
{
	g_autofree char *uuid = line_of("/sys/class/dmi/id/product_uuid");
	const char *full = name ? name : g_get_host_name();
	g_autofree char *brief = g_strndup(full, strcspn(full, "."));
	const struct store_host *row = by_name(rows, full);

	if (!row && !name)
		row = by_name(rows, brief);
	if (!row && !name)
		row = by_boot(rows);
	if (!row && !name && uuid && *uuid)
		row = by_name(rows, uuid);
	if (!row)
		g_set_error(error, CLI_ERROR, CLI_ERROR_NAME,
			    "%s: this host is not in the database (run 'capbroker probe' on it)", full);
	return row;
}
