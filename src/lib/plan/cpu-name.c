/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cpu-name.c: see cpu-name.h. */
#include "config.h"

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

	while (i < model->n_features || k < features->len) {
		const char *has = i < model->n_features ? model->features[i] : NULL;
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
	if (a->n_features != b->n_features)
		return a->n_features > b->n_features;
	if (compare_first(a, b))
		return compare_first(a, b) < 0;
	return strcmp(a->name, b->name) < 0;
}

static guint distance(const struct named_model *model, const GPtrArray *features)
{
	return model->n_features > features->len ? (guint)(model->n_features - features->len) :
						   (guint)(features->len - model->n_features);
}

const struct named_model *cpu_name(const struct cpu_models *models, const GPtrArray *features,
				   const char *vendor, cpu_name_filter filter, void *data,
				   GArray **delta)
{
	const struct named_model *best = NULL;
	struct change least = { G_MAXUINT / 2, 0 };

	*delta = g_array_new(FALSE, FALSE, sizeof(struct feature_policy));
	for (size_t i = 0; i < cpu_models_count(models); i++) {
		const struct named_model *m = cpu_models_at(models, i);
		struct change change;

		if ((m->vendor && g_strcmp0(m->vendor, vendor)) ||
		    distance(m, features) > least.add + least.disable || (filter && !filter(m, data)))
			continue;
		change = compare_sets(m, features, least.add + least.disable, NULL);
		if (!best || better(m, change, best, least)) {
			best = m;
			least = change;
		}
	}
	if (best) {
		compare_sets(best, features, G_MAXUINT - 1, *delta);
	} else {
		for (guint k = 0; k < features->len; k++) {
			struct feature_policy policy = { features->pdata[k], true, false };

			g_array_append_val(*delta, policy);
		}
	}
	return best;
}
