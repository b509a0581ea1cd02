/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-other-bound.c: what ties a guest with its host's own CPU to that host on Arm and POWER,
 * where the processor's identity decides, not a list of features.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"
#include "model/power.h"

/* Arm: the identification register, or, on both hosts alike, the model. NULL where not known. */
static const char *identity(const struct judgement *j, const struct target *t, const char **id)
{
	static const char *const ids[] = { "arm64.midr", "arm64.model" };
	const char *mine;

	for (size_t i = 0; j->family == ARCH_ARM64 && i < G_N_ELEMENTS(ids); i++) {
		*id = ids[i];
		mine = profile_string(t->profile, ids[i]);
		if (mine && profile_string(j->source, ids[i]) && profile_string(j->target.profile, ids[i]))
			return mine;
	}
	*id = j->family == ARCH_ARM64 ? "arm64.midr" : "ppc64.model";
	if (j->family == ARCH_ARM64)
		return NULL;
	return power_generation(target_model(t));
}

bool other_host_bound(struct judgement *j, const struct target *here)
{
	const struct cpu_def *def = j->cpu->def;
	const char *id, *mine, *theirs;
	enum verdict verdict;
	struct finding *f;

	if (j->family != ARCH_ARM64 && j->family != ARCH_PPC64)
		return false;
	mine = identity(j, here, &id);
	theirs = identity(j, &j->target, &id);
	verdict = !mine || !theirs ? V_UNKNOWN : strcmp(mine, theirs) ? V_BLOCK : V_WARN;
	f = finding_add(j, verdict, verdict == V_WARN ? EFFECT_HAZARD : EFFECT_FAILS_SAFELY, ON_MIGRATE,
			g_strdup_printf("%s/@mode", def->path),
			verdict == V_UNKNOWN ?
				g_strdup("which processors the two hosts have is not known") :
			verdict == V_BLOCK ?
				g_strdup_printf("the guest has the host's own processor, %s; there it is %s", mine,
						theirs) :
				g_strdup_printf("%s shows what the host has: equal here today, not promised",
						cpu_mode_name(def->mode)),
			verdict == V_UNKNOWN ? g_strdup("run 'capbroker probe' on both") :
			j->family == ARCH_PPC64 ?
				g_strdup("start the guest in a mode that both have: <cpu mode='host-model'><model>power8</model></cpu>") :
				g_strdup("move it between hosts of the same processor only"));
	f->capability = id;
	finding_item(f->need, id, mine ? json_string(mine) : json_null());
	finding_item(f->have, id, theirs ? json_string(theirs) : json_null());
	return true;
}
