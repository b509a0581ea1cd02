/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-window.c: where firmware puts the memory of PCI devices (64-bit BARs), against what the
 * host's IOMMU maps for assigned devices.
 *
 * QEMU maps such memory for them too, as soon as firmware has placed it: edk2 from 2022-11 on and
 * SeaBIOS from 1.16.3 on do so in the last eighth of the addresses that the guest's CPU has, up to
 * bit 47; of a CPU with QEMU's default of 40 bits they don't believe it, and stay near the memory.
 * Of another assigned device's memory QEMU says that it can't be mapped, and goes on
 * (vfio_listener_region_add(), memory_region_is_ram_device()); of a shared-memory device's it ends.
 */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "judge/viommu.h"

#define UNBELIEVED 40u
#define MOST 47u
#define LEAST 36u

/* The addresses where firmware may place devices' memory; false: near the guest's own, or not known. */
static bool window_of(const struct judgement *j, struct value_range *window)
{
	const char *family = machine_family(j->target.machine);
	uint64_t bits = guest_phys_bits(j);

	if ((strcmp(family, "q35") && strcmp(family, "i440fx")) || bits < LEAST || bits == UNBELIEVED)
		return false;
	bits = MIN(bits, MOST);
	*window = (struct value_range){ (1ull << bits) - (1ull << (bits - 3)), (1ull << bits) - 1 };
	return true;
}

static bool has_wide_memory(const struct device *device)
{
	return facts_truth(device->facts, "pci.wide-regions") == 1;
}

/* Another assigned device with memory of its own there, or NULL. */
static const struct dma_device *other_memory(const struct judgement *j, const struct dma *dma,
					     const struct dma_device *d)
{
	for (guint i = 0; i < dma->devices->len; i++) {
		const struct dma_device *other = g_ptr_array_index(dma->devices, i);
		const struct device *device = other != d && other->address && !other->mediated ?
						      profile_device(j->target.profile, other->address) :
						      NULL;

		if (device && has_wide_memory(device))
			return other;
	}
	return NULL;
}

static struct finding *window_finding(struct judgement *j, const struct dma_device *d,
				      const struct value_range *window, enum verdict verdict, char *text)
{
	struct finding *f = finding_add(j, verdict, EFFECT_HAZARD, ON_BOTH | ON_DMA, g_strdup(d->where), text,
					g_strdup("give the guest's CPU no more address bits than the host's IOMMU has: <maxphysaddr mode='emulate' bits='…'/>"));

	f->capability = "iommu.ranges";
	finding_item(f->need, "iommu.ranges",
		     json_sprintf("0x%" G_GINT64_MODIFIER "x-0x%" G_GINT64_MODIFIER "x", window->first, window->last));
	return f;
}

static void judge_device(struct judgement *j, const struct dma *dma, const struct dma_device *d,
			 const GArray *ranges, const struct value_range *window)
{
	const struct dma_device *other = other_memory(j, dma, d);
	const struct xml_node *shared = xml_at(xml_root(j->needs->definition), "devices/shmem");
	uint64_t at;

	if (!ranges_lack(ranges, window, &at))
		return;
	if (shared)
		window_finding(j, d, window, V_UNKNOWN,
			       g_strdup_printf("firmware may place the shared memory device at 0x%" G_GINT64_MODIFIER "x, which can't be mapped for %s: QEMU would end",
					       at, d->address));
	else if (other)
		window_finding(j, d, window, V_WARN,
			       g_strdup_printf("firmware may place the memory of %s at 0x%" G_GINT64_MODIFIER "x, which can't be mapped for %s: no DMA from one to the other",
					       other->address, at, d->address));
}

void check_host_window(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);
	struct value_range window;

	if (!dma || !dma->devices->len || !window_of(j, &window))
		return;
	for (guint i = 0; i < dma->devices->len; i++) {
		const struct dma_device *d = g_ptr_array_index(dma->devices, i);
		const struct device *device = d->address && !d->mediated ?
						      profile_device(j->target.profile, d->address) :
						      NULL;
		g_autoptr(GArray) ranges = device ? host_ranges(device) : NULL;

		if (ranges)
			judge_device(j, dma, d, ranges, &window);
	}
}
