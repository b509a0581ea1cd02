/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * load-parts.h: what the files that make up load.h share; for nobody else.
 */
#ifndef LOAD_PARTS_H
#define LOAD_PARTS_H

#include "load.h"

/* load-guests.c: reads the guests, and parses as many as @need says. */
bool load_guests(struct session *session, enum session_need need, GError **error);

#endif
