/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* setting-text.h: a baseline or a level in the words of another program. */
#ifndef SETTING_TEXT_H
#define SETTING_TEXT_H

#include "cli.h"
#include "plan/settings.h"

/* Is what --format says (or NULL) text, json or a consumer? 0, or the exit status of a wrong command line. */
int setting_format_check(struct cli *cli, const char *format);

/**
 * setting_print - ask for a baseline or a level, and write its groups for a consumer
 * @name, @question: as cli_ask() takes them; the reference is taken over
 *
 * The names that a consumer knows are looked up here, whoever answers. Returns the exit status.
 */
int setting_print(const struct cli *cli, const char *name, json_t *question, enum setting_consumer consumer);

#endif
