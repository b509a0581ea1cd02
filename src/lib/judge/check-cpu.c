/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-cpu.c: the CPU that the guest asks for against the one that it would get.
 *
 * Two parties refuse: libvirt, which compares a definition with its idea of the hypervisor's CPU
 * (for KVM joined with the host's own) when check='partial', and QEMU, whose own list of what a
 * model lacks is measured. check='full' (and every running guest) needs what QEMU really gives;
 * check='none' needs nothing, and loses what isn't there in silence.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"

static const struct universe *universe_of(const struct judgement *j)
{
	return j->judge->universe;
}

static const struct cpu_def *def_of(const struct judgement *j)
{
	return j->cpu ? j->cpu->def : NULL;
}

static bool is_custom(const struct cpu_def *def)
{
	return def && (def->mode == CPU_CUSTOM || (def->mode == CPU_MODE_NONE && def->model));
}

/* What libvirt makes of a check= that isn't written. */
static enum cpu_check effective_check(const struct judgement *j)
{
	const struct cpu_def *def = def_of(j);

	if (j->needs->cpu_only)
		return CPU_CHECK_FULL;
	if (!def)
		return CPU_CHECK_NONE;
	if (def->check != CPU_CHECK_DEFAULT)
		return def->check;
	if (def->mode == CPU_HOST_PASSTHROUGH || def->mode == CPU_MAXIMUM)
		return CPU_CHECK_NONE;
	if (is_custom(def) && g_strcmp0(j->needs->accel, "kvm"))
		return CPU_CHECK_NONE;
	return CPU_CHECK_PARTIAL;
}

/* 1, 0 or -1: does what QEMU gives there hold the feature? */
static int have_qemu(const struct judgement *j, int bit)
{
	const struct offer *offer = j->target.qemu_offer ? j->target.qemu_offer : j->target.judged;

	return offer ? offer_get(offer, universe_of(j), bit) : -1;
}

/* 1, 0 or -1: does libvirt take the host to have the feature when it compares? */
static int have_libvirt(const struct judgement *j, int bit)
{
	const struct target *t = &j->target;
	int have;

	if (!t->libvirt_offer)
		return have_qemu(j, bit);
	have = offer_get(t->libvirt_offer, universe_of(j), bit);
	if (have != 1 && !g_strcmp0(j->needs->accel, "kvm") && t->host_offer &&
	    offer_get(t->host_offer, universe_of(j), bit) == 1)
		return 1;
	return have;
}

void check_cpu_facts(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);

	if (j->target.judged || !def || (!def->model && !def->features->len))
		return;
	finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup(def->path),
		    g_strdup("what CPU features the host gives is not known"),
		    g_strdup("run 'capbroker probe' on the host, or import its domain capabilities"));
}

void check_cpu_mode(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	const struct target *t = &j->target;
	const json_t *said;
	struct finding *f;

	if (!def || def->mode == CPU_MODE_NONE)
		return;
	said = t->libvirt && t->libvirt->modes ?
		       json_object_get(t->libvirt->modes, cpu_mode_name(def->mode)) :
		       NULL;
	if (!json_is_false(said) &&
	    (def->mode != CPU_HOST_PASSTHROUGH || !g_strcmp0(j->needs->accel, "kvm")))
		return;
	f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL,
			g_strdup_printf("%s/@mode", def->path),
			g_strdup_printf("CPU mode %s can't be had with accelerator %s there",
					cpu_mode_name(def->mode), j->needs->accel),
			g_strdup(def->mode == CPU_HOST_PASSTHROUGH ?
					 "use mode='maximum' or a named model, or type='kvm'" :
					 "use a named model"));
	finding_item(f->need, "libvirt.cpu-mode", json_string(cpu_mode_name(def->mode)));
	finding_item(f->have, "libvirt.cpu-mode", json_false());
}

static int libvirt_knows(const struct judgement *j, const char *kind, const char *name)
{
	return profile_libvirt_knows(j->target.profile, j->judge->tables, kind, name);
}

static void model_finding(struct judgement *j, enum verdict verdict, unsigned int on, char *text)
{
	const struct cpu_def *def = def_of(j);
	struct finding *f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, on,
					g_strdup_printf("%s/model", def->path), text,
					g_strdup("choose a model that the host knows (capbroker baseline)"));

	f->capability = "libvirt.cpu-model";
	finding_item(f->need, "libvirt.cpu-model", json_string(def->model));
	finding_item(f->have, "libvirt.cpu-model", verdict == V_BLOCK ? json_false() : json_null());
}

void check_cpu_model(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	const struct target *t = &j->target;
	bool qemu_lists = t->qemu_models != NULL;
	bool libvirt_lists = t->libvirt && t->libvirt->cpu_models;
	bool in_qemu;
	int knows;

	if (!def || !def->model)
		return;
	if (j->needs->cpu_only) {
		if (j->cpu->model_unknown)
			model_finding(j, V_UNKNOWN, ON_ALL,
				      g_strdup_printf("CPU model %s is not in the table of models",
						      def->model));
		return;
	}
	knows = libvirt_knows(j, "model", def->model);
	in_qemu = qemu_lists ? emulator_model(t->qemu_models, def->model) != NULL : true;
	if (knows == 0 && !emulator_model(t->libvirt, def->model))
		model_finding(j, V_BLOCK, ON_BOTH | (in_qemu ? 0 : ON_QEMU),
			      g_strdup_printf("libvirt %s doesn't know CPU model %s",
					      t->libvirt_version ? t->libvirt_version : "there", def->model));
	else if (libvirt_lists && !emulator_model(t->libvirt, def->model) &&
		 (def->fallback_forbid || knows != 1))
		model_finding(j, V_BLOCK, ON_BOTH | (in_qemu ? 0 : ON_QEMU),
			      g_strdup_printf("CPU model %s is not among those the host's libvirt and QEMU offer",
					      def->model));
	else if (!in_qemu && (!libvirt_lists || def->fallback_forbid))
		model_finding(j, V_BLOCK, ON_ALL,
			      g_strdup_printf("host's QEMU has no CPU model %s", def->model));
	else if (j->cpu->model_unknown && !(qemu_lists && in_qemu))
		model_finding(j, V_UNKNOWN, ON_ALL,
			      g_strdup_printf("CPU model %s is not in the table of models", def->model));
}

static bool has_property(const json_t *properties, const char *name)
{
	const json_t *member;
	size_t i;

	json_array_foreach (properties, i, member)
		if (!strcmp(json_string_value(member), name))
			return true;
	return false;
}

/* The names of the CPU's properties in that emulator, from whichever entry holds them. */
static const json_t *properties_of(const struct target *t)
{
	for (guint i = 0; i < t->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(t->profile->emulators, i);

		if (e->scope.view == VIEW_QEMU && e->properties &&
		    (!t->path || !g_strcmp0(e->scope.emulator, t->path)))
			return e->properties;
	}
	return NULL;
}

/* 1, 0 or -1: has the target's QEMU a property for a feature of libvirt's? */
static int qemu_has_property(const struct judgement *j, const char *feature)
{
	const json_t *properties = properties_of(&j->target);
	int cap = cap_find_alias(NS_LIBVIRT, feature);

	if (!properties)
		return -1;
	if (has_property(properties, feature))
		return 1;
	for (size_t i = 0; cap >= 0 && i < cap_alias_count[NS_QEMU]; i++)
		if (cap_aliases[NS_QEMU][i].cap == cap &&
		    has_property(properties, cap_aliases[NS_QEMU][i].name))
			return 1;
	return 0;
}

/* Adds a feature to the finding of a kind, made when it is the first. */
static void names_finding(struct judgement *j, struct finding **f, enum verdict verdict,
			  unsigned int on, const struct cpu_def_feature *feature, const char *who)
{
	g_autofree char *id = feature_id(NS_LIBVIRT, feature->name);
	char *text;

	if (!*f) {
		*f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, on, g_strdup(feature->path),
				 g_strdup_printf("%s: %s", who, feature->name),
				 g_strdup("leave the feature out of the definition, or upgrade the host"));
	} else {
		text = g_strdup_printf("%s %s", (*f)->text, feature->name);
		g_free((*f)->text);
		(*f)->text = text;
		if (verdict > (*f)->verdict)
			(*f)->verdict = verdict;
		(*f)->on |= on;
	}
	finding_item((*f)->need, id, json_string(cpu_policy_name(feature->policy)));
}

void check_cpu_names(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	struct finding *f = NULL;

	for (guint i = 0; def && i < def->features->len; i++) {
		const struct cpu_def_feature *feature = g_ptr_array_index(def->features, i);
		g_autofree char *id = feature_id(NS_LIBVIRT, feature->name);
		bool nowhere = universe_bit(j->judge->universe, id, FALSE) < 0;
		bool bare = j->needs->cpu_only, optional = feature->policy == CPU_OPTIONAL;
		int knows = bare ? -1 : libvirt_knows(j, "feature", feature->name);
		bool no_property = !bare && !optional && !qemu_has_property(j, feature->name);

		if (knows == 0)
			names_finding(j, &f, V_BLOCK, ON_BOTH | (no_property ? ON_QEMU : 0), feature,
				      "the host's libvirt doesn't know the feature");
		else if (no_property)
			names_finding(j, &f, V_BLOCK, ON_ALL, feature,
				      "the host's QEMU has no property for the feature");
		else if (nowhere && knows < 0 && !optional)
			names_finding(j, &f, V_UNKNOWN, ON_ALL, feature,
				      "known neither to the dictionary nor to any host");
	}
}

void check_cpu_vendor(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	const struct target *t = &j->target;
	const struct offer *offer = t->libvirt_offer ? t->libvirt_offer : t->judged;
	struct finding *f;

	if (!def || !def->vendor || !offer || !offer->vendor || !strcmp(def->vendor, offer->vendor) ||
	    effective_check(j) == CPU_CHECK_NONE)
		return;
	f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_BOTH,
			g_strdup_printf("%s/vendor", def->path),
			g_strdup_printf("guest asks for a CPU of %s, the host's is of %s", def->vendor,
					offer->vendor),
			g_strdup("leave <vendor> out, or choose hosts of that vendor"));
	f->capability = "cpu.vendor";
	finding_item(f->need, "cpu.vendor", json_string(def->vendor));
	finding_item(f->have, "cpu.vendor", json_string(offer->vendor));
}

/* Places that are needed and not (or perhaps not) there, by what follows from it. */
struct lack {
	GArray *refused; /* int: the start is refused */
	GArray *dropped; /* int: starts without it, in silence */
	GArray *unknown; /* int */
	bool by_qemu;    /* QEMU itself refuses */
};

static void lack_add(GArray *places, int bit)
{
	for (guint i = 0; i < places->len; i++)
		if (g_array_index(places, int, i) == bit)
			return;
	g_array_append_val(places, bit);
}

/*
 * Does libvirt take QEMU's word that the model is usable, instead of comparing it? 11.3.0 does,
 * 9.0.0 doesn't (measured); of versions between it isn't known. 1, 0, -1.
 */
static int usable_decides(const struct judgement *j)
{
	const struct cpu_model *model = emulator_model(j->target.libvirt, def_of(j)->model);
	const char *version = j->target.libvirt_version;

	if (!model || model->usable != 1)
		return 0;
	if (!version)
		return -1;
	return version_compare(version, "11.3.0") >= 0 ? 1 : version_compare(version, "9.1.0") < 0 ? 0 : -1;
}

static void lack_bit(struct judgement *j, enum cpu_check check, int bit, struct lack *lack)
{
	int qemu = have_qemu(j, bit);
	int libvirt = have_libvirt(j, bit);
	int decides = check == CPU_CHECK_PARTIAL ? libvirt : qemu >= 0 ? qemu : libvirt;
	bool of_model = !bits_test(j->cpu->explicit_require, (size_t)bit);

	if (check == CPU_CHECK_PARTIAL && of_model && decides == 0 && usable_decides(j)) {
		if (usable_decides(j) < 0)
			lack_add(lack->unknown, bit);
	} else if (check == CPU_CHECK_NONE) {
		if (decides == 0)
			lack_add(lack->dropped, bit);
	} else if (decides == 0) {
		lack_add(lack->refused, bit);
	} else if (decides < 0) {
		lack_add(lack->unknown, bit);
	} else if (qemu == 0) {
		lack_add(lack->dropped, bit);
	}
}

/* What QEMU itself says the model lacks there; a feature the definition takes away isn't needed. */
static void lack_measured(struct judgement *j, enum cpu_check check, struct lack *lack)
{
	const struct cpu_model *model = emulator_model(j->target.qemu, def_of(j)->model);
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
			lack_add(lack->refused, bit);
			lack->by_qemu = true;
		} else {
			lack_add(lack->dropped, bit);
		}
	}
}

static bool measured(const struct judgement *j)
{
	const struct cpu_model *model = emulator_model(j->target.qemu, def_of(j)->model);

	return model && (model->missing || model->usable == 1);
}

/* libvirt looks for these in what QEMU gave whatever check= says. */
static bool must_have(const struct judgement *j, int bit)
{
	return !j->needs->cpu_only && !strcmp(universe_id(universe_of(j), bit), "cpu.invtsc");
}

/* What QEMU takes away, or refuses where it was asked for by name, because its gate isn't on. */
static void lack_gate(struct judgement *j, enum cpu_check check, int bit, struct lack *lack)
{
	int gate = (size_t)bit < cap_bits ? cap_table[cap_by_bit[bit]].gate : -1;

	if (gate < 0 || j->needs->cpu_only || bits_test(j->cpu->require, (size_t)cap_table[gate].bit))
		return;
	lack_add(check == CPU_CHECK_FULL ? lack->refused : lack->dropped, bit);
	lack->by_qemu |= check == CPU_CHECK_FULL;
}

static void find_lack(struct judgement *j, enum cpu_check check, struct lack *lack)
{
	const struct cpu_need *cpu = j->cpu;

	BITS_FOREACH (bit, cpu->require, cpu->words) {
		bool own = bits_test(cpu->explicit_require, (size_t)bit);
		guint before = lack->refused->len;

		lack_bit(j, must_have(j, (int)bit) ? CPU_CHECK_FULL : check, (int)bit, lack);
		/* what QEMU's own model holds is measured; only its own list speaks for it */
		if (lack->refused->len > before && check == CPU_CHECK_FULL &&
		    (own || !measured(j)) && have_qemu(j, (int)bit) == 0)
			lack->by_qemu = true;
		if (own)
			lack_gate(j, check, (int)bit, lack);
	}
	if (cpu->def->model)
		lack_measured(j, check, lack);
}

static void add_items(struct judgement *j, struct finding *f, const GArray *places, json_t *have)
{
	for (guint i = 0; !j->judge->brief && i < places->len; i++) {
		const char *id = universe_id(universe_of(j), g_array_index(places, int, i));

		if (!f->capability)
			f->capability = id;
		finding_item(f->need, id, json_true());
		finding_item(f->have, id, json_incref(have));
	}
	json_decref(have);
}

static char *names_text(const struct judgement *j, const GArray *places)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < places->len; i++)
		g_string_append_printf(s, "%s%s", i ? " " : "",
				       universe_feature_name(universe_of(j),
							     g_array_index(places, int, i)));
	return g_string_free(s, FALSE);
}

/* The security classes that losing these opens, " (opens meltdown)"; "" where none. */
static char *security_text(const struct judgement *j, const GArray *places)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < places->len; i++) {
		int cap = cap_find(universe_id(universe_of(j), g_array_index(places, int, i)));
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
	g_autofree char *refused = names_text(j, lack->refused);
	g_autofree char *dropped = names_text(j, lack->dropped);
	g_autofree char *unknown = names_text(j, lack->unknown);
	g_autofree char *opens = security_text(j, lack->refused->len ? lack->refused : lack->dropped);
	GString *s = g_string_new(NULL);

	if (lack->refused->len)
		g_string_append_printf(s, "host lacks %s%s", refused, opens);
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
	if (!first)
		return g_strdup("run 'capbroker probe' on the host");
	names = names_text(j, first);
	if (first->len > 8)
		return g_strdup("define the guest with a smaller CPU model (capbroker baseline)");
	return g_strdup_printf("disable %s in the definition (policy='disable'), or choose a host that has %s",
			       names, first->len > 1 ? "them" : "it");
}

void check_cpu_missing(struct judgement *j)
{
	enum cpu_check check = effective_check(j);
	struct lack lack = { g_array_new(FALSE, FALSE, sizeof(int)),
			     g_array_new(FALSE, FALSE, sizeof(int)),
			     g_array_new(FALSE, FALSE, sizeof(int)), false };

	/* match='minimum' with check='full' becomes what the host has, uncompared */
	if (j->cpu && j->target.judged &&
	    (check != CPU_CHECK_FULL || def_of(j)->match != CPU_MATCH_MINIMUM || j->needs->cpu_only)) {
		enum verdict verdict = V_OK;

		find_lack(j, check, &lack);
		if (lack.refused->len)
			verdict = V_BLOCK;
		else if (lack.unknown->len)
			verdict = V_UNKNOWN;
		else if (lack.dropped->len)
			verdict = V_WARN;
		if (verdict != V_OK) {
			struct finding *f = finding_add(
				j, verdict,
				verdict == V_WARN ? EFFECT_HAZARD : EFFECT_FAILS_SAFELY,
				ON_BOTH | (lack.by_qemu || verdict == V_UNKNOWN ? ON_QEMU : 0),
				g_strdup(def_of(j)->path), lack_sentence(j, &lack), lack_fix(j, &lack));

			f->origin = g_strdup(origin_of(j));
			add_items(j, f, lack.refused, json_false());
			add_items(j, f, lack.dropped, json_false());
			add_items(j, f, lack.unknown, json_null());
		}
	}
	g_array_unref(lack.refused);
	g_array_unref(lack.dropped);
	g_array_unref(lack.unknown);
}

void check_cpu_forbidden(struct judgement *j)
{
	g_autoptr(GArray) there = g_array_new(FALSE, FALSE, sizeof(int));
	g_autofree char *names = NULL;
	struct finding *f;

	if (!j->cpu || effective_check(j) == CPU_CHECK_NONE)
		return;
	BITS_FOREACH (bit, j->cpu->forbid, j->cpu->words)
		if (have_libvirt(j, (int)bit) == 1)
			lack_add(there, (int)bit);
	if (!there->len)
		return;
	names = names_text(j, there);
	f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_BOTH, g_strdup(def_of(j)->path),
			g_strdup_printf("host has %s, which the definition forbids", names),
			g_strdup("use policy='disable' where the guest only must not see the feature"));
	for (guint i = 0; i < there->len; i++) {
		const char *id = universe_id(universe_of(j), g_array_index(there, int, i));

		f->capability = id;
		finding_item(f->need, id, json_false());
		finding_item(f->have, id, json_true());
	}
}

/* QEMU shows `hypervisor` to every guest; check='full' refuses what wasn't asked for. */
static void check_full_extra(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	int bit = universe_bit(j->judge->universe, "cpu.hypervisor", FALSE);
	size_t w = (size_t)bit / 64;
	struct finding *f;

	if (!is_custom(def) || j->needs->cpu_only || def->match == CPU_MATCH_MINIMUM || bit < 0 ||
	    w >= j->cpu->words ||
	    (j->cpu->require[w] | j->cpu->optional[w] | j->cpu->disable[w] | j->cpu->force[w]) >> (bit % 64) & 1)
		return;
	f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_BOTH, g_strdup_printf("%s/@check", def->path),
			g_strdup("check='full' refuses the feature hypervisor, which every guest sees and the definition doesn't name"),
			g_strdup("add <feature policy='require' name='hypervisor'/>, or use check='partial'"));
	f->capability = "cpu.hypervisor";
	finding_item(f->need, "cpu.hypervisor", json_false());
	finding_item(f->have, "cpu.hypervisor", json_true());
}

void check_cpu_extra(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	enum cpu_check check = effective_check(j);
	g_autofree char *names = NULL;
	struct finding *f;

	if (!def)
		return;
	if (check == CPU_CHECK_FULL)
		check_full_extra(j);
	if (def->match != CPU_MATCH_STRICT || !j->compared || !j->comparison.extra->len ||
	    check == CPU_CHECK_NONE || (check == CPU_CHECK_FULL && !j->needs->cpu_only) ||
	    (check == CPU_CHECK_PARTIAL && usable_decides(j) == 1))
		return;
	names = names_text(j, j->comparison.extra);
	f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_BOTH, g_strdup_printf("%s/@match", def->path),
			g_strdup_printf("the definition is strict and the host has more: %s", names),
			g_strdup("use match='exact'"));
	for (guint i = 0; i < j->comparison.extra->len; i++) {
		const char *id = universe_id(universe_of(j), g_array_index(j->comparison.extra, int, i));

		finding_item(f->need, id, json_false());
		finding_item(f->have, id, json_true());
	}
}

void check_cpu_contract(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);

	if (!is_custom(def) || j->needs->live)
		return;
	if (def->check == CPU_CHECK_NONE)
		finding_add(j, V_WARN, EFFECT_HAZARD, ON_BOTH, g_strdup_printf("%s/@check", def->path),
			    g_strdup("starts, contract depends on the host: check='none' drops what isn't there"),
			    g_strdup("use check='full', or 'partial'"));
	else if (def->match == CPU_MATCH_MINIMUM)
		finding_add(j, V_WARN, EFFECT_HAZARD, ON_BOTH, g_strdup_printf("%s/@match", def->path),
			    g_strdup("starts, contract depends on the host: match='minimum' adds what the host has"),
			    g_strdup("use match='exact'"));
}
