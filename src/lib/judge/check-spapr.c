/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-spapr.c: the virtual IOMMU that each pseries guest has (sPAPR TCE): its first window, 1 GiB
 * from address 0 on (spapr_pci.c, dma_win_addr and dma_win_size), must be one of the host's, and
 * Linux asks for a further one that holds all memory.
 *
 * No memory is mapped before the guest maps it. A host that can make windows (VFIO's second kind of
 * sPAPR container) has them made as the guest wants; one that can't has the one it was booted with.
 */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "judge/viommu-pair.h"

#define WINDOW_BYTES (1ull << 30)
#define ASK_PROBE "run 'capbroker probe' on the host"

bool viommu_is_spapr(const struct judgement *j)
{
	return j->target.machine && !strcmp(machine_family(j->target.machine), "pseries");
}

static struct finding *window_finding(struct judgement *j, const struct dma_device *d, enum verdict verdict,
				      enum effect effect, unsigned int on, char *text)
{
	struct finding *f = finding_add(j, verdict, effect, on, g_strdup(d->where), text,
					g_strdup(verdict == V_BLOCK ? "choose a host whose IOMMU makes windows (DDW)" :
								      ASK_PROBE));

	f->capability = "spapr.dma32-window-size";
	finding_item(f->need, f->capability, json_integer((json_int_t)WINDOW_BYTES));
	return f;
}

void spapr_judge(struct judgement *j, const struct dma_device *d, const struct device *device)
{
	const GArray *facts = device->unit && !strcmp(device->unit->type, "spapr") ? device->unit->facts : NULL;
	int makes = facts ? facts_truth(facts, "spapr.ddw") : -1;
	uint64_t start, size;

	if (!facts || !facts_number(facts, "spapr.dma32-window-start", &start) ||
	    !facts_number(facts, "spapr.dma32-window-size", &size)) {
		window_finding(j, d, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			       g_strdup("which windows for DMA the host has is not known"));
	} else if (start || size < WINDOW_BYTES) {
		struct finding *f;

		f = window_finding(j, d, makes ? V_UNKNOWN : V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL,
				   g_strdup_printf("the host's window for DMA doesn't hold the guest's first GiB%s",
						   makes ? ", and whether QEMU makes one that does is not known" : ""));
		finding_item(f->have, f->capability, json_integer((json_int_t)size));
	} else if (makes != 1) {
		window_finding(j, d, V_UNKNOWN, EFFECT_HAZARD, ON_DMA,
			       g_strdup("the guest may ask for a further window, and the host isn't known to make any"));
	}
}
