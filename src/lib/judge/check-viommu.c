/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-viommu.c: will QEMU have the virtual IOMMU as it is written, and may it stand before the
 * assigned devices there; and which stage that is.
 */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "judge/viommu-pair.h"

bool viommu_kind(const struct dma_viommu *v, const char *device)
{
	return !strcmp(v->device, device);
}

struct finding *viommu_finding(struct judgement *j, const struct dma_viommu *v, enum verdict verdict,
			       enum effect effect, unsigned int on, char *text, const char *fix)
{
	struct finding *f = finding_add(j, verdict, effect, on, g_strdup(v->where), text, g_strdup(fix));

	f->capability = "viommu.model";
	return f;
}

static struct finding *refuse(struct judgement *j, const struct dma_viommu *v, char *text, const char *fix)
{
	return viommu_finding(j, v, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, text, fix);
}

/* --- its properties ---------------------------------------------------------------------------- */

/* 1, 0 or -1: has that QEMU's device the property? Its own list counts before the table. */
static int has_property(const struct judgement *j, const struct viommu_scope *s,
			const struct dma_viommu *v, const char *name)
{
	g_autofree char *term = g_strdup_printf("property:%s.%s", v->device, name);
	int told = rule_host_term(j, term);
	int row = viommu_row(s, v, name);

	return told >= 0 ? told : row >= 0 ? 1 : row == -1 ? 0 : -1;
}

static void judge_property(struct judgement *j, const struct viommu_scope *s, const struct dma_viommu *v,
			   const struct dma_property *p)
{
	int has = has_property(j, s, v, p->name), row = viommu_row(s, v, p->name);
	struct finding *f = NULL;

	/* rules know what libvirt takes, drops and makes of its own attributes */
	if (p->by_libvirt && !has)
		return;
	if (!has)
		f = refuse(j, v, g_strdup_printf("QEMU %s has no property %s of %s", s->qemu ? s->qemu : "there",
						 p->name, v->device),
			   "leave it out, or use that QEMU's name for it");
	else if (has < 0 && !p->by_libvirt)
		f = viommu_finding(j, v, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
				   g_strdup_printf("whether QEMU there has a property %s of %s is not known",
						   p->name, v->device),
				   "run 'capbroker probe' on the host");
	else if (row >= 0 && !p->by_libvirt && !viommu_takes(s->tables, row, p->value))
		f = refuse(j, v, g_strdup_printf("%s takes no %s=%s", v->device, p->name, p->value),
			   "choose another value");
	if (f)
		f->capability = viommu_id(v, viommu_canonical(s->tables, v->device, p->name));
}

unsigned int viommu_number(const char *text, unsigned int otherwise)
{
	guint64 n;

	return text && g_ascii_string_to_unsigned(text, 10, 0, 1000, &n, NULL) ? (unsigned int)n : otherwise;
}

/* What Intel's refuses of properties together: vtd_decide_config(). */
static void judge_intel(struct judgement *j, const struct viommu_scope *s, const struct dma_viommu *v)
{
	bool first = viommu_is(s, v, "first-stage", "on"), scalable = viommu_is(s, v, "scalable-mode", "on");
	unsigned int pasid = viommu_number(viommu_value(s, v, "pasid-bits"), 0);

	if (viommu_is(s, v, "eim", "on") && viommu_is(s, v, "intremap", "off"))
		refuse(j, v, g_strdup("extended interrupt mode needs interrupt remapping"), "set intremap='on'");
	else if (viommu_is(s, v, "eim", "on") && !viommu_is(s, v, "buggy-eim", "on") &&
		 qemu_before(s, "8.2") && g_strcmp0(s->needs->accel, "kvm"))
		refuse(j, v, g_strdup_printf("QEMU %s has extended interrupt mode with KVM alone", s->qemu),
		       "set eim='off'");
	else if (first && !scalable)
		refuse(j, v, g_strdup("first-stage tables need scalable mode"), "switch scalable mode on");
	else if (first && !viommu_is(s, v, "aw-bits", "48"))
		refuse(j, v, g_strdup("first-stage tables have 48 address bits"), "set aw_bits='48'");
	else if (scalable && viommu_is(s, v, "dma-drain", "off"))
		refuse(j, v, g_strdup("scalable mode needs DMA draining, which old machine types have off"),
		       "set dma-drain=on, or choose a machine type from 4.0 on");
	else if ((viommu_is(s, v, "pasid-mode", "on") || pasid) && !scalable)
		refuse(j, v, g_strdup("PASIDs need scalable mode"), "switch scalable mode on");
	else if (pasid > 20)
		refuse(j, v, g_strdup_printf("PASIDs have at most 20 bits, not %u", pasid), "set 20 at most");
	else if (viommu_is(s, v, "svm", "on") && (!first || !viommu_is(s, v, "device-iotlb", "on")))
		refuse(j, v, g_strdup("shared virtual memory needs first-stage tables and the device IOTLB"),
		       "switch them on, or svm off");
}

/* Written as <iommu>, of which the rules know where it may stand. */
static bool libvirts_own(const struct dma_viommu *v)
{
	return g_str_has_prefix(v->where, "/domain/devices/iommu");
}

void check_viommu_properties(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);
	struct viommu_scope s;

	if (!dma || !dma->viommus->len)
		return;
	viommu_scope_init(&s, j->needs, &j->target, j->judge->tables);
	for (guint i = 0; i < dma->viommus->len; i++) {
		const struct dma_viommu *v = g_ptr_array_index(dma->viommus, i);
		guint before = j->out->findings->len;

		/* virtio's is a PCI function: i440fx machines have it too */
		if (!strcmp(s.family, "pc") && strcmp(machine_family(j->target.machine), "q35") &&
		    !libvirts_own(v) && !viommu_kind(v, "virtio-iommu-pci"))
			refuse(j, v, g_strdup_printf("QEMU has no %s on %s", v->device, j->target.machine),
			       "choose a q35 machine type");
		if (!strcmp(s.family, "pc") && i == 1 && !xml_at(xml_root(j->needs->definition), "devices/iommu"))
			refuse(j, v, g_strdup("QEMU has one virtual IOMMU on PCs"), "remove the others");
		for (guint k = 0; k < v->properties->len; k++)
			judge_property(j, &s, v, &g_array_index(v->properties, struct dma_property, k));
		if (viommu_kind(v, "intel-iommu") && j->out->findings->len == before)
			judge_intel(j, &s, v);
	}
}

/* --- before assigned devices ------------------------------------------------------------------- */

bool viommu_is_exact(const struct viommu_scope *s, const struct dma_viommu *v)
{
	return viommu_is(s, v, "first-stage", "on") || viommu_is(s, v, "accel", "on");
}

void viommu_need_bits(struct finding *f, const struct dma_viommu *v, unsigned int need, unsigned int have)
{
	bool settable = viommu_kind(v, "intel-iommu") || viommu_kind(v, "virtio-iommu-pci");

	f->capability = settable ? viommu_id(v, "aw-bits") : "iommu.address-bits";
	finding_item(f->need, f->capability, json_integer(need));
	finding_item(f->have, "iommu.address-bits", json_integer(have));
}

/* From 9.1 on QEMU refuses an Intel IOMMU wider than the host's; true where it said so. */
static bool intel_width(const struct viommu_pair *p)
{
	const char *text = viommu_value(&p->s, p->v, "aw-bits");
	unsigned int need = viommu_number(text, 0), have = p->ranges ? ranges_bits(p->ranges) : 0;
	struct finding *f;

	if (!need || !have) {
		viommu_finding(p->j, p->v, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			       g_strdup("how wide the guest's IOMMU or the host's is, is not known"),
			       "run 'capbroker probe' on the host");
		return true;
	}
	if (need <= have || !qemu_from(&p->s, "9.1"))
		return false;
	f = finding_add(p->j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(p->v->where),
			g_strdup_printf("guest's IOMMU has %u address bits%s, host's gives %u (%s)", need,
					dma_property(p->v, "aw-bits") ? "" : " by default", have,
					p->device->unit ? p->device->unit->id : p->d->address),
			g_strdup(viommu_is_exact(&p->s, p->v) ? "leave first-stage off and set caching_mode='on' aw_bits='39'" :
				 have >= 39	? "set aw_bits='39'" :
						  "choose another host"));
	viommu_need_bits(f, p->v, need, have);
	return true;
}

/* The kernel's page tables as a nesting parent: QEMU asks for one before anything else, from 11.1 on. */
static bool intel_first_stage(const struct viommu_pair *p)
{
	int nested = p->device->unit ? facts_truth(p->device->unit->facts, "iommu.nested") : -1;
	bool vtd = p->device->unit && !strcmp(p->device->unit->type, "vtd");
	struct finding *f;

	if (p->d->iommufd && vtd && nested == 1)
		return false;
	f = viommu_finding(p->j, p->v, p->d->iommufd && vtd && nested < 0 ? V_UNKNOWN : V_BLOCK,
			   EFFECT_FAILS_SAFELY, ON_ALL,
			   g_strdup(!p->d->iommufd ? "first-stage tables need the device attached by iommufd" :
				    !vtd	   ? "first-stage tables need an Intel IOMMU in the host" :
				    nested < 0 ? "whether the host's IOMMU can use the guest's tables is not known" :
						 "the host's IOMMU can't use the guest's tables (no nesting)"),
			   "leave first-stage off and set caching_mode='on'");
	f->capability = "iommu.nested";
	finding_item(f->need, "iommu.nested", json_true());
	finding_item(f->have, "iommu.nested", nested < 0 ? json_null() : json_boolean(nested));
	return true;
}

static bool intel_caching_mode(const struct viommu_pair *p)
{
	if (viommu_is(&p->s, p->v, "caching-mode", "on"))
		return false;
	refuse(p->j, p->v, g_strdup("an Intel IOMMU before assigned devices needs caching mode"),
	       "set caching_mode='on'");
	return true;
}

/* Newer QEMU asks for a nesting parent first of all. */
static void intel_exact(const struct viommu_pair *p)
{
	if (qemu_from(&p->s, "11.1"))
		(void)(intel_first_stage(p) || intel_width(p));
	else
		(void)(intel_width(p) || intel_first_stage(p));
}

static void intel_before(const struct viommu_pair *p)
{
	if (viommu_is_exact(&p->s, p->v))
		intel_exact(p);
	else if (!intel_width(p))
		intel_caching_mode(p);
}

/* 10.2 got dma-remap; before, AMD's can't tell VFIO what the guest maps, and refuses devices. */
static void amd_before(const struct viommu_pair *p)
{
	if (qemu_before(&p->s, "10.2"))
		refuse(p->j, p->v, g_strdup_printf("QEMU %s has no AMD IOMMU before assigned devices", p->s.qemu),
		       "choose another model (intel with caching_mode='on', or virtio)");
}

/* iommufd tells QEMU one page size, the smallest; a container tells all. */
static void virtio_before(const struct viommu_pair *p)
{
	const char *granule = viommu_value(&p->s, p->v, "granule");
	g_autofree char *digits = granule && g_str_has_suffix(granule, "k") ?
					  g_strndup(granule, strlen(granule) - 1) : NULL;
	unsigned int kib = viommu_number(digits, 0);
	uint64_t host = 0;

	if (!p->device->unit || !facts_number(p->device->unit->facts, "iommu.alignment", &host))
		facts_number(p->device->facts, "iommu.alignment", &host);
	if (!p->d->iommufd || (kib && kib <= 4))
		return;
	if (!kib)
		viommu_finding(p->j, p->v, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			       g_strdup("which page size the guest's IOMMU gets of the host is not known"),
			       "write its <granule>");
	else if (!host || host < kib * 1024ull)
		refuse(p->j, p->v, g_strdup_printf("pages of %u KiB aren't what the host's iommufd tells of", kib),
		       "leave granule out, or set 4 KiB");
}

/* What QEMU asks of the host's SMMUv3 (11.0: smmuv3_accel_check_hw_compatible()); 1, 0 or -1. */
static int smmu_has(const GArray *facts, const char *id, uint64_t least)
{
	uint64_t number;

	if (!least)
		return facts_truth(facts, id);
	return facts_number(facts, id, &number) ? number >= least : -1;
}

/* The first that the host lacks, or isn't known to have; all three granules must be there. */
static const char *smmu_lacks(const struct viommu_pair *p, int *has)
{
	const char *oas = viommu_value(&p->s, p->v, "oas"), *ssid = viommu_value(&p->s, p->v, "ssidsize");
	const struct {
		const char *id;
		uint64_t least; /* 0: a yes is asked for */
		bool asked;
	} wants[] = {
		{ "smmuv3.idr5.gran4k", 0, true },
		{ "smmuv3.idr5.gran16k", 0, true },
		{ "smmuv3.idr5.gran64k", 0, true },
		{ "smmuv3.idr0.st-level", 1, true },
		{ "smmuv3.idr3.ril", 0, !viommu_is(&p->s, p->v, "ril", "off") },
		{ "smmuv3.idr5.oas", viommu_number(oas, 44) > 44 ? 5 : 4, true },
		{ "smmuv3.idr1.ssidsize", viommu_number(ssid, 0), viommu_number(ssid, 0) > 0 },
	};
	const char *doubt = NULL;

	*has = 1;
	for (size_t i = 0; i < G_N_ELEMENTS(wants); i++) {
		int one = wants[i].asked ? smmu_has(p->device->unit->facts, wants[i].id, wants[i].least) : 1;

		if (!one) {
			*has = 0;
			return wants[i].id;
		}
		doubt = one < 0 && !doubt ? wants[i].id : doubt;
	}
	*has = doubt ? -1 : 1;
	return doubt;
}

static void smmu_exact(const struct viommu_pair *p)
{
	int nested = facts_truth(p->device->unit->facts, "iommu.nested"), has;
	const char *id = nested == 1 ? smmu_lacks(p, &has) : "iommu.nested";
	struct finding *f;

	if (!id)
		return;
	has = nested == 1 ? has : nested;
	f = viommu_finding(p->j, p->v, has ? V_UNKNOWN : V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL,
			   g_strdup_printf(has ? "whether the host's SMMUv3 can use the guest's tables is not known: %s" :
						 "the host's SMMUv3 can't use the guest's tables: %s", id),
			   has ? "run 'capbroker probe --claim DEVICE' on the host" :
				 "choose model='virtio', or a host with a nesting SMMUv3");
	f->capability = id;
}

/* SMMUv3 hands its tables to the host's where accel is on, else it can't stand before devices. */
static void smmu_before(const struct viommu_pair *p)
{
	if (!viommu_is(&p->s, p->v, "accel", "on"))
		refuse(p->j, p->v, g_strdup("an SMMUv3 that isn't accelerated can't stand before assigned devices"),
		       "choose model='virtio'");
	else if (!p->d->iommufd)
		refuse(p->j, p->v, g_strdup("an accelerated SMMUv3 needs the device attached by iommufd"),
		       "attach it by iommufd");
	else if (!p->device->unit || strcmp(p->device->unit->type, "smmuv3"))
		refuse(p->j, p->v, g_strdup("an accelerated SMMUv3 needs an SMMUv3 in the host"),
		       "choose model='virtio'");
	else
		smmu_exact(p);
}

void viommu_each_pair(struct judgement *j, void (*judge)(const struct viommu_pair *p))
{
	const struct dma *dma = dma_of(j->needs);
	struct viommu_pair p = { .j = j };

	if (!dma || !dma->viommus->len)
		return;
	viommu_scope_init(&p.s, j->needs, &j->target, j->judge->tables);
	for (guint i = 0; i < dma->devices->len; i++) {
		p.d = g_ptr_array_index(dma->devices, i);
		p.v = viommu_before(dma, p.d);
		p.device = p.d->address ? profile_device(j->target.profile, p.d->address) : NULL;
		if (!p.device || p.d->mediated)
			continue;
		p.ranges = host_ranges(p.device);
		judge(&p);
		g_clear_pointer(&p.ranges, g_array_unref);
	}
}

/*
 * It comes behind the device, and QEMU checks nothing when they meet; but up to 10.0 it looks for
 * VFIO devices once more when the machine is made (vtd_machine_done_hook()). 11.1 doesn't.
 */
static void behind(struct viommu_pair p)
{
	p.v = g_ptr_array_index(p.s.dma->viommus, 0);
	if (!viommu_kind(p.v, "intel-iommu") || qemu_from(&p.s, "11.1") ||
	    viommu_is(&p.s, p.v, "caching-mode", "on"))
		return;
	if (qemu_before(&p.s, "10.1"))
		intel_caching_mode(&p);
	else
		viommu_finding(p.j, p.v, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			       g_strdup("whether QEMU there takes an Intel IOMMU without caching mode behind a device is not known"),
			       "set caching_mode='on'");
}

static void before(const struct viommu_pair *p)
{
	if (!p->s.qemu)
		viommu_finding(p->j, p->v ? p->v : p->s.dma->viommus->pdata[0], V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			       g_strdup("which version of QEMU the host has is not known"),
			       "run 'capbroker probe' on the host");
	else if (!p->v)
		behind(*p);
	else if (viommu_kind(p->v, "intel-iommu"))
		intel_before(p);
	else if (viommu_kind(p->v, "amd-iommu"))
		amd_before(p);
	else if (viommu_kind(p->v, "virtio-iommu-pci"))
		virtio_before(p);
	else if (viommu_kind(p->v, "arm-smmuv3"))
		smmu_before(p);
}

void check_viommu_devices(struct judgement *j)
{
	viommu_each_pair(j, before);
}

/* --- the stage --------------------------------------------------------------------------------- */

const char *viommu_stage(const struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);
	static const char *const mine[] = { "viommu-properties", "viommu-devices", "viommu-supported",
					    "host-device-isolated", "host-device-group", "host-device-mappable" };
	const char *stage = "shadow";
	struct viommu_scope s;

	if (!dma || (!dma->viommus->len && !viommu_is_spapr(j)))
		return j->needs->has_viommu ? "unknown" : "none";
	if (!j->needs->has_host_device)
		return "emulated";
	viommu_scope_init(&s, j->needs, &j->target, j->judge->tables);
	for (guint i = 0; i < dma->viommus->len; i++) {
		const struct dma_viommu *v = g_ptr_array_index(dma->viommus, i);

		if (viommu_is(&s, v, "first-stage", "on") || viommu_is(&s, v, "accel", "on"))
			stage = "exact";
	}
	for (guint i = 0; i < j->out->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(j->out->findings, i);

		for (size_t k = 0; k < G_N_ELEMENTS(mine); k++) {
			if (strcmp(f->check, mine[k]) || !(f->on & ON_START))
				continue;
			if (f->verdict == V_BLOCK)
				return "refuse";
			if (f->verdict == V_UNKNOWN)
				stage = "unknown";
		}
	}
	return stage;
}
