/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* levels.c: see levels.h. */
#include "config.h"

#include "levels.h"
#include "sqlite.h"

static void act_clear(struct store_act *act)
{
	g_free(act->author);
	g_free(act->reason);
}

void store_level_free(struct store_level *level)
{
	if (!level)
		return;
	g_free(level->name);
	g_free(level->series);
	g_free(level->document);
	act_clear(&level->created);
	act_clear(&level->retired);
	g_free(level);
}

void store_assigned_free(struct store_assigned *assigned)
{
	if (!assigned)
		return;
	g_free(assigned->guest);
	g_free(assigned->guest_name);
	g_free(assigned->level);
	act_clear(&assigned->act);
	g_free(assigned);
}

void store_level_entry_free(struct store_level_entry *entry)
{
	if (!entry)
		return;
	g_free(entry->action);
	g_free(entry->series);
	g_free(entry->level);
	g_free(entry->guest);
	g_free(entry->detail);
	act_clear(&entry->act);
	g_free(entry);
}

/* The columns author, uid, time and reason from @column on. */
static struct store_act read_act(struct query *query, int column)
{
	return (struct store_act){ .author = sql_copy(query, column), .uid = sql_int(query, column + 1),
				   .time = sql_int(query, column + 2), .reason = sql_copy(query, column + 3) };
}

GPtrArray *store_levels(struct store *store, GError **error)
{
	g_autoptr(GPtrArray) levels = g_ptr_array_new_with_free_func((GDestroyNotify)store_level_free);
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT name, series, year, number, document, l.author, l.uid, l.created, l.reason,"
		" r.level IS NOT NULL, r.author, r.uid, r.time, r.reason FROM level l"
		" LEFT JOIN level_retired r ON r.level = l.name ORDER BY series, year, number",
		"");
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1) {
		struct store_level *l = g_new0(struct store_level, 1);

		l->name = sql_copy(query, 0);
		l->series = sql_copy(query, 1);
		l->year = sql_int(query, 2);
		l->number = sql_int(query, 3);
		l->document = sql_copy(query, 4);
		l->created = read_act(query, 5);
		l->is_retired = sql_int(query, 9) != 0;
		if (l->is_retired)
			l->retired = read_act(query, 10);
		g_ptr_array_add(levels, l);
	}
	return found == 0 ? g_steal_pointer(&levels) : NULL;
}

GPtrArray *store_assignments(struct store *store, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)store_assigned_free);
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT guest, guest_name, level, author, uid, time, reason FROM level_guest"
		" ORDER BY level, guest_name, guest",
		"");
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1) {
		struct store_assigned *a = g_new0(struct store_assigned, 1);

		a->guest = sql_copy(query, 0);
		a->guest_name = sql_copy(query, 1);
		a->level = sql_copy(query, 2);
		a->act = read_act(query, 3);
		g_ptr_array_add(all, a);
	}
	return found == 0 ? g_steal_pointer(&all) : NULL;
}

GPtrArray *store_level_log(struct store *store, const char *series, GError **error)
{
	g_autoptr(GPtrArray) log = g_ptr_array_new_with_free_func((GDestroyNotify)store_level_entry_free);
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT id, action, series, level, guest, author, uid, time, reason, detail FROM level_log"
		" WHERE ?1 IS NULL OR series = ?1 ORDER BY id",
		"s", series);
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1) {
		struct store_level_entry *e = g_new0(struct store_level_entry, 1);

		e->id = sql_int(query, 0);
		e->action = sql_copy(query, 1);
		e->series = sql_copy(query, 2);
		e->level = g_strdup(sql_text(query, 3));
		e->guest = g_strdup(sql_text(query, 4));
		e->act = read_act(query, 5);
		e->detail = sql_copy(query, 9);
		g_ptr_array_add(log, e);
	}
	return found == 0 ? g_steal_pointer(&log) : NULL;
}

static bool put_entry(struct store *store, const struct store_level_entry *e, GError **error)
{
	return !e || sql_run(store, error,
			     "INSERT INTO level_log (id, time, action, series, level, guest, author, uid,"
			     " reason, detail) VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
			     "iisssssiss", e->id, e->act.time, e->action, e->series, e->level, e->guest,
			     e->act.author, e->act.uid, e->act.reason, e->detail);
}

bool store_log_level(struct store *store, const struct store_level_entry *entry, GError **error)
{
	return sql_enter(store, error) && sql_leave(store, put_entry(store, entry, error), error);
}

bool store_put_level(struct store *store, const struct store_level *l,
		     const struct store_level_entry *entry, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store,
			sql_run(store, error,
				"INSERT INTO level (name, series, year, number, document, author, uid, created,"
				" reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
				"ssiissiis", l->name, l->series, l->year, l->number, l->document,
				l->created.author, l->created.uid, l->created.time, l->created.reason) &&
				put_entry(store, entry, error),
			error);
}

bool store_retire_level(struct store *store, const char *level, const struct store_act *act,
			const struct store_level_entry *entry, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store,
			sql_run(store, error,
				"INSERT OR IGNORE INTO level_retired (level, author, uid, time, reason)"
				" VALUES (?1, ?2, ?3, ?4, ?5)",
				"ssiis", level, act->author, act->uid, act->time, act->reason) &&
				put_entry(store, entry, error),
			error);
}

bool store_assign_level(struct store *store, const struct store_assigned *a,
			const struct store_level_entry *entry, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store,
			sql_run(store, error,
				"INSERT OR REPLACE INTO level_guest (guest, guest_name, level, author, uid, time,"
				" reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
				"ssssiis", a->guest, a->guest_name, a->level, a->act.author, a->act.uid,
				a->act.time, a->act.reason) &&
				put_entry(store, entry, error),
			error);
}

bool store_unassign_level(struct store *store, const char *guest,
			  const struct store_level_entry *entry, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store,
			sql_run(store, error, "DELETE FROM level_guest WHERE guest = ?1", "s", guest) &&
				put_entry(store, entry, error),
			error);
}
