/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu-plan.h: which QEMUs there are, and in which order their machine types are worth asking.
 */
#ifndef QEMU_PLAN_H
#define QEMU_PLAN_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "probe.h"

/* One emulator: what is known of it, and what its answers have come to. */
struct emulator_plan {
	char *path;
	struct source_file file;
	char *version;         /* NULL until known */
	GPtrArray *accels;     /* char *: those that work */
	GPtrArray *unusable;   /* char *: why others don't */
	GPtrArray *machines;   /* char *: machine types, those that matter first; NULL until known */
	unsigned int first;    /* how many of them an alias or the default stands for */
	GPtrArray *docs;       /* json_t *: documents with its entries */
	GHashTable *groups;    /* accelerator and facts → document in docs */
	json_t *refused;       /* accelerator → {machine type: message} */
	unsigned int asked, reached, left, troubles;
	const struct cpu_models *models; /* for its replies, or NULL: x86 needs none */
	bool hung;
	char *trouble;         /* the last one */
	char *no_devices;      /* why its devices aren't known, or NULL */
};

/* One question: an emulator with an accelerator and a machine type. */
struct turn {
	struct emulator_plan *plan;
	const char *accel, *machine;
};

/**
 * plan_emulators - the QEMUs of this host that run its own architecture, each file once
 *
 * Those of --emulator, those that distributions install, those that libvirt names for the host's
 * own arch, those that guests here have.
 * Returns a new array of struct emulator_plan that owns them.
 */
GPtrArray *plan_emulators(struct context *context);

/* The plan of a path, which must be one of them. */
struct emulator_plan *plan_find(const GPtrArray *plans, const char *path);

/**
 * plan_machines - the names in a reply to query-machines, in the order they are worth asking
 *
 * What an alias or the default stands for, then the newest of each family first, deprecated ones
 * last. "none" is left out. Fills @plan's machines and first.
 */
void plan_machines(struct emulator_plan *plan, const json_t *machines);

/**
 * plan_turns - what to ask, in order: machine types that guests use, aliases' targets and defaults
 * of every emulator, then the rest, emulator by emulator
 *
 * Counts each in its plan's @asked. Returns a new array of struct turn that owns them; they borrow
 * from @plans.
 */
GPtrArray *plan_turns(struct context *context, const GPtrArray *plans);

#endif
