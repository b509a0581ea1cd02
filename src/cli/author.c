/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* author.c: see author.h. */
#include "config.h"

#include <glib.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "author.h"

char *author_name(int64_t *uid)
{
	g_autofree char *text = NULL;
	guint64 login;
	struct passwd *entry;

	*uid = getuid();
	if (g_file_get_contents("/proc/self/loginuid", &text, NULL, NULL) &&
	    g_ascii_string_to_unsigned(g_strstrip(text), 10, 0, G_MAXUINT32 - 1, &login, NULL))
		*uid = (int64_t)login;
	entry = getpwuid((uid_t)*uid);
	return entry ? g_strdup(entry->pw_name) : g_strdup_printf("uid %d", (int)*uid);
}

bool is_reason(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return *text && strlen(text) <= REASON_MAX && g_utf8_validate(text, -1, NULL);
}
