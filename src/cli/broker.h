/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* broker.h: a question put to a broker instead of a database. */
#ifndef CLI_BROKER_H
#define CLI_BROKER_H

#include "cli.h"

/* Answers what ask() answers, or NULL with @error: the broker's own, or that it can't be asked. */
json_t *broker_ask(const struct cli *cli, const char *name, const json_t *question, int *status, GError **error);

/* The answer to GET of a path. */
json_t *broker_get(const struct cli *cli, const char *path, GError **error);

#endif
