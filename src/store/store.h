/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store.h: where profiles, guests and history are kept.
 *
 * Two kinds of state are kept apart: observed (profiles, guests: rebuilt by probing again) and
 * authored (labels and clusters now; levels, overrides and policy later). Documents go in and
 * come out as bytes of JSON; the store knows nothing of what they mean.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct store;

enum store_error {
	STORE_ERROR_OPEN,    /* cannot be opened or created */
	STORE_ERROR_LOCKED,  /* another process holds it longer than the limit */
	STORE_ERROR_CORRUPT, /* not a database, or damaged */
	STORE_ERROR_NEWER,   /* written by a newer version */
	STORE_ERROR_FULL,    /* no space, or read-only medium */
	STORE_ERROR_FAILED,  /* anything else, with SQLite's words */
};
#define STORE_ERROR store_error_quark()
GQuark store_error_quark(void);

/* One host as stored. Strings are owned; free with store_host_free(). */
struct store_host {
	char *name;
	char *uuid;        /* NULL unknown */
	char *arch;        /* NULL unknown */
	char *cluster;     /* NULL none */
	char *digest;      /* of the profile in force */
	char *fingerprint; /* compact JSON */
	int64_t confirmed; /* seconds since the epoch: when the profile was last seen to be so */
	GHashTable *labels;  /* char * → char * */
	GHashTable *aliases; /* char * → char * */
};
void store_host_free(struct store_host *host);

/* One guest as stored. */
struct store_guest {
	char *name;
	char *uuid;
	char *host;      /* host it was seen on, NULL where imported without one */
	bool running;
	char *document;  /* its projection, compact JSON */
	int64_t seen;
};
void store_guest_free(struct store_guest *guest);

/**
 * store_open - open a database, creating or upgrading it
 * @path: the file; its folder is made (mode 0700) when it isn't there
 * @read_only: never write; a database that needs an upgrade is then refused
 * @error: code from enum store_error; the message names @path and says what to do
 *
 * Returns the store, or NULL. What the file holds is left untouched by every failure; where there
 * was none, an empty one may remain, which counts as new. A store is for one thread at a time.
 */
struct store *store_open(const char *path, bool read_only, GError **error);

/* The same, waiting for other processes no longer than this, now and later. */
struct store *store_open_within(const char *path, bool read_only, unsigned int milliseconds,
				GError **error);

/* How long a change waits for another process's before it fails with STORE_ERROR_LOCKED. */
#define STORE_TIMEOUT_MS 5000u
void store_set_timeout(struct store *store, unsigned int milliseconds);

/* Whether another process, or another connection, has written since this was asked last. */
bool store_changed_elsewhere(struct store *store, bool *changed, GError **error);

void store_close(struct store *store);
typedef struct store Store;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)

/**
 * store_begin, store_commit, store_rollback - several changes at once
 *
 * What store_commit() returned true for survives a kill or a power cut. A change that fails in
 * between is taken back alone and the others stand, but after a full disk or a broken one all are,
 * and store_commit() then fails too. Without store_begin() each change is durable on its own.
 */
bool store_begin(struct store *store, GError **error);
bool store_commit(struct store *store, GError **error);
void store_rollback(struct store *store);

/**
 * store_put_profile - make a profile the one in force for a host
 * @sections: NULL-terminated names and compact JSON texts in turn: name, text, name, text, …, in
 *	the document's order
 * @host: name, uuid, arch, digest, fingerprint, confirmed are taken from it; labels and aliases
 *	are added to those there; a cluster that is not NULL replaces the one there
 *
 * Sections are content-addressed: equal texts are stored once. A profile whose digest is in force
 * only has its time of confirmation and its fingerprint moved, and @sections is not looked at. The
 * former profile stays in the history. A uuid or arch that is NULL leaves the one there.
 */
bool store_put_profile(struct store *store, const struct store_host *host,
		       const char *const *sections, GError **error);

/**
 * store_put_authored - what a known host's keeper says of it: cluster, labels, aliases
 * @host: of it name, cluster, labels and aliases are taken, and are added or replaced as by
 *	store_put_profile(); the profile in force and its time stay as they are
 *
 * One change of its own, durable when it returns true.
 */
bool store_put_authored(struct store *store, const struct store_host *host, GError **error);

/**
 * store_hosts - all hosts by name
 *
 * Returns an array of struct store_host, or NULL with @error set.
 */
GPtrArray *store_hosts(struct store *store, GError **error);

/**
 * store_profile - the sections of a profile
 * @digest: which
 *
 * Returns a hash table section name → text (both owned by it), or NULL; absence is
 * STORE_ERROR_FAILED with a message that names the digest. A text that doesn't match its hash is
 * STORE_ERROR_CORRUPT.
 */
GHashTable *store_profile(struct store *store, const char *digest, GError **error);

/* May decline a section by its name and text, which is then neither checked nor given. */
typedef bool store_want_fn(const char *name, const char *text, void *data);

/* The same without the sections that @want declines: for those in a hurry. */
GHashTable *store_profile_part(struct store *store, const char *digest, store_want_fn *want, void *data,
			       GError **error);

/* A section as store_each_profile() gives it; the pointers live until that returns. */
struct store_section {
	const char *name;
	const char *hash; /* SHA-256 of text, hexadecimal */
	const char *text;
	size_t length; /* bytes of text */
};

/* Called for one host; false, with @error set, stops. It must not call the store. */
typedef bool store_profile_fn(const struct store_host *host, const struct store_section *sections,
			      size_t n_sections, void *data, GError **error);

/**
 * store_each_profile - the profiles in force, of all hosts by name
 * @call: gets each host with its sections in the document's order
 * @data: passed to @call
 *
 * All is seen in one state of the database. A text is read once: equal hashes come with the same
 * pointers hash and text, so what was parsed of a section can be looked up by either.
 */
bool store_each_profile(struct store *store, store_profile_fn *call, void *data, GError **error);

/**
 * store_each_former - the profiles that were in force at a time, of hosts that have another one now
 * @at: seconds since the epoch
 *
 * As store_each_profile(), but that host->digest and the sections are those of then: NULL and none
 * where the host wasn't known yet.
 */
bool store_each_former(struct store *store, int64_t at, store_profile_fn *call, void *data,
		       GError **error);

/* One entry of a host's history. */
struct store_history {
	char *digest;
	int64_t since; /* seconds since the epoch: when it came into force */
};

/**
 * store_history - the profiles that were in force for a host, newest first
 *
 * Returns an array of struct store_history, empty for a host that isn't known, or NULL.
 */
GPtrArray *store_history(struct store *store, const char *host, GError **error);

/**
 * store_prune - drop what was replaced long ago
 * @before: entries of the history that were replaced at or before this time are dropped; what was
 *	in force then, and later, stays
 * @dropped: where not NULL, how many there were
 */
bool store_prune(struct store *store, int64_t before, int64_t *dropped, GError **error);

/* Sets a known host's label; a @value of NULL removes it. */
bool store_set_label(struct store *store, const char *host, const char *key, const char *value,
		     GError **error);

/*
 * Removes a host, its guests, its history and its labels, cluster and aliases; true also where
 * there was none (see *@found, which may be NULL).
 */
bool store_forget(struct store *store, const char *host, bool *found, GError **error);

/**
 * store_put_guests - replace what is known of a host's guests
 * @host: a known host, or NULL: guests imported without one, which are added or replaced by UUID
 *	(or name) one by one, and stay with the host they are known on
 * @guests: struct store_guest, whose host is not looked at; a guest seen on another host before
 *	moves here, save that one which runs there and is only defined here stays there (libvirt
 *	leaves the definition behind at a migration's source)
 */
bool store_put_guests(struct store *store, const char *host, const GPtrArray *guests,
		      GError **error);

/* All guests by name, as an array of struct store_guest, or NULL. */
GPtrArray *store_guests(struct store *store, GError **error);

/* Those of a UUID, or, where that is NULL, of a name. */
GPtrArray *store_find_guests(struct store *store, const char *uuid, const char *name, GError **error);

#endif
