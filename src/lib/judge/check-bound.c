/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-bound.c: what ties a guest to the host it was started on: a CPU that is its host's, TSC,
 * address width, obligations.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"

/* The guest sees the features of ARCH_CAPABILITIES only with the MSR itself. */
static bool sees(const struct judgement *j, const char *id)
{
	int bit = universe_bit(j->judge->universe, id, FALSE);

	return bit >= 0 && j->cpu && (size_t)bit < j->cpu->words * 64 &&
	       bits_test(j->cpu->require, (size_t)bit);
}

void check_cpu_obligation(struct judgement *j)
{
	const struct offer *offer = j->target.judged;
	struct finding *f = NULL;

	if (!offer || j->family != ARCH_X86 || (!j->needs->live && !j->source) || !sees(j, "cpu.arch-capabilities"))
		return;
	for (size_t i = 0; i < cap_count; i++) {
		const struct capability *cap = &cap_table[i];

		if (cap->type != CAP_BOOL || cap->rule != RULE_HIGHER_SAFE ||
		    offer_get(offer, j->judge->universe, cap->bit) != 1 || sees(j, cap->id))
			continue;
		if (!f) {
			f = finding_add(j, V_WARN, EFFECT_SECURITY_LOSS, ON_MIGRATE, g_strdup("/domain/cpu"),
					g_strdup_printf("host obliges the guest to a mitigation it was not told of: %s",
							cap->id),
					g_strdup("restart the guest with the feature required"));
			f->capability = cap->id;
		}
		finding_item(f->need, cap->id, json_false());
		finding_item(f->have, cap->id, json_true());
	}
}

void check_cpu_unmigratable(struct judgement *j)
{
	struct finding *f = NULL;

	if (!j->cpu || j->needs->tsc_khz || j->family != ARCH_X86)
		return;
	BITS_FOREACH (bit, j->cpu->require, j->cpu->words) {
		const char *id = universe_id(j->judge->universe, (int)bit);

		if ((size_t)bit >= cap_bits || !(cap_table[cap_by_bit[bit]].flags & CAP_UNMIGRATABLE))
			continue;
		if (!f) {
			f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_MIGRATE,
					g_strdup(j->cpu->def->path),
					g_strdup_printf("a guest with %s can't be moved",
							universe_feature_name(j->judge->universe, (int)bit)),
					g_strdup("leave it out, or fix the frequency: <timer name='tsc' frequency='…'/> in <clock>"));
			f->capability = id;
		}
		finding_item(f->need, id, json_true());
		finding_item(f->have, id, json_null());
	}
}

/* Compares what a guest with its host's CPU sees here and there; places that differ. */
static GArray *offers_differ(const struct judgement *j, const struct offer *here,
			     const struct offer *there)
{
	GArray *places = g_array_new(FALSE, FALSE, sizeof(int));
	size_t n = universe_bits(j->judge->universe);

	for (size_t bit = 0; bit < n; bit++) {
		int b = (int)bit;

		if (universe_is_cpu(j->judge->universe, b) &&
		    offer_get(here, j->judge->universe, b) != offer_get(there, j->judge->universe, b))
			g_array_append_val(places, b);
	}
	return places;
}

static void bound_finding(struct judgement *j, const struct offer *here, const struct offer *there)
{
	const struct cpu_def *def = j->cpu->def;
	g_autoptr(GArray) places = offers_differ(j, here, there);
	GString *names = g_string_new(NULL);
	struct finding *f;

	for (guint i = 0; i < places->len && i < 12; i++)
		g_string_append_printf(names, " %s",
				       universe_feature_name(j->judge->universe,
							     g_array_index(places, int, i)));
	f = finding_add(j, places->len ? V_BLOCK : V_WARN, EFFECT_HAZARD, ON_MIGRATE,
			g_strdup_printf("%s/@mode", def->path),
			places->len ? g_strdup_printf("the guest would see another CPU in silence:%s%s",
						      names->str, places->len > 12 ? " …" : "") :
				      g_strdup_printf("%s shows what the host has: equal here today, not promised",
						      cpu_mode_name(def->mode)),
			g_strdup("define the guest with a named model (capbroker baseline --format libvirt)"));
	for (guint i = 0; i < places->len; i++) {
		int bit = g_array_index(places, int, i);
		const char *id = universe_id(j->judge->universe, bit);
		int has = offer_get(here, j->judge->universe, bit);
		int gives = offer_get(there, j->judge->universe, bit);

		finding_item(f->need, id, has < 0 ? json_null() : json_boolean(has));
		finding_item(f->have, id, gives < 0 ? json_null() : json_boolean(gives));
	}
	g_string_free(names, TRUE);
}

/* What an inactive host-model becomes at the source must be had at the target. */
static void host_model_finding(struct judgement *j, const struct offer *here,
			       const struct offer *there)
{
	GString *names = g_string_new(NULL);
	struct finding *f = NULL;

	BITS_FOREACH (bit, here->value, here->words) {
		const char *id = universe_id(j->judge->universe, (int)bit);
		int gives = offer_get(there, j->judge->universe, (int)bit);
		int cap = cap_find(id);

		if (!universe_is_cpu(j->judge->universe, (int)bit) || gives == 1 ||
		    bits_test(j->cpu->disable, (size_t)bit) ||
		    (cap >= 0 && cap_table[cap].flags & CAP_UNMIGRATABLE))
			continue;
		if (!f)
			f = finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_MIGRATE,
					g_strdup_printf("%s/@mode", j->cpu->def->path), NULL,
					g_strdup("define the guest with a named model (capbroker baseline --format libvirt)"));
		if (gives == 0)
			f->verdict = V_BLOCK;
		if (f->need && json_array_size(f->need) < 12)
			g_string_append_printf(names, " %s",
					       universe_feature_name(j->judge->universe, (int)bit));
		finding_item(f->need, id, json_true());
		finding_item(f->have, id, gives < 0 ? json_null() : json_false());
	}
	if (f)
		f->text = g_strdup_printf("host-model of the source has what the target lacks:%s",
					  names->str);
	g_string_free(names, TRUE);
}

/* A mode of an older generation of POWER is promised by each newer one; cpu-missing judges it. */
static bool is_in_mode(const struct judgement *j)
{
	return j->family == ARCH_PPC64 && j->cpu->def->model;
}

void check_cpu_host_bound(struct judgement *j)
{
	const struct cpu_def *def = j->cpu ? j->cpu->def : NULL;
	struct target here;

	if (!def || j->needs->cpu_only || def->mode == CPU_CUSTOM || def->mode == CPU_MODE_NONE ||
	    (def->mode == CPU_HOST_MODEL && (j->needs->live || is_in_mode(j))))
		return;
	if (!j->source) {
		finding_add(j, V_UNKNOWN, EFFECT_HAZARD, ON_MIGRATE, g_strdup_printf("%s/@mode", def->path),
			    g_strdup_printf("what a guest with %s sees is decided by the host it starts on",
					    cpu_mode_name(def->mode)),
			    g_strdup("say from where (--from HOST), or define a named model"));
		return;
	}
	target_resolve(j->needs, j->source, j->judge->universe, &here);
	if (other_host_bound(j, &here))
		;
	else if (!here.judged || !j->target.judged)
		finding_add(j, V_UNKNOWN, EFFECT_HAZARD, ON_MIGRATE, g_strdup_printf("%s/@mode", def->path),
			    g_strdup("what CPU one of the two hosts gives is not known"),
			    g_strdup("run 'capbroker probe' on both"));
	else if (!scope_comparable(&here.judged->scope, &j->target.judged->scope))
		finding_add(j, V_UNKNOWN, EFFECT_HAZARD, ON_MIGRATE, g_strdup_printf("%s/@mode", def->path),
			    g_strdup_printf("what the two hosts give was told in different views (%s, %s)",
					    view_name(here.judged->scope.view),
					    view_name(j->target.judged->scope.view)),
			    g_strdup("run 'capbroker probe' on both"));
	else if (def->mode == CPU_HOST_MODEL)
		host_model_finding(j, here.judged, j->target.judged);
	else
		bound_finding(j, here.judged, j->target.judged);
	target_clear(&here);
}

/* The first that any source says of a host, or 0. */
static uint64_t profile_number(const struct profile *profile, const char *id)
{
	int cap = cap_find(id);
	uint64_t bits;

	for (guint i = 0; i < profile->offers->len; i++) {
		const struct offer *o = g_ptr_array_index(profile->offers, i);

		if (!o->scope.emulator && offer_number(o, cap, &bits) && bits)
			return bits;
	}
	return 0;
}

uint64_t host_number(const struct judgement *j, const char *id)
{
	uint64_t bits = profile_number(j->target.profile, id);

	if (bits || (j->target.libvirt_offer && offer_number(j->target.libvirt_offer, cap_find(id), &bits)))
		return bits;
	return 0;
}

/*
 * Is it a named model without long mode? QEMU lets nobody set the width of such a processor.
 * match='minimum' becomes the host's model, and names nothing of its own.
 */
bool cpu_only_32_bit(const struct judgement *j)
{
	const struct cpu_need *cpu = j->cpu;
	int bit = universe_bit(j->judge->universe, "cpu.lm", FALSE);

	return cpu->model && cpu->def->match != CPU_MATCH_MINIMUM && bit >= 0 &&
	       (size_t)bit < cpu->words * 64 && !bits_test(cpu->require, (size_t)bit);
}

/* What a CPU without long mode has follows the QEMU; nothing compares it in a move. */
static void narrow_width_moves(struct judgement *j)
{
	struct target here;
	const char *from, *to;
	unsigned int need, have;
	struct finding *f;

	if (!j->source || !cpu_is_custom(j->cpu->def) || !cpu_only_32_bit(j))
		return;
	target_resolve_machine(j->needs, j->source, &here);
	from = target_qemu_version(&here);
	to = target_qemu_version(&j->target);
	if (!from || !to)
		return;
	need = cpu_32_bit_width(j, from);
	have = cpu_32_bit_width(j, to);
	if (need == have)
		return;
	f = finding_add(j, V_WARN, EFFECT_HAZARD, ON_MIGRATE, g_strdup_printf("%s/model", j->cpu->def->path),
			g_strdup_printf("the guest's CPU has %u address bits and would have %u with QEMU %s, in silence",
					need, have, to),
			g_strdup("restart the guest there, or choose a 64-bit model"));
	f->capability = "cpu.phys-bits";
	finding_item(f->need, "cpu.phys-bits", json_integer(need));
	finding_item(f->have, "cpu.phys-bits", json_integer(have));
}

/* Firmware that lays out PCI devices by the CPU's addresses (edk2, issue 9340). */
static bool has_uefi(const struct judgement *j)
{
	const struct xml_node *domain = j->needs->definition ? xml_root(j->needs->definition) : NULL;
	const char *firmware = xml_attr(xml_at(domain, "os"), "firmware");
	const char *type = xml_attr(xml_at(domain, "os/loader"), "type");

	return !g_strcmp0(firmware, "efi") || !g_strcmp0(type, "pflash");
}

/*
 * QEMU gives a named model 40 bits under KVM whatever the host has, and starts. What firmware or the guest
 * place above the host's end can't be reached: UEFI does so at the start, and a guest that did so on
 * a wider host finds it gone after a move. Red Hat's machine types follow the host.
 */
static void wider_than_host(struct judgement *j)
{
	uint64_t have = host_number(j, "cpu.phys-bits"), here = 0, bits;
	const char *machine = j->target.machine ? j->target.machine : "";
	unsigned int on = has_uefi(j) ? ON_BOTH : 0;
	struct finding *f;

	if (g_strcmp0(j->needs->accel, "kvm") || j->cpu->def->phys_mode || !cpu_is_custom(j->cpu->def) ||
	    strstr(machine, "rhel") || !have)
		return;
	bits = guest_phys_bits(j);
	here = j->source ? profile_number(j->source, "cpu.phys-bits") : 0;
	if (here >= bits)
		on |= ON_MIGRATE;
	else if (j->source)
		on &= ~ON_MIGRATE;
	if (bits <= have || !on)
		return;
	f = finding_add(j, V_WARN, EFFECT_HAZARD, on, g_strdup(j->cpu->def->path),
			g_strdup_printf("guest's CPU has %" G_GUINT64_FORMAT " address bits and the host %" G_GUINT64_FORMAT
					": what is placed above the host's end can't be reached", bits, have),
			g_strdup_printf("write <maxphysaddr mode='emulate' bits='%" G_GUINT64_FORMAT "'/>", have));
	f->capability = "cpu.phys-bits";
	finding_item(f->need, "cpu.phys-bits", json_integer((json_int_t)bits));
	finding_item(f->have, "cpu.phys-bits", json_integer((json_int_t)have));
}

void check_phys_bits(struct judgement *j)
{
	const struct cpu_def *def = j->cpu ? j->cpu->def : NULL;
	uint64_t have = host_number(j, "cpu.phys-bits");
	struct finding *f;

	if (j->family == ARCH_ARM64 && !j->needs->cpu_only)
		arm_memory_fits(j);
	if (def && j->family == ARCH_X86 && !j->needs->cpu_only) {
		narrow_width_moves(j);
		wider_than_host(j);
	}
	if (!def || !def->phys_bits || j->family != ARCH_X86)
		return;
	if (!j->needs->cpu_only && cpu_only_32_bit(j)) {
		f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL,
				g_strdup_printf("%s/maxphysaddr/@bits", def->path),
				g_strdup_printf("guest asks for %u address bits, and QEMU takes none for a 32-bit CPU such as %s",
						def->phys_bits, def->model),
				g_strdup("leave <maxphysaddr> out, or choose a 64-bit model"));
		f->capability = "cpu.phys-bits";
		finding_item(f->need, "cpu.phys-bits", json_integer(def->phys_bits));
		finding_item(f->have, "cpu.phys-bits", json_null());
		return;
	}
	if (have && def->phys_bits <= have)
		return;
	f = finding_add(j, have ? V_BLOCK : V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_BOTH,
			g_strdup_printf("%s/maxphysaddr/@bits", def->path),
			have ? g_strdup_printf("guest asks for %u address bits, host has %" G_GUINT64_FORMAT,
					       def->phys_bits, have) :
			       g_strdup("the host's physical address width is not known"),
			have ? g_strdup_printf("ask for at most %" G_GUINT64_FORMAT " bits", have) :
			       g_strdup("run 'capbroker probe' on the host"));
	f->capability = "cpu.phys-bits";
	finding_item(f->need, "cpu.phys-bits", json_integer(def->phys_bits));
	finding_item(f->have, "cpu.phys-bits", have ? json_integer((json_int_t)have) : json_null());
}

static int tsc_scaling(const struct judgement *j)
{
	int bit = universe_bit(j->judge->universe, "kvm.tsc-control", FALSE);

	for (guint i = 0; bit >= 0 && i < j->target.profile->offers->len; i++) {
		int have = offer_get(g_ptr_array_index(j->target.profile->offers, i),
				     j->judge->universe, bit);

		if (have >= 0)
			return have;
	}
	return -1;
}

void check_tsc(struct judgement *j)
{
	uint64_t khz = host_number(j, "cpu.tsc-khz");
	struct value need = { .type = CAP_UINT, .number = j->needs->tsc_khz };
	struct value have = { .type = CAP_UINT, .number = khz };
	bool emulated = !g_strcmp0(j->needs->accel, "tcg");
	int scaling;
	struct finding *f;

	if (!j->needs->tsc_khz || (!emulated && g_strcmp0(j->needs->accel, "kvm")))
		return;
	scaling = tsc_scaling(j);
	if (scaling == 1 || (khz && value_fits(RULE_TOLERANCE, &need, &have) == FIT_YES))
		return;
	/* libvirt compares with the host's clock for emulated guests too, where it knows that */
	if (emulated && (!khz || scaling || !cpu_by_libvirt(j)))
		return;
	f = finding_add(j, khz && scaling == 0 ? V_BLOCK : V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_BOTH,
			g_strdup("/domain/clock/timer/@frequency"),
			khz ? g_strdup_printf("guest asks for a TSC of %llu kHz, host has %" G_GUINT64_FORMAT " kHz%s",
					      j->needs->tsc_khz, khz,
					      scaling ? " and whether it can scale is not known" :
							" and can't scale") :
			      g_strdup("the host's TSC frequency is not known"),
			khz ? g_strdup("choose a host of that frequency or one with TSC scaling") :
			      g_strdup("run 'capbroker probe' on the host"));
	f->capability = "cpu.tsc-khz";
	finding_item(f->need, "cpu.tsc-khz", json_integer((json_int_t)j->needs->tsc_khz));
	finding_item(f->have, "cpu.tsc-khz", khz ? json_integer((json_int_t)khz) : json_null());
}
