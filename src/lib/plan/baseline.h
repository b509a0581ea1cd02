/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * baseline.h: what a set of hosts can all promise: the typed meet over their classes, one group
 * per (architecture, CPU vendor), and for each thing lost, which hosts cost it.
 *
 * Two meets are kept apart: the semantic one (an obligation that one host has binds all) and the
 * expressible one (what every member's QEMU accepts), which alone goes into settings.
 */
#ifndef PLAN_BASELINE_H
#define PLAN_BASELINE_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "judge/verdict.h"
#include "model/arch.h"
#include "model/fleet.h"

struct baseline_options {
	bool all_features; /* keep what can't migrate (invtsc, xsaves) */
	const char *accel; /* "kvm", "tcg": meet what QEMU gives under it; NULL: the best there is */
};

/* Something that some hosts have and the baseline hasn't. */
struct baseline_lost {
	char *id;             /* "cpu.avx2", "qemu.machine" */
	json_t *value;        /* what is lost */
	GPtrArray *classes;   /* struct host_class *: because of whom (baseline_members()) */
	guint hosts_n;        /* how many hosts these are */
	guint has_it;         /* how many hosts have it */
};

/* A capability that is not known, or can't be expressed, on some hosts. */
struct baseline_hosts {
	char *id;
	char *reason;
	GPtrArray *classes;   /* struct host_class * (baseline_members()) */
	guint hosts_n;
};

struct feature_policy {
	const char *name;     /* libvirt's */
	bool require;         /* else disable */
	bool nameless;        /* some member's libvirt has no such name: not in settings for libvirt */
};

/* A named model and what to add to and take from it. */
struct cpu_choice {
	const char *mode;        /* "host-model" (POWER: model is the mode that all have),
				  * "host-passthrough" (Arm), or NULL: "custom" */
	const char *model;       /* NULL where no model fits (x86: then features say it all) */
	bool usability_known;    /* chosen among the models every member says it can run */
	GArray *delta;           /* struct feature_policy, sorted by name */
};

struct baseline {
	char *arch, *vendor;     /* "unknown" where no host says */
	enum arch_family family; /* x86's where the architecture is unknown */
	GPtrArray *hosts;        /* struct host *, by name */
	GPtrArray *classes;      /* struct host_class * */
	GHashTable *class_hosts; /* struct host_class * → GPtrArray of its hosts in the group, by name */
	char *view;              /* whose view of the CPU was met: "qemu kvm pc-q35-7.2", … */
	const char *accel;       /* "kvm", "tcg" or NULL where the view has none */
	GPtrArray *features;     /* const char *: expressible set, libvirt's names, sorted */
	struct cpu_choice cpu;
	GPtrArray *disabled;     /* const char *: in the model, not in the set */
	GPtrArray *machines;     /* char *: canonical machine types all have, best first */
	json_t *capabilities;    /* {id: value}: the semantic meet, by id */
	GPtrArray *unknown;      /* struct baseline_hosts */
	GPtrArray *lost;         /* struct baseline_lost, fewest hosts to blame first */
	GPtrArray *differs;      /* struct baseline_hosts: treated otherwise than libvirt's AND */
	GPtrArray *not_expressible; /* struct baseline_hosts */
	char *best_step;         /* one line: which hosts to drop to gain most, or NULL */
};

/**
 * baseline_groups - meet hosts by group
 * @hosts: struct host *, not empty, in any order (the answer doesn't depend on it)
 *
 * A host whose vendor is not known joins a group only if all others of its architecture agree on
 * a vendor. Returns an array of struct baseline, sorted by arch and vendor.
 */
GPtrArray *baseline_groups(const struct judge *judge, const GPtrArray *hosts,
			   const struct baseline_options *options);

/**
 * baseline_sorted - the same groups with their hosts and classes alone: nothing is met
 */
GPtrArray *baseline_sorted(const GPtrArray *hosts);

/**
 * baseline_members - the group's hosts of some classes
 *
 * Returns a new array of struct host *, by name.
 */
GPtrArray *baseline_members(const struct baseline *baseline, const GPtrArray *classes);

/* Is there a CPU that guests of all these hosts can be given? */
bool baseline_has_setting(const struct baseline *baseline);

/**
 * baseline_libvirt - the group's CPU as a libvirt <cpu> element
 *
 * Neither this nor baseline_qemu() is to be asked where there is no such CPU.
 */
char *baseline_libvirt(const struct baseline *baseline);

/**
 * baseline_qemu - the group's machine type and CPU as QEMU arguments, one line
 */
char *baseline_qemu(const struct baseline *baseline);

#endif
