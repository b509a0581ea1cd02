/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * settings-kubevirt.c: settings as a KubeVirt resource: the default CPU model, models that nodes aren't
 * labelled with, a machine type for an architecture. Single features are a virtual machine's.
 */
#include "config.h"

#include <string.h>

#include "plan/settings-parts.h"

static const char *architecture(const struct setting *s)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "s390x", "s390x" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(names[i][0], s->arch))
			return names[i][1];
	return NULL;
}

static void take_patterns(const char *name, const char *value, void *data)
{
	const char **of = data; /* an architecture; then its patterns */

	if (!strcmp(name, of[0]))
		of[1] = value;
}

struct obsolete {
	const char *chosen;
	GString *text;
};

/* Saying any replaces KubeVirt's own list, so that one is repeated; the chosen model must not be in it. */
static void add_obsolete(const char *name, const char *value, void *data)
{
	struct obsolete *o = data;

	(void)value;
	g_string_append_printf(o->text, "      \"%s\": %s\n", name,
			       g_strcmp0(o->chosen, name) ? "true" : "false");
}

static bool contains(const struct named_model *whole, const struct named_model *part)
{
	size_t i = 0;

	for (size_t k = 0; k < part->n_features; k++) {
		while (i < whole->n_features && strcmp(whole->features[i], part->features[k]) < 0)
			i++;
		if (i == whole->n_features || strcmp(whole->features[i], part->features[k]))
			return false;
	}
	return part->n_features < whole->n_features;
}

/* Which models give less than the chosen one in everything, and may go once nobody asks for them. */
static void note_older(struct setting_out *out)
{
	const struct cpu_models *models = out->facts->models;
	const struct named_model *chosen = cpu_models_find(models, out->setting->model);
	g_autoptr(GString) names = g_string_new(NULL);

	for (size_t i = 0; chosen && i < cpu_models_count(models); i++) {
		const struct named_model *m = cpu_models_at(models, i);

		if (m->family == chosen->family && m->vendor && !g_strcmp0(m->vendor, chosen->vendor) &&
		    m->n_features && contains(chosen, m))
			g_string_append_printf(names, " %s", m->name);
	}
	if (names->len)
		setting_note(out, "older models, all of which the chosen one has; once no virtual "
				  "machine asks for them they may be added to obsoleteCPUModels:%s", names->str);
}

static void note_the_rest(struct setting_out *out)
{
	const struct setting *s = out->setting;
	g_autofree char *flags = setting_flags(s, false, " ");

	if (!s->mode && *flags)
		setting_note(out, "not set: %s: the resource has no single features; a virtual machine "
				  "(or a preference) has, under spec.domain.cpu.features, each with a "
				  "name and a policy (require, disable)", flags);
	setting_note_nameless(out);
	if (s->viommu)
		setting_note(out, "not set: a virtual IOMMU of model %s: KubeVirt has none", s->viommu);
}

static void add_machine(struct setting_out *out, const char *arch)
{
	const char *of[2] = { out->setting->arch, NULL }, *machine;

	setting_names(out->facts, "kubevirt", "machines", take_patterns, of);
	machine = of[1] ? setting_machine(out->setting, of[1]) : NULL;
	if (machine)
		g_string_append_printf(out->text,
				       "    architectureConfiguration:\n      %s:\n        machineType: \"%s\"\n",
				       arch, machine);
	else
		setting_note(out, "no machine type that KubeVirt takes is known to be common to these hosts");
}

void setting_kubevirt(struct setting_out *out)
{
	const struct setting *s = out->setting;
	const char *arch = architecture(s);
	struct obsolete obsolete = { s->model, out->text };

	if (!arch) {
		setting_none(out, "KubeVirt runs on x86_64, aarch64 and s390x only");
		return;
	}
	if (!s->mode && !s->model) {
		setting_none(out, "KubeVirt needs a named CPU model, and none fits these hosts");
		return;
	}
	note_the_rest(out);
	if (!s->mode)
		note_older(out);
	g_string_append_printf(out->text,
			       "apiVersion: kubevirt.io/v1\nkind: KubeVirt\nmetadata:\n  name: kubevirt\n"
			       "  namespace: kubevirt\nspec:\n  configuration:\n    cpuModel: \"%s\"\n",
			       s->mode ? s->mode : s->model);
	if (s->family == ARCH_X86 && !s->mode) {
		g_string_append(out->text, "    obsoleteCPUModels:\n");
		setting_names(out->facts, "kubevirt", "obsolete", add_obsolete, &obsolete);
	}
	add_machine(out, arch);
}
