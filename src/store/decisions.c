/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* decisions.c: see decisions.h. */
#include "config.h"

#include "decisions.h"
#include "sqlite.h"

#define COLUMNS                                                                                    \
	"SELECT id, name, time, guest_uuid, guest_name, source, target, question, verdict, mode,"  \
	" refused, ms, document, outcome, outcome_time, outcome_reason, left_time FROM decision "

void store_decision_free(struct store_decision *d)
{
	if (!d)
		return;
	g_free(d->name);
	g_free(d->guest_uuid);
	g_free(d->guest_name);
	g_free(d->source);
	g_free(d->target);
	g_free(d->question);
	g_free(d->verdict);
	g_free(d->mode);
	g_free(d->document);
	g_free(d->outcome);
	g_free(d->outcome_reason);
	g_free(d);
}

static bool put(struct store *store, const struct store_decision *d, GError **error)
{
	return sql_run(store, error,
		       "INSERT INTO decision (name, time, guest_uuid, guest_name, source, target,"
		       " question, verdict, mode, refused, ms, document)"
		       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
		       "sisssssssiis", d->name, d->time, d->guest_uuid, d->guest_name, d->source,
		       d->target, d->question, d->verdict, d->mode, (int64_t)d->refused, d->ms,
		       d->document) &&
	       sql_run(store, error, "DELETE FROM decision WHERE time < ?1", "i",
		       d->time - STORE_DECISIONS_KEPT);
}

bool store_put_decision(struct store *store, const struct store_decision *decision, GError **error)
{
	return sql_enter(store, error) && sql_leave(store, put(store, decision, error), error);
}

static struct store_decision *read_decision(struct query *query)
{
	struct store_decision *d = g_new0(struct store_decision, 1);

	d->id = sql_int(query, 0);
	d->name = sql_copy(query, 1);
	d->time = sql_int(query, 2);
	d->guest_uuid = g_strdup(sql_text(query, 3));
	d->guest_name = sql_copy(query, 4);
	d->source = g_strdup(sql_text(query, 5));
	d->target = sql_copy(query, 6);
	d->question = sql_copy(query, 7);
	d->verdict = sql_copy(query, 8);
	d->mode = sql_copy(query, 9);
	d->refused = sql_int(query, 10) != 0;
	d->ms = sql_int(query, 11);
	d->document = sql_copy(query, 12);
	d->outcome = g_strdup(sql_text(query, 13));
	d->outcome_time = sql_int(query, 14);
	d->outcome_reason = g_strdup(sql_text(query, 15));
	d->left_time = sql_int(query, 16);
	return d;
}

GPtrArray *store_decisions(struct store *store, const char *name, int64_t since, GError **error)
{
	g_autoptr(GPtrArray) decisions = g_ptr_array_new_with_free_func(
		(GDestroyNotify)store_decision_free);
	g_autoptr(Query) query = sql_start(store, error,
		COLUMNS "WHERE (?1 IS NULL OR substr(name, 1, length(?1)) = ?1) AND time >= ?2"
			" ORDER BY time DESC, id DESC",
		"si", name, since);
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1)
		g_ptr_array_add(decisions, read_decision(query));
	return found == 0 ? g_steal_pointer(&decisions) : NULL;
}

/* By UUID where the guest has one, else by name. */
int store_last_move(struct store *store, const char *target, const char *uuid, const char *name,
		    struct store_decision **decision, GError **error)
{
	g_autoptr(Query) query = sql_start(store, error,
		uuid ? COLUMNS "WHERE guest_uuid = ?2 COLLATE NOCASE AND target = ?1 AND NOT refused"
			       " AND mode <> 'broker' ORDER BY id DESC LIMIT 1" :
		       COLUMNS "WHERE guest_name = ?2 AND target = ?1 AND NOT refused"
			       " AND mode <> 'broker' ORDER BY id DESC LIMIT 1",
		"ss", target, uuid ? uuid : name);
	int found = query ? sql_next(query, error) : -1;

	if (found == 1)
		*decision = read_decision(query);
	return found;
}

bool store_set_outcome(struct store *store, int64_t id, const char *outcome, const char *reason,
		       int64_t time, int64_t left, GError **error)
{
	return sql_run(store, error,
		       "UPDATE decision SET outcome = coalesce(?2, outcome),"
		       " outcome_reason = coalesce(?3, outcome_reason),"
		       " outcome_time = CASE WHEN ?2 IS NULL THEN outcome_time ELSE ?4 END,"
		       " left_time = coalesce(nullif(?5, 0), left_time) WHERE id = ?1",
		       "issii", id, outcome, reason, time, left);
}

static bool confirm_arrived(struct store *store, const char *host, const GPtrArray *guests,
			    int64_t time, GError **error)
{
	for (guint i = 0; i < guests->len; i++) {
		const struct store_guest *guest = guests->pdata[i];
		struct store_decision *move = NULL;
		int found;
		bool ok = true;

		if (!guest->running)
			continue;
		found = store_last_move(store, host, guest->uuid, guest->name, &move, error);
		if (found == 1 && move->time <= time && g_strcmp0(move->outcome, "arrived") &&
		    g_strcmp0(move->outcome, "failed"))
			ok = store_set_outcome(store, move->id, "arrived",
					       "a probe saw it running there", time, 0, error);
		store_decision_free(move);
		if (found < 0 || !ok)
			return false;
	}
	return true;
}

bool store_confirm_moves(struct store *store, const char *host, const GPtrArray *guests,
			 int64_t time, GError **error)
{
	return confirm_arrived(store, host, guests, time, error) &&
	       sql_run(store, error,
		       "UPDATE decision SET outcome = 'failed', outcome_time = ?2,"
		       " outcome_reason = 'its QEMU never ran there' WHERE target = ?1 AND NOT refused"
		       " AND mode <> 'broker' AND outcome IS NULL AND time <= ?2 - ?3",
		       "sii", host, time, (int64_t)STORE_MOVE_BEGINS);
}
