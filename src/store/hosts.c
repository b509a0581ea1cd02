/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hosts.c: hosts, and what their keepers say of them: cluster, labels, aliases.
 */
#include "config.h"

#include "hosts.h"
#include "sqlite.h"

void store_host_free(struct store_host *host)
{
	if (!host)
		return;
	g_free(host->name);
	g_free(host->uuid);
	g_free(host->arch);
	g_free(host->cluster);
	g_free(host->digest);
	g_free(host->fingerprint);
	g_clear_pointer(&host->labels, g_hash_table_unref);
	g_clear_pointer(&host->aliases, g_hash_table_unref);
	g_free(host);
}

bool host_find(struct store *store, const char *name, int64_t *id, GError **error)
{
	int found = sql_find(store, id, error, "SELECT id FROM host WHERE name = ?1", "s", name);

	if (found == 0)
		g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
			"%s: no host '%s' (see 'capbroker hosts')", sql_path(store), name);
	return found == 1;
}

/* --- putting ---------------------------------------------------------------------------------- */

static bool put_pairs(struct store *store, const char *sql, const char *host, GHashTable *pairs,
		      GError **error)
{
	GHashTableIter iter;
	void *key, *value;

	if (!pairs)
		return true;
	g_hash_table_iter_init(&iter, pairs);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (!sql_run(store, error, sql, "sss", host, (char *)key, (char *)value))
			return false;
	return true;
}

static const char put_label[] = "INSERT INTO host_label (host, key, value) VALUES (?1, ?2, ?3)"
				" ON CONFLICT DO UPDATE SET value = excluded.value"
				" WHERE value <> excluded.value";
static const char put_alias[] = "INSERT INTO host_alias (host, key, value) VALUES (?1, ?2, ?3)"
				" ON CONFLICT DO UPDATE SET value = excluded.value"
				" WHERE value <> excluded.value";

bool host_put_authored(struct store *store, const struct store_host *host, GError **error)
{
	if (host->cluster &&
		!sql_run(store, error,
			"INSERT INTO host_cluster (host, cluster) VALUES (?1, ?2)"
			" ON CONFLICT DO UPDATE SET cluster = excluded.cluster"
			" WHERE cluster <> excluded.cluster",
			"ss", host->name, host->cluster))
		return false;
	return put_pairs(store, put_label, host->name, host->labels, error) &&
	       put_pairs(store, put_alias, host->name, host->aliases, error);
}

bool store_put_authored(struct store *store, const struct store_host *host, GError **error)
{
	if (!store_begin(store, error))
		return false;
	if (!host_put_authored(store, host, error)) {
		store_rollback(store);
		return false;
	}
	return store_commit(store, error);
}

static bool set_label(struct store *store, const char *host, const char *key, const char *value,
		      GError **error)
{
	int64_t id;

	if (!host_find(store, host, &id, error))
		return false;
	if (value)
		return sql_run(store, error, put_label, "sss", host, key, value);
	return sql_run(store, error, "DELETE FROM host_label WHERE host = ?1 AND key = ?2", "ss",
		host, key);
}

bool store_set_label(struct store *store, const char *host, const char *key, const char *value,
		     GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store, set_label(store, host, key, value, error), error);
}

static bool forget(struct store *store, const char *host, bool *found, GError **error)
{
	if (!sql_run(store, error, "DELETE FROM host WHERE name = ?1", "s", host))
		return false;
	if (found)
		*found = sql_changes(store) > 0;
	return sql_run(store, error, "DELETE FROM host_cluster WHERE host = ?1", "s", host) &&
	       sql_run(store, error, "DELETE FROM host_label WHERE host = ?1", "s", host) &&
	       sql_run(store, error, "DELETE FROM host_alias WHERE host = ?1", "s", host) &&
	       profiles_sweep(store, error);
}

bool store_forget(struct store *store, const char *host, bool *found, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store, forget(store, host, found, error), error);
}

/* --- getting ---------------------------------------------------------------------------------- */

static struct store_host *read_host(struct query *query)
{
	struct store_host *host = g_new0(struct store_host, 1);

	host->name = sql_copy(query, 0);
	host->uuid = g_strdup(sql_text(query, 1));
	host->arch = g_strdup(sql_text(query, 2));
	host->cluster = g_strdup(sql_text(query, 3));
	host->digest = sql_copy(query, 4);
	host->fingerprint = sql_copy(query, 5);
	host->confirmed = sql_int(query, 6);
	host->labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	host->aliases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return host;
}

static bool read_hosts(struct store *store, GPtrArray *hosts, GError **error)
{
	/* The join to a profile is a left one, so that a host whose profile is lost shows. */
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT h.name, h.uuid, h.arch, c.cluster, p.digest, h.fingerprint, h.confirmed"
		" FROM host h LEFT JOIN profile p ON p.id = h.profile"
		" LEFT JOIN host_cluster c ON c.host = h.name ORDER BY h.name",
		"");
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1)
		g_ptr_array_add(hosts, read_host(query));
	return found == 0;
}

/* Adds pairs, which come by host: to labels or, if not, to aliases. */
static bool read_pairs(struct store *store, const char *sql, GHashTable *by_name, bool labels,
		       GError **error)
{
	g_autoptr(Query) query = sql_start(store, error, sql, "");
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1) {
		g_autofree char *name = sql_copy(query, 0);
		struct store_host *host = g_hash_table_lookup(by_name, name);

		if (host)
			g_hash_table_insert(labels ? host->labels : host->aliases,
				sql_copy(query, 1), sql_copy(query, 2));
	}
	return found == 0;
}

GPtrArray *hosts_read(struct store *store, GError **error)
{
	g_autoptr(GPtrArray) hosts = g_ptr_array_new_with_free_func(
		(GDestroyNotify)store_host_free);
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);

	if (!read_hosts(store, hosts, error))
		return NULL;
	for (guint i = 0; i < hosts->len; i++) {
		struct store_host *host = hosts->pdata[i];

		g_hash_table_insert(by_name, host->name, host);
	}
	if (!read_pairs(store, "SELECT host, key, value FROM host_label", by_name, true, error) ||
		!read_pairs(store, "SELECT host, key, value FROM host_alias", by_name, false, error))
		return NULL;
	return g_steal_pointer(&hosts);
}

GPtrArray *store_hosts(struct store *store, GError **error)
{
	GPtrArray *hosts;

	if (!sql_enter_read(store, error))
		return NULL;
	hosts = hosts_read(store, error);
	sql_leave_read(store);
	return hosts;
}
