/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * import.h: files and probes' output on their way into the database.
 *
 * Theory of operation: import_file() and its like only gather. import_prepare() turns what was
 * gathered into checked profiles and guests. import_store() writes all of it, or nothing, in one
 * transaction: a file that is wrong leaves the database as it was.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/cpu-model.h"
#include "model/universe.h"
#include "read/read.h"
#include "store.h"

/* More than this in one import, in bytes, is refused. */
#define IMPORT_MAX_BYTES (1024u * 1024 * 1024)

struct import;

/* What is said of all files. */
struct import_options {
	const char *name;     /* of the one host that all files describe; NULL: each its own */
	const char *cluster;
	char **labels, **aliases; /* K=V, NULL-terminated, or NULL */
	const char *accel, *machine; /* scope of QEMU's replies, where their names don't say */
	const char *guests_on; /* host that the domain definitions belong to, or NULL */
	/* runs capbroker-probe with these arguments and gathers what it found: of recordings */
	bool (*probe)(struct import *import, const char *const *arguments, GError **error);
	void (*progress)(guint done, guint all); /* told of hosts that are done; or NULL */
	int jobs, timeout;    /* of connections at once, of seconds for each; below 1: as usual */
};

/* One file. */
struct import_input {
	char *label;      /* what messages call it */
	char *name;       /* without folders: carries a scope */
	GBytes *bytes;
	enum read_kind kind;
};

/* One host: of files, or of a whole document. */
struct import_host {
	char *name;           /* NULL: as the document says */
	char *label;          /* for messages */
	GPtrArray *inputs;    /* struct import_input */
	json_t *doc;
	char *digest, *fingerprint, *uuid, *arch;
	int64_t confirmed;
	GPtrArray *sections;  /* as document_split() gives them */
};

/* Guests that were listed together. */
struct import_guests {
	char *label;
	char *host;           /* on this one, or NULL */
	bool complete;        /* the host has no others */
	GPtrArray *guests;    /* struct store_guest */
	GHashTable *by_key;   /* UUID, or "=" and name where there is none → struct store_guest */
};

struct import {
	const struct import_options *options;
	const struct cpu_models *models;
	GPtrArray *hosts;     /* struct import_host */
	GHashTable *by_name;  /* name → struct import_host, of those made of files */
	GPtrArray *guests;    /* struct import_guests */
	gsize bytes;
	json_t *failed;       /* [{"uri", "reason"}]: connections that came to nothing */
};

struct import *import_new(const struct import_options *options, const struct cpu_models *models);
void import_free(struct import *import);
typedef struct import Import;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Import, import_free)

/* Gathers a file, a folder, a recording, or standard input ("-"). */
bool import_file(struct import *import, const char *path, GError **error);

/* Adds guests: one definition; a document capbroker.guests/1. */
bool import_add_domain(struct import *import, const struct import_input *input, GError **error);
bool import_add_guests(struct import *import, const char *label, const json_t *doc,
		       GError **error);

/* Adds the hosts and guests of `kubectl get nodes,vmi -o json`. */
bool import_add_kubernetes(struct import *import, const char *label, const json_t *doc, GError **error);

/* Adds a host whose whole document is there; the reference is taken over. */
bool import_add_profile(struct import *import, const char *label, json_t *doc, GError **error);

/*
 * Freezes what running guests need, a new version where that changed; moves that hooks let in are
 * known to have arrived where a host's whole list has the guest. Inside the caller's transaction.
 */
bool import_freeze(struct store *store, const struct import_guests *list, GError **error);

/* Makes and checks all documents. */
bool import_prepare(struct import *import, GError **error);

/* Writes it into a store that is open for changes, inside the caller's transaction. */
bool import_put(const struct import *import, struct store *store, GError **error);

/* The answer "import"; @before: host → the digest of the profile that was in force. */
json_t *import_answer(const struct import *import, GHashTable *before);

/**
 * import_store - write it all in one transaction
 *
 * Returns the answer "import", or NULL.
 */
json_t *import_store(struct import *import, struct store *store, GError **error);

/**
 * import_names - cluster, labels and aliases of the options for the known host that they name
 *
 * What is known of the host stays as it is. Returns the answer "import", or NULL: no host is called so,
 * or a pair is none.
 */
json_t *import_names(struct import *import, struct store *store, GError **error);

#endif
