/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * writer-text.h: answers as text for people: 80 columns, the answer first, the cause and the fix
 * beside it.
 */
#ifndef WRITER_TEXT_H
#define WRITER_TEXT_H

#include <jansson.h>
#include <stdbool.h>

struct text_options {
	bool color;   /* the text is for a terminal that shows colours */
	bool verbose; /* also what was fine */
	bool expand;  /* names where there would be counts */
};

/**
 * writer_text - any answer as text
 * @answer: a document of answer/answer.h
 *
 * Returns the text, with a newline at its end; to be freed with g_free().
 */
char *writer_text(const json_t *answer, const struct text_options *options);

#endif
