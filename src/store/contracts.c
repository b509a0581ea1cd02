/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contracts.c: see contracts.h. */
#include "config.h"

#include "contracts.h"
#include "sqlite.h"

void store_contract_free(struct store_contract *contract)
{
	if (!contract)
		return;
	g_free(contract->cause);
	g_free(contract->host);
	g_free(contract->document);
	g_free(contract);
}

static bool put(struct store *store, const char *guest, const struct store_contract *c,
		GError **error)
{
	int64_t same = 0;
	int found = sql_find(store, &same, error,
		"SELECT document = ?2 FROM contract WHERE guest = ?1 ORDER BY version DESC LIMIT 1", "ss",
		guest, c->document);

	if (found < 0 || (found == 1 && same))
		return found == 1;
	return sql_run(store, error,
		"INSERT INTO contract (guest, version, since, cause, host, document)"
		" SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5 FROM contract WHERE guest = ?1",
		"sisss", guest, c->since, c->cause, c->host, c->document);
}

bool store_put_contract(struct store *store, const char *guest,
			const struct store_contract *contract, GError **error)
{
	return sql_enter(store, error) && sql_leave(store, put(store, guest, contract, error), error);
}

bool store_renew_contract(struct store *store, const char *guest, const char *document, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store,
			sql_run(store, error,
				"UPDATE contract SET document = ?2 WHERE guest = ?1 AND version ="
				" (SELECT max(version) FROM contract WHERE guest = ?1)",
				"ss", guest, document),
			error);
}

GPtrArray *store_contracts(struct store *store, const char *guest, GError **error)
{
	g_autoptr(GPtrArray) contracts = g_ptr_array_new_with_free_func(
		(GDestroyNotify)store_contract_free);
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT version, since, cause, host, document FROM contract WHERE guest = ?1"
		" ORDER BY version DESC",
		"s", guest);
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1) {
		struct store_contract *c = g_new0(struct store_contract, 1);

		c->version = sql_int(query, 0);
		c->since = sql_int(query, 1);
		c->cause = sql_copy(query, 2);
		c->host = g_strdup(sql_text(query, 3));
		c->document = sql_copy(query, 4);
		g_ptr_array_add(contracts, c);
	}
	return found == 0 ? g_steal_pointer(&contracts) : NULL;
}
