/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-nested.c: moving a guest that may run guests of its own.
 *
 * Theory of operation: a guest with vmx or svm reads from feature MSRs, or from CPUID 8000000AH,
 * what its own guests can be given. Newer libvirt names all of that in a running guest's definition,
 * and then cpu-missing speaks of it. Where it is named nowhere, QEMU gives what its model and the
 * host's KVM have in common, so the guest may find less after a move, in silence. And what KVM can't
 * save of a nested guest can't move at all.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"

#define TOLD 8u

/* The place of vmx or svm where the guest was given it, or -1. */
static int nested_place(const struct judgement *j)
{
	static const char *const ids[] = { "cpu.vmx", "cpu.svm" };

	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
		int bit = universe_bit(j->judge->universe, ids[i], FALSE);

		if (bit >= 0 && (size_t)bit < j->cpu->words * 64 &&
		    bits_test(j->cpu->require, (size_t)bit))
			return bit;
	}
	return -1;
}

/* Is it one of those that are meaningless without vmx or svm? */
static bool belongs_to(int bit, int nested)
{
	const struct capability *cap = (size_t)bit < cap_bits ? &cap_table[cap_by_bit[bit]] : NULL;

	return cap && bit != nested && cap->gate >= 0 && cap_table[cap->gate].bit == nested &&
	       !(cap->flags & CAP_HOST_ONLY);
}

/* Does the definition say of any of them whether the guest has it? */
static bool is_pinned(const struct judgement *j, int nested)
{
	for (size_t bit = 0; bit < j->cpu->words * 64; bit++)
		if (belongs_to((int)bit, nested) &&
		    (bits_test(j->cpu->explicit_require, bit) || bits_test(j->cpu->disable, bit)))
			return true;
	return false;
}

/* 1, 0 or -1: can KVM there save what a nested guest is doing? */
static int saves_state(const struct profile *profile)
{
	const struct scope kvm = { .view = VIEW_KVM, .migratable = -1 };
	const struct fact *fact = profile_fact(profile, "kvm.nested-state", &kvm);

	return fact && fact->state == FACT_KNOWN ? json_integer_value(fact->value) > 0 : -1;
}

static struct finding *warn(struct judgement *j, enum effect effect, int nested, char *text,
			    const char *fix)
{
	struct finding *f = finding_add(j, V_WARN, effect, ON_MIGRATE, g_strdup(j->cpu->def->path), text,
					g_strdup(fix));

	f->capability = universe_id(j->judge->universe, nested);
	return f;
}

static bool warn_of_state(struct judgement *j, int nested)
{
	const char *name = universe_feature_name(j->judge->universe, nested);
	bool from = j->source && saves_state(j->source) == 0;

	if (!from && saves_state(j->target.profile) != 0)
		return false;
	warn(j, EFFECT_FAILS_SAFELY, nested,
	     g_strdup_printf("guest may run guests of its own (%s), whose state KVM can't %s", name,
			     from ? "save at the source" : "take over there"),
	     "upgrade that kernel (4.20 for Intel, 5.8 for AMD), or stop its guests before it moves");
	return true;
}

/* What the source gives nested guests and the target doesn't, as a list of names; NULL: nothing. */
static char *lost_names(struct judgement *j, const struct offer *here,
			const struct offer *there, int nested, struct finding **f)
{
	GString *names = g_string_new(NULL);
	guint n = 0;

	BITS_FOREACH (bit, here->value, here->words) {
		if (!belongs_to((int)bit, nested) ||
		    offer_get(there, j->judge->universe, (int)bit) != 0)
			continue;
		if (n++ < TOLD)
			g_string_append_printf(names, " %s",
					       universe_feature_name(j->judge->universe, (int)bit));
		if (!*f)
			*f = warn(j, EFFECT_HAZARD, nested, NULL,
				  "name them in <cpu> with policy='disable', or move it to a host that has them");
		finding_item((*f)->need, universe_id(j->judge->universe, (int)bit), json_true());
		finding_item((*f)->have, universe_id(j->judge->universe, (int)bit), json_false());
	}
	if (n > TOLD)
		g_string_append_printf(names, " and %u more", n - TOLD);
	return g_string_free(names, !n);
}

static void warn_of_features(struct judgement *j, int nested)
{
	const char *name = universe_feature_name(j->judge->universe, nested);
	const struct offer *here_offer, *there = j->target.judged;
	g_autofree char *lost = NULL;
	struct finding *f = NULL;
	struct target here;

	target_resolve(j->needs, j->source, j->judge->universe, &here);
	here_offer = here.judged;
	if (here_offer && there && scope_comparable(&here_offer->scope, &there->scope)) {
		lost = lost_names(j, here_offer, there, nested, &f);
		if (f)
			f->text = g_strdup_printf(
				"guest may run guests of its own (%s), which may find less there:%s", name, lost);
	} else {
		warn(j, EFFECT_HAZARD, nested,
		     g_strdup_printf("guest may run guests of its own (%s); whether they find the same there isn't known",
				     name),
		     "run 'capbroker probe' on both, or stop its guests before it moves");
	}
	target_clear(&here);
}

void check_nested(struct judgement *j)
{
	int nested;

	if (!j->cpu || j->needs->cpu_only || g_strcmp0(j->needs->accel, "kvm"))
		return;
	nested = nested_place(j);
	if (nested < 0 || warn_of_state(j, nested))
		return;
	if (j->source && !is_pinned(j, nested))
		warn_of_features(j, nested);
}
