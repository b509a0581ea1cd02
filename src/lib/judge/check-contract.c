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

static char *difference_text(const struct dma_viommu *v, const struct contract_difference *d)
{
	bool stays = strcmp(v->device, "virtio-iommu-pci") != 0;

	if (d->verdict == V_UNKNOWN)
		return g_strdup_printf("whether %s is the same there is not known (%s)", d->property, d->sees);
	if (d->verdict == V_WARN && !g_strcmp0(d->there, "on"))
		return g_strdup_printf("QEMU there has %s and the guest goes on seeing none: it does more than it must",
				       d->sees);
	if (d->verdict == V_WARN)
		return g_strdup_printf("the guest goes on seeing %s, which QEMU there doesn't show and works by all the same",
				       d->sees);
	return g_strdup_printf("%s is %s here and %s there, and QEMU compares nothing: the guest %s (%s)",
			       d->property, d->here, d->there,
			       stays ? "goes on seeing what it had" : "would see it change", d->sees);
}

/* A property's value as its type in the dictionary has it; null where it isn't known. */
static json_t *property_json(const char *value)
{
	guint64 n;

	if (!value)
		return json_null();
	if (!strcmp(value, "on") || !strcmp(value, "off"))
		return json_boolean(!strcmp(value, "on"));
	if (g_ascii_string_to_unsigned(value, 10, 0, UINT32_MAX, &n, NULL))
		return json_integer((json_int_t)n);
	return json_string(value);
}

static void tell_difference(struct judgement *j, const struct dma_viommu *v,
			    const struct contract_difference *d)
{
	struct finding *f = finding_add(j, d->verdict, EFFECT_HAZARD, ON_MIGRATE, g_strdup(v->where),
					difference_text(v, d), g_strdup("start the guest anew there"));

	f->capability = viommu_id(v, d->property);
	finding_item(f->need, f->capability, property_json(d->here));
	finding_item(f->have, f->capability, property_json(d->there));
}

void check_viommu_contract(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);
	struct viommu_scope here, there;
	struct target source;

	if (!dma || !dma->viommus->len)
		return;
	viommu_scope_init(&there, j->needs, &j->target, j->judge->tables);
	if (j->source)
		target_resolve_machine(j->needs, j->source, &source);
	viommu_scope_init(&here, j->needs, j->source ? &source : &j->target, j->judge->tables);
	for (guint i = 0; i < dma->viommus->len; i++) {
		const struct dma_viommu *v = g_ptr_array_index(dma->viommus, i);
		g_autoptr(GPtrArray) differences = contract_compare(&here, v, &there, v);
		const char *stays = contract_unmigratable(&there, v);

		if (stays)
			finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_MIGRATE, g_strdup(v->where),
				    g_strdup(stays), g_strdup("choose another model, or libvirt's own <iommu>"));
		for (guint k = 0; j->source && k < differences->len; k++)
			tell_difference(j, v, differences->pdata[k]);
	}
}

/* --- assigned devices -------------------------------------------------------------------------- */

static int device_truth(const struct profile *profile, const struct dma_device *d, const char *id)
{
	const struct device *device = profile && d->address ? profile_device(profile, d->address) : NULL;

	return device ? facts_truth(device->facts, id) : -1;
}

/* Of both hosts; a source that isn't known says nothing. */
static int both_truth(const struct judgement *j, const struct dma_device *d, const char *id)
{
	int there = device_truth(j->target.profile, d, id);
	int here = j->source ? device_truth(j->source, d, id) : there;

	if (!here || !there)
		return 0;
	return here < 0 || there < 0 ? -1 : 1;
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

static void stays(struct judgement *j, const struct dma_device *d, enum verdict verdict, const char *text)
{
	finding_add(j, verdict, EFFECT_FAILS_SAFELY, ON_MIGRATE, g_strdup(d->where), g_strdup(text),
		    g_strdup("unplug it before the move"));
}

/* 1, 0 or -1: can the source's driver, or its IOMMU alone, tell which pages a device wrote to? */
static int tracks(const struct judgement *j, const struct dma_device *d, bool by_driver)
{
	const struct profile *profile = j->source ? j->source : j->target.profile;
	const struct device *device = d->address ? profile_device(profile, d->address) : NULL;
	const struct fact *features = device ? facts_find(device->facts, "vfio.device-features", VIEWS) : NULL;
	int driver = -1, unit = device && device->unit ? facts_truth(device->unit->facts, "iommu.dirty-tracking") : -1;
	const json_t *name;
	size_t i;

	if (!by_driver || unit == 1)
		return unit;
	if (features && features->state == FACT_KNOWN) {
		driver = 0;
		json_array_foreach (features->value, i, name)
			driver |= !g_strcmp0(json_string_value(name), "dma-logging-start");
	}
	return driver == 1 ? 1 : !driver && !unit ? 0 : -1;
}

/*
 * Before 11.0 QEMU moves nothing behind a virtual IOMMU, whichever end is that old; from then on the
 * host's IOMMU itself must track what is written (hw/vfio/migration.c).
 */
static void behind_moves(struct judgement *j, const struct dma_device *d)
{
	int old = rule_host_term(j, "qemu<11.0"), from_old = j->source ? rule_host_term(j, "from-qemu<11.0") : 0;
	int tracked = tracks(j, d, false);

	if (old == 1 || from_old == 1)
		stays(j, d, V_BLOCK, "QEMU before 11.0 moves no assigned device behind a virtual IOMMU");
	else if (old < 0 || from_old < 0 || tracked < 0)
		stays(j, d, V_UNKNOWN, "whether QEMU and the host's IOMMU track what devices write behind a virtual IOMMU is not known");
	else if (!tracked)
		stays(j, d, V_BLOCK, "behind a virtual IOMMU the host's must track what devices write, and it can't");
}

/* QEMU moves a device only where somebody tracks what it writes (enable-migration=auto). */
static void plain_moves(struct judgement *j, const struct dma_device *d)
{
	int tracked = tracks(j, d, true);

	if (tracked < 0)
		stays(j, d, V_UNKNOWN, "whether the device's driver or the host's IOMMU tracks what it writes is not known");
	else if (!tracked)
		stays(j, d, V_BLOCK, "neither the device's driver nor the host's IOMMU tracks what it writes");
}

static void judge_moves(struct judgement *j, const struct dma *dma, const struct dma_device *d)
{
	int saves = both_truth(j, d, "vfio.migration.stop-copy");

	device_moves(j, d, "vfio.migration.stop-copy", "its driver can't save the device's state");
	if (viommu_before(dma, d)) {
		behind_moves(j, d);
	} else if (saves == 1) {
		plain_moves(j, d);
	}
	if (saves == 1 && dma->devices->len > 1)
		device_moves(j, d, "vfio.migration.p2p",
			     "of several devices each must stop talking to others first, and this one can't");
}

void check_host_device_moves(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);

	for (guint i = 0; dma && i < dma->devices->len; i++)
		judge_moves(j, dma, g_ptr_array_index(dma->devices, i));
}
