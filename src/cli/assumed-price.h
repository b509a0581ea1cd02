/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* assumed-price.h: what capabilities that --assume takes from hosts, or gives them, cost guests. */
#ifndef ASSUMED_PRICE_H
#define ASSUMED_PRICE_H

#include "load.h"

/* Adds "assumed_price" to an answer where capabilities were assumed (SELECTOR=-CAP, =+CAP). */
void assumed_price(const struct cli *cli, const struct session *session, json_t *answer);

#endif
