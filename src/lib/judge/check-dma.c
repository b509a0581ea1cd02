/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-dma.c: may the assigned devices be given to a guest there: they exist, stand in a group that
 * can be assigned, can't forge interrupts, and the host's IOMMU maps all of the guest's memory.
 */
#include "config.h"

#include <string.h>

#include "judge/viommu-pair.h"
#include "model/value.h"

#define ASK_PROBE "run 'capbroker probe' on the host"

static const struct device *host_device(const struct judgement *j, const struct dma_device *d)
{
	return d->address ? profile_device(j->target.profile, d->address) : NULL;
}

static struct finding *device_finding(struct judgement *j, const struct dma_device *d,
				      enum verdict verdict, unsigned int on, char *text, const char *fix)
{
	struct finding *f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, on, g_strdup(d->where), text,
					g_strdup(fix));

	f->capability = "pci.address";
	finding_item(f->need, "pci.address", d->address ? json_string(d->address) : json_null());
	return f;
}

/* The host has no such device, as far as is known. */
static void absent_finding(struct judgement *j, const struct dma_device *d)
{
	bool whole = !d->mediated && profile_lists_devices(j->target.profile);

	if (!j->target.profile->devices->len && !whole)
		device_finding(j, d, V_UNKNOWN, ON_ALL, g_strdup("what devices the host has is not known"), ASK_PROBE);
	else
		device_finding(j, d, whole ? V_BLOCK : V_UNKNOWN, ON_ALL,
			       g_strdup_printf(whole ? "the host has no device %s" :
						       "the host isn't known to have a device %s", d->address),
			       whole ? "choose a host that has it, or assign another" : ASK_PROBE);
}

/* vfio-pci takes no bridges (vfio_pci_core_register_device()). */
static bool is_bridge(const struct device *device)
{
	const struct fact *header = facts_find(device->facts, "pci.header", VIEWS);

	return header && header->state == FACT_KNOWN && g_strcmp0(json_string_value(header->value), "device");
}

static void judge_device(struct judgement *j, const struct dma_device *d, const struct device *device)
{
	if (is_bridge(device))
		device_finding(j, d, V_BLOCK, ON_ALL, g_strdup_printf("%s is a bridge, which nobody can assign", d->address),
			       "assign the device behind it");
	else if (d->unmanaged && device_holds_group(device) == 1)
		device_finding(j, d, V_BLOCK, ON_BOTH,
			       g_strdup_printf("%s is held by the host's driver %s, and libvirt isn't to take it away",
					       d->address, device->driver),
			       "write managed='yes', or bind it to vfio-pci first");
	else if (device->eligible == 0 && device->why && device->group >= 0)
		device_finding(j, d, V_WARN, ON_BOTH,
			       g_strdup_printf("%s isn't meant to be assigned there: %s", d->address, device->why),
			       "assign another device");
}

void check_host_devices(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);

	for (guint i = 0; dma && i < dma->devices->len; i++) {
		const struct dma_device *d = g_ptr_array_index(dma->devices, i);
		const struct device *device = host_device(j, d);

		if (!d->address)
			device_finding(j, d, V_UNKNOWN, ON_ALL,
				       g_strdup("which device of the host is meant is not told"),
				       "write its address");
		else if (!device)
			absent_finding(j, d);
		else if (!d->mediated)
			judge_device(j, d, device);
	}
}

/* The kernel lets no device go that can forge interrupts, unless it was told to. */
static int forges_interrupts(const struct judgement *j, const struct dma_device *d, const struct device *device)
{
	const struct fact *unsafe = profile_fact_any(j->target.profile,
						     d->iommufd ? "iommu.option.unsafe-iommufd" :
								  "iommu.option.unsafe-interrupts");
	int remapped = device->unit ? facts_truth(device->unit->facts, "iommu.interrupt-remapping") : -1;

	if (remapped == 1 || (unsafe && unsafe->state == FACT_KNOWN && json_is_true(unsafe->value)))
		return 0;
	return remapped == 0 && unsafe && unsafe->state == FACT_KNOWN ? 1 : -1;
}

/* 1, 0 or -1 */
static int has_iommufd(const struct judgement *j)
{
	const struct fact *fact = profile_fact_any(j->target.profile, "vfio.iommufd");

	return !fact || fact->state == FACT_UNKNOWN || fact->state == FACT_UNREADABLE ? -1 :
	       fact->state == FACT_KNOWN && json_is_true(fact->value);
}

static void judge_isolation(struct judgement *j, const struct dma_device *d, const struct device *device)
{
	const char *qemu = target_qemu_version(&j->target);
	struct finding *f;
	int forges;

	if (d->iommufd && qemu && version_compare(qemu, "9.0") < 0) {
		device_finding(j, d, V_BLOCK, ON_ALL, g_strdup_printf("QEMU %s has no iommufd", qemu),
			       "leave iommufd out, or upgrade QEMU");
		return;
	}
	if (d->iommufd && has_iommufd(j) == 0) {
		device_finding(j, d, V_BLOCK, ON_ALL, g_strdup("the host's kernel has no iommufd (/dev/iommu)"),
			       "leave iommufd out, or load its module");
		return;
	}
	if (device->group < 0 && !d->mediated) {
		device_finding(j, d, V_BLOCK, ON_ALL,
			       g_strdup_printf("%s is in no IOMMU group there: nothing translates its DMA",
					       d->address),
			       "switch the IOMMU on (firmware, intel_iommu=on), or choose another host");
		return;
	}
	forges = d->mediated ? 0 : forges_interrupts(j, d, device);
	if (!forges)
		return;
	f = device_finding(j, d, forges > 0 ? V_BLOCK : V_UNKNOWN, ON_ALL,
			   forges > 0 ? g_strdup("interrupts aren't remapped there, and the kernel assigns no device that can forge them") :
					g_strdup("whether interrupts are remapped there is not known"),
			   forges > 0 ? "switch interrupt remapping on, or (unsafe) allow_unsafe_interrupts=1" :
					ASK_PROBE);
	f->capability = "iommu.interrupt-remapping";
	finding_item(f->have, "iommu.interrupt-remapping", forges > 0 ? json_false() : json_null());
}

void check_host_isolation(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);

	for (guint i = 0; dma && i < dma->devices->len; i++) {
		const struct dma_device *d = g_ptr_array_index(dma->devices, i);
		const struct device *device = host_device(j, d);

		if (device)
			judge_isolation(j, d, device);
	}
}

static char *range_text(const struct value_range *r)
{
	return g_strdup_printf("0x%" G_GINT64_MODIFIER "x-0x%" G_GINT64_MODIFIER "x", r->first, r->last);
}

/* Is guest memory mapped for the device as soon as it is there? */
static bool maps_memory(const struct judgement *j, const struct dma *dma, const struct dma_device *d)
{
	const struct dma_viommu *v = viommu_before(dma, d);
	struct viommu_scope scope;

	if (!v || strcmp(v->device, "virtio-iommu-pci"))
		return true;
	viommu_scope_init(&scope, j->needs, &j->target, j->judge->tables);
	return !viommu_is(&scope, v, "boot-bypass", "off");
}

static void unmappable(struct judgement *j, const struct dma_device *d, const struct device *device,
		       const struct value_range *ram, uint64_t at)
{
	g_autofree char *text = range_text(ram);
	struct finding *f;

	f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup("/domain/memory"),
			g_strdup_printf("guest memory %s can't be mapped for %s: not at 0x%" G_GINT64_MODIFIER "x (IOMMU %s)",
					text, d->address, at, device->unit ? device->unit->id : "not known"),
			g_strdup("give the guest less memory, or room elsewhere (<maxMemory>, <memory>), or choose another host"));
	f->capability = "iommu.ranges";
	finding_item(f->need, "iommu.ranges", json_string(text));
}

static void judge_memory(struct judgement *j, const struct dma *dma, const struct dma_device *d,
			 const struct device *device)
{
	g_autoptr(GArray) have = host_ranges(device);
	const char *why = "which addresses the host's IOMMU maps is not known";
	g_autoptr(GArray) ram = have ? guest_ram(j, dma, &why) : NULL;
	uint64_t at;

	if (!ram) {
		struct finding *f = finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(d->where),
						g_strdup(why), g_strdup(ASK_PROBE));

		f->capability = "iommu.ranges";
		return;
	}
	for (guint i = 0; i < ram->len; i++) {
		const struct value_range *r = &g_array_index(ram, struct value_range, i);

		if (ranges_lack(have, r, &at)) {
			unmappable(j, d, device, r, at);
			return;
		}
	}
}

void check_host_mappable(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);

	for (guint i = 0; dma && i < dma->devices->len; i++) {
		const struct dma_device *d = g_ptr_array_index(dma->devices, i);
		const struct device *device = host_device(j, d);

		if (!device || d->mediated)
			continue;
		if (viommu_is_spapr(j))
			spapr_judge(j, d, device);
		else if (maps_memory(j, dma, d))
			judge_memory(j, dma, d, device);
	}
}
