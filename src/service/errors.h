/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * errors.h: what goes wrong with questions and files, and any error as a value that travels.
 */
#ifndef SERVICE_ERRORS_H
#define SERVICE_ERRORS_H

#include <glib.h>
#include <jansson.h>

enum service_error {
	SERVICE_ERROR_USAGE, /* what was asked is wrong */
	SERVICE_ERROR_IO,    /* a file or a program can't be read, written or run */
	SERVICE_ERROR_NAME,  /* names nothing that is known */
};
#define SERVICE_ERROR service_error_quark()
GQuark service_error_quark(void);

/* A word for programs: "usage", "unknown-name", "store-locked", …. */
const char *error_code(const GError *error);

/* The message as one line of UTF-8, whatever names and foreign messages hold; free with g_free(). */
char *error_line(const GError *error);

/* The answer "error": the body of whatever has failed. */
json_t *error_answer(const GError *error);

/**
 * error_from_answer - the error that such an answer tells of
 *
 * Returns NULL where it is none; to be freed with g_error_free().
 */
GError *error_from_answer(const json_t *answer);

#endif
