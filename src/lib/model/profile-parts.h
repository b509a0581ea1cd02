/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* profile-parts.h: what profile.c and units.c share in reading a document; for nobody else. */
#ifndef MODEL_PROFILE_PARTS_H
#define MODEL_PROFILE_PARTS_H

#include "model/profile.h"

/* Sets @error to one line, "PLACE: WHAT"; returns false. */
bool profile_fail(GError **error, const char *place, const char *what);

/* A member that must be a string where it is there at all; *@out is NULL where it isn't. */
bool profile_get_string(const json_t *object, const char *key, const char *place, const char **out,
		    GError **error);

/**
 * profile_read_fact - a fact of its object
 * @inherited: the scope of facts that name none; NULL: each must name one
 * @fact: filled; its strings are the object's
 */
bool profile_read_fact(const json_t *json, const struct scope *inherited, const char *place,
		       struct fact *fact, GError **error);

/* A known value is of the type that the dictionary says. */
bool profile_check_value(const struct fact *fact, const char *place, GError **error);

/* Puts a fact among those of the host as a whole. */
void profile_add_fact(struct profile *profile, const struct fact *fact);

/* Reads "iommus" and "devices", derives what follows, and what the host as a whole has of it. */
bool profile_parse_units(struct profile *profile, GError **error);

#endif
