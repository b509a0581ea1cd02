/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * load-broker.c: makes large fleets, and asks a broker as many would at once, over its unix socket.
 *
 *	load-broker fleet DATABASE HOSTS CLASSES PROFILE…   a database; its guest is the first profile's
 *	load-broker filter SOCKET HOSTS CANDIDATES RATE SECONDS GUEST.xml
 *	load-broker unchanged SOCKET DATABASE THREADS SECONDS
 *	load-broker changed SOCKET PROFILE THREADS SECONDS
 *	load-broker idle SOCKET CONNECTIONS
 *
 * Each prints one line of figures. Nothing is asserted but that each request was answered by 200.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/document.h"
#include "model/profile.h"
#include "store.h"

#define BITS 10

static G_GNUC_NORETURN void fail(const char *what, const char *why)
{
	fprintf(stderr, "load-broker: %s: %s\n", what, why);
	exit(2);
}

/* --- a fleet ---------------------------------------------------------------------------------- */

/* A profile of its own class: other names that nobody knows. */
static json_t *of_class(const char *path, guint class)
{
	json_error_t problem;
	json_t *doc = json_load_file(path, 0, &problem);

	if (!doc)
		fail(path, problem.text);
	for (guint bit = 0; bit < BITS; bit++) {
		g_autofree char *id = g_strdup_printf("cpu.load-%u", bit);

		json_array_append_new(json_object_get(doc, "facts"),
				      json_pack("{s:s, s:b, s:s, s:{s:s}, s:s}", "id", id, "value", (int)(class >> bit & 1),
						"state", "known", "scope", "view", "kvm", "origin", "load"));
	}
	json_object_set_new(json_object_get(doc, "host"), "name", json_string("@NAME@"));
	return doc;
}

static char *named(const char *text, const char *name)
{
	g_auto(GStrv) parts = g_strsplit(text, "@NAME@", -1);

	return g_strjoinv(name, parts);
}

static void put_host(struct store *store, guint number, GPtrArray *sections, guint class)
{
	g_autofree char *name = g_strdup_printf("h%06u", number), *head = NULL;
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
	g_autofree char *cluster = g_strdup_printf("c%u", class % 40);
	g_autofree char *uuid = g_strdup_printf("00000000-0000-4000-8000-%012u", number);
	struct store_host row = { .name = name, .uuid = uuid, .arch = (char *)"x86_64", .digest = digest, .cluster = cluster,
				  .fingerprint = (char *)"{\"kernel\":\"6.1\"}", .confirmed = g_get_real_time() / G_USEC_PER_SEC };
	GPtrArray *own = g_ptr_array_new();
	GError *error = NULL;

	for (guint i = 0; i < sections->len && sections->pdata[i]; i += 2) {
		const char *text = sections->pdata[i + 1];
		bool is_head = !strcmp(sections->pdata[i], "head");

		if (is_head)
			head = named(text, name);
		g_ptr_array_add(own, sections->pdata[i]);
		g_ptr_array_add(own, is_head ? head : (char *)text);
	}
	g_ptr_array_add(own, NULL);
	if (!store_put_profile(store, &row, (const char *const *)own->pdata, &error))
		fail("fleet", error->message);
	g_ptr_array_unref(own);
}

static int fleet(int argc, char **argv)
{
	guint hosts = (guint)atoi(argv[3]), classes = (guint)atoi(argv[4]);
	g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	g_autoptr(Store) store = NULL;
	GError *error = NULL;

	for (guint c = 0; c < classes; c++) {
		json_t *doc = of_class(argv[5 + (int)c % (argc - 5)], c);

		g_ptr_array_add(made, document_split(doc));
		json_decref(doc);
	}
	store = store_open(argv[2], false, &error);
	if (!store || !store_begin(store, &error))
		fail(argv[2], error->message);
	for (guint i = 0; i < hosts; i++)
		put_host(store, i, g_ptr_array_index(made, i % classes), i % classes);
	if (!store_commit(store, &error))
		fail(argv[2], error->message);
	printf("%u hosts in %u classes\n", hosts, classes);
	return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail(path, strerror(errno));
	return fd;
}

static void send_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		if (n <= 0)
			fail("send", strerror(errno));
		bytes += n;
		length -= (size_t)n;
	}
}

/* Reads one answer; returns its status. */
static int answer(int fd, GString *buffer)
{
	char part[65536];
	const char *end, *length;
	gsize whole = 0;

	g_string_truncate(buffer, 0);
	do {
		ssize_t n = recv(fd, part, sizeof(part), 0);

		if (n <= 0)
			fail("answer", n ? strerror(errno) : "the broker ended the connection");
		g_string_append_len(buffer, part, n);
		end = strstr(buffer->str, "\r\n\r\n");
		length = end ? strstr(buffer->str, "Content-Length: ") : NULL;
		if (length && !whole)
			whole = (gsize)(end + 4 - buffer->str) + (gsize)atol(length + strlen("Content-Length: "));
	} while (!whole || buffer->len < whole);
	return atoi(buffer->str + strlen("HTTP/1.1 "));
}

static int ask(int fd, GString *buffer, const char *method, const char *path, const char *body, size_t length)
{
	g_autofree char *head = g_strdup_printf("%s %s HTTP/1.1\r\nHost: broker\r\nContent-Length: %zu\r\n\r\n", method, path, length);

	send_all(fd, head, strlen(head));
	send_all(fd, body, length);
	return answer(fd, buffer);
}

/* What the threads share. */
static struct {
	const char *socket;
	gint64 begun, until;
	int next, done, wrong;        /* atomic */
	GPtrArray *bodies, *paths;    /* taken in turn */
	double rate;                  /* a second; 0: as fast as answers come */
	int threads;
	GMutex lock;
	GArray *latencies;            /* double, ms */
} load;

static void *run(void *data)
{
	g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(double));
	GString *buffer = g_string_new(NULL);
	int fd = connect_to(load.socket);
	const char *method = data;

	for (;;) {
		int n = g_atomic_int_add(&load.next, 1), status;
		gint64 due = load.rate > 0 ? load.begun + (gint64)(n / load.rate * G_USEC_PER_SEC) : g_get_monotonic_time();
		const char *body = load.bodies->pdata[(guint)n % load.bodies->len];
		const char *path = load.paths->pdata[(guint)n % load.paths->len];
		double ms;

		if (due >= load.until)
			break;
		if (due > g_get_monotonic_time())
			g_usleep((gulong)(due - g_get_monotonic_time()));
		status = ask(fd, buffer, method, path, body, strlen(body));
		/* counted from when it was due: who waits for a thread of ours waits, too */
		ms = (double)(g_get_monotonic_time() - due) / 1000;
		g_array_append_val(own, ms);
		g_atomic_int_inc(&load.done);
		if (status != 200 && g_atomic_int_add(&load.wrong, 1) == 0)
			fprintf(stderr, "load-broker: status %d: %.300s\n", status, strstr(buffer->str, "\r\n\r\n"));
	}
	close(fd);
	g_string_free(buffer, TRUE);
	g_mutex_lock(&load.lock);
	g_array_append_vals(load.latencies, own->data, own->len);
	g_mutex_unlock(&load.lock);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double at(double share)
{
	return load.latencies->len ? g_array_index(load.latencies, double, (guint)(share * (load.latencies->len - 1))) : NAN;
}

static int measure(const char *what, const char *method, int threads, double seconds)
{
	g_autoptr(GPtrArray) running = g_ptr_array_new();
	gint64 ended;

	load.latencies = g_array_new(FALSE, FALSE, sizeof(double));
	load.begun = g_get_monotonic_time();
	load.until = load.begun + (gint64)(seconds * G_USEC_PER_SEC);
	for (int i = 0; i < threads; i++)
		g_ptr_array_add(running, g_thread_new("load", run, (void *)method));
	for (guint i = 0; i < running->len; i++)
		g_thread_join(g_ptr_array_index(running, i));
	ended = g_get_monotonic_time();
	g_array_sort(load.latencies, by_size);
	printf("%s: %d in %.1f s, %.0f/s; ms p50 %.2f p90 %.2f p99 %.2f max %.2f; not 200: %d\n", what, load.done,
	       (double)(ended - load.begun) / G_USEC_PER_SEC, load.done / ((double)(ended - load.begun) / G_USEC_PER_SEC), at(0.5),
	       at(0.9), at(0.99), at(1), load.wrong);
	return load.wrong || !load.done;
}

static int filter(char **argv)
{
	guint hosts = (guint)atoi(argv[3]), candidates = (guint)atoi(argv[4]);
	g_autofree char *xml = NULL, *quoted = NULL;
	g_autoptr(GRand) chance = g_rand_new_with_seed(1);
	json_t *text;

	if (!g_file_get_contents(argv[7], &xml, NULL, NULL))
		fail(argv[7], "cannot be read");
	text = json_string(xml);
	quoted = json_dumps(text, JSON_ENCODE_ANY);
	json_decref(text);
	for (int i = 0; i < 50; i++) {
		GString *body = g_string_new(NULL);

		g_string_append_printf(body, "{\"op\":\"boot\",\"xml\":%s,\"hosts\":[", quoted);
		for (guint c = 0; c < candidates; c++)
			g_string_append_printf(body, "%s\"h%06u\"", c ? "," : "", g_rand_int_range(chance, 0, (gint32)hosts));
		g_string_append(body, "]}");
		g_ptr_array_add(load.bodies, g_string_free(body, FALSE));
	}
	g_ptr_array_add(load.paths, (char *)"/v1/filter");
	load.rate = atof(argv[5]);
	return measure("filter", "POST", 16, atof(argv[6]));
}

static int unchanged(char **argv)
{
	GError *error = NULL;
	g_autoptr(Store) store = store_open(argv[3], true, &error);
	g_autoptr(GPtrArray) hosts = store ? store_hosts(store, &error) : NULL;

	if (!hosts)
		fail(argv[3], error->message);
	for (guint i = 0; i < hosts->len && i < 20000; i++) {
		const struct store_host *h = g_ptr_array_index(hosts, i);

		g_ptr_array_add(load.paths, g_strdup_printf("/v1/hosts/%s/profile", h->name));
		g_ptr_array_add(load.bodies, g_strdup_printf("{\"format\":\"capbroker.confirm/1\",\"profile_digest\":\"%s\",\"fingerprint\":%s}",
							     h->digest, h->fingerprint));
	}
	return measure("unchanged", "PUT", atoi(argv[4]), atof(argv[5]));
}

static int changed(char **argv)
{
	for (guint i = 0; i < 500; i++) {
		json_t *doc = of_class(argv[3], i);
		g_autofree char *name = g_strdup_printf("h%06u", i * 7), *text = json_dumps(doc, JSON_COMPACT);

		g_ptr_array_add(load.paths, g_strdup_printf("/v1/hosts/%s/profile", name));
		g_ptr_array_add(load.bodies, named(text, name));
		json_decref(doc);
	}
	printf("(each %zu KiB) ", strlen(load.bodies->pdata[0]) >> 10);
	return measure("changed", "PUT", atoi(argv[4]), atof(argv[5]));
}

static int idle(char **argv)
{
	int n = atoi(argv[3]);
	GString *buffer = g_string_new(NULL);
	g_autofree int *fds = g_new(int, n);
	struct rlimit limit = { (rlim_t)n + 64, (rlim_t)n + 64 };
	gint64 begun = g_get_monotonic_time();
	int wrong = 0;

	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < n; i++) {
		fds[i] = connect_to(argv[2]);
		wrong += ask(fds[i], buffer, "GET", "/healthz", "", 0) != 200;
	}
	sleep(1);
	for (int i = 0; i < n; i++)
		wrong += ask(fds[i], buffer, "GET", "/healthz", "", 0) != 200;
	printf("idle: %d connections, each asked twice in %.1f s; not 200: %d\n", n,
	       (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC, wrong);
	g_string_free(buffer, TRUE);
	return wrong != 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	load.socket = argc > 2 ? argv[2] : NULL;
	load.bodies = g_ptr_array_new();
	load.paths = g_ptr_array_new();
	if (!strcmp(what, "fleet") && argc > 5)
		return fleet(argc, argv);
	if (!strcmp(what, "filter") && argc == 8)
		return filter(argv);
	if (!strcmp(what, "unchanged") && argc == 6)
		return unchanged(argv);
	if (!strcmp(what, "changed") && argc == 6)
		return changed(argv);
	if (!strcmp(what, "idle") && argc == 4)
		return idle(argv);
	fail("usage", "see the head of load-broker.c");
}
