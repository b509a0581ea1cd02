/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tokens.h: who may ask a broker from afar, and as what.
 *
 * Theory of operation: a token is 32 random bytes behind an id, "cbt_ID_SECRET". Only its SHA-256 is
 * kept, in a file of its own that only the broker's user may read: a text that is locked, read,
 * and replaced as a whole by whoever changes it, the command line or the broker. An enrolment secret
 * ("cbe_ID_SECRET") is good for nothing but to be exchanged for an agent's token of one host.
 */
#ifndef SERVICE_TOKENS_H
#define SERVICE_TOKENS_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define TOKENS_MAX_BYTES (64u * 1024 * 1024)
#define TOKEN_TEXT_MAX 128u

enum role { ROLE_NONE, ROLE_AGENT, ROLE_READER, ROLE_ADMIN, ROLES };
const char *role_name(enum role role);
/* ROLE_NONE where it is no role. */
enum role role_parse(const char *name);

struct token {
	char *id;
	enum role role;
	char *host;      /* of an agent's; else NULL */
	char *note;      /* or NULL */
	char *hash;      /* SHA-256 of the whole token, hexadecimal */
	int64_t created, expires; /* seconds since the epoch; expires 0: never */
	bool enrolment;  /* to be exchanged for an agent's token */
	int64_t uses;    /* how often that may yet be done */
};
void token_free(struct token *token);

/* All of them as read at one time. */
struct tokens {
	GPtrArray *list;     /* struct token, by creation */
	GHashTable *by_id;
};

/* Reads a file; one that isn't there holds none. To be freed by tokens_free(); NULL with @error. */
struct tokens *tokens_read(const char *path, GError **error);
void tokens_free(struct tokens *tokens);

/* The token of a text, where it is one of these and hasn't expired; else NULL. */
const struct token *tokens_find(const struct tokens *tokens, const char *text, int64_t now);

/**
 * token_create - make a token and keep its hash
 * @spec: role, host, note, expires, enrolment, uses; the rest isn't looked at
 *
 * Returns the token's text, which nobody can find out again; free with g_free(). NULL with @error.
 */
char *token_create(const char *path, const struct token *spec, int64_t now, GError **error);

/* Ends a token; SERVICE_ERROR_NAME where there is none of that id. */
bool token_revoke(const char *path, const char *id, GError **error);

/**
 * token_enrol - exchange an enrolment secret for an agent's token of a host
 *
 * Returns its text; NULL with @error: SERVICE_ERROR_NAME for a secret that isn't good (any more),
 * SERVICE_ERROR_USAGE for a host that has a token already.
 */
char *token_enrol(const char *path, const char *secret, const char *host, int64_t now, GError **error);

/* The answer "tokens": all of them, without their hashes. */
json_t *answer_tokens(const struct tokens *tokens, int64_t now);

#endif
