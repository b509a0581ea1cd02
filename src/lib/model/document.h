/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * document.h: profile documents as text: their digest, and the sections the store keeps.
 *
 * A section is a part that many hosts have in common (the facts of one QEMU with one machine
 * type, say); everything that tells one host from its twins is in the section "head".
 */
#ifndef MODEL_DOCUMENT_H
#define MODEL_DOCUMENT_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* Compact text with sorted keys; free with free() or g_free(). */
char *document_text(const json_t *json);

/**
 * document_digest - SHA-256 (hexadecimal) of a document as sorted compact text, without times,
 * durations and boot id
 */
void document_digest(const json_t *doc, char digest[static 65]);

/**
 * document_split - a document's sections
 *
 * Returns name, text, name, text, …, NULL in the order document_join() wants; an array of strings
 * that owns them.
 */
GPtrArray *document_split(const json_t *doc);

/**
 * document_join - put a section back
 * @doc: NULL before the first section, which must be "head"; the document being joined afterwards
 * @name: its name
 * @section: its parsed text; a reference is taken, so that equal sections can be shared
 *
 * Returns false where the section can't be placed.
 */
bool document_join(json_t **doc, const char *name, json_t *section);

/* An object's member that is a string, or NULL. */
const char *member_text(const json_t *object, const char *key);

#endif
