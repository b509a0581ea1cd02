/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-lack.c: the features that a guest needs and a host lacks: by libvirt's comparison, by
 * QEMU's own lists, and, for a move, by what the guest really has from its source.
 */
#include "config.h"

#include <string.h>

#include "judge/lack.h"

/* Is the host's QEMU driven by libvirt, as far as is known? */
bool cpu_by_libvirt(const struct judgement *j)
{
	return !j->needs->argv && (j->target.libvirt_offer || j->target.libvirt_version ||
				   profile_fact_any(j->target.profile, "libvirt.cpu-features"));
}

bool cpu_libvirt_keeps(const struct judgement *j, int bit)
{
	return bit >= 0 && (size_t)bit < cap_bits &&
	       cap_table[cap_by_bit[bit]].flags & CAP_LIBVIRT_KEEPS && !j->needs->cpu_only &&
	       cpu_by_libvirt(j);
}

void places_add(GArray *places, int bit)
{
	for (guint i = 0; i < places->len; i++)
		if (g_array_index(places, int, i) == bit)
			return;
	g_array_append_val(places, bit);
}

static void lack_bit(struct judgement *j, enum cpu_check check, int bit, struct lack *lack)
{
	int qemu = cpu_have_qemu(j, bit);
	int libvirt = cpu_have_libvirt(j, bit);
	int decides = check == CPU_CHECK_PARTIAL ? libvirt : qemu >= 0 ? qemu : libvirt;

	if (check != CPU_CHECK_PARTIAL && cpu_libvirt_keeps(j, bit))
		return;
	if (check == CPU_CHECK_NONE || (check == CPU_CHECK_PARTIAL && lack->taken)) {
		if ((check == CPU_CHECK_NONE ? decides : qemu) == 0)
			places_add(lack->dropped, bit);
	} else if (decides == 0) {
		places_add(lack->refused, bit);
	} else if (decides < 0) {
		places_add(lack->unknown, bit);
	} else if (qemu == 0) {
		places_add(lack->dropped, bit);
	}
}

/* What QEMU itself says the model lacks there; a feature the definition takes away isn't needed. */
static void lack_measured(struct judgement *j, enum cpu_check check, struct lack *lack)
{
	const struct cpu_model *model = target_measured_model(&j->target, j->cpu->def->model);
	const json_t *member;
	size_t i;

	json_array_foreach (model ? model->missing : NULL, i, member) {
		g_autofree char *id = feature_id(NS_LIBVIRT, json_string_value(member));
		int bit = universe_bit(j->judge->universe, id, FALSE);
		size_t w = bit < 0 ? 0 : (size_t)bit / 64;

		if (bit < 0 || w >= j->cpu->words)
			continue;
		if ((j->cpu->disable[w] | j->cpu->forbid[w] | j->cpu->optional[w]) >> (bit % 64) & 1)
			continue;
		if (check == CPU_CHECK_FULL) {
			places_add(lack->refused, bit);
			lack->by_qemu = true;
		} else {
			places_add(lack->dropped, bit);
		}
	}
}

static bool measured(const struct judgement *j)
{
	const struct cpu_model *model = target_measured_model(&j->target, j->cpu->def->model);

	return model && (model->missing || model->usable == 1);
}

/* libvirt looks for these in what QEMU gave whatever check= says. */
static bool must_have(const struct judgement *j, int bit)
{
	return !j->needs->cpu_only && (size_t)bit < cap_bits &&
	       cap_table[cap_by_bit[bit]].flags & CAP_UNMIGRATABLE &&
	       !strcmp(cap_table[cap_by_bit[bit]].id, "cpu.invtsc");
}

/* What QEMU takes away, or refuses where it was asked for by name, because its gate isn't on. */
static void lack_gate(struct judgement *j, enum cpu_check check, int bit, struct lack *lack)
{
	int gate = (size_t)bit < cap_bits ? cap_table[cap_by_bit[bit]].gate : -1;

	if (gate < 0 || j->needs->cpu_only || bits_test(j->cpu->require, (size_t)cap_table[gate].bit))
		return;
	places_add(check == CPU_CHECK_FULL ? lack->refused : lack->dropped, bit);
	lack->by_qemu |= check == CPU_CHECK_FULL;
}

/* Does the definition itself say anything of the place? */
static bool spoken_of(const struct cpu_need *cpu, int bit)
{
	size_t w = (size_t)bit / 64;

	return w < cpu->words && (cpu->explicit_require[w] | cpu->force[w] | cpu->optional[w] |
				  cpu->disable[w] | cpu->forbid[w]) >> (bit % 64) & 1;
}

/*
 * What a model lost counts as part of it for an older libvirt (mpx for 9.0.0), whose comparison
 * wants it of the host, and which with check='full' misses it in what QEMU made.
 */
static void lack_removed(struct judgement *j, enum cpu_check check, struct lack *lack)
{
	const struct named_model *model = j->cpu->model;
	const char *version = j->target.libvirt_version;

	for (char **name = model && version ? model->removed : NULL; name && *name; name++) {
		g_autofree char *id = feature_id(NS_LIBVIRT, *name);
		int bit = universe_bit(j->judge->universe, id, FALSE);
		int have = check == CPU_CHECK_FULL ? 0 : bit < 0 ? -1 : cpu_have_libvirt(j, bit);
		int gone;

		if (bit < 0 || have == 1 || spoken_of(j->cpu, bit) ||
		    (check == CPU_CHECK_PARTIAL && lack->taken))
			continue;
		gone = tables_libvirt_knows(j->judge->tables, "removal", *name, version);
		if (gone != 1)
			places_add(gone == 0 && have == 0 ? lack->refused : lack->unknown, bit);
	}
}

/*
 * A running guest whose definition doesn't speak of what its model lost was started when that still
 * was part of it: a libvirt that knows it gone asks QEMU for it, for the guest has it.
 */
static void lack_of_running(struct judgement *j, struct lack *lack)
{
	const struct named_model *model = cpu_is_custom(j->cpu->def) ? j->cpu->model : NULL;
	const char *version = j->target.libvirt_version;

	if (!j->needs->live || !version || j->needs->cpu_only)
		return;
	for (char **name = model ? model->removed : NULL; name && *name; name++) {
		g_autofree char *id = feature_id(NS_LIBVIRT, *name);
		int bit = universe_bit(j->judge->universe, id, FALSE);
		int have = bit < 0 ? 1 : cpu_have_qemu(j, bit);

		if (have == 1 || spoken_of(j->cpu, bit) ||
		    tables_libvirt_knows(j->judge->tables, "removal", *name, version) != 1)
			continue;
		places_add(have ? lack->unknown : lack->refused, bit);
	}
}

/*
 * What libvirt takes for part of the model and QEMU's model of that name hasn't; old machine types
 * may have it all the same (Opteron_G2 rdtscp up to pc-*-2.4).
 */
static void lack_less(struct judgement *j, struct lack *lack)
{
	const char *less = tables_qemu_differs(j->judge->tables, j->cpu->def->model, "less");
	g_auto(GStrv) names = g_strsplit(less ? less : "", " ", -1);

	for (guint i = 0; names[i]; i++) {
		g_autofree char *id = feature_id(NS_LIBVIRT, names[i]);
		int bit = universe_bit(j->judge->universe, id, FALSE);

		if (bit >= 0 && !spoken_of(j->cpu, bit))
			places_add(cpu_models_unsteady(j) ? lack->unknown : lack->refused, bit);
	}
}

/* Where libvirt's idea of a model isn't QEMU's, or not that of our table. */
static void lack_of_model(struct judgement *j, enum cpu_check check, struct lack *lack)
{
	if (!cpu_is_custom(j->cpu->def) || !j->cpu->def->model || j->needs->cpu_only ||
	    !cpu_by_libvirt(j) || check == CPU_CHECK_NONE)
		return;
	lack_removed(j, check, lack);
	if (check == CPU_CHECK_FULL)
		lack_less(j, lack);
}

/*
 * A model's level (avx10-version) stays set where the definition switches its feature off, and
 * QEMU, asked to enforce, refuses it; libvirt doesn't ask that.
 */
static void lack_levels(struct judgement *j, struct lack *lack)
{
	const struct cpu_need *cpu = j->cpu;

	for (size_t w = 0; w < cpu->words; w++) {
		uint64_t off = cpu->model_set[w] & (cpu->disable[w] | cpu->forbid[w]);

		for (; off; off &= off - 1) {
			int bit = (int)(w * 64) + __builtin_ctzll(off);
			const char *level = (size_t)bit < cap_bits ? cap_table[cap_by_bit[bit]].level : NULL;

			if (level && cpu_qemu_has_property(j, level) == 1 && cpu_have_qemu(j, bit) == 0)
				places_add(lack->stuck, bit);
		}
	}
	lack->by_qemu |= lack->stuck->len > 0;
}

/* libvirt compares none of these, so that check='partial' keeps no promise (qemuProcessUpdateGuestCPU). */
static bool follows_host(const struct judgement *j)
{
	enum cpu_mode mode = j->cpu->def->mode;

	return (mode == CPU_HOST_PASSTHROUGH || mode == CPU_MAXIMUM) && !j->needs->cpu_only;
}

static void find_lack(struct judgement *j, enum cpu_check check, struct lack *lack)
{
	const struct cpu_need *cpu = j->cpu;

	enum cpu_partial partial = check == CPU_CHECK_PARTIAL ? cpu_partial(j) : PARTIAL_COMPARES;

	/* uncompared, match='minimum' asks only for what it names itself */
	bool only_own = cpu_is_minimum(j) && (check != CPU_CHECK_PARTIAL || partial == PARTIAL_TAKEN ||
					      partial == PARTIAL_BLOCKERS);

	lack->taken = partial == PARTIAL_TAKEN || partial == PARTIAL_BLOCKERS || follows_host(j);

	BITS_FOREACH (bit, cpu->require, cpu->words) {
		bool own = bits_test(cpu->explicit_require, (size_t)bit);
		guint before = lack->refused->len;

		/* no libvirt has an idea of the model of its own: QEMU's word on it is all that counts */
		if ((only_own && !own) || (j->needs->argv && !own && measured(j)))
			continue;
		lack_bit(j, must_have(j, (int)bit) ? CPU_CHECK_FULL : check, (int)bit, lack);
		/* what QEMU's own model holds is measured; only its own list speaks for it */
		if (lack->refused->len > before && check == CPU_CHECK_FULL &&
		    (own || !measured(j)) && cpu_have_qemu(j, (int)bit) == 0)
			lack->by_qemu = true;
		if (own)
			lack_gate(j, check, (int)bit, lack);
	}
	if (!only_own)
		lack_of_model(j, check, lack);
	if (partial == PARTIAL_BLOCKERS || partial == PARTIAL_UNSURE)
		lack_by_blockers(j, lack);
	if (cpu->def->model && !cpu_is_minimum(j))
		lack_measured(j, check, lack);
	if (check == CPU_CHECK_FULL && !j->needs->cpu_only)
		lack_levels(j, lack);
	lack->by_qemu |= j->needs->argv && lack->refused->len > 0;
}

static void add_items(struct judgement *j, struct finding *f, const GArray *places, json_t *have)
{
	for (guint i = 0; !j->judge->brief && i < places->len; i++) {
		const char *id = universe_id(j->judge->universe, g_array_index(places, int, i));

		if (!f->capability)
			f->capability = id;
		finding_item(f->need, id, json_true());
		finding_item(f->have, id, json_incref(have));
	}
	json_decref(have);
}

char *places_text(const struct judgement *j, const GArray *places)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < places->len; i++)
		g_string_append_printf(s, "%s%s", i ? " " : "",
				       universe_feature_name(j->judge->universe,
							     g_array_index(places, int, i)));
	return g_string_free(s, FALSE);
}

/* The security classes that losing these opens, " (opens meltdown)"; "" where none. */
static char *security_text(const struct judgement *j, const GArray *places)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < places->len; i++) {
		int cap = cap_find(universe_id(j->judge->universe, g_array_index(places, int, i)));
		const char *class = cap >= 0 ? cap_table[cap].security : NULL;

		if (class && !strstr(s->str, class))
			g_string_append_printf(s, "%s%s", s->len ? ", " : " (opens ", class);
	}
	if (s->len)
		g_string_append_c(s, ')');
	return g_string_free(s, FALSE);
}

static const char *origin_of(const struct judgement *j)
{
	return j->target.judged ? j->target.judged->origin : NULL;
}

static char *write_lack(struct judgement *j, const struct lack *lack)
{
	g_autofree char *refused = places_text(j, lack->refused);
	g_autofree char *dropped = places_text(j, lack->dropped);
	g_autofree char *unknown = places_text(j, lack->unknown);
	g_autofree char *opens = security_text(j, lack->refused->len ? lack->refused : lack->dropped);
	GString *s = g_string_new(NULL);

	if (lack->refused->len)
		g_string_append_printf(s, "host lacks %s%s", refused, opens);
	if (lack->gate)
		g_string_append_printf(s, "%sthe source took %s away and kept what needs it, which QEMU there takes with it",
				       s->len ? "; " : "", lack->gate);
	if (lack->dropped->len)
		g_string_append_printf(s, "%sdropped in silence: %s%s", s->len ? "; " : "", dropped,
				       lack->refused->len ? "" : opens);
	if (lack->unknown->len)
		g_string_append_printf(s, "%snot known whether the host gives %s", s->len ? "; " : "",
				       unknown);
	return g_string_free(s, FALSE);
}

/* NULL in a brief judgement, which nobody reads. */
static char *lack_sentence(struct judgement *j, const struct lack *lack)
{
	return j->judge->brief ? NULL : write_lack(j, lack);
}

static char *lack_fix(struct judgement *j, const struct lack *lack)
{
	g_autofree char *names = NULL;
	const GArray *first = lack->refused->len ? lack->refused :
			      lack->dropped->len ? lack->dropped : NULL;

	if (j->judge->brief)
		return NULL;
	if (lack->gate)
		return g_strdup_printf("start the guest anew without %s (policy='disable')", lack->gate);
	if (!first)
		return g_strdup("run 'capbroker probe' on the host");
	names = places_text(j, first);
	if (first->len > 8)
		return g_strdup("define the guest with a smaller CPU model (capbroker baseline)");
	if (j->needs->argv)
		return g_strdup_printf("switch %s off in -cpu (FEATURE=off), or choose a host that has %s", names,
				       first->len > 1 ? "them" : "it");
	return g_strdup_printf("disable %s in the definition (policy='disable'), or choose a host that has %s",
			       names, first->len > 1 ? "them" : "it");
}

static void lack_init(struct lack *lack)
{
	*lack = (struct lack){ g_array_new(FALSE, FALSE, sizeof(int)),
			       g_array_new(FALSE, FALSE, sizeof(int)),
			       g_array_new(FALSE, FALSE, sizeof(int)),
			       g_array_new(FALSE, FALSE, sizeof(int)), NULL, false, false, false };
}

static void lack_clear(struct lack *lack)
{
	g_array_unref(lack->refused);
	g_array_unref(lack->dropped);
	g_array_unref(lack->unknown);
	g_array_unref(lack->stuck);
}

static void lack_finding(struct judgement *j, const struct lack *lack, unsigned int on)
{
	enum verdict verdict = lack->refused->len || lack->unnamed ? V_BLOCK : lack->unknown->len ? V_UNKNOWN :
			       lack->dropped->len ? V_WARN : V_OK;
	struct finding *f;

	if (verdict != V_BLOCK && lack->stuck->len && on & ON_START) {
		f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_QEMU, g_strdup(j->cpu->def->path),
				g_strdup("QEMU, asked to enforce, refuses the model's level of a feature that is switched off"),
				g_strdup("use a model without it"));
		add_items(j, f, lack->stuck, json_false());
	}
	if (verdict == V_OK)
		return;
	if (on & ON_START && (lack->by_qemu || verdict == V_UNKNOWN))
		on |= ON_QEMU;
	f = finding_add(j, verdict, verdict == V_WARN ? EFFECT_HAZARD : EFFECT_FAILS_SAFELY, on,
			g_strdup(j->cpu->def->path), lack_sentence(j, lack), lack_fix(j, lack));
	f->origin = g_strdup(origin_of(j));
	add_items(j, f, lack->refused, json_false());
	add_items(j, f, lack->dropped, json_false());
	add_items(j, f, lack->unknown, json_null());
}

/* Does a list of libvirt's names, as a measured model has them, hold the place? */
static bool lists(const struct judgement *j, const json_t *names, int bit)
{
	const json_t *name;
	size_t i;

	json_array_foreach (names, i, name) {
		g_autofree char *id = feature_id(NS_LIBVIRT, json_string_value(name));

		if (universe_bit(j->judge->universe, id, FALSE) == bit)
			return true;
	}
	return false;
}

int lack_gives(const struct judgement *j, const struct target *t, int bit)
{
	const struct offer *offer = t->qemu_offer ? t->qemu_offer : t->judged;
	const struct cpu_model *model = target_measured_model(t, j->cpu->def->model);
	bool own = bits_test(j->cpu->explicit_require, (size_t)bit);

	if (model && !own && lists(j, model->missing, bit))
		return 0;
	if (model && !own && (model->missing || model->usable == 1) && bits_test(j->cpu->model_set, (size_t)bit))
		return 1;
	return offer ? offer_get(offer, j->judge->universe, bit) : -1;
}

/*
 * What the place depends on and the source took away, or NULL. QEMU takes what depends on it before it
 * filters, so that the guest keeps the dependent one; but libvirt sends the lost one along as switched
 * off, and then QEMU takes both (QEMU 10.0.13 target/i386/cpu.c, feature_dependencies; seen with
 * check='none' under TCG: rdctl-no and others without arch-capabilities).
 */
static const char *gate_lost(const struct judgement *j, const struct target *here, int bit)
{
	int gate = (size_t)bit < cap_bits ? cap_table[cap_by_bit[bit]].gate : -1;

	return gate >= 0 && bits_test(j->cpu->require, (size_t)cap_table[gate].bit) &&
			       lack_gives(j, here, cap_table[gate].bit) == 0 ?
		       universe_feature_name(j->judge->universe, cap_table[gate].bit) :
		       NULL;
}

/* Does a source that hasn't the gate keep, of what needs it, what it says nothing of? */
static bool keeps_all_behind(const struct judgement *j, const json_t *missing, int gate)
{
	size_t behind = 0;

	for (size_t i = 0; i < cap_count; i++) {
		if (cap_table[i].type != CAP_BOOL || cap_table[i].gate != gate)
			continue;
		if (lists(j, missing, cap_table[i].bit))
			return false;
		behind++;
	}
	return behind > 0;
}

/*
 * The same of what QEMU's model has beyond libvirt's of that name (Cascadelake-Server-noTSX has
 * arch-capabilities and rdctl-no there): that the source's QEMU misses the gate tells that its model has
 * it. Which features those are libvirt learns from QEMU, and asks for them (seen from 10.0.13 and 11.1.3
 * under TCG to all three; 7.2.22 misses what needs the gate too, and such guests go).
 */
static void find_unnamed_lack(struct judgement *j, const struct target *here, struct lack *lack)
{
	const struct cpu_model *model = target_measured_model(here, j->cpu->def->model);
	const json_t *name;
	size_t i;

	json_array_foreach (model ? model->missing : NULL, i, name) {
		g_autofree char *id = feature_id(NS_LIBVIRT, json_string_value(name));
		int gate = cap_find(id);

		if (gate < 0 || cap_table[gate].type != CAP_BOOL || spoken_of(j->cpu, cap_table[gate].bit) ||
		    bits_test(j->cpu->require, (size_t)cap_table[gate].bit) ||
		    !keeps_all_behind(j, model->missing, gate))
			continue;
		lack->unnamed = true;
		lack->gate = universe_feature_name(j->judge->universe, cap_table[gate].bit);
	}
}

/* One place of find_move_lack(). */
static void move_lack_bit(struct judgement *j, const struct target *here, int bit, struct lack *lack)
{
	int there = lack_gives(j, &j->target, bit);
	const char *gate;
	int has;

	if (cpu_libvirt_keeps(j, bit))
		return;
	has = j->source ? lack_gives(j, here, bit) : -1;
	gate = has == 1 ? gate_lost(j, here, bit) : NULL;
	if (there == 1 && !gate)
		return;
	if (gate)
		lack->gate = gate;
	if (has == 1 && there >= 0)
		places_add(lack->refused, bit);
	else if (has)
		places_add(lack->unknown, bit);
}

/*
 * A guest that was started with less than its definition says runs with what its source gave;
 * libvirt sends that along, and the target must give it all. What it had as policy='optional' is
 * among that (seen with check='none': sha-ni from 10.0.13 to 7.2.22 under TCG).
 */
static void find_move_lack(struct judgement *j, struct lack *lack)
{
	struct target here;

	if (j->source)
		target_resolve(j->needs, j->source, j->judge->universe, &here);
	BITS_FOREACH (bit, j->cpu->require, j->cpu->words)
		move_lack_bit(j, &here, (int)bit, lack);
	BITS_FOREACH (bit, j->cpu->optional, j->cpu->words)
		move_lack_bit(j, &here, (int)bit, lack);
	if (!j->source)
		return;
	find_unnamed_lack(j, &here, lack);
	target_clear(&here);
}

void check_cpu_missing(struct judgement *j)
{
	enum cpu_check check = cpu_effective_check(j);
	struct lack start, move, running;

	if (j->cpu && j->family != ARCH_X86)
		other_cpu_missing(j);
	if (!j->cpu || !j->target.judged || j->family != ARCH_X86)
		return;
	lack_init(&start);
	lack_init(&move);
	find_lack(j, check, &start);
	if (check == CPU_CHECK_FULL || !cpu_is_custom(j->cpu->def)) {
		lack_finding(j, &start, ON_BOTH);
	} else if (j->needs->argv) {
		lack_finding(j, &start, ON_START);
		argv_cpu_moves(j);
	} else {
		find_move_lack(j, &move);
		lack_finding(j, &start, ON_START);
		lack_finding(j, &move, ON_MIGRATE);
	}
	lack_init(&running);
	lack_of_running(j, &running);
	lack_finding(j, &running, ON_MIGRATE);
	lack_clear(&start);
	lack_clear(&move);
	lack_clear(&running);
	check_rules(j);
}
