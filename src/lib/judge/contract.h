/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * contract.h: how one virtual IOMMU differs from another, as a guest would see it after a move.
 */
#ifndef JUDGE_CONTRACT_H
#define JUDGE_CONTRACT_H

#include "judge/viommu.h"

struct contract_difference {
	bool known;           /* it differs; else whether it does isn't known */
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

#endif
