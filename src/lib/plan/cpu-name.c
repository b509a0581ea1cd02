/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cpu-name.c: see cpu-name.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "model/tables.h"
#include "plan/baseline.h"
#include "plan/cpu-name.h"

struct change {
	guint add, disable;
};

/* Walks two sorted lists; counts, and with @delta also records, what makes the one of the other. */
static struct change compare_sets(const struct named_model *model, const GPtrArray *features,
				  guint limit, GArray *delta)
{
	struct change change = { 0, 0 };
	size_t i = 0;
	guint k = 0;

	while (i < model->n_members || k < features->len) {
		const char *has = i < model->n_members ? model->members[i] : NULL;
		const char *want = k < features->len ? features->pdata[k] : NULL;
		int order = !has ? 1 : !want ? -1 : strcmp(has, want);
		struct feature_policy policy = { order < 0 ? has : want, order > 0, false };

		i += order <= 0;
		k += order >= 0;
		if (!order)
			continue;
		change.add += order > 0;
		change.disable += order < 0;
		if (delta)
			g_array_append_val(delta, policy);
		if (change.add + change.disable > limit)
			break;
	}
	return change;
}

/* libvirt versions: unknown to all is newest. */
static int compare_first(const struct named_model *a, const struct named_model *b)
{
	if (!a->first_libvirt || !b->first_libvirt)
		return !a->first_libvirt - !b->first_libvirt;
	return version_compare(a->first_libvirt, b->first_libvirt);
}

static bool better(const struct named_model *a, struct change ca, const struct named_model *b,
		   struct change cb)
{
	if (ca.add + ca.disable != cb.add + cb.disable)
		return ca.add + ca.disable < cb.add + cb.disable;
	if (ca.disable != cb.disable)
		return ca.disable < cb.disable;
	if (a->n_members != b->n_members)
		return a->n_members > b->n_members;
	if (compare_first(a, b))
		return compare_first(a, b) < 0;
	return strcmp(a->name, b->name) < 0;
}

static guint distance(const struct named_model *model, const GPtrArray *features)
{
	return model->n_members > features->len ? (guint)(model->n_members - features->len) :
						   (guint)(features->len - model->n_members);
}

/* Is there a model for features to tell: on other architectures it is the processor's generation. */
static bool may_tell(const struct named_model *m, enum arch_family family)
{
	return m->family == family &&
	       (family == ARCH_X86 || (family == ARCH_S390X && g_str_has_suffix(m->name, "-base")));
}

static const struct named_model *choose(const struct cpu_models *models, enum arch_family family,
					const GPtrArray *features, const char *vendor,
					cpu_name_filter filter, void *data)
{
	const struct named_model *best = NULL;
	struct change least = { G_MAXUINT / 2, 0 };

	for (size_t i = 0; i < cpu_models_count(models); i++) {
		const struct named_model *m = cpu_models_at(models, i);
		struct change change;

		if (!may_tell(m, family) || (m->vendor && g_strcmp0(m->vendor, vendor)) ||
		    distance(m, features) > least.add + least.disable || (filter && !filter(m, data)))
			continue;
		change = compare_sets(m, features, least.add + least.disable, NULL);
		if (!best || better(m, change, best, least)) {
			best = m;
			least = change;
		}
	}
	return best;
}

static int by_policy_name(const void *a, const void *b)
{
	return strcmp(((const struct feature_policy *)a)->name, ((const struct feature_policy *)b)->name);
}

static struct feature_policy *find_policy(const GArray *delta, const char *name)
{
	struct feature_policy key = { name, false, false };

	return delta->len ? bsearch(&key, delta->data, delta->len, sizeof(key), by_policy_name) : NULL;
}

/* Are all members of a group changed alike? */
static bool all_alike(const GArray *delta, const struct named_model *group, bool *require)
{
	for (size_t i = 0; i < group->n_features; i++) {
		const struct feature_policy *p = find_policy(delta, group->features[i]);

		if (!p || (i && p->require != *require))
			return false;
		*require = p->require;
	}
	return group->n_features > 0;
}

/* Names groups instead of their members. */
static void fold(const struct cpu_models *models, enum arch_family family, GArray *delta)
{
	g_autoptr(GArray) folded = g_array_new(FALSE, FALSE, sizeof(struct feature_policy));
	g_autoptr(GHashTable) members = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < cpu_models_groups(models); i++) {
		const struct named_model *group = cpu_models_group_at(models, i);
		struct feature_policy policy = { group->name, false, false };

		if (group->family != family || !all_alike(delta, group, &policy.require))
			continue;
		g_array_append_val(folded, policy);
		for (size_t k = 0; k < group->n_features; k++)
			g_hash_table_add(members, group->features[k]);
	}
	for (guint i = delta->len; i-- > 0;)
		if (g_hash_table_contains(members, g_array_index(delta, struct feature_policy, i).name))
			g_array_remove_index(delta, i);
	g_array_append_vals(delta, folded->data, folded->len);
	g_array_sort(delta, by_policy_name);
}

const struct named_model *cpu_name(const struct cpu_models *models, enum arch_family family,
				   const GPtrArray *features, const char *vendor,
				   cpu_name_filter filter, void *data, GArray **delta)
{
	g_autoptr(GPtrArray) members = g_ptr_array_new();
	const struct named_model *best;

	*delta = g_array_new(FALSE, FALSE, sizeof(struct feature_policy));
	for (guint i = 0; i < features->len; i++)
		g_ptr_array_add(members, features->pdata[i]);
	if (family != ARCH_X86)
		cpu_models_spell_out(models, family, members);
	best = choose(models, family, members, vendor, filter, data);
	if (best)
		compare_sets(best, members, G_MAXUINT - 1, *delta);
	for (guint k = 0; !best && k < members->len; k++) {
		struct feature_policy policy = { members->pdata[k], true, false };

		g_array_append_val(*delta, policy);
	}
	if (family != ARCH_X86)
		fold(models, family, *delta);
	return best;
}
