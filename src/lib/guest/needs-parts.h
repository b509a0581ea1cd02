/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * needs-parts.h: what the files that make up needs.h share; for nobody else.
 */
#ifndef GUEST_NEEDS_PARTS_H
#define GUEST_NEEDS_PARTS_H

#include "guest/needs.h"

#define NEEDS_MAX_UNJUDGED 1000u
#define NEEDS_MAX_HYPERV 100u
#define NEEDS_MAX_NAME 1024u /* names, paths, types: longer ones are no guest's */

/* An empty entry with its arrays. */
struct needs *needs_new(void);

/* Adds to the list of what isn't judged; @path is stolen. */
void needs_add_unjudged(struct needs *needs, char *path, const char *what, bool decides);

/* Takes the whitelisted copy of a definition; @text is stolen. */
bool needs_set_definition(struct needs *needs, char *text, GError **error);

/* What QEMU calls a domain type: "kvm", "tcg"; NULL where it is neither. */
const char *needs_accel(const char *domain_type);

/* Every part of a <domain> that could matter and isn't judged. */
void needs_list_unjudged(struct needs *needs, const struct xml_node *domain);

#endif
