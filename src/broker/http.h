/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * http.h: HTTP in and out; http.c is the only file that knows libmicrohttpd.
 *
 * Theory of operation: libmicrohttpd's threads read and write, and do nothing that takes long. A
 * request is looked at before its body is: who sends it, whether there is such a path, whether the
 * body would fit; who isn't to be served is answered at once and the connection ends. What is whole is
 * handed over, and the connection sleeps until http_reply(). Everything is bounded: connections,
 * of one address too, header and body sizes, bytes of all bodies together, the time a request may take
 * to come in.
 */
#ifndef BROKER_HTTP_H
#define BROKER_HTTP_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "settings.h"

/* One request. */
struct request {
	char *method;
	char **path;           /* decoded parts: "v1", "hosts", …; NULL-terminated */
	GHashTable *arguments; /* of the query: char * → GPtrArray of char * */
	char *authorization;   /* the header, or NULL */
	bool local;            /* over the unix socket, from: */
	uid_t uid;
	gid_t gid;
	char *peer;            /* an address for the log */
	GByteArray *body;      /* NULL: none */
	gint64 began;          /* monotonic, in microseconds */
	void *data;            /* the routes' own; freed by data_free */
	GDestroyNotify data_free;
	/* the answer: */
	unsigned int status;
	char *reply;           /* taken over; freed by free() or g_free() */
	gsize reply_length;
	const char *type;      /* "application/json" */
	int exit_status;       /* -1: none */
	int retry_after_s;
	struct connection *connection; /* http.c's own */
};

struct http_calls {
	/*
	 * The head is there. Returns true to have the body read (at most @limit bytes, which is set
	 * where there may be one), false with the answer set.
	 */
	bool (*head)(struct request *request, gsize *limit, void *data);
	/* All of it is there: whoever is called sees to it that http_reply() is called, once. */
	void (*whole)(struct request *request, void *data);
	/* It was answered, or its connection has ended. */
	void (*done)(struct request *request, void *data);
	void *data;
};

struct http;

/**
 * http_new - listen
 * @unix_fd, @tls_fd: sockets that somebody opened for us, or -1
 *
 * Returns NULL with @error.
 */
struct http *http_new(const struct settings *settings, const struct http_calls *calls, int unix_fd, int tls_fd,
		      GError **error);

/* Takes no more connections. */
void http_quiet(struct http *http);
/* Ends all connections; nothing may be with anybody any more (http_whole() is 0). */
void http_free(struct http *http);

/* From any thread. */
void http_reply(struct request *request);

/* Requests that somebody answers just now; open connections; bytes of bodies held. */
unsigned int http_whole(const struct http *http);
unsigned int http_connections(const struct http *http);
gsize http_bytes(const struct http *http);

#endif
