/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authored-json.h: all that somebody wrote, as one document that diffs well: `capbroker.authored/1`
 * (schema/authored.schema.json).
 */
#ifndef AUTHORED_JSON_H
#define AUTHORED_JSON_H

#include "load.h"

#define AUTHORED_FORMAT "capbroker.authored/1"
#define AUTHORED_MAX_BYTES (256u * 1024 * 1024)

/**
 * authored_json - what a database holds of it, and the policy in force
 *
 * Everything stands in a fixed order. Returns a new document, or NULL with @error.
 */
json_t *authored_json(const struct session *session, GError **error);

/**
 * authored_restore - put into a database what it doesn't have of a document
 * @have: authored_json() of that database
 * @added, @same: objects: section → how many
 *
 * Call between store_begin() and store_commit(). Returns false with @error where something there is
 * otherwise, or where the document is malformed; what was put in is then to be rolled back.
 */
bool authored_restore(const struct session *session, const json_t *have, const json_t *document, json_t *added,
		      json_t *same, GError **error);

#endif
