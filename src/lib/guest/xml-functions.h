/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xml-functions.h: see xml-functions.c; for xml-query.c alone. */
#ifndef GUEST_XML_FUNCTIONS_H
#define GUEST_XML_FUNCTIONS_H

#include <glib.h>
#include <stdbool.h>

struct _xmlXPathContext; /* libxml2's */

/* Makes kib(), list-max(), list-count() and lists-overlap() known to a context. */
void xml_functions_register(struct _xmlXPathContext *context);

#endif
