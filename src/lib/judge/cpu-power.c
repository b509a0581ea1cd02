/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu-power.c: POWER, as libvirt compares it. A named model fits the very generation of the host; a
 * host-model the host, or an older generation whose mode it asks for (<model>power8</model>); what
 * libvirt knows no name for is an error to it, and unknown here.
 */
#include "config.h"

#include <string.h>

#include "judge/cpu-need.h"
#include "model/power.h"

static void say(struct cpu_comparison *out, enum cpu_relation relation, const char *reason)
{
	out->relation = relation;
	out->reason = reason;
}

/* A guest with the host's model in a mode of an older generation, or in none. */
static void compare_mode(const char *mode, const char *host, struct cpu_comparison *out)
{
	int level = power_level(host), asked = power_mode_level(mode);

	if (!mode)
		say(out, CPU_IDENTICAL, NULL);
	else if (level < 0)
		say(out, CPU_RELATION_UNKNOWN, "the host's processor has no compatibility modes that libvirt knows");
	else if (asked < 0)
		say(out, CPU_RELATION_UNKNOWN, "the compatibility mode is none that libvirt knows");
	else if (asked > level)
		say(out, CPU_INCOMPATIBLE, "the host's processor is older than the compatibility mode");
	else
		say(out, CPU_IDENTICAL, NULL);
}

void cpu_compare_power(const struct cpu_need *need, const struct offer *offer,
		       struct cpu_comparison *out)
{
	const struct cpu_def *def = need->def;
	const char *host = power_generation(offer->model);

	if (def->vendor && g_strcmp0(def->vendor, offer->vendor) && (offer->vendor || host))
		say(out, CPU_INCOMPATIBLE, "host CPU vendor does not match required CPU vendor");
	else if (!host)
		say(out, CPU_RELATION_UNKNOWN, "which processor the host has is not known");
	else if (def->mode == CPU_HOST_MODEL)
		compare_mode(def->model, host, out);
	else if (def->mode == CPU_HOST_PASSTHROUGH || def->mode == CPU_MAXIMUM)
		say(out, CPU_IDENTICAL, NULL);
	else if (!def->model)
		say(out, CPU_RELATION_UNKNOWN, "no CPU model is named");
	else if (!need->model)
		say(out, CPU_RELATION_UNKNOWN, "the CPU model is not in the table of models");
	else if (strcmp(need->model->name, host))
		say(out, CPU_INCOMPATIBLE, "the host's processor is of another generation than the CPU model");
	else
		say(out, CPU_IDENTICAL, NULL);
}
