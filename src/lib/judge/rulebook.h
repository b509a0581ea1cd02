/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rulebook.h: what libvirt's and QEMU's versions refuse or drop in a definition, as data.
 *
 * A rule is a row of schema/data/definition-rules-*.tsv. Its columns:
 *
 *	rule     its name, unique
 *	check    the named check whose finding it makes
 *	by       who does so: libvirt (hosts driven by it; bears on start and migration), or qemu
 *	verdict  block, warn or unknown
 *	effect   fails-safely, hazard, trapped or security-loss
 *	on       start, migrate or both
 *	since    the first version that does so: "-" as far back as is known; "11.3.0"; "9.0.0<11.3.0"
 *	         not yet in 9.0.0 and seen in 11.3.0, not known between
 *	until    the last version that does so: "-" still; "9.0.0"; "9.0.0<11.3.0" still in 9.0.0, gone
 *	         in 11.3.0
 *	guest    XPath, true where the rule concerns a guest; asked of the definition (definition.h)
 *	         with the variables $machine, $family, $accel, $arch, $libvirt and $qemu
 *	host     "-", or terms that must all hold on the target (rule-host.c lists them); {XPATH} in
 *	         one is told relative to each place that guest finds
 *	text     what is wrong, one line; {XPATH} is told relative to the place that was found
 *	fix      what to do, or "-"
 *	source   where that is known from
 */
#ifndef JUDGE_RULEBOOK_H
#define JUDGE_RULEBOOK_H

#include <glib.h>
#include <stdbool.h>

#include "guest/xml-query.h"
#include "judge/verdict.h"
#include "model/tables.h"

/* An end of the versions in which something holds. */
struct version_edge {
	char *out; /* the nearest version looked at where it doesn't; NULL: none, or known exactly */
	char *in;  /* the first (or last) version in which it does; NULL: no such end */
};

struct rule {
	const char *name, *check, *text, *fix, *source; /* fix may be NULL */
	bool by_qemu;
	enum verdict verdict;
	enum effect effect;
	unsigned int on; /* ON_START, ON_MIGRATE */
	const char *since_text, *until_text, *guest_text, *host_text; /* as written */
	struct version_edge since, until;
	struct xml_query *guest;
	char **host; /* terms, NULL-terminated */
	bool asks_machine; /* the expression names $machine or $family */
	bool asks_place;   /* a host term depends on the place that was found */
	char *first; /* the element below <domain> that it can't be true without, or NULL */
};

struct rulebook;

/**
 * rulebook_new - read tables of rules
 * @tables: kept, not copied: they must outlive the rulebook
 *
 * Returns the rules, or NULL with the rule and what is wrong with it in @error.
 */
struct rulebook *rulebook_new(struct table *const *tables, size_t n, GError **error);
void rulebook_free(struct rulebook *book);
typedef struct rulebook Rulebook;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rulebook, rulebook_free)

guint rulebook_size(const struct rulebook *book);
const struct rule *rulebook_at(const struct rulebook *book, guint i);

/* The rule of a name, or NULL. */
const struct rule *rulebook_find(const struct rulebook *book, const char *name);

/* 1, 0 or -1: does the rule hold for a version of who it is by? @version may be NULL. */
int rule_holds_in(const struct rule *rule, const char *version);

#endif
