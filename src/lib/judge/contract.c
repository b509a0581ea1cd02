/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contract.c: see contract.h. */
#include "config.h"

#include <string.h>

#include "judge/contract.h"

/*
 * What a guest sees of each device, and what a QEMU without the property does; NULL: not known.
 *
 * Every QEMU empties its caches when the root table is set, those too that don't say so in CAP.ESRTPS
 * (QEMU 7.2.0 and 10.0.13 hw/i386/intel_iommu.c, vtd_handle_gcmd_srtp): a guest that goes on
 * seeing what the source said is right, whichever way it moves.
 */
static const struct {
	const char *device, *property, *absent, *sees;
	bool same_work; /* QEMU behaves alike whether it shows it or not */
} visible[] = {
	{ "intel-iommu", "aw-bits", NULL, "CAP.SAGAW and CAP.MGAW", false },
	{ "intel-iommu", "caching-mode", "off", "CAP.CM", false },
	{ "intel-iommu", "device-iotlb", "off", "ECAP.DT", false },
	{ "intel-iommu", "dma-drain", "on", "CAP.DWD and CAP.DRD", false },
	{ "intel-iommu", "dma-translation", "on", "CAP.SAGAW", false },
	{ "intel-iommu", "eim", "off", "ECAP.EIM", false },
	{ "intel-iommu", "esrtps", NULL, "CAP.ESRTPS", true },
	{ "intel-iommu", "first-stage", "off", "ECAP.FSTS and CAP.FS1GP", false },
	{ "intel-iommu", "fs1gp", "on", "CAP.FS1GP", false },
	{ "intel-iommu", "intremap", "on", "ECAP.IR", false },
	{ "intel-iommu", "pasid-bits", "0", "ECAP.PASID and ECAP.PSS", false },
	{ "intel-iommu", "pasid-mode", "off", "ECAP.PASID", false },
	{ "intel-iommu", "pt", "on", "ECAP.PT", false },
	{ "intel-iommu", "scalable-mode", "off", "ECAP.SMTS, ECAP.SRS and ECAP.SSTS", false },
	{ "intel-iommu", "snoop-control", "off", "ECAP.SC", false },
	{ "intel-iommu", "stale-tm", "on", "which bits of page-table entries are refused", false },
	{ "intel-iommu", "svm", "off", "ECAP.PRS", false },
	{ "amd-iommu", "device-iotlb", "off", "IVHD's flag IotlbSup", false },
	{ "amd-iommu", "dma-remap", "off", "whether its mappings reach assigned devices", false },
	{ "amd-iommu", "dma-translation", "on", "EFR.HATS", false },
	{ "amd-iommu", "intremap", "on", "whether interrupts are remapped", false },
	{ "amd-iommu", "pt", "on", "IVHD's flag PassPW", false },
	{ "amd-iommu", "xtsup", "off", "EFR.XTSup", false },
	{ "virtio-iommu-pci", "aw-bits", "64", "the range of addresses it may map", false },
	{ "virtio-iommu-pci", "granule", "4k", "the page sizes it may map", false },
	{ "arm-smmuv3", "accel", "off", "IDR registers of the host", false },
	{ "arm-smmuv3", "ats", "off", "IDR0.ATS", false },
	{ "arm-smmuv3", "oas", "44", "IDR5.OAS", false },
	{ "arm-smmuv3", "ril", "on", "IDR3.RIL", false },
	{ "arm-smmuv3", "ssidsize", "0", "IDR1.SSIDSIZE", false },
	{ "arm-smmuv3", "stage", "1", "IDR0.S1P and IDR0.S2P", false },
};

static const char *made(const struct viommu_scope *s, const struct dma_viommu *v, size_t i)
{
	const char *value = viommu_value(s, v, visible[i].property);

	if (!g_strcmp0(value, "absent"))
		return visible[i].absent;
	return value;
}

static enum verdict weigh(size_t i, const char *here, const char *there)
{
	if (!here || !there)
		return V_UNKNOWN;
	if (!strcmp(here, there))
		return V_OK;
	return visible[i].same_work ? V_WARN : V_BLOCK;
}

/* Of the same QEMU and machine type even what isn't known is the same. */
static bool same_maker(const struct viommu_scope *here, const struct viommu_scope *there)
{
	return here->qemu && !g_strcmp0(here->qemu, there->qemu) && !g_strcmp0(here->version, there->version);
}

GPtrArray *contract_compare(const struct viommu_scope *here, const struct dma_viommu *a,
			    const struct viommu_scope *there, const struct dma_viommu *b)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < G_N_ELEMENTS(visible); i++) {
		struct contract_difference d = { .property = visible[i].property, .sees = visible[i].sees };

		if (strcmp(visible[i].device, a->device) ||
		    (!strcmp(d.property, "fs1gp") && viommu_is(here, a, "first-stage", "off")))
			continue;
		d.here = made(here, a, i);
		d.there = made(there, b, i);
		d.verdict = !d.here && !d.there && same_maker(here, there) ? V_OK : weigh(i, d.here, d.there);
		if (d.verdict != V_OK)
			g_ptr_array_add(out, g_memdup2(&d, sizeof(d)));
	}
	return out;
}

const char *contract_visible(const char *device, size_t i)
{
	for (size_t k = 0; k < G_N_ELEMENTS(visible); k++)
		if (!strcmp(visible[k].device, device) && i-- == 0)
			return visible[k].property;
	return NULL;
}

const char *contract_unmigratable(const struct viommu_scope *s, const struct dma_viommu *v)
{
	if (!strcmp(v->device, "amd-iommu") && !dma_property(v, "pci-id"))
		return "QEMU moves no AMD IOMMU that has no pci-id";
	return viommu_is(s, v, "accel", "on") ?
		       "QEMU moves no accelerated SMMUv3: the guest runs here and goes nowhere" : NULL;
}

static enum verdict because(char **why, char *text, enum verdict verdict)
{
	g_free(*why);
	*why = text;
	return verdict;
}

/* One virtual IOMMU each, of one kind. */
static enum verdict compare_kind(const struct viommu_scope *here, const struct dma_viommu *a,
				 const struct viommu_scope *there, const struct dma_viommu *b, char **why)
{
	g_autoptr(GPtrArray) differences = contract_compare(here, a, there, b);
	enum verdict worst = V_OK;

	for (guint i = 0; i < differences->len; i++) {
		const struct contract_difference *d = differences->pdata[i];

		if (d->verdict > worst)
			worst = because(why, g_strdup_printf("%s: %s, %s", d->property, d->here ? d->here : "?",
							     d->there ? d->there : "?"), d->verdict);
	}
	return worst;
}

enum verdict contract_verdict(const struct viommu_scope *here, const struct viommu_scope *there, char **why)
{
	const struct dma_viommu *a = here->dma->viommus->len ? here->dma->viommus->pdata[0] : NULL;
	const struct dma_viommu *b = there->dma->viommus->len ? there->dma->viommus->pdata[0] : NULL;

	*why = NULL;
	if (g_strcmp0(here->target->machine, there->target->machine))
		return because(why, g_strdup("machine types differ"), V_BLOCK);
	if ((a && contract_unmigratable(here, a)) || (b && contract_unmigratable(there, b)))
		return because(why, g_strdup("it can't be moved at all"), V_BLOCK);
	if (!a && !b)
		return V_OK;
	if (!b)
		return because(why, g_strdup("the target has no virtual IOMMU: its state isn't loaded"), V_BLOCK);
	if (!a)
		return because(why, g_strdup("a virtual IOMMU appears under the guest"), V_BLOCK);
	if (strcmp(a->device, b->device))
		return because(why, g_strdup("another virtual IOMMU"), V_BLOCK);
	/* 10.0 gives its queues 1024 entries, 11.1 refuses more than its own 256 */
	if (!strcmp(a->device, "virtio-iommu-pci") && qemu_from(here, "10.0") && qemu_before(here, "10.1") &&
	    qemu_from(there, "11.1"))
		return because(why, g_strdup("virtio queues of 1024 entries"), V_BLOCK);
	return compare_kind(here, a, there, b, why);
}
