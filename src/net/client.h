/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client.h: asking a broker, or what a fleet is run by, over TLS or a unix socket.
 */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include <glib.h>
#include <stdbool.h>

enum client_error {
	CLIENT_ERROR_USAGE,  /* the URL, or what is given with it, is wrong */
	CLIENT_ERROR_FAILED, /* the broker can't be reached, or doesn't answer in time */
	CLIENT_ERROR_REPLY,  /* what answers is no broker, or answers too much */
};
#define CLIENT_ERROR client_error_quark()
GQuark client_error_quark(void);

/* More of a reply, in bytes, is refused. */
#define CLIENT_REPLY_MAX (512u * 1024 * 1024)

struct client_options {
	const char *url;        /* "https://HOST[:PORT]", "unix:/PATH"; http:// only to this very machine */
	const char *token_file; /* holds a token; NULL: none is sent */
	const char *ca_file;    /* whom to trust instead of whom the system trusts; or NULL */
	unsigned int timeout_ms; /* for all of one request */
	/* For others than a broker: */
	const char *service;     /* what is asked, in messages ("Placement"); NULL: a broker */
	const char *const *headers; /* more of a request's, "NAME: VALUE", NULL-terminated; or NULL */
	bool plain_http;         /* http:// to other machines too, though anybody on the way can read it */
};

struct client;

/**
 * client_new - get ready to ask a broker
 *
 * Returns the client, to be freed by client_free(), or NULL with @error. Nobody is connected yet.
 */
struct client *client_new(const struct client_options *options, GError **error);
void client_free(struct client *client);
typedef struct client Client;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)

/* What came back. */
struct client_reply {
	long status;        /* of HTTP */
	GByteArray *body;
	int exit_status;    /* what the question has the command exit with; -1: not said */
	long retry_after_s; /* 0: not said */
	char *subject_token; /* what Keystone hands out (X-Subject-Token), or NULL */
};
void client_reply_clear(struct client_reply *reply);

/**
 * client_send - one request
 * @method: "GET", "PUT", "POST", "DELETE"
 * @path: "/v1/…", escaped
 * @body: JSON of @length bytes (or what headers say it is), or NULL
 * @reply: set; client_reply_clear() is due where true is returned
 *
 * Returns true where anything answered, whatever it said.
 */
bool client_send(struct client *client, const char *method, const char *path, const char *body, gsize length,
		 struct client_reply *reply, GError **error);

/* A name as one part of a path; free with g_free(). */
char *client_escape(const char *name);

/* The only token in a file that only its owner may read, or NULL with @error; free with g_free(). */
char *client_token(const char *path, GError **error);

#endif
