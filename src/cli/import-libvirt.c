/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * import-libvirt.c: many libvirt connections, several asked at once; see import-probe.h.
 *
 * Each is asked by a capbroker-probe of its own, which has a time limit; one that is not done some
 * seconds after it is killed. What they found is gathered in the order of the connections, whoever
 * was done first.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "import-probe.h"

#define JOBS 8
#define TIMEOUT 30
/* What a probe needs to write down what it has when its time is over. */
#define GRACE 10

struct asking {
	struct import *import;
	char *const *uris;
	struct link *links;
	guint n, next, running, done, failed;
	guint jobs, timeout;
	GMainLoop *loop;
};

/* One connection. */
struct link {
	struct asking *asking;
	const char *uri;
	struct probe_run *run;
	guint timer;
	int status;
	bool killed;
	char *why; /* it couldn't be started */
};

static void progress(const struct asking *a)
{
	if (!a->import->options->progress || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\rimport: %u of %u connections%s", a->done, a->n,
		a->done == a->n ? "\r\033[K" : "");
	fflush(stderr);
}

static void start_more(struct asking *a);

static void ended(struct asking *a)
{
	a->done++;
	progress(a);
	start_more(a);
	if (a->done == a->n)
		g_main_loop_quit(a->loop);
}

static gboolean too_late(gpointer data)
{
	struct link *link = data;

	link->killed = true;
	link->timer = 0;
	kill(link->run->pid, SIGKILL);
	return G_SOURCE_REMOVE;
}

static void reaped(GPid pid, gint status, gpointer data)
{
	struct link *link = data;

	g_spawn_close_pid(pid);
	if (link->timer)
		g_source_remove(link->timer);
	link->status = status;
	link->asking->running--;
	ended(link->asking);
}

static void start(struct asking *a, struct link *link)
{
	g_autofree char *seconds = g_strdup_printf("%u", a->timeout);
	const char *const arguments[] = { "--connect", link->uri, "--timeout", seconds, NULL };
	g_autoptr(GError) error = NULL;

	link->run = probe_run_start(link->uri, arguments, &error);
	if (!link->run) {
		link->why = g_strdup(error->message);
		a->done++;
		return;
	}
	a->running++;
	g_child_watch_add(link->run->pid, reaped, link);
	link->timer = g_timeout_add_seconds(a->timeout + GRACE, too_late, link);
}

static void start_more(struct asking *a)
{
	while (a->running < a->jobs && a->next < a->n)
		start(a, &a->links[a->next++]);
}

/* The reason, without the connection's name where it begins with it. */
static void add_failed(struct asking *a, const char *uri, const char *why)
{
	g_autofree char *valid = NULL, *name = g_utf8_make_valid(uri, -1);
	g_autofree char *start = g_strconcat(uri, ": ", NULL);

	if (g_str_has_prefix(why, start))
		why += strlen(start);
	valid = g_utf8_make_valid(why, -1);
	g_strdelimit(valid, "\n", ' ');
	json_array_append_new(a->import->failed, json_pack("{s:s, s:s}", "uri", name, "reason", valid));
}

static void gather(struct asking *a, struct link *link)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *late = NULL;

	if (link->killed)
		late = g_strdup_printf("no end after %u s (is it reachable? give it longer by --timeout)",
				       a->timeout);
	if (link->why || link->killed)
		add_failed(a, link->uri, link->why ? link->why : late);
	else if (!probe_run_gather(link->run, link->status, a->import, &error))
		add_failed(a, link->uri, error->message);
	probe_run_free(link->run);
	g_free(link->why);
}

bool import_libvirt(struct import *import, char *const *uris, GError **error)
{
	const struct import_options *options = import->options;
	struct asking a = { .import = import, .uris = uris, .n = g_strv_length((char **)uris) };

	if (options->name && a.n > 1) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "import: --name names one host, and %u connections are given", a.n);
		return false;
	}
	a.jobs = options->jobs > 0 ? (guint)options->jobs : JOBS;
	a.timeout = options->timeout > 0 ? (guint)options->timeout : TIMEOUT;
	a.links = g_new0(struct link, a.n);
	a.loop = g_main_loop_new(NULL, FALSE);
	for (guint i = 0; i < a.n; i++)
		a.links[i] = (struct link){ .asking = &a, .uri = uris[i] };
	progress(&a);
	start_more(&a);
	if (a.done < a.n)
		g_main_loop_run(a.loop);
	for (guint i = 0; i < a.n; i++)
		gather(&a, &a.links[i]);
	g_main_loop_unref(a.loop);
	g_free(a.links);
	return true;
}
