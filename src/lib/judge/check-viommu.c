/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-viommu.c: will QEMU have the virtual IOMMU as it is written, may it stand before the assigned
 * devices there, and can those reach all that the guest may map.
 *
 * QEMU's own test is weaker than the last question and differs by version: it compares the width
 * with the end of the host's last range (from 9.1 on), never the holes. So a start may go well and DMA
 * fail later: a hazard.
 */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "judge/viommu.h"
#include "model/value.h"

static bool is_device(const struct dma_viommu *v, const char *device)
{
	return !strcmp(v->device, device);
}

static struct finding *viommu_finding(struct judgement *j, const struct dma_viommu *v, enum verdict verdict,
				      enum effect effect, unsigned int on, char *text, const char *fix)
{
	struct finding *f = finding_add(j, verdict, effect, on, g_strdup(v->where), text, g_strdup(fix));

	f->capability = "viommu.model";
	return f;
}

static void refuse(struct judgement *j, const struct dma_viommu *v, char *text, const char *fix)
{
	viommu_finding(j, v, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, text, fix);
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

	/* rules know what libvirt takes, drops and makes of its own attributes */
	if (p->by_libvirt && !has)
		return;
	if (!has)
		refuse(j, v, g_strdup_printf("QEMU %s has no property %s of %s", s->qemu ? s->qemu : "there",
					     p->name, v->device),
		       "leave it out, or use that QEMU's name for it");
	else if (has < 0 && !p->by_libvirt)
		viommu_finding(j, v, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			       g_strdup_printf("whether QEMU there has a property %s of %s is not known", p->name,
					       v->device),
			       "run 'capbroker probe' on the host");
	else if (row >= 0 && !p->by_libvirt && !viommu_takes(s->tables, row, p->value))
		refuse(j, v, g_strdup_printf("%s takes no %s=%s", v->device, p->name, p->value),
		       "choose another value");
}

static unsigned int number_of(const char *text, unsigned int otherwise)
{
	guint64 n;

	return text && g_ascii_string_to_unsigned(text, 10, 0, 1000, &n, NULL) ? (unsigned int)n : otherwise;
}

/* What Intel's refuses of properties together: vtd_decide_config(). */
static void judge_intel(struct judgement *j, const struct viommu_scope *s, const struct dma_viommu *v)
{
	bool first = viommu_is(s, v, "first-stage", "on"), scalable = viommu_is(s, v, "scalable-mode", "on");
	unsigned int pasid = number_of(viommu_value(s, v, "pasid-bits"), 0);

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
		    !libvirts_own(v) && !is_device(v, "virtio-iommu-pci"))
			refuse(j, v, g_strdup_printf("QEMU has no %s on %s", v->device, j->target.machine),
			       "choose a q35 machine type");
		if (!strcmp(s.family, "pc") && i == 1 && !xml_at(xml_root(j->needs->definition), "devices/iommu"))
			refuse(j, v, g_strdup("QEMU has one virtual IOMMU on PCs"), "remove the others");
		for (guint k = 0; k < v->properties->len; k++)
			judge_property(j, &s, v, &g_array_index(v->properties, struct dma_property, k));
		if (is_device(v, "intel-iommu") && j->out->findings->len == before)
			judge_intel(j, &s, v);
	}
}

/* --- before assigned devices ------------------------------------------------------------------- */

/* One guest's virtual IOMMU, one device behind it, and that device on the host. */
struct pair {
	struct judgement *j;
	struct viommu_scope s;
	const struct dma_viommu *v;
	const struct dma_device *d;
	const struct device *device;
	GArray *ranges; /* of the host, or NULL: not known */
};

static bool first_stage(const struct pair *p)
{
	return viommu_is(&p->s, p->v, "first-stage", "on") || viommu_is(&p->s, p->v, "accel", "on");
}

static void need_have_bits(struct finding *f, unsigned int need, unsigned int have)
{
	f->capability = "iommu.address-bits";
	finding_item(f->need, "iommu.address-bits", json_integer(need));
	finding_item(f->have, "iommu.address-bits", json_integer(have));
}

/* From 9.1 on QEMU refuses an Intel IOMMU wider than the host's; true where it said so. */
static bool intel_width(const struct pair *p)
{
	const char *text = viommu_value(&p->s, p->v, "aw-bits");
	unsigned int need = number_of(text, 0), have = p->ranges ? ranges_bits(p->ranges) : 0;
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
			g_strdup(first_stage(p) ? "leave first-stage off and set caching_mode='on' aw_bits='39'" :
				 have >= 39	? "set aw_bits='39'" :
						  "choose another host"));
	need_have_bits(f, need, have);
	return true;
}

/* The kernel's page tables as a nesting parent: QEMU asks for one before anything else, from 11.1 on. */
static bool intel_first_stage(const struct pair *p)
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

static bool intel_caching_mode(const struct pair *p)
{
	if (viommu_is(&p->s, p->v, "caching-mode", "on"))
		return false;
	refuse(p->j, p->v, g_strdup("an Intel IOMMU before assigned devices needs caching mode"),
	       "set caching_mode='on'");
	return true;
}

static void intel_before(const struct pair *p)
{
	if (first_stage(p) && (qemu_from(&p->s, "11.1") ? intel_first_stage(p) || intel_width(p) :
							  intel_width(p) || intel_first_stage(p)))
		return;
	if (first_stage(p) || intel_width(p) || intel_caching_mode(p))
		return;
}

/* 10.2 got dma-remap; before, AMD's can't tell VFIO what the guest maps, and refuses devices. */
static void amd_before(const struct pair *p)
{
	if (qemu_before(&p->s, "10.2"))
		refuse(p->j, p->v, g_strdup_printf("QEMU %s has no AMD IOMMU before assigned devices", p->s.qemu),
		       "choose another model (intel with caching_mode='on', or virtio)");
}

/* iommufd tells QEMU one page size, the smallest; a container tells all. */
static void virtio_before(const struct pair *p)
{
	const char *granule = viommu_value(&p->s, p->v, "granule");
	g_autofree char *digits = granule && g_str_has_suffix(granule, "k") ?
					  g_strndup(granule, strlen(granule) - 1) : NULL;
	unsigned int kib = number_of(digits, 0);
	uint64_t host = 0;

	if (!p->device->unit || !facts_number(p->device->unit->facts, "iommu.alignment", &host))
		facts_number(p->device->facts, "iommu.alignment", &host);
	if (kib <= 4 || !p->d->iommufd)
		return;
	if (!host || host < kib * 1024ull)
		refuse(p->j, p->v, g_strdup_printf("pages of %u KiB aren't what the host's iommufd tells of", kib),
		       "leave granule out, or set 4 KiB");
}

/* SMMUv3 hands its tables to the host's where accel is on, else it can't stand before devices. */
static void smmu_before(const struct pair *p)
{
	bool smmu = p->device->unit && !strcmp(p->device->unit->type, "smmuv3");
	int nested = p->device->unit ? facts_truth(p->device->unit->facts, "iommu.nested") : -1;

	if (!viommu_is(&p->s, p->v, "accel", "on")) {
		refuse(p->j, p->v, g_strdup("an SMMUv3 that isn't accelerated can't stand before assigned devices"),
		       "choose model='virtio'");
		return;
	}
	if (!smmu || nested == 0)
		refuse(p->j, p->v, g_strdup("the host's IOMMU can't use an SMMUv3's tables"),
		       "choose model='virtio', or a host with a nesting SMMUv3");
	else if (nested < 0)
		viommu_finding(p->j, p->v, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			       g_strdup("whether the host's SMMUv3 can use the guest's tables is not known"),
			       "run 'capbroker probe --claim DEVICE' on the host");
}

static void for_pairs(struct judgement *j, void (*judge)(const struct pair *p))
{
	const struct dma *dma = dma_of(j->needs);
	struct pair p = { .j = j };

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
static void behind(struct pair p)
{
	p.v = g_ptr_array_index(p.s.dma->viommus, 0);
	if (!is_device(p.v, "intel-iommu") || qemu_from(&p.s, "11.1") ||
	    viommu_is(&p.s, p.v, "caching-mode", "on"))
		return;
	if (qemu_before(&p.s, "10.1"))
		intel_caching_mode(&p);
	else
		viommu_finding(p.j, p.v, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			       g_strdup("whether QEMU there takes an Intel IOMMU without caching mode behind a device is not known"),
			       "set caching_mode='on'");
}

static void before(const struct pair *p)
{
	if (!p->v)
		behind(*p);
	else if (is_device(p->v, "intel-iommu"))
		intel_before(p);
	else if (is_device(p->v, "amd-iommu"))
		amd_before(p);
	else if (is_device(p->v, "virtio-iommu-pci"))
		virtio_before(p);
	else if (is_device(p->v, "arm-smmuv3"))
		smmu_before(p);
}

void check_viommu_devices(struct judgement *j)
{
	for_pairs(j, before);
}

/* --- what they reach --------------------------------------------------------------------------- */

#define MSI_FIRST 0xfee00000ull
#define MSI_LAST 0xfeefffffull
#define HT_FIRST 0xfd00000000ull
#define HT_LAST 0xffffffffffull

static struct finding *hazard(const struct pair *p, char *text, const char *fix)
{
	return viommu_finding(p->j, p->v, V_BLOCK, EFFECT_HAZARD, ON_BOTH | ON_DMA, text, fix);
}

/* What the guest may map, less what it keeps for itself: its MSI window, AMD's for HyperTransport. */
static GArray *guest_reach(const struct pair *p, unsigned int bits)
{
	struct value_range all = { 0, bits >= 64 ? UINT64_MAX : (1ull << bits) - 1 };
	struct value_range msi = { MSI_FIRST, MSI_LAST }, ht = { HT_FIRST, HT_LAST };
	g_autoptr(GArray) whole = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(struct value_range));

	g_array_append_val(whole, all);
	g_array_append_val(own, msi);
	if (is_device(p->v, "amd-iommu"))
		g_array_append_val(own, ht);
	return value_ranges_without(whole, own);
}

static void reach_bits(const struct pair *p, unsigned int bits)
{
	g_autoptr(GArray) need = guest_reach(p, bits);
	const char *fix = "choose another host";
	unsigned int have;
	uint64_t at;

	if (!p->ranges)
		return; /* said by who asked before */
	have = ranges_bits(p->ranges);
	if (is_device(p->v, "intel-iommu") && bits > 39)
		fix = "set aw_bits='39'";
	for (guint i = 0; i < need->len; i++) {
		struct finding *f;

		if (!ranges_lack(p->ranges, &g_array_index(need, struct value_range, i), &at))
			continue;
		f = hazard(p, g_strdup_printf("the guest may map 0x%" G_GINT64_MODIFIER "x, which the host's IOMMU (%s) doesn't: DMA fails while it runs",
					      at, p->device->unit ? p->device->unit->id : "not known"), fix);
		need_have_bits(f, bits, have);
		return;
	}
}

/* Intel's, as far as the guest can switch translation on at all. */
static void reach_intel(const struct pair *p)
{
	unsigned int bits = number_of(viommu_value(&p->s, p->v, "aw-bits"), 0);

	if (viommu_is(&p->s, p->v, "dma-translation", "off"))
		return;
	/* vtd_iommu_notify_flag_changed() refuses VFIO's notifier, and vfio_listener_region_add() gives up */
	if (viommu_is(&p->s, p->v, "snoop-control", "on"))
		hazard(p, g_strdup("with snoop-control QEMU ends as soon as the guest switches its IOMMU on"),
		       "switch snoop-control off");
	else if (bits)
		reach_bits(p, first_stage(p) ? 47 : bits);
}

static void reach(const struct pair *p)
{
	const struct dma_viommu *late = p->v ? NULL : g_ptr_array_index(p->s.dma->viommus, 0);
	struct pair behind = *p;

	if (late) {
		behind.v = late;
		hazard(&behind, g_strdup("the virtual IOMMU comes behind the device on QEMU's command line: what the guest maps there never reaches the device"),
		       "define it by <iommu>, which libvirt puts first");
		return;
	}
	if (is_device(p->v, "intel-iommu")) {
		reach_intel(p);
	} else if (is_device(p->v, "amd-iommu")) {
		if (!viommu_is(&p->s, p->v, "dma-remap", "on"))
			hazard(p, g_strdup("without dma-remap what the guest maps never reaches the device"),
			       "set dma-remap=on (QEMU's property), or choose another model");
		else
			reach_bits(p, 48);
	} else if (is_device(p->v, "virtio-iommu-pci") && qemu_before(&p->s, "9.0")) {
		/* newer ones tell the guest which addresses it can't have */
		reach_bits(p, 64);
	}
}

void check_viommu_reach(struct judgement *j)
{
	for_pairs(j, reach);
}

/* --- the stage --------------------------------------------------------------------------------- */

const char *viommu_stage(const struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);
	static const char *const mine[] = { "viommu-properties", "viommu-devices", "viommu-supported",
					    "host-device-isolated", "host-device-mappable" };
	const char *stage = "shadow";
	struct viommu_scope s;

	if (!j->needs->has_viommu || !dma || !dma->viommus->len)
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
