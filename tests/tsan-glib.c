/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tsan-glib.c: GLib's locks and queues by pthreads, for ThreadSanitizer.
 *
 * GLib's own are made of futexes, in a library that isn't instrumented: ThreadSanitizer sees no order in
 * what they order. Linked into a program that is, these are found first. Used for the broker alone, in a
 * build of its own:
 *
 *	../configure --disable-hardening CFLAGS='-O1 -g -fsanitize=thread' LDFLAGS=-fsanitize=thread && make
 *	gcc -fsanitize=thread -I. $(pkg-config --cflags glib-2.0) -c ../tests/tsan-glib.c
 *	rm src/broker/capbrokerd && make -C src/broker LIBS=$PWD/tsan-glib.o
 *	G_SLICE=always-malloc TSAN_OPTIONS=suppressions=FILE ./run python3 ../tests/load-mixed.py 300
 *
 * FILE has the line "race:json_delete": jansson counts references by atomics that aren't instrumented.
 */
#include "config.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

static pthread_mutex_t *of(GMutex *mutex)
{
	pthread_mutex_t *m = __atomic_load_n(&mutex->p, __ATOMIC_ACQUIRE);

	if (m)
		return m;
	pthread_mutex_lock(&making);
	m = mutex->p;
	if (!m) {
		m = malloc(sizeof(*m));
		pthread_mutex_init(m, NULL);
		__atomic_store_n(&mutex->p, m, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&making);
	return m;
}

void g_mutex_init(GMutex *mutex)
{
	mutex->p = NULL;
}

void g_mutex_clear(GMutex *mutex)
{
	if (mutex->p)
		pthread_mutex_destroy(mutex->p);
	free(mutex->p);
	mutex->p = NULL;
}

void(g_mutex_lock)(GMutex *mutex)
{
	pthread_mutex_lock(of(mutex));
}

void(g_mutex_unlock)(GMutex *mutex)
{
	pthread_mutex_unlock(of(mutex));
}

void g_cond_init(GCond *cond)
{
	pthread_cond_t *c = malloc(sizeof(*c));
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(c, &monotonic);
	pthread_condattr_destroy(&monotonic);
	cond->p = c;
}

void g_cond_clear(GCond *cond)
{
	pthread_cond_destroy(cond->p);
	free(cond->p);
}

void g_cond_signal(GCond *cond)
{
	pthread_cond_signal(cond->p);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
	struct timespec until = { end / G_USEC_PER_SEC, end % G_USEC_PER_SEC * 1000 };

	return pthread_cond_timedwait(cond->p, of(mutex), &until) != ETIMEDOUT;
}

/* --- queues ----------------------------------------------------------------------------------- */

struct _GAsyncQueue {
	GMutex lock;
	GCond more;
	GQueue items;
	gint waiting;
};

GAsyncQueue *g_async_queue_new(void)
{
	GAsyncQueue *q = g_new0(GAsyncQueue, 1);

	g_mutex_init(&q->lock);
	g_cond_init(&q->more);
	g_queue_init(&q->items);
	return q;
}

void g_async_queue_unref(GAsyncQueue *q)
{
	g_queue_clear(&q->items);
	g_cond_clear(&q->more);
	g_mutex_clear(&q->lock);
	g_free(q);
}

void g_async_queue_push(GAsyncQueue *q, gpointer item)
{
	g_mutex_lock(&q->lock);
	g_queue_push_tail(&q->items, item);
	g_cond_signal(&q->more);
	g_mutex_unlock(&q->lock);
}

static gpointer pop(GAsyncQueue *q, gint64 until)
{
	gpointer item;

	g_mutex_lock(&q->lock);
	q->waiting++;
	while (g_queue_is_empty(&q->items) && until > g_get_monotonic_time())
		g_cond_wait_until(&q->more, &q->lock, MIN(until, g_get_monotonic_time() + G_USEC_PER_SEC));
	q->waiting--;
	item = g_queue_pop_head(&q->items);
	g_mutex_unlock(&q->lock);
	return item;
}

gpointer g_async_queue_pop(GAsyncQueue *q)
{
	return pop(q, G_MAXINT64);
}

gpointer g_async_queue_try_pop(GAsyncQueue *q)
{
	return pop(q, 0);
}

gpointer g_async_queue_timeout_pop(GAsyncQueue *q, guint64 us)
{
	return pop(q, g_get_monotonic_time() + (gint64)us);
}

gint g_async_queue_length(GAsyncQueue *q)
{
	gint n;

	g_mutex_lock(&q->lock);
	n = (gint)g_queue_get_length(&q->items) - q->waiting;
	g_mutex_unlock(&q->lock);
	return n;
}
