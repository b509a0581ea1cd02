/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * viommu-pair.h: an assigned device and the virtual IOMMU that stands before it, for the checks that
 * look at both; internal to judge/.
 */
#ifndef JUDGE_VIOMMU_PAIR_H
#define JUDGE_VIOMMU_PAIR_H

#include "judge/viommu.h"

struct viommu_pair {
	struct judgement *j;
	struct viommu_scope s;
	const struct dma_viommu *v;  /* NULL: it comes behind the device, which doesn't know it */
	const struct dma_device *d;
	const struct device *device; /* on the host */
	GArray *ranges;              /* that the host maps for it, or NULL: not known */
};

/* Calls @judge for each assigned PCI device that the host has, where the guest has a virtual IOMMU. */
void viommu_each_pair(struct judgement *j, void (*judge)(const struct viommu_pair *p));

/* Does the host's IOMMU walk the guest's own tables (first-stage, accel)? */
bool viommu_is_exact(const struct viommu_scope *scope, const struct dma_viommu *viommu);

bool viommu_kind(const struct dma_viommu *viommu, const char *device);

/* Is the guest one of POWER's, which always has an sPAPR IOMMU? Does the host have its windows? */
bool viommu_is_spapr(const struct judgement *j);
void spapr_judge(struct judgement *j, const struct dma_device *d, const struct device *device);

/* The number that a property's value is, else @otherwise. */
unsigned int viommu_number(const char *text, unsigned int otherwise);

/* @text is stolen. */
struct finding *viommu_finding(struct judgement *j, const struct dma_viommu *viommu, enum verdict verdict,
			       enum effect effect, unsigned int on, char *text, const char *fix);

/* Adds how many address bits are needed and there. */
void viommu_need_bits(struct finding *finding, const struct dma_viommu *viommu, unsigned int need,
		      unsigned int have);

#endif
