/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xml-query.h: XPath 1.0 questions to a document, with variables and functions of our own:
 *
 *	lower(text)
 *	matches-any(text, 'a b c')  is the text one of the words?
 *	kib(nodes)           the sum of sizes, by each one's unit (KiB where it has none); NaN where
 *	                     one isn't a size
 *	list-max(nodes)      the highest number of lists such as "0-3,5,^2"; -1 where there is none,
 *	                     NaN where one isn't a list
 *	list-count(nodes)    how many numbers the lists have; NaN likewise
 *	lists-overlap(nodes) do two of the lists have a number in common?
 *	repeated(nodes, 'a b') have two of the elements the same attributes a and b?
 *
 * A query may be run on many documents. One document answers one query at a time: it is not to be
 * shared by threads.
 */
#ifndef GUEST_XML_QUERY_H
#define GUEST_XML_QUERY_H

#include <glib.h>
#include <stdbool.h>

struct xml_query;    /* a compiled expression */
struct xml_queried;  /* a document that can be asked */
typedef struct _xmlNode xml_place; /* a node of it; valid as long as the document */

/**
 * xml_query_new - compile an expression
 * @expression: XPath 1.0; its context is the root element
 * @where: what messages call it
 *
 * Returns the query, or NULL with one line in @error.
 */
struct xml_query *xml_query_new(const char *expression, const char *where, GError **error);
void xml_query_free(struct xml_query *query);

/**
 * xml_queried_new - a document to be asked
 * @bytes: XML that xml_parse() has taken (no entities, bounded)
 *
 * Returns the document, or NULL with one line in @error.
 */
struct xml_queried *xml_queried_new(const char *bytes, GError **error);
void xml_queried_free(struct xml_queried *document);

/* Gives a variable a value; "" where it has none. It must be set before a query names it. */
void xml_queried_set(struct xml_queried *document, const char *variable, const char *value);

/**
 * xml_query_places - where is the expression true of the document?
 * @places: room for @most (at least one) of the nodes of a set, in the document's order; for an
 *	expression that gives no set, where it is true, the root element
 *
 * A number is true where it isn't 0, a string where it isn't empty. Returns how many there are, or
 * -1 where the expression can't be evaluated (an unknown variable or function, beyond the limit of
 * steps).
 */
int xml_query_places(const struct xml_query *query, struct xml_queried *document,
		     xml_place **places, int most);

/* The expression's string value relative to a place, free with g_free(); NULL where it fails. */
char *xml_query_string(const struct xml_query *query, struct xml_queried *document,
		       xml_place *place);

/* "/domain/devices/disk[2]/driver/@iothread"; free with g_free(). */
char *xml_place_path(const xml_place *place);

#endif
