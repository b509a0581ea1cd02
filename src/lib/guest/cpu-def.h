/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu-def.h: a <cpu> element as libvirt writes it, wherever it stands: in a domain, in host
 * capabilities, in domain capabilities (<mode name='host-model'>), or alone in a file.
 */
#ifndef GUEST_CPU_DEF_H
#define GUEST_CPU_DEF_H

#include <glib.h>
#include <stdbool.h>

#include "guest/xml.h"

#define CPU_DEF_MAX_FEATURES 4096u

enum cpu_mode { CPU_MODE_NONE, CPU_CUSTOM, CPU_HOST_MODEL, CPU_HOST_PASSTHROUGH, CPU_MAXIMUM };
enum cpu_match { CPU_MATCH_EXACT, CPU_MATCH_MINIMUM, CPU_MATCH_STRICT };
enum cpu_check { CPU_CHECK_DEFAULT, CPU_CHECK_NONE, CPU_CHECK_PARTIAL, CPU_CHECK_FULL };
enum cpu_policy { CPU_FORCE, CPU_REQUIRE, CPU_OPTIONAL, CPU_DISABLE, CPU_FORBID };

struct cpu_def_feature {
	char *name; /* as written, libvirt's spelling */
	enum cpu_policy policy;
	char *path; /* where it stands */
};

struct cpu_def {
	bool host;            /* <arch> and no mode: libvirt's view of a host */
	bool has_match;       /* match= was written */
	enum cpu_mode mode;   /* CPU_MODE_NONE: no mode written (custom where there is a model) */
	enum cpu_match match; /* exact unless written */
	enum cpu_check check;
	int migratable;       /* 1, 0, -1 not written */
	char *arch;           /* or NULL */
	char *model;          /* or NULL */
	bool fallback_forbid;
	char *vendor;         /* "Intel", or NULL: any */
	char *vendor_id;      /* shown to the guest instead of the vendor's own, or NULL */
	unsigned int sockets, dies, clusters, cores, threads; /* 0: not written */
	int phys_mode;        /* 0 none, 1 emulate, 2 passthrough (<maxphysaddr mode=…>) */
	unsigned int phys_bits, phys_limit; /* 0: not written */
	GPtrArray *features;  /* struct cpu_def_feature */
	char *path;           /* where the element stands */
};

/**
 * cpu_def_parse - read a <cpu> (or <mode name='host-model'>) element
 * @error: a value libvirt itself would refuse (an unknown mode, match, check or policy; a feature
 *	without name or given twice; too many features): one line with the element's place
 *
 * Returns the definition, to be freed by cpu_def_free(), or NULL.
 */
struct cpu_def *cpu_def_parse(const struct xml_node *node, GError **error);
void cpu_def_free(struct cpu_def *def);
typedef struct cpu_def CpuDef;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpuDef, cpu_def_free)

/**
 * cpu_def_new - an empty definition: no mode, no model, exact
 * @path: where it stands, or is said to stand
 */
struct cpu_def *cpu_def_new(const char *path);

/* Adds a feature; @path is stolen. */
void cpu_def_add_feature(struct cpu_def *def, const char *name, enum cpu_policy policy,
			 char *path);

/**
 * cpu_def_feature_path - where the @n-th feature (from 1) of the element at @cpu stands
 * @one: it is the only one
 */
char *cpu_def_feature_path(const char *cpu, unsigned int n, bool one);

/* Names as libvirt writes them; the value that stands for "not written" has one of ours. */
const char *cpu_mode_name(enum cpu_mode mode);       /* "host-model" */
const char *cpu_match_name(enum cpu_match match);    /* "strict" */
const char *cpu_check_name(enum cpu_check check);    /* "partial" */
const char *cpu_policy_name(enum cpu_policy policy); /* "require" */

#endif
