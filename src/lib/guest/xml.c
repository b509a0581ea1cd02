/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xml.c: see xml.h.
 *
 * Theory of operation: libxml2 only splits the bytes; its SAX events fill our own tree, which
 * lives in one arena and is freed as a whole. Every limit is checked in the event that would pass
 * it, and the parser is stopped there, so that nothing grows before it is refused. A document
 * type declaration ends the parse before an entity can be declared. Bytes are checked to be UTF-8
 * first and then read as UTF-8 whatever they declare.
 */
#include "config.h"

#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "guest/xml.h"
#include "model/error.h"

#define BLOCK_BYTES (32u * 1024)

struct block {
	struct block *next;
	size_t used, size;
	char bytes[];
};

struct xml_document {
	struct block *blocks;
	struct xml_node *root;
};

/* An element that is not closed yet. */
struct frame {
	struct xml_node *node, *last_child;
	GString *text;
};

struct parse {
	xmlParserCtxtPtr ctxt;
	struct xml_document *document;
	struct frame frames[XML_MAX_DEPTH];
	unsigned int depth, nodes;
	const char *where;
	GError *error;
};

static void *arena(struct xml_document *document, size_t size)
{
	struct block *block = document->blocks;
	void *memory;

	size = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
	if (!block || block->size - block->used < size) {
		size_t room = MAX(size, BLOCK_BYTES);

		block = g_malloc(sizeof(*block) + room);
		*block = (struct block){ .next = document->blocks, .size = room };
		document->blocks = block;
	}
	memory = block->bytes + block->used;
	block->used += size;
	return memory;
}

static const char *arena_string(struct xml_document *document, const char *s, size_t length)
{
	char *copy;

	if (!length)
		return "";
	copy = arena(document, length + 1);
	memcpy(copy, s, length);
	copy[length] = 0;
	return copy;
}

static void stop(struct parse *p, const char *what)
{
	if (!p->error)
		p->error = g_error_new(CAPBROKER_ERROR, ERROR_INVALID, "%s: line %d: %s", p->where,
				       xmlSAX2GetLineNumber(p->ctxt), what);
	xmlStopParser(p->ctxt);
}

/* "qemu:commandline" by its namespace, whatever the prefix; other prefixes as written. */
static const char *node_name(struct parse *p, const xmlChar *local, const xmlChar *prefix,
			     const xmlChar *uri)
{
	const char *name = (const char *)local;
	g_autofree char *full = NULL;

	if (uri && !strcmp((const char *)uri, XML_QEMU_NAMESPACE))
		prefix = (const xmlChar *)"qemu";
	if (prefix)
		name = full = g_strconcat((const char *)prefix, ":", name, NULL);
	return arena_string(p->document, name, strlen(name));
}

/* libxml2 gives five pointers an attribute: local name, prefix, namespace, value, value's end. */
static const struct xml_attribute *copy_attributes(struct parse *p, int n, const xmlChar **raw)
{
	struct xml_attribute *first = NULL, *last = NULL;

	for (int i = 0; i < n; i++, raw += 5) {
		struct xml_attribute *a = arena(p->document, sizeof(*a));

		a->name = node_name(p, raw[0], raw[1], raw[2]);
		a->value = arena_string(p->document, (const char *)raw[3],
					(size_t)(raw[4] - raw[3]));
		a->next = NULL;
		if (last)
			last->next = a;
		else
			first = a;
		last = a;
	}
	return first;
}

static void on_start(void *data, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
		     int n_namespaces, const xmlChar **namespaces, int n_attributes,
		     int n_defaulted, const xmlChar **attributes)
{
	struct parse *p = ((xmlParserCtxtPtr)data)->_private;
	struct frame *up = p->depth ? &p->frames[p->depth - 1] : NULL;
	struct xml_node *node;

	(void)n_namespaces, (void)namespaces, (void)n_defaulted;
	if (p->error)
		return;
	if (p->depth == XML_MAX_DEPTH) {
		stop(p, "elements nested too deep (is it the right file?)");
		return;
	}
	p->nodes += 1 + (unsigned int)n_attributes;
	if (p->nodes > XML_MAX_NODES) {
		stop(p, "too many elements and attributes (is it the right file?)");
		return;
	}
	node = arena(p->document, sizeof(*node));
	*node = (struct xml_node){ .name = node_name(p, local, prefix, uri), .text = "" };
	node->line = (unsigned int)xmlSAX2GetLineNumber(p->ctxt);
	node->attributes = copy_attributes(p, n_attributes, attributes);
	if (!up) {
		p->document->root = node;
	} else {
		node->parent = up->node;
		if (up->last_child)
			up->last_child->next = node;
		else
			up->node->children = node;
		up->last_child = node;
	}
	p->frames[p->depth].node = node;
	p->frames[p->depth].last_child = NULL;
	if (!p->frames[p->depth].text)
		p->frames[p->depth].text = g_string_sized_new(64);
	g_string_truncate(p->frames[p->depth].text, 0);
	p->depth++;
}

static void on_end(void *data, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
	struct parse *p = ((xmlParserCtxtPtr)data)->_private;
	struct frame *frame;
	const char *s, *end;

	(void)local, (void)prefix, (void)uri;
	if (p->error || !p->depth)
		return;
	frame = &p->frames[--p->depth];
	s = frame->text->str;
	end = s + frame->text->len;
	while (s < end && g_ascii_isspace(*s))
		s++;
	while (end > s && g_ascii_isspace(end[-1]))
		end--;
	frame->node->text = arena_string(p->document, s, (size_t)(end - s));
}

static void on_text(void *data, const xmlChar *text, int length)
{
	struct parse *p = ((xmlParserCtxtPtr)data)->_private;

	if (!p->error && p->depth)
		g_string_append_len(p->frames[p->depth - 1].text, (const char *)text, length);
}

static void on_doctype(void *data, const xmlChar *name, const xmlChar *external,
		       const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	stop(((xmlParserCtxtPtr)data)->_private,
	     "has a document type declaration, which could declare entities (remove <!DOCTYPE …>)");
}

static void on_reference(void *data, const xmlChar *name)
{
	(void)name;
	stop(((xmlParserCtxtPtr)data)->_private, "refers to an entity that is not built in");
}

/* libxml2's own complaint in one line. */
static GError *parser_error(const struct parse *p)
{
	const xmlError *last = xmlCtxtGetLastError(p->ctxt);
	g_autofree char *text = g_strdup(last && last->message ? last->message : "malformed");

	text[strcspn(text, "\r\n")] = 0;
	return g_error_new(CAPBROKER_ERROR, ERROR_INVALID,
			   "%s: line %d: not XML: %s (is the file complete?)", p->where,
			   last ? last->line : 0, text);
}

static void run(struct parse *p, const char *bytes, size_t length)
{
	p->ctxt = xmlNewParserCtxt();
	if (!p->ctxt)
		g_error("out of memory");
	memset(p->ctxt->sax, 0, sizeof(*p->ctxt->sax));
	p->ctxt->sax->initialized = XML_SAX2_MAGIC;
	p->ctxt->sax->startElementNs = on_start;
	p->ctxt->sax->endElementNs = on_end;
	p->ctxt->sax->characters = on_text;
	p->ctxt->sax->ignorableWhitespace = on_text;
	p->ctxt->sax->cdataBlock = on_text;
	p->ctxt->sax->internalSubset = on_doctype;
	p->ctxt->sax->reference = on_reference;
	p->ctxt->_private = p;
	xmlFreeDoc(xmlCtxtReadMemory(p->ctxt, bytes, (int)length, NULL, "UTF-8",
				     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					     XML_PARSE_IGNORE_ENC));
	if (!p->error && (!p->ctxt->wellFormed || !p->document->root))
		p->error = parser_error(p);
	xmlFreeParserCtxt(p->ctxt);
	for (unsigned int i = 0; i < XML_MAX_DEPTH && p->frames[i].text; i++)
		g_string_free(p->frames[i].text, TRUE);
}

void xml_begin(void)
{
	xmlInitParser();
}

struct xml_document *xml_parse(const char *bytes, size_t length, const char *where, GError **error)
{
	struct xml_document *document;
	g_autofree struct parse *p = NULL;
	const char *bad;

	if (length > XML_MAX_BYTES) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: %zu bytes of XML, more than the %u that are read", where, length,
			    XML_MAX_BYTES);
		return NULL;
	}
	if (length >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
		bytes += 3, length -= 3;
	if (!g_utf8_validate_len(bytes, length, &bad)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: byte %zu is not UTF-8 (convert the file, or fetch it again)",
			    where, (size_t)(bad - bytes));
		return NULL;
	}
	document = g_new0(struct xml_document, 1);
	p = g_new0(struct parse, 1);
	p->document = document;
	p->where = where;
	run(p, bytes, length);
	if (p->error) {
		g_propagate_error(error, p->error);
		xml_free(document);
		return NULL;
	}
	return document;
}

void xml_free(struct xml_document *document)
{
	if (!document)
		return;
	while (document->blocks) {
		struct block *block = document->blocks;

		document->blocks = block->next;
		g_free(block);
	}
	g_free(document);
}

const struct xml_node *xml_root(const struct xml_document *document)
{
	return document->root;
}

static const struct xml_node *first_named(const struct xml_node *node, const char *name)
{
	while (node && strcmp(node->name, name))
		node = node->next;
	return node;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
	return node ? first_named(node->children, name) : NULL;
}

const struct xml_node *xml_same(const struct xml_node *node)
{
	return node ? first_named(node->next, node->name) : NULL;
}

const struct xml_node *xml_at(const struct xml_node *node, const char *path)
{
	while (node && *path) {
		size_t length = strcspn(path, "/");
		const struct xml_node *child = node->children;

		while (child && (strncmp(child->name, path, length) || child->name[length]))
			child = child->next;
		node = child;
		path += length;
		path += *path == '/';
	}
	return node;
}

const char *xml_attr(const struct xml_node *node, const char *name)
{
	const struct xml_attribute *a = node ? node->attributes : NULL;

	while (a && strcmp(a->name, name))
		a = a->next;
	return a ? a->value : NULL;
}

/* Its number among siblings of its name from 1, or 0 where it is the only one. */
static unsigned int sibling_number(const struct xml_node *node)
{
	const struct xml_node *first = node->parent ? xml_child(node->parent, node->name) : node;
	unsigned int n = 1;

	if (first == node && !xml_same(node))
		return 0;
	for (; first != node; first = xml_same(first))
		n++;
	return n;
}

char *xml_path(const struct xml_node *node)
{
	GString *path = g_string_new(NULL);

	for (; node; node = node->parent) {
		unsigned int n = sibling_number(node);
		g_autofree char *step = n ? g_strdup_printf("/%s[%u]", node->name, n)
					  : g_strconcat("/", node->name, NULL);

		g_string_prepend(path, step);
	}
	return g_string_free(path, FALSE);
}
