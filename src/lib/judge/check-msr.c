/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-msr.c: whether KVM takes the ARCH_CAPABILITIES that it lists.
 *
 * QEMU sets that MSR to what the guest's CPU shows of it and asserts that KVM took it. Where KVM
 * lists bits that it won't have set (kvm.arch-capabilities-settable is false), a guest that shows
 * one of them dies at its start; one that shows none starts, for zero is always taken. It was seen
 * where KVM of an AMD host runs inside another hypervisor: there, what nobody tried is not known.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"

static bool in_set(const struct cpu_need *cpu, const uint64_t *set, int bit)
{
	return bit >= 0 && (size_t)bit < cpu->words * 64 && bits_test(set, (size_t)bit);
}

static bool taken_away(const struct cpu_need *cpu, int bit)
{
	return in_set(cpu, cpu->disable, bit) || in_set(cpu, cpu->forbid, bit);
}

/* Is the guest's CPU made of what the host has? */
static bool follows_host(const struct judgement *j)
{
	return !cpu_is_custom(j->cpu->def) || cpu_is_minimum(j);
}

/* Does QEMU's model of that name have it, where libvirt's hasn't, or libvirt has no such model? */
static bool qemu_adds(const struct judgement *j, int bit)
{
	const char *model = j->cpu->def->model;
	const char *own = model ? tables_qemu_differs(j->judge->tables, model, "more") : NULL;
	const char *more = own || !model ? own : tables_qemu_alone(j->judge->tables, model);
	g_auto(GStrv) names = g_strsplit(more ? more : "", " ", -1);

	return g_strv_contains((const char *const *)names,
			       universe_feature_name(j->judge->universe, bit));
}

/* What KVM lists where it refuses to set it (V_BLOCK), or nobody tried and it may (V_UNKNOWN). */
static const struct offer *doubtful(const struct judgement *j, enum verdict *verdict)
{
	const struct target *t = &j->target;
	const struct offer *offer = t->listed_offer ? t->listed_offer :
				    t->qemu_offer   ? t->qemu_offer :
						      t->libvirt_offer;
	const struct fact *tried = profile_fact_any(t->profile, "kvm.arch-capabilities-settable");
	const struct offer *host = t->host_offer ? t->host_offer :
						   profile_plain_offer(t->profile, VIEW_RAW);
	int inside = universe_bit(j->judge->universe, "cpu.hypervisor", FALSE);

	if (g_strcmp0(j->needs->accel, "kvm") || !offer)
		return NULL;
	*verdict = V_BLOCK;
	if (tried && tried->state == FACT_KNOWN)
		return json_is_false(tried->value) ? offer : NULL;
	*verdict = V_UNKNOWN;
	return host && inside >= 0 && offer_get(host, j->judge->universe, inside) == 1 &&
			       (!g_strcmp0(offer->vendor, "AMD") || !g_strcmp0(offer->vendor, "Hygon")) ?
		       offer :
		       NULL;
}

/* Has 'host' the MSR on AMD with this machine type, though it hasn't with newer ones? Up to 10.0. */
static bool machine_keeps_msr(const struct judgement *j)
{
	const char *machine = j->target.machine, *dash = machine ? strrchr(machine, '-') : NULL;
	enum cpu_mode mode = j->cpu->def->mode;

	return (mode == CPU_HOST_PASSTHROUGH || mode == CPU_MAXIMUM) && dash && g_ascii_isdigit(dash[1]) && version_compare(dash + 1, "10.0") <= 0;
}

/*
 * Does KVM list it for this guest? QEMU 10.1 and newer leave the MSR out of 'host' on AMD (seen on 11.1.3),
 * and yet give it to models that have it, and to 'host' itself with older machine types: there KVM's own list
 * counts too.
 */
static bool listed_for(const struct judgement *j, const struct offer *listed, int bit)
{
	const struct offer *kvm = !follows_host(j) || machine_keeps_msr(j) ?
					  profile_plain_offer(j->target.profile, VIEW_KVM) : NULL;

	return offer_get(listed, j->judge->universe, bit) == 1 ||
	       (kvm && offer_get(kvm, j->judge->universe, bit) == 1);
}

/* Will QEMU show the guest a feature that KVM lists? */
static bool shown(const struct judgement *j, const struct offer *listed, int bit)
{
	const struct cpu_need *cpu = j->cpu;

	if (bit < 0 || !listed_for(j, listed, bit) || taken_away(cpu, bit))
		return false;
	return follows_host(j) || in_set(cpu, cpu->require, bit) || in_set(cpu, cpu->optional, bit) ||
	       in_set(cpu, cpu->force, bit) || qemu_adds(j, bit);
}

static struct finding *settable_finding(struct judgement *j, enum verdict verdict)
{
	bool block = verdict == V_BLOCK;

	return finding_add(j, verdict, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(j->cpu->def->path),
			   g_strdup(block ? "KVM there lists the MSR ARCH_CAPABILITIES and refuses to set it: QEMU ends at the start" :
					    "not known whether KVM of this nested AMD host lets ARCH_CAPABILITIES be set; where not, QEMU ends at the start"),
			   g_strdup(block ? "disable arch-capabilities in <cpu>, or upgrade the host's kernel" :
					    "run 'capbroker probe' on the host, or disable arch-capabilities in <cpu>"));
}

void check_cpu_msr(struct judgement *j)
{
	int gate = cap_find("cpu.arch-capabilities");
	struct finding *f = NULL;
	enum verdict verdict;
	const struct offer *listed = j->cpu && j->family == ARCH_X86 ? doubtful(j, &verdict) : NULL;

	if (!listed || !shown(j, listed, cap_table[gate].bit))
		return;
	for (size_t i = 0; i < cap_count; i++) {
		const struct capability *cap = &cap_table[i];

		if (cap->type != CAP_BOOL || cap->gate != gate || !shown(j, listed, cap->bit))
			continue;
		if (!f)
			f = settable_finding(j, verdict);
		f->capability = cap_table[gate].id;
		finding_item(f->need, cap->id, json_true());
		finding_item(f->have, cap->id, verdict == V_BLOCK ? json_false() : json_null());
	}
}
