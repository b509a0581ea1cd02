/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* offering.c: see offering.h. */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "model/bits.h"
#include "model/error.h"
#include "model/power.h"
#include "plan/baseline-meet.h"
#include "plan/offering.h"

/* An atom in the making. */
struct atom {
	char *name, *id;
	GArray *having;
};

struct making {
	const struct judge *judge;
	const struct baseline *b;
	const struct offering_options *options;
	GHashTable *atoms; /* name → struct atom */
	uint64_t **shown;  /* by class: what its better views showed of the CPU; NULL: it has none */
	size_t words;
};

static void atom_free(void *data)
{
	struct atom *a = data;

	g_free(a->name);
	g_free(a->id);
	g_array_unref(a->having);
	g_free(a);
}

static GHashTable *atoms_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, atom_free);
}

/* A class has an atom; @name is stolen. */
static void has(struct making *m, const char *id, char *name, guint class)
{
	struct atom *a = g_hash_table_lookup(m->atoms, name);

	if (!a) {
		a = g_new0(struct atom, 1);
		a->name = name;
		a->id = g_strdup(id);
		a->having = g_array_new(FALSE, FALSE, sizeof(guint));
		g_hash_table_insert(m->atoms, a->name, a);
	} else {
		g_free(name);
	}
	if (!a->having->len || g_array_index(a->having, guint, a->having->len - 1) != class)
		g_array_append_val(a->having, class);
}

static void machine_atoms(struct making *m)
{
	for (guint i = 0; i < m->b->classes->len; i++) {
		const struct host_class *c = g_ptr_array_index(m->b->classes, i);
		GHashTable *machines = baseline_machines_of(c->profile);
		GHashTableIter iter;
		void *name;

		if (!machines)
			continue;
		g_hash_table_iter_init(&iter, machines);
		while (g_hash_table_iter_next(&iter, &name, NULL))
			has(m, "qemu.machine", g_strconcat("qemu.machine=", (char *)name, NULL), i);
		g_hash_table_unref(machines);
	}
}

/* One capability's values in one view, by class. */
struct column_values {
	guint known;
	struct value *values;
	bool *told;
};

static void columns_free(struct column_values *columns, size_t n, guint classes)
{
	for (size_t i = 0; i < n; i++) {
		for (guint k = 0; columns[i].values && k < classes; k++)
			if (columns[i].told[k])
				value_clear(&columns[i].values[k]);
		g_free(columns[i].values);
		g_free(columns[i].told);
	}
	g_free(columns);
}

/* Rules by which more is better; the least that all have is what they have in common. */
static bool counts(const struct capability *cap, const struct offering_options *options)
{
	return !(cap->flags & (CAP_HOST_ONLY | CAP_QEMU_OPTION)) && cap->type != CAP_RANGES &&
	       cap->type != CAP_PAIR && cap->type != CAP_STRING &&
	       (options->baseline->all_features || !(cap->flags & CAP_UNMIGRATABLE)) &&
	       (cap->rule == RULE_LOWER_SAFE || cap->rule == RULE_IMMUNITY || cap->rule == RULE_CHAIN ||
		cap->rule == RULE_SET);
}

static struct column_values *read_columns(const struct making *m)
{
	struct column_values *columns = g_new0(struct column_values, cap_count * VIEWS);
	guint n = m->b->classes->len;

	for (guint i = 0; i < n; i++) {
		const struct profile *p = ((struct host_class *)m->b->classes->pdata[i])->profile;

		for (guint k = 0; k < p->plain->len; k++) {
			guint index = g_array_index(p->plain, guint, k);
			const struct fact *fact = &g_array_index(p->facts, struct fact, index);
			struct column_values *c = &columns[(size_t)fact->cap * VIEWS + fact->scope.view];

			if (!counts(&cap_table[fact->cap], m->options))
				continue;
			if (!c->values) {
				c->values = g_new0(struct value, n);
				c->told = g_new0(bool, n);
			}
			/* a class's first fact counts */
			if (c->told[i] || !baseline_fact_value(fact, &c->values[i]))
				continue;
			c->told[i] = true;
			c->known++;
		}
	}
	return columns;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static char *number_name(const char *id, uint64_t number)
{
	return g_strdup_printf("%s>=%" G_GUINT64_FORMAT, id, number);
}

/* "at least" each of the numbers that any class has. */
static void number_atoms(struct making *m, const char *id, const uint64_t *numbers, const bool *told)
{
	g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	guint n = m->b->classes->len;

	for (guint i = 0; i < n; i++)
		if (told[i] && numbers[i])
			g_array_append_val(steps, numbers[i]);
	g_array_sort(steps, by_number);
	for (guint k = 0; k < steps->len; k++) {
		uint64_t step = g_array_index(steps, uint64_t, k);

		if (k && step == g_array_index(steps, uint64_t, k - 1))
			continue;
		for (guint i = 0; i < n; i++)
			if (told[i] && numbers[i] >= step)
				has(m, id, number_name(id, step), i);
	}
}

static void value_atoms(struct making *m, const struct capability *cap, const struct column_values *c)
{
	guint n = m->b->classes->len;
	g_autofree uint64_t *numbers = g_new0(uint64_t, MAX(n, 1));

	for (guint i = 0; i < n; i++) {
		const struct value *v = &c->values[i];

		if (!c->told[i])
			continue;
		numbers[i] = v->number;
		if (cap->type == CAP_BOOL && v->truth)
			has(m, cap->id, g_strdup(cap->id), i);
		for (guint k = 0; cap->type == CAP_SET && k < v->set->len; k++)
			has(m, cap->id, g_strconcat(cap->id, "=", (char *)v->set->pdata[k], NULL), i);
		for (guint bit = 0; cap->type == CAP_BITMAP && bit < 64; bit++)
			if (v->number >> bit & 1)
				has(m, cap->id, g_strdup_printf("%s=0x%" G_GINT64_MODIFIER "x", cap->id,
								UINT64_C(1) << bit), i);
	}
	if (cap->type == CAP_UINT)
		number_atoms(m, cap->id, numbers, c->told);
}

/* Each capability in the view in which most classes know it. */
static void fact_atoms(struct making *m)
{
	static const enum view order[] = { VIEW_KVM, VIEW_KERNEL, VIEW_RAW, VIEW_LIBVIRT, VIEW_QEMU };
	struct column_values *columns = read_columns(m);

	for (size_t cap = 0; cap < cap_count; cap++) {
		const struct column_values *best = NULL;

		for (size_t v = 0; v < G_N_ELEMENTS(order); v++) {
			const struct column_values *c = &columns[cap * VIEWS + order[v]];

			if (c->known && (!best || c->known > best->known))
				best = c;
		}
		if (best && !(m->b->family == ARCH_PPC64 && !strcmp(cap_table[cap].id, "ppc64.compat")))
			value_atoms(m, &cap_table[cap], best);
	}
	columns_free(columns, cap_count * VIEWS, m->b->classes->len);
}

/* POWER's generation, which no feature tells. */
static void power_atoms(struct making *m)
{
	guint n = m->b->classes->len;
	g_autofree uint64_t *levels = g_new0(uint64_t, MAX(n, 1));
	g_autofree bool *told = g_new0(bool, MAX(n, 1));

	for (guint i = 0; i < n; i++) {
		const struct profile *p = ((struct host_class *)m->b->classes->pdata[i])->profile;
		const char *model = profile_string(p, "ppc64.model");
		int level;

		for (guint o = 0; !model && o < p->offers->len; o++) {
			const struct offer *offer = g_ptr_array_index(p->offers, o);

			/* an emulated processor may be of any generation */
			if (g_strcmp0(offer->scope.accel, "tcg"))
				model = offer->model;
		}
		level = power_level(power_generation(model));
		told[i] = level > 0;
		levels[i] = told[i] ? (uint64_t)level : 0;
	}
	number_atoms(m, "ppc64.compat", levels, told);
}

/* In what QEMU gives, a feature without its gate would be refused. */
static bool gives(const struct universe *u, const struct offer *o, size_t bit, const char *accel)
{
	int gate = universe_is_extra(u, (int)bit) ? -1 : cap_table[cap_by_bit[bit]].gate;

	return offer_get(o, u, (int)bit) == 1 &&
	       (!accel || gate < 0 || offer_get(o, u, cap_table[gate].bit) == 1);
}

/*
 * What the classes' CPUs have in one view. What a better view of the same host doesn't show counts in
 * no weaker one: a bit of CPUID that QEMU doesn't give is nothing for guests. So more hosts never have
 * more in common than fewer. Emulated CPUs limit no others.
 */
static void cpu_atoms(struct making *m, const GArray *classes, const char *accel)
{
	const struct universe *u = m->judge->universe;
	bool limits = g_strcmp0(accel, "tcg") != 0;
	size_t n = MIN(universe_bits(u), m->words * 64);

	for (guint i = 0; i < classes->len; i++) {
		const struct offer *o = g_array_index(classes, struct meet_class, i).offer;
		uint64_t *shown = o ? g_new0(uint64_t, m->words) : NULL;

		for (size_t bit = 0; o && bit < n; bit++) {
			if (!universe_is_cpu(u, (int)bit) || !gives(u, o, bit, accel) ||
			    !baseline_place_counts(u, (int)bit, m->options->baseline) ||
			    (limits && m->shown[i] && !bits_test(m->shown[i], bit)))
				continue;
			bits_put(shown, bit, true);
			has(m, universe_id(u, (int)bit), g_strdup(universe_id(u, (int)bit)), i);
		}
		if (!shown || !limits) {
			g_free(shown);
			continue;
		}
		g_free(m->shown[i]);
		m->shown[i] = shown;
	}
}

static bool listed(const GPtrArray *names, const struct atom *a)
{
	for (guint i = 0; names && i < names->len; i++)
		if (!strcmp(names->pdata[i], a->name) || !strcmp(names->pdata[i], a->id))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct atom *const *)a)->name, (*(struct atom *const *)b)->name);
}

static bool pin_number(const char *pin, const struct atom *a, uint64_t *number)
{
	size_t id = strlen(a->id);

	if (strncmp(pin, a->name, id + 2) || strncmp(pin + id, ">=", 2))
		return false;
	*number = g_ascii_strtoull(a->name + id + 2, NULL, 10);
	return *number >= g_ascii_strtoull(pin + id + 2, NULL, 10);
}

/* The atom that a pin means: of that name, or the least number that is enough. */
static const struct atom *pinned_atom(const GPtrArray *atoms, const char *pin)
{
	const struct atom *best = NULL;
	uint64_t least = 0, number;

	for (guint i = 0; i < atoms->len; i++) {
		const struct atom *a = g_ptr_array_index(atoms, i);

		if (!strcmp(a->name, pin))
			return a;
		if (pin_number(pin, a, &number) && (!best || number < least)) {
			best = a;
			least = number;
		}
	}
	return best;
}

static void add_from(GPtrArray *to, GHashTable *atoms)
{
	GHashTableIter iter;
	void *atom;

	g_hash_table_iter_init(&iter, atoms);
	while (g_hash_table_iter_next(&iter, NULL, &atom))
		g_ptr_array_add(to, atom);
}

/* A layer of what the view has and of what is in all of them. */
static void make_layer(struct making *m, struct plan_problem *p, const char *view, GHashTable *own,
		       GHashTable *common)
{
	struct plan_layer *l = problem_layer(p, view);
	const GPtrArray *pins = m->options->pins;
	g_autoptr(GPtrArray) atoms = g_ptr_array_new();
	g_autoptr(GHashTable) pinned = g_hash_table_new(NULL, NULL);

	add_from(atoms, own);
	add_from(atoms, common);
	g_ptr_array_sort(atoms, by_name);
	for (guint i = 0; pins && i < pins->len; i++) {
		const struct atom *a = pinned_atom(atoms, pins->pdata[i]);

		if (a)
			g_hash_table_add(pinned, (void *)a);
		else
			l->pin_missing = true;
	}
	for (guint i = 0; i < atoms->len; i++) {
		struct atom *a = g_ptr_array_index(atoms, i);
		guint value = listed(m->options->forbid, a) ? 0 :
			      weights_of(m->options->site, m->options->shipped, a->id, a->name);
		bool pin = g_hash_table_contains(pinned, a);

		if (!value && !pin)
			continue;
		value = layer_atom(l, a->name, value, g_array_ref(a->having));
		if (pin)
			layer_pin(l, value);
	}
}

bool offering_host_weight(const struct host *host, const char *label, guint64 *weight)
{
	const char *text = host->labels ? g_hash_table_lookup(host->labels, label) : NULL;

	return text && g_ascii_string_to_unsigned(text, 10, 0, 1000000000, weight, NULL);
}

static void count_hosts(const struct making *m, struct plan_problem *p)
{
	g_autoptr(GHashTable) places = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < p->n; i++) {
		const GPtrArray *hosts = g_hash_table_lookup(m->b->class_hosts, m->b->classes->pdata[i]);

		p->hosts[i] = hosts->len;
		p->spread[i] = SPREAD_NONE;
		for (guint k = 0; k < hosts->len; k++) {
			const struct host *h = g_ptr_array_index(hosts, k);
			const char *label = m->options->spread_label, *place;
			guint64 weight = 1;
			int number;

			if (m->options->weight_label)
				offering_host_weight(h, m->options->weight_label, &weight);
			p->weights[i] += weight;
			place = label && h->labels ? g_hash_table_lookup(h->labels, label) : NULL;
			if (!place || p->spread[i] == SPREAD_MANY)
				continue;
			if (!g_hash_table_contains(places, place))
				g_hash_table_insert(places, (void *)place,
						    GINT_TO_POINTER((int)g_hash_table_size(places)));
			number = GPOINTER_TO_INT(g_hash_table_lookup(places, place));
			p->spread[i] = p->spread[i] == SPREAD_NONE || p->spread[i] == number ? number :
											       SPREAD_MANY;
		}
	}
}

struct plan_problem *offering_problem(const struct judge *judge, const struct baseline *group,
				      const struct offering_options *options)
{
	struct making m = { .judge = judge, .b = group, .options = options, .atoms = atoms_new() };
	struct plan_problem *p = problem_new(group->classes->len);
	GHashTable *common = m.atoms;
	guint layers = 0;

	m.shown = g_new0(uint64_t *, p->n + 1);
	m.words = bits_words(universe_bits(judge->universe));
	count_hosts(&m, p);
	machine_atoms(&m);
	fact_atoms(&m);
	if (group->family == ARCH_PPC64)
		power_atoms(&m);
	for (guint v = 0; v < baseline_views_n(); v++) {
		const char *accel;
		GArray *classes = baseline_view_classes(judge, group, v, options->baseline, &accel);
		g_autofree char *view = classes ? baseline_view_text(group, v) : NULL;

		if (!classes)
			continue;
		m.atoms = atoms_new();
		cpu_atoms(&m, classes, accel);
		make_layer(&m, p, view, m.atoms, common);
		g_hash_table_unref(m.atoms);
		meet_classes_clear(classes);
		g_array_unref(classes);
		layers++;
	}
	if (!layers) {
		m.atoms = atoms_new();
		make_layer(&m, p, "none", m.atoms, common);
		g_hash_table_unref(m.atoms);
	}
	g_hash_table_unref(common);
	for (guint i = 0; i < p->n; i++)
		g_free(m.shown[i]);
	g_free(m.shown);
	problem_settle(p);
	return p;
}

/* Does having an atom of one name mean having that of another? */
static bool implies(const char *atom, const char *wanted)
{
	const char *number = strstr(wanted, ">=");
	size_t length = number ? (size_t)(number - wanted) + 2 : 0;

	return !strcmp(atom, wanted) ||
	       (number && !strncmp(atom, wanted, length) &&
		g_ascii_strtoull(atom + length, NULL, 10) >= g_ascii_strtoull(number + 2, NULL, 10));
}

void offering_lacking(const struct plan_problem *p, const char *atom, uint64_t *set)
{
	size_t words = bits_words(p->n), fewest = p->n;

	for (guint i = 0; i < p->n; i++)
		bits_put(set, i, true);
	for (guint k = 0; k < p->layers->len; k++) {
		const struct plan_layer *l = g_ptr_array_index(p->layers, k);
		g_autofree uint64_t *have = g_new0(uint64_t, words);

		for (guint a = 0; a < l->atoms->len; a++) {
			const GArray *having = g_ptr_array_index(l->having, a);

			for (guint i = 0; implies(l->atoms->pdata[a], atom) && i < having->len; i++)
				bits_put(have, g_array_index(having, guint, i), true);
		}
		if (p->n - bits_count(have, words) >= fewest)
			continue;
		fewest = p->n - bits_count(have, words);
		for (guint i = 0; i < p->n; i++)
			bits_put(set, i, !bits_test(have, i));
	}
}

char *offering_name(const struct universe *universe, const char *text, bool whole, GError **error)
{
	size_t cut = strcspn(text, "=>");
	g_autofree char *name = g_strndup(text, cut);
	const char *rest = text + cut + strspn(text + cut, ">=");
	int cap = cap_find(name);

	cap = cap < 0 ? cap_find_alias(NS_LIBVIRT, name) : cap;
	if (cap < 0) {
		if (universe && !text[cut] && universe_bit((struct universe *)universe, name, FALSE) >= 0)
			return g_steal_pointer(&name);
		g_set_error(error, CAPBROKER_ERROR, ERROR_UNKNOWN,
			    "no capability is called '%s' (see 'capbroker explain')", name);
		return NULL;
	}
	if (whole && !*rest)
		return g_strdup(cap_table[cap].id);
	if ((cap_table[cap].type == CAP_BOOL) == (*rest != 0)) {
		if (*rest)
			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
				    "%s is yes or no (leave its value out)", cap_table[cap].id);
		else
			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s needs a value (%s=VALUE)",
				    cap_table[cap].id, cap_table[cap].id);
		return NULL;
	}
	if (cap_table[cap].type == CAP_UINT)
		return g_strconcat(cap_table[cap].id, ">=", rest, NULL);
	return *rest ? g_strconcat(cap_table[cap].id, "=", rest, NULL) : g_strdup(cap_table[cap].id);
}
