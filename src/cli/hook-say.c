/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hook-say.c: what a user of virsh reads of a refusal: at most five lines. */
#include "config.h"

#include <string.h>

#include "hook.h"

#define LINE_MAX_CHARS 300

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Names and texts come from definitions: one line each, whatever they hold. */
static void say_line(GString *say, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say_line(GString *say, const char *format, ...)
{
	g_autofree char *line = NULL;
	va_list args;

	va_start(args, format);
	line = g_strdup_vprintf(format, args);
	va_end(args);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	if (g_utf8_strlen(line, -1) > LINE_MAX_CHARS)
		strcpy(g_utf8_offset_to_pointer(line, LINE_MAX_CHARS - 1), "…");
	g_string_append_printf(say, "%s\n", line);
}

static bool is_block(const json_t *f)
{
	return json_is_true(json_object_get(f, "migrate")) && !strcmp(text_of(f, "verdict"), "block");
}

static bool is_among(const json_t *f, unsigned int effects)
{
	for (unsigned int e = 0; e < EFFECTS; e++)
		if (effects & 1u << e && !strcmp(text_of(f, "effect"), effect_name(e)))
			return true;
	return false;
}

/* The first block of an effect that is enforced; @others: how many more there are of any. */
static const json_t *reason(const json_t *verdict, unsigned int effects, size_t *others)
{
	const json_t *f, *found = NULL;
	size_t i, n = 0;

	json_array_foreach (json_object_get(verdict, "findings"), i, f) {
		n += is_block(f);
		if (!found && is_block(f) && is_among(f, effects))
			found = f;
	}
	*others = n ? n - 1 : 0;
	return found;
}

void hook_say_refused(GString *say, const char *host, const json_t *answer, unsigned int effects)
{
	const json_t *verdict = json_array_get(json_object_get(answer, "verdicts"), 0);
	const json_t *guest = json_object_get(answer, "guest"), *doubts = json_object_get(answer, "doubts");
	const char *name = text_of(guest, "name"), *uuid = text_of(guest, "uuid");
	size_t others;
	const json_t *f = reason(verdict, effects, &others);

	if (!f) {
		const char *why = json_string_value(json_array_get(doubts, 0));

		say_line(say, "capbroker: %s: unknown: %s: %s", host, name,
			 why ? why : "not all that it needs is known of this host");
	} else if (others) {
		say_line(say, "capbroker: %s: block (%s and %zu more): %s: %s", host, text_of(f, "check"),
			 others, name, text_of(f, "text"));
	} else {
		say_line(say, "capbroker: %s: block (%s): %s: %s", host, text_of(f, "check"), name,
			 text_of(f, "text"));
	}
	say_line(say, "guest unharmed, still on its source host");
	if (f && *text_of(f, "fix"))
		say_line(say, "fix: %s", text_of(f, "fix"));
	say_line(say, "details: capbroker decision %s", text_of(json_object_get(answer, "decision"), "id"));
	if (f && !strcmp(text_of(f, "effect"), "fails-safely"))
		say_line(say, "override: none, libvirt or QEMU itself would refuse");
	else if (f)
		say_line(say, "override: capbroker allow %s --to %s --check %s --accept-risk … there",
			 *uuid ? uuid : name, host, text_of(f, "check"));
}
