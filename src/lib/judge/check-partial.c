/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-partial.c: what check='partial' means to the libvirt of a host.
 *
 * 9.0.0 compares its own idea of the model with the host's CPU. Since 2024 (libvirt's issue 608)
 * QEMU's word is taken first that a model is usable, where the definition only switches features
 * off. 11.3.0 compares only models that it has known for long; of the others it wants each of
 * QEMU's blockers switched off and each feature that is named to be in the host-model
 * (qemuDomainCheckCPU, virCPUCompareUnusable). Of versions between it isn't known.
 */
#include "config.h"

#include <string.h>

#include "judge/lack.h"

#define COMPARES_UP_TO "10.0.99"
#define TAKES_SINCE "10.9.0"
#define ASKS_BLOCKERS_SINCE "11.3.0"

/*
 * Who tells which models QEMU calls usable there: libvirt's list for the emulator and accelerator,
 * whichever machine type it was told of, else QEMU's own.
 */
static const struct emulator *model_list(const struct judgement *j)
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
	return t->qemu_models;
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
	const struct emulator *list = model_list(j);
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

/* A version for a libvirt that told none: the one that its list of models must be of, or NULL. */
static const char *version_by_list(const struct emulator *list)
{
	bool vendors = false;

	for (guint i = 0; list && i < list->cpu_models->len; i++) {
		const struct cpu_model *m = &g_array_index(list->cpu_models, struct cpu_model, i);

		if (list->scope.view == VIEW_LIBVIRT && json_array_size(m->missing))
			return TAKES_SINCE; /* it names blockers */
		vendors |= m->vendor != NULL;
	}
	/* vendors are named since 8.9.0 */
	return list && list->scope.view == VIEW_LIBVIRT && !vendors ? COMPARES_UP_TO : NULL;
}

enum cpu_partial cpu_partial(const struct judgement *j)
{
	const char *version = j->target.libvirt_version ? j->target.libvirt_version :
							  version_by_list(model_list(j));
	const char *since;
	enum cpu_partial asked;

	if (j->needs->cpu_only || !j->cpu->def->model || !cpu_is_custom(j->cpu->def) ||
	    !cpu_by_libvirt(j) || (version && version_compare(version, COMPARES_UP_TO) <= 0))
		return PARTIAL_COMPARES;
	asked = newer(j);
	since = asked == PARTIAL_TAKEN ? TAKES_SINCE : ASKS_BLOCKERS_SINCE;
	if (asked == PARTIAL_COMPARES || (version && version_compare(version, since) >= 0))
		return asked;
	return PARTIAL_UNSURE;
}

/* What asking the blockers would refuse. */
static void find_blocked(const struct judgement *j, GArray *refused, GArray *unknown)
{
	const struct emulator *list = model_list(j);
	const struct cpu_model *model = emulator_model(list, j->cpu->def->model);
	enum cap_namespace ns = list && list->scope.view == VIEW_QEMU ? NS_QEMU : NS_LIBVIRT;
	const json_t *member;
	size_t i;

	json_array_foreach (model ? model->missing : NULL, i, member) {
		g_autofree char *id = feature_id(ns, json_string_value(member));
		int bit = universe_bit(j->judge->universe, id, FALSE);

		if (bit >= 0 && ((size_t)bit / 64 >= j->cpu->words ||
				 !bits_test(j->cpu->disable, (size_t)bit)))
			places_add(refused, bit);
	}
	BITS_FOREACH (bit, j->cpu->explicit_require, j->cpu->words) {
		int have = j->target.libvirt_offer ?
				   offer_get(j->target.libvirt_offer, j->judge->universe, (int)bit) :
				   -1;

		if (have < 1)
			places_add(have ? unknown : refused, (int)bit);
	}
}

void lack_by_blockers(struct judgement *j, struct lack *lack)
{
	g_autoptr(GArray) refused = g_array_new(FALSE, FALSE, sizeof(int));
	g_autoptr(GArray) unknown = g_array_new(FALSE, FALSE, sizeof(int));
	GArray *doubtful = lack->refused;

	if (cpu_partial(j) == PARTIAL_BLOCKERS) {
		find_blocked(j, lack->refused, lack->unknown);
		return;
	}
	if (newer(j) == PARTIAL_BLOCKERS)
		find_blocked(j, refused, unknown);
	/* both ways of old and new must refuse it for it to be refused */
	if (refused->len && lack->refused->len)
		return;
	if (!refused->len && !unknown->len && !lack->refused->len)
		return;
	for (guint i = 0; i < doubtful->len; i++)
		places_add(lack->unknown, g_array_index(doubtful, int, i));
	g_array_set_size(doubtful, 0);
	for (guint i = 0; i < refused->len; i++)
		places_add(lack->unknown, g_array_index(refused, int, i));
	for (guint i = 0; i < unknown->len; i++)
		places_add(lack->unknown, g_array_index(unknown, int, i));
}
