/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * merge.h: fragments of a profile put together.
 */
#ifndef MERGE_H
#define MERGE_H

#include <jansson.h>

/**
 * merge_fragment - what a probe found into the whole
 * @doc: the profile's document; everything but its sources is added to
 * @fragment: a document of document_new(), which is changed
 */
void merge_fragment(json_t *doc, json_t *fragment);

/* Objects are merged one level deep; the first to say something is believed. */
void merge_object(json_t *into, json_t *from);

#endif
