/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * target.h: which emulator, machine type and offers a guest would get on a host.
 */
#ifndef JUDGE_TARGET_H
#define JUDGE_TARGET_H

#include <glib.h>
#include <stdbool.h>

#include "guest/needs.h"
#include "model/offer.h"
#include "model/profile.h"
#include "model/tables.h"
#include "model/universe.h"

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
	const struct offer *listed_offer; /* the same with what KVM lists and won't set; else NULL */
	const struct offer *libvirt_offer; /* what libvirt says the hypervisor gives */
	const struct offer *host_offer; /* libvirt's view of the host CPU, or a bare <cpu> */
	const struct offer *judged;     /* the one a CPU's relation is told by, or NULL */
	GPtrArray *owned;          /* struct offer *: made here because several entries agreed */
	const char *libvirt_version; /* or NULL */
};

/**
 * target_resolve - what a guest would get there
 * @needs: of it only accel, arch, machine, emulator, cpu_only and argv are looked at
 * @target: filled; to be cleared by target_clear(); borrows from @profile and @needs
 */
void target_resolve(const struct needs *needs, const struct profile *profile,
		    const struct universe *universe, struct target *target);
void target_clear(struct target *target);

/* The emulator and the machine type alone; nothing to be cleared. */
void target_resolve_machine(const struct needs *needs, const struct profile *profile,
			    struct target *target);

/* What the host's processor is called by whoever tells it: libvirt, QEMU, the kernel; or NULL. */
const char *target_model(const struct target *target);

/* The version of the emulator that the guest would get, or NULL. */
const char *target_qemu_version(const struct target *target);

/* What its distribution calls that version, "" for nothing, or NULL: not known. */
const char *target_qemu_package(const struct target *target);

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

/* What that QEMU says of a CPU model with the guest's machine type; NULL where it doesn't say. */
const struct cpu_model *target_measured_model(const struct target *target, const char *name);

/* The first offer of a view that no emulator stands behind, or NULL: capabilities, a bare <cpu>. */
const struct offer *profile_plain_offer(const struct profile *profile, enum view view);

#endif
