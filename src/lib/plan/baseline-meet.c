/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* baseline-meet.c: see baseline-meet.h and, for why, baseline.c. */
#include "config.h"

#include <string.h>

#include "plan/baseline-meet.h"

static guint count_hosts(const struct baseline *b, const GPtrArray *classes)
{
	guint n = 0;

	for (guint i = 0; i < classes->len; i++)
		n += ((GPtrArray *)g_hash_table_lookup(b->class_hosts, classes->pdata[i]))->len;
	return n;
}

/* An entry of unknown, differs or not_expressible; @classes is stolen. */
static void add_entry(struct baseline *b, GPtrArray *to, const char *id, const char *reason,
		      GPtrArray *classes)
{
	struct baseline_hosts *u = g_new0(struct baseline_hosts, 1);

	u->id = g_strdup(id);
	u->reason = g_strdup(reason);
	u->classes = classes;
	u->hosts_n = count_hosts(b, classes);
	g_ptr_array_add(to, u);
}

void baseline_add_unknown(struct baseline *b, const char *id, const char *reason,
			  GPtrArray *classes)
{
	add_entry(b, b->unknown, id, reason, classes);
}

void baseline_no_setting(struct baseline *b, const char *id, const char *reason,
			 GPtrArray *classes)
{
	add_entry(b, b->not_expressible, id, reason, classes);
}

void baseline_add_lost(struct baseline *b, const char *id, json_t *value, GPtrArray *classes)
{
	struct baseline_lost *l = g_new0(struct baseline_lost, 1);

	l->id = g_strdup(id);
	l->value = value;
	l->classes = classes;
	l->hosts_n = count_hosts(b, classes);
	l->has_it = b->hosts->len - l->hosts_n;
	g_ptr_array_add(b->lost, l);
}

/* The versioned machine types of a profile: name → struct machine; NULL where no list is known. */
GHashTable *baseline_machines_of(const struct profile *profile)
{
	static const enum view order[] = { VIEW_QEMU, VIEW_LIBVIRT };

	for (size_t v = 0; v < G_N_ELEMENTS(order); v++) {
		GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);

		for (guint i = 0; i < profile->emulators->len; i++) {
			const struct emulator *e = g_ptr_array_index(profile->emulators, i);

			for (guint k = 0; e->scope.view == order[v] && e->machines && k < e->machines->len; k++) {
				struct machine *m = &g_array_index(e->machines, struct machine, k);

				if (strcmp(m->name, "none"))
					g_hash_table_insert(names, (void *)m->name, m);
			}
		}
		if (g_hash_table_size(names))
			return names;
		g_hash_table_unref(names);
	}
	return NULL;
}

/* What new guests should have first: 0, q35 and the others' virtual machines; 1, i440fx; 2, others. */
static int family_rank(const char *name)
{
	static const char *const first[] = { "pc-q35-", "pseries-", "s390-ccw-virtio-", "virt-" };

	for (size_t i = 0; i < G_N_ELEMENTS(first); i++)
		if (g_str_has_prefix(name, first[i]))
			return 0;
	return !strcmp(name, "virt") ? 0 : g_str_has_prefix(name, "pc-i440fx-") ? 1 : 2;
}

static int best_machine(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	const char *vx = strrchr(x, '-'), *vy = strrchr(y, '-');
	int order = family_rank(x) - family_rank(y);

	if (!order && vx && vy)
		order = version_compare(vy + 1, vx + 1);
	return order ? order : strcmp(x, y);
}

void baseline_meet_machines(struct baseline *b)
{
	g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) tables = g_ptr_array_new();
	g_autoptr(GPtrArray) names = NULL;
	GPtrArray *unknown = g_ptr_array_new();
	GHashTableIter iter;
	void *name;

	for (guint i = 0; i < b->classes->len; i++) {
		struct host_class *c = g_ptr_array_index(b->classes, i);
		GHashTable *machines = baseline_machines_of(c->profile);

		g_ptr_array_add(tables, machines);
		if (!machines) {
			g_ptr_array_add(unknown, c);
			continue;
		}
		g_hash_table_iter_init(&iter, machines);
		while (g_hash_table_iter_next(&iter, &name, NULL)) {
			gsize n = GPOINTER_TO_SIZE(g_hash_table_lookup(counts, name));

			g_hash_table_insert(counts, name, GSIZE_TO_POINTER(n + 1));
		}
	}
	names = g_ptr_array_new();
	g_hash_table_iter_init(&iter, counts);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, name);
	g_ptr_array_sort(names, best_machine);
	for (guint k = 0; k < names->len; k++) {
		const char *machine = g_ptr_array_index(names, k);
		GPtrArray *without;

		if (GPOINTER_TO_SIZE(g_hash_table_lookup(counts, machine)) == b->classes->len) {
			g_ptr_array_add(b->machines, g_strdup(machine));
			continue;
		}
		without = g_ptr_array_new();
		for (guint i = 0; i < tables->len; i++) {
			GHashTable *machines = g_ptr_array_index(tables, i);

			if (machines && !g_hash_table_contains(machines, machine))
				g_ptr_array_add(without, b->classes->pdata[i]);
		}
		if (without->len)
			baseline_add_lost(b, "qemu.machine", json_string(machine), without);
		else
			g_ptr_array_unref(without);
	}
	if (unknown->len)
		baseline_add_unknown(b, "qemu.machine", "no list of machine types was recorded", unknown);
	else
		g_ptr_array_unref(unknown);
	for (guint i = 0; i < tables->len; i++)
		g_clear_pointer((GHashTable **)&tables->pdata[i], g_hash_table_unref);
}

/* One candidate for the view in which a group's CPU is met. */
struct candidate {
	enum view view;
	const char *accel;
	bool emulator;
};

static const struct candidate candidates[] = {
	{ VIEW_QEMU, "kvm", true },   { VIEW_LIBVIRT, "kvm", true }, { VIEW_QEMU, NULL, false },
	{ VIEW_LIBVIRT, NULL, false }, { VIEW_KVM, NULL, false },     { VIEW_QEMU, "tcg", true },
	{ VIEW_LIBVIRT, "tcg", true }, { VIEW_RAW, NULL, false },     { VIEW_KERNEL, NULL, false },
};

static const struct offer *candidate_offer(const struct judge *judge, const struct baseline *b,
					   const struct candidate *c, struct meet_class *m)
{
	struct needs needs = { .accel = (char *)c->accel,
			       .machine = b->machines->len ? b->machines->pdata[0] : NULL };

	target_clear(&m->target);
	if (!c->emulator)
		return profile_plain_offer(m->class->profile, c->view);
	target_resolve(&needs, m->class->profile, judge->universe, &m->target);
	/* on IBM Z libvirt repeats what QEMU says */
	if (c->view == VIEW_QEMU && (m->target.qemu_offer || b->family != ARCH_S390X))
		return m->target.qemu_offer;
	return m->target.libvirt_offer;
}

static guint try_candidate(const struct judge *judge, const struct baseline *b,
			   const struct candidate *c, GArray *classes)
{
	guint have = 0;

	for (guint i = 0; i < classes->len; i++) {
		struct meet_class *m = &g_array_index(classes, struct meet_class, i);

		m->offer = candidate_offer(judge, b, c, m);
		have += m->offer != NULL;
	}
	return have;
}

guint baseline_views_n(void)
{
	return G_N_ELEMENTS(candidates);
}

GArray *baseline_view_classes(const struct judge *judge, const struct baseline *b, guint view,
			      const struct baseline_options *options, const char **accel)
{
	GArray *classes;

	*accel = candidates[view].accel;
	if (options->accel && g_strcmp0(*accel, options->accel))
		return NULL;
	classes = g_array_new(FALSE, TRUE, sizeof(struct meet_class));
	for (guint i = 0; i < b->classes->len; i++)
		g_array_append_val(classes, ((struct meet_class){ .class = b->classes->pdata[i] }));
	if (try_candidate(judge, b, &candidates[view], classes))
		return classes;
	meet_classes_clear(classes);
	g_array_unref(classes);
	return NULL;
}

static char *view_text(const struct candidate *c, const struct baseline *b)
{
	struct scope scope = { .view = c->view, .accel = c->accel, .migratable = -1,
			       .machine = c->emulator && b->machines->len ? b->machines->pdata[0] : NULL };

	return scope_text(&scope);
}

char *baseline_view_text(const struct baseline *b, guint view)
{
	return view_text(&candidates[view], b);
}

GArray *baseline_views(const struct judge *judge, struct baseline *b,
		       const struct baseline_options *options)
{
	GArray *classes = g_array_new(FALSE, TRUE, sizeof(struct meet_class));
	size_t best = 0;
	guint most = 0;

	for (guint i = 0; i < b->classes->len; i++) {
		struct meet_class m = { .class = g_ptr_array_index(b->classes, i) };

		g_array_append_val(classes, m);
	}
	for (size_t c = 0; c < G_N_ELEMENTS(candidates) && most < classes->len; c++) {
		guint have;

		if (options->accel && g_strcmp0(candidates[c].accel, options->accel))
			continue;
		have = try_candidate(judge, b, &candidates[c], classes);
		/* one that all have; else the first, best one that any has */
		if (have == classes->len || (have && !most)) {
			most = have;
			best = c;
		}
	}
	if (most)
		try_candidate(judge, b, &candidates[best], classes);
	b->view = most ? view_text(&candidates[best], b) : g_strdup("none");
	b->accel = most ? candidates[best].accel : NULL;
	return classes;
}

void meet_classes_clear(GArray *classes)
{
	for (guint i = 0; i < classes->len; i++)
		target_clear(&g_array_index(classes, struct meet_class, i).target);
}

/* The kinds of places by rule, over the universe. */
struct meet_sets {
	size_t words;
	uint64_t *all_true, *any_true, *any_false, *any_unknown;
};

static void meet_sets_init(struct meet_sets *s, size_t words)
{
	s->words = words;
	s->all_true = g_new0(uint64_t, words * 4);
	s->any_true = s->all_true + words;
	s->any_false = s->any_true + words;
	s->any_unknown = s->any_false + words;
	memset(s->all_true, 0xff, words * sizeof(uint64_t));
}

static void meet_offer(struct meet_sets *s, const struct offer *o, const uint64_t *cpu)
{
	for (size_t w = 0; w < s->words; w++) {
		uint64_t known = o && w < o->words ? o->known[w] : 0;
		uint64_t value = o && w < o->words ? o->value[w] : 0;

		/* a name met after this offer was made is absent from a complete list */
		if (o && o->complete)
			known |= cpu[w];
		s->all_true[w] &= value;
		s->any_true[w] |= value;
		s->any_false[w] |= known & ~value;
		s->any_unknown[w] |= ~known;
	}
}

static uint64_t *cpu_places(const struct universe *universe, size_t words)
{
	uint64_t *set = g_new0(uint64_t, words);
	size_t n = universe_bits(universe);

	for (size_t bit = 0; bit < n; bit++)
		bits_put(set, bit, universe_is_cpu(universe, (int)bit));
	return set;
}

static unsigned int flags_of(const struct universe *universe, int bit)
{
	return universe_is_extra(universe, bit) ? 0 : cap_table[cap_by_bit[bit]].flags;
}

static bool obligation(const struct universe *universe, int bit)
{
	return !universe_is_extra(universe, bit) &&
	       cap_table[cap_by_bit[bit]].rule == RULE_HIGHER_SAFE;
}

bool baseline_place_counts(const struct universe *universe, int bit,
			   const struct baseline_options *options)
{
	unsigned int flags = flags_of(universe, bit);

	return !(flags & (CAP_HOST_ONLY | CAP_QEMU_OPTION)) &&
	       (options->all_features || !(flags & (CAP_UNMIGRATABLE | CAP_LIBVIRT_UNMIGRATABLE))) &&
	       !obligation(universe, bit);
}

/* The classes in which a place is known true (1), known false (0) or unknown (-1). */
static GPtrArray *classes_where(const GArray *classes, const struct universe *universe, int bit,
				int have)
{
	GPtrArray *found = g_ptr_array_new();

	for (guint i = 0; i < classes->len; i++) {
		const struct meet_class *m = &g_array_index(classes, struct meet_class, i);

		if ((m->offer ? offer_get(m->offer, universe, bit) : -1) == have)
			g_ptr_array_add(found, (void *)m->class);
	}
	return found;
}

static void keep_obligation(const struct judge *judge, struct baseline *b, const GArray *classes,
			    int bit)
{
	const char *id = universe_id(judge->universe, bit);

	add_entry(b, b->differs, universe_feature_name(judge->universe, bit),
		  "kept as an obligation (an AND would drop it)",
		  classes_where(classes, judge->universe, bit, 1));
	add_entry(b, b->not_expressible, id, "QEMU there refuses to show it to a guest",
		  classes_where(classes, judge->universe, bit, 0));
	json_object_set_new(b->capabilities, id, json_true());
}

/* In what QEMU gives, a feature without its gate would be refused when it is asked for. */
static bool gate_is_off(const struct universe *universe, const struct baseline *b,
			const struct meet_sets *s, int bit)
{
	int gate = universe_is_extra(universe, bit) ? -1 : cap_table[cap_by_bit[bit]].gate;

	return b->accel && gate >= 0 && !bits_test(s->all_true, (size_t)cap_table[gate].bit);
}

static void meet_place(const struct judge *judge, struct baseline *b, const GArray *classes,
		       const struct meet_sets *s, int bit, const struct baseline_options *options)
{
	const unsigned int unmigratable = CAP_UNMIGRATABLE | CAP_LIBVIRT_UNMIGRATABLE;
	unsigned int flags = flags_of(judge->universe, bit);
	const char *id = universe_id(judge->universe, bit);

	if (flags & (CAP_HOST_ONLY | CAP_QEMU_OPTION) ||
	    (!options->all_features && flags & unmigratable))
		return;
	if (bits_test(s->all_true, (size_t)bit) && gate_is_off(judge->universe, b, s, bit)) {
		add_entry(b, b->not_expressible, id, "QEMU takes it away without what it depends on",
			  classes_where(classes, judge->universe, bit, 1));
	} else if (bits_test(s->all_true, (size_t)bit)) {
		json_object_set_new(b->capabilities, id, json_true());
		if (universe_in_libvirt(judge->universe, bit))
			g_ptr_array_add(b->features,
					(void *)universe_feature_name(judge->universe, bit));
	} else if (obligation(judge->universe, bit)) {
		keep_obligation(judge, b, classes, bit);
	} else if (bits_test(s->any_false, (size_t)bit)) {
		baseline_add_lost(b, id, json_true(), classes_where(classes, judge->universe, bit, 0));
	} else {
		baseline_add_unknown(b, id, "not known there", classes_where(classes, judge->universe, bit, -1));
	}
}

static int by_string(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One entry for hosts whose CPU is not known at all, instead of one for each feature. */
static void tell_blank_hosts(struct baseline *b, const GArray *classes)
{
	GPtrArray *blank = g_ptr_array_new();

	for (guint i = 0; i < classes->len; i++) {
		const struct meet_class *m = &g_array_index(classes, struct meet_class, i);

		if (!m->offer)
			g_ptr_array_add(blank, (void *)m->class);
	}
	/* POWER tells no features, only its generation */
	if (blank->len && b->family != ARCH_PPC64)
		baseline_add_unknown(b, "cpu",
				     blank->len == classes->len ?
					     "what CPU features the host gives is not known" :
					     "what CPU features the host gives was not told in the view that the others were",
				     blank);
	else
		g_ptr_array_unref(blank);
}

static bool any_blank(const GArray *classes)
{
	for (guint i = 0; i < classes->len; i++)
		if (!g_array_index(classes, struct meet_class, i).offer)
			return true;
	return false;
}

void baseline_meet_cpu(const struct judge *judge, struct baseline *b, const GArray *classes,
		       const struct baseline_options *options)
{
	size_t words = bits_words(universe_bits(judge->universe));
	g_autofree uint64_t *cpu = cpu_places(judge->universe, words);
	bool blank = b->family != ARCH_PPC64 && any_blank(classes);
	struct meet_sets s;

	meet_sets_init(&s, words);
	for (guint i = 0; i < classes->len; i++)
		meet_offer(&s, g_array_index(classes, struct meet_class, i).offer, cpu);
	tell_blank_hosts(b, classes);
	BITS_FOREACH (bit, s.any_true, words)
		if (bits_test(cpu, (size_t)bit) &&
		    (!blank || bits_test(s.any_false, (size_t)bit) ||
		     obligation(judge->universe, (int)bit)))
			meet_place(judge, b, classes, &s, (int)bit, options);
	g_ptr_array_sort(b->features, by_string);
	g_free(s.all_true);
}

/* Machine types last: they are many, and new ones are lost wherever one QEMU is older. */
static int by_blame(const void *a, const void *b)
{
	const struct baseline_lost *x = *(struct baseline_lost *const *)a;
	const struct baseline_lost *y = *(struct baseline_lost *const *)b;
	bool mx = !strcmp(x->id, "qemu.machine"), my = !strcmp(y->id, "qemu.machine");

	if (mx && my) {
		const char *m = json_string_value(x->value), *n = json_string_value(y->value);

		return best_machine(&m, &n);
	}
	if (mx || my)
		return mx - my;
	if (x->hosts_n != y->hosts_n)
		return x->hosts_n < y->hosts_n ? -1 : 1;
	return strcmp(x->id, y->id);
}

void baseline_sort_lost(struct baseline *b)
{
	g_ptr_array_sort(b->lost, by_blame);
}

/* The first thing that is lost because of one class alone. */
static const struct baseline_lost *first_lost(const struct baseline *b,
					      const struct host_class *class)
{
	for (guint k = 0; k < b->lost->len; k++) {
		const struct baseline_lost *l = g_ptr_array_index(b->lost, k);

		if (l->classes->len == 1 && l->classes->pdata[0] == class)
			return l;
	}
	return NULL;
}

/* What people call it: a machine type, a feature by libvirt's name, else the id. */
static const char *lost_name(const struct baseline_lost *lost)
{
	int cap = cap_find(lost->id);
	const char *name = cap >= 0 ? cap_alias_of(NS_LIBVIRT, cap) : NULL;

	if (json_is_string(lost->value))
		return json_string_value(lost->value);
	return name ? name : lost->id;
}

/* Which class, dropped, would give back most? */
void baseline_best_step(struct baseline *b)
{
	g_autoptr(GHashTable) gains = g_hash_table_new(NULL, NULL);
	const struct host_class *best = NULL;
	const GPtrArray *hosts;
	gsize most = 0;
	GString *text;

	for (guint k = 0; k < b->lost->len; k++) {
		const struct baseline_lost *l = g_ptr_array_index(b->lost, k);
		gsize n;

		if (l->classes->len != 1)
			continue;
		n = 1 + GPOINTER_TO_SIZE(g_hash_table_lookup(gains, l->classes->pdata[0]));
		g_hash_table_insert(gains, l->classes->pdata[0], GSIZE_TO_POINTER(n));
	}
	for (guint i = 0; i < b->classes->len; i++) {
		gsize gain = GPOINTER_TO_SIZE(g_hash_table_lookup(gains, b->classes->pdata[i]));

		if (gain > most) {
			most = gain;
			best = b->classes->pdata[i];
		}
	}
	if (!best)
		return;
	text = g_string_new("drop");
	hosts = g_hash_table_lookup(b->class_hosts, best);
	for (guint h = 0; h < hosts->len && h < 8; h++)
		g_string_append_printf(text, " %s", ((struct host *)hosts->pdata[h])->name);
	if (hosts->len > 8)
		g_string_append_printf(text, " and %u more", hosts->len - 8);
	g_string_append_printf(text, ": gain %s", lost_name(first_lost(b, best)));
	if (most > 1)
		g_string_append_printf(text, " and %" G_GSIZE_FORMAT " more", most - 1);
	b->best_step = g_string_free(text, FALSE);
}
