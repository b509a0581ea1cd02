/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * broker.h: what the parts of capbrokerd share.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "fleet.h"
#include "http.h"
#include "metrics.h"
#include "settings.h"
#include "tokens.h"

struct broker {
	struct settings *settings;
	struct keeper *keeper;
	struct http *http;
	struct metrics *metrics;
	struct auth *auth;
	struct workers *workers;
	int stopping;             /* atomic */
	guint policy_number;      /* atomic: another where the policy is to be read again */
	gint64 started;           /* seconds since the epoch */
};

/* --- auth.c ----------------------------------------------------------------------------------- */

struct auth *auth_new(const struct settings *settings);
void auth_free(struct auth *auth);

/* Who asks. */
struct caller {
	enum role role;
	bool enrols;      /* it has an enrolment secret, which is good for that alone */
	char *host;       /* an agent's; free with g_free() */
	char *name;       /* for the log: "uid 0", "token 3f…"; free with g_free() */
	bool known;       /* false: neither a peer that has a role nor a good token */
};

/* Whom a request is of; caller_clear() is due. */
void auth_caller(struct auth *auth, const struct request *request, struct caller *caller);
void caller_clear(struct caller *caller);

/* --- log.c ------------------------------------------------------------------------------------ */

void log_set(bool json);
enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6 };

/* One line: @event, then keys and values that are strings, ended by NULL. No value is a secret. */
void log_event(enum log_level level, const char *event, ...) G_GNUC_NULL_TERMINATED;

/* --- workers.c -------------------------------------------------------------------------------- */

enum lane { LANE_QUICK, LANE_SLOW, LANE_INGEST, LANES };

/* A thread that answers, with what it needs for itself. */
struct worker {
	struct broker *broker;
	struct store *store;       /* for reading; opened when it is first needed */
	struct datafiles *files;
	struct policy *policy;
	guint policy_number;
	/* guests as parsed by this thread, of one list and universe */
	GPtrArray *fleet_guests, *all_guests;
	guint64 guests_number;
	size_t universe_bits;
	struct filter_cache *filter;
};

typedef void job_fn(struct worker *worker, struct request *request);

struct workers *workers_new(struct broker *broker, GError **error);
/* Ends the threads once they have answered what waits. */
void workers_free(struct workers *workers);
/* False where too much waits. */
bool workers_put(struct workers *workers, enum lane lane, job_fn *run, struct request *request);

/* A session for one question; session_close() and worker_done() are due. */
struct lent {
	struct snapshot *snapshot;
	struct fleet *own;         /* a copy, where the question changes it */
	struct session session;
};
bool worker_lend(struct worker *worker, enum session_need need, bool own_fleet, struct lent *lent, GError **error);
void worker_return(struct lent *lent);

/* --- routes.c --------------------------------------------------------------------------------- */

extern const struct http_calls route_calls;

/* The paths there are, as "METHOD /v1/hosts/{host}"; NULL-terminated. */
const char *const *route_list(void);

/* --- answering -------------------------------------------------------------------------------- */

/* The reply's JSON; the reference is taken over. */
void reply_json(struct request *request, unsigned int status, json_t *json);
/* An error as the answer "error", with the status that it has in HTTP; freed. */
void reply_error(struct request *request, GError *error);

/* The body as JSON; NULL with @error. */
json_t *body_json(const struct request *request, gsize limit, GError **error);

/* --- filter.c --------------------------------------------------------------------------------- */

void route_filter(struct worker *worker, struct request *request);
void filter_cache_free(struct filter_cache *cache);

#endif
