/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-show.c: the answer "show", what one host can promise a guest; see answer.h. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "answer/answer-show.h"
#include "model/offer.h"
#include "plan/cpu-name.h"

/* The facts of one accelerator that stand for it: the best of its entries. */
struct chosen {
	const struct offer *offer;
	const char *accel;
	int rank;
};

/* Does it tell anything of the CPU? */
static bool tells(const struct offer *offer)
{
	return offer->complete || offer->model || !bits_empty(offer->known, offer->words);
}

/* QEMU's own word before libvirt's, what can migrate before the rest, no machine type's own. */
static int rank(const struct offer *offer)
{
	const struct scope *s = &offer->scope;
	bool plain = !s->machine || !strcmp(s->machine, "none");

	if (s->view != VIEW_QEMU && s->view != VIEW_LIBVIRT && s->view != VIEW_KVM)
		return -1;
	return (s->view == VIEW_QEMU ? 8 : s->view == VIEW_LIBVIRT ? 4 : 0) +
	       (s->migratable != 0 ? 2 : 0) + (plain ? 1 : 0);
}

/* libvirt's view of the host is nothing that a guest gets, where somebody says what it gets. */
static void drop_bare(GArray *chosen)
{
	for (guint i = chosen->len; i-- > 0;)
		if (chosen->len > 1 && !g_array_index(chosen, struct chosen, i).accel)
			g_array_remove_index(chosen, i);
}

static GArray *choose_offers(const struct profile *profile)
{
	GArray *chosen = g_array_new(FALSE, FALSE, sizeof(struct chosen));

	for (guint i = 0; i < profile->offers->len; i++) {
		const struct offer *offer = g_ptr_array_index(profile->offers, i);
		struct chosen new = { offer, offer->scope.accel, rank(offer) };
		guint at = 0;

		if (offer->scope.view == VIEW_KVM)
			new.accel = "kvm";
		while (at < chosen->len &&
		       g_strcmp0(g_array_index(chosen, struct chosen, at).accel, new.accel))
			at++;
		if (new.rank < 0 || !tells(offer))
			continue;
		if (at == chosen->len)
			g_array_append_val(chosen, new);
		else if (g_array_index(chosen, struct chosen, at).rank < new.rank)
			g_array_index(chosen, struct chosen, at) = new;
	}
	drop_bare(chosen);
	return chosen;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What a <cpu> could name: libvirt's names, and names that the dictionary doesn't know. */
static bool can_name(const struct universe *universe, int bit)
{
	int cap;

	if (!universe_is_cpu(universe, bit))
		return false;
	if (universe_is_extra(universe, bit))
		return true;
	cap = cap_by_bit[bit];
	return cap_table[cap].names[NS_LIBVIRT] &&
	       !(cap_table[cap].flags & (CAP_QEMU_OPTION | CAP_HOST_ONLY));
}

static GPtrArray *feature_names(const struct offer *offer, const struct universe *universe)
{
	GPtrArray *names = g_ptr_array_new();

	BITS_FOREACH(bit, offer->value, offer->words)
		if (can_name(universe, (int)bit))
			g_ptr_array_add(names, (void *)universe_feature_name(universe, (int)bit));
	g_ptr_array_sort(names, by_name);
	return names;
}

/* The models that the entries of an offer's emulator and accelerator call usable; NULL: no list. */
static GHashTable *usable_models(const struct profile *profile, const struct offer *offer)
{
	GHashTable *usable = NULL;

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);

		if (!e->cpu_models || g_strcmp0(e->scope.emulator, offer->scope.emulator) ||
		    g_strcmp0(e->scope.accel, offer->scope.accel))
			continue;
		if (!usable)
			usable = g_hash_table_new(g_str_hash, g_str_equal);
		for (guint m = 0; m < e->cpu_models->len; m++) {
			const struct cpu_model *model =
				&g_array_index(e->cpu_models, struct cpu_model, m);

			if (model->usable == 1)
				g_hash_table_add(usable, (void *)model->name);
		}
	}
	return usable;
}

static bool is_usable(const struct named_model *model, void *data)
{
	return g_hash_table_contains(data, model->name);
}

static json_t *delta_json(const GArray *delta)
{
	json_t *array = json_array();

	for (guint i = 0; i < delta->len; i++) {
		const struct feature_policy *f = &g_array_index(delta, struct feature_policy, i);

		json_array_append_new(array, json_pack("{s:s, s:s}", "name", f->name, "policy",
						       f->require ? "require" : "disable"));
	}
	return array;
}

static void add_numbers(json_t *cpu, const struct offer *offer)
{
	json_t *numbers = json_object();

	for (guint i = 0; i < offer->numbers->len; i++) {
		const struct number *n = &g_array_index(offer->numbers, struct number, i);

		if (cap_table[n->cap].flags & CAP_QEMU_OPTION)
			continue;
		json_object_set_new(numbers, cap_table[n->cap].id,
				    n->value < (UINT64_C(1) << 53)
					    ? json_integer((json_int_t)n->value)
					    : json_sprintf("0x%" PRIx64, n->value));
	}
	json_object_set_new(cpu, "numbers", numbers);
}

static json_t *cpu(const struct answering *a, const struct profile *profile,
		   const struct chosen *chosen)
{
	const struct offer *offer = chosen->offer;
	const struct universe *universe = a->judge->universe;
	g_autoptr(GPtrArray) names = feature_names(offer, universe);
	g_autoptr(GHashTable) usable = usable_models(profile, offer);
	g_autofree char *scope = scope_text(&offer->scope);
	g_autoptr(GArray) delta = NULL;
	const enum arch_family family = arch_family(profile->arch);
	const char *maker = arch_maker(family, offer->model);
	const char *vendor = offer->vendor ? offer->vendor : maker;
	const struct named_model *model;
	json_t *json;

	model = cpu_name(a->judge->models, family, names, vendor, usable ? is_usable : NULL, usable,
			 &delta);
	/* elsewhere it is no features that a processor's name stands for */
	if (offer->model && family != ARCH_X86 && family != ARCH_S390X)
		g_array_set_size(delta, 0);
	json = json_pack("{s:s?, s:s, s:s?, s:s?, s:o, s:s, s:o, s:b}", "accel", chosen->accel,
			 "view", scope, "vendor", vendor, "model",
			 model ? model->name : offer->model, "delta", delta_json(delta), "usability",
			 usable ? "known" : "unknown", "features", json_strings(names), "complete",
			 offer->complete);
	add_numbers(json, offer);
	return json;
}

static json_t *cpus(const struct answering *a, const struct profile *profile)
{
	g_autoptr(GArray) chosen = choose_offers(profile);
	json_t *array = json_array();

	for (guint i = 0; i < chosen->len; i++)
		json_array_append_new(array,
				      cpu(a, profile, &g_array_index(chosen, struct chosen, i)));
	return array;
}

/* Where the version starts in "pc-q35-7.2", or NULL. */
static const char *version_part(const char *name)
{
	const char *dash = strrchr(name, '-');

	return dash && g_ascii_isdigit(dash[1]) ? dash + 1 : NULL;
}

/* Of versioned machine types, the newest of each family by "family" → name. */
static void note_newest(GHashTable *newest, const char *name)
{
	const char *version = version_part(name);
	char *family;
	const char *best;

	if (!version)
		return;
	family = g_strndup(name, (gsize)(version - name));
	best = g_hash_table_lookup(newest, family);
	if (best && version_compare(version_part(best), version) >= 0)
		g_free(family);
	else
		g_hash_table_replace(newest, family, (void *)name);
}

/* The values of a table of names. */
static GPtrArray *sorted(GHashTable *names)
{
	GPtrArray *array = g_ptr_array_new();
	GHashTableIter iter;
	void *name;

	g_hash_table_iter_init(&iter, names);
	while (g_hash_table_iter_next(&iter, NULL, &name))
		g_ptr_array_add(array, name);
	g_ptr_array_sort(array, by_name);
	return array;
}

struct emulator_sum {
	const char *path, *version, *arch;
	GHashTable *accels, *all, *newest, *deprecated;
	GHashTable *said; /* machine types of which QEMU or libvirt says whether they are deprecated */
};

/* Is a machine type past its date by upstream's clock? */
static bool outlived(const struct answering *a, const char *name)
{
	g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(a->now);
	g_autofree char *today = g_date_time_format(now, "%Y-%m-%d");
	struct machine_life life;

	return a->judge->tables && tables_machine(a->judge->tables, name, &life) &&
	       life.deprecated && strcmp(life.deprecated, today) <= 0;
}

static void sum_machines(struct emulator_sum *sum, const struct emulator *e)
{
	for (guint i = 0; e->machines && i < e->machines->len; i++) {
		const struct machine *m = &g_array_index(e->machines, struct machine, i);

		if (g_hash_table_add(sum->all, (void *)m->name))
			note_newest(sum->newest, m->name);
		if (m->deprecated >= 0)
			g_hash_table_add(sum->said, (void *)m->name);
		if (m->deprecated == 1)
			g_hash_table_add(sum->deprecated, (void *)m->name);
	}
}

/* Where nobody says it, the clock does. */
static void add_outlived(struct emulator_sum *sum, const struct answering *a)
{
	GHashTableIter iter;
	void *name;

	g_hash_table_iter_init(&iter, sum->all);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_hash_table_contains(sum->said, name) && outlived(a, name))
			g_hash_table_add(sum->deprecated, name);
}

/* What migrations this emulator says it can be asked for; NULL where nobody asked it. */
static json_t *migration(const struct profile *profile, const char *path)
{
	for (const struct fact *f = profile_fact_any(profile, "qemu.migration-capability"); f;
	     f = f->next ? &g_array_index(profile->facts, struct fact, f->next - 1) : NULL)
		if (f->state == FACT_KNOWN && !g_strcmp0(f->scope.emulator, path))
			return json_incref((json_t *)f->value);
	return NULL;
}

static json_t *emulator_json(const struct emulator_sum *sum, const struct profile *profile)
{
	g_autoptr(GPtrArray) accels = sorted(sum->accels);
	g_autoptr(GPtrArray) all = sorted(sum->all);
	g_autoptr(GPtrArray) newest = sorted(sum->newest);
	g_autoptr(GPtrArray) deprecated = sorted(sum->deprecated);

	return json_pack("{s:s, s:o*, s:s?, s:s?, s:o, s:i, s:o, s:o, s:o}", "path", sum->path,
			 "migration", migration(profile, sum->path), "version", sum->version, "arch", sum->arch, "accels", json_strings(accels),
			 "machines_n", (int)all->len, "newest", json_strings(newest), "deprecated",
			 json_strings(deprecated), "machines", json_strings(all));
}

/* All entries of one path, as one emulator. */
static json_t *emulator(const struct answering *a, const struct profile *profile, const char *path)
{
	g_autoptr(GHashTable) accels = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) all = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) newest = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) deprecated = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) said = g_hash_table_new(g_str_hash, g_str_equal);
	struct emulator_sum sum = { path, NULL, NULL, accels, all, newest, deprecated, said };

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);
		const char *arch = json_string_value(json_object_get(e->json, "arch"));

		if (g_strcmp0(e->scope.emulator, path))
			continue;
		if (e->version)
			sum.version = e->version;
		if (arch)
			sum.arch = arch;
		if (e->scope.accel)
			g_hash_table_add(accels, (void *)e->scope.accel);
		sum_machines(&sum, e);
	}
	add_outlived(&sum, a);
	return emulator_json(&sum, profile);
}

static json_t *emulators(const struct answering *a, const struct profile *profile)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	json_t *array = json_array();

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);

		if (e->scope.emulator && g_hash_table_add(seen, (void *)e->scope.emulator))
			json_array_append_new(array, emulator(a, profile, e->scope.emulator));
	}
	return array;
}

/* Chains by their labels: mitigations above all. */
static json_t *chains(const struct profile *profile)
{
	json_t *array = json_array();

	for (guint i = 0; i < profile->facts->len; i++) {
		const struct fact *f = &g_array_index(profile->facts, struct fact, i);
		const char *const *labels = f->cap >= 0 ? cap_table[f->cap].labels : NULL;
		json_int_t n = json_integer_value(f->value);
		json_int_t known = 0;

		if (!labels || f->state != FACT_KNOWN || !json_is_integer(f->value))
			continue;
		while (labels[known])
			known++;
		json_array_append_new(array, json_pack("{s:s, s:I, s:s?}", "id", f->id, "value", n,
						       "label",
						       n >= 0 && n < known ? labels[n] : NULL));
	}
	return array;
}

json_t *answer_fact(const struct fact *f)
{
	json_t *json = json_pack("{s:s, s:s, s:O?, s:o, s:s?}", "id", f->id, "state",
				 fact_state_name(f->state), "value", (json_t *)f->value, "scope",
				 scope_json(&f->scope), "origin", f->origin);

	if (f->err)
		json_object_set_new(json, "errno", json_integer(f->err));
	return json;
}

/* Facts that @take says yes to. */
static json_t *facts(const struct profile *profile, bool (*take)(const struct fact *f))
{
	json_t *array = json_array();

	for (guint i = 0; i < profile->facts->len; i++) {
		const struct fact *f = &g_array_index(profile->facts, struct fact, i);

		if (take(f))
			json_array_append_new(array, answer_fact(f));
	}
	return array;
}

static bool take_all(const struct fact *f)
{
	return f != NULL;
}

static bool take_unread(const struct fact *f)
{
	return f->state == FACT_UNREADABLE || f->state == FACT_UNSUPPORTED_BY_KERNEL ||
	       f->state == FACT_UNKNOWN;
}

static bool take_about(const struct fact *f)
{
	return f->scope.view != VIEW_QEMU && f->cap >= 0 && cap_table[f->cap].flags & CAP_HOST_ONLY && f->state == FACT_KNOWN &&
	       json_is_string(f->value);
}

json_t *answer_show(const struct answering *a, const struct host *host, const struct profile *own,
		    bool all)
{
	const json_t *probe = json_object_get(own->doc, "probe");
	json_t *answer = answer_new("show");

	json_object_set_new(answer, "host", answer_host(a, host));
	json_object_set_new(answer, "twins_n", json_integer(host->class->hosts->len - 1));
	json_object_set_new(answer, "cpus", cpus(a, own));
	json_object_set_new(answer, "emulators", emulators(a, own));
	json_object_set_new(answer, "mitigations", chains(own));
	answer_show_units(answer, own, all);
	json_object_set_new(answer, "about", facts(own, take_about));
	json_object_set_new(answer, "unread", facts(own, take_unread));
	json_object_set_new(answer, "facts_n", json_integer(own->facts->len));
	json_object_set(answer, "probe", (json_t *)probe);
	if (!probe)
		json_object_set_new(answer, "probe", json_object());
	if (all)
		json_object_set_new(answer, "facts", facts(own, take_all));
	answer_not_judged(answer);
	return answer;
}
