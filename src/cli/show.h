/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * show.h: what `show` and `probe` both end with.
 */
#ifndef SHOW_H
#define SHOW_H

#include "cli.h"

/* Loads the database and answers "show" for a host; returns the exit status. */
int show_host(struct cli *cli, const char *name);

#endif
