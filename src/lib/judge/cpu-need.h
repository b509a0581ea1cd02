/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu-need.h: a <cpu> definition as bit sets, and its relation to what a host gives.
 *
 * The arithmetic is libvirt's (virCPUCompare for x86): a model stands for its expanded set of
 * features; required = model + require - force - disable - optional - forbid. IBM Z is compared so
 * too (libvirt leaves it to QEMU); POWER by generation and mode (cpu-power.c).
 */
#ifndef JUDGE_CPU_NEED_H
#define JUDGE_CPU_NEED_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest/cpu-def.h"
#include "model/arch.h"
#include "model/cpu-model.h"
#include "model/offer.h"
#include "model/universe.h"

struct cpu_need {
	const struct cpu_def *def;
	enum arch_family family;         /* whose names the features are */
	bool family_known;               /* said by an architecture, or by the model's name */
	const struct named_model *model; /* NULL: none asked for, or not in the table */
	bool model_unknown;              /* a model was named that the table doesn't have */
	GPtrArray *unknown_names;        /* const char *: features neither dictionary nor hosts know */
	size_t words;
	uint64_t *require;  /* model's and required features, less what the definition takes away */
	uint64_t *explicit_require; /* those that the definition names itself */
	uint64_t *force, *optional, *disable, *forbid;
	uint64_t *model_set; /* the model's own features */
};

enum cpu_relation { CPU_IDENTICAL, CPU_SUPERSET, CPU_INCOMPATIBLE, CPU_RELATION_UNKNOWN };

/**
 * cpu_need_new - expand a definition
 * @def: kept by reference, must outlive the need
 * @arch: the architecture of the guest it is of, or NULL: as the definition or its model says,
 *	else x86's
 * @universe: names neither it nor the dictionary knows get no place: they are listed
 *
 * Returns the need, to be freed by cpu_need_free().
 */
struct cpu_need *cpu_need_new(const struct cpu_def *def, const char *arch,
			      const struct cpu_models *models, const struct universe *universe);
void cpu_need_free(struct cpu_need *need);

struct cpu_comparison {
	enum cpu_relation relation;
	GArray *missing;    /* int places: needed, known not to be there */
	GArray *unknown;    /* int places: needed, not known */
	GArray *forbidden;  /* int places: there, though forbidden */
	GArray *extra;      /* int places: there, not mentioned by the definition */
	const char *reason; /* why incompatible or unknown where no feature says it, or NULL */
};

/**
 * cpu_compare - how what an offer gives relates to a need
 * @out: filled; to be cleared by cpu_comparison_clear()
 *
 * Identical, superset or incompatible as libvirt says it; unknown where the answer hangs on a
 * fact that is not known, a model that the table doesn't have, or a name that nobody knows.
 */
void cpu_compare(const struct cpu_need *need, const struct offer *offer,
		 const struct universe *universe, struct cpu_comparison *out);
void cpu_comparison_clear(struct cpu_comparison *comparison);

/* The same for POWER, where the model of the host and the mode of the guest say it all. */
void cpu_compare_power(const struct cpu_need *need, const struct offer *offer,
		       struct cpu_comparison *out);

const char *cpu_relation_name(enum cpu_relation relation);

#endif
