/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * error.h: the library's errors, and JSON from outside.
 */
#ifndef MODEL_ERROR_H
#define MODEL_ERROR_H

#include <glib.h>
#include <jansson.h>
#include <stddef.h>

enum capbroker_error {
	ERROR_INVALID, /* what was read is malformed, contradicts itself or passes a bound */
	ERROR_UNKNOWN, /* a name that nothing here knows */
};
#define CAPBROKER_ERROR capbroker_error_quark()
GQuark capbroker_error_quark(void);

/* How deep JSON from outside may nest. */
#define JSON_MAX_NESTING 64u

/**
 * json_bytes_parse - JSON from outside
 * @limit: refuse more bytes than that
 *
 * Returns a new reference, or NULL with the line and what is wrong in @error. Depth is bounded
 * before the parser sees it; keys given twice and bytes that are not UTF-8 are refused.
 */
json_t *json_bytes_parse(const char *bytes, size_t length, size_t limit, GError **error);

#endif
