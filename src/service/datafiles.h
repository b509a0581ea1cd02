/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * datafiles.h: the tables of facts about versions, found and read.
 *
 * They are in data/ below $CAPBROKER_DATADIR, else below the folder that was compiled in; rows of
 * a site's own files of the same names, in /etc/capbroker/data, are added to them.
 */
#ifndef DATAFILES_H
#define DATAFILES_H

#include <glib.h>

#include "judge/rulebook.h"
#include "model/cpu-model.h"
#include "model/grammar.h"
#include "model/tables.h"
#include "plan/weights.h"

#define DATAFILES_RULES 8 /* tables of rules about definitions */

struct datafiles {
	struct cpu_models *models;
	struct tables *tables;
	struct table *rule_tables[DATAFILES_RULES];
	struct rulebook *rules;  /* borrows from rule_tables */
	struct grammar *grammar;
	struct table *weight_table;
	struct weights *weights; /* those of weight_table */
	char digest[9];  /* over all of them */
	char cpu_map[9]; /* over the table of CPU models */
};

/* Returns what was read, to be freed by datafiles_free(), or NULL. */
struct datafiles *datafiles_load(GError **error);
void datafiles_free(struct datafiles *files);

#endif
