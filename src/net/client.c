/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client.c: see client.h; the only file that knows libcurl. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"

#define TOKEN_MAX 256

G_DEFINE_QUARK(client-error, client_error)

char *client_escape(const char *name)
{
	return g_uri_escape_string(name, NULL, FALSE);
}

void client_reply_clear(struct client_reply *reply)
{
	g_clear_pointer(&reply->body, g_byte_array_unref);
	g_clear_pointer(&reply->subject_token, g_free);
}

static char *bad_token(const char *path, const char *what, GError **error)
{
	g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_USAGE,
		    "%s: %s (a file of the token alone, which only its owner may read)", path, what);
	return NULL;
}

char *client_token(const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[TOKEN_MAX + 2];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return bad_token(path, g_strerror(errno), error);
	n = fstat(fd, &st) == 0 ? read(fd, text, sizeof(text) - 1) : -1;
	close(fd);
	if (n < 0)
		return bad_token(path, g_strerror(errno), error);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return bad_token(path, "others may read it", error);
	text[n] = 0;
	g_strchomp(text);
	if (!*text || n > TOKEN_MAX || text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")])
		return bad_token(path, "holds no token", error);
	return g_strdup(text);
}

#ifdef HAVE_CURL

#include <curl/curl.h>

struct client {
	CURL *curl;
	struct curl_slist *headers;
	char *base;      /* what a path goes behind */
	char *shown;     /* the URL, for messages */
	char *service;   /* what it is, or NULL: a broker */
};

/* http:// sends a token as it is: only to where nobody can listen. */
static bool is_local(const char *url)
{
	const char *host = url + strlen("http://");

	return g_str_has_prefix(host, "127.0.0.1:") || g_str_has_prefix(host, "[::1]:") ||
	       g_str_has_prefix(host, "localhost:");
}

static bool set_url(struct client *c, const char *url, bool plain_http, GError **error)
{
	bool unix_socket = g_str_has_prefix(url, "unix:/");
	const char *whose = c->service ? c->service : "a broker";

	if (!unix_socket && !g_str_has_prefix(url, "https://") &&
	    !(g_str_has_prefix(url, "http://") && (plain_http || is_local(url)))) {
		g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_USAGE,
			    "%s: not %s's URL (https://HOST[:PORT] or unix:/PATH; http:// only to this machine)", url, whose);
		return false;
	}
	if (!unix_socket && (strchr(url, '@') || strpbrk(url, " ?#"))) {
		g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_USAGE,
			    "%s's URL: holds a name, a question or blanks (give the host and port; the token goes into a file)",
			    whose);
		return false;
	}
	c->shown = g_strdup(url);
	c->base = g_strdup(unix_socket ? "http://broker" : url);
	while (g_str_has_suffix(c->base, "/"))
		c->base[strlen(c->base) - 1] = 0;
	if (unix_socket)
		curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, url + strlen("unix:"));
	return true;
}

static bool set_token(struct client *c, const char *path, GError **error)
{
	g_autofree char *token = path ? client_token(path, error) : NULL;
	g_autofree char *header = token ? g_strconcat("Authorization: Bearer ", token, NULL) : NULL;

	if (header)
		c->headers = curl_slist_append(c->headers, header);
	return !path || token;
}

/* Headers that are given, and ours where they don't say what a body is. */
static void set_headers(struct client *c, const char *const *headers)
{
	bool typed = false;

	for (size_t i = 0; headers && headers[i]; i++) {
		typed |= !g_ascii_strncasecmp(headers[i], "Content-Type:", strlen("Content-Type:"));
		c->headers = curl_slist_append(c->headers, headers[i]);
	}
	if (!typed)
		c->headers = curl_slist_append(c->headers, "Content-Type: application/json");
	c->headers = curl_slist_append(c->headers, "Expect:");
}

struct client *client_new(const struct client_options *options, GError **error)
{
	struct client *c = g_new0(struct client, 1);

	curl_global_init(CURL_GLOBAL_DEFAULT);
	c->curl = curl_easy_init();
	set_headers(c, options->headers);
	curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "capbroker/" PACKAGE_VERSION);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(options->timeout_ms, 10000u));
	if (options->ca_file)
		curl_easy_setopt(c->curl, CURLOPT_CAINFO, options->ca_file);
	c->service = g_strdup(options->service);
	if (set_url(c, options->url, options->plain_http, error) && set_token(c, options->token_file, error))
		return c;
	client_free(c);
	return NULL;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	curl_slist_free_all(c->headers);
	curl_easy_cleanup(c->curl);
	g_free(c->base);
	g_free(c->shown);
	g_free(c->service);
	g_free(c);
}

static size_t take(char *bytes, size_t size, size_t n, void *data)
{
	struct client_reply *reply = data;

	if (n > CLIENT_REPLY_MAX - reply->body->len)
		return 0;
	g_byte_array_append(reply->body, (const guint8 *)bytes, (guint)(size * n));
	return size * n;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *data)
{
	struct client_reply *reply = data;
	g_autofree char *line = g_strndup(bytes, size * n);

	if (!g_ascii_strncasecmp(line, "Capbroker-Exit:", strlen("Capbroker-Exit:")))
		reply->exit_status = (int)g_ascii_strtoll(line + strlen("Capbroker-Exit:"), NULL, 10);
	if (!g_ascii_strncasecmp(line, "Retry-After:", strlen("Retry-After:")))
		reply->retry_after_s = (long)g_ascii_strtoll(line + strlen("Retry-After:"), NULL, 10);
	if (!g_ascii_strncasecmp(line, "X-Subject-Token:", strlen("X-Subject-Token:"))) {
		g_free(reply->subject_token);
		reply->subject_token = g_strdup(g_strstrip(line + strlen("X-Subject-Token:")));
	}
	return size * n;
}

static bool perform(struct client *c, struct client_reply *reply, GError **error)
{
	CURLcode code = curl_easy_perform(c->curl);

	if (code == CURLE_OK) {
		curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &reply->status);
		return true;
	}
	if (code == CURLE_WRITE_ERROR)
		g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_REPLY, "%s: answers more than %u MiB (ask about fewer hosts)",
			    c->shown, CLIENT_REPLY_MAX >> 20);
	else
		g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_FAILED, "%s: %s (is %s running there?)", c->shown,
			    curl_easy_strerror(code), c->service ? c->service : "capbrokerd");
	client_reply_clear(reply);
	return false;
}

bool client_send(struct client *c, const char *method, const char *path, const char *body, gsize length,
		 struct client_reply *reply, GError **error)
{
	g_autofree char *url = g_strconcat(c->base, path, NULL);

	*reply = (struct client_reply){ .body = g_byte_array_new(), .exit_status = -1 };
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, reply);
	if (body) {
		curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	} else {
		curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	return perform(c, reply, error);
}

#else

struct client *client_new(const struct client_options *options, GError **error)
{
	g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_USAGE, "%s: built without libcurl (build it with libcurl to ask a broker)",
		    options->url);
	return NULL;
}

void client_free(struct client *c)
{
	(void)c;
}

bool client_send(struct client *c, const char *method, const char *path, const char *body, gsize length,
		 struct client_reply *reply, GError **error)
{
	(void)c;
	(void)method;
	(void)path;
	(void)body;
	(void)length;
	(void)reply;
	(void)error;
	return false;
}

#endif
