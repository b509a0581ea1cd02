/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * contract.h: how one virtual IOMMU differs from another, as a guest would see it after a move.
 */
#ifndef JUDGE_CONTRACT_H
#define JUDGE_CONTRACT_H

#include "judge/viommu.h"

struct contract_difference {
	enum verdict verdict; /* V_BLOCK; V_WARN: it differs, and no guest minds; V_UNKNOWN */
	const char *property; /* "aw-bits" */
	const char *here, *there; /* values, NULL: not known */
	const char *sees;     /* where the guest sees it: "CAP.CM" */
};

/**
 * contract_compare - what a guest that was started with @a would have differently with @b
 * @a, @b: of one kind of device
 *
 * Returns a new array of struct contract_difference; strings are borrowed.
 */
GPtrArray *contract_compare(const struct viommu_scope *here, const struct dma_viommu *a,
			    const struct viommu_scope *there, const struct dma_viommu *b);

/* The @i-th property of a device that a guest sees, by our name of it; NULL: there are no more. */
const char *contract_visible(const char *device, size_t i);

/* Why QEMU moves no guest with that virtual IOMMU, or NULL. */
const char *contract_unmigratable(const struct viommu_scope *scope, const struct dma_viommu *viommu);

/**
 * contract_verdict - may a guest that was started as @here is move to what is started as @there?
 * @here, @there: of definitions that may differ; QEMU compares nothing of them
 * @why: set to a new string that names the worst difference, or NULL
 *
 * Returns V_OK where the guest sees the same, V_WARN where it sees less than it could, V_BLOCK where
 * QEMU refuses the stream or takes it in silence and differs, V_UNKNOWN where that isn't known.
 */
enum verdict contract_verdict(const struct viommu_scope *here, const struct viommu_scope *there, char **why);

#endif
