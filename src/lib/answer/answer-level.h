/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-level.h: levels as they stand today, and the answers about them: "level-show", "levels",
 * "level-propose", "level-join", "level-change".
 */
#ifndef ANSWER_ANSWER_LEVEL_H
#define ANSWER_ANSWER_LEVEL_H

#include "answer/answer.h"
#include "answer/routes.h"
#include "plan/level.h"

/* Who did something, when and why; borrowed. */
struct level_act {
	const char *by;
	int64_t uid, time;
	const char *reason;
};

/* A guest that is assigned to a level. */
struct level_assigned {
	char *guest;           /* its UUID, or its name where it has none */
	char *name;
	struct level_act act;  /* borrowed from whoever made this */
};

/* A level with what goes with it. */
struct level {
	const char *name, *series; /* borrowed */
	guint year, number;
	json_t *document;          /* owned */
	struct level_act created;
	bool is_retired;
	struct level_act retired;
	GPtrArray *guests;         /* struct level_assigned *, by name */
};
struct level *level_new(const char *name, json_t *document);
void level_free(struct level *level);
void level_assign(struct level *level, const char *guest, const char *name, struct level_act act);

/**
 * level_document - read a level's document
 *
 * Refuses (NULL with @error) what isn't one: of another format, or without what this version needs.
 */
json_t *level_document(const char *text, const char *where, GError **error);

/* What levels are made and looked at with. */
struct level_site {
	const struct weights *shipped;
	const struct policy *policy; /* or NULL */
	const GPtrArray *guests;     /* struct guest *: all of the fleet's */
};

/**
 * level_head - how a level is asked for: all of its document but what follows from hosts
 * @selectors: NULL-terminated, or NULL: all hosts
 * @planning: its share, weights' label, pins and forbidden atoms are kept
 * @since, @review_by, @retire_by: dates; the last two may be NULL: as the machine types say
 * @replaces: the level before it, or NULL
 */
json_t *level_head(const char *series, guint year, guint number, char *const *selectors,
		   const struct planning *planning, const char *accel, const char *since, const char *review_by,
		   const char *retire_by, const char *replaces);

/* The same for what comes after a level: asked for alike, with dates of its own. */
json_t *level_head_after(const json_t *document, guint year, guint number, const char *since);

/* The number that the next level of a series gets in a year. */
guint level_next_number(const GPtrArray *levels, const char *series, guint year);

/* The hosts that a level is for, as its selectors name them today: struct host *, by name. */
GPtrArray *level_hosts(const struct fleet *fleet, const json_t *document);

/**
 * level_make - a level's document
 * @head: by level_head(); taken over
 * @hosts: struct host *: those of its selectors
 *
 * Returns the document, or NULL with @error where no group of hosts has a CPU in common that guests
 * can be given, or where something pinned can't be had.
 */
json_t *level_make(const struct answering *a, const struct level_site *site, json_t *head,
		   const GPtrArray *hosts, GError **error);

/* One group of a level, and its hosts today. */
struct level_group_look {
	const json_t *group;  /* of the document */
	struct guest *guest;  /* a guest of it */
	GPtrArray *holds, *below, *unknown; /* struct host *, by name */
	json_t *next;         /* the group that the next level would have; NULL: it stays */
	json_t *gained, *lost; /* atoms */
	uint64_t gained_worth, lost_worth;
	json_t *stuck;        /* pairs of hosts that its guests couldn't move between; or NULL */
	enum level_step step;
};

/* A level as it stands today. */
struct level_look {
	const struct level *level;
	GPtrArray *hosts;     /* struct host *: those of its selectors today */
	GPtrArray *groups;    /* struct level_group_look * */
	GPtrArray *outside;   /* struct host *: of no group of it */
	enum level_step step; /* the gravest: sink, then raise, held, stays; empty where all groups are */
};

/**
 * level_look - how a level stands
 * @steps: also work out what the next one would be
 */
struct level_look *level_look(const struct answering *a, const struct level_site *site,
			      const struct level *level, bool steps);
void level_look_free(struct level_look *look);

/* What a host that doesn't take a guest of a group lacks: {"checks": […], "missing": [atoms]}. */
json_t *level_lacks(const struct answering *a, const struct level_site *site, const json_t *group,
		    const struct guest *guest, const struct host *host);

/* The same of all hosts that don't, an entry for each class, with "hosts" and "hosts_n". */
json_t *level_below(const struct answering *a, const struct level_site *site,
		    const struct level_group_look *group, const GPtrArray *hosts);

/* A guest of a group, by its definition; free with guest_free(). */
struct guest *level_guest_of(const struct answering *a, const json_t *group);

/**
 * answer_baseline_checks - say in an answer "baseline" how libvirt is to check each group's CPU
 * @groups: what the answer was made of
 *
 * Sets "check": "full", or "partial" where some host's QEMU shows a guest more than the setting names, which
 * a full check refuses; null where there is nothing to be said.
 */
void answer_baseline_checks(const struct answering *a, const GPtrArray *groups, json_t *answer);

/* Does a running guest that nobody assigned run with what a level's group gives? */
bool level_runs(const struct answering *a, const struct guest *guest, const json_t *group);

/* The guests that a level has: {"assigned", "running", "guests_n"}; names. */
json_t *level_guests_json(const struct answering *a, const struct level_site *site, const struct level *level);

/*
 * What all steps have in common: {"gained", "lost", "security": {…}, "costs": a price (plan/price.h),
 * "hosts_lost", …, "guests", …}. @gained, @lost: the references are taken over.
 */
json_t *level_price(const struct answering *a, json_t *gained, json_t *lost, const json_t *hosts, const json_t *guests);

/* Names of the guests on some hosts (struct host *). */
json_t *level_guests_on(const struct answering *a, const struct level_site *site, const GPtrArray *hosts);

/**
 * level_take_in - what a group would lose by having one host more
 * @group: of a look at the level
 *
 * Returns a price, or null where guests could then be given no CPU at all.
 */
json_t *level_take_in(const struct answering *a, const struct level_site *site, const struct level *level,
		      const struct level_group_look *group, const struct host *host);

/* The document that a step of a level makes; @head: of the next one, taken over. */
json_t *level_next(const struct answering *a, const struct level_look *look, json_t *head);

/**
 * answer_level_propose - what is due for some series
 * @levels: struct level *: all of them, by series, year and number
 * @series: only these, NULL-terminated; NULL: all
 *
 * Each entry of "proposals" has a "kind": raise, sink, retire, review, overdue, held, empty.
 */
json_t *answer_level_propose(const struct answering *a, const struct level_site *site,
			     const GPtrArray *levels, char *const *series);

/**
 * answer_level_show - a level, how it stands, who has it, and what was done with it
 * @log: entries as the answer has them; taken over
 */
json_t *answer_level_show(const struct answering *a, const struct level_site *site,
			  const GPtrArray *levels, const struct level *level, json_t *log);

/* All levels in short; @all: retired ones too. */
json_t *answer_levels(const struct answering *a, const GPtrArray *levels, bool all);

/* What it would cost a level to take a host in. */
json_t *answer_level_join(const struct answering *a, const struct level_site *site,
			  const struct level *level, const struct host *host);

/* For the answer "hosts": of each host, the newest level of each series and whether it takes its guests. */
void answer_hosts_levels(json_t *answer, const struct answering *a, const struct level_site *site,
			 const GPtrArray *levels);

/* The newest level of a series that isn't retired, or NULL. */
const struct level *level_newest(const GPtrArray *levels, const char *series);

#endif
