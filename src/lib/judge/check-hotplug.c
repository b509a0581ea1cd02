/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-hotplug.c: what is asked of a device only when it is plugged into a running guest: that
 * libvirt attaches its kind, and what the guest was started with and goes on relying on (the page size of its virtual IOMMU, the room for more memory).
 */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "judge/viommu.h"
#include "model/value.h"

/* The device that is plugged in, on the host; NULL: none, or the host isn't known to have it. */
static const struct device *plugged_device(const struct judgement *j, const struct dma_device **d)
{
	const struct dma *dma = dma_of(j->needs);

	*d = NULL;
	for (guint i = 0; dma && i < dma->devices->len; i++) {
		const struct dma_device *one = g_ptr_array_index(dma->devices, i);

		if (one->plugged)
			*d = one;
	}
	return *d && (*d)->address ? profile_device(j->target.profile, (*d)->address) : NULL;
}

static const struct xml_node *plugged_node(const struct judgement *j)
{
	const struct xml_node *devices = xml_child(xml_root(j->needs->definition), "devices");
	const struct xml_node *last = devices ? devices->children : NULL;

	while (last && last->next)
		last = last->next;
	return last;
}

static struct finding *tell(struct judgement *j, enum verdict verdict, enum effect effect, char *where,
			    char *text, const char *fix)
{
	return finding_add(j, verdict, effect, ON_START, where, text, g_strdup(fix));
}

/* --- its kind, and a place ---------------------------------------------------------------------- */

/* What libvirt doesn't attach to a running guest (9.0.0: qemuDomainAttachDeviceLive). */
static bool attachable(const char *name)
{
	static const char *const never[] = { "audio", "crypto", "graphics", "hub", "iommu", "memballoon",
					     "nvram", "panic", "pstore", "smartcard", "sound", "tpm",
					     "video", NULL };

	return !g_strv_contains(never, name);
}

static bool bus_taken(const struct xml_node *devices, const struct xml_node *but, guint64 bus)
{
	for (const struct xml_node *n = devices->children; n; n = n->next) {
		const struct xml_node *address = xml_child(n, "address");
		const char *text = xml_attr(address, "bus");

		if (n != but && text && !g_strcmp0(xml_attr(address, "type"), "pci") &&
		    g_ascii_strtoull(text, NULL, 0) == bus)
			return true;
	}
	return false;
}

/* 1, 0 or -1: is there a port left that devices are plugged into? */
static int has_free_port(const struct xml_node *devices, const struct xml_node *plugged)
{
	static const char *const ports[] = { "pcie-root-port", "pcie-switch-downstream-port", NULL };
	static const char *const bridges[] = { "pci-bridge", "pcie-to-pci-bridge", NULL };
	int has = -1;

	for (const struct xml_node *n = xml_child(devices, "controller"); n; n = xml_same(n)) {
		const char *index = xml_attr(n, "index");

		if (controller_is(n, bridges))
			return 1;
		if (!controller_is(n, ports) || !index)
			continue;
		if (!bus_taken(devices, plugged, g_ascii_strtoull(index, NULL, 10)))
			return 1;
		has = 0;
	}
	return has;
}

/* Root ports of PCI Express take one device each, and only there can one be plugged in. */
static void judge_port(struct judgement *j, const struct xml_node *plugged)
{
	const char *family = machine_family(j->target.machine ? j->target.machine : j->needs->machine);
	bool pci = (!strcmp(plugged->name, "hostdev") && !g_strcmp0(xml_attr(plugged, "type"), "pci")) ||
		   !strcmp(plugged->name, "interface");

	if (!j->needs->live || !pci || xml_child(plugged, "address") ||
	    (strcmp(family, "q35") && strcmp(family, "virt")) || has_free_port(plugged->parent, plugged))
		return;
	tell(j, V_BLOCK, EFFECT_FAILS_SAFELY, xml_path(plugged),
	     g_strdup("every port that a device can be plugged into is taken"),
	     "unplug another, or start the guest with more <controller type='pci' model='pcie-root-port'/>");
}

void check_hotplug_supported(struct judgement *j)
{
	const struct xml_node *plugged = plugged_node(j);

	if (!plugged)
		return;
	if (!attachable(plugged->name))
		tell(j, V_BLOCK, EFFECT_FAILS_SAFELY, xml_path(plugged),
		     g_strdup_printf("libvirt attaches no <%s> to a running guest", plugged->name),
		     "write it into the definition, and start the guest anew");
	else
		judge_port(j, plugged);
}

/* --- the page size that was frozen --------------------------------------------------------------- */

/* Page sizes of a device, a bit each; 0: not known. iommufd tells QEMU the smallest alone. */
static uint64_t page_sizes(const struct dma_device *d, const struct device *device)
{
	const GArray *own = device->facts, *unit = device->unit ? device->unit->facts : own;
	uint64_t sizes = 0, smallest = 0;

	if (!facts_number(own, "iommu.page-sizes", &sizes))
		facts_number(unit, "iommu.page-sizes", &sizes);
	if (!facts_number(own, "iommu.alignment", &smallest))
		facts_number(unit, "iommu.alignment", &smallest);
	if (!d->iommufd)
		return sizes ? sizes : -smallest;
	return smallest ? smallest : sizes & -sizes;
}

/* The granule as the devices that the guest was started with left it, in bytes; 0: not known. */
static uint64_t frozen_granule(const struct judgement *j, const struct viommu_scope *s,
			       const struct dma_viommu *v)
{
	const char *text = viommu_value(s, v, "granule");
	uint64_t kib = text && g_ascii_isdigit(*text) ? g_ascii_strtoull(text, NULL, 10) : 0, mask;

	if (!kib || kib > 1024 || kib & (kib - 1))
		return 0;
	mask = -(kib * 1024);
	for (guint i = 0; i < s->dma->devices->len; i++) {
		const struct dma_device *d = g_ptr_array_index(s->dma->devices, i);
		const struct device *device = d->address ? profile_device(j->target.profile, d->address) : NULL;
		uint64_t sizes = device ? page_sizes(d, device) : 0;

		if (!d->plugged && viommu_before(s->dma, d) == v && sizes & mask)
			mask &= sizes;
	}
	return mask & -mask;
}

/* From 9.1 on QEMU refuses such a device; before, it ended with it (seen on 64-KiB hosts). */
static void judge_granule(struct judgement *j, const struct viommu_scope *s, const struct dma_viommu *v,
			  const struct dma_device *d, const struct device *device)
{
	uint64_t granule = frozen_granule(j, s, v), sizes = page_sizes(d, device);
	bool refused = qemu_from(s, "9.1"), known = granule && sizes;
	struct finding *f;

	if (known && granule & sizes)
		return;
	if (!known && granule == 4096 && !strcmp(s->family, "pc"))
		return; /* every IOMMU of x86 has pages of 4 KiB */
	f = tell(j, known ? V_BLOCK : V_UNKNOWN, refused ? EFFECT_FAILS_SAFELY : EFFECT_HAZARD,
		 g_strdup(d->where),
		 !known ? g_strdup("whether the host maps pages as small as the guest's IOMMU was frozen with is not known") :
			  g_strdup_printf("the guest's IOMMU is frozen with pages of %" G_GUINT64_FORMAT
					  " KiB, and %s can't be mapped by these%s", granule / 1024, d->address,
					  refused ? "" : ": that QEMU ends when it is plugged in"),
		 "start the guest with this device, or set its <granule> to what all devices can");
	f->capability = "iommu.page-sizes";
	finding_item(f->need, "iommu.page-sizes", json_sprintf("0x%" G_GINT64_MODIFIER "x", granule));
	finding_item(f->have, "iommu.page-sizes",
		     sizes ? json_sprintf("0x%" G_GINT64_MODIFIER "x", sizes) : json_null());
}

void check_hotplug_frozen(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);
	const struct dma_device *d;
	const struct device *device = plugged_device(j, &d);
	const struct dma_viommu *v = device && !d->mediated ? viommu_before(dma, d) : NULL;
	struct viommu_scope s;

	if (!v || strcmp(v->device, "virtio-iommu-pci"))
		return;
	viommu_scope_init(&s, j->needs, &j->target, j->judge->tables);
	judge_granule(j, &s, v, d, device);
}

/* --- room that was promised ---------------------------------------------------------------------- */

/* Bytes that may still be plugged in. */
static uint64_t room_left(const struct needs *needs)
{
	unsigned long long most;

	if (!needs_size_kib(xml_at(xml_root(needs->definition), "maxMemory"), &most) ||
	    most <= needs->memory_kib || most > (1ull << 50))
		return 0;
	return (most - needs->memory_kib) * 1024;
}

/* Where it would come: as one DIMM behind those that are there. */
static GArray *ram_with_room(const struct judgement *j, const struct dma *dma, uint64_t room, const char **why)
{
	struct dma_dimm dimm = { .size = room };
	g_autoptr(GPtrArray) dimms = g_ptr_array_new();
	struct needs needs = *j->needs;
	struct judgement full = *j;
	struct dma with = *dma;

	for (guint i = 0; i < dma->dimms->len; i++)
		g_ptr_array_add(dimms, dma->dimms->pdata[i]);
	g_ptr_array_add(dimms, &dimm);
	with.dimms = dimms;
	needs.memory_kib += room / 1024;
	full.needs = &needs;
	return guest_ram(&full, &with, why);
}

static void judge_room(struct judgement *j, const struct dma_device *d, const struct device *device,
		       const GArray *have, const struct value_range *room, uint64_t at)
{
	g_autofree char *text = g_strdup_printf("0x%" G_GINT64_MODIFIER "x-0x%" G_GINT64_MODIFIER "x",
						room->first, room->last);
	struct finding *f;

	f = tell(j, V_BLOCK, EFFECT_HAZARD, g_strdup("/domain/maxMemory"),
		 g_strdup_printf("the guest was promised room for memory at %s, which can't be mapped for %s (not at 0x%" G_GINT64_MODIFIER "x, IOMMU %s): QEMU ends when memory is plugged in there",
				 text, d->address, at, device->unit ? device->unit->id : "not known"),
		 "assign another device, or start the guest with less <maxMemory>");
	f->capability = "iommu.ranges";
	finding_item(f->need, "iommu.ranges", json_string(text));
	finding_item(f->have, "iommu.address-bits", json_integer(ranges_bits(have)));
}

void check_hotplug_room(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);
	const struct dma_device *d;
	const struct device *device = plugged_device(j, &d);
	g_autoptr(GArray) have = device && !d->mediated ? host_ranges(device) : NULL;
	uint64_t room = room_left(j->needs), at;
	g_autoptr(GArray) ram = NULL;
	const char *why = "";

	if (!have || !room)
		return; /* what isn't known of the host was said by host-device-mappable */
	ram = ram_with_room(j, dma, room, &why);
	if (!ram) {
		tell(j, V_UNKNOWN, EFFECT_HAZARD, g_strdup("/domain/maxMemory"), g_strdup(why), NULL);
		return;
	}
	if (ranges_lack(have, &g_array_index(ram, struct value_range, ram->len - 1), &at))
		judge_room(j, d, device, have, &g_array_index(ram, struct value_range, ram->len - 1), at);
}
