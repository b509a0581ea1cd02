/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* push.c: see push.h. Nothing is kept for later: what is sent next time is what is so then. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "model/document.h"
#include "push.h"
#include "source.h"

#define TIMEOUT_MS 60000u
#define FIRST_DELAY_MS 1000
#define DELAY_MAX_MS 60000

/* What a broker says is wrong: one line. */
static void set_refused(const struct push_options *o, const struct client_reply *reply, GError **error)
{
	json_t *json = json_loadb((const char *)reply->body->data, reply->body->len, 0, NULL);
	const json_t *said = json_object_get(json, "error");
	const char *what = member_text(said, "message"), *where = member_text(said, "where"), *fix = member_text(said, "fix");

	g_set_error(error, SOURCE_ERROR, SOURCE_FAILED, "%s: refused with status %ld: %s%s%s (%s)", o->url, reply->status,
		    where ? where : "", where ? ": " : "", what ? what : "no reason", fix ? fix : "see the broker's log");
	json_decref(json);
}

static bool is_passing(const struct client_reply *reply)
{
	return reply->status == 503 || reply->status == 507 || reply->status == 429;
}

/* Later each time, and each host at a time of its own. */
static void wait_before(int attempt, const struct client_reply *reply)
{
	gint64 ms = MIN((gint64)FIRST_DELAY_MS << attempt, DELAY_MAX_MS);

	ms = (gint64)((double)ms * g_random_double_range(0.5, 1.5));
	if (reply && reply->retry_after_s > 0)
		ms = MAX(ms, MIN(reply->retry_after_s, 300) * 1000);
	g_usleep((gulong)ms * 1000);
}

/* One request, asked again while that may help. True with @reply set, whatever it says. */
static bool send_on(struct client *client, const char *method, const char *path, const char *body,
		    struct client_reply *reply, GError **error)
{
	for (int attempt = 0;; attempt++) {
		g_autoptr(GError) problem = NULL;
		bool sent = client_send(client, method, path, body, strlen(body), reply, &problem);

		if (sent && !is_passing(reply))
			return true;
		if (attempt + 1 == PUSH_TRIES) {
			if (!sent)
				g_propagate_error(error, g_steal_pointer(&problem));
			return sent;
		}
		wait_before(attempt, sent ? reply : NULL);
		if (sent)
			client_reply_clear(reply);
	}
}

/* Takes what has to be taken: true for 2xx; for 409 where @again may be set. */
static bool put(const struct push_options *o, struct client *client, const char *path, const char *body, bool *again,
		GError **error)
{
	struct client_reply reply;
	bool ok;

	if (!send_on(client, "PUT", path, body, &reply, error))
		return false;
	ok = reply.status >= 200 && reply.status < 300;
	if (!ok && again && reply.status == 409)
		*again = ok = true;
	if (!ok)
		set_refused(o, &reply, error);
	client_reply_clear(&reply);
	return ok;
}

static bool put_json(const struct push_options *o, struct client *client, const char *path, const json_t *json, bool *again,
		     GError **error)
{
	char *body = json_dumps(json, JSON_COMPACT);
	bool ok = put(o, client, path, body, again, error);

	free(body);
	return ok;
}

static bool put_profile(const struct push_options *o, struct client *client, const char *host, const json_t *profile,
			GError **error)
{
	g_autofree char *escaped = client_escape(host), *path = g_strconcat("/v1/hosts/", escaped, "/profile", NULL);
	const json_t *fingerprint = json_object_get(profile, "fingerprint");
	json_t *confirm, *time = json_object_get(json_object_get(profile, "probe"), "time");
	char digest[65];
	bool again = false, ok;

	document_digest(profile, digest);
	confirm = json_pack("{s:s, s:s, s:O?, s:O?}", "format", "capbroker.confirm/1", "profile_digest", digest,
			    "fingerprint", fingerprint, "time", time);
	ok = put_json(o, client, path, confirm, &again, error);
	json_decref(confirm);
	return ok && (!again || put_json(o, client, path, profile, NULL, error));
}

static bool put_guests(const struct push_options *o, struct client *client, const char *host, const json_t *guests,
		       GError **error)
{
	g_autofree char *escaped = client_escape(host), *path = g_strconcat("/v1/hosts/", escaped, "/guests", NULL);

	/* A probe that couldn't ask for guests knows nothing against those that are known. */
	return !json_is_true(json_object_get(guests, "complete")) || put_json(o, client, path, guests, NULL, error);
}

/* --- enrolment -------------------------------------------------------------------------------- */

static bool keep_token(const char *path, const char *token, GError **error)
{
	g_autofree char *line = g_strconcat(token, "\n", NULL);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line) && fsync(fd) == 0;

	if (!ok)
		g_set_error(error, SOURCE_ERROR, SOURCE_FAILED, "%s: cannot be written: %s (revoke the token, mend that, enrol again)",
			    path, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool take_token(const struct push_options *o, struct client *client, const char *host, GError **error)
{
	json_t *body = json_pack("{s:s}", "host", host), *answer;
	char *text = json_dumps(body, JSON_COMPACT);
	struct client_reply reply;
	bool ok = send_on(client, "POST", "/v1/enrol", text, &reply, error);

	free(text);
	json_decref(body);
	if (!ok)
		return false;
	answer = json_loadb((const char *)reply.body->data, reply.body->len, 0, NULL);
	ok = reply.status == 201 && member_text(answer, "token");
	if (!ok)
		set_refused(o, &reply, error);
	ok = ok && keep_token(o->token_file, member_text(answer, "token"), error);
	json_decref(answer);
	client_reply_clear(&reply);
	return ok;
}

/* Exchanges the secret, unless there is a token. */
static bool enrol(const struct push_options *o, const char *host, GError **error)
{
	const struct client_options options = { .url = o->url, .token_file = o->enrol_file, .ca_file = o->ca_file,
						.timeout_ms = TIMEOUT_MS };
	g_autoptr(Client) client = NULL;

	if (!o->enrol_file || g_file_test(o->token_file, G_FILE_TEST_EXISTS))
		return true;
	client = client_new(&options, error);
	return client && take_token(o, client, host, error);
}

bool push(const struct push_options *o, const json_t *profile, const json_t *guests, GError **error)
{
	const struct client_options options = { .url = o->url, .token_file = o->token_file, .ca_file = o->ca_file,
						.timeout_ms = TIMEOUT_MS };
	const char *host = member_text(json_object_get(profile, "host"), "name");
	g_autoptr(Client) client = NULL;

	if (!host) {
		g_set_error(error, SOURCE_ERROR, SOURCE_FAILED, "this host has no name (give it one)");
		return false;
	}
	if (!enrol(o, host, error))
		return false;
	client = client_new(&options, error);
	return client && put_profile(o, client, host, profile, error) && put_guests(o, client, host, guests, error);
}
