/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * viommu.h: what a guest's virtual IOMMU becomes on a host: its properties with every unset, "auto"
 * and "host" value resolved by that QEMU, machine type, accelerator and interrupt controller; and
 * which of the host's addresses its devices can be mapped at.
 *
 * Unset values come from viommu-properties.tsv. A stage is what QEMU is asked for, never what it might
 * fall back to: it doesn't.
 */
#ifndef JUDGE_VIOMMU_H
#define JUDGE_VIOMMU_H

#include "guest/dma.h"
#include "judge/judgement.h"
#include "model/units.h"

/* Where a guest's configuration is resolved: a host, and the machine type there. */
struct viommu_scope {
	const struct needs *needs;
	const struct dma *dma;
	const struct target *target;
	const struct tables *tables;
	const char *qemu;    /* that QEMU's version, or NULL */
	const char *family;  /* "pc", "virt", … */
	const char *version; /* the machine type's, that QEMU's own where it has none; or NULL */
};

void viommu_scope_init(struct viommu_scope *scope, const struct needs *needs,
		       const struct target *target, const struct tables *tables);

/**
 * viommu_value - a property as that QEMU makes it
 * @property: our name of it (the table's column "property")
 *
 * Returns the value; NULL where it isn't known; "absent" where that QEMU has no such property.
 */
const char *viommu_value(const struct viommu_scope *scope, const struct dma_viommu *viommu,
			 const char *property);

/* The dictionary's id of a property ("viommu.intel.aw-bits"), or "viommu.model". */
const char *viommu_id(const struct dma_viommu *viommu, const char *property);

bool viommu_is(const struct viommu_scope *scope, const struct dma_viommu *viommu,
	       const char *property, const char *value);

/* A written property's row of the table for that QEMU: its index, -1 none fits, -2 not in the table. */
int viommu_row(const struct viommu_scope *scope, const struct dma_viommu *viommu, const char *name);

/* Does the table's row take the value? */
bool viommu_takes(const struct tables *tables, int row, const char *value);

/* Our name of a property that is spelled so, or NULL. */
const char *viommu_canonical(const struct tables *tables, const char *device, const char *spelling);

/* Is the version at least (before) another; false where it isn't known. */
bool qemu_from(const struct viommu_scope *scope, const char *version);
bool qemu_before(const struct viommu_scope *scope, const char *version);

/* The virtual IOMMU that stands before a device; NULL: none, or it comes too late for it. */
const struct dma_viommu *viommu_before(const struct dma *dma, const struct dma_device *device);

/* Is it a <controller type='pci'> of one of the models? */
bool controller_is(const struct xml_node *controller, const char *const *models);

/**
 * host_ranges - the addresses that a device of a host can be given mappings at
 * @device: of the target's profile
 *
 * Returns a new array of struct value_range, or NULL where they aren't known.
 */
GArray *host_ranges(const struct device *device);

/* The first address of @need that isn't in @have; true where there is one. Both are normalized. */
bool ranges_lack(const GArray *have, const struct value_range *need, uint64_t *at);

/* Width of the end of the last range, as QEMU reckons a host's aw-bits; 64 where there is none. */
unsigned int ranges_bits(const GArray *ranges);

/**
 * guest_dimm_misplaced - a DIMM at an address outside of the room that QEMU keeps for them
 * @room: filled with that room
 *
 * Returns the DIMM, or NULL: none, or not known.
 */
const struct dma_dimm *guest_dimm_misplaced(const struct judgement *j, const struct dma *dma,
					    struct value_range *room);

/**
 * guest_ram - where QEMU puts a guest's memory
 * @why: set to what isn't known, where NULL is returned
 *
 * Returns a new array of struct value_range, or NULL.
 */
GArray *guest_ram(const struct judgement *j, const struct dma *dma, const char **why);

#endif
