/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cpu-need.c: see cpu-need.h. */
#include "config.h"

#include <string.h>

#include "judge/cpu-need.h"
#include "model/power.h"

static int feature_bit(const struct universe *universe, enum arch_family family, const char *name)
{
	g_autofree char *id = arch_feature_id(family, NS_LIBVIRT, name);

	return universe_bit((struct universe *)universe, id, FALSE);
}

static uint64_t *set_of(const struct cpu_need *need, enum cpu_policy policy)
{
	switch (policy) {
	case CPU_FORCE:
		return need->force;
	case CPU_REQUIRE:
		return need->explicit_require;
	case CPU_OPTIONAL:
		return need->optional;
	case CPU_DISABLE:
		return need->disable;
	case CPU_FORBID:
		return need->forbid;
	}
	return NULL;
}

/*
 * Sets a feature's place, or those of all that it stands for: a host may tell these alone. The
 * group's own speaks for members that no host ever told. False where there is no place.
 */
static bool add_feature(uint64_t *set, const struct cpu_need *need, const struct cpu_models *models,
			const struct universe *universe, const char *name)
{
	const struct named_model *group = cpu_models_group(models, need->family, name);
	int bit = feature_bit(universe, need->family, name);
	bool untold = !group;

	for (size_t i = 0; group && i < group->n_features; i++) {
		int member = feature_bit(universe, need->family, group->features[i]);

		if (member >= 0)
			bits_put(set, (size_t)member, true);
		else
			untold = true;
	}
	if (untold && bit >= 0)
		bits_put(set, (size_t)bit, true);
	return bit >= 0 || !untold;
}

static void add_model(struct cpu_need *need, const struct cpu_models *models,
		      const struct universe *universe)
{
	for (size_t i = 0; i < need->model->n_features; i++)
		add_feature(need->model_set, need, models, universe, need->model->features[i]);
}

static void add_features(struct cpu_need *need, const struct cpu_models *models,
			 const struct universe *universe)
{
	for (guint i = 0; i < need->def->features->len; i++) {
		const struct cpu_def_feature *f = g_ptr_array_index(need->def->features, i);

		if (!add_feature(set_of(need, f->policy), need, models, universe, f->name) &&
		    f->policy != CPU_OPTIONAL)
			g_ptr_array_add(need->unknown_names, f->name);
	}
}

/* Whose CPU it is: as the definition says, the guest, or the model's name. */
static void find_family(struct cpu_need *need, const char *arch, const struct cpu_models *models)
{
	const char *model = need->def->model;
	const struct named_model *named = model ? cpu_models_find(models, model) : NULL;

	if (need->def->arch || arch)
		need->family = arch_family(need->def->arch ? need->def->arch : arch);
	else if (named)
		need->family = named->family;
	need->family_known = need->def->arch || arch || named;
	if (model && need->family == ARCH_PPC64)
		named = cpu_models_find(models, power_generation(model));
	if (named && named->family == need->family)
		need->model = named;
	need->model_unknown = model && !need->model;
}

struct cpu_need *cpu_need_new(const struct cpu_def *def, const char *arch,
			      const struct cpu_models *models, const struct universe *universe)
{
	struct cpu_need *need = g_new0(struct cpu_need, 1);
	size_t n = bits_words(universe_bits(universe));
	uint64_t *sets = g_new0(uint64_t, n * 7);

	need->def = def;
	need->words = n;
	need->unknown_names = g_ptr_array_new();
	need->require = sets;
	need->explicit_require = sets + n;
	need->force = sets + 2 * n;
	need->optional = sets + 3 * n;
	need->disable = sets + 4 * n;
	need->forbid = sets + 5 * n;
	need->model_set = sets + 6 * n;
	find_family(need, arch, models);
	if (need->model)
		add_model(need, models, universe);
	add_features(need, models, universe);
	for (size_t i = 0; i < n; i++)
		need->require[i] = (need->model_set[i] | need->explicit_require[i]) &
				   ~(need->forbid[i] | need->optional[i] | need->disable[i] |
				     need->force[i]);
	return need;
}

void cpu_need_free(struct cpu_need *need)
{
	if (!need)
		return;
	g_ptr_array_unref(need->unknown_names);
	g_free(need->require);
	g_free(need);
}

static GArray *places_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(int));
}

static void place_add(GArray *places, long bit)
{
	int b = (int)bit;

	g_array_append_val(places, b);
}

/* Sorts the needed places into missing and unknown. */
static void compare_required(const struct cpu_need *need, const struct offer *offer,
			     const struct universe *universe, struct cpu_comparison *out)
{
	BITS_FOREACH (bit, need->require, need->words) {
		int have = offer_get(offer, universe, (int)bit);

		if (have == 0)
			place_add(out->missing, bit);
		else if (have < 0)
			place_add(out->unknown, bit);
	}
	BITS_FOREACH (bit, need->forbid, need->words) {
		int have = offer_get(offer, universe, (int)bit);

		if (have == 1)
			place_add(out->forbidden, bit);
		else if (have < 0)
			place_add(out->unknown, bit);
	}
}

static void compare_extra(const struct cpu_need *need, const struct offer *offer,
			  const struct universe *universe, struct cpu_comparison *out)
{
	BITS_FOREACH (bit, offer->value, offer->words) {
		size_t w = (size_t)bit / 64;
		uint64_t mentioned = 0;

		if (!universe_is_cpu(universe, (int)bit) || !universe_in_libvirt(universe, (int)bit))
			continue;
		if (w < need->words)
			mentioned = need->require[w] | need->optional[w] | need->disable[w] |
				    need->force[w];
		if (!(mentioned >> (bit % 64) & 1))
			place_add(out->extra, bit);
	}
}

void cpu_compare(const struct cpu_need *need, const struct offer *offer,
		 const struct universe *universe, struct cpu_comparison *out)
{
	const char *vendor = need->def->vendor;
	bool strict = need->def->match == CPU_MATCH_STRICT;

	*out = (struct cpu_comparison){ .missing = places_new(), .unknown = places_new(),
					.forbidden = places_new(), .extra = places_new() };
	if (need->family == ARCH_PPC64) {
		cpu_compare_power(need, offer, out);
		return;
	}
	compare_required(need, offer, universe, out);
	compare_extra(need, offer, universe, out);
	out->relation = out->extra->len ? CPU_SUPERSET : CPU_IDENTICAL;
	if (vendor && offer->vendor && strcmp(vendor, offer->vendor)) {
		out->relation = CPU_INCOMPATIBLE;
		out->reason = "host CPU vendor does not match required CPU vendor";
	} else if (need->model_unknown) {
		out->relation = CPU_RELATION_UNKNOWN;
		out->reason = "the CPU model is not in the table of models";
	} else if (out->missing->len || out->forbidden->len) {
		out->relation = CPU_INCOMPATIBLE;
	} else if (need->unknown_names->len) {
		out->relation = CPU_RELATION_UNKNOWN;
		out->reason = "a feature is known neither to the dictionary nor to any host";
	} else if (out->unknown->len) {
		out->relation = CPU_RELATION_UNKNOWN;
		out->reason = "what the host gives is not known for every feature";
	} else if (strict && out->extra->len) {
		out->relation = CPU_INCOMPATIBLE;
		out->reason = "the definition is strict and the host has more features";
	}
}

void cpu_comparison_clear(struct cpu_comparison *c)
{
	g_clear_pointer(&c->missing, g_array_unref);
	g_clear_pointer(&c->unknown, g_array_unref);
	g_clear_pointer(&c->forbidden, g_array_unref);
	g_clear_pointer(&c->extra, g_array_unref);
}

const char *cpu_relation_name(enum cpu_relation relation)
{
	static const char *const names[] = {
		[CPU_IDENTICAL] = "identical",
		[CPU_SUPERSET] = "superset",
		[CPU_INCOMPATIBLE] = "incompatible",
		[CPU_RELATION_UNKNOWN] = "unknown",
	};

	return names[relation];
}
