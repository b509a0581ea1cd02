/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-reach.c: can the assigned devices reach all that the guest may map behind its virtual IOMMU.
 *
 * QEMU compares ends of ranges, not holes, and older ones nothing: a start may go well and DMA fail
 * while the guest runs.
 */
#include "config.h"

#include <string.h>

#include "judge/viommu-pair.h"
#include "model/value.h"

#define MSI_FIRST 0xfee00000ull
#define MSI_LAST 0xfeefffffull
#define HT_FIRST 0xfd00000000ull
#define HT_LAST 0xffffffffffull
#define AMD_BITS 48u   /* VASize of QEMU's IVRS */
#define VIRTIO_BITS 64u /* its input range, before there was aw-bits */

static struct finding *hazard(const struct viommu_pair *p, char *text, const char *fix)
{
	return viommu_finding(p->j, p->v, V_BLOCK, EFFECT_HAZARD, ON_BOTH | ON_DMA, text, fix);
}

/* What the guest may map, less what it keeps for itself: its MSI window, AMD's for HyperTransport. */
static GArray *guest_reach(const struct viommu_pair *p, unsigned int bits)
{
	struct value_range all = { 0, bits >= 64 ? UINT64_MAX : (1ull << bits) - 1 };
	struct value_range msi = { MSI_FIRST, MSI_LAST }, ht = { HT_FIRST, HT_LAST };
	g_autoptr(GArray) whole = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(struct value_range));

	g_array_append_val(whole, all);
	g_array_append_val(own, msi);
	if (viommu_kind(p->v, "amd-iommu"))
		g_array_append_val(own, ht);
	return value_ranges_without(whole, own);
}

static void reach_bits(const struct viommu_pair *p, unsigned int bits)
{
	g_autoptr(GArray) need = guest_reach(p, bits);
	const char *fix = "choose another host";
	unsigned int have;
	uint64_t at;

	if (!p->ranges)
		return; /* said by who asked before */
	have = ranges_bits(p->ranges);
	if (viommu_kind(p->v, "intel-iommu") && bits > 39)
		fix = "set aw_bits='39'";
	for (guint i = 0; i < need->len; i++) {
		struct finding *f;

		if (!ranges_lack(p->ranges, &g_array_index(need, struct value_range, i), &at))
			continue;
		f = hazard(p, g_strdup_printf("the guest may map 0x%" G_GINT64_MODIFIER "x, which the host's IOMMU (%s) doesn't: DMA fails while it runs",
					      at, p->device->unit ? p->device->unit->id : "not known"), fix);
		viommu_need_bits(f, p->v, bits, have);
		return;
	}
}

/* Intel's, as far as the guest can switch translation on at all. */
static void reach_intel(const struct viommu_pair *p)
{
	unsigned int bits = viommu_number(viommu_value(&p->s, p->v, "aw-bits"), 0);

	if (viommu_is(&p->s, p->v, "dma-translation", "off"))
		return;
	/* vtd_iommu_notify_flag_changed() refuses VFIO's notifier, and vfio_listener_region_add() gives up */
	if (viommu_is(&p->s, p->v, "snoop-control", "on"))
		hazard(p, g_strdup("with snoop-control QEMU ends as soon as the guest switches its IOMMU on"),
		       "switch snoop-control off");
	else if (bits)
		reach_bits(p, bits);
}

static void reach(const struct viommu_pair *p)
{
	const struct dma_viommu *late = p->v ? NULL : g_ptr_array_index(p->s.dma->viommus, 0);
	struct viommu_pair behind = *p;

	if (late) {
		behind.v = late;
		hazard(&behind, g_strdup("the virtual IOMMU comes behind the device on QEMU's command line: what the guest maps there never reaches the device"),
		       "define it by <iommu>, which libvirt puts first");
		return;
	}
	/* the host's IOMMU walks the guest's tables: its own hold the guest's memory, and no more */
	if (viommu_is_exact(&p->s, p->v))
		return;
	if (viommu_kind(p->v, "intel-iommu")) {
		reach_intel(p);
	} else if (viommu_kind(p->v, "amd-iommu")) {
		if (!viommu_is(&p->s, p->v, "dma-remap", "on"))
			hazard(p, g_strdup("without dma-remap what the guest maps never reaches the device"),
			       "set dma-remap=on (QEMU's property), or choose another model");
		else
			reach_bits(p, AMD_BITS);
	} else if (viommu_kind(p->v, "virtio-iommu-pci") && qemu_before(&p->s, "9.0")) {
		/* newer ones tell the guest which addresses it can't have */
		reach_bits(p, VIRTIO_BITS);
	}
}

void check_viommu_reach(struct judgement *j)
{
	viommu_each_pair(j, reach);
}
