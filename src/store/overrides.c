/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* overrides.c: see overrides.h. */
#include "config.h"

#include "overrides.h"
#include "sqlite.h"

void store_override_free(struct store_override *o)
{
	if (!o)
		return;
	g_free(o->guest);
	g_free(o->guest_name);
	g_free(o->selector);
	g_free(o->check);
	g_free(o->reason);
	g_free(o->author);
	g_free(o->revoked_by);
	g_free(o);
}

static bool put(struct store *store, const struct store_override *o, int64_t *id, GError **error)
{
	bool ok = sql_run(store, error,
		"INSERT INTO override (guest, guest_name, selector, check_name, reason, accept_risk,"
		" author, uid, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		"sssssisiii", o->guest, o->guest_name, o->selector, o->check, o->reason,
		(int64_t)o->accept_risk, o->author, o->uid, o->created, o->expires);

	if (ok)
		*id = sql_last_id(store);
	return ok;
}

bool store_put_override(struct store *store, const struct store_override *override, int64_t *id,
			GError **error)
{
	return sql_enter(store, error) && sql_leave(store, put(store, override, id, error), error);
}

GPtrArray *store_overrides(struct store *store, GError **error)
{
	g_autoptr(GPtrArray) overrides = g_ptr_array_new_with_free_func(
		(GDestroyNotify)store_override_free);
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT id, guest, guest_name, selector, check_name, reason, accept_risk, author, uid,"
		" created, expires, revoked, revoked_by FROM override ORDER BY id",
		"");
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1) {
		struct store_override *o = g_new0(struct store_override, 1);

		o->id = sql_int(query, 0);
		o->guest = sql_copy(query, 1);
		o->guest_name = sql_copy(query, 2);
		o->selector = sql_copy(query, 3);
		o->check = sql_copy(query, 4);
		o->reason = sql_copy(query, 5);
		o->accept_risk = sql_int(query, 6) != 0;
		o->author = sql_copy(query, 7);
		o->uid = sql_int(query, 8);
		o->created = sql_int(query, 9);
		o->expires = sql_int(query, 10);
		o->revoked = sql_int(query, 11);
		o->revoked_by = g_strdup(sql_text(query, 12));
		g_ptr_array_add(overrides, o);
	}
	return found == 0 ? g_steal_pointer(&overrides) : NULL;
}

bool store_revoke_override(struct store *store, int64_t id, const char *by, int64_t time,
			   bool *found, GError **error)
{
	bool ok = sql_enter(store, error) &&
		  sql_leave(store,
			sql_run(store, error,
				"UPDATE override SET revoked = ?2, revoked_by = ?3"
				" WHERE id = ?1 AND revoked IS NULL",
				"iis", id, time, by),
			error);

	*found = ok && sql_changes(store) > 0;
	return ok;
}
