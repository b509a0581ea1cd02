/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* assumed-price.h: what capabilities that are assumed to be gone, or there, cost guests. */
#ifndef ASSUMED_PRICE_H
#define ASSUMED_PRICE_H

#include "load.h"

/**
 * assumed_price - add "assumed_price" to an answer where capabilities were assumed
 * @assume: as assume_read() gives it, or NULL
 */
void assumed_price(const struct session *session, const json_t *assume, json_t *answer);

#endif
