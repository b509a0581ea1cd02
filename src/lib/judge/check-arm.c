/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-arm.c: what only Arm's virt machine types ask of a host: the GIC, and room for addresses. */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"
#include "judge/rule-host.h"

/* RAM starts there. */
#define RAM_BASE_KIB (1024ull * 1024)
/* What KVM has unless told otherwise; servers have it or more. */
#define USUAL_BITS 40u

static bool is_virt(const struct judgement *j)
{
	return j->family == ARCH_ARM64 && !strcmp(machine_family(j->target.machine), "virt");
}

/* 1, 0 or -1: has a set of versions, as libvirt or KVM tells it, this one? */
static int in_set(const json_t *values, const char *version)
{
	const json_t *value;
	size_t i;

	json_array_foreach (values, i, value)
		if (!g_strcmp0(json_string_value(value), version))
			return 1;
	return json_is_array(values) ? 0 : -1;
}

static int has_gic(const struct judgement *j, const char *version)
{
	const struct fact *kvm = profile_fact_any(j->target.profile, "arm64.gic-versions");
	const json_t *enums;
	int there = -1;

	if (g_strcmp0(j->needs->accel, "kvm")) /* emulated, all are */
		return 1;
	if (kvm && kvm->state == FACT_KNOWN)
		return in_set(kvm->value, version);
	for (guint i = 0; there < 0 && i < j->target.profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(j->target.profile->emulators, i);

		enums = json_object_get(e->json, "enums");
		if (!g_strcmp0(e->scope.accel, "kvm") && !g_strcmp0(e->scope.emulator, j->target.path))
			there = json_is_false(json_object_get(enums, "features.gic")) ?
					0 :
					in_set(json_object_get(enums, "features.gic.version"), version);
	}
	return there;
}

void check_gic(struct judgement *j)
{
	const struct xml_node *gic =
		j->needs->definition ? xml_at(xml_root(j->needs->definition), "features/gic") : NULL;
	const char *version = xml_attr(gic, "version");
	struct finding *f;
	int there;

	if (!is_virt(j) || !version || !strcmp(version, "host"))
		return;
	there = has_gic(j, version);
	if (there == 1)
		return;
	f = finding_add(j, there ? V_UNKNOWN : V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL,
			g_strdup("/domain/features/gic/@version"),
			there ? g_strdup("which versions of the GIC the host's KVM gives is not known") :
				g_strdup_printf("the host's KVM gives no GIC of version %s", version),
			there ? g_strdup("run 'capbroker probe' on the host, or import its domain capabilities") :
				g_strdup("choose a host that gives it; a guest keeps its version while it runs"));
	f->capability = "arm64.gic-versions";
	finding_item(f->need, "arm64.gic-versions", json_string(version));
	finding_item(f->have, "arm64.gic-versions", there ? json_null() : json_false());
}

/* The width that holds the end of RAM. */
static unsigned int bits_for(unsigned long long memory_kib)
{
	unsigned long long last = (RAM_BASE_KIB + memory_kib - 1) * 1024 + 1023;
	unsigned int bits = 0;

	for (; last; last >>= 1)
		bits++;
	return bits;
}

/* How wide a guest's physical addresses can be there; 0: not known. */
static unsigned int host_bits(const struct judgement *j)
{
	const struct fact *fact = profile_fact_any(j->target.profile, "kvm.arm-vm-ipa-size");

	return fact && fact->state == FACT_KNOWN ? (unsigned int)json_integer_value(fact->value) : 0;
}

void arm_memory_fits(struct judgement *j)
{
	unsigned int need = bits_for(j->needs->memory_kib), have = host_bits(j);
	struct finding *f;

	if (!is_virt(j) || g_strcmp0(j->needs->accel, "kvm") || need <= (have ? have : USUAL_BITS))
		return;
	f = finding_add(j, have ? V_BLOCK : V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			g_strdup("/domain/memory"),
			have ? g_strdup_printf("guest's memory takes %u address bits, the host's KVM has %u", need,
					       have) :
			       g_strdup_printf("guest's memory takes %u address bits; how many the host's KVM has is not known",
					       need),
			have ? g_strdup("give the guest less memory, or choose another host") :
			       g_strdup("run 'capbroker probe' on the host"));
	f->capability = "kvm.arm-vm-ipa-size";
	finding_item(f->need, f->capability, json_integer(need));
	finding_item(f->have, f->capability, have ? json_integer(have) : json_null());
}
