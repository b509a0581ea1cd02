/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-group.c: may the IOMMU groups of assigned devices be given to the guest.
 *
 * The kernel gives a group away as a whole, and only while no driver of the host holds another
 * member of it. Behind a virtual IOMMU each function has addresses of its own, which one group
 * can't have.
 */
#include "config.h"

#include <string.h>

#include "judge/viommu.h"

bool controller_is(const struct xml_node *controller, const char *const *models)
{
	const char *model = xml_attr(controller, "model");

	return !g_strcmp0(xml_attr(controller, "type"), "pci") && model && g_strv_contains(models, model);
}

static const struct dma_device *assigned(const struct dma *dma, const char *address)
{
	for (guint i = 0; i < dma->devices->len; i++) {
		const struct dma_device *d = g_ptr_array_index(dma->devices, i);

		if (!g_strcmp0(d->address, address))
			return d;
	}
	return NULL;
}

static struct finding *group_finding(struct judgement *j, const struct dma_device *d, enum verdict verdict,
				     char *text, const char *fix)
{
	struct finding *f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(d->where), text,
					g_strdup(fix));

	f->capability = "pci.address";
	finding_item(f->need, "pci.address", json_string(d->address));
	return f;
}

/* But where one conventional PCI bridge is before both, QEMU gives them addresses in common. */
static void judge_split(struct judgement *j, const struct dma_device *d, const struct device *device,
			const struct device *other)
{
	static const char *const bridges[] = { "pci-bridge", "pcie-to-pci-bridge", "dmi-to-pci-bridge", NULL };
	const struct xml_node *n = xml_at(xml_root(j->needs->definition), "devices/controller");
	bool bridged = false;

	for (; n; n = xml_same(n))
		bridged |= controller_is(n, bridges);
	group_finding(j, d, bridged ? V_UNKNOWN : V_BLOCK,
		      g_strdup_printf("%s and %s share IOMMU group %d, and behind a virtual IOMMU each has addresses of its own%s",
				      d->address, other->address, device->group,
				      bridged ? " (but where one conventional PCI bridge is before both)" : ""),
		      "assign a device of another group");
}

/* A member that stays with the host. */
static void judge_member(struct judgement *j, const struct dma_device *d, const struct device *device,
			 const struct device *other)
{
	int holds = device_holds_group(other);
	struct finding *f;

	if (!holds)
		return;
	f = group_finding(j, d, holds > 0 ? V_BLOCK : V_UNKNOWN,
			  holds > 0 ? g_strdup_printf("IOMMU group %d of %s has %s in it too, which the host's driver %s keeps",
						      device->group, d->address, other->address, other->driver) :
				      g_strdup_printf("IOMMU group %d of %s has %s in it too, and whether a driver of the host keeps that is not known",
						      device->group, d->address, other->address),
			  holds > 0 ? "bind that one to vfio-pci too, or assign a device of another group" :
				      "run 'capbroker probe' on the host");
	finding_item(f->have, "pci.address", json_string(other->address));
}

static void judge_group(struct judgement *j, const struct dma *dma, guint i)
{
	const struct dma_device *d = g_ptr_array_index(dma->devices, i);
	const struct device *device = d->address ? profile_device(j->target.profile, d->address) : NULL;
	const GPtrArray *all = j->target.profile->devices;

	if (!device || device->group < 0 || d->mediated)
		return;
	for (guint k = 0; k < all->len; k++) {
		const struct device *other = g_ptr_array_index(all, k);
		const struct dma_device *has = assigned(dma, other->address);

		if (other == device || other->group != device->group)
			continue;
		if (!has)
			judge_member(j, d, device, other);
		else if (has->place < d->place && viommu_before(dma, d) && viommu_before(dma, has))
			judge_split(j, d, device, other);
	}
}

void check_host_group(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);

	for (guint i = 0; dma && i < dma->devices->len; i++)
		judge_group(j, dma, i);
}
