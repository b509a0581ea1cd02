/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xml-functions.h: sizes with units and lists of numbers as libvirt writes them (xml-functions.c). */
#ifndef GUEST_XML_FUNCTIONS_H
#define GUEST_XML_FUNCTIONS_H

#include <glib.h>
#include <stdbool.h>

struct _xmlXPathContext; /* libxml2's */

/* Makes kib(), list-max(), list-count() and lists-overlap() known to a context. */
void xml_functions_register(struct _xmlXPathContext *context);

/* A size in KiB, rounded up ("" is the unit KiB); NAN where it is none. */
double xml_size_kib(const char *text, const char *unit);

/* Marks the numbers below @n of a list such as "0-3,5,^2"; false where it is no list. */
bool xml_list_numbers(const char *list, bool *listed, unsigned int n);

#endif
