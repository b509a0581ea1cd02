/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * load.h: the database as a fleet in memory.
 *
 * Hosts whose profiles are made of the same sections share one parsed profile, so that a fleet of
 * thousands costs little more than its distinct hosts.
 */
#ifndef LOAD_H
#define LOAD_H

#include <glib.h>
#include <stdbool.h>

#include "answer/answer.h"
#include "cli.h"
#include "datafiles.h"
#include "plan/policy.h"
#include "store.h"

struct session {
	struct store *store;  /* NULL where there is no database (see SESSION_MAYBE) */
	struct datafiles *files;
	struct policy *policy; /* NULL: none, and none is asked for */
	char *policy_path;     /* where it is, or would be */
	struct fleet *fleet;
	struct judge judge;
	struct answering answering;
	GPtrArray *guests;    /* struct guest, by name */
	GHashTable *assumed;  /* digest → struct profile: those of --assume, owned by the fleet */
};

enum session_need {
	SESSION_READ,  /* a database must be there; hosts and guests are loaded */
	SESSION_MAYBE, /* loaded where there is one */
	SESSION_FILES, /* only the data files: the database comes by session_store() */
};

/**
 * session_open - open the database and load what it holds
 *
 * Returns false with @error; session_close() is due either way.
 */
bool session_open(struct session *session, const struct cli *cli, enum session_need need,
		  GError **error);
void session_close(struct session *session);

/* Opens or creates the database for writing; nothing is loaded. */
bool session_store(struct session *session, const struct cli *cli, GError **error);

/* Reads the site's policy, where there is one; done by session_open() but for SESSION_FILES. */
bool session_policy(struct session *session, const struct cli *cli, GError **error);

/* The host of a name, UUID or alias; else NULL with @error. */
struct host *session_host(const struct session *session, const char *name, GError **error);

/* The guest of a name or UUID; NULL with @error where there is none, or several. */
struct guest *session_guest(const struct session *session, const char *name, GError **error);

/* The hosts of selectors, each once, by name; all of them where there are no selectors. */
GPtrArray *session_select(const struct session *session, char *const *selectors, GError **error);

/* One host's profile from the database, whole; to be freed by profile_free(). */
struct profile *session_profile(const struct session *session, const struct host *host,
				GError **error);

#endif
