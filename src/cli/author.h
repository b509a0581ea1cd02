/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* author.h: who writes something down, and why. */
#ifndef AUTHOR_H
#define AUTHOR_H

#include <stdbool.h>
#include <stdint.h>

#define REASON_MAX 500 /* bytes */

/* Who asks: who logged in, also behind sudo, else who runs this; free with g_free(). */
char *author_name(int64_t *uid);

/* One line of at most REASON_MAX bytes, and not empty. */
bool is_reason(const char *text);

#endif
