/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * assume.h: --assume SELECTOR=WHAT, for questions about a fleet that isn't (yet) so.
 */
#ifndef SERVICE_ASSUME_H
#define SERVICE_ASSUME_H

#include <glib.h>
#include <stdbool.h>

#include "load.h"

/**
 * assume_read - what --assume says, with the files that it names
 * @what: "SELECTOR=WHAT", NULL-terminated, or NULL
 *
 * Returns an array of {"text", "profile"?, "problem"?}, the last one an answer "error": that a file
 * can't be read matters only where no host has its name. NULL for none.
 */
json_t *assume_read(char *const *what);

/**
 * assume_all - change the loaded fleet so, one after the other
 * @assume: as assume_read() gives it, or NULL. WHAT: "gone"; "+CAP" or "-CAP", a capability that is
 *          given or taken; a known host's name or a profile's file, which is theirs then
 */
bool assume_all(struct session *session, const json_t *assume, GError **error);

#endif
