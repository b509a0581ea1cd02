/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * judgement.h: what the checks of one (guest, host) share; internal to judge/.
 *
 * Theory of operation: judge_guest() resolves the target once (target.c: which emulator, machine
 * type and offers the guest would get there), then runs every check of the table (checks.c) whose
 * prerequisites passed. A check adds findings; it passed when it added none of its own that is
 * unknown or worse. One cause makes one finding: after a check failed, those that build on it
 * say nothing, but for what QEMU itself would do where only libvirt refuses.
 */
#ifndef JUDGE_JUDGEMENT_H
#define JUDGE_JUDGEMENT_H

#include "judge/verdict.h"
#include "model/value.h"

/* What the guest would meet on a host. */
struct target {
	const struct profile *profile;
	const char *path;          /* emulator's path there, or NULL */
	bool path_listed;          /* the path asked for (or a default) is among the host's */
	bool emulators_known;      /* the host's emulators were looked for */
	const char *machine;       /* machine type with aliases resolved, or NULL */
	const struct machine *info; /* its entry in the host's list, or NULL */
	bool machines_known;       /* that emulator's list is there */
	const struct emulator *qemu;    /* QEMU's entry of exactly this scope, or NULL */
	const struct emulator *qemu_models; /* an entry that lists that QEMU's CPU models, or NULL */
	const struct emulator *libvirt; /* libvirt's, from domain capabilities, or NULL */
	const struct offer *qemu_offer; /* what that QEMU gives, unmigratable features too */
	const struct offer *libvirt_offer; /* what libvirt says the hypervisor gives */
	const struct offer *host_offer; /* libvirt's view of the host CPU, or a bare <cpu> */
	const struct offer *judged;     /* the one a CPU's relation is told by, or NULL */
	GPtrArray *owned;          /* struct offer *: made here because several entries agreed */
	const char *libvirt_version; /* or NULL */
};

struct judgement {
	const struct judge *judge;
	const struct needs *needs;
	const struct cpu_need *cpu; /* as defined, or resolved at the source; NULL: none */
	bool cpu_resolved_at_source;
	const struct profile *source;
	struct target target;
	struct verdicts *out;
	size_t current;            /* the check that runs */
	unsigned int *left;        /* by check: ON_* that checks after it may still speak of */
	struct cpu_comparison comparison;
	bool compared;
};

/* Fills j->target; target_clear() undoes it. */
void target_resolve(const struct needs *needs, const struct profile *profile,
		    const struct universe *universe, struct target *target);
void target_clear(struct target *target);

/* Were two facts told in the same view, so that they may be compared? */
bool scope_comparable(const struct scope *a, const struct scope *b);

/* The profile's string fact of an id in any scope, or NULL. */
const char *profile_string(const struct profile *profile, const char *id);

/*
 * 1, 0 or -1: does the host's libvirt know a name (@kind "model" or "feature")? Its own cpu_map
 * decides where it was read, else the table by its version; -1 where neither can tell.
 */
int profile_libvirt_knows(const struct profile *profile, const struct tables *tables,
			  const char *kind, const char *name);

/* The emulator entry's CPU model of a name, or NULL. */
const struct cpu_model *emulator_model(const struct emulator *emulator, const char *name);

/**
 * finding_add - record what a check found
 * @where, @text, @fix: stolen; where and fix may be NULL
 *
 * Returns the finding, whose need, have, capability and origin the check may fill in.
 */
struct finding *finding_add(struct judgement *j, enum verdict verdict, enum effect effect,
			    unsigned int on, char *where, char *text, char *fix);

/* Adds {"id", "value"} to a finding's need or have; @value is stolen. */
void finding_item(json_t *items, const char *id, json_t *value);

/* The checks, one file a subject. */
void check_arch(struct judgement *j);
void check_accel(struct judgement *j);
void check_emulator(struct judgement *j);
void check_machine(struct judgement *j);
void check_machine_age(struct judgement *j);
void check_vcpus(struct judgement *j);
void check_unjudged(struct judgement *j);
void check_cpu_facts(struct judgement *j);
void check_cpu_mode(struct judgement *j);
void check_cpu_model(struct judgement *j);
void check_cpu_names(struct judgement *j);
void check_cpu_vendor(struct judgement *j);
void check_cpu_missing(struct judgement *j);
void check_cpu_forbidden(struct judgement *j);
void check_cpu_extra(struct judgement *j);
void check_cpu_contract(struct judgement *j);
void check_cpu_obligation(struct judgement *j);
void check_cpu_unmigratable(struct judgement *j);
void check_cpu_host_bound(struct judgement *j);
void check_phys_bits(struct judgement *j);
void check_tsc(struct judgement *j);

#endif
