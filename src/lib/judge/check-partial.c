/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-partial.c: what check='partial' means to the libvirt of a host.
 *
 * 9.0.0 compares its own idea of the model with the host's CPU. 11.3.0 first takes QEMU's word
 * that the model is usable, where the definition only switches features off; else it compares
 * models that it has known for long, and of the others wants each of QEMU's blockers switched off
 * and each feature that is named to be in the host-model (qemuDomainCheckCPU,
 * virCPUCompareUnusable). Of versions between it isn't known.
 */
#include "config.h"

#include <string.h>

#include "judge/lack.h"

#define COMPARES_UP_TO "9.0.99"
#define ASKS_BLOCKERS_SINCE "11.3.0"

/* libvirt's list of models of the emulator and accelerator, whichever machine type it was told of. */
static const struct emulator *libvirt_list(const struct judgement *j)
{
	const struct target *t = &j->target;

	if (t->libvirt && t->libvirt->cpu_models)
		return t->libvirt;
	for (guint i = 0; i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);

		if (e->scope.view == VIEW_LIBVIRT && e->cpu_models && t->path &&
		    !g_strcmp0(e->scope.emulator, t->path) &&
		    !g_strcmp0(e->scope.accel, j->needs->accel))
			return e;
	}
	return NULL;
}

static bool only_switches_off(const struct cpu_def *def)
{
	for (guint i = 0; i < def->features->len; i++) {
		const struct cpu_def_feature *f = g_ptr_array_index(def->features, i);

		if (f->policy != CPU_DISABLE)
			return false;
	}
	return true;
}

/* What a libvirt does that asks QEMU. */
static enum cpu_partial newer(const struct judgement *j)
{
	const struct emulator *list = libvirt_list(j);
	const struct cpu_model *model = emulator_model(list, j->cpu->def->model);
	const struct named_model *named = j->cpu->model;

	if (!list)
		return PARTIAL_UNSURE;
	if (model && model->usable == 1 && only_switches_off(j->cpu->def))
		return PARTIAL_TAKEN;
	if (!model || !named)
		return PARTIAL_COMPARES;
	return named->partial_blockers ? PARTIAL_BLOCKERS : PARTIAL_COMPARES;
}

enum cpu_partial cpu_partial(const struct judgement *j)
{
	const char *version = j->target.libvirt_version;
	enum cpu_partial asked;

	if (j->needs->cpu_only || !j->cpu->def->model || !cpu_is_custom(j->cpu->def) ||
	    !cpu_by_libvirt(j) || (version && version_compare(version, COMPARES_UP_TO) <= 0))
		return PARTIAL_COMPARES;
	asked = newer(j);
	if (asked == PARTIAL_COMPARES || (version && version_compare(version, ASKS_BLOCKERS_SINCE) >= 0))
		return asked;
	return PARTIAL_UNSURE;
}

void lack_by_blockers(struct judgement *j, struct lack *lack)
{
	const struct emulator *list = libvirt_list(j);
	const struct cpu_model *model = emulator_model(list, j->cpu->def->model);
	bool unsure = cpu_partial(j) == PARTIAL_UNSURE;
	const json_t *member;
	size_t i;

	json_array_foreach (model ? model->missing : NULL, i, member) {
		g_autofree char *id = feature_id(NS_LIBVIRT, json_string_value(member));
		int bit = universe_bit(j->judge->universe, id, FALSE);

		if (bit >= 0 && ((size_t)bit / 64 >= j->cpu->words || !bits_test(j->cpu->disable, (size_t)bit)))
			places_add(unsure ? lack->unknown : lack->refused, bit);
	}
	BITS_FOREACH (bit, j->cpu->explicit_require, j->cpu->words) {
		int have = j->target.libvirt_offer ?
				   offer_get(j->target.libvirt_offer, j->judge->universe, (int)bit) :
				   -1;

		if (have < 1)
			places_add(have || unsure ? lack->unknown : lack->refused, (int)bit);
	}
}
