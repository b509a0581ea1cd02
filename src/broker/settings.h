/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * settings.h: what capbrokerd.conf says; see capbrokerd.conf(5).
 */
#ifndef BROKER_SETTINGS_H
#define BROKER_SETTINGS_H

#include <glib.h>
#include <stdbool.h>

#define SETTINGS_FILE SYSCONFDIR "/capbroker/capbrokerd.conf"

struct settings {
	/* [broker] */
	char *database, *tokens, *policy; /* policy: NULL: the site's own */
	int threads;              /* that answer quick questions; 0: as many as processors, two at least */
	/* [unix] */
	char *socket;             /* "": none */
	char *readers, *agents;   /* groups, or NULL */
	/* [tls] */
	char *listen;             /* "ADDRESS:PORT", or NULL: none */
	char *certificate, *key;
	/* [limits] */
	int connections, per_address;
	int body_mib, bodies_mib; /* of one request; of all that are being read */
	int request_seconds, idle_seconds;
	int waiting;              /* requests that may wait for a thread */
	/* [history] */
	int keep_days;            /* of replaced profiles; 0: for ever */
	bool decisions;           /* are answers to checks recorded? */
	/* [log] */
	bool json;
	bool requests;            /* a line for each */
};

/* What holds where the file says nothing. */
struct settings *settings_new(void);
void settings_free(struct settings *settings);

/**
 * settings_read - read a configuration
 * @required: it must be there
 *
 * Returns the settings, to be freed by settings_free(), or NULL with @error, which names the group and key.
 */
struct settings *settings_read(const char *path, bool required, GError **error);

/* All keys, as "GROUP.KEY", ending in NULL: what the manual has to say something of. */
const char *const *settings_keys(void);

#endif
