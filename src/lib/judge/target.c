/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * target.c: which emulator, machine type and offers a guest would get on a host.
 *
 * A CPU fact holds for one emulator, accelerator and machine type. Where the very machine type
 * was not asked, the entries of the same emulator and accelerator that were are taken together:
 * what all of them say alike is known, what they differ in is not.
 */
#include "config.h"

#include <string.h>

#include "judge/target.h"
#include "model/arch.h"

const char *profile_string(const struct profile *profile, const char *id)
{
	const struct fact *fact = profile_fact_any(profile, id);

	return fact && fact->state == FACT_KNOWN ? json_string_value(fact->value) : NULL;
}

const struct cpu_model *emulator_model(const struct emulator *e, const char *name)
{
	if (!e || !e->cpu_models || !name)
		return NULL;
	for (guint i = 0; i < e->cpu_models->len; i++) {
		const struct cpu_model *m = &g_array_index(e->cpu_models, struct cpu_model, i);

		if (!strcmp(m->name, name))
			return m;
	}
	return NULL;
}

const char *target_model(const struct target *t)
{
	static const enum view views[] = { VIEW_LIBVIRT, VIEW_QEMU, VIEW_KERNEL };

	if (t->libvirt_offer && t->libvirt_offer->model)
		return t->libvirt_offer->model;
	if (t->qemu_offer && t->qemu_offer->model)
		return t->qemu_offer->model;
	for (size_t i = 0; i < G_N_ELEMENTS(views); i++) {
		const struct offer *o = profile_plain_offer(t->profile, views[i]);

		if (o && o->model)
			return o->model;
	}
	return NULL;
}

const char *target_qemu_version(const struct target *t)
{
	for (guint i = 0; i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);

		if (e->version && !g_strcmp0(e->scope.emulator, t->path))
			return e->version;
	}
	return NULL;
}

const char *target_qemu_package(const struct target *t)
{
	for (guint i = 0; i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);
		const json_t *package = json_object_get(e->json, "package");

		if (json_is_string(package) && !g_strcmp0(e->scope.emulator, t->path))
			return json_string_value(package);
	}
	return NULL;
}

bool scope_comparable(const struct scope *a, const struct scope *b)
{
	return a->view == b->view && !g_strcmp0(a->accel, b->accel) &&
	       (a->migratable < 0 || b->migratable < 0 || a->migratable == b->migratable);
}

static bool listed(const json_t *array, const char *name)
{
	const json_t *member;
	size_t i;

	json_array_foreach (array, i, member)
		if (name && !g_strcmp0(json_string_value(member), name))
			return true;
	return false;
}

int profile_libvirt_knows(const struct profile *profile, const struct tables *tables,
			  const char *kind, const char *name)
{
	const struct fact *fact = profile_fact_any(profile, !strcmp(kind, "model") ?
								    "libvirt.cpu-models" :
								    "libvirt.cpu-features");
	const char *version = profile_string(profile, "libvirt.version");

	if (fact && fact->state == FACT_KNOWN)
		return listed(fact->value, name);
	return version ? tables_libvirt_knows(tables, kind, name, version) : -1;
}

/* Does the entry belong to this emulator and accelerator? NULLs ask for any. */
static bool entry_of(const struct emulator *e, const char *path, const char *accel)
{
	return (!path || !g_strcmp0(e->scope.emulator, path)) &&
	       (!accel || !g_strcmp0(e->scope.accel, accel));
}

/* By its name, else by what it is said to emulate, else the host's own architecture. */
static bool is_for(const struct target *t, const struct emulator *e, const char *arch)
{
	const char *own = json_string_value(json_object_get(e->json, "arch"));

	if (arch_of_emulator(e->scope.emulator))
		return g_str_has_suffix(e->scope.emulator, arch_usual_emulator(arch));
	own = own ? own : t->profile->arch;
	return !own || !strcmp(arch_usual_emulator(own), arch_usual_emulator(arch));
}

/* The path asked for, else the host's first emulator for the guest's architecture. */
static void resolve_path(struct target *t, const struct needs *needs)
{
	const GPtrArray *emulators = t->profile->emulators;
	const char *arch = needs->arch ? needs->arch : t->profile->arch;

	t->path = needs->emulator;
	for (guint i = 0; i < emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(emulators, i);

		t->emulators_known = true;
		if (!e->scope.emulator)
			continue;
		if (needs->emulator) {
			t->path_listed |= !strcmp(e->scope.emulator, needs->emulator);
		} else if (!t->path_listed && (!arch || is_for(t, e, arch))) {
			t->path = e->scope.emulator;
			t->path_listed = true;
		}
	}
}

/* Older and newer spellings of one machine type are aliases of the emulator's own making. */
static const struct machine *find_machine(const GArray *machines, const char *name)
{
	for (guint i = 0; machines && i < machines->len; i++) {
		const struct machine *m = &g_array_index(machines, struct machine, i);

		if (!strcmp(m->name, name) || !g_strcmp0(m->alias, name))
			return m;
	}
	return NULL;
}

static const struct machine *default_machine(const GArray *machines)
{
	/* libvirt's choice where QEMU has no default; no emulator has two of them */
	static const char *const preferred[] = { "pc", "pseries", "s390-ccw-virtio", "virt" };

	for (guint i = 0; i < machines->len; i++) {
		const struct machine *m = &g_array_index(machines, struct machine, i);

		if (m->is_default)
			return m;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(preferred); i++)
		if (find_machine(machines, preferred[i]))
			return find_machine(machines, preferred[i]);
	return NULL;
}

/*
 * Proxmox's QEMU takes an upstream type with "+pveN" behind it, and doesn't list those: what it is
 * to be looked up by, or NULL where the name is no such one. Free with g_free().
 */
static char *without_pve(const struct target *t, const char *machine)
{
	const char *plus = strstr(machine, "+pve"), *package = target_qemu_package(t);

	return plus && package && strstr(package, "pve") ? g_strndup(machine, (gsize)(plus - machine)) : NULL;
}

/* QEMU's own list decides where there is one; libvirt's (capabilities) else. */
static void resolve_machine(struct target *t, const struct needs *needs)
{
	static const enum view order[] = { VIEW_QEMU, VIEW_LIBVIRT };
	g_autofree char *plain = needs->machine ? without_pve(t, needs->machine) : NULL;
	const char *machine = plain ? plain : needs->machine;

	t->machine = needs->machine;
	for (guint v = 0; v < G_N_ELEMENTS(order) && !t->machines_known; v++) {
		for (guint i = 0; i < t->profile->emulators->len; i++) {
			const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);

			if (e->scope.view != order[v] || !e->machines || !entry_of(e, t->path, NULL))
				continue;
			t->machines_known = true;
			if (machine)
				t->info = find_machine(e->machines, machine);
			else
				t->info = default_machine(e->machines);
			if (t->info)
				break;
		}
	}
	if (t->info)
		t->machine = t->info->name;
}

/* The entry of a scope: the machine type itself, or one that is said to give the same. */
static const struct emulator *find_entry(const struct target *t, enum view view, const char *accel,
					 int migratable, bool with_offer)
{
	for (guint i = 0; t->machine && i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);
		bool same = !g_strcmp0(e->scope.machine, t->machine) ||
			    listed(e->same_as, t->machine) ||
			    (t->info && t->info->alias &&
			     (!g_strcmp0(e->scope.machine, t->info->alias) ||
			      listed(e->same_as, t->info->alias)));

		if (e->scope.view == view && entry_of(e, t->path, accel) && same &&
		    (migratable < 0 || e->scope.migratable < 0 ||
		     e->scope.migratable == migratable) &&
		    (!with_offer || e->offer))
			return e;
	}
	return NULL;
}

/* A complete list says no to names that were met after it was read, too. */
static uint64_t late_names(const struct offer *offer, size_t w, const struct universe *universe)
{
	uint64_t late = 0;

	for (size_t bit = MAX(w * 64, cap_bits); offer->complete && bit < MIN((w + 1) * 64, universe_bits(universe));
	     bit++)
		if (universe_is_cpu(universe, (int)bit))
			late |= 1ull << (bit % 64);
	return late;
}

/* Leaves known in @sum only what @offer says alike. */
static void agree(struct offer *sum, const struct offer *offer, const struct universe *universe)
{
	for (size_t w = 0; w < sum->words; w++) {
		uint64_t known = (w < offer->words ? offer->known[w] : 0) |
				 late_names(offer, w, universe);
		uint64_t value = w < offer->words ? offer->value[w] : 0;

		sum->known[w] &= known & ~(sum->value[w] ^ value);
		sum->value[w] &= sum->known[w];
	}
	if (g_strcmp0(sum->vendor, offer->vendor))
		sum->vendor = NULL;
	if (g_strcmp0(sum->model, offer->model))
		sum->model = NULL;
}

static struct offer *copy_offer(const struct offer *offer, const struct universe *universe)
{
	struct offer *copy = offer_new(&offer->scope, false, universe);

	for (size_t w = 0; w < copy->words; w++) {
		copy->known[w] = late_names(offer, w, universe);
		if (w >= offer->words)
			continue;
		copy->known[w] |= offer->known[w];
		copy->value[w] = offer->value[w];
	}
	copy->vendor = offer->vendor;
	copy->model = offer->model;
	copy->origin = offer->origin;
	g_array_append_vals(copy->numbers, offer->numbers->data, offer->numbers->len);
	return copy;
}

/* The version in an upstream machine type's name, "7.2" of pc-q35-7.2, or NULL. */
static const char *machine_version(const char *machine)
{
	const char *dash = machine ? strrchr(machine, '-') : NULL;

	return dash && g_ascii_isdigit(dash[1]) ? dash + 1 : NULL;
}

/* The versions measured on both sides of the guest's machine type; NULL: none on that side. */
static void nearest_versions(const struct target *t, enum view view, const char *accel, const char **below,
			     const char **above)
{
	const char *own = machine_version(t->machine);

	*below = *above = NULL;
	for (guint i = 0; own && i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);
		const char *version = machine_version(e->scope.machine);

		if (!version || e->scope.view != view || !e->offer || !entry_of(e, t->path, accel))
			continue;
		if (version_compare(version, own) <= 0 && (!*below || version_compare(version, *below) > 0))
			*below = version;
		if (version_compare(version, own) >= 0 && (!*above || version_compare(version, *above) < 0))
			*above = version;
	}
}

/*
 * May an entry's machine type differ from the guest's in what the two nearest to it don't? Settings
 * for older machine types add up from release to release (QEMU hw/core/machine.c, hw_compat_*), so
 * what is alike on both sides is so between them. Types without a version are as the newest.
 */
static bool is_far(const struct emulator *e, const char *below, const char *above)
{
	const char *version = machine_version(e->scope.machine);

	if (!below)
		return false;
	if (!version)
		return above != NULL;
	return version_compare(version, below) < 0 || (above && version_compare(version, above) > 0);
}

/* What all entries of this emulator and accelerator that count say alike; NULL where there is none. */
static const struct offer *agreed_offer(struct target *t, enum view view, const char *accel,
					int migratable, const struct universe *universe)
{
	struct offer *sum = NULL;
	const char *below, *above;

	nearest_versions(t, view, accel, &below, &above);
	for (guint i = 0; i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);

		if (e->scope.view != view || !e->offer || !entry_of(e, t->path, accel) || is_far(e, below, above) ||
		    (e->scope.migratable >= 0 && e->scope.migratable != migratable))
			continue;
		if (!sum) {
			sum = copy_offer(e->offer, universe);
			g_ptr_array_add(t->owned, sum);
		} else {
			agree(sum, e->offer, universe);
		}
	}
	return sum;
}

static const struct offer *scope_offer(struct target *t, enum view view, const char *accel,
				       int migratable, const struct universe *universe)
{
	const struct emulator *e = find_entry(t, view, accel, migratable, true);

	return e ? e->offer : agreed_offer(t, view, accel, migratable, universe);
}

const struct offer *profile_plain_offer(const struct profile *profile, enum view view)
{
	for (guint i = 0; i < profile->offers->len; i++) {
		const struct offer *o = g_ptr_array_index(profile->offers, i);

		if (o->scope.view == view && !o->scope.emulator &&
		    (o->complete || o->model || !bits_empty(o->known, o->words)))
			return o;
	}
	return NULL;
}

/* Models are named alike whatever the machine type; what they lack is not. */
static const struct emulator *models_entry(const struct target *t, const char *accel)
{
	for (guint i = 0; i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);

		if (e->scope.view == VIEW_QEMU && e->cpu_models && entry_of(e, t->path, accel))
			return e;
	}
	return NULL;
}

/* The newest version of a model, "NAME-vN", which microvm makes of a name without one. */
static const struct cpu_model *newest_version(const struct emulator *e, const char *name)
{
	g_autofree char *prefix = g_strconcat(name, "-v", NULL);
	const struct cpu_model *newest = NULL;
	guint64 n, most = 0;

	for (guint i = 0; i < e->cpu_models->len; i++) {
		const struct cpu_model *m = &g_array_index(e->cpu_models, struct cpu_model, i);

		if (g_str_has_prefix(m->name, prefix) &&
		    g_ascii_string_to_unsigned(m->name + strlen(prefix), 10, 1, 1000, &n, NULL) &&
		    n > most) {
			newest = m;
			most = n;
		}
	}
	return newest;
}

/* Do models lack the same with the machine type as without one? From 4.0 on (QEMU 7.2 to 11.1). */
static bool models_like_none(const char *machine)
{
	const char *dash = strrchr(machine, '-');

	return !strcmp(machine, "isapc") || !strcmp(machine, "microvm") ||
	       (dash && g_ascii_isdigit(dash[1]) && version_compare(dash + 1, "4.0") >= 0);
}

const struct cpu_model *target_measured_model(const struct target *t, const char *name)
{
	const struct cpu_model *model = emulator_model(t->qemu, name);
	const struct cpu_model *newest;

	if (model || !name || !t->machine || !t->qemu_models ||
	    g_strcmp0(t->qemu_models->scope.machine, "none") || !models_like_none(t->machine))
		return model;
	newest = strcmp(t->machine, "microvm") ? NULL : newest_version(t->qemu_models, name);
	return newest ? newest : emulator_model(t->qemu_models, name);
}

/* A bare <cpu> names no accelerator: what QEMU or libvirt give under KVM, else what is known. */
static const struct offer *bare_offer(struct target *t, const struct universe *universe)
{
	static const enum view plain[] = { VIEW_QEMU, VIEW_LIBVIRT, VIEW_KVM, VIEW_RAW };
	static const char *const accels[] = { "kvm", "tcg" };
	const struct offer *offer = NULL;

	for (size_t a = 0; a < G_N_ELEMENTS(accels); a++) {
		offer = agreed_offer(t, VIEW_QEMU, accels[a], 0, universe);
		if (!offer)
			offer = agreed_offer(t, VIEW_QEMU, accels[a], 1, universe);
		if (!offer)
			offer = agreed_offer(t, VIEW_LIBVIRT, accels[a], -1, universe);
		for (size_t v = 0; !a && !offer && v < G_N_ELEMENTS(plain); v++)
			offer = profile_plain_offer(t->profile, plain[v]);
		if (offer)
			return offer;
	}
	return NULL;
}

/*
 * What KVM lists of ARCH_CAPABILITIES and refuses to set can't be given to a guest: such an offer
 * without it. The one that was listed stays at hand.
 */
static void leave_out_unsettable(struct target *t, const char *accel, const struct universe *universe)
{
	const struct fact *fact = profile_fact_any(t->profile, "kvm.arch-capabilities-settable");
	int gate = cap_find("cpu.arch-capabilities");
	struct offer *given;

	if (!t->qemu_offer || g_strcmp0(accel, "kvm") || !fact || fact->state != FACT_KNOWN ||
	    !json_is_false(fact->value))
		return;
	t->listed_offer = t->qemu_offer;
	given = copy_offer(t->qemu_offer, universe);
	g_ptr_array_add(t->owned, given);
	for (size_t i = 0; i < cap_count; i++)
		if (cap_table[i].type == CAP_BOOL && ((int)i == gate || cap_table[i].gate == gate))
			offer_put(given, cap_table[i].bit, false);
	t->qemu_offer = given;
}

static void resolve_offers(struct target *t, const struct needs *needs,
			   const struct universe *universe)
{
	const char *accel = needs->accel;
	const struct offer *q;

	if (!needs->argv)
		t->host_offer = profile_plain_offer(t->profile, VIEW_LIBVIRT);
	if (needs->cpu_only) {
		t->judged = bare_offer(t, universe);
		return;
	}
	q = scope_offer(t, VIEW_QEMU, accel, 0, universe);
	t->qemu_offer = q ? q : scope_offer(t, VIEW_QEMU, accel, 1, universe);
	leave_out_unsettable(t, accel, universe);
	t->qemu = find_entry(t, VIEW_QEMU, accel, -1, false);
	if (!needs->argv) {
		t->libvirt_offer = scope_offer(t, VIEW_LIBVIRT, accel, -1, universe);
		t->libvirt = find_entry(t, VIEW_LIBVIRT, accel, -1, false);
	}
	t->qemu_models = t->qemu && t->qemu->cpu_models ? t->qemu : models_entry(t, accel);
	t->judged = t->qemu_offer ? t->qemu_offer : t->libvirt_offer;
	if (!t->judged)
		t->judged = profile_plain_offer(t->profile, VIEW_QEMU);
	if (!t->judged)
		t->judged = t->host_offer;
	if (!t->judged && !g_strcmp0(accel, "kvm"))
		t->judged = profile_plain_offer(t->profile, VIEW_KVM);
}

void target_resolve_machine(const struct needs *needs, const struct profile *profile,
			    struct target *t)
{
	*t = (struct target){ .profile = profile };
	if (needs->cpu_only)
		return;
	resolve_path(t, needs);
	resolve_machine(t, needs);
}

void target_resolve(const struct needs *needs, const struct profile *profile,
		    const struct universe *universe, struct target *t)
{
	target_resolve_machine(needs, profile, t);
	t->owned = g_ptr_array_new_with_free_func((GDestroyNotify)offer_free);
	t->libvirt_version = needs->argv ? NULL : profile_string(profile, "libvirt.version");
	resolve_offers(t, needs, universe);
}

void target_clear(struct target *t)
{
	g_clear_pointer(&t->owned, g_ptr_array_unref);
}
