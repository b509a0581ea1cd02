/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moves-json.h: what the store has of decisions and overrides, as answers show it. */
#ifndef MOVES_JSON_H
#define MOVES_JSON_H

#include <jansson.h>

#include "decisions.h"
#include "overrides.h"

/* A recorded decision without the answer it was made of (schema: "record"). */
json_t *decision_json(const struct store_decision *decision);

/* An override, active, expired or revoked at @now (schema: "override_entry"). */
json_t *override_json(const struct store_override *override, int64_t now);

/* Those that are active, or all. */
json_t *overrides_json(const GPtrArray *overrides, int64_t now, bool all);

#endif
