/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * baseline-name.c: the CPU that a group's guests are to name, by what ties guests on its
 * architecture: on x86 and IBM Z a model and features, on POWER a generation or the mode of an older
 * one, on Arm the very processor.
 */
#include "config.h"

#include <string.h>

#include "model/power.h"
#include "plan/baseline-meet.h"
#include "plan/cpu-name.h"

/* The list of models a class says it can run, or NULL where none says. */
static const GArray *usable_list(const struct meet_class *m)
{
	for (guint i = 0; i < m->class->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(m->class->profile->emulators, i);

		if (e->cpu_models && e->cpu_models->len && m->offer &&
		    !g_strcmp0(e->scope.accel, m->offer->scope.accel) &&
		    g_array_index(e->cpu_models, struct cpu_model, 0).usable >= 0)
			return e->cpu_models;
	}
	return NULL;
}

struct naming {
	const struct judge *judge;
	const GArray *classes; /* struct meet_class */
	bool usability_known;
};

static bool usable_on(const GArray *list, const char *name)
{
	for (guint i = 0; i < list->len; i++) {
		const struct cpu_model *m = &g_array_index(list, struct cpu_model, i);

		if (!strcmp(m->name, name))
			return m->usable == 1;
	}
	return false;
}

/* May a model be named: usable on every member, and known to every member's libvirt? */
static bool may_name(const struct named_model *model, void *data)
{
	const struct naming *n = data;

	for (guint i = 0; i < n->classes->len; i++) {
		const struct meet_class *m = &g_array_index(n->classes, struct meet_class, i);
		const GArray *list = n->usability_known ? usable_list(m) : NULL;

		if (list && !usable_on(list, model->name))
			return false;
		/* elsewhere libvirt passes on what QEMU has */
		if (model->family == ARCH_X86 &&
		    !profile_libvirt_knows(m->class->profile, n->judge->tables, "model", model->name))
			return false;
	}
	return true;
}

/* Marks what an older libvirt among the members would refuse to read, and says so. */
static void mark_nameless(const struct judge *judge, struct baseline *b)
{
	for (guint i = 0; i < b->cpu.delta->len; i++) {
		struct feature_policy *p = &g_array_index(b->cpu.delta, struct feature_policy, i);
		GPtrArray *without = g_ptr_array_new();

		for (guint k = 0; k < b->classes->len; k++) {
			struct host_class *c = g_ptr_array_index(b->classes, k);

			if (!profile_libvirt_knows(c->profile, judge->tables, "feature", p->name))
				g_ptr_array_add(without, c);
		}
		p->nameless = without->len > 0;
		if (p->nameless) {
			g_autofree char *id = arch_feature_id(b->family, NS_LIBVIRT, p->name);

			baseline_no_setting(b, id, "libvirt there has no name for it", without);
		} else {
			g_ptr_array_unref(without);
		}
	}
}

/* Does a member's libvirt still count as part of the model what newer ones have taken out of it? */
static bool still_in_model(const struct judge *judge, const struct baseline *b, const char *name)
{
	for (guint i = 0; i < b->classes->len; i++) {
		const struct host_class *c = g_ptr_array_index(b->classes, i);
		const char *version = profile_string(c->profile, "libvirt.version");

		if (version && tables_libvirt_knows(judge->tables, "removal", name, version) != 1)
			return true;
	}
	return false;
}

static bool is_spoken_of(const struct baseline *b, const char *name)
{
	for (guint i = 0; i < b->features->len; i++)
		if (!strcmp(b->features->pdata[i], name))
			return true;
	for (guint i = 0; i < b->cpu.delta->len; i++)
		if (!strcmp(g_array_index(b->cpu.delta, struct feature_policy, i).name, name))
			return true;
	return false;
}

/* Adds a policy where the changes to the model don't have that name yet, in their order. */
static void insert_policy(GArray *delta, const char *name, bool require)
{
	struct feature_policy p = { .name = name, .require = require };
	guint at = 0;

	while (at < delta->len &&
	       strcmp(g_array_index(delta, struct feature_policy, at).name, name) < 0)
		at++;
	if (at == delta->len || strcmp(g_array_index(delta, struct feature_policy, at).name, name))
		g_array_insert_val(delta, at, p);
}

/* Requires by name what libvirt takes for part of the model and QEMU's model hasn't. */
static void require_less(const struct judge *judge, struct baseline *b, const struct named_model *model)
{
	const char *less = model ? tables_qemu_differs(judge->tables, model->name, "less") : NULL;
	g_auto(GStrv) names = g_strsplit(less ? less : "", " ", -1);

	for (guint i = 0; names[i]; i++)
		for (guint k = 0; k < b->features->len; k++)
			if (!strcmp(b->features->pdata[k], names[i]))
				insert_policy(b->cpu.delta, b->features->pdata[k], true);
}

/* Disables what an older libvirt among the members would otherwise add to the model (mpx). */
static void disable_removed(const struct judge *judge, struct baseline *b, const struct named_model *model)
{
	for (char **name = model ? model->removed : NULL; name && *name; name++)
		if (!is_spoken_of(b, *name) && still_in_model(judge, b, *name))
			insert_policy(b->cpu.delta, *name, false);
}

/* x86 and IBM Z: the model that says the features with the fewest changes. */
static void name_by_features(const struct judge *judge, struct baseline *b, const GArray *classes)
{
	struct naming naming = { judge, classes, true };
	const char *vendor = strcmp(b->vendor, "unknown") ? b->vendor : NULL;
	const struct named_model *model;

	for (guint i = 0; i < classes->len; i++) {
		const struct meet_class *m = &g_array_index(classes, struct meet_class, i);

		/* nothing can be promised over a host whose CPU isn't known */
		if (!m->offer)
			return;
		naming.usability_known &= usable_list(m) != NULL;
	}
	g_array_unref(b->cpu.delta);
	model = cpu_name(judge->models, b->family, b->features, vendor, may_name, &naming, &b->cpu.delta);
	if (!model && naming.usability_known) {
		naming.usability_known = false;
		g_array_unref(b->cpu.delta);
		model = cpu_name(judge->models, b->family, b->features, vendor, may_name, &naming,
				 &b->cpu.delta);
	}
	if (b->family == ARCH_X86) {
		disable_removed(judge, b, model);
		require_less(judge, b, model);
		mark_nameless(judge, b);
	}
	b->cpu.model = model ? model->name : NULL;
	b->cpu.usability_known = naming.usability_known;
	for (guint i = 0; i < b->cpu.delta->len; i++) {
		const struct feature_policy *p = &g_array_index(b->cpu.delta, struct feature_policy, i);

		if (!p->require)
			g_ptr_array_add(b->disabled, (void *)p->name);
	}
}

/* What tells a class's processor: POWER's generation, Arm's identification register or model. */
static const char *processor(const struct baseline *b, const struct meet_class *m)
{
	if (b->family == ARCH_ARM64 && profile_string(m->class->profile, "arm64.midr"))
		return profile_string(m->class->profile, "arm64.midr");
	return power_generation(target_model(&m->target));
}

/* The one processor that all classes have; else NULL, and *@unknown: what classes don't tell theirs. */
static const char *same_processor(const struct baseline *b, const GArray *classes, GPtrArray *unknown)
{
	const char *same = NULL;
	bool differ = false;

	for (guint i = 0; i < classes->len; i++) {
		const struct meet_class *m = &g_array_index(classes, struct meet_class, i);
		const char *mine = processor(b, m);

		if (!mine)
			g_ptr_array_add(unknown, (void *)m->class);
		differ = differ || (same && g_strcmp0(same, mine));
		same = mine ? mine : same;
	}
	return differ || unknown->len ? NULL : same;
}

/* The oldest generation's mode, which newer ones have too; who is that old costs the next mode. */
static void name_mode(struct baseline *b, const GArray *classes)
{
	int least = G_MAXINT, most = -1;
	GPtrArray *old = g_ptr_array_new();

	for (guint i = 0; i < classes->len; i++) {
		int level = power_level(processor(b, &g_array_index(classes, struct meet_class, i)));

		least = MIN(least, level);
		most = MAX(most, level);
	}
	for (guint i = 0; i < classes->len; i++) {
		const struct meet_class *m = &g_array_index(classes, struct meet_class, i);

		if (power_level(processor(b, m)) < most)
			g_ptr_array_add(old, (void *)m->class);
	}
	if (least < 0) {
		baseline_add_unknown(b, "ppc64.compat", "not all of these processors have modes", old);
		return;
	}
	baseline_add_lost(b, "ppc64.compat", json_string(power_mode(most)), old);
	json_object_set_new(b->capabilities, "ppc64.compat", json_integer(least));
	b->cpu.mode = "host-model";
	b->cpu.model = power_mode(least);
}

/* Said once, though several hosts' facts may have been compared already. */
static void tell_unknown(struct baseline *b, const char *id, const char *reason, GPtrArray *classes)
{
	bool told = false;

	for (guint i = 0; i < b->unknown->len; i++)
		told = told || !strcmp(((struct baseline_hosts *)b->unknown->pdata[i])->id, id);
	if (told)
		g_ptr_array_unref(classes);
	else
		baseline_add_unknown(b, id, reason, classes);
}

static void name_power(struct baseline *b, const GArray *classes)
{
	GPtrArray *unknown = g_ptr_array_new();
	const char *same = same_processor(b, classes, unknown);

	if (unknown->len) {
		tell_unknown(b, "ppc64.model", "of which generation the processor is, is not known", unknown);
		return;
	}
	g_ptr_array_unref(unknown);
	if (!same) {
		name_mode(b, classes);
		return;
	}
	b->cpu.model = same;
	if (power_level(same) > 0)
		json_object_set_new(b->capabilities, "ppc64.compat", json_integer(power_level(same)));
}

/* Arm: a guest under KVM has its host's processor, and moves to the very same only. */
static void name_arm(struct baseline *b, const GArray *classes)
{
	GPtrArray *unknown = g_ptr_array_new(), *all;
	const char *same = same_processor(b, classes, unknown);

	if (unknown->len) {
		tell_unknown(b, "arm64.model", "which processor the host has is not known", unknown);
		return;
	}
	g_ptr_array_unref(unknown);
	if (same) {
		b->cpu.mode = "host-passthrough";
		return;
	}
	all = g_ptr_array_new();
	for (guint i = 0; i < classes->len; i++)
		g_ptr_array_add(all, (void *)g_array_index(classes, struct meet_class, i).class);
	baseline_no_setting(b, "arm64.model", "the processors differ, and KVM shows a guest its host's", all);
}

void baseline_name_cpu(const struct judge *judge, struct baseline *b, const GArray *classes)
{
	b->cpu.delta = g_array_new(FALSE, FALSE, sizeof(struct feature_policy));
	if (b->family == ARCH_X86 || b->family == ARCH_S390X)
		name_by_features(judge, b, classes);
	else if (g_strcmp0(b->accel, "tcg") && b->family == ARCH_PPC64)
		name_power(b, classes);
	else if (g_strcmp0(b->accel, "tcg") && b->family == ARCH_ARM64)
		name_arm(b, classes);
}

bool baseline_has_setting(const struct baseline *b)
{
	bool by_features = b->family == ARCH_X86 || b->family == ARCH_S390X;

	return b->cpu.mode || (by_features ? b->features->len && (b->cpu.model || b->family == ARCH_X86) :
					     b->cpu.model != NULL);
}
