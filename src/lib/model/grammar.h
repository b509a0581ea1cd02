/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * grammar.h: which elements, attributes and values of domain XML each libvirt version knows, read
 * from libvirt-grammar.tsv (schema/data/README.md tells its columns).
 *
 * libvirt ignores elements and attributes that it doesn't know, without a word, and refuses values
 * that it doesn't know of attributes it reads as one of a set of words, or as a number.
 */
#ifndef MODEL_GRAMMAR_H
#define MODEL_GRAMMAR_H

#include <glib.h>
#include <stdbool.h>

#include "model/tables.h"

#define GRAMMAR_TEXT "#text" /* the attribute name that stands for an element's own text */
#define GRAMMAR_CHILD "#child" /* and for the names of the elements in an element */
#define GRAMMAR_MAX_WHEN_UP 8u

/* The versions that know something. */
struct grammar_span {
	const char *not_in;   /* the newest looked at that didn't know it yet, or NULL */
	const char *first_in; /* the oldest that does; NULL: none that was looked at */
	const char *last_in;  /* the newest that still did, where a later one doesn't; or NULL */
	const char *gone_in;  /* the oldest that was looked at after that */
	bool host_side;       /* the guest doesn't see it */
	const char *same_as;  /* nor where it says this, which QEMU does by itself; or NULL */
	const char *source;
};

/* Values that the same versions know. */
struct grammar_values {
	struct grammar_span span;
	char **words; /* NULL-terminated; "#uint32" and the like are kinds of numbers */
};

/* What an attribute may say in places that are alike. */
struct grammar_set {
	unsigned int when_up;   /* the element whose attribute decides: 0 its own, 1 its parent … */
	char *when_name;        /* NULL: everywhere */
	char **when_words;      /* "-": not written */
	const char *refused_since; /* the first version that refuses others, NULL: all looked at */
	GPtrArray *values;      /* struct grammar_values */
};

/* An element, or an attribute of it. */
struct grammar_entry {
	struct grammar_span span;
	GPtrArray *sets; /* struct grammar_set; NULL: any value is taken */
};

enum grammar_answer { GRAMMAR_FINE, GRAMMAR_PERHAPS, GRAMMAR_REFUSED };

struct grammar;

/**
 * grammar_new - read the table
 *
 * Returns the grammar, or NULL with the row and what is wrong with it in @error. @table may be
 * freed afterwards.
 */
struct grammar *grammar_new(const struct table *table, GError **error);
void grammar_free(struct grammar *grammar);
typedef struct grammar Grammar;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Grammar, grammar_free)

/**
 * grammar_find - an element, or an attribute of it
 * @path: below <domain>: "devices/disk/driver"
 * @attribute: NULL for the element, GRAMMAR_TEXT for its text
 *
 * Returns the entry, or NULL where no version that was looked at has it.
 */
const struct grammar_entry *grammar_find(const struct grammar *grammar, const char *path,
					 const char *attribute);

/**
 * grammar_path - the path of an element below one of path @up, as the table has it
 *
 * What holds a disk's image (backingStore, dataStore, mirror) stands at one place, however deep;
 * an element that holds its own kind stands once.
 *
 * Returns the path; free with g_free().
 */
char *grammar_path(const char *up, const char *name);

/* 1, 0 or -1: does the version know it? -1 between two that were looked at, and before all. */
int grammar_knows(const struct grammar_span *span, const char *version);

/* The newest version that was looked at. */
const char *grammar_newest(const struct grammar *grammar);

/**
 * grammar_value - does a version take a value where the set says what may stand there?
 * @known: set to what the value is known by in some version, else to NULL
 *
 * Returns GRAMMAR_PERHAPS where the version wasn't looked at and it may be either way.
 */
enum grammar_answer grammar_value(const struct grammar *grammar, const struct grammar_set *set,
				  const char *value, const char *version,
				  const struct grammar_span **known);

#endif
