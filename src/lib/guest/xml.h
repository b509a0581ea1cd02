/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xml.h: XML bytes in, a plain tree out; the only file that knows libxml2.
 *
 * No network, no external or internal entities (a document with a document type declaration is
 * refused), UTF-8 only, bounded size, depth and number of nodes. An element or attribute of
 * libvirt's QEMU namespace is called "qemu:NAME" whatever its prefix.
 */
#ifndef GUEST_XML_H
#define GUEST_XML_H

#include <glib.h>
#include <stddef.h>

#define XML_MAX_BYTES (16u * 1024 * 1024)
#define XML_MAX_DEPTH 200u
#define XML_MAX_NODES 500000u
#define XML_QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

struct xml_node {
	const char *name;
	const char *text;        /* own text, trimmed; "" where none */
	const struct xml_node *parent, *children, *next;
	const struct xml_attribute *attributes;
	unsigned int line;
};

struct xml_attribute {
	const char *name, *value;
	const struct xml_attribute *next;
};

struct xml_document;

/* Call once before threads parse. */
void xml_begin(void);

/**
 * xml_parse - parse a document
 * @bytes: @length bytes; need not end in NUL
 * @where: what messages call it (a file's name)
 *
 * Returns the document, or NULL with one line in @error that names @where and the line.
 */
struct xml_document *xml_parse(const char *bytes, size_t length, const char *where, GError **error);
void xml_free(struct xml_document *document);
typedef struct xml_document XmlDocument;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlDocument, xml_free)

const struct xml_node *xml_root(const struct xml_document *document);

/* First child element of a name, or NULL (also where @node is NULL); the next sibling of the same name. */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
const struct xml_node *xml_same(const struct xml_node *node);

/* The descendant at a path of names such as "os/type", first ones taken; NULL where there is none. */
const struct xml_node *xml_at(const struct xml_node *node, const char *path);

/* An attribute's value, or NULL (also where @node is NULL). */
const char *xml_attr(const struct xml_node *node, const char *name);

/* Where a node stands: "/domain/cpu/feature[3]"; an index only where siblings share the name. Free with g_free(). */
char *xml_path(const struct xml_node *node);

#endif
