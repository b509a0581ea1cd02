/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * baseline.c: hosts into groups, and each group's answer put together; baseline-meet.c does the
 * meeting. See baseline.h.
 *
 * Theory of operation: in a group every class must be met in the same view of its CPU, for only
 * facts of like scope are compared. The best view that all classes have is taken: what QEMU gives
 * under KVM with a machine type that all have; then what libvirt's domain capabilities say; then
 * the views that say less. Where no view is common to all, the best that some have is taken and
 * the CPU of the others is unknown, which nothing can be promised over.
 */
#include "config.h"

#include <string.h>

#include "plan/baseline-meet.h"
#include "plan/baseline.h"

static void baseline_free(void *data)
{
	struct baseline *b = data;

	g_free(b->arch);
	g_free(b->vendor);
	g_free(b->view);
	g_free(b->best_step);
	g_ptr_array_unref(b->hosts);
	g_ptr_array_unref(b->classes);
	g_hash_table_unref(b->class_hosts);
	g_ptr_array_unref(b->features);
	g_ptr_array_unref(b->disabled);
	g_ptr_array_unref(b->machines);
	g_ptr_array_unref(b->unknown);
	g_ptr_array_unref(b->lost);
	g_ptr_array_unref(b->differs);
	g_ptr_array_unref(b->not_expressible);
	if (b->cpu.delta)
		g_array_unref(b->cpu.delta);
	json_decref(b->capabilities);
	g_free(b);
}

static void lost_free(void *data)
{
	struct baseline_lost *l = data;

	g_free(l->id);
	json_decref(l->value);
	g_ptr_array_unref(l->classes);
	g_free(l);
}

static void hosts_free(void *data)
{
	struct baseline_hosts *h = data;

	g_free(h->id);
	g_free(h->reason);
	g_ptr_array_unref(h->classes);
	g_free(h);
}

static struct baseline *baseline_new(const char *arch, const char *vendor)
{
	struct baseline *b = g_new0(struct baseline, 1);

	b->arch = g_strdup(arch);
	b->vendor = g_strdup(vendor);
	b->family = arch_family(strcmp(arch, "unknown") ? arch : NULL);
	b->hosts = g_ptr_array_new();
	b->classes = g_ptr_array_new();
	b->class_hosts = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	b->features = g_ptr_array_new();
	b->disabled = g_ptr_array_new();
	b->machines = g_ptr_array_new_with_free_func(g_free);
	b->unknown = g_ptr_array_new_with_free_func(hosts_free);
	b->lost = g_ptr_array_new_with_free_func(lost_free);
	b->differs = g_ptr_array_new_with_free_func(hosts_free);
	b->not_expressible = g_ptr_array_new_with_free_func(hosts_free);
	b->capabilities = json_object();
	return b;
}

/* The vendor that any scope of a profile names, best view first. */
static const char *profile_vendor(const struct profile *profile)
{
	static const enum view order[] = { VIEW_LIBVIRT, VIEW_RAW, VIEW_KVM, VIEW_KERNEL, VIEW_QEMU };

	const char *model = NULL;

	for (size_t v = 0; v < G_N_ELEMENTS(order); v++) {
		for (guint i = 0; i < profile->offers->len; i++) {
			const struct offer *o = g_ptr_array_index(profile->offers, i);

			/* an emulated CPU is of whatever vendor the emulator likes */
			if (o->scope.view != order[v] || !g_strcmp0(o->scope.accel, "tcg"))
				continue;
			if (o->vendor)
				return o->vendor;
			model = model ? model : o->model;
		}
	}
	return profile->arch ? arch_maker(arch_family(profile->arch), model) : NULL;
}

/* May a host whose architecture isn't known be of one? Not where it emulates all that it runs. */
static bool may_be(const struct profile *profile, const char *arch)
{
	bool native = !profile->emulators->len;

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);
		const char *runs = e->scope.emulator ? arch_of_emulator(e->scope.emulator) : NULL;

		native = native || (g_strcmp0(e->scope.accel, "tcg") && (!runs || arch_native(arch, runs)));
	}
	return native;
}

static struct baseline *group_of(GPtrArray *groups, const char *arch, const char *vendor)
{
	struct baseline *b;

	for (guint i = 0; i < groups->len; i++) {
		b = g_ptr_array_index(groups, i);
		if (!strcmp(b->arch, arch) && !strcmp(b->vendor, vendor))
			return b;
	}
	b = baseline_new(arch, vendor);
	g_ptr_array_add(groups, b);
	return b;
}

/* The one vendor of an architecture's hosts, or NULL where they disagree or none says. */
static const char *only_vendor(const GPtrArray *classes, const char *arch)
{
	const char *only = NULL;

	for (guint i = 0; i < classes->len; i++) {
		const struct host_class *c = g_ptr_array_index(classes, i);
		const char *vendor = profile_vendor(c->profile);

		if (!vendor || (c->profile->arch && strcmp(c->profile->arch, arch)))
			continue;
		if (only && strcmp(only, vendor))
			return NULL;
		only = vendor;
	}
	return only;
}

static const char *only_arch(const GPtrArray *classes)
{
	const char *only = NULL;

	for (guint i = 0; i < classes->len; i++) {
		const struct host_class *c = g_ptr_array_index(classes, i);

		if (!c->profile->arch)
			continue;
		if (only && strcmp(only, c->profile->arch))
			return NULL;
		only = c->profile->arch;
	}
	return only;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct host *const *)a)->name, (*(struct host *const *)b)->name);
}

static int by_class(const void *a, const void *b)
{
	return strcmp((*(struct host_class *const *)a)->full, (*(struct host_class *const *)b)->full);
}

static int by_group(const void *a, const void *b)
{
	const struct baseline *x = *(struct baseline *const *)a, *y = *(struct baseline *const *)b;
	int order = strcmp(x->arch, y->arch);

	return order ? order : strcmp(x->vendor, y->vendor);
}

/* The classes among the hosts, in an order that doesn't depend on the hosts'. */
static GPtrArray *classes_among(const GPtrArray *hosts)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	GPtrArray *classes = g_ptr_array_new();

	for (guint i = 0; i < hosts->len; i++) {
		struct host *h = g_ptr_array_index(hosts, i);

		if (g_hash_table_add(seen, h->class))
			g_ptr_array_add(classes, h->class);
	}
	g_ptr_array_sort(classes, by_class);
	return classes;
}

/* Sorts the group's hosts, and lists them by class. */
static void share_hosts(struct baseline *b)
{
	g_ptr_array_sort(b->hosts, by_name);
	for (guint i = 0; i < b->classes->len; i++)
		g_hash_table_insert(b->class_hosts, b->classes->pdata[i], g_ptr_array_new());
	for (guint i = 0; i < b->hosts->len; i++) {
		struct host *h = g_ptr_array_index(b->hosts, i);

		g_ptr_array_add(g_hash_table_lookup(b->class_hosts, h->class), h);
	}
}

GPtrArray *baseline_members(const struct baseline *b, const GPtrArray *classes)
{
	GPtrArray *members = g_ptr_array_new();

	for (guint i = 0; i < classes->len; i++) {
		const GPtrArray *hosts = g_hash_table_lookup(b->class_hosts, classes->pdata[i]);

		for (guint k = 0; hosts && k < hosts->len; k++)
			g_ptr_array_add(members, hosts->pdata[k]);
	}
	g_ptr_array_sort(members, by_name);
	return members;
}

static GPtrArray *make_groups(const GPtrArray *hosts)
{
	g_autoptr(GPtrArray) classes = classes_among(hosts);
	g_autoptr(GHashTable) group_by_class = g_hash_table_new(NULL, NULL);
	GPtrArray *groups = g_ptr_array_new_with_free_func(baseline_free);

	for (guint i = 0; i < classes->len; i++) {
		struct host_class *c = g_ptr_array_index(classes, i);
		const char *only = c->profile->arch ? c->profile->arch : only_arch(classes);
		const char *vendor = profile_vendor(c->profile), *arch;
		struct baseline *b;

		arch = only && (c->profile->arch || may_be(c->profile, only)) ? only : "unknown";
		vendor = vendor ? vendor : only_vendor(classes, arch);
		b = group_of(groups, arch, vendor ? vendor : "unknown");
		g_ptr_array_add(b->classes, c);
		g_hash_table_insert(group_by_class, c, b);
	}
	for (guint i = 0; i < hosts->len; i++) {
		struct host *h = g_ptr_array_index(hosts, i);
		struct baseline *b = g_hash_table_lookup(group_by_class, h->class);

		g_ptr_array_add(b->hosts, h);
	}
	for (guint i = 0; i < groups->len; i++)
		share_hosts(g_ptr_array_index(groups, i));
	g_ptr_array_sort(groups, by_group);
	return groups;
}

GPtrArray *baseline_sorted(const GPtrArray *hosts)
{
	return make_groups(hosts);
}

GPtrArray *baseline_groups(const struct judge *judge, const GPtrArray *hosts,
			   const struct baseline_options *options)
{
	GPtrArray *groups = make_groups(hosts);

	for (guint i = 0; i < groups->len; i++) {
		struct baseline *b = g_ptr_array_index(groups, i);
		g_autoptr(GArray) classes = NULL;

		baseline_meet_machines(b);
		classes = baseline_views(judge, b, options);
		baseline_meet_cpu(judge, b, classes, options);
		baseline_meet_facts(b);
		baseline_sort_lost(b);
		baseline_best_step(b);
		baseline_name_cpu(judge, b, classes);
		meet_classes_clear(classes);
	}
	return groups;
}
