/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * price.h: what it costs guests to lose capabilities, and to gain them: attacks that they are open to,
 * and performance, in both directions.
 */
#ifndef PLAN_PRICE_H
#define PLAN_PRICE_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/tables.h"

/**
 * price_json - the price of a change
 * @lost, @gained: const char *: ids or atoms ("cpu.avx2", "pseries.cap-cfpc>=2"); each may be NULL
 *
 * A class is there where any protection from it is lost, though others may be left. What a host does
 * for itself (mitigation.*) isn't a guest's to lose. Of an immunity (*_NO) only the ease is lost:
 * guests go the slower way around.
 *
 * Returns {"security": [{"class", "cves": [], "capabilities": [], "immunity": bool, "text"}],
 * "performance": [{"capability", "direction": "lost"|"gained", "text"}]}; both may be empty.
 */
json_t *price_json(const struct tables *tables, const GPtrArray *lost, const GPtrArray *gained);

/* Does a price say anything? */
bool price_is_empty(const json_t *price);

#endif
