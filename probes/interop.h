/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * interop.h: folders of descriptions that distributions, administrators and users put for
 * management programs (QEMU docs/interop): what guests can be given beside QEMU itself.
 */
#ifndef INTEROP_H
#define INTEROP_H

#include "source.h"

/**
 * interop_list - the descriptions of a kind that libvirt reads, in the order of their names
 * @kind: "firmware" or "vhost-user"
 *
 * A file stands in for those of its name in folders before its own: /usr/share/qemu/KIND,
 * /etc/qemu/KIND and, where this isn't root, the user's; an empty one hides them.
 *
 * Returns paths, to be freed by g_strfreev(), or NULL with why not in @error.
 */
char **interop_list(struct source *source, const char *kind, GError **error);

/* The one of DIR/PROGRAM that can be run, for the DIRs libvirt looks in; NULL: none. */
char *interop_program(struct source *live, const char *program);

#endif
