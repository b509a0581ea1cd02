/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contract.c: see contract.h. */
#include "config.h"

#include <string.h>

#include "judge/contract.h"

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
	{ "intel-iommu", "fs1gp", "on", "CAP.FS1GP" },
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

int contract_esrtps(const struct viommu_scope *s)
{
	return qemu_from(s, "11.1") ? 1 : qemu_before(s, "10.1") ? 0 : -1;
}

GPtrArray *contract_compare(const struct viommu_scope *here, const struct dma_viommu *a,
			    const struct viommu_scope *there, const struct dma_viommu *b)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < G_N_ELEMENTS(visible); i++) {
		const char *x, *y;

		if (strcmp(visible[i].device, a->device) ||
		    (!strcmp(visible[i].property, "fs1gp") && viommu_is(here, a, "first-stage", "off")))
			continue;
		x = made(here, a, i);
		y = made(there, b, i);
		if (!x || !y)
			tell(out, false, visible[i].property, x, y, visible[i].sees);
		else if (strcmp(x, y))
			tell(out, true, visible[i].property, x, y, visible[i].sees);
	}
	if (!strcmp(a->device, "intel-iommu") && contract_esrtps(here) == 1 && contract_esrtps(there) == 0)
		tell(out, true, "CAP.ESRTPS", "1", "0", "CAP.ESRTPS");
	return out;
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

	if (!strcmp(a->device, "intel-iommu") && contract_esrtps(here) == 0 && contract_esrtps(there) == 1)
		worst = because(why, g_strdup("CAP.ESRTPS is there alone"), V_WARN);
	for (guint i = 0; i < differences->len; i++) {
		const struct contract_difference *d = differences->pdata[i];
		enum verdict verdict = d->known ? V_BLOCK : V_UNKNOWN;

		if (verdict > worst)
			worst = because(why, g_strdup_printf("%s: %s, %s", d->property, d->here ? d->here : "?",
							     d->there ? d->there : "?"), verdict);
	}
	return worst;
}

static bool without_function(const struct dma *dma)
{
	for (guint i = 0; i < dma->viommus->len; i++) {
		const struct dma_viommu *v = g_ptr_array_index(dma->viommus, i);

		if (!strcmp(v->device, "amd-iommu") && !dma_property(v, "pci-id"))
			return true;
	}
	return false;
}

enum verdict contract_verdict(const struct viommu_scope *here, const struct viommu_scope *there, char **why)
{
	const struct dma_viommu *a = here->dma->viommus->len ? here->dma->viommus->pdata[0] : NULL;
	const struct dma_viommu *b = there->dma->viommus->len ? there->dma->viommus->pdata[0] : NULL;

	*why = NULL;
	if (g_strcmp0(here->target->machine, there->target->machine))
		return because(why, g_strdup("machine types differ"), V_BLOCK);
	if (without_function(here->dma) || without_function(there->dma))
		return because(why, g_strdup("an AMD IOMMU without pci-id"), V_BLOCK);
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
