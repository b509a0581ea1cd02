/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-full.c: what a guest would see that its definition doesn't name, which check='full'
 * refuses.
 *
 * Libvirt compares the CPU that QEMU made with the definition, whose model means libvirt's own
 * set of features. More than that comes from three sides: QEMU's model of that name has more
 * (a table), KVM switches x2apic on, and every guest sees hypervisor.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"

/* Machine types older than this changed QEMU's models in ways that no table here tells. */
#define MODELS_STEADY_SINCE "4.0"

/* Does the definition speak of the place, or its model hold it? */
static bool named(const struct judgement *j, int bit)
{
	const struct cpu_need *cpu = j->cpu;
	size_t w = (size_t)bit / 64;

	return w < cpu->words && (cpu->require[w] | cpu->optional[w] | cpu->disable[w] |
				  cpu->force[w] | cpu->forbid[w]) >> (bit % 64) & 1;
}

/*
 * Does QEMU give its model the feature? Some that models get are left out of 'host' (topoext), so what
 * QEMU says of the model itself counts beside what it says of the host.
 */
static bool qemu_gives(const struct judgement *j, const char *model, const char *feature, int bit)
{
	const struct cpu_model *measured = target_measured_model(&j->target, model);
	const json_t *item;
	size_t i;

	if (cpu_have_qemu(j, bit) == 1 || !measured || measured->usable < 0)
		return cpu_have_qemu(j, bit) == 1;
	json_array_foreach (measured->missing, i, item)
		if (!g_strcmp0(json_string_value(item), feature))
			return false;
	return measured->usable == 1 || measured->missing;
}

static void extra_add(const struct judgement *j, GArray *extra, const char *feature, bool always)
{
	g_autofree char *id = feature_id(NS_LIBVIRT, feature);
	int bit = universe_bit(j->judge->universe, id, FALSE);

	if (bit >= 0 && !named(j, bit) && (always || cpu_have_qemu(j, bit) == 1))
		places_add(extra, bit);
}

/* The model that libvirt makes host-model of there; NULL where it isn't told, or differs by machine type. */
static const char *host_model(const struct judgement *j)
{
	const char *model = NULL;

	for (guint i = 0; i < j->target.profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(j->target.profile->emulators, i);
		const char *name = json_string_value(json_object_get(e->json, "host_model"));

		if (e->scope.view != VIEW_LIBVIRT || !name || g_strcmp0(e->scope.accel, j->needs->accel) ||
		    (e->scope.emulator && j->target.path && strcmp(e->scope.emulator, j->target.path)))
			continue;
		if (model && strcmp(model, name))
			return NULL;
		model = name;
	}
	return model;
}

/* What QEMU's model has more than libvirt's; of the host's model also not what libvirt adds to it. */
static void add_more(const struct judgement *j, GArray *extra, const char *model, bool of_host)
{
	const char *more = tables_qemu_differs(j->judge->tables, model, "more");
	g_auto(GStrv) names = g_strsplit(more ? more : "", " ", -1);

	for (guint i = 0; names[i]; i++) {
		g_autofree char *id = feature_id(NS_LIBVIRT, names[i]);
		int bit = universe_bit(j->judge->universe, id, FALSE);

		if (bit >= 0 && !named(j, bit) && qemu_gives(j, model, names[i], bit) &&
		    (!of_host || offer_get(j->target.libvirt_offer, j->judge->universe, bit) != 1))
			places_add(extra, bit);
	}
}

/* TCG takes vme from every model; under KVM all have it but qemu32 and qemu64. */
static bool has_vme(const char *model)
{
	return !g_str_has_prefix(model, "qemu32") && !g_str_has_prefix(model, "qemu64");
}

static void find_extra(const struct judgement *j, GArray *extra)
{
	const char *model = j->cpu->def->model;
	const char *more = tables_qemu_differs(j->judge->tables, model, "more");

	extra_add(j, extra, "hypervisor", true);
	add_more(j, extra, model, false);
	if (more && !g_strcmp0(j->needs->accel, "kvm")) {
		extra_add(j, extra, "x2apic", false);
		if (has_vme(model))
			extra_add(j, extra, "vme", false);
	}
}

bool cpu_models_unsteady(const struct judgement *j)
{
	const char *name = j->target.info ? j->target.info->name : "";
	const char *dash = strrchr(name, '-');

	return dash && g_ascii_isdigit(dash[1]) && version_compare(dash + 1, MODELS_STEADY_SINCE) < 0;
}

static void extra_finding(struct judgement *j, const GArray *extra)
{
	g_autofree char *names = places_text(j, extra);
	struct finding *f;

	f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_BOTH,
			g_strdup_printf("%s/@check", j->cpu->def->path),
			g_strdup_printf("check='full' refuses what the guest would see and the definition doesn't name: %s",
					names),
			g_strdup_printf("name %s (<feature policy='require' or 'disable' …/>), or use check='partial'",
					extra->len > 1 ? "them" : "it"));
	f->capability = universe_id(j->judge->universe, g_array_index(extra, int, 0));
	for (guint i = 0; i < extra->len; i++) {
		const char *id = universe_id(j->judge->universe, g_array_index(extra, int, i));

		finding_item(f->need, id, json_false());
		finding_item(f->have, id, json_true());
	}
}

void cpu_full_extra(struct judgement *j)
{
	const struct cpu_def *def = j->cpu ? j->cpu->def : NULL;
	bool of_host = def && (def->mode == CPU_HOST_MODEL || def->match == CPU_MATCH_MINIMUM);
	const char *host = of_host && j->target.libvirt_offer ? host_model(j) : NULL;
	g_autoptr(GArray) extra = NULL;

	if (!def || j->needs->cpu_only || j->needs->argv || (of_host ? !host || !cpu_by_libvirt(j) || j->needs->live :
						     !cpu_is_custom(def) || !def->model))
		return;
	extra = g_array_new(FALSE, FALSE, sizeof(int));
	if (of_host)
		add_more(j, extra, host, true);
	else
		find_extra(j, extra);
	if (extra->len)
		extra_finding(j, extra);
	else if (!of_host && cpu_models_unsteady(j) && !j->needs->live)
		finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_START,
			    g_strdup_printf("%s/@check", def->path),
			    g_strdup_printf("check='full' refuses what the definition doesn't name; what QEMU's %s has more with machine type %s is not known",
					    def->model, j->target.info->name),
			    g_strdup("use check='partial', or a newer machine type"));
}
