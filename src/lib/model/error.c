/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* error.c: see error.h. */
#include "config.h"

#include <stdbool.h>

#include "model/error.h"

/* Looks at brackets outside strings only; the parser itself finds everything else. */
static bool too_deep(const char *bytes, size_t length)
{
	unsigned int depth = 0;
	bool string = false;

	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];

		if (string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				string = false;
		} else if (c == '"') {
			string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_MAX_NESTING)
				return true;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return false;
}

json_t *json_bytes_parse(const char *bytes, size_t length, size_t limit, GError **error)
{
	json_error_t err;
	const char *end;
	json_t *json;

	if (length > limit) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%zu bytes, more than the %zu that are read (is it the right file?)",
			    length, limit);
		return NULL;
	}
	if (too_deep(bytes, length)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "JSON nested deeper than %u levels (is it the right file?)",
			    JSON_MAX_NESTING);
		return NULL;
	}
	json = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &err);
	if (!json && !g_utf8_validate_len(bytes, length, &end))
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "byte %td: not UTF-8 (is it the right file?)", end - bytes + 1);
	else if (!json)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "line %d: not JSON: %s (is the file complete?)", err.line, err.text);
	return json;
}
