/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* times.c: see times.h. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "times.h"

#define DIGITS_MAX 6 /* of a duration's number */

bool duration_parse(const char *text, int64_t *seconds)
{
	static const char units[] = "smhdw";
	static const int64_t of_unit[] = { 1, 60, 3600, 24 * 3600, 7 * 24 * 3600 };
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;

	if (!digits || digits > DIGITS_MAX || !unit || text[digits + 1])
		return false;
	*seconds = (int64_t)g_ascii_strtoull(text, NULL, 10) * of_unit[unit - units];
	return *seconds > 0;
}

bool time_parse(const char *text, int64_t now, int64_t *seconds)
{
	g_autoptr(GTimeZone) local = g_time_zone_new_local();
	g_autofree char *full = NULL;
	g_autoptr(GDateTime) time = NULL;
	int64_t later;

	if (duration_parse(text, &later)) {
		*seconds = now + later;
		return true;
	}
	if (strlen(text) == strlen("2026-12-24"))
		full = g_strconcat(text, "T23:59:59", NULL);
	else if (strlen(text) == strlen("2026-12-24T18:00"))
		full = g_strconcat(text, ":00", NULL);
	time = g_date_time_new_from_iso8601(full ? full : text, local);
	if (time)
		*seconds = g_date_time_to_unix(time);
	return time != NULL;
}
