/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xml-query.c: see xml-query.h. With xml.c and xml-functions.c the only file that knows libxml2. */
#include "config.h"

#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "guest/xml-functions.h"
#include "guest/xml.h"
#include "guest/xml-query.h"
#include "model/error.h"

#define MAX_STEPS 2000000ul

struct xml_query {
	xmlXPathCompExprPtr compiled;
};

struct xml_queried {
	xmlDocPtr doc;
	xmlXPathContextPtr context;
};

/* libxml2 prints errors unless told where else they go. */
#if LIBXML_VERSION >= 21200
static void ignore(void *data, const xmlError *error)
#else
static void ignore(void *data, xmlErrorPtr error)
#endif
{
	(void)data;
	(void)error;
}

static void lower(xmlXPathParserContextPtr ctxt, int nargs)
{
	xmlChar *text;
	g_autofree char *lowered = NULL;

	CHECK_ARITY(1);
	text = xmlXPathPopString(ctxt);
	lowered = g_ascii_strdown(text ? (const char *)text : "", -1);
	xmlFree(text);
	valuePush(ctxt, xmlXPathNewString((const xmlChar *)lowered));
}

static void matches_any(xmlXPathParserContextPtr ctxt, int nargs)
{
	xmlChar *words, *text;
	g_auto(GStrv) list = NULL;
	bool found = false;

	CHECK_ARITY(2);
	words = xmlXPathPopString(ctxt);
	text = xmlXPathPopString(ctxt);
	list = g_strsplit(words ? (const char *)words : "", " ", -1);
	if (text && *text)
		found = g_strv_contains((const char *const *)list, (const char *)text);
	xmlFree(words);
	xmlFree(text);
	valuePush(ctxt, xmlXPathNewBoolean(found));
}

static void context_free(void *context)
{
	xmlXPathFreeContext(context);
}

/* For compiling, one a thread: a new one registers all functions first, which takes longer. */
static xmlXPathContextPtr compiler(void)
{
	static GPrivate of_thread = G_PRIVATE_INIT(context_free);
	xmlXPathContextPtr context = g_private_get(&of_thread);

	if (!context) {
		context = xmlXPathNewContext(NULL);
		context->error = ignore;
		g_private_set(&of_thread, context);
	}
	return context;
}

struct xml_query *xml_query_new(const char *expression, const char *where, GError **error)
{
	xmlXPathCompExprPtr compiled = xmlXPathCtxtCompile(compiler(), (const xmlChar *)expression);
	struct xml_query *query = NULL;

	if (!compiled) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: '%.200s' is no XPath expression (mend it)", where, expression);
		return NULL;
	}
	query = g_new(struct xml_query, 1);
	query->compiled = compiled;
	return query;
}

void xml_query_free(struct xml_query *query)
{
	if (!query)
		return;
	xmlXPathFreeCompExpr(query->compiled);
	g_free(query);
}

struct xml_queried *xml_queried_new(const char *bytes, GError **error)
{
	struct xml_queried *d;
	xmlDocPtr doc = xmlReadMemory(bytes, (int)strlen(bytes), "definition", "UTF-8",
				      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					      XML_PARSE_NOBLANKS);

	if (!doc || !xmlDocGetRootElement(doc)) {
		xmlFreeDoc(doc);
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "definition: is not XML");
		return NULL;
	}
	d = g_new0(struct xml_queried, 1);
	d->doc = doc;
	d->context = xmlXPathNewContext(doc);
	d->context->error = ignore;
	d->context->opLimit = MAX_STEPS;
	xmlXPathRegisterNs(d->context, (const xmlChar *)"qemu", (const xmlChar *)XML_QEMU_NAMESPACE);
	xmlXPathRegisterFunc(d->context, (const xmlChar *)"lower", lower);
	xmlXPathRegisterFunc(d->context, (const xmlChar *)"matches-any", matches_any);
	xml_functions_register(d->context);
	return d;
}

void xml_queried_free(struct xml_queried *d)
{
	if (!d)
		return;
	xmlXPathFreeContext(d->context);
	xmlFreeDoc(d->doc);
	g_free(d);
}

void xml_queried_set(struct xml_queried *d, const char *variable, const char *value)
{
	xmlXPathRegisterVariable(d->context, (const xmlChar *)variable,
				 xmlXPathNewString((const xmlChar *)(value ? value : "")));
}

static xmlXPathObjectPtr evaluate(const struct xml_query *query, struct xml_queried *d,
				  xml_place *place)
{
	d->context->opCount = 0;
	d->context->node = place ? place : xmlDocGetRootElement(d->doc);
	return xmlXPathCompiledEval(query->compiled, d->context);
}

int xml_query_places(const struct xml_query *query, struct xml_queried *d, xml_place **places,
		     int most)
{
	xmlXPathObjectPtr answer = evaluate(query, d, NULL);
	int n;

	if (!answer)
		return -1;
	if (answer->type == XPATH_NODESET) {
		n = MIN(answer->nodesetval ? answer->nodesetval->nodeNr : 0, most);
		for (int i = 0; i < n; i++)
			places[i] = answer->nodesetval->nodeTab[i];
	} else {
		places[0] = xmlDocGetRootElement(d->doc);
		n = xmlXPathCastToBoolean(answer);
	}
	xmlXPathFreeObject(answer);
	return n;
}

char *xml_query_string(const struct xml_query *query, struct xml_queried *d, xml_place *place)
{
	xmlXPathObjectPtr answer = evaluate(query, d, place);
	xmlChar *text;
	char *copy;

	if (!answer)
		return NULL;
	text = xmlXPathCastToString(answer);
	xmlXPathFreeObject(answer);
	copy = g_strdup((const char *)text);
	xmlFree(text);
	return copy;
}

char *xml_place_path(const xml_place *place)
{
	xmlChar *path = xmlGetNodePath(place);
	char *copy = g_strdup(path ? (const char *)path : "/domain");

	xmlFree(path);
	return copy;
}
