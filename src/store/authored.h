/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authored.h: what else somebody wrote, for export and restore: clusters, labels and aliases of
 * hosts, known or not, and policies as text.
 */
#ifndef STORE_AUTHORED_H
#define STORE_AUTHORED_H

#include "overrides.h"
#include "store.h"

/* What a host was given. */
enum store_mark_kind { MARK_CLUSTER, MARK_LABEL, MARK_ALIAS, MARK_KINDS };

struct store_mark {
	enum store_mark_kind kind;
	char *host;
	char *key;   /* "" of a cluster */
	char *value;
};
void store_mark_free(struct store_mark *mark);

/* All of them by kind, host and key; an array of struct store_mark, or NULL. */
GPtrArray *store_marks(struct store *store, GError **error);

/* Adds one; fails where the host has another value there. */
bool store_put_mark(struct store *store, const struct store_mark *mark, GError **error);

/* Policies that were restored: name → text; or NULL. */
GHashTable *store_policies(struct store *store, GError **error);
bool store_put_policy(struct store *store, const char *name, const char *text, GError **error);

/* An override with its number and its end, as it was; fails where the number is taken. */
bool store_restore_override(struct store *store, const struct store_override *override, GError **error);

#endif
