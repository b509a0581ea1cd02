/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * here.h: which of the stored hosts is the one this program runs on.
 */
#ifndef HERE_H
#define HERE_H

#include <glib.h>

#include "store.h"

/**
 * here_find - this host among those stored
 * @rows: struct store_host
 * @name: what it is called there, where somebody said so; else NULL
 *
 * By its name, else by the boot that it was probed in, else by the UUID of its firmware. Returns
 * NULL with @error where none is.
 */
const struct store_host *here_find(const GPtrArray *rows, const char *name, GError **error);

#endif
