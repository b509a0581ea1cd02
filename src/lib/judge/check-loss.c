/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-loss.c: what a guest that moves may lose and nobody would tell it: protection by the kernel it
 * runs on, parts of its saved processor state, the sense of a stream that an older QEMU reads.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"

#define TOLD 6u

/* The number of a fact of the host, or -1. */
static int64_t number_of(const struct profile *profile, const char *id)
{
	const struct fact *fact = profile_fact_any(profile, id);

	if (fact && fact->state == FACT_ABSENT)
		return 0;
	return fact && fact->state == FACT_KNOWN && json_is_integer(fact->value) ? json_integer_value(fact->value) :
										    -1;
}

static bool is_moved(const struct judgement *j)
{
	return j->source && j->source != j->target.profile && !j->needs->cpu_only;
}

/* Adds what is lost to the finding of all that are, made when it is the first; tells its class once. */
static void lose(struct judgement *j, struct finding **f, GString *classes, const struct capability *cap,
		 json_t *need, json_t *have)
{
	if (!*f) {
		*f = finding_add(j, V_WARN, EFFECT_SECURITY_LOSS, ON_MIGRATE, g_strdup("/domain"), NULL,
				 g_strdup("move it to a host that is as well protected, or update the kernel and microcode there"));
		(*f)->capability = cap->id;
	}
	finding_item((*f)->need, cap->id, need);
	finding_item((*f)->have, cap->id, have);
	if (!strstr(classes->str, cap->security))
		g_string_append_printf(classes, "%s%s", classes->len ? ", " : "", cap->security);
}

/* What the source's kernel keeps from guests' neighbours, and the one there doesn't. */
static void host_mitigations(struct judgement *j, struct finding **f, GString *classes)
{
	for (size_t i = 0; i < cap_count; i++) {
		const struct capability *cap = &cap_table[i];
		int64_t here, there;

		if (!cap->security || cap->rule != RULE_CHAIN || !g_str_has_prefix(cap->id, "mitigation."))
			continue;
		here = number_of(j->source, cap->id);
		there = number_of(j->target.profile, cap->id);
		if (here > 0 && there == 0)
			lose(j, f, classes, cap, json_integer(here), json_integer(there));
	}
}

/* A guest with its host's CPU sees protections and immunities go, in silence. */
static void guest_protections(struct judgement *j, struct finding **f, GString *classes)
{
	enum cpu_mode mode = j->cpu ? j->cpu->def->mode : CPU_CUSTOM;
	const struct offer *there = j->target.judged;
	struct target here;

	if ((mode != CPU_HOST_PASSTHROUGH && mode != CPU_MAXIMUM) || !there)
		return;
	target_resolve(j->needs, j->source, j->judge->universe, &here);
	for (size_t i = 0; here.judged && scope_comparable(&here.judged->scope, &there->scope) && i < cap_count; i++) {
		const struct capability *cap = &cap_table[i];

		if (cap->type == CAP_BOOL && cap->security && cap->rule != RULE_HIGHER_SAFE &&
		    offer_get(here.judged, j->judge->universe, cap->bit) == 1 &&
		    offer_get(there, j->judge->universe, cap->bit) == 0)
			lose(j, f, classes, cap, json_true(), json_false());
	}
	target_clear(&here);
}

void check_mitigations(struct judgement *j)
{
	GString *classes;
	struct finding *f = NULL;

	if (!is_moved(j))
		return;
	classes = g_string_new(NULL);
	host_mitigations(j, &f, classes);
	guest_protections(j, &f, classes);
	if (f)
		f->text = g_strdup_printf("what keeps the guest from these attacks at the source isn't there: %s", classes->str);
	g_string_free(classes, TRUE);
}

/* 1, 0 or -1: has the host's processor or KVM protection keys? */
static int has_pku(const struct judgement *j, const struct profile *profile)
{
	static const enum view views[] = { VIEW_KVM, VIEW_RAW, VIEW_KERNEL, VIEW_LIBVIRT };
	int bit = universe_bit(j->judge->universe, "cpu.pku", FALSE);

	for (size_t i = 0; bit >= 0 && i < G_N_ELEMENTS(views); i++) {
		const struct offer *offer = profile_plain_offer(profile, views[i]);
		int have = offer ? offer_get(offer, j->judge->universe, bit) : -1;

		if (have >= 0)
			return have;
	}
	return -1;
}

/*
 * KVM before 5.17 saves PKRU of guests that have no protection keys too; one that knows what such a guest
 * may have refuses all of its extended state, QEMU goes on all the same, and the guest stands
 * still or is corrupt (Linux ad856280ddea; "KVM: x86: Fix breakage in KVM_SET_XSAVE's ABI", which mends
 * it from 6.6 on where the target has protection keys too). KVM_CAP_XSAVE2 came with 5.17.
 */
void check_xsave(struct judgement *j)
{
	int bit = universe_bit(j->judge->universe, "cpu.pku", FALSE);
	struct finding *f;

	if (!is_moved(j) || j->family != ARCH_X86 || g_strcmp0(j->needs->accel, "kvm") || !j->cpu || bit < 0 ||
	    !cpu_is_custom(j->cpu->def) || bits_test(j->cpu->require, (size_t)bit) || has_pku(j, j->source) != 1)
		return;
	if (number_of(j->source, "kvm.xsave2") != 0 || number_of(j->target.profile, "kvm.xsave2") <= 0)
		return;
	f = finding_add(j, V_WARN, EFFECT_HAZARD, ON_MIGRATE, g_strdup(j->cpu->def->path),
			g_strdup("KVM at the source saves protection keys (PKRU) that the guest hasn't, and KVM there may refuse its "
				 "processor's state for it, in silence"),
			g_strdup("restart the guest there, or update both kernels (6.6, or the fix in an older one)"));
	f->capability = "kvm.xsave2";
	finding_item(f->need, "cpu.pku", json_false());
	finding_item(f->have, "kvm.xsave2", json_integer(number_of(j->target.profile, "kvm.xsave2")));
}

/* "10.0" of "10.0.13": releases of one series read each other's streams. */
static char *series(const char *version)
{
	const char *dot = strchr(version, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;

	return second ? g_strndup(version, (gsize)(second - version)) : g_strdup(version);
}

/* QEMU promises that newer ones read older ones' streams, not the other way (docs/devel/migration). */
void check_qemu_version(struct judgement *j)
{
	g_autofree char *here = NULL, *there = NULL;
	struct target source;
	const char *from, *to;
	struct finding *f;

	if (!is_moved(j))
		return;
	target_resolve_machine(j->needs, j->source, &source);
	from = target_qemu_version(&source);
	to = target_qemu_version(&j->target);
	check_rules(j);
	if (!from || !to)
		return;
	here = series(from);
	there = series(to);
	if (version_compare(there, here) >= 0)
		return;
	f = finding_add(j, V_WARN, EFFECT_FAILS_SAFELY, ON_MIGRATE, g_strdup("/domain/devices/emulator"),
			g_strdup_printf("QEMU there (%s) is older than the guest's (%s): upstream tests moves to newer ones", to, from),
			g_strdup("move guests that a newer QEMU started among newer ones only"));
	f->capability = "qemu.version";
	finding_item(f->need, "qemu.version", json_string(from));
	finding_item(f->have, "qemu.version", json_string(to));
}
