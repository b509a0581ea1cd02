/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * verdict.h: may this guest start there, may it migrate there, and what decided.
 */
#ifndef JUDGE_VERDICT_H
#define JUDGE_VERDICT_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "guest/needs.h"
#include "judge/cpu-need.h"
#include "model/cpu-model.h"
#include "model/fleet.h"
#include "model/tables.h"

/* In the order of badness. */
enum verdict { V_OK, V_WARN, V_UNKNOWN, V_BLOCK, VERDICTS };

enum effect {
	EFFECT_FAILS_SAFELY, /* nothing starts, the guest lives on at its source */
	EFFECT_HAZARD,       /* silent: it runs and is wrong */
	EFFECT_TRAPPED,      /* it gets there and can't come back */
	EFFECT_SECURITY_LOSS,
	EFFECTS
};

enum question { ASK_START, ASK_MIGRATE, ASK_HOTPLUG, QUESTIONS };

/* What a finding bears on. */
enum {
	ON_START = 1 << 0,   /* management's start: libvirt and QEMU together */
	ON_MIGRATE = 1 << 1,
	ON_QEMU = 1 << 2,    /* QEMU itself would refuse its command line */
	ON_DMA = 1 << 3,     /* what the guest's assigned devices do may go wrong while it runs */
	ON_HOTPLUG = 1 << 4, /* a device that is plugged in: hotplug.h sets it */
	ON_BOTH = ON_START | ON_MIGRATE,
	ON_ALL = ON_BOTH | ON_QEMU | ON_DMA,
};

struct finding {
	const char *check;   /* the named check that fired */
	enum verdict verdict;
	bool by_policy;      /* the verdict is a site's; this was found: */
	enum verdict found;
	enum effect effect;
	unsigned int on;
	const char *capability; /* id the finding is about, or NULL */
	json_t *need, *have; /* arrays of {"id", "value"} */
	char *where;         /* XPath in the definition, or NULL */
	char *origin;        /* where the host's fact came from, or NULL */
	char *text;          /* one line */
	char *fix;           /* what to do, or NULL where nothing is known to help */
};

enum check_state { CHECK_UNCHECKED, CHECK_PREREQ, CHECK_PASSED, CHECK_FAILED };

struct verdicts {
	enum verdict start, migrate, qemu_starts, dma_works;
	enum verdict hotplug; /* V_OK but by judge_hotplug() */
	const char *viommu;  /* none, emulated, exact, shadow, refuse, unknown */
	GPtrArray *findings; /* struct finding, worst first */
	enum check_state *states; /* check_count of them */
	bool cpu_judged;
	enum cpu_relation relation;
	GPtrArray *missing, *extra; /* const char *: libvirt's names, sorted */
	char *reason;        /* of the relation, or NULL */
	const char *view;    /* whose view of the target the CPU was judged by, or NULL */
};

struct verdict_policy; /* verdict-policy.h */
struct rulebook; /* rulebook.h */
struct grammar;	 /* grammar.h */

/* What all judgements of one run share. */
struct judge {
	struct universe *universe;
	const struct cpu_models *models;
	const struct tables *tables;
	const struct rulebook *rules; /* NULL: definitions aren't held against rules */
	const struct grammar *grammar; /* NULL: what libvirt's versions know of XML isn't asked */
	const struct verdict_policy *policy; /* NULL: verdicts as they are found */
	bool brief; /* verdicts alone: no texts, fixes, relation and lists of features */
	unsigned int until; /* ON_*, 0: all: once one of these is blocked no more is asked, and no other
			     * verdict is to be looked at */
};

/**
 * judge_guest - judge one guest on one class of hosts
 * @judge: universe, models and tables
 * @needs: what the guest asks for
 * @cpu: @needs->cpu expanded in the judge's universe, or NULL where the guest defines none
 * @source: the profile of the host it runs on (migration), or NULL where not known
 * @target: the profile judged
 *
 * Never fails: what can't be judged is unknown, with a finding that says why.
 *
 * Returns the verdicts, to be freed by verdicts_free().
 */
struct verdicts *judge_guest(const struct judge *judge, const struct needs *needs,
			     const struct cpu_need *cpu, const struct profile *source,
			     const struct profile *target);
void verdicts_free(struct verdicts *verdicts);
void finding_free(struct finding *finding);

/* Puts the worst findings first, those of a verdict by their checks. */
void verdicts_sort(struct verdicts *verdicts);

/* The verdict that answers a question. */
enum verdict verdicts_answer(const struct verdicts *verdicts, enum question question);

const char *verdict_name(enum verdict verdict);
const char *effect_name(enum effect effect);
const char *question_name(enum question question);

/* One named check, for `explain` and for listing. */
struct check_info {
	const char *name;
	const char *title;    /* what should hold, one line */
	const char *text;     /* a paragraph: when it fires, why, what helps */
	const char *const *prerequisites; /* names, NULL-terminated */
};
extern const size_t check_count;
const struct check_info *check_at(size_t i);

/* How a check went, by its name; CHECK_UNCHECKED where states weren't kept. */
enum check_state verdicts_state(const struct verdicts *verdicts, const char *check);
void verdicts_set_state(struct verdicts *verdicts, const char *check, enum check_state state);
const struct check_info *check_find(const char *name);

#endif
