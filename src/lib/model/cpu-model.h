/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu-model.h: our own table of named CPU models, from schema/data/cpu-models.tsv.
 */
#ifndef MODEL_CPU_MODEL_H
#define MODEL_CPU_MODEL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct named_model {
	const char *name;     /* "Skylake-Server-IBRS" */
	const char *vendor;   /* libvirt's name ("Intel", "AMD"), or NULL: any */
	const char *canonical; /* the first name with exactly this definition; itself where it is that */
	const char *first_libvirt; /* first libvirt version seen to know the name, "9.0.0"; NULL: none does */
	char **features;      /* libvirt's names, sorted, NULL-terminated: the expanded set */
	size_t n_features;
	char **added, **removed; /* what QEMU's model of that name gained or lost later; like features */
	const char *signatures;  /* "6/85/5-7 6/86": families, models and steppings it is of; or NULL */
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
void cpu_models_free(struct cpu_models *models);
typedef struct cpu_models CpuModels;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpuModels, cpu_models_free)

/* The model of a name, or NULL. */
const struct named_model *cpu_models_find(const struct cpu_models *models, const char *name);

size_t cpu_models_count(const struct cpu_models *models);
const struct named_model *cpu_models_at(const struct cpu_models *models, size_t i);

#endif
