/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* level-parts.h: what the files of the command "level" share. */
#ifndef LEVEL_PARTS_H
#define LEVEL_PARTS_H

#include "cli.h"
#include "level-load.h"

/* The options of "level"; each subcommand says which of them it takes. */
struct level_options {
	char *format, *coverage, *weight_label, *accel, *reason, *since, *review_by, *retire_by;
	char **pins, **forbid;
	gboolean apply, automatic, sink, all, unassign;
};
extern struct level_options level_options;

/* Who does it, and why (one line; NULL: nothing); false with @error. Clear by level_act_clear(). */
bool level_act_now(struct store_act *act, const char *reason, int64_t now, GError **error);
void level_act_clear(struct store_act *act);

/* Do the options of "propose" go together? False with @error. */
bool level_propose_options(GError **error);

/* Is what was given for an option a date, or nothing? */
bool level_option_date(const char *option, const char *text, GError **error);

/* Subcommands: the answer, or NULL with @error. @args: what comes behind the subcommand. */
json_t *level_create(struct session *session, const struct cli *cli, char **args, GError **error);
json_t *level_assign_guests(struct session *session, const struct cli *cli, char **args, GError **error);
json_t *level_retire(struct session *session, const struct cli *cli, char **args, GError **error);
json_t *level_propose(struct session *session, const struct cli *cli, char **args, GError **error);

/* Stores a level, or that one is retired, and logs it with @detail (level-change.c). */
bool level_store(struct session *session, const char *action, json_t *document, const json_t *detail,
		 const struct store_act *act, GError **error);
bool level_store_retired(struct session *session, const struct level *level, const json_t *detail,
			 const struct store_act *act, GError **error);

/* An answer "level-change" of what was done. */
json_t *level_changed(const char *action, const char *level, const struct store_act *act);

#endif
