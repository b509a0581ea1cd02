/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-fixture.h: recorded files for the tests of readers, beside the source tree and not part of
 * it (../shared/data), and what several of those tests do with them.
 */
#ifndef TESTS_READ_FIXTURE_H
#define TESTS_READ_FIXTURE_H

#include <glib.h>
#include <stdbool.h>

#include "guest/xml.h"
#include "model/cpu-model.h"
#include "model/profile.h"

/* The path of recorded data, or NULL where it isn't there: the test is then skipped, saying so. */
char *fixture_data(const char *name);

/* A file's bytes; ends the test where it can't be read. */
char *fixture_bytes(const char *path, size_t *length);

/* The files of a folder that end in @suffix, sorted by name: their paths. */
GPtrArray *fixture_files(const char *folder, const char *suffix);

/* The table of CPU models in the source tree. */
struct cpu_models *fixture_models(void);

/* Parses XML that must be good. */
struct xml_document *fixture_xml(const char *text);

/* That there is an error of one line, not empty, which holds @words (or NULL); clears it. */
void fixture_one_line(GError **error, const char *words);

/* That a document passes the profile parser. */
void fixture_check_profile(json_t *doc);

/* The fact of an id in an array of facts, or NULL; with a view only one of that scope. */
const json_t *fixture_fact(const json_t *facts, const char *id, const char *view);

/* The members of a JSON Lines file, in order; a new array. */
json_t *fixture_json_lines(const char *path);

#endif
