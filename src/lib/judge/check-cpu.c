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

#include "judge/lack.h"

static const struct universe *universe_of(const struct judgement *j)
{
	return j->judge->universe;
}

static const struct cpu_def *def_of(const struct judgement *j)
{
	return j->cpu ? j->cpu->def : NULL;
}

bool cpu_is_custom(const struct cpu_def *def)
{
	return def && (def->mode == CPU_CUSTOM || (def->mode == CPU_MODE_NONE && def->model));
}

/* match='minimum': libvirt starts the guest with the host's model and what the definition adds. */
bool cpu_is_minimum(const struct judgement *j)
{
	const struct cpu_def *def = def_of(j);

	return cpu_is_custom(def) && def->match == CPU_MATCH_MINIMUM && !j->needs->cpu_only &&
	       cpu_by_libvirt(j);
}

/* What libvirt makes of a check= that isn't written. */
enum cpu_check cpu_effective_check(const struct judgement *j)
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
	if (cpu_is_custom(def) && g_strcmp0(j->needs->accel, "kvm"))
		return CPU_CHECK_NONE;
	return CPU_CHECK_PARTIAL;
}

/* 1, 0 or -1: does what QEMU gives there hold the feature? */
int cpu_have_qemu(const struct judgement *j, int bit)
{
	const struct offer *offer = j->target.qemu_offer ? j->target.qemu_offer : j->target.judged;

	return offer ? offer_get(offer, universe_of(j), bit) : -1;
}

/* 1, 0 or -1: does libvirt take the host to have the feature when it compares? */
int cpu_have_libvirt(const struct judgement *j, int bit)
{
	const struct target *t = &j->target;
	int have;

	if (!t->libvirt_offer)
		return cpu_have_qemu(j, bit);
	have = offer_get(t->libvirt_offer, universe_of(j), bit);
	if (have != 1 && !g_strcmp0(j->needs->accel, "kvm") && t->host_offer &&
	    offer_get(t->host_offer, universe_of(j), bit) == 1)
		return 1;
	return have;
}

void check_cpu_facts(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);

	if (j->target.judged || !def || (!def->model && !def->features->len) ||
	    (j->family != ARCH_X86 && !j->needs->cpu_only))
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
	return j->needs->argv ? -1 : profile_libvirt_knows(j->target.profile, j->judge->tables, kind, name);
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
	bool libvirt_lists = t->libvirt && t->libvirt->cpu_models; /* never for QEMU's own arguments */
	bool in_qemu;
	int knows;

	if (def && !def->model)
		source_model_known(j);
	if (!def || !def->model)
		return;
	if (j->family != ARCH_X86) {
		other_cpu_model(j);
		return;
	}
	if (j->needs->cpu_only) {
		if (j->cpu->model_unknown)
			model_finding(j, V_UNKNOWN, ON_ALL,
				      g_strdup_printf("CPU model %s is not in the table of models",
						      def->model));
		return;
	}
	/* libvirt puts the host's model in its place and never looks the name up */
	if (cpu_is_minimum(j) && cpu_effective_check(j) != CPU_CHECK_PARTIAL)
		return;
	knows = libvirt_knows(j, "model", def->model);
	in_qemu = qemu_lists ? emulator_model(t->qemu_models, def->model) != NULL : true;
	if (knows == 0 && !emulator_model(t->libvirt, def->model))
		model_finding(j, V_BLOCK, ON_BOTH | (in_qemu ? 0 : ON_QEMU),
			      g_strdup_printf("libvirt %s doesn't know CPU model %s",
					      t->libvirt_version ? t->libvirt_version : "there", def->model));
	else if (cpu_is_minimum(j))
		return;
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
int cpu_qemu_has_property(const struct judgement *j, const char *feature)
{
	const json_t *properties = properties_of(&j->target);
	int cap = arch_find_alias(j->family, NS_LIBVIRT, feature);

	if (!properties) /* no QEMU has one for what the dictionary gives no name of QEMU's */
		return cap >= 0 && !cap_alias_of(NS_QEMU, cap) ? 0 : -1;
	if (has_property(properties, feature))
		return 1;
	for (size_t i = 0; cap >= 0 && i < cap_alias_count[NS_QEMU]; i++)
		if (cap_aliases[NS_QEMU][i].cap == cap &&
		    has_property(properties, arch_plain_name(cap_aliases[NS_QEMU][i].name)))
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

/*
 * What a running guest's definition names because QEMU's model has it and libvirt came to know it
 * later (vmx-*): libvirt since 10.2.0 leaves it out of what it sends along, for older ones to take.
 */
static bool left_out_of_moves(const struct judgement *j, const char *feature)
{
	const struct named_model *model = j->needs->live && cpu_is_custom(def_of(j)) ? j->cpu->model : NULL;

	return model && g_strv_contains((const char *const *)model->added, feature);
}

void check_cpu_names(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	struct finding *f = NULL;

	if (j->family != ARCH_X86) {
		other_cpu_names(j);
		return;
	}
	source_model_names(j);
	for (guint i = 0; def && i < def->features->len; i++) {
		const struct cpu_def_feature *feature = g_ptr_array_index(def->features, i);
		g_autofree char *id = feature_id(NS_LIBVIRT, feature->name);
		int bit = universe_bit(j->judge->universe, id, FALSE);
		bool nowhere = bit < 0;
		bool bare = j->needs->cpu_only, optional = feature->policy == CPU_OPTIONAL;
		int knows = bare ? -1 : libvirt_knows(j, "feature", feature->name);
		bool no_property = !bare && !optional && !cpu_libvirt_keeps(j, bit) &&
				   !cpu_qemu_has_property(j, feature->name);
		bool off = feature->policy == CPU_DISABLE || feature->policy == CPU_FORBID;

		if (knows == 0 && left_out_of_moves(j, feature->name))
			continue;
		if (knows == 0)
			names_finding(j, &f, V_BLOCK, ON_BOTH | (no_property ? ON_QEMU : 0), feature,
				      "the host's libvirt doesn't know the feature");
		else if (no_property) /* libvirt doesn't pass on what is to be off anyway */
			names_finding(j, &f, V_BLOCK, off && cpu_by_libvirt(j) ? ON_QEMU : ON_ALL, feature,
				      "the host's QEMU has no property for the feature");
		else if (nowhere && knows < 0 && !optional)
			names_finding(j, &f, V_UNKNOWN, ON_ALL, feature,
				      "known neither to the dictionary nor to any host");
	}
}

static void vendor_finding(struct judgement *j, enum verdict verdict, unsigned int on, const char *has)
{
	const struct cpu_def *def = def_of(j);
	struct finding *f;

	f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, on, g_strdup_printf("%s/vendor", def->path),
			g_strdup_printf("guest asks for a CPU of %s, the host's is of %s", def->vendor, has),
			g_strdup("leave <vendor> out, or choose hosts of that vendor"));
	f->capability = "cpu.vendor";
	finding_item(f->need, "cpu.vendor", json_string(def->vendor));
	finding_item(f->have, "cpu.vendor", json_string(has));
}

/* A newer libvirt starts it all the same, but nobody supports moving it to another vendor's CPU. */
void check_cpu_vendor(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);
	const struct target *t = &j->target;
	const struct offer *offer = t->libvirt_offer ? t->libvirt_offer : t->judged;
	enum cpu_check check = cpu_effective_check(j);
	enum cpu_partial partial = def && check == CPU_CHECK_PARTIAL ? cpu_partial(j) : PARTIAL_COMPARES;
	bool taken = partial == PARTIAL_TAKEN || partial == PARTIAL_BLOCKERS;

	/* what libvirt compares of other processors has no vendor in it, but for POWER's generations */
	if (j->family != ARCH_X86 && (j->family != ARCH_PPC64 || j->needs->cpu_only))
		return;
	if (!def || !def->vendor || !offer || !offer->vendor || !strcmp(def->vendor, offer->vendor) ||
	    check == CPU_CHECK_NONE)
		return;
	if (partial == PARTIAL_COMPARES) {
		vendor_finding(j, V_BLOCK, ON_BOTH, offer->vendor);
		return;
	}
	if (!taken)
		vendor_finding(j, V_UNKNOWN, ON_START, offer->vendor);
	if (!g_strcmp0(j->needs->accel, "kvm"))
		vendor_finding(j, V_BLOCK, ON_MIGRATE, offer->vendor);
}

void check_cpu_forbidden(struct judgement *j)
{
	g_autoptr(GArray) there = g_array_new(FALSE, FALSE, sizeof(int));
	g_autofree char *names = NULL;
	struct finding *f;

	if (!j->cpu || j->family != ARCH_X86 || cpu_effective_check(j) == CPU_CHECK_NONE)
		return;
	BITS_FOREACH (bit, j->cpu->forbid, j->cpu->words)
		if (cpu_have_libvirt(j, (int)bit) == 1)
			places_add(there, (int)bit);
	if (!there->len)
		return;
	names = places_text(j, there);
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

static void cpu_strict_extra(struct judgement *j, enum cpu_check check)
{
	const struct cpu_def *def = def_of(j);
	enum cpu_partial partial;
	g_autofree char *names = NULL;
	struct finding *f;

	partial = check == CPU_CHECK_PARTIAL ? cpu_partial(j) : PARTIAL_COMPARES;
	if (def->match != CPU_MATCH_STRICT || !j->compared || !j->comparison.extra->len ||
	    check == CPU_CHECK_NONE || (check == CPU_CHECK_FULL && !j->needs->cpu_only) ||
	    partial == PARTIAL_TAKEN || partial == PARTIAL_BLOCKERS)
		return;
	names = places_text(j, j->comparison.extra);
	f = finding_add(j, partial == PARTIAL_UNSURE ? V_UNKNOWN : V_BLOCK, EFFECT_FAILS_SAFELY, ON_BOTH, g_strdup_printf("%s/@match", def->path),
			g_strdup_printf("the definition is strict and the host has more: %s", names),
			g_strdup("use match='exact'"));
	for (guint i = 0; i < j->comparison.extra->len; i++) {
		const char *id = universe_id(universe_of(j), g_array_index(j->comparison.extra, int, i));

		finding_item(f->need, id, json_false());
		finding_item(f->have, id, json_true());
	}
}

void check_cpu_extra(struct judgement *j)
{
	enum cpu_check check = cpu_effective_check(j);

	if (!def_of(j) || j->family != ARCH_X86)
		return;
	if (check == CPU_CHECK_FULL)
		cpu_full_extra(j);
	cpu_strict_extra(j, check);
	check_rules(j);
}

void check_cpu_contract(struct judgement *j)
{
	const struct cpu_def *def = def_of(j);

	if (!cpu_is_custom(def) || j->needs->live || j->family != ARCH_X86)
		return;
	if (def->check == CPU_CHECK_NONE && j->needs->argv)
		finding_add(j, V_WARN, EFFECT_HAZARD, ON_BOTH, g_strdup(def->path),
			    g_strdup("starts, contract depends on the host: without 'enforce' QEMU drops what isn't there"),
			    g_strdup("add 'enforce' to -cpu"));
	else if (def->check == CPU_CHECK_NONE)
		finding_add(j, V_WARN, EFFECT_HAZARD, ON_BOTH, g_strdup_printf("%s/@check", def->path),
			    g_strdup("starts, contract depends on the host: check='none' drops what isn't there"),
			    g_strdup("use check='full', or 'partial'"));
	else if (def->match == CPU_MATCH_MINIMUM)
		finding_add(j, V_WARN, EFFECT_HAZARD, ON_BOTH, g_strdup_printf("%s/@match", def->path),
			    g_strdup("starts, contract depends on the host: match='minimum' adds what the host has"),
			    g_strdup("use match='exact'"));
}
