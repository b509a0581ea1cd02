/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hosts.h: what profiles and guests need of hosts; internal to src/store.
 */
#ifndef STORE_HOSTS_H
#define STORE_HOSTS_H

#include "store.h"

/* The row of a host; false with @error set, also where there is none of that name. */
bool host_find(struct store *store, const char *name, int64_t *id, GError **error);

/* Adds the labels and aliases of @host to those kept for its name, and sets its cluster. */
bool host_put_authored(struct store *store, const struct store_host *host, GError **error);

/* store_hosts() inside a read transaction that the caller entered. */
GPtrArray *hosts_read(struct store *store, GError **error);

/* Removes the profiles that no history names, and the sections that no profile has. */
bool profiles_sweep(struct store *store, GError **error);

#endif
