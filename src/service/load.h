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
#include "datafiles.h"
#include "errors.h"
#include "plan/policy.h"
#include "store.h"

struct session {
	struct store *store;  /* NULL where there is no database (see SESSION_MAYBE) */
	char *database;       /* its file */
	struct datafiles *files;
	struct policy *policy; /* NULL: none, and none is asked for */
	char *policy_path;     /* where it is, or would be */
	struct fleet *fleet;
	struct judge judge;
	struct answering answering;
	GPtrArray *stored;    /* struct store_guest, by name; NULL until they are asked for */
	GPtrArray *guests;    /* struct guest, by name: those whose definitions were parsed */
	GPtrArray *overrides; /* struct override */
	GPtrArray *changes;   /* struct host_change (answer/upgrade.h): what --assume made of the hosts */
	GHashTable *sections, *profiles; /* what was parsed of the store's texts; for load.c alone */
	bool lent;            /* store, files, policy and fleet are another's: session_lend() */
	GHashTable *assumed;  /* digest → struct profile: those of --assume, owned by the fleet */
};

enum session_need {
	SESSION_READ,  /* a database must be there; hosts are loaded, guests where one is asked for */
	SESSION_GUESTS, /* and all guests are parsed */
	SESSION_FLEET, /* the same, where those that ask for the same share what is parsed */
	SESSION_MAYBE, /* loaded where there is one */
	SESSION_STORE, /* a database must be there, and is asked itself: nothing is loaded of it */
	SESSION_FILES, /* only the data files: the database comes by session_store() */
};

/* Where things are, and what is assumed of them. */
struct session_options {
	const char *database; /* its file */
	const char *policy;   /* a file that must be there; NULL: the site's own, where there is one */
	const json_t *assume; /* as assume_read() gives it, or NULL */
};

/* What stays loaded from one question to the next. */
struct session_parts {
	struct store *store;       /* of this thread */
	const char *database;
	struct datafiles *files;   /* of this thread */
	struct policy *policy;     /* or NULL */
	struct fleet *fleet;       /* not to be changed by what is asked, unless it is a copy */
	GPtrArray *stored;         /* struct store_guest; a reference is taken */
	GPtrArray *guests;         /* struct guest, of this thread, by session_guests(); NULL: none is parsed */
};

/*
 * A session of what is loaded already, to be closed like others. What it is lent must outlive it.
 * Overrides come by session_load_overrides().
 */
void session_lend(struct session *session, const struct session_parts *parts);

/* Parses all guests, as @need says; replaces those of the session. */
bool session_guests(struct session *session, enum session_need need, GError **error);

/* Equal for hosts that may share a parsed profile; @head: the parsed section "head". Free with g_free(). */
char *profile_key(const struct store_section *sections, size_t n, json_t *head);

/**
 * session_load - open the database and load what it holds
 *
 * Returns false with @error; session_close() is due either way.
 */
bool session_load(struct session *session, const struct session_options *options, enum session_need need,
		  GError **error);
void session_close(struct session *session);

/* Opens or creates the database for writing; nothing is loaded. */
bool session_write(struct session *session, GError **error);

/**
 * session_since - put into session->changes also how hosts have changed since a time
 * @at: seconds since the epoch
 *
 * Of a host that was assumed to be another too, what it was at that time stands. A host that wasn't
 * known then has no profile before; one whose former profile is of the class that it is in now is
 * among them (see transitions_of()).
 */
bool session_since(struct session *session, int64_t at, GError **error);
/* Reads the overrides of the database that hold for hosts of the fleet, which is settled. */
bool session_load_overrides(struct session *session, GError **error);
/* The same in place of those that were read before hosts were changed. */
bool session_again_overrides(struct session *session, GError **error);
/* Reads a policy, or the site's own, where there is one; done by session_load() but for SESSION_FILES. */
bool session_read_policy(struct session *session, const char *path, GError **error);

/* The host of a name, UUID or alias; else NULL with @error. */
struct host *session_host(const struct session *session, const char *name, GError **error);

/* Is a guest of that name or UUID known? */
bool session_knows_guest(struct session *session, const char *name);

/* The guest of a name or UUID; NULL with @error where there is none, or several. */
struct guest *session_guest(struct session *session, const char *name, GError **error);

/* The hosts of selectors, each once, by name; all of them where there are no selectors. */
GPtrArray *session_select(const struct session *session, char *const *selectors, GError **error);

/**
 * session_add_host - load one host alone, into a session of SESSION_FILES with a store
 * @row: as store_hosts() tells of it
 * @needs: leave out what bears on no guest with this accelerator and machine type; NULL: nothing
 *
 * Its class is a name of its own, for telling it from others in this session. Returns NULL with
 * @error; fleet_settle() is due after the last.
 */
struct host *session_add_host(struct session *session, const struct store_host *row,
			      const struct needs *needs, GError **error);

/* One host's profile from the database, whole; to be freed by profile_free(). */
struct profile *session_profile(const struct session *session, const struct host *host,
				GError **error);

#endif
