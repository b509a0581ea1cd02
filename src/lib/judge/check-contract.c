/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-contract.c: what a guest was started with of a virtual IOMMU and assigned devices, held against
 * what it would have after a move.
 *
 * QEMU compares nothing of it: Intel's and AMD's go on showing the registers of the source while they
 * behave as the target's, a virtio one changes under the guest (measured on 7.2, 10.0 and 11.1 by
 * migrations through a file).
 */
#include "config.h"

#include <string.h>

#include "judge/contract.h"

/* The guest goes on without what the target has more: nothing breaks, and it is told. */
static bool gains_esrtps(const struct viommu_scope *here, const struct viommu_scope *there,
			 const struct dma_viommu *v)
{
	return !strcmp(v->device, "intel-iommu") && contract_esrtps(here) == 0 && contract_esrtps(there) == 1;
}

static void tell_difference(struct judgement *j, const struct dma_viommu *v,
			    const struct contract_difference *d)
{
	bool stays = strcmp(v->device, "virtio-iommu-pci") != 0;
	struct finding *f;

	f = finding_add(j, d->known ? V_BLOCK : V_UNKNOWN, EFFECT_HAZARD, ON_MIGRATE, g_strdup(v->where),
			d->known ? g_strdup_printf("%s is %s here and %s there, and QEMU compares nothing: the guest %s (%s)",
						   d->property, d->here, d->there,
						   stays ? "goes on seeing what it had" : "would see it change",
						   d->sees) :
				   g_strdup_printf("whether %s is the same there is not known (%s)", d->property, d->sees),
			g_strdup_printf("write %s in the definition, and start the guest anew", d->property));
	f->capability = "viommu.model";
	finding_item(f->need, "viommu.model", json_sprintf("%s=%s", d->property, d->here ? d->here : "?"));
	finding_item(f->have, "viommu.model", json_sprintf("%s=%s", d->property, d->there ? d->there : "?"));
}

/* An AMD IOMMU without a PCI function of its own can't be moved, and lets nothing come. */
static void judge_unmigratable(struct judgement *j, const struct viommu_scope *s, const struct dma_viommu *v)
{
	if (!strcmp(v->device, "amd-iommu") && !dma_property(v, "pci-id"))
		finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_MIGRATE, g_strdup(v->where),
			    g_strdup("QEMU moves no AMD IOMMU that has no pci-id"),
			    g_strdup("define it by libvirt's <iommu model='amd'>, or choose another model"));
	else if (viommu_is(s, v, "accel", "on"))
		finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_MIGRATE, g_strdup(v->where),
			    g_strdup("QEMU moves no accelerated SMMUv3: the guest runs here and goes nowhere"),
			    g_strdup("choose model='virtio'"));
}

void check_viommu_contract(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);
	struct viommu_scope here, there;
	struct target source;

	if (!dma || !dma->viommus->len)
		return;
	viommu_scope_init(&there, j->needs, &j->target, j->judge->tables);
	for (guint i = 0; i < dma->viommus->len; i++)
		judge_unmigratable(j, &there, g_ptr_array_index(dma->viommus, i));
	if (!j->source)
		return;
	target_resolve_machine(j->needs, j->source, &source);
	viommu_scope_init(&here, j->needs, &source, j->judge->tables);
	for (guint i = 0; i < dma->viommus->len; i++) {
		const struct dma_viommu *v = g_ptr_array_index(dma->viommus, i);
		g_autoptr(GPtrArray) differences = contract_compare(&here, v, &there, v);

		for (guint k = 0; k < differences->len; k++)
			tell_difference(j, v, differences->pdata[k]);
		if (gains_esrtps(&here, &there, v))
			finding_add(j, V_WARN, EFFECT_HAZARD, ON_MIGRATE, g_strdup(v->where),
				    g_strdup("QEMU there has CAP.ESRTPS and the guest goes on seeing none: it does more than it must"),
				    g_strdup("start the guest anew there"));
	}
}

/* --- assigned devices -------------------------------------------------------------------------- */

static int device_truth(const struct profile *profile, const struct dma_device *d, const char *id)
{
	const struct device *device = profile && d->address ? profile_device(profile, d->address) : NULL;

	return device ? facts_truth(device->facts, id) : -1;
}

/* The worse of two hosts' answers; a source that isn't known says nothing. */
static int both_truth(const struct judgement *j, const struct dma_device *d, const char *id)
{
	int there = device_truth(j->target.profile, d, id);
	int here = j->source ? device_truth(j->source, d, id) : there;

	return here < there ? (here == -1 && there == 0 ? 0 : here) : (there == -1 && here == 0 ? 0 : there);
}

static void device_moves(struct judgement *j, const struct dma_device *d, const char *id, const char *no)
{
	int truth = both_truth(j, d, id);
	struct finding *f;

	if (truth == 1)
		return;
	f = finding_add(j, truth == 0 ? V_BLOCK : V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_MIGRATE, g_strdup(d->where),
			truth == 0 ? g_strdup(no) :
				     g_strdup_printf("whether %s can be moved is not known: nobody asked its driver",
						     d->address ? d->address : "the device"),
			truth == 0 ? g_strdup("unplug it before the move") :
				     g_strdup("run 'capbroker-probe --claim DEVICE' on the host, or unplug it before the move"));
	f->capability = id;
	finding_item(f->need, id, json_true());
	finding_item(f->have, id, truth == 0 ? json_false() : json_null());
}

/* Any virtual IOMMU keeps VFIO from being moved before 11.0; then the IOMMU must track what is written. */
static void viommu_moves(struct judgement *j, const struct dma *dma, const struct dma_device *d)
{
	const struct device *device = j->source && d->address ? profile_device(j->source, d->address) : NULL;
	int tracks = device && device->unit ? facts_truth(device->unit->facts, "iommu.dirty-tracking") : -1;
	const char *qemu = target_qemu_version(&j->target);

	if (!viommu_before(dma, d))
		return;
	if (qemu && version_compare(qemu, "11.0") < 0)
		finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_MIGRATE, g_strdup(d->where),
			    g_strdup_printf("QEMU %s moves no assigned device behind a virtual IOMMU", qemu),
			    g_strdup("unplug it before the move"));
	else if (tracks != 1)
		finding_add(j, tracks == 0 ? V_BLOCK : V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_MIGRATE,
			    g_strdup(d->where),
			    g_strdup(tracks == 0 ? "behind a virtual IOMMU the host's must track what devices write, and it can't" :
						   "whether the host's IOMMU tracks what devices write is not known"),
			    g_strdup("unplug it before the move"));
}

void check_host_device_moves(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);

	for (guint i = 0; dma && i < dma->devices->len; i++) {
		const struct dma_device *d = g_ptr_array_index(dma->devices, i);

		device_moves(j, d, "vfio.migration.stop-copy", "its driver can't save the device's state");
		if (dma->devices->len > 1 && both_truth(j, d, "vfio.migration.stop-copy") == 1)
			device_moves(j, d, "vfio.migration.p2p",
				     "of several devices each must stop talking to others first, and this one can't");
		viommu_moves(j, dma, d);
	}
}
