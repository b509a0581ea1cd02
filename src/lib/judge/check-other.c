/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-other.c: the CPU of a guest on other architectures than x86.
 *
 * There QEMU decides, and refuses what it can't give whatever check= says: which models it has, and,
 * as far as it tells, which of them run; on IBM Z every feature. libvirt compares only POWER, by
 * generation. What QEMU doesn't tell (which of Arm's models KVM runs) rules know, or it is unknown.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"
#include "model/power.h"

#define ASK_HOST "run 'capbroker probe' on the host, or import its domain capabilities"

static const struct cpu_def *def_of(const struct judgement *j)
{
	return j->cpu ? j->cpu->def : NULL;
}

static struct finding *model_finding(struct judgement *j, enum verdict verdict, unsigned int on,
				     char *text, const char *fix)
{
	const struct cpu_def *def = def_of(j);
	struct finding *f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, on,
					g_strdup_printf("%s/model", def->path), text, g_strdup(fix));

	f->capability = "libvirt.cpu-model";
	finding_item(f->need, "libvirt.cpu-model", json_string(def->model));
	finding_item(f->have, "libvirt.cpu-model", verdict == V_BLOCK ? json_false() : json_null());
	return f;
}

/* A list of that emulator's CPU models as @view tells it: they are alike for all machine types. */
static const struct emulator *models_of(const struct judgement *j, enum view view)
{
	const struct target *t = &j->target;

	for (guint i = 0; i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);

		if (e->scope.view == view && e->cpu_models && !g_strcmp0(e->scope.accel, j->needs->accel) &&
		    (!t->path || !g_strcmp0(e->scope.emulator, t->path)))
			return e;
	}
	return NULL;
}

/* Another accelerator's list tells no less which names there are. */
static const struct emulator *any_models(const struct judgement *j)
{
	const struct target *t = &j->target;

	for (guint i = 0; i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);

		if (e->cpu_models && t->path && !g_strcmp0(e->scope.emulator, t->path))
			return e;
	}
	return NULL;
}

/* QEMU for POWER takes names in any case; libvirt made generations of four older ones. */
static const struct cpu_model *find_model(const struct judgement *j, const struct emulator *e)
{
	const char *name = def_of(j)->model;

	if (j->family != ARCH_PPC64)
		return emulator_model(e, name);
	name = power_generation(name);
	for (guint i = 0; e && i < e->cpu_models->len; i++) {
		const struct cpu_model *m = &g_array_index(e->cpu_models, struct cpu_model, i);

		if (!g_ascii_strcasecmp(m->name, name))
			return m;
	}
	return NULL;
}

/* Is it what a host gives, rather than a model? */
static bool is_general(const char *model)
{
	return !strcmp(model, "host") || !strcmp(model, "max");
}

/* Is the feature switched off in the definition, by itself or as a part of a group? */
static bool is_off(const struct judgement *j, const char *feature)
{
	g_autofree char *id = arch_feature_id(j->family, NS_LIBVIRT, feature);
	int bit = universe_bit(j->judge->universe, id, FALSE);
	size_t w = bit < 0 ? 0 : (size_t)bit / 64;

	return bit >= 0 && w < j->cpu->words &&
	       (j->cpu->disable[w] | j->cpu->forbid[w]) >> (bit % 64) & 1;
}

/* What keeps a model from running and isn't switched off; NULL: nothing. Free with g_free(). */
static char *blockers(const struct judgement *j, const struct cpu_model *model)
{
	GString *s = g_string_new(NULL);
	const json_t *member;
	size_t i;

	json_array_foreach (model->missing, i, member) {
		const char *name = json_string_value(member);

		if (!is_off(j, name))
			g_string_append_printf(s, "%s%s", s->len ? ", " : "",
					       strcmp(name, "type") ? name : "a processor as new as the model");
	}
	return g_string_free(s, !s->len && model->missing);
}

/* What QEMU says of a model that it has. */
static void judge_usable(struct judgement *j, const struct cpu_model *model)
{
	g_autofree char *lacks = model->usable == 0 ? blockers(j, model) : NULL;
	bool told = model->usable >= 0 || g_strcmp0(j->needs->accel, "kvm");

	if (lacks)
		model_finding(j, V_BLOCK, ON_ALL,
			      g_strdup_printf("host can't run CPU model %s%s%s", model->name,
					      *lacks ? ": it lacks " : "", lacks),
			      "choose an older model (capbroker baseline), or switch off what is missing");
	else if (!told && (j->family == ARCH_RISCV64 || j->family == ARCH_LOONGARCH64 ||
			   j->family == ARCH_OTHER) && !is_general(model->name))
		model_finding(j, V_UNKNOWN, ON_ALL,
			      g_strdup_printf("whether KVM there runs CPU model %s is not known: QEMU doesn't tell",
					      model->name),
			      "use mode='host-passthrough', which is the host's own");
}

/* A name that libvirt compares and has no meaning for. */
static bool unknown_to_libvirt(const struct judgement *j)
{
	const struct named_model *model = j->cpu->model;
	const char *version = j->target.libvirt_version;

	if (j->family != ARCH_PPC64 || !cpu_by_libvirt(j) || cpu_effective_check(j) == CPU_CHECK_NONE)
		return false;
	return !model || (version && model->first_libvirt &&
			  version_compare(version, model->first_libvirt) < 0 &&
			  version_compare(version, "11.3.0") <= 0);
}

static void judge_named(struct judgement *j)
{
	const char *name = def_of(j)->model;
	const struct emulator *qemu = models_of(j, VIEW_QEMU), *libvirt = models_of(j, VIEW_LIBVIRT);
	const struct cpu_model *in_qemu = find_model(j, qemu), *in_libvirt = find_model(j, libvirt);

	if (qemu && !in_qemu)
		model_finding(j, V_BLOCK, ON_ALL, g_strdup_printf("host's QEMU has no CPU model %s", name),
			      "choose a model that the host knows (capbroker baseline)");
	else if (unknown_to_libvirt(j))
		model_finding(j, V_BLOCK, ON_BOTH,
			      g_strdup_printf("the host's libvirt has no CPU model %s", name),
			      "choose a model that the host knows (capbroker baseline)");
	else if (libvirt && !in_libvirt && !in_qemu)
		model_finding(j, V_BLOCK, ON_ALL,
			      g_strdup_printf("CPU model %s is not among those the host's libvirt and QEMU offer",
					      name),
			      "choose a model that the host knows (capbroker baseline)");
	else if (in_qemu && (in_qemu->usable >= 0 || !in_libvirt))
		judge_usable(j, in_qemu);
	else if (in_libvirt)
		judge_usable(j, in_libvirt);
	else if (g_strcmp0(j->needs->accel, "tcg") || !find_model(j, any_models(j)))
		model_finding(j, V_UNKNOWN, ON_ALL,
			      g_strdup_printf("which CPU models the host's QEMU has is not known (the guest's is %s)",
					      name),
			      ASK_HOST);
}

void other_cpu_model(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);

	if (!j->needs->cpu_only) {
		if (cpu_is_custom(def))
			judge_named(j);
	} else if (j->out->relation == CPU_RELATION_UNKNOWN && j->cpu->model_unknown && j->out->reason) {
		model_finding(j, V_UNKNOWN, ON_ALL, g_strdup_printf("%s: %s", def->model, j->out->reason), NULL);
	}
}

/* A feature that the CPU there has no property for is refused by QEMU, on or off. */
void other_cpu_names(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	struct finding *f = NULL;

	for (guint i = 0; def && !j->needs->cpu_only && i < def->features->len; i++) {
		const struct cpu_def_feature *feature = g_ptr_array_index(def->features, i);
		g_autofree char *id = arch_feature_id(j->family, NS_LIBVIRT, feature->name);

		if (cpu_qemu_has_property(j, feature->name))
			continue;
		if (!f)
			f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(feature->path),
					g_strdup_printf("the host's QEMU has no property for the feature: %s",
							feature->name),
					g_strdup("leave the feature out of the definition, or upgrade the host"));
		finding_item(f->need, id, json_string(cpu_policy_name(feature->policy)));
	}
}

/* --- POWER ------------------------------------------------------------------------------------ */

static const char *host_generation(const struct judgement *j)
{
	return power_generation(target_model(&j->target));
}

static void power_finding(struct judgement *j, enum verdict verdict, unsigned int on,
			  const char *need, const char *have, char *text, const char *fix)
{
	const struct cpu_def *def = def_of(j);
	struct finding *f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, on,
					g_strdup_printf("%s/model", def->path), text, g_strdup(fix));

	f->capability = def->mode == CPU_HOST_MODEL ? "ppc64.compat" : "ppc64.model";
	finding_item(f->need, f->capability, json_string(need));
	finding_item(f->have, f->capability, have ? json_string(have) : json_null());
}

/* A guest in a mode of an older generation: <cpu mode='host-model'><model>power8</model>. */
static void judge_mode(struct judgement *j, const char *host)
{
	const char *mode = def_of(j)->model;

	if (power_mode_level(mode) < 0)
		power_finding(j, V_BLOCK, ON_BOTH, mode, host,
			      g_strdup_printf("'%s' is no compatibility mode", mode),
			      "use power8, power9, … in <model>");
	else if (!host || power_level(host) < 0)
		power_finding(j, V_UNKNOWN, ON_ALL, mode, host,
			      g_strdup("which modes the host's processor has is not known"), ASK_HOST);
	else if (power_mode_level(mode) > power_level(host))
		power_finding(j, V_BLOCK, ON_ALL, mode, host,
			      g_strdup_printf("guest runs in mode %s, which %s can't", mode, host),
			      "choose an older mode, or a newer host");
}

/* Emulated, any model runs; but libvirt, told to compare, has no processor to compare it with. */
static void judge_emulated(struct judgement *j)
{
	if (cpu_by_libvirt(j) && cpu_effective_check(j) != CPU_CHECK_NONE)
		power_finding(j, V_BLOCK, ON_BOTH, def_of(j)->model, NULL,
			      g_strdup("libvirt has no processor to compare with where POWER is emulated"),
			      "leave check= out, or use check='none'");
}

static void judge_power(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	const char *host = host_generation(j), *model = power_generation(def->model);

	if (!def->model)
		return;
	if (def->mode == CPU_HOST_MODEL) {
		judge_mode(j, host);
	} else if (!cpu_is_custom(def)) {
		return;
	} else if (g_strcmp0(j->needs->accel, "kvm")) {
		judge_emulated(j);
	} else if (!host) {
		power_finding(j, V_UNKNOWN, ON_ALL, model, NULL,
			      g_strdup("of which generation the host's processor is, is not known"), ASK_HOST);
	} else if (strcmp(model, host)) {
		power_finding(j, V_BLOCK, ON_ALL, model, host,
			      g_strdup_printf("guest asks for %s, the host's processor is %s", model, host),
			      "use mode='host-model' with the older generation's mode (<model>power8</model>)");
	}
}

/* --- features --------------------------------------------------------------------------------- */

/* Does QEMU itself say that the model runs, less what is off? Only what is added is in question then. */
static bool runs(const struct judgement *j)
{
	static const enum view views[] = { VIEW_QEMU, VIEW_LIBVIRT };

	for (size_t i = 0; def_of(j)->model && i < G_N_ELEMENTS(views); i++) {
		const struct cpu_model *m = find_model(j, models_of(j, views[i]));

		g_autofree char *lacks = m && !m->usable ? blockers(j, m) : NULL;

		if (m && m->usable >= 0 && !lacks)
			return true;
	}
	return false;
}

static void sort_places(const struct judgement *j, const uint64_t *set, GArray *missing, GArray *unknown)
{
	BITS_FOREACH (bit, set, j->cpu->words) {
		int have = cpu_have_qemu(j, (int)bit);

		if (have == 0)
			places_add(missing, (int)bit);
		else if (have < 0)
			places_add(unknown, (int)bit);
	}
}

static void feature_finding(struct judgement *j, enum verdict verdict, const GArray *places,
			    const char *text, const char *fix)
{
	g_autofree char *names = places_text(j, places);
	struct finding *f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(def_of(j)->path),
					g_strdup_printf("%s %s", text, names), g_strdup(fix));

	f->origin = g_strdup(j->target.judged ? j->target.judged->origin : NULL);
	for (guint i = 0; i < places->len; i++) {
		const char *id = universe_id(j->judge->universe, g_array_index(places, int, i));

		f->capability = f->capability ? f->capability : id;
		finding_item(f->need, id, json_true());
		finding_item(f->have, id, verdict == V_BLOCK ? json_false() : json_null());
	}
}

static void judge_features(struct judgement *j)
{
	bool whole = j->family == ARCH_S390X && (j->needs->cpu_only || !runs(j));
	g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(int));
	g_autoptr(GArray) unknown = g_array_new(FALSE, FALSE, sizeof(int));

	sort_places(j, whole ? j->cpu->require : j->cpu->explicit_require, missing, unknown);
	if (missing->len)
		feature_finding(j, V_BLOCK, missing, "host lacks",
				"leave it out of the definition, or choose a host that has it");
	else if (unknown->len)
		feature_finding(j, V_UNKNOWN, unknown, "not known whether the host gives", ASK_HOST);
	else if (j->cpu->unknown_names->len)
		finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(def_of(j)->path),
			    g_strdup_printf("known neither to the dictionary nor to any host: %s",
					    (const char *)j->cpu->unknown_names->pdata[0]),
			    NULL);
}

/* A bare <cpu> is judged by how it compares. */
static void judge_relation(struct judgement *j)
{
	const struct verdicts *out = j->out;

	if (out->relation == CPU_INCOMPATIBLE)
		finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(def_of(j)->path),
			    g_strdup(out->reason ? out->reason : "host lacks what the definition needs"), NULL);
	else if (out->relation == CPU_RELATION_UNKNOWN)
		finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(def_of(j)->path),
			    g_strdup(out->reason ? out->reason : "not known"), NULL);
}

void other_cpu_missing(struct judgement *j)
{
	if (j->family != ARCH_PPC64)
		judge_features(j);
	else if (j->needs->cpu_only)
		judge_relation(j);
	else
		judge_power(j);
}
