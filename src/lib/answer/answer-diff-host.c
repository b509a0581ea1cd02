/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-diff-host.c: what two hosts differ in beside CPUs and machine types, and what that means;
 * see answer-diff.h. What only one of them told is passed over.
 */
#include "config.h"

#include <string.h>

#include "answer/answer-diff.h"
#include "judge/rule-host.h"
#include "judge/rulebook.h"
#include "judge/target.h"
#include "model/devices.h"
#include "model/value.h"

struct diff_sides diff_sides_new(void)
{
	return (struct diff_sides){ g_ptr_array_new_with_free_func(g_free),
			       g_ptr_array_new_with_free_func(g_free) };
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *side_json(GPtrArray *names)
{
	g_ptr_array_sort(names, by_name);
	return json_strings(names);
}

/* "TEXT with the few names and the hosts", for a side that has any. */
static void add_mean(json_t *means, const json_t *names, const char *format, const char *has,
		     const char *lacks)
{
	g_autofree char *few = diff_few(names);
	GString *text = g_string_new(NULL);

	if (!json_array_size(names)) {
		g_string_free(text, TRUE);
		return;
	}
	for (const char *c = format; *c; c++) {
		if (*c != '%')
			g_string_append_c(text, *c);
		else if (*++c == 'n')
			g_string_append(text, few);
		else
			g_string_append(text, *c == 'h' ? has : lacks);
	}
	json_array_append_new(means, json_string(text->str));
	g_string_free(text, TRUE);
}

void diff_add_sides(json_t *array, const struct diff_pair *p, const char *kind, const char *title,
		    struct diff_sides *sides, const char *format)
{
	json_t *one = side_json(sides->one), *other = side_json(sides->other);
	json_t *means = json_array();

	add_mean(means, one, format, p->one->name, p->other->name);
	add_mean(means, other, format, p->other->name, p->one->name);
	if (json_array_size(means))
		json_array_append_new(array, json_pack("{s:s, s:s, s:O, s:O, s:O}", "kind", kind, "title",
						       title, "only_one", one, "only_other", other, "means",
						       means));
	json_decref(one);
	json_decref(other);
	json_decref(means);
	g_ptr_array_unref(sides->one);
	g_ptr_array_unref(sides->other);
}

/* Puts what is in one array and not in the other to the sides. */
static void compare_lists(struct diff_sides *sides, const json_t *one, const json_t *other,
			  const char *prefix)
{
	const json_t *lists[] = { one, other };
	GPtrArray *into[] = { sides->one, sides->other };

	for (int s = 0; s < 2; s++) {
		g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
		const json_t *name;
		size_t i;

		json_array_foreach (lists[!s], i, name)
			if (json_is_string(name))
				g_hash_table_add(there, (gpointer)json_string_value(name));
		json_array_foreach (lists[s], i, name)
			if (json_is_string(name) &&
			    !g_hash_table_contains(there, json_string_value(name)))
				g_ptr_array_add(into[s], g_strconcat(prefix, json_string_value(name), NULL));
	}
}

/* --- facts of the hosts as a whole ------------------------------------------------------------- */

/* Facts that no offer holds: sets, pairs, texts, and what is told of an emulator as a whole. */
static bool stands_alone(const struct fact *f)
{
	const struct capability *cap = f->cap >= 0 ? &cap_table[f->cap] : NULL;

	if (!cap || f->state != FACT_KNOWN || cap->flags & (CAP_HOST_ONLY | CAP_QEMU_OPTION) ||
	    f->scope.machine || !strcmp(cap->id, "cpu.vendor") || diff_is_of_units(f))
		return false;
	if (f->scope.emulator)
		return !g_str_has_prefix(cap->id, "cpu.");
	return cap->type != CAP_BOOL && cap->type != CAP_UINT && cap->type != CAP_BITMAP;
}

/* The other host's fact of the id in a like scope. */
static const struct fact *like_fact(const struct profile *profile, const struct fact *fact)
{
	const struct fact *like = NULL;

	for (const struct fact *f = profile_fact_any(profile, fact->id); f;
	     f = f->next ? &g_array_index(profile->facts, struct fact, f->next - 1) : NULL)
		if (f->state == FACT_KNOWN && diff_like(&f->scope, &fact->scope))
			like = f; /* the first one told is the last of the chain */
	return like;
}

static char *mean_values(const struct diff_pair *p, const struct capability *cap,
			 const struct value *x, const struct value *y)
{
	bool there = value_fits(cap->rule, x, y) != FIT_NO, back = value_fits(cap->rule, y, x) != FIT_NO;

	if (cap->type == CAP_BOOL)
		return g_strdup_printf("guests that use it can't go to %s",
				       x->truth ? p->other->name : p->one->name);
	if (cap->type == CAP_UINT || cap->type == CAP_BITMAP)
		return diff_mean_number(p, cap, x->number, y->number);
	if (there == back)
		return g_strdup(there ? "guests that see it may move either way" :
					"guests that see it move neither way");
	return g_strdup_printf("guests that were given %s's can't go to %s",
			       there ? p->other->name : p->one->name, there ? p->one->name : p->other->name);
}

void diff_fact(json_t *array, const struct diff_pair *p, const struct fact *f,
	       const struct fact *g)
{
	const struct capability *cap = &cap_table[f->cap];
	g_autofree char *scope = scope_text(&f->scope), *means = NULL, *title = NULL;
	struct diff_sides sides;
	struct value x, y;

	if (json_equal((json_t *)f->value, (json_t *)g->value))
		return;
	title = g_strdup_printf("%s (%s, %s)", cap->sentence, cap->id, scope);
	if (cap->type == CAP_SET) {
		sides = diff_sides_new();
		compare_lists(&sides, f->value, g->value, "");
		diff_add_sides(array, p, cap->id, title, &sides, "what needs %n can't be had with %l");
		return;
	}
	if (!value_from_json(cap->type, f->value, &x, NULL))
		return;
	if (value_from_json(cap->type, g->value, &y, NULL)) {
		means = mean_values(p, cap, &x, &y);
		json_array_append_new(array, json_pack("{s:s, s:s, s:O, s:O, s:[s]}", "kind", cap->id,
						       "title", title, "one", (json_t *)f->value, "other",
						       (json_t *)g->value, "means", means));
		value_clear(&y);
	}
	value_clear(&x);
}

/* Only a host's first emulator: the one that guests get that name none. */
static void diff_facts(json_t *array, const struct diff_pair *p)
{
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const GArray *facts = p->one->profile->facts;

	for (guint i = 0; i < facts->len; i++) {
		const struct fact *f = &g_array_index(facts, struct fact, i);
		const struct fact *g = stands_alone(f) ? like_fact(p->other->profile, f) : NULL;
		char *key = g_strdup_printf("%s %d %s", f->id, f->scope.view,
					    f->scope.accel ? f->scope.accel : "");

		if (g && g_hash_table_add(told, key))
			diff_fact(array, p, f, g);
		else if (!g)
			g_free(key);
	}
}

/* --- names and rules of libvirt's and QEMU's versions ------------------------------------------ */

static const char *qemu_version(const struct profile *profile)
{
	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);

		if (e->version)
			return e->version;
	}
	return NULL;
}

static void diff_names(json_t *array, const struct diff_pair *p, const char *kind, const char *what,
		       const char *title)
{
	const struct tables *tables = p->a->judge->tables;
	const struct table *names = tables ? tables->libvirt_names : NULL;
	int of = names ? table_column(names, "kind") : -1, name = names ? table_column(names, "name") : -1;
	struct diff_sides sides = diff_sides_new();

	for (guint i = 0; of >= 0 && name >= 0 && i < names->rows->len; i++) {
		char *const *row = g_ptr_array_index(names->rows, i);
		int x, y;

		if (strcmp(row[of], kind))
			continue;
		x = profile_libvirt_knows(p->one->profile, tables, kind, row[name]);
		y = profile_libvirt_knows(p->other->profile, tables, kind, row[name]);
		if (x >= 0 && y >= 0 && x != y)
			g_ptr_array_add(x ? sides.one : sides.other, g_strdup(row[name]));
	}
	diff_add_sides(array, p, what, title, &sides, "definitions that name %n are refused by libvirt on %l");
}

static void diff_rules(json_t *array, const struct diff_pair *p, bool by_qemu)
{
	const char *one = by_qemu ? qemu_version(p->one->profile) :
				    profile_string(p->one->profile, "libvirt.version");
	const char *other = by_qemu ? qemu_version(p->other->profile) :
				      profile_string(p->other->profile, "libvirt.version");
	const struct rulebook *rules = p->a->judge->rules;
	struct diff_sides sides = diff_sides_new();

	for (guint i = 0; one && other && i < rulebook_size(rules); i++) {
		const struct rule *rule = rulebook_at(rules, i);
		int x, y;

		/* One that also asks the host for something tells no difference by itself. */
		if (rule->by_qemu != by_qemu || rule->verdict != V_BLOCK || strcmp(rule->host_text, "-"))
			continue;
		x = rule_holds_in(rule, one);
		y = rule_holds_in(rule, other);
		if (x >= 0 && y >= 0 && x != y)
			g_ptr_array_add(x ? sides.one : sides.other, g_strdup(rule->name));
	}
	diff_add_sides(array, p, by_qemu ? "qemu-rules" : "libvirt-rules",
		  by_qemu ? "what one QEMU alone refuses" : "what one libvirt alone refuses", &sides,
		  by_qemu ? "QEMU on %h refuses some that QEMU on %l starts: %n (capbroker explain NAME)" :
			    "libvirt on %h refuses some that libvirt on %l takes: %n (capbroker explain NAME)");
}

/* --- what emulators list ------------------------------------------------------------------------ */

/* The other host's entry of a like scope, or libvirt's of a like machine type of another age. */
static const struct emulator *like_entry(const struct profile *profile, const struct emulator *entry)
{
	const char *family = machine_family(entry->scope.machine);
	const struct emulator *like = NULL;

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);

		if (diff_like(&e->scope, &entry->scope))
			return e;
		if (!like && entry->scope.view == VIEW_LIBVIRT && e->scope.view == VIEW_LIBVIRT &&
		    !g_strcmp0(e->scope.accel, entry->scope.accel) &&
		    !strcmp(machine_family(e->scope.machine), family))
			like = e;
	}
	return like;
}

static bool is_usable(const GArray *models, const char *name)
{
	for (guint i = 0; i < models->len; i++) {
		const struct cpu_model *m = &g_array_index(models, struct cpu_model, i);

		if (!strcmp(m->name, name))
			return m->usable == 1;
	}
	return false;
}

static void usable_alone(GPtrArray *into, const GArray *models, const GArray *others)
{
	for (guint i = 0; i < models->len; i++) {
		const struct cpu_model *m = &g_array_index(models, struct cpu_model, i);

		if (m->usable == 1 && !is_usable(others, m->name))
			g_ptr_array_add(into, g_strdup(m->name));
	}
}

static bool tells_usable(const GArray *models)
{
	for (guint i = 0; models && i < models->len; i++)
		if (g_array_index(models, struct cpu_model, i).usable >= 0)
			return true;
	return false;
}

static void diff_models(json_t *array, const struct diff_pair *p, const struct emulator *one,
			const struct emulator *other)
{
	g_autofree char *scope = scope_text(&one->scope);
	g_autofree char *title = g_strdup_printf("CPU models that can run (%s)", scope);
	struct diff_sides sides = diff_sides_new();

	if (tells_usable(one->cpu_models) && tells_usable(other->cpu_models)) {
		usable_alone(sides.one, one->cpu_models, other->cpu_models);
		usable_alone(sides.other, other->cpu_models, one->cpu_models);
	}
	diff_add_sides(array, p, "cpu-models", title, &sides, "guests of %n can't start on %l");
}

/* "devices.iommu.model=amd", and "features.sev" where it is a yes. */
static void diff_enums(json_t *array, const struct diff_pair *p, const struct emulator *one,
		       const struct emulator *other)
{
	const json_t *x = json_object_get(one->json, "enums"), *y = json_object_get(other->json, "enums");
	g_autofree char *scope = scope_text(&one->scope);
	g_autofree char *title = g_strdup_printf("what domain capabilities offer (%s)", scope);
	struct diff_sides sides = diff_sides_new();
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)x, key, value) {
		const json_t *theirs = json_object_get(y, key);
		g_autofree char *prefix = g_strconcat(key, "=", NULL);

		/* A group that one of them has no word for isn't therefore missing there. */
		if (json_is_array(value) && json_is_array(theirs))
			compare_lists(&sides, value, theirs, prefix);
		else if (json_is_boolean(value) && json_is_boolean(theirs) &&
			 json_is_true(value) != json_is_true(theirs))
			g_ptr_array_add(json_is_true(value) ? sides.one : sides.other, g_strdup(key));
	}
	diff_add_sides(array, p, "domain-capabilities", title, &sides,
		  "definitions that ask for %n are refused on %l");
}

/* Once for each emulator and accelerator: the first machine type that both were asked for. */
static void diff_entries(json_t *array, const struct diff_pair *p)
{
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < p->one->profile->emulators->len; i++) {
		const struct emulator *one = g_ptr_array_index(p->one->profile->emulators, i);
		const struct emulator *other = like_entry(p->other->profile, one);
		g_autofree char *key = g_strdup_printf("%d %s %d", one->scope.view, one->scope.accel,
						       one->scope.view == VIEW_QEMU || one->cpu_models);

		if (!other || g_hash_table_contains(told, key) ||
		    (!tells_usable(one->cpu_models) && !json_object_get(one->json, "enums")))
			continue;
		g_hash_table_add(told, g_steal_pointer(&key));
		diff_models(array, p, one, other);
		diff_enums(array, p, one, other);
	}
}

/* The types of devices, or of objects, that a host's QEMUs list; NULL where no list is complete. */
static json_t *types_of(const struct profile *profile, bool objects)
{
	json_t *types = NULL;

	for (guint i = 0; i < profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(profile->emulators, i);
		const json_t *devices = json_object_get(e->json, "devices");
		const char *type;
		json_t *value;

		if (types || e->scope.view != VIEW_QEMU)
			continue;
		if (objects && json_object_get(e->json, "objects"))
			types = json_incref(json_object_get(e->json, "objects"));
		if (objects || !json_is_true(json_object_get(e->json, "devices_complete")))
			continue;
		types = json_array();
		json_object_foreach ((json_t *)devices, type, value)
			if (strcmp(type, "cpu") && !device_is_cpu(type))
				json_array_append_new(types, json_string(type));
	}
	return types;
}

static void diff_types(json_t *array, const struct diff_pair *p, bool objects)
{
	json_t *one = types_of(p->one->profile, objects), *other = types_of(p->other->profile, objects);
	struct diff_sides sides = diff_sides_new();

	if (one && other)
		compare_lists(&sides, one, other, "");
	diff_add_sides(array, p, objects ? "objects" : "devices",
		  objects ? "objects that QEMU has" : "devices that QEMU has", &sides,
		  "guests with %n can't start on %l");
	json_decref(one);
	json_decref(other);
}

json_t *diff_host(const struct diff_pair *p)
{
	json_t *array = json_array();

	diff_facts(array, p);
	diff_units(array, p);
	diff_entries(array, p);
	diff_types(array, p, false);
	diff_types(array, p, true);
	diff_names(array, p, "model", "libvirt-models", "CPU models that libvirt has names for");
	diff_names(array, p, "feature", "libvirt-features", "CPU features that libvirt has names for");
	diff_rules(array, p, false);
	diff_rules(array, p, true);
	return array;
}
