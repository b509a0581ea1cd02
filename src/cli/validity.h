/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * validity.h: whether what is stored of this very host is still so.
 */
#ifndef VALIDITY_H
#define VALIDITY_H

#include <jansson.h>

#include "model/fleet.h"

/**
 * validity_of - hold a host's fingerprint against the host that this program runs on
 * @own: the host's own profile
 *
 * Returns {"state": "same" | "changed" | "unknown", "changed": [what], "reason"?}: unknown of
 * another host, and of one that was imported. Never fails: what can't be asked is unknown.
 */
json_t *validity_of(const struct host *host, const struct profile *own);

/**
 * validity_quick - the same, of a host that is known to be this one, without running anything
 * @fingerprint: the stored one, compact JSON
 *
 * Returns [what changed], to be freed; NULL where the host was imported, so that nobody can tell.
 */
json_t *validity_quick(const char *fingerprint);

#endif
