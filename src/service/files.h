/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * files.h: reading files, never more of them than was meant.
 */
#ifndef FILES_H
#define FILES_H

#include <glib.h>
#include <stdbool.h>

/**
 * file_read - a whole file, or standard input for "-"
 * @limit: a file of more bytes is refused, before it is read where its size is known
 * @bytes: set to its bytes with a NUL behind them; to be freed with g_free()
 */
bool file_read(const char *path, gsize limit, char **bytes, gsize *length, GError **error);

/**
 * folder_list - names in a folder, sorted, but hidden ones
 *
 * Returns an array that owns them, or NULL.
 */
GPtrArray *folder_list(const char *path, GError **error);

/* The path for messages, or "standard input" for "-"; free with g_free(). */
char *file_label(const char *path);

#endif
