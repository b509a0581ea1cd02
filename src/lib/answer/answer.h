/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer.h: what was found out, as the documents of schema/answers.schema.json.
 *
 * Every answer is a JSON object that begins with "format": "capbroker.NAME/1". Text for people is
 * made of these documents alone (writer-text.h), so that both always say the same.
 */
#ifndef ANSWER_ANSWER_H
#define ANSWER_ANSWER_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest/needs.h"
#include "judge/verdict.h"
#include "model/fleet.h"
#include "plan/baseline.h"
#include "plan/offering.h"
#include "plan/policy.h"
#include "plan/pools.h"

/* What answers are made from. */
struct answering {
	const struct judge *judge;
	const struct fleet *fleet;
	int64_t now;          /* seconds since the epoch: ages count to it */
	const char *data;     /* digest of the data files, for decisions */
	const char *cpu_map;  /* digest of the table of CPU models */
	const GPtrArray *overrides; /* struct override (override.h), or NULL: none */
	const char *policy;   /* digest of the site's policy, or NULL: the default */
	int64_t age_limit, age_grace; /* seconds: check warns of older profiles, then knows nothing of them; 0: none */
};

/* A guest and what is known of it. */
struct guest {
	char *name, *uuid;     /* uuid may be NULL */
	char *host;            /* where it was seen, or NULL */
	bool running;
	int64_t seen;          /* seconds since the epoch, 0 not known */
	struct needs *defined; /* the inactive definition; NULL where not known */
	struct needs *live;    /* the running guest's; NULL where not running */
	struct cpu_need *defined_cpu, *live_cpu; /* expanded by guest_expand() */
	bool saved;            /* powered off with its memory saved: it starts by its image */
	json_t *snapshots;     /* array of {"name", "machine", "memory"}, or NULL */
	bool borrowed;         /* the needs and CPUs are those of a twin, which must outlive it */
};

void guest_free(struct guest *guest);
typedef struct guest Guest;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_free)

/* Expands a guest's CPUs; call once all hosts are parsed in the judge's universe. */
void guest_expand(struct guest *guest, const struct judge *judge);

/* The definition that a question is asked of: the live one where there is one. */
const struct needs *guest_needs(const struct guest *guest);

/**
 * guest_judge - judge a guest on a profile: start by its inactive definition, migration by the
 * live one, where both are known
 * @source: profile of the host it runs on, or NULL
 *
 * Returns verdicts, to be freed by verdicts_free().
 */
struct verdicts *guest_judge(const struct judge *judge, const struct guest *guest,
			     const struct profile *source, const struct profile *target);

/* A new answer of a name: {"format": "capbroker.NAME/1"}. */
json_t *answer_new(const char *name);

/* Adds what no verdict of this program covers: storage, networks, capacity. */
void answer_not_judged(json_t *answer);

/**
 * answer_decision - adds "decision", by which the same inputs are known again
 * @parts: an array of char *, everything that the answer was made of, in a fixed order
 */
void answer_decision(json_t *answer, const struct answering *a, const GPtrArray *parts);

/* An array of strings made of const char * entries; of the names of struct host * entries. */
json_t *json_strings(const GPtrArray *strings);
json_t *json_hosts(const GPtrArray *hosts);

/* An object of a table char * → char *, by key; empty for NULL. */
json_t *json_pairs(GHashTable *table);

/* One host as all answers show it: the members of the answer "hosts". */
json_t *answer_host(const struct answering *a, const struct host *host);

/* "hosts": struct host * entries. */
json_t *answer_hosts(const struct answering *a, const GPtrArray *hosts);

/* "guests": struct guest * entries; itself a document that can be imported. */
json_t *answer_guests(const struct answering *a, const GPtrArray *guests);

/**
 * answer_show - what one host can promise a guest
 * @own: the host's own profile (host->profile may be a twin's)
 * @all: also every fact
 */
json_t *answer_show(const struct answering *a, const struct host *host, const struct profile *own,
		    bool all);

/**
 * answer_diff - what the differences between two hosts mean for guests
 */
json_t *answer_diff(const struct answering *a, const struct host *one, const struct host *other);

struct rule; /* judge/rulebook.h */

/* "explain": a check and its rules; a rule; a capability of the dictionary (@fleet may be NULL). */
json_t *answer_explain_check(const struct check_info *check, const struct rulebook *rules);
json_t *answer_explain_rule(const struct rule *rule);
json_t *answer_explain_capability(const struct fleet *fleet, const struct tables *tables, int cap);

/**
 * answer_explain_candidates - names that hold what was asked for, when nothing has that name
 *
 * Returns an array of at most @most char *.
 */
GPtrArray *answer_explain_candidates(const char *part, const struct rulebook *rules, guint most);

/* What a rule means, one sentence. */
const char *rule_meaning(enum cap_rule rule);

/**
 * answer_baseline - what hosts have in common
 * @hosts: struct host *: all that were asked for
 * @groups: what baseline_groups() made of them
 */
json_t *answer_baseline(const struct answering *a, const GPtrArray *hosts,
			const GPtrArray *groups);

/* A baseline's CPU, as that answer has it. */
json_t *answer_cpu(const struct baseline *baseline);

/* What plans are made with. */
struct planning {
	struct offering_options offering; /* pins: those of the command line */
	const struct policy *policy;      /* its floors are pins of their groups; or NULL */
	guint share;                      /* of the hosts, in millionths; 0: all */
};

/**
 * answer_cover - leave out hosts for what the others have in common
 * @groups: what baseline_groups() made of all hosts
 * @notes: set to an array: for each group of the result "coverage" and "floors" (objects)
 * @blocked: set where something pinned, or a floor, can't be had: then nothing is left out
 *
 * Returns the groups of those that are kept, an array of struct baseline.
 */
GPtrArray *answer_cover(const struct answering *a, const GPtrArray *groups, const struct planning *planning,
			json_t **notes, bool *blocked);

/**
 * answer_tradeoff - from all hosts to the newest: who is left out at each step, and for what
 * @guests: struct guest *: counted on the hosts left out
 */
json_t *answer_tradeoff(const struct answering *a, const GPtrArray *hosts, const GPtrArray *groups,
			const GPtrArray *guests, const struct planning *planning);

/* The step plot of an answer "tradeoff" as SVG; free with g_free(). */
char *writer_svg_tradeoff(const json_t *answer);

/* "pools": migration domains; @options->max must be at least the number of groups. */
json_t *answer_pools(const struct answering *a, const GPtrArray *hosts, const GPtrArray *groups,
		     const struct planning *planning, const struct pools_options *options);

/**
 * answer_policy - what a policy says
 * @policy: NULL: there is none
 * @shipped: the rows of weights.tsv
 */
json_t *answer_policy(const char *path, const struct policy *policy, const struct table *shipped);

/**
 * answer_check - may a guest start, or migrate, there
 * @question: ASK_START or ASK_MIGRATE
 * @from: the host it runs on or comes from, or NULL
 * @targets: struct host *
 */
json_t *answer_check(const struct answering *a, const struct guest *guest, enum question question,
		     const struct host *from, const GPtrArray *targets);

/**
 * answer_hotplug - may a device be plugged into a running guest
 * @plugged: the guest's needs with the device, by needs_plug()
 * @from: the host it runs on
 *
 * The same document as answer_check()'s, with one verdict, whose findings are those that the device
 * brings.
 */
json_t *answer_hotplug(const struct answering *a, const struct guest *guest, const struct needs *plugged,
		       const struct host *from);

/* What a site's limit makes of the age of what is known of a host; V_OK where it has none. */
enum verdict answer_age(const struct answering *a, const struct host *host);

/* What `check` exits with: 0 where any target is ok or warn, else 3 (unknown), else 1. */
int answer_check_status(const json_t *answer);

/**
 * answer_matrix - guests by equal needs × hosts by class
 * @guests: struct guest *
 */
json_t *answer_matrix(const struct answering *a, const GPtrArray *guests);

/**
 * answer_drain - can a host be emptied
 * @guests: struct guest *: all of the fleet's
 * @targets: struct host *: where its guests may go; it itself doesn't count
 * @changes: struct host_change * (upgrade.h): what was assumed; empty for nothing
 *
 * Its "verdict" is that of the guest that is worst off.
 */
json_t *answer_drain(const struct answering *a, const struct host *host, const GPtrArray *guests,
		     const GPtrArray *targets, const GPtrArray *changes);

/**
 * answer_stranded - which guests can go nowhere, or to few hosts, by what keeps them
 * @few: up to so many hosts are few
 *
 * Running guests are asked about for a migration to another host, others for a start on any. Its
 * "verdict" is block where a guest can go nowhere, unknown where none is known to.
 */
json_t *answer_stranded(const struct answering *a, const GPtrArray *guests, const GPtrArray *changes,
			unsigned int few);

/**
 * answer_drift - what has changed on hosts, what it means, and whom it hurts or helps
 * @changes: struct host_change * (upgrade.h), from @since to now
 *
 * Its "verdict" is block where guests have nowhere to go that had, unknown where that isn't known, warn
 * where guests are hurt otherwise.
 */
json_t *answer_drift(const struct answering *a, const GPtrArray *guests, const GPtrArray *changes,
		     int64_t since);

/* What answers with a "verdict" of their own exit with: 1 block, 3 unknown, else 0. */
int answer_verdict_status(const json_t *answer);

/**
 * answer_report - how often what was predicted of moves came true
 * @records: an array of recorded decisions (schema: "record"), newest first; taken over
 * @overrides: those there are (schema: "override_entry"); taken over
 * @since: seconds since the epoch: nothing before it is in @records
 */
json_t *answer_report(json_t *records, json_t *overrides, int64_t since, int64_t now);

/**
 * answer_error - an error as a document
 * @code: a word for programs ("usage", "store-locked", …)
 * @message: "WHERE: WHAT (what to do)", as it is written on stderr
 */
json_t *answer_error(const char *code, const char *message);

#endif
