/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * overrides.h: what somebody allowed although a check speaks against it. Authored, and kept when
 * revoked or expired: who allowed what, and when, stays known.
 */
#ifndef STORE_OVERRIDES_H
#define STORE_OVERRIDES_H

#include "store.h"

/* One override. Strings are owned; free with store_override_free(). */
struct store_override {
	int64_t id;        /* 0 before it is stored */
	char *guest;       /* its UUID, or its name where it has none */
	char *guest_name;
	char *selector;    /* the hosts it holds for */
	char *check;
	char *reason;
	bool accept_risk;
	char *author;
	int64_t uid;
	int64_t created, expires; /* seconds since the epoch */
	int64_t revoked;   /* 0: it wasn't */
	char *revoked_by;  /* or NULL */
};
void store_override_free(struct store_override *override);

/* Adds an override; @id is set to its number. */
bool store_put_override(struct store *store, const struct store_override *override, int64_t *id,
			GError **error);

/* All of them by number, also expired and revoked ones; an array, or NULL. */
GPtrArray *store_overrides(struct store *store, GError **error);

/* Ends an override; *@found says whether there was one that wasn't revoked before. */
bool store_revoke_override(struct store *store, int64_t id, const char *by, int64_t time,
			   bool *found, GError **error);

#endif
