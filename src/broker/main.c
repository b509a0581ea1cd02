/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * main.c: capbrokerd: begins, waits for signals, ends.
 *
 * Theory of operation: sockets may come from systemd ($LISTEN_FDS). Once all is loaded and listened to,
 * $NOTIFY_SOCKET is told. SIGHUP reads the policy and the database again, and settings of the log;
 * SIGTERM and SIGINT take no more connections, answer what was asked, write what waits, and end.
 */
#include "config.h"

#include <errno.h>
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker.h"
#include "guest/xml.h"
#include "model/dictionary.h"

#define FIRST_FD 3
#define END_WITHIN_S 20

static char *settings_file;
static gboolean check_only, show_version, list_keys, list_routes;

static const GOptionEntry entries[] = {
	{ "config", 0, 0, G_OPTION_ARG_FILENAME, &settings_file, "Settings (default: capbrokerd.conf in capbroker's folder of /etc)", "FILE" },
	{ "check-config", 0, 0, G_OPTION_ARG_NONE, &check_only, "Say whether the settings are right, and end", NULL },
	{ "list-keys", 0, 0, G_OPTION_ARG_NONE, &list_keys, "Print the settings' keys, and end", NULL },
	{ "list-routes", 0, 0, G_OPTION_ARG_NONE, &list_routes, "Print the paths of the API, and end", NULL },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Print the versions and end", NULL },
	{ 0 },
};

/* --- systemd ---------------------------------------------------------------------------------- */

/* Tells the manager, where there is one. */
static void notify(const char *state)
{
	const char *path = g_getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length;
	int fd;

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (*path == '@')
		address.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
	close(fd);
}

/* Sockets that were opened for us: a unix one and an internet one. */
static void take_sockets(int *unix_fd, int *tls_fd)
{
	const char *pid = g_getenv("LISTEN_PID"), *n = g_getenv("LISTEN_FDS");
	guint64 count = 0;

	*unix_fd = *tls_fd = -1;
	if (!pid || !n || g_ascii_strtoll(pid, NULL, 10) != getpid() ||
	    !g_ascii_string_to_unsigned(n, 10, 0, 16, &count, NULL))
		return;
	for (int fd = FIRST_FD; fd < FIRST_FD + (int)count; fd++) {
		struct sockaddr_storage address;
		socklen_t length = sizeof(address);

		if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
			continue;
		if (address.ss_family == AF_UNIX)
			*unix_fd = fd;
		else
			*tls_fd = fd;
	}
	g_unsetenv("LISTEN_FDS");
	g_unsetenv("LISTEN_PID");
}

/* Half of what the manager allows between two signs of life; 0: it wants none. */
static guint watchdog_ms(void)
{
	const char *usec = g_getenv("WATCHDOG_USEC"), *pid = g_getenv("WATCHDOG_PID");
	guint64 us = 0;

	if (!usec || (pid && g_ascii_strtoll(pid, NULL, 10) != getpid()) ||
	    !g_ascii_string_to_unsigned(usec, 10, 1000, G_MAXINT64, &us, NULL))
		return 0;
	return (guint)MIN(us / 2000, (guint64)60000);
}

/* A sign of life is one of the writer, too: its figures are under the lock that it takes. */
static gboolean alive(void *data)
{
	struct broker *b = data;
	struct keeper_figures f;

	keeper_figures(b->keeper, &f);
	g_free(f.trouble);
	notify("WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

/* --- signals ---------------------------------------------------------------------------------- */

/* What is wrong with the new policy leaves the old one in force. */
static bool policy_is_good(const struct broker *b, GError **error)
{
	struct session s = { 0 };
	bool ok = session_read_policy(&s, b->settings->policy, error);

	policy_free(s.policy);
	g_free(s.policy_path);
	return ok;
}

static void reload_log(struct broker *b, GError **error)
{
	struct settings *s = settings_read(settings_file ? settings_file : SETTINGS_FILE, settings_file != NULL, error);

	if (!s)
		return;
	log_set(s->json);
	__atomic_store_n(&b->settings->requests, s->requests, __ATOMIC_RELAXED);
	settings_free(s);
}

static gboolean reload(void *data)
{
	struct broker *b = data;
	struct change *c = g_new0(struct change, 1);
	g_autoptr(GError) error = NULL;

	notify("RELOADING=1");
	reload_log(b, &error);
	if (!error && policy_is_good(b, &error))
		g_atomic_int_inc(&b->policy_number);
	c->kind = CHANGE_RELOAD;
	if (!keeper_put(b->keeper, c))
		change_free(c);
	if (error)
		log_event(LOG_LEVEL_ERROR, "reload-failed", "reason", error->message, NULL);
	else
		log_event(LOG_LEVEL_INFO, "reloaded", NULL);
	notify("READY=1");
	return G_SOURCE_CONTINUE;
}

static gboolean end(void *data)
{
	g_main_loop_quit(data);
	return G_SOURCE_CONTINUE;
}

/* --- life ------------------------------------------------------------------------------------- */

/* Each connection is a descriptor. */
static void raise_limit(const struct settings *s)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)s->connections + 256;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = MIN(wanted, limit.rlim_max);
	setrlimit(RLIMIT_NOFILE, &limit);
}

static bool begin(struct broker *b, GError **error)
{
	struct http_calls calls = route_calls;
	int unix_fd, tls_fd;

	take_sockets(&unix_fd, &tls_fd);
	b->metrics = metrics_new();
	b->auth = auth_new(b->settings);
	b->policy_number = 1;
	b->keeper = keeper_new(b->settings->database, b->settings->keep_days, error);
	b->workers = b->keeper ? workers_new(b, error) : NULL;
	calls.data = b;
	b->http = b->workers ? http_new(b->settings, &calls, unix_fd, tls_fd, error) : NULL;
	return b->http != NULL;
}

static void run(struct broker *b)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	guint every = watchdog_ms();

	g_unix_signal_add(SIGTERM, end, loop);
	g_unix_signal_add(SIGINT, end, loop);
	g_unix_signal_add(SIGHUP, reload, b);
	if (every)
		g_timeout_add(every, alive, b);
	notify("READY=1");
	log_event(LOG_LEVEL_INFO, "ready", "version", PACKAGE_VERSION, "database", b->settings->database, NULL);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
}

/* What was asked is answered, as far as that takes no longer than it may. */
static void finish(struct broker *b)
{
	gint64 until = g_get_monotonic_time() + END_WITHIN_S * G_USEC_PER_SEC;

	notify("STOPPING=1");
	if (b->http) {
		g_atomic_int_set(&b->stopping, 1);
		http_quiet(b->http);
		while (http_whole(b->http) && g_get_monotonic_time() < until)
			g_usleep(10000);
		if (http_whole(b->http)) {
			log_event(LOG_LEVEL_ERROR, "ended-late", "reason", "questions were still being answered", NULL);
			_exit(1);
		}
	}
	http_free(b->http);
	workers_free(b->workers);
	keeper_free(b->keeper);
	auth_free(b->auth);
	metrics_free(b->metrics);
}

static int fail(GError *error)
{
	fprintf(stderr, "capbrokerd: %s\n", error->message);
	g_error_free(error);
	return 2;
}

static int print_list(const char *const *list)
{
	for (; *list; list++)
		puts(*list);
	return 0;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	struct broker b = { .started = g_get_real_time() / G_USEC_PER_SEC };
	GError *error = NULL;
	bool ok;

	setlocale(LC_CTYPE, "");
	g_set_prgname("capbrokerd");
	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	g_option_context_set_summary(context, "Keeps what a fleet's hosts are, and answers what capbroker asks.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return fail(error);
	if (argc > 1)
		return fail(g_error_new(SERVICE_ERROR, SERVICE_ERROR_USAGE, "%s: no argument is expected (see --help)", argv[1]));
	if (show_version)
		return printf("capbrokerd %s (dictionary %s)\n", PACKAGE_VERSION, cap_dictionary_version) < 0;
	if (list_keys || list_routes)
		return print_list(list_keys ? settings_keys() : route_list());
	b.settings = settings_read(settings_file ? settings_file : SETTINGS_FILE, settings_file != NULL, &error);
	if (!b.settings || check_only) {
		settings_free(b.settings);
		return error ? fail(error) : 0;
	}
	log_set(b.settings->json);
	raise_limit(b.settings);
	xml_begin();
	ok = begin(&b, &error);
	if (ok)
		run(&b);
	finish(&b);
	settings_free(b.settings);
	return ok ? 0 : fail(error);
}
