/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * contracts.h: what running guests were started with, frozen, and how that changed under them.
 */
#ifndef STORE_CONTRACTS_H
#define STORE_CONTRACTS_H

#include "store.h"

/* One version of a guest's contract. Strings are owned; free with store_contract_free(). */
struct store_contract {
	int64_t version;  /* from 1 */
	int64_t since;    /* seconds since the epoch: when it was first seen so */
	char *cause;
	char *host;       /* where it ran then, or NULL */
	char *document;   /* compact JSON */
};
void store_contract_free(struct store_contract *contract);

/**
 * store_put_contract - freeze what a running guest needs
 * @guest: its UUID, or its name where it has none
 * @contract: version is not looked at; where @document equals the newest version's nothing is done
 */
bool store_put_contract(struct store *store, const char *guest,
			const struct store_contract *contract, GError **error);

/* Another run of a guest whose newest contract stands: its document alone is replaced. */
bool store_renew_contract(struct store *store, const char *guest, const char *document, GError **error);

/* A guest's contracts, newest first; an array of struct store_contract, or NULL. */
GPtrArray *store_contracts(struct store *store, const char *guest, GError **error);

#endif
