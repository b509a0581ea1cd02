/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * workers.c: threads that answer.
 *
 * Theory of operation: what the library works out about a guest or a table it keeps with it, so these
 * are never shared: each thread has data files, a policy, guests and a connection to the database of
 * its own. Fleets are shared (fleet.h). Questions of a whole fleet have a lane of their own, so
 * that none of the quick ones waits behind them.
 */
#include "config.h"

#include "ask.h"
#include "broker.h"

struct job {
	job_fn *run;
	struct request *request;
};

struct workers {
	struct broker *broker;
	GAsyncQueue *queues[LANES];
	GPtrArray *threads;
	int lanes_n[LANES];
};

static struct job stop;

static void forget_guests(struct worker *w)
{
	g_clear_pointer(&w->fleet_guests, g_ptr_array_unref);
	g_clear_pointer(&w->all_guests, g_ptr_array_unref);
}

static void worker_free(struct worker *w)
{
	forget_guests(w);
	filter_cache_free(w->filter);
	store_close(w->store);
	policy_free(w->policy);
	datafiles_free(w->files);
	g_free(w);
}

/* The site's policy, as it was when somebody last said that it is another. */
static bool read_policy(struct worker *w, GError **error)
{
	guint number = g_atomic_int_get(&w->broker->policy_number);
	struct session s = { 0 };
	bool ok;

	if (w->policy_number == number)
		return true;
	ok = session_read_policy(&s, w->broker->settings->policy, error);
	g_free(s.policy_path);
	if (!ok)
		return false;
	g_clear_pointer(&w->filter, filter_cache_free);
	policy_free(w->policy);
	w->policy = s.policy;
	w->policy_number = number;
	return true;
}

static struct session_parts parts_of(const struct worker *w, const struct lent *lent, GPtrArray *guests)
{
	return (struct session_parts){ w->store, w->broker->settings->database, w->files, w->policy,
				       lent->own ? lent->own : lent->snapshot->fleet, lent->snapshot->stored, guests };
}

/* This thread's guests of the snapshot, parsed where they weren't yet; NULL with @error. */
static GPtrArray *guests_of(struct worker *w, const struct lent *lent, enum session_need need, GError **error)
{
	const struct snapshot *snap = lent->snapshot;
	size_t bits = universe_bits(snap->fleet->universe);
	GPtrArray **list = need == SESSION_FLEET ? &w->fleet_guests : &w->all_guests;
	const struct session_parts parts = parts_of(w, lent, NULL);
	struct session s;

	if (w->guests_number != snap->guests_number || w->universe_bits != bits)
		forget_guests(w);
	w->guests_number = snap->guests_number;
	w->universe_bits = bits;
	if (*list)
		return *list;
	session_lend(&s, &parts);
	if (session_guests(&s, need, error))
		*list = g_ptr_array_ref(s.guests);
	session_close(&s);
	return *list;
}

bool worker_lend(struct worker *w, enum session_need need, bool own_fleet, struct lent *lent, GError **error)
{
	bool all = need == SESSION_FLEET || need == SESSION_GUESTS;
	struct session_parts parts;
	GPtrArray *guests = NULL;

	*lent = (struct lent){ 0 };
	if (!w->store)
		w->store = store_open(w->broker->settings->database, true, error);
	if (!w->store || !read_policy(w, error))
		return false;
	lent->snapshot = keeper_snapshot(w->broker->keeper);
	if (own_fleet)
		lent->own = fleet_copy(lent->snapshot->fleet);
	else if (all)
		guests = guests_of(w, lent, need, error);
	parts = parts_of(w, lent, guests);
	if (!all || own_fleet || guests) {
		session_lend(&lent->session, &parts);
		if (session_load_overrides(&lent->session, error))
			return true;
	}
	worker_return(lent);
	return false;
}

void worker_return(struct lent *lent)
{
	if (lent->session.lent)
		session_close(&lent->session);
	lent->session.lent = false;
	g_clear_pointer(&lent->own, fleet_free);
	g_clear_pointer(&lent->snapshot, snapshot_unref);
}

struct start {
	struct workers *workers;
	struct worker *worker;
	enum lane lane;
};

static void *work(void *data)
{
	struct start *start = data;
	GAsyncQueue *queue = start->workers->queues[start->lane];
	struct job *job;

	while ((job = g_async_queue_pop(queue)) != &stop) {
		job->run(start->worker, job->request);
		g_free(job);
	}
	worker_free(start->worker);
	g_free(start);
	return NULL;
}

static bool add_worker(struct workers *workers, enum lane lane, GError **error)
{
	static const char *const names[LANES] = { "quick", "slow", "ingest" };
	struct worker *w = g_new0(struct worker, 1);
	struct start *start;

	w->broker = workers->broker;
	w->files = datafiles_load(error);
	if (!w->files || !read_policy(w, error)) {
		worker_free(w);
		return false;
	}
	start = g_new0(struct start, 1);
	*start = (struct start){ workers, w, lane };
	g_ptr_array_add(workers->threads, g_thread_new(names[lane], work, start));
	workers->lanes_n[lane]++;
	return true;
}

struct workers *workers_new(struct broker *broker, GError **error)
{
	struct workers *workers = g_new0(struct workers, 1);
	int quick = broker->settings->threads ? broker->settings->threads : MAX((int)g_get_num_processors(), 2);
	bool ok = true;

	workers->broker = broker;
	workers->threads = g_ptr_array_new();
	for (int i = 0; i < LANES; i++)
		workers->queues[i] = g_async_queue_new();
	for (int i = 0; ok && i < quick; i++)
		ok = add_worker(workers, LANE_QUICK, error);
	ok = ok && add_worker(workers, LANE_SLOW, error) && add_worker(workers, LANE_INGEST, error);
	if (ok)
		return workers;
	workers_free(workers);
	return NULL;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	for (int i = 0; i < LANES; i++)
		for (int n = 0; n < workers->lanes_n[i]; n++)
			g_async_queue_push(workers->queues[i], &stop);
	for (guint i = 0; i < workers->threads->len; i++)
		g_thread_join(g_ptr_array_index(workers->threads, i));
	for (int i = 0; i < LANES; i++)
		g_async_queue_unref(workers->queues[i]);
	g_ptr_array_unref(workers->threads);
	g_free(workers);
}

bool workers_put(struct workers *workers, enum lane lane, job_fn *run, struct request *request)
{
	struct job *job;

	if (g_async_queue_length(workers->queues[lane]) >= workers->broker->settings->waiting)
		return false;
	job = g_new0(struct job, 1);
	*job = (struct job){ run, request };
	g_async_queue_push(workers->queues[lane], job);
	return true;
}
