/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu-model.h: our own tables of named CPU models, from schema/data/cpu-models.tsv (x86) and
 * other-cpu-models.tsv (other architectures).
 */
#ifndef MODEL_CPU_MODEL_H
#define MODEL_CPU_MODEL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/arch.h"

struct named_model {
	const char *name;     /* "Skylake-Server-IBRS" */
	const char *vendor;   /* libvirt's name ("Intel", "AMD"), or NULL: any */
	const char *canonical; /* the first name with exactly this definition; itself where it is that */
	const char *first_libvirt; /* first libvirt version seen to know the name, "9.0.0"; NULL: none does */
	char **features;      /* libvirt's names, sorted, NULL-terminated: the expanded set */
	size_t n_features;
	char **members;       /* the same with each group spelled out; features itself where none is */
	size_t n_members;
	char **added, **removed; /* what QEMU's model of that name gained or lost later; like features */
	const char *signatures;  /* "6/85/5-7 6/86": families, models and steppings it is of; POWER:
				  * "004e0000/ffff0000", PVR and mask; Arm: "41/d0c", implementer and
				  * part; or NULL */
	enum arch_family family;
	bool partial_blockers; /* newer libvirt's check='partial' asks QEMU's blockers instead of comparing */
	bool decode_host, decode_guest; /* libvirt names a host's, a guest's CPU so */
};

struct cpu_models;
struct table;

/**
 * cpu_models_parse - read the table
 * @bytes: text of cpu-models.tsv, @length bytes
 * @error: names the line
 *
 * Returns the table, to be freed by cpu_models_free(), or NULL.
 */
struct cpu_models *cpu_models_parse(const char *bytes, size_t length, GError **error);

/* The same of a table that was read already; it is taken over, also where that fails. */
struct cpu_models *cpu_models_new(struct table *table, GError **error);

/**
 * cpu_models_add - add the models of other architectures
 * @table: other-cpu-models.tsv; it is taken over, also where that fails
 *
 * Returns false with the row in @error.
 */
bool cpu_models_add(struct cpu_models *models, struct table *table, GError **error);

void cpu_models_free(struct cpu_models *models);
typedef struct cpu_models CpuModels;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpuModels, cpu_models_free)

/* The model of a name, or NULL. */
const struct named_model *cpu_models_find(const struct cpu_models *models, const char *name);

/**
 * cpu_models_spell_out - replace groups by their members
 * @names: const char *, sorted; stays so
 */
void cpu_models_spell_out(const struct cpu_models *models, enum arch_family family, GPtrArray *names);

/* What a word of QEMU's for several features of a family stands for, or NULL: it is no such word. */
const struct named_model *cpu_models_group(const struct cpu_models *models, enum arch_family family,
					   const char *name);

/* All groups, of all families. */
size_t cpu_models_groups(const struct cpu_models *models);
const struct named_model *cpu_models_group_at(const struct cpu_models *models, size_t i);

/**
 * cpu_models_by_register - the model of a processor by the register that tells it
 * @family: ARCH_PPC64 (@value is the PVR) or ARCH_ARM64 (@value is MIDR_EL1)
 *
 * Returns the model, or NULL where the table has none.
 */
const struct named_model *cpu_models_by_register(const struct cpu_models *models,
						 enum arch_family family, uint64_t value);

/* Of all architectures, x86's first. */
size_t cpu_models_count(const struct cpu_models *models);
const struct named_model *cpu_models_at(const struct cpu_models *models, size_t i);

#endif
