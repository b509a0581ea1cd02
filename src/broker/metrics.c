/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metrics.c: see metrics.h. */
#include "config.h"

#include <string.h>

#include "broker.h"
#include "model/dictionary.h"

static const double bounds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 };
#define BOUNDS G_N_ELEMENTS(bounds)

struct counts {
	guint64 by_class[6];       /* status 1xx … 5xx */
	guint64 within[BOUNDS + 1];
	double seconds;
};

struct metrics {
	GMutex lock;
	GHashTable *routes; /* name (static) → struct counts */
	guint64 refused;
};

struct metrics *metrics_new(void)
{
	struct metrics *m = g_new0(struct metrics, 1);

	g_mutex_init(&m->lock);
	m->routes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	g_hash_table_unref(m->routes);
	g_mutex_clear(&m->lock);
	g_free(m);
}

void metrics_request(struct metrics *m, const char *route, unsigned int status, gint64 us)
{
	double seconds = (double)us / G_USEC_PER_SEC;
	struct counts *c;
	size_t i = 0;

	while (i < BOUNDS && seconds > bounds[i])
		i++;
	g_mutex_lock(&m->lock);
	c = g_hash_table_lookup(m->routes, route);
	if (!c) {
		c = g_new0(struct counts, 1);
		g_hash_table_insert(m->routes, (void *)route, c);
	}
	c->by_class[MIN(status / 100, 5u)]++;
	c->within[i]++;
	c->seconds += seconds;
	g_mutex_unlock(&m->lock);
}

void metrics_refused(struct metrics *m)
{
	g_mutex_lock(&m->lock);
	m->refused++;
	g_mutex_unlock(&m->lock);
}

static void head(GString *text, const char *name, const char *type, const char *help)
{
	g_string_append_printf(text, "# HELP capbroker_%s %s\n# TYPE capbroker_%s %s\n", name, help, name, type);
}

static void one(GString *text, const char *name, const char *type, const char *help, guint64 value)
{
	head(text, name, type, help);
	g_string_append_printf(text, "capbroker_%s %" G_GUINT64_FORMAT "\n", name, value);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void add_number(GString *text, double value)
{
	char number[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append(text, g_ascii_formatd(number, sizeof(number), "%.6g", value));
}

static void add_durations(GString *text, const char *route, const struct counts *c)
{
	guint64 sum = 0;

	for (size_t i = 0; i <= BOUNDS; i++) {
		sum += c->within[i];
		g_string_append_printf(text, "capbroker_request_seconds_bucket{route=\"%s\",le=\"", route);
		if (i < BOUNDS)
			add_number(text, bounds[i]);
		else
			g_string_append(text, "+Inf");
		g_string_append_printf(text, "\"} %" G_GUINT64_FORMAT "\n", sum);
	}
	g_string_append_printf(text, "capbroker_request_seconds_sum{route=\"%s\"} ", route);
	add_number(text, c->seconds);
	g_string_append_printf(text, "\ncapbroker_request_seconds_count{route=\"%s\"} %" G_GUINT64_FORMAT "\n", route, sum);
}

static void add_routes(GString *text, struct metrics *m)
{
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(m->routes), by_name);

	head(text, "requests_total", "counter", "Requests by route and the first digit of their status.");
	for (GList *n = names; n; n = n->next) {
		const struct counts *c = g_hash_table_lookup(m->routes, n->data);

		for (int i = 1; i < 6; i++)
			if (c->by_class[i])
				g_string_append_printf(text, "capbroker_requests_total{route=\"%s\",status=\"%dxx\"} %" G_GUINT64_FORMAT "\n",
						       (const char *)n->data, i, c->by_class[i]);
	}
	head(text, "request_seconds", "histogram", "From a request's head to its answer.");
	for (GList *n = names; n; n = n->next)
		add_durations(text, n->data, g_hash_table_lookup(m->routes, n->data));
	one(text, "refused_total", "counter", "Requests of whoever isn't let in.", m->refused);
}

char *metrics_text(struct broker *b)
{
	GString *text = g_string_new(NULL);
	struct keeper_figures f;

	keeper_figures(b->keeper, &f);
	head(text, "info", "gauge", "Versions.");
	g_string_append_printf(text, "capbroker_info{version=\"%s\",dictionary=\"%s\"} 1\n", PACKAGE_VERSION, cap_dictionary_version);
	one(text, "start_time_seconds", "gauge", "When this broker began, since the epoch.", (guint64)b->started);
	one(text, "hosts", "gauge", "Hosts that are known.", f.hosts);
	one(text, "classes", "gauge", "Classes of hosts.", f.classes);
	one(text, "guests", "gauge", "Guests that are known.", f.guests);
	one(text, "waiting", "gauge", "Changes that wait to be written.", f.waiting);
	one(text, "commits_total", "counter", "Transactions.", f.commits);
	one(text, "written_total", "counter", "Changes that were written.", f.written);
	one(text, "profiles_confirmed_total", "counter", "Profiles that were as before.", f.confirmed);
	one(text, "profiles_changed_total", "counter", "Profiles that were new or others.", f.changed);
	one(text, "changes_refused_total", "counter", "Changes that couldn't be written.", f.refused);
	one(text, "snapshots_total", "counter", "Fleets that were made in memory.", f.snapshots);
	one(text, "store_trouble", "gauge", "1 where the last transaction failed.", f.trouble != NULL);
	one(text, "connections", "gauge", "Open connections.", http_connections(b->http));
	one(text, "answering", "gauge", "Requests that are being answered.", http_whole(b->http));
	one(text, "body_bytes", "gauge", "Bytes of bodies held.", http_bytes(b->http));
	g_mutex_lock(&b->metrics->lock);
	add_routes(text, b->metrics);
	g_mutex_unlock(&b->metrics->lock);
	g_free(f.trouble);
	return g_string_free(text, FALSE);
}
