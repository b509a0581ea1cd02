/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * level.h: levels: what new guests get on some hosts, under a name that never changes its meaning
 * (prod-2026.1), and when the next one is due.
 *
 * A level is a document, `capbroker.level/1` (schema/answers.schema.json, "level"): for each
 * architecture and vendor a group with the machine type, the CPU and the virtual IOMMU that guests
 * get, and who limits it. Nothing here changes one: a step makes the next.
 *
 * Theory of operation: hosts take the guests of a level, or they don't, or that isn't known; a step
 * follows from that and from what those that do have beyond it. A raise needs every host to be known
 * to take the level's guests, and everything that is gained to be known of all of them; it takes
 * nothing away that the level has. So whoever runs with the old level goes on as before, and whoever
 * starts with the new one can be moved to every host of it.
 */
#ifndef PLAN_LEVEL_H
#define PLAN_LEVEL_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/tables.h"
#include "plan/baseline.h"
#include "plan/weights.h"

#define LEVEL_FORMAT "capbroker.level/1"
#define LEVEL_SERIES_MAX 48u

/* Letters, digits, '_' and '-', beginning with a letter, at most LEVEL_SERIES_MAX. */
bool level_series_valid(const char *series);

/**
 * level_name_split - the parts of "prod-2026.1"
 * @series: set to a new string; may be NULL
 *
 * Returns false where it is no level's name; nothing is set then.
 */
bool level_name_split(const char *name, char **series, guint *year, guint *number);
char *level_name(const char *series, guint year, guint number);

/* --- dates: "2026-12-24", which sort as text ----------------------------------------------------- */

bool level_date_valid(const char *date);
char *level_date(int64_t seconds); /* the day in UTC */
char *level_date_later(const char *date, guint months);

/**
 * level_retire_by - the last day before a machine type is taken away, or NULL where nobody says
 * @deprecated: set to the month or day it is deprecated, or to NULL
 */
char *level_retire_by(const struct tables *tables, const char *machine, const char **deprecated);

/* --- what a level promises --------------------------------------------------------------------- */

/**
 * level_group_xml - a guest of a group, as a domain definition
 * @viommu: with the group's virtual IOMMU, where it has one
 *
 * It says all that its guest sees, so moves are judged by it too: libvirt's own text of a running
 * guest would say more of its CPU than anybody can foretell.
 */
char *level_group_xml(const json_t *group, bool viommu);

/**
 * level_viommu - the virtual IOMMU that guests of all of a group's hosts can have
 * @machine: the machine type they get, or NULL
 *
 * "stage" says what becomes of assigned devices behind it: shadow where every host is known to
 * translate, emulated where one is known not to, else unknown; "could": exact where every host could
 * walk the guest's own tables, which costs it all moves. Returns a new object, or null where guests of
 * that kind have none.
 */
json_t *level_viommu(const struct baseline *group, const char *machine);

/* Does a host have what the devices behind a group's virtual IOMMU need: 1, 0, or -1 not known? */
int level_viommu_fits(const json_t *group, const struct profile *profile);

/* What atoms are weighed with. */
struct level_weights {
	const struct weights *site, *shipped; /* @site may be NULL */
	const json_t *forbidden;              /* atoms and ids that count nothing, or NULL */
};

/**
 * level_gained - what one group promises that another doesn't
 * @group, @beyond: groups of levels (or made for one); exchange them for what is lost
 * @worth: set to the sum of what it is worth
 *
 * Features; the machine type where it is a later one, the CPU generation (POWER) and the width of
 * the virtual IOMMU where they are larger; a virtual IOMMU that the other hasn't. Returns an array of {"capability", "worth", "security"?},
 * the dearest first, those worth nothing too.
 */
json_t *level_gained(const json_t *group, const json_t *beyond, const struct level_weights *weights,
		     uint64_t *worth);

/* An atom as in that array; @id: its capability. */
json_t *level_atom(const char *id, const char *atom, guint worth);

/* The security classes that entries of such an array name, each once, sorted; a new array. */
json_t *level_security(const json_t *atoms);

/* Does the one machine type come later than the other (of one family), or go before other families'? */
bool level_machine_later(const char *machine, const char *other);

/* --- what is due -------------------------------------------------------------------------------- */

/* A group and its hosts today. Weights are what a coverage counts by: 1 a host, or a label's. */
struct level_today {
	guint holds, below, unknown;   /* hosts that take its guests, that don't, of whom it isn't known */
	uint64_t weight_holds, weight_unknown;
	uint64_t need;                 /* the least weight that must take its guests */
	uint64_t gained;               /* worth of what those that hold have in common beyond it */
	bool loses;                    /* they would lose something by a step */
	bool stuck;                    /* guests of the next level couldn't move between all of them */
};

enum level_step {
	LEVEL_STAYS,
	LEVEL_RAISE, /* there is more to promise */
	LEVEL_SINK,  /* too few hosts take its guests */
	LEVEL_HELD,  /* there is more, but something stands against it, or isn't known */
	LEVEL_EMPTY, /* no host is left */
	LEVEL_STEPS
};
enum level_step level_step(const struct level_today *today);
const char *level_step_name(enum level_step step);

/* A level's age. */
struct level_age {
	bool newest;           /* of those of its series that aren't retired */
	guint guests;          /* assigned to it, or running with it */
	const char *review_by, *retire_by; /* dates, or NULL */
	const char *today;
};

enum level_due {
	LEVEL_NOT_DUE,
	LEVEL_REVIEW, /* look whether it is still right */
	LEVEL_RETIRE, /* nobody needs it any more */
	LEVEL_OVERDUE /* it should be gone, and guests hold it back */
};
enum level_due level_due(const struct level_age *age);

#endif
