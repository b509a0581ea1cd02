/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * assume.h: --assume SELECTOR=WHAT, for questions about a fleet that isn't (yet) so.
 */
#ifndef CLI_ASSUME_H
#define CLI_ASSUME_H

#include <glib.h>
#include <stdbool.h>

#include "load.h"

/**
 * assume_all - change the loaded fleet as --assume says, one after the other
 * @what: "SELECTOR=WHAT", NULL-terminated, or NULL. WHAT: "gone"; "+CAP" or "-CAP", a capability
 *        that is given or taken; a known host's name or a profile's file, which is theirs then
 */
bool assume_all(struct session *session, char *const *what, GError **error);

#endif
