/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* http.c: see http.h. */
#include "config.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "errors.h"
#include "files.h"
#include "http.h"

#define HEADERS_MAX (16 * 1024)
/* So much of a body is read and thrown away before it is refused: who sends while it is closed loses the answer. */
#define DRAINED_MAX (4u * 1024 * 1024)
#define POOL 2
#define PATH_PARTS 8
#define PEM_MAX (256 * 1024)

enum stage { AWAITS_FIRST, AWAITS_NEXT, READS, ANSWERS, SENDS };

/* What is known of one connection. */
struct connection {
	struct http *http;
	struct MHD_Connection *mhd;
	int fd;
	bool local;
	enum stage stage;
	gint64 since;   /* in that stage, monotonic */
	gsize reserved; /* bytes of bodies */
};

struct http {
	struct http_calls calls;
	struct MHD_Daemon *unix_daemon, *tls_daemon;
	gsize bodies_max, bytes;
	gint64 request_us, idle_us;
	int whole;
	char *socket_path;  /* ours: to be removed */
	int unix_fd, tls_fd;
	GThread *reaper;
	GMutex lock;        /* of what follows, and of connections' stages */
	GCond wake;
	bool ending;
	GHashTable *connections; /* set of struct connection */
};

/* --- connections ------------------------------------------------------------------------------ */

static void set_stage(struct connection *c, enum stage stage)
{
	g_mutex_lock(&c->http->lock);
	c->stage = stage;
	c->since = g_get_monotonic_time();
	g_mutex_unlock(&c->http->lock);
}

static void notify(void *data, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *http = data;
	struct connection *c = *context;
	const union MHD_ConnectionInfo *info;

	g_mutex_lock(&http->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		c = g_new0(struct connection, 1);
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		c->http = http;
		c->mhd = mhd;
		c->fd = info ? info->connect_fd : -1;
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_DAEMON);
		c->since = g_get_monotonic_time();
		g_hash_table_add(http->connections, c);
		*context = c;
	} else if (c) {
		g_hash_table_remove(http->connections, c);
		g_free(c);
		*context = NULL;
	}
	g_mutex_unlock(&http->lock);
}

/* The request's first line is there. */
static void *begin(void *data, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	(void)data;
	(void)uri;
	if (info && info->socket_context)
		set_stage(info->socket_context, READS);
	return NULL;
}

static gint64 limit_of(const struct http *http, enum stage stage)
{
	switch (stage) {
	case AWAITS_FIRST:
	case READS:
		return http->request_us;
	case AWAITS_NEXT:
	case SENDS:
		return http->idle_us;
	case ANSWERS:
		break;
	}
	return G_MAXINT64;
}

/* Whoever takes too long is cut off; that wakes libmicrohttpd, which closes it. */
static void *reap(void *data)
{
	struct http *http = data;
	GHashTableIter iter;
	void *key;

	g_mutex_lock(&http->lock);
	while (!http->ending) {
		gint64 now = g_get_monotonic_time();

		g_hash_table_iter_init(&iter, http->connections);
		while (g_hash_table_iter_next(&iter, &key, NULL)) {
			const struct connection *c = key;

			if (now - c->since > limit_of(http, c->stage))
				shutdown(c->fd, SHUT_RDWR);
		}
		g_cond_wait_until(&http->wake, &http->lock, now + G_USEC_PER_SEC);
	}
	g_mutex_unlock(&http->lock);
	return NULL;
}

/* --- reading a request's head ----------------------------------------------------------------- */

/* Decodes %XX; NULL for what is malformed, no UTF-8, or holds what no name has. */
static char *decode(const char *text, gsize length)
{
	g_autofree char *raw = g_strndup(text, length);
	char *plain = g_uri_unescape_string(raw, "");

	if (plain && g_utf8_validate(plain, -1, NULL) && strcmp(plain, ".") && strcmp(plain, "..")) {
		const char *c = plain;

		while (*c && (unsigned char)*c >= 0x20 && *c != 0x7f && *c != '/')
			c++;
		if (!*c)
			return plain;
	}
	g_free(plain);
	return NULL;
}

static char **split(const char *path)
{
	g_auto(GStrv) raw = NULL;
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);

	if (*path != '/')
		return NULL;
	raw = g_strsplit(path + 1, "/", PATH_PARTS + 1);
	if (g_strv_length(raw) > PATH_PARTS)
		return NULL;
	for (size_t i = 0; raw[i]; i++) {
		char *part = *raw[i] ? decode(raw[i], strlen(raw[i])) : NULL;

		if (!part)
			return NULL;
		g_ptr_array_add(parts, part);
	}
	g_ptr_array_add(parts, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&parts), FALSE);
}

struct head {
	struct request *request;
	int lengths, encodings, authorizations, hosts;
	guint64 length;
	bool bad, waits; /* waits: for "100 Continue" before it sends a body */
};

static enum MHD_Result header(void *data, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct head *h = data;

	(void)kind;
	if (!g_ascii_strcasecmp(key, "Content-Length")) {
		h->lengths++;
		h->bad = h->bad || !g_ascii_string_to_unsigned(value ? value : "", 10, 0, G_MAXINT64, &h->length, NULL);
	} else if (!g_ascii_strcasecmp(key, "Transfer-Encoding")) {
		h->encodings++;
		h->bad = h->bad || g_ascii_strcasecmp(value ? value : "", "chunked");
	} else if (!g_ascii_strcasecmp(key, "Authorization")) {
		h->authorizations++;
		g_free(h->request->authorization);
		h->request->authorization = g_strdup(value);
	} else if (!g_ascii_strcasecmp(key, "Host")) {
		h->hosts++;
	} else if (!g_ascii_strcasecmp(key, "Expect")) {
		h->waits = true;
	}
	return MHD_YES;
}

static enum MHD_Result argument(void *data, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct head *h = data;
	char *name = decode(key, strlen(key)), *text = value ? g_uri_unescape_string(value, NULL) : NULL;
	GPtrArray *list;

	(void)kind;
	if (!name || !text || !g_utf8_validate(text, -1, NULL)) {
		h->bad = true;
		g_free(name);
		g_free(text);
		return MHD_YES;
	}
	list = g_hash_table_lookup(h->request->arguments, name);
	if (!list) {
		list = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(h->request->arguments, g_strdup(name), list);
	}
	g_ptr_array_add(list, text);
	g_free(name);
	return MHD_YES;
}

static void set_peer(struct request *r, int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	struct ucred cred;
	char host[INET6_ADDRSTRLEN + 32], port[16];

	if (getpeername(fd, (struct sockaddr *)&address, &length) == 0 && address.ss_family == AF_UNIX) {
		length = sizeof(cred);
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length) == 0) {
			r->local = true;
			r->uid = cred.uid;
			r->gid = cred.gid;
			r->peer = g_strdup_printf("uid %u", (unsigned int)cred.uid);
		}
	} else if (getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port, sizeof(port),
			       NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
		r->peer = g_strdup(host);
	}
	if (!r->peer)
		r->peer = g_strdup("nobody known");
}

static void request_free(struct request *r)
{
	if (r->data_free)
		r->data_free(r->data);
	g_free(r->method);
	g_strfreev(r->path);
	g_hash_table_unref(r->arguments);
	g_free(r->authorization);
	g_free(r->peer);
	g_clear_pointer(&r->body, g_byte_array_unref);
	free(r->reply);
	g_free(r);
}

static struct request *request_new(struct connection *c, const char *url, const char *method)
{
	struct request *r = g_new0(struct request, 1);

	r->connection = c;
	r->method = g_strdup(method);
	r->path = split(url);
	r->arguments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	r->began = g_get_monotonic_time();
	r->exit_status = -1;
	r->type = "application/json";
	set_peer(r, c->fd);
	return r;
}

/* --- answering -------------------------------------------------------------------------------- */

static void refuse(struct request *r, unsigned int status, const char *what)
{
	GError *error = g_error_new(SERVICE_ERROR, SERVICE_ERROR_USAGE, "request: %s", what);
	json_t *answer = error_answer(error);

	r->status = status;
	free(r->reply);
	r->reply = json_dumps(answer, JSON_INDENT(1));
	r->reply_length = strlen(r->reply);
	json_decref(answer);
	g_error_free(error);
}

static enum MHD_Result queue(struct request *r, bool close_it)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	char number[24];

	/* libmicrohttpd asks again where it is ending and took the first answer for nothing */
	if (!r->reply)
		return MHD_NO;
	response = MHD_create_response_from_buffer_with_free_callback(r->reply_length, r->reply, free);
	r->reply = NULL;
	MHD_add_response_header(response, "Content-Type", r->type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (r->exit_status >= 0) {
		g_snprintf(number, sizeof(number), "%d", r->exit_status);
		MHD_add_response_header(response, "Capbroker-Exit", number);
	}
	if (r->retry_after_s) {
		g_snprintf(number, sizeof(number), "%d", r->retry_after_s);
		MHD_add_response_header(response, "Retry-After", number);
	}
	if (r->status == 401)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	if (close_it)
		MHD_add_response_header(response, "Connection", "close");
	set_stage(r->connection, SENDS);
	result = MHD_queue_response(r->connection->mhd, r->status, response);
	MHD_destroy_response(response);
	return result;
}

void http_reply(struct request *r)
{
	struct http *http = r->connection->http;

	/* from here on the request is the other thread's, and whoever ends the server may do so */
	MHD_resume_connection(r->connection->mhd);
	g_atomic_int_add(&http->whole, -1);
}

/* --- bodies ----------------------------------------------------------------------------------- */

/* Room for so many bytes of bodies, of all that are held. */
static bool reserve(struct connection *c, gsize bytes)
{
	struct http *http = c->http;
	bool ok;

	g_mutex_lock(&http->lock);
	ok = http->bytes + bytes <= http->bodies_max;
	if (ok) {
		http->bytes += bytes;
		c->reserved += bytes;
	}
	g_mutex_unlock(&http->lock);
	return ok;
}

static void give_back(struct connection *c)
{
	g_mutex_lock(&c->http->lock);
	c->http->bytes -= c->reserved;
	c->reserved = 0;
	g_mutex_unlock(&c->http->lock);
}

/*
 * Returns 0 where the head is fine, else the status to refuse it with. *@drain: its body is on its way, well-formed
 * and short.
 */
static unsigned int check_head(struct http *http, struct request *r, struct MHD_Connection *mhd, gsize *limit,
			       bool *drain)
{
	struct head h = { .request = r };

	MHD_get_connection_values(mhd, MHD_HEADER_KIND, header, &h);
	MHD_get_connection_values(mhd, MHD_GET_ARGUMENT_KIND, argument, &h);
	if (h.bad || h.lengths + h.encodings > 1 || h.authorizations > 1 || h.hosts != 1 || !r->path) {
		refuse(r, 400, "malformed: its path, a header, or two lengths for one body (mend the client)");
		return 400;
	}
	*drain = h.lengths && h.length && h.length <= DRAINED_MAX && !h.waits;
	*limit = 0;
	if (!http->calls.head(r, limit, http->calls.data))
		return r->status;
	if (h.lengths && h.length > *limit) {
		refuse(r, 413, "its body is larger than is read (see capbrokerd.conf(5), limits)");
		return 413;
	}
	if (h.lengths && h.length && !reserve(r->connection, h.length)) {
		refuse(r, 503, "too much is being read just now (try again)");
		r->retry_after_s = 1;
		return 503;
	}
	if (h.lengths ? h.length > 0 : h.encodings)
		r->body = g_byte_array_sized_new((guint)h.length + 1);
	return 0;
}

/* A part of a body; false where it is too much. */
static bool append(struct request *r, const char *data, size_t size, gsize limit)
{
	struct connection *c = r->connection;

	if (!r->body || r->body->len + size > limit) {
		refuse(r, 413, "its body is larger than is read (see capbrokerd.conf(5), limits)");
		return false;
	}
	if (r->body->len + size > c->reserved && !reserve(c, r->body->len + size - c->reserved)) {
		refuse(r, 503, "too much is being read just now (try again)");
		r->retry_after_s = 1;
		return false;
	}
	g_byte_array_append(r->body, (const guint8 *)data, (guint)size);
	return true;
}

struct reading {
	struct request *request;
	gsize limit;
	bool whole, refused;
};

static enum MHD_Result first(struct http *http, struct connection *c, const char *url, const char *method,
			     struct reading **reading)
{
	struct reading *r = *reading = g_new0(struct reading, 1);
	bool drain = false;

	r->request = request_new(c, url, method);
	r->refused = check_head(http, r->request, c->mhd, &r->limit, &drain) != 0;
	return !r->refused || drain ? MHD_YES : queue(r->request, true);
}

static enum MHD_Result handle(void *data, struct MHD_Connection *mhd, const char *url, const char *method,
			      const char *version, const char *upload, size_t *size, void **context)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *c = info ? info->socket_context : NULL;
	struct reading *r = *context;
	struct http *http = data;

	(void)version;
	if (!c)
		return MHD_NO;
	if (!r)
		return first(http, c, url, method, (struct reading **)context);
	if (*size) {
		if (!r->refused && !append(r->request, upload, *size, r->limit))
			r->refused = true;
		*size = 0;
		return MHD_YES;
	}
	if (r->refused)
		return queue(r->request, true);
	if (r->whole)
		return queue(r->request, false);
	r->whole = true;
	set_stage(c, ANSWERS);
	g_atomic_int_inc(&http->whole);
	MHD_suspend_connection(mhd);
	http->calls.whole(r->request, http->calls.data);
	return MHD_YES;
}

static void completed(void *data, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct http *http = data;
	struct reading *r = *context;

	(void)mhd;
	(void)code;
	if (!r)
		return;
	give_back(r->request->connection);
	set_stage(r->request->connection, AWAITS_NEXT);
	http->calls.done(r->request, http->calls.data);
	request_free(r->request);
	g_free(r);
	*context = NULL;
}

/* Paths and arguments are decoded by us, after they were taken apart. */
static size_t leave_escaped(void *data, struct MHD_Connection *mhd, char *text)
{
	(void)data;
	(void)mhd;
	return strlen(text);
}

static void say_nothing(void *data, const char *format, va_list values)
{
	(void)data;
	(void)format;
	(void)values;
}

/* --- listening -------------------------------------------------------------------------------- */

static int fail(const char *where, const char *what, int number, GError **error)
{
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO, "%s: cannot %s: %s (see capbrokerd.conf(5))", where, what,
		    g_strerror(number));
	return -1;
}

/* A socket that nobody listens on any more is in the way. */
static bool clear_away(const char *path, const struct sockaddr_un *address, GError **error)
{
	struct stat st;
	int fd, refused;

	if (lstat(path, &st) < 0)
		return true;
	if (!S_ISSOCK(st.st_mode)) {
		fail(path, "listen", EEXIST, error);
		return false;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
	close(fd);
	if (refused == ECONNREFUSED && unlink(path) == 0)
		return true;
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO, "%s: another broker listens there (end it first)", path);
	return false;
}

static int listen_unix(const char *path, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autofree char *folder = g_path_get_dirname(path);
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(path, "listen", ENAMETOOLONG, error);
	strcpy(address.sun_path, path);
	g_mkdir_with_parents(folder, 0755);
	if (!clear_away(path, &address, error))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* who may do what is decided by who connects */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0666) < 0 ||
	    listen(fd, 1024) < 0) {
		int number = errno;

		if (fd >= 0)
			close(fd);
		return fail(path, "listen", number, error);
	}
	return fd;
}

static int listen_tcp(const char *where, GError **error)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	g_autofree char *host = g_strndup(where, (gsize)(strrchr(where, ':') - where));
	struct addrinfo *found = NULL;
	int fd, one = 1, number, result;
	char *name = host;

	if (*name == '[' && g_str_has_suffix(name, "]")) {
		name[strlen(name) - 1] = 0;
		name++;
	}
	result = getaddrinfo(*name ? name : NULL, strrchr(where, ':') + 1, &hints, &found);
	if (result) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE, "[tls] listen: %s: %s (see capbrokerd.conf(5))", where,
			    gai_strerror(result));
		return -1;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 1024) < 0) {
		number = errno;
		if (fd >= 0)
			close(fd);
		fd = fail(where, "listen", number, error);
	}
	freeaddrinfo(found);
	return fd;
}

static struct MHD_Daemon *serve(struct http *http, const struct settings *s, int fd, const char *key, const char *certificate,
				GError **error)
{
	const unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
		{ MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->per_address, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	static const struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	struct MHD_Daemon *daemon = MHD_start_daemon(flags | (key ? MHD_USE_TLS : 0), 0, NULL, NULL, handle, http,
		MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned int)POOL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MAX(s->connections, 2 * POOL),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX + 16384,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)s->idle_seconds,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, notify, http,
		MHD_OPTION_NOTIFY_COMPLETED, completed, http,
		MHD_OPTION_URI_LOG_CALLBACK, begin, http,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
		MHD_OPTION_ARRAY, key ? tls : none, MHD_OPTION_END);

	if (!daemon)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO, key ?
			    "%s: cannot serve with that certificate and key (are they PEM, and of each other?)" :
			    "%s: cannot serve (are there enough file descriptors and threads?)", key ? s->listen : s->socket);
	return daemon;
}

static bool serve_unix(struct http *http, const struct settings *s, int fd, GError **error)
{
	if (fd < 0 && !*s->socket)
		return true;
	if (fd < 0) {
		fd = listen_unix(s->socket, error);
		http->socket_path = fd >= 0 ? g_strdup(s->socket) : NULL;
	}
	http->unix_fd = fd;
	if (fd >= 0)
		http->unix_daemon = serve(http, s, fd, NULL, NULL, error);
	return http->unix_daemon != NULL;
}

static bool serve_tls(struct http *http, const struct settings *s, int fd, GError **error)
{
	g_autofree char *certificate = NULL, *key = NULL;
	gsize length;

	if (!s->listen && fd < 0)
		return true;
	if (!s->certificate || !s->key) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "[tls]: a socket was handed over, but certificate and key are not set (see capbrokerd.conf(5))");
		return false;
	}
	if (!file_read(s->certificate, PEM_MAX, &certificate, &length, error) ||
	    !file_read(s->key, PEM_MAX, &key, &length, error))
		return false;
	http->tls_fd = fd >= 0 ? fd : listen_tcp(s->listen, error);
	if (http->tls_fd >= 0)
		http->tls_daemon = serve(http, s, http->tls_fd, key, certificate, error);
	memset(key, 0, strlen(key));
	return http->tls_daemon != NULL;
}

struct http *http_new(const struct settings *s, const struct http_calls *calls)
{
	struct http *http = g_new0(struct http, 1);

	http->calls = *calls;
	http->bodies_max = (gsize)s->bodies_mib << 20;
	http->request_us = s->request_seconds * (gint64)G_USEC_PER_SEC;
	http->idle_us = s->idle_seconds * (gint64)G_USEC_PER_SEC;
	http->unix_fd = http->tls_fd = -1;
	g_mutex_init(&http->lock);
	g_cond_init(&http->wake);
	http->connections = g_hash_table_new(NULL, NULL);
	http->reaper = g_thread_new("reaper", reap, http);
	return http;
}

bool http_listen(struct http *http, const struct settings *s, int unix_fd, int tls_fd, GError **error)
{
	if (!serve_unix(http, s, unix_fd, error) || !serve_tls(http, s, tls_fd, error))
		return false;
	if (http->unix_daemon || http->tls_daemon)
		return true;
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
		    "nothing to listen on (set [unix] socket or [tls] listen, see capbrokerd.conf(5))");
	return false;
}

void http_quiet(struct http *http)
{
	if (http->socket_path)
		unlink(http->socket_path);
	if (http->unix_daemon)
		MHD_quiesce_daemon(http->unix_daemon);
	if (http->tls_daemon)
		MHD_quiesce_daemon(http->tls_daemon);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	if (http->unix_daemon)
		MHD_stop_daemon(http->unix_daemon);
	if (http->tls_daemon)
		MHD_stop_daemon(http->tls_daemon);
	g_mutex_lock(&http->lock);
	http->ending = true;
	g_cond_signal(&http->wake);
	g_mutex_unlock(&http->lock);
	g_thread_join(http->reaper);
	g_hash_table_unref(http->connections);
	g_free(http->socket_path);
	g_mutex_clear(&http->lock);
	g_cond_clear(&http->wake);
	g_free(http);
}

unsigned int http_whole(const struct http *http)
{
	return (unsigned int)g_atomic_int_get(&http->whole);
}

bool http_busy(const struct http *http)
{
	GHashTableIter iter;
	bool busy = false;
	void *key;

	g_mutex_lock((GMutex *)&http->lock);
	g_hash_table_iter_init(&iter, http->connections);
	while (!busy && g_hash_table_iter_next(&iter, &key, NULL))
		busy = ((const struct connection *)key)->stage >= ANSWERS;
	g_mutex_unlock((GMutex *)&http->lock);
	return busy;
}

unsigned int http_connections(const struct http *http)
{
	unsigned int n;

	g_mutex_lock((GMutex *)&http->lock);
	n = g_hash_table_size(http->connections);
	g_mutex_unlock((GMutex *)&http->lock);
	return n;
}

gsize http_bytes(const struct http *http)
{
	gsize n;

	g_mutex_lock((GMutex *)&http->lock);
	n = http->bytes;
	g_mutex_unlock((GMutex *)&http->lock);
	return n;
}
