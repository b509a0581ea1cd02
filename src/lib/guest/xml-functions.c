/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xml-functions.c: XPath functions of our own about sizes with units, lists of numbers and
 * elements that repeat each other, as libvirt writes them. See xml-query.h for what each gives.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "guest/xml-functions.h"

/* libvirt's own limit on lists of CPUs and nodes. */
#define MAX_LISTED 16384u

typedef guint64 listed[MAX_LISTED / 64];

/* Bytes in a unit; 0 where there is no such one. */
static double unit_bytes(const char *unit)
{
	static const char prefixes[] = "kmgtpe";
	const char *prefix;
	double base, bytes = 1;

	if (!*unit)
		return 1024;
	if (!g_ascii_strcasecmp(unit, "b") || !g_ascii_strcasecmp(unit, "byte") ||
	    !g_ascii_strcasecmp(unit, "bytes"))
		return 1;
	if (!unit[1] || !g_ascii_strcasecmp(unit + 1, "iB"))
		base = 1024;
	else if (!g_ascii_strcasecmp(unit + 1, "B"))
		base = 1000;
	else
		return 0;
	prefix = strchr(prefixes, g_ascii_tolower(*unit));
	for (const char *p = prefixes; prefix && p <= prefix; p++)
		bytes *= base;
	return prefix ? bytes : 0;
}

/* KiB, rounded up; NAN where it is no size, or one beyond 2^63 bytes, which libvirt refuses. */
double xml_size_kib(const char *text, const char *unit)
{
	g_autofree char *number = g_strstrip(g_strdup(text));
	double bytes, whole;
	guint64 n;

	if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXINT64, &n, NULL) || unit_bytes(unit) == 0)
		return NAN;
	bytes = (double)n * unit_bytes(unit);
	if (bytes >= 9223372036854775808.0)
		return NAN;
	whole = (double)((guint64)bytes / 1024);
	return whole * 1024 < bytes ? whole + 1 : whole;
}

/* An element's size has its unit beside it, an attribute's has it in the element. */
static double node_kib(xmlNodePtr node)
{
	xmlNodePtr element = node->type == XML_ATTRIBUTE_NODE ? node->parent : node;
	xmlChar *text = xmlNodeGetContent(node);
	xmlChar *unit = element && element->type == XML_ELEMENT_NODE ?
				xmlGetNoNsProp(element, (const xmlChar *)"unit") : NULL;
	double size = xml_size_kib(text ? (const char *)text : "", unit ? (const char *)unit : "");

	xmlFree(text);
	xmlFree(unit);
	return size;
}

static void kib(xmlXPathParserContextPtr ctxt, int nargs)
{
	double total = 0;
	xmlNodeSetPtr nodes;

	CHECK_ARITY(1);
	nodes = xmlXPathPopNodeSet(ctxt);
	if (xmlXPathCheckError(ctxt)) {
		xmlXPathFreeNodeSet(nodes);
		return;
	}
	for (int i = 0; nodes && i < nodes->nodeNr; i++)
		total += node_kib(nodes->nodeTab[i]);
	xmlXPathFreeNodeSet(nodes);
	xmlXPathReturnNumber(ctxt, total);
}

/* "3", "0-2", "^1" of a list; false where it is none of these. */
static bool take_part(const char *part, listed list)
{
	bool out = *part == '^';
	g_auto(GStrv) ends = g_strsplit(part + out, "-", -1);
	guint n = g_strv_length(ends);
	guint64 first, last;

	for (guint i = 0; i < n; i++)
		g_strstrip(ends[i]);
	if (n < 1 || n > 2 || (out && n == 2) ||
	    !g_ascii_string_to_unsigned(ends[0], 10, 0, MAX_LISTED - 1, &first, NULL) ||
	    !g_ascii_string_to_unsigned(ends[n - 1], 10, first, MAX_LISTED - 1, &last, NULL))
		return false;
	for (guint64 k = first; k <= last; k++) {
		if (out)
			list[k / 64] &= ~(G_GUINT64_CONSTANT(1) << k % 64);
		else
			list[k / 64] |= G_GUINT64_CONSTANT(1) << k % 64;
	}
	return true;
}

static bool take_list(const char *text, listed list)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);

	for (guint i = 0; parts[i]; i++)
		if (!take_part(g_strstrip(parts[i]), list))
			return false;
	return parts[0] != NULL;
}

bool xml_list_numbers(const char *list, bool *listed, unsigned int n)
{
	guint64 numbers[MAX_LISTED / 64] = { 0 };
	bool ok = take_list(list, numbers);

	for (unsigned int k = 0; k < n; k++)
		listed[k] = k < MAX_LISTED && numbers[k / 64] >> k % 64 & 1;
	return ok;
}

/*
 * The numbers of all lists together. Returns false where one is no list; @overlap: two lists have
 * a number in common.
 */
static bool take_nodes(xmlXPathParserContextPtr ctxt, listed all, bool *overlap)
{
	xmlNodeSetPtr nodes = xmlXPathPopNodeSet(ctxt);
	bool ok = !xmlXPathCheckError(ctxt);

	memset(all, 0, sizeof(listed));
	*overlap = false;
	for (int i = 0; ok && nodes && i < nodes->nodeNr; i++) {
		xmlChar *text = xmlNodeGetContent(nodes->nodeTab[i]);
		listed one = { 0 };

		ok = text && take_list((const char *)text, one);
		for (size_t k = 0; ok && k < G_N_ELEMENTS(one); k++) {
			*overlap |= (all[k] & one[k]) != 0;
			all[k] |= one[k];
		}
		xmlFree(text);
	}
	xmlXPathFreeNodeSet(nodes);
	return ok;
}

static void list_max(xmlXPathParserContextPtr ctxt, int nargs)
{
	listed all;
	bool overlap;
	double max = -1;

	CHECK_ARITY(1);
	if (!take_nodes(ctxt, all, &overlap))
		max = NAN;
	for (unsigned int k = 0; !isnan(max) && k < MAX_LISTED; k++)
		if (all[k / 64] >> k % 64 & 1)
			max = k;
	xmlXPathReturnNumber(ctxt, max);
}

static void list_count(xmlXPathParserContextPtr ctxt, int nargs)
{
	listed all;
	bool overlap;
	double count = 0;

	CHECK_ARITY(1);
	if (!take_nodes(ctxt, all, &overlap))
		count = NAN;
	for (unsigned int k = 0; !isnan(count) && k < MAX_LISTED; k++)
		count += (double)(all[k / 64] >> k % 64 & 1);
	xmlXPathReturnNumber(ctxt, count);
}

static void lists_overlap(xmlXPathParserContextPtr ctxt, int nargs)
{
	listed all;
	bool overlap;

	CHECK_ARITY(1);
	xmlXPathReturnBoolean(ctxt, take_nodes(ctxt, all, &overlap) && overlap);
}

/* The values of some attributes of an element, as one text. */
static char *key_of(xmlNodePtr node, char *const *attributes)
{
	GString *key = g_string_new(NULL);

	for (guint i = 0; attributes[i]; i++) {
		xmlChar *value = node->type == XML_ELEMENT_NODE ?
					 xmlGetNoNsProp(node, (const xmlChar *)attributes[i]) : NULL;

		g_string_append_printf(key, "%s\x1f", value ? (const char *)value : "");
		xmlFree(value);
	}
	return g_string_free(key, FALSE);
}

static void repeated(xmlXPathParserContextPtr ctxt, int nargs)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(GStrv) attributes = NULL;
	xmlNodeSetPtr nodes;
	xmlChar *words;
	bool twice = false;

	CHECK_ARITY(2);
	words = xmlXPathPopString(ctxt);
	nodes = xmlXPathPopNodeSet(ctxt);
	attributes = g_strsplit(words ? (const char *)words : "", " ", -1);
	xmlFree(words);
	for (int i = 0; !xmlXPathCheckError(ctxt) && nodes && i < nodes->nodeNr; i++)
		twice |= !g_hash_table_add(seen, key_of(nodes->nodeTab[i], attributes));
	xmlXPathFreeNodeSet(nodes);
	if (!xmlXPathCheckError(ctxt))
		xmlXPathReturnBoolean(ctxt, twice);
}

void xml_functions_register(struct _xmlXPathContext *context)
{
	static const struct {
		const char *name;
		xmlXPathFunction function;
	} functions[] = {
		{ "kib", kib },
		{ "list-max", list_max },
		{ "list-count", list_count },
		{ "lists-overlap", lists_overlap },
		{ "repeated", repeated },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(functions); i++)
		xmlXPathRegisterFunc(context, (const xmlChar *)functions[i].name, functions[i].function);
}
