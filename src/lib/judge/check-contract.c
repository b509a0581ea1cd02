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
#include "judge/rule-host.h"

/* What a guest sees of each device, and what a QEMU without the property does. */
static const struct {
	const char *device, *property, *absent, *sees;
} visible[] = {
	{ "intel-iommu", "aw-bits", NULL, "CAP.SAGAW and CAP.MGAW" },
	{ "intel-iommu", "caching-mode", "off", "CAP.CM" },
	{ "intel-iommu", "device-iotlb", "off", "ECAP.DT" },
	{ "intel-iommu", "dma-drain", "on", "CAP.DWD and CAP.DRD" },
	{ "intel-iommu", "dma-translation", "on", "CAP.SAGAW" },
	{ "intel-iommu", "eim", "off", "ECAP.EIM" },
	{ "intel-iommu", "first-stage", "off", "ECAP.FSTS and CAP.FS1GP" },
	{ "intel-iommu", "intremap", "on", "ECAP.IR" },
	{ "intel-iommu", "pasid-bits", "0", "ECAP.PASID and ECAP.PSS" },
	{ "intel-iommu", "pasid-mode", "off", "ECAP.PASID" },
	{ "intel-iommu", "pt", "on", "ECAP.PT" },
	{ "intel-iommu", "scalable-mode", "off", "ECAP.SMTS, ECAP.SRS and ECAP.SSTS" },
	{ "intel-iommu", "snoop-control", "off", "ECAP.SC" },
	{ "intel-iommu", "stale-tm", "on", "which bits of page-table entries are refused" },
	{ "intel-iommu", "svm", "off", "ECAP.PRS" },
	{ "amd-iommu", "device-iotlb", "off", "IVHD's flag IotlbSup" },
	{ "amd-iommu", "dma-remap", "off", "whether its mappings reach assigned devices" },
	{ "amd-iommu", "dma-translation", "on", "EFR.HATS" },
	{ "amd-iommu", "intremap", "on", "whether interrupts are remapped" },
	{ "amd-iommu", "pt", "on", "IVHD's flag PassPW" },
	{ "amd-iommu", "xtsup", "off", "EFR.XTSup" },
	{ "virtio-iommu-pci", "aw-bits", "64", "the range of addresses it may map" },
	{ "virtio-iommu-pci", "granule", "4k", "the page sizes it may map" },
	{ "arm-smmuv3", "accel", "off", "IDR registers of the host" },
	{ "arm-smmuv3", "ats", "off", "IDR0.ATS" },
	{ "arm-smmuv3", "oas", "44", "IDR5.OAS" },
	{ "arm-smmuv3", "ril", "on", "IDR3.RIL" },
	{ "arm-smmuv3", "ssidsize", "0", "IDR1.SSIDSIZE" },
	{ "arm-smmuv3", "stage", "1", "IDR0.S1P and IDR0.S2P" },
};

static const char *made(const struct viommu_scope *s, const struct dma_viommu *v, size_t i)
{
	const char *value = viommu_value(s, v, visible[i].property);

	if (!g_strcmp0(value, "absent"))
		return visible[i].absent;
	return value;
}

static void tell(GPtrArray *out, bool known, const char *property, const char *here, const char *there,
		 const char *sees)
{
	struct contract_difference *d = g_new0(struct contract_difference, 1);

	*d = (struct contract_difference){ known, property, here, there, sees };
	g_ptr_array_add(out, d);
}

/* 11.1 sets CAP.ESRTPS, 10.0 doesn't; between them it isn't known. */
static int esrtps(const struct viommu_scope *s)
{
	return qemu_from(s, "11.1") ? 1 : qemu_before(s, "10.1") ? 0 : -1;
}

GPtrArray *contract_compare(const struct viommu_scope *here, const struct dma_viommu *a,
			    const struct viommu_scope *there, const struct dma_viommu *b)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < G_N_ELEMENTS(visible); i++) {
		const char *x, *y;

		if (strcmp(visible[i].device, a->device))
			continue;
		x = made(here, a, i);
		y = made(there, b, i);
		if (!x || !y)
			tell(out, false, visible[i].property, x, y, visible[i].sees);
		else if (strcmp(x, y))
			tell(out, true, visible[i].property, x, y, visible[i].sees);
	}
	if (!strcmp(a->device, "intel-iommu") && esrtps(here) == 1 && esrtps(there) == 0)
		tell(out, true, "CAP.ESRTPS", "1", "0", "CAP.ESRTPS");
	return out;
}

/* The guest goes on without what the target has more: nothing breaks, and it is told. */
static bool gains_esrtps(const struct viommu_scope *here, const struct viommu_scope *there,
			 const struct dma_viommu *v)
{
	return !strcmp(v->device, "intel-iommu") && esrtps(here) == 0 && esrtps(there) == 1;
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
