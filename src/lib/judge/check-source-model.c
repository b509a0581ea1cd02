/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-source-model.c: the names that a guest with its source's host-model carries along.
 *
 * Libvirt makes a model and features of host-model when the guest starts, sends these along with its
 * migratable definition, which still says host-model (qemuMigrationCookieAddCPU), and the target refuses
 * names that it doesn't know. Domain capabilities of the source say what it makes of it.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"

#define TOLD 8u

/* What libvirt at the source makes of the guest's host-model; false where there is nothing to tell. */
static bool source_of(const struct judgement *j, struct target *here)
{
	const struct cpu_def *def = j->cpu ? j->cpu->def : NULL;

	if (!j->source || j->family != ARCH_X86 || !def || def->mode != CPU_HOST_MODEL || j->needs->cpu_only ||
	    !cpu_by_libvirt(j))
		return false;
	target_resolve(j->needs, j->source, j->judge->universe, here);
	if (here->libvirt_offer)
		return true;
	target_clear(here);
	return false;
}

void source_model_known(struct judgement *j)
{
	const char *model;
	struct target here;
	struct finding *f;

	if (!source_of(j, &here))
		return;
	model = here.libvirt_offer->model;
	if (model && !emulator_model(j->target.libvirt, model) &&
	    profile_libvirt_knows(j->target.profile, j->judge->tables, "model", model) == 0) {
		f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_MIGRATE, g_strdup_printf("%s/@mode", j->cpu->def->path),
				g_strdup_printf("host-model is %s at the source, which libvirt %s doesn't know", model,
						j->target.libvirt_version ? j->target.libvirt_version : "there"),
				g_strdup("define the guest with a named model (capbroker baseline --format libvirt)"));
		f->capability = "libvirt.cpu-model";
		finding_item(f->need, "libvirt.cpu-model", json_string(model));
		finding_item(f->have, "libvirt.cpu-model", json_false());
	}
	target_clear(&here);
}

/* Libvirt leaves these out where a model came to have them later (cpu-extra's rules tell of versions). */
static bool left_out(const char *name)
{
	return g_str_has_prefix(name, "vmx-");
}

void source_model_names(struct judgement *j)
{
	GString *names;
	struct target here;
	struct finding *f = NULL;
	guint n = 0;

	if (!source_of(j, &here))
		return;
	names = g_string_new(NULL);
	BITS_FOREACH (bit, here.libvirt_offer->value, here.libvirt_offer->words) {
		const char *id = universe_id(j->judge->universe, (int)bit);
		const char *name = universe_feature_name(j->judge->universe, (int)bit);

		if (!universe_is_cpu(j->judge->universe, (int)bit) || bits_test(j->cpu->disable, bit) || left_out(name) ||
		    profile_libvirt_knows(j->target.profile, j->judge->tables, "feature", name) != 0)
			continue;
		if (!f)
			f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_MIGRATE,
					g_strdup_printf("%s/@mode", j->cpu->def->path), NULL,
					g_strdup("define the guest with a named model (capbroker baseline --format libvirt)"));
		if (n++ < TOLD)
			g_string_append_printf(names, " %s", name);
		finding_item(f->need, id, json_true());
	}
	if (f)
		f->text = g_strdup_printf("host-model of the source has features whose names libvirt %s doesn't know:%s%s",
					  j->target.libvirt_version ? j->target.libvirt_version : "there", names->str,
					  n > TOLD ? " …" : "");
	g_string_free(names, TRUE);
	target_clear(&here);
}
