/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sync.h: what `capbroker sync` does for each kind of orchestrator.
 */
#ifndef SYNC_H
#define SYNC_H

#include "cli.h"
#include "client.h"
#include "plan/traits.h"

/* What was asked for. */
struct sync_options {
	const char *url;      /* of the service; NULL: by Keystone's catalog, or the environment */
	const char *auth_url; /* Keystone's, ".../v3"; NULL: none is asked */
	const char *ca_file;  /* or NULL */
	const char *token_file; /* of Kubernetes' account; NULL: the pod's own */
	bool noauth, plain_http, dry_run, prune;
};

/* What hosts promise, worked out of the database. */
struct sync {
	const struct sync_options *options;
	const struct session *session;
	GPtrArray *hosts;     /* struct host *: those that were selected */
	GHashTable *marks;    /* struct host * → GPtrArray of struct mark */
	GPtrArray *untold;    /* struct host *: no list of machine types is known */
};

/* Fills marks and untold for the hosts. Returns false with @error. */
bool sync_marks(struct sync *sync, GError **error);

/**
 * sync_keystone - ask Keystone (v3) for a token, by OS_USERNAME and so on of the environment
 * @token: set; free with g_free()
 * @endpoint: where not NULL, set to the public URL of a service of @type in its catalog
 */
bool sync_keystone(const struct sync_options *options, const char *type, char **token, char **endpoint,
		   GError **error);

/**
 * sync_call - one request of JSON
 * @body: the reference is taken over; NULL: none
 * @status: set to HTTP's
 *
 * Returns what came back as JSON (null where that is nothing), or NULL with @error.
 */
json_t *sync_call(struct client *client, const char *method, const char *path, json_t *body, long *status,
		  GError **error);

/* Marks to Placement's traits. Returns the answer "sync", or NULL with @error. */
json_t *sync_placement(const struct sync *sync, GError **error);

/* Marks to labels of Kubernetes' nodes, likewise. */
json_t *sync_kubernetes(const struct sync *sync, GError **error);

#endif
