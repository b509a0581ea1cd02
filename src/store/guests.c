/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guests.c: guests, each with the host it was seen on.
 */
#include "config.h"

#include <string.h>

#include "hosts.h"
#include "sqlite.h"

void store_guest_free(struct store_guest *guest)
{
	if (!guest)
		return;
	g_free(guest->name);
	g_free(guest->uuid);
	g_free(guest->host);
	g_free(guest->document);
	g_free(guest);
}

/* @host: the row, or 0 for none. */
static bool add_guest(struct store *store, int64_t host, const struct store_guest *guest,
		      GError **error)
{
	return sql_run(store, error,
		"INSERT INTO guest (host, name, uuid, running, document, seen)"
		" VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5, ?6)",
		"issisi", host, guest->name, guest->uuid, (int64_t)guest->running, guest->document,
		guest->seen);
}

/* A guest on a host, whose others were removed before. */
static bool put_seen(struct store *store, int64_t host, const struct store_guest *guest,
		     GError **error)
{
	int64_t elsewhere;

	if (guest->uuid && !guest->running) {
		int found = sql_find(store, &elsewhere, error,
			"SELECT host FROM guest WHERE uuid = ?1 AND running AND host IS NOT NULL", "s",
			guest->uuid);

		if (found != 0)
			return found == 1;
	}
	if (guest->uuid &&
		!sql_run(store, error, "DELETE FROM guest WHERE uuid = ?1", "s", guest->uuid))
		return false;
	return add_guest(store, host, guest, error);
}

/* A guest that no host was named for. */
static bool put_imported(struct store *store, const struct store_guest *guest, GError **error)
{
	static const char by_uuid[] = "UPDATE guest SET name = ?1, running = ?2, document = ?3,"
				      " seen = ?4 WHERE uuid = ?5";
	static const char by_name[] = "UPDATE guest SET running = ?2, document = ?3, seen = ?4"
				      " WHERE name = ?1 AND +uuid IS NULL AND +host IS NULL";
	bool ok = guest->uuid ? sql_run(store, error, by_uuid, "sisis", guest->name,
					(int64_t)guest->running, guest->document, guest->seen,
					guest->uuid)
			      : sql_run(store, error, by_name, "sisi", guest->name,
					(int64_t)guest->running, guest->document, guest->seen);

	return ok && (sql_changes(store) > 0 || add_guest(store, 0, guest, error));
}

/* Two guests of one host can't have one UUID; a list that says so is refused as a whole. */
static bool check_unique(struct store *store, const GPtrArray *guests, GError **error)
{
	g_autoptr(GHashTable) by_uuid = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
		NULL);

	for (guint i = 0; i < guests->len; i++) {
		struct store_guest *guest = guests->pdata[i], *other;
		g_autofree char *uuid = guest->uuid ? g_ascii_strdown(guest->uuid, -1) : NULL;

		if (!uuid)
			continue;
		other = g_hash_table_lookup(by_uuid, uuid);
		if (other) {
			g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
				"%s: guests '%s' and '%s' both have UUID '%s' (give each its own)",
				sql_path(store), other->name, guest->name, uuid);
			return false;
		}
		g_hash_table_insert(by_uuid, g_steal_pointer(&uuid), guest);
	}
	return true;
}

static bool put_guests(struct store *store, const char *host, const GPtrArray *guests,
		       GError **error)
{
	int64_t id = 0;

	if (host && (!host_find(store, host, &id, error) ||
			    !sql_run(store, error, "DELETE FROM guest WHERE host = ?1", "i", id)))
		return false;
	for (guint i = 0; i < guests->len; i++) {
		struct store_guest *guest = guests->pdata[i];

		if (!(host ? put_seen(store, id, guest, error) : put_imported(store, guest, error)))
			return false;
	}
	return true;
}

bool store_put_guests(struct store *store, const char *host, const GPtrArray *guests,
		      GError **error)
{
	return check_unique(store, guests, error) && sql_enter(store, error) &&
	       sql_leave(store, put_guests(store, host, guests, error), error);
}

#define GUESTS                                                                                     \
	"SELECT g.name, g.uuid, h.name, g.running, g.document, g.seen"                             \
	" FROM guest g LEFT JOIN host h ON h.id = g.host "

/* Ends @query. */
static GPtrArray *read_guests(struct query *query, GError **error)
{
	g_autoptr(GPtrArray) guests = g_ptr_array_new_with_free_func(
		(GDestroyNotify)store_guest_free);
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1) {
		struct store_guest *guest = g_new0(struct store_guest, 1);

		guest->name = sql_copy(query, 0);
		guest->uuid = g_strdup(sql_text(query, 1));
		guest->host = g_strdup(sql_text(query, 2));
		guest->running = sql_int(query, 3) != 0;
		guest->document = sql_copy(query, 4);
		guest->seen = sql_int(query, 5);
		g_ptr_array_add(guests, guest);
	}
	sql_end(query);
	return found == 0 ? g_steal_pointer(&guests) : NULL;
}

GPtrArray *store_guests(struct store *store, GError **error)
{
	return read_guests(sql_start(store, error, GUESTS "ORDER BY g.name, g.id", ""), error);
}

GPtrArray *store_find_guests(struct store *store, const char *uuid, const char *name, GError **error)
{
	struct query *query = uuid ? sql_start(store, error, GUESTS "WHERE g.uuid = ?1", "s", uuid) :
				     sql_start(store, error, GUESTS "WHERE g.name = ?1", "s", name);

	return read_guests(query, error);
}
