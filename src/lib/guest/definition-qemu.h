/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition-qemu.h: what of libvirt's qemu: namespace is told in a whitelisted copy; for
 * definition.c alone.
 */
#ifndef GUEST_DEFINITION_QEMU_H
#define GUEST_DEFINITION_QEMU_H

#include <glib.h>
#include <stdbool.h>

#include "guest/xml.h"

/* Is the element kept: a command line, an override of an IOMMU or an assigned device? */
bool qemu_is_told(const struct xml_node *node);

/* Appends the elements that stand for a command line's arguments. */
void qemu_put_arguments(GString *out, const struct xml_node *commandline);

/* Short, and of letters, digits and few signs (definition.c). */
bool definition_is_plain(const char *text);

#endif
