/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * source-private.h: what source.c and source-device.c share.
 */
#ifndef SOURCE_PRIVATE_H
#define SOURCE_PRIVATE_H

#include "source.h"

struct source {
	enum source_mode mode;
	int dir;          /* the recording's folder, or -1 */
	GHashTable *meta; /* path → json_t: lines of meta.jsonl, replay only */
};

#endif
