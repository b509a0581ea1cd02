/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authored.c: see authored.h. */
#include "config.h"

#include "authored.h"
#include "sqlite.h"

void store_mark_free(struct store_mark *mark)
{
	if (!mark)
		return;
	g_free(mark->host);
	g_free(mark->key);
	g_free(mark->value);
	g_free(mark);
}

GPtrArray *store_marks(struct store *store, GError **error)
{
	g_autoptr(GPtrArray) marks = g_ptr_array_new_with_free_func((GDestroyNotify)store_mark_free);
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT 0 AS kind, host, '' AS key, cluster FROM host_cluster"
		" UNION ALL SELECT 1, host, key, value FROM host_label"
		" UNION ALL SELECT 2, host, key, value FROM host_alias ORDER BY kind, host, key",
		"");
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1) {
		struct store_mark *m = g_new0(struct store_mark, 1);

		m->kind = (enum store_mark_kind)sql_int(query, 0);
		m->host = sql_copy(query, 1);
		m->key = sql_copy(query, 2);
		m->value = sql_copy(query, 3);
		g_ptr_array_add(marks, m);
	}
	return found == 0 ? g_steal_pointer(&marks) : NULL;
}

static bool put_mark(struct store *store, const struct store_mark *m, GError **error)
{
	if (m->kind == MARK_CLUSTER)
		return sql_run(store, error, "INSERT INTO host_cluster (host, cluster) VALUES (?1, ?2)", "ss",
			       m->host, m->value);
	if (m->kind == MARK_LABEL)
		return sql_run(store, error, "INSERT INTO host_label (host, key, value) VALUES (?1, ?2, ?3)",
			       "sss", m->host, m->key, m->value);
	return sql_run(store, error, "INSERT INTO host_alias (host, key, value) VALUES (?1, ?2, ?3)", "sss",
		       m->host, m->key, m->value);
}

bool store_put_mark(struct store *store, const struct store_mark *mark, GError **error)
{
	return sql_enter(store, error) && sql_leave(store, put_mark(store, mark, error), error);
}

GHashTable *store_policies(struct store *store, GError **error)
{
	g_autoptr(GHashTable) all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(Query) query = sql_start(store, error, "SELECT name, text FROM policy_text", "");
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1)
		g_hash_table_insert(all, sql_copy(query, 0), sql_copy(query, 1));
	return found == 0 ? g_steal_pointer(&all) : NULL;
}

bool store_put_policy(struct store *store, const char *name, const char *text, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store,
			sql_run(store, error, "INSERT INTO policy_text (name, text) VALUES (?1, ?2)", "ss", name,
				text),
			error);
}

bool store_restore_override(struct store *store, const struct store_override *o, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store,
			sql_run(store, error,
				"INSERT INTO override (id, guest, guest_name, selector, check_name, reason,"
				" accept_risk, author, uid, created, expires, revoked, revoked_by)"
				" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, nullif(?12, 0), ?13)",
				"isssssisiiiis", o->id, o->guest, o->guest_name, o->selector, o->check, o->reason,
				(int64_t)o->accept_risk, o->author, o->uid, o->created, o->expires, o->revoked,
				o->revoked_by),
			error);
}
