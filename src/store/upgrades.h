/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * upgrades.h: the numbered upgrades of the database, schema/store/NNNN-*.sql embedded when the
 * store is built, in order: upgrade N is store_upgrades[N - 1].
 */
#ifndef STORE_UPGRADES_H
#define STORE_UPGRADES_H

#include <stddef.h>

struct store_upgrade {
	int version;      /* 1, 2, … */
	const char *name; /* "0001-initial" */
	const char *sql;  /* the whole file */
};

extern const struct store_upgrade store_upgrades[];
extern const size_t store_upgrade_count;

#endif
