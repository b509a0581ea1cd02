/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guest-contracts.h: what one guest was started with, version by version. */
#ifndef GUEST_CONTRACTS_H
#define GUEST_CONTRACTS_H

#include "load.h"

/* The answer "contracts", or NULL. */
json_t *guest_contracts(const struct session *session, const struct guest *guest, GError **error);

/* The element for its definition's <metadata> (answer/contract.h), or NULL; free with g_free(). */
char *guest_contract_element(const struct session *session, const struct guest *guest, GError **error);

#endif
