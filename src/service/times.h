/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* times.h: times and durations as people write them. */
#ifndef TIMES_H
#define TIMES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * duration_parse - "90s", "30m", "12h", "7d", "2w"
 * @seconds: set to what it is, above 0
 */
bool duration_parse(const char *text, int64_t *seconds);

/*
 * The same from @now on, or a time, local where it doesn't say: "2026-12-24" (its end),
 * "2026-12-24T18:00", "2026-12-24T18:00:00Z". @seconds: since the epoch.
 */
bool time_parse(const char *text, int64_t now, int64_t *seconds);

#endif
