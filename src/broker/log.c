/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log.c: structured lines on standard error, where systemd's journal takes them. */
#include "config.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "broker.h"

static bool as_json;

void log_set(bool json)
{
	__atomic_store_n(&as_json, json, __ATOMIC_RELAXED);
}

static json_t *pairs_of(const char *event, va_list values)
{
	json_t *line = json_pack("{s:s}", "event", event);
	const char *key;

	while ((key = va_arg(values, const char *))) {
		const char *value = va_arg(values, const char *);
		g_autofree char *valid = g_utf8_make_valid(value ? value : "", -1);

		json_object_set_new(line, key, json_string(valid));
	}
	return line;
}

/* event key=value key="two words": quoted as JSON where it isn't plain. */
static char *plain(json_t *line)
{
	GString *text = g_string_new(NULL);
	const char *key;
	json_t *value;

	json_object_foreach (line, key, value) {
		const char *word = json_string_value(value);
		bool bare = *word && !word[strcspn(word, " \t\"=\\\n\r")];
		char *quoted = bare ? NULL : json_dumps(value, JSON_ENCODE_ANY);

		if (text->len)
			g_string_append_printf(text, " %s=", key);
		g_string_append(text, quoted ? quoted : word);
		free(quoted);
	}
	return g_string_free(text, FALSE);
}

void log_event(enum log_level level, const char *event, ...)
{
	va_list values;
	json_t *line;
	char *text;

	va_start(values, event);
	line = pairs_of(event, values);
	va_end(values);
	if (__atomic_load_n(&as_json, __ATOMIC_RELAXED)) {
		json_object_set_new(line, "level", json_integer(level));
		text = json_dumps(line, JSON_COMPACT);
		fprintf(stderr, "%s\n", text);
		free(text);
	} else {
		text = plain(line);
		fprintf(stderr, "<%d>%s\n", (int)level, text);
		g_free(text);
	}
	json_decref(line);
}
