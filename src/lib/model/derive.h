/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * derive.h: what follows from an IOMMU's facts: the kernel's own predicates, and what a host as a
 * whole has of its units.
 *
 * Never stored: made when a profile is parsed. Each derived fact's origin starts with "derived: "
 * and names what it follows from. What can't be decided is not known; it is never taken for a yes
 * or a no. Trials (iommu.hwpt-…) come before what registers let expect.
 */
#ifndef MODEL_DERIVE_H
#define MODEL_DERIVE_H

#include <jansson.h>

#include "model/units.h"

/* What the origin of a derived fact starts with. */
#define DERIVED "derived: "

/**
 * derive_told - what devices behind a unit were told of it (ranges after they were attached,
 * trials, IOMMU_GET_HW_INFO), where the unit has no such fact: their meet
 *
 * Returns a new array of facts, each with its scope.
 */
json_t *derive_told(const struct iommu_unit *unit);

/**
 * derive_unit - iommu.type, iommu.address-bits, iommu.page-sizes, iommu.nested,
 * iommu.dirty-tracking, iommu.pasid, iommu.snoop, iommu.interrupt-remapping and iommu.formats of a
 * unit, where nobody told them
 * @profile: for the host's facts (the kernel's options, the firmware's tables)
 *
 * iommu.formats in the raw view is what the hardware has, in the kernel's what it lets be used.
 */
json_t *derive_unit(const struct profile *profile, const struct iommu_unit *unit);

/**
 * derive_host - the meet over the units that eligible devices are behind, of all their facts that
 * hosts are compared by
 *
 * A fact that some of these units lack is unknown for the host. None where there are no such units.
 */
json_t *derive_host(const struct profile *profile);

/* The page-table formats of a unit; NULL where they can't be told in that view. */
json_t *derive_formats(const struct profile *profile, const struct iommu_unit *unit,
		       enum view view);

/* Three-valued: 0 where one is, -1 where one isn't known, else 1. */
int derive_all(const int *truths, size_t n);

/* An option of the kernel: as told, else what it is where the command line is known to lack it. */
int derive_option(const struct profile *profile, const char *id, int otherwise);

#endif
