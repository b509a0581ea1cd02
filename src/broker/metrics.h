/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * metrics.h: what is counted, as Prometheus reads it.
 */
#ifndef BROKER_METRICS_H
#define BROKER_METRICS_H

#include <glib.h>

struct broker;
struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* A request of a route was answered, so many microseconds after its head was read. */
void metrics_request(struct metrics *metrics, const char *route, unsigned int status, gint64 us);

/* Somebody wasn't let in. */
void metrics_refused(struct metrics *metrics);

/* All of it as text; free with g_free(). */
char *metrics_text(struct broker *broker);

#endif
