/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-explain.c: the answer "explain"; see answer.h. */
#include "config.h"

#include <string.h>

#include "answer/answer.h"
#include "judge/rulebook.h"
#include "model/arch.h"
#include "model/offer.h"
#include "model/units.h"

static const char *const meanings[] = {
	[RULE_LOWER_SAFE] = "hosts meet at the least of their values (a feature: all must have it); "
			    "a guest fits where the host has at least what it needs",
	[RULE_HIGHER_SAFE] = "an obligation or an erratum: what one host has binds all; a guest "
			     "that doesn't know of it runs, but less safely, so it is a warning",
	[RULE_IMMUNITY] = "says that a processor is not vulnerable: true only where all hosts are "
			  "immune, for a wrong yes is a security hole",
	[RULE_EXACT] = "must be equal: hosts that differ have nothing in common here, and a guest "
		       "goes only where it is the same",
	[RULE_SET] = "hosts meet at what all of their sets hold; a guest fits where the set holds "
		     "what it needs",
	[RULE_RANGES] = "hosts meet where their address ranges overlap; a guest fits where all it "
			"uses lies inside",
	[RULE_CHAIN] = "one of an ordered few; hosts meet at the lowest, and a guest fits where the "
		       "host stands as high as it needs",
	[RULE_TOLERANCE] = "equal within a tolerance, or scaled by the hardware where it can",
	[RULE_ALLOWED_PAIR] = "bits that must be one, and bits that may be: hosts meet at more of "
			      "the first and fewer of the second",
};
_Static_assert(G_N_ELEMENTS(meanings) == RULES, "a rule without a meaning");

const char *rule_meaning(enum cap_rule rule)
{
	return meanings[rule];
}

/* The names of a check's rules, in the order of the tables. */
static json_t *rules_of(const struct check_info *check, const struct rulebook *rules)
{
	json_t *names = json_array();

	for (guint i = 0; i < rulebook_size(rules); i++)
		if (!strcmp(rulebook_at(rules, i)->check, check->name))
			json_array_append_new(names, json_string(rulebook_at(rules, i)->name));
	return names;
}

json_t *answer_explain_check(const struct check_info *check, const struct rulebook *rules)
{
	json_t *answer = answer_new("explain");
	json_t *prerequisites = json_array();

	for (size_t i = 0; check->prerequisites && check->prerequisites[i]; i++)
		json_array_append_new(prerequisites, json_string(check->prerequisites[i]));
	json_object_set_new(answer, "kind", json_string("check"));
	json_object_set_new(answer, "check",
			    json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", check->name, "title",
				      check->title, "text", check->text, "prerequisites",
				      prerequisites, "rules", rules_of(check, rules)));
	return answer;
}

json_t *answer_explain_rule(const struct rule *rule)
{
	static const char *const on[] = { "-", "start", "migrate", "both" };
	json_t *answer = answer_new("explain");

	json_object_set_new(answer, "kind", json_string("rule"));
	json_object_set_new(answer, "rule",
			    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s}",
				      "name", rule->name, "check", rule->check, "by",
				      rule->by_qemu ? "qemu" : "libvirt", "verdict",
				      verdict_name(rule->verdict), "effect", effect_name(rule->effect),
				      "on", on[rule->on & ON_BOTH], "since", rule->since_text, "until",
				      rule->until_text, "guest", rule->guest_text, "host",
				      rule->host_text, "text", rule->text, "fix", rule->fix, "source",
				      rule->source));
	return answer;
}

static json_t *flags(const struct capability *cap)
{
	static const struct {
		unsigned int flag;
		const char *name;
	} names[] = {
		{ CAP_OFFER, "offer" },
		{ CAP_SIGHT, "sight" },
		{ CAP_UNMIGRATABLE, "unmigratable" },
		{ CAP_HOST_ONLY, "host-only" },
		{ CAP_QEMU_OPTION, "qemu-option" },
		{ CAP_CONTRACT_EXACT, "contract-exact" },
		{ CAP_VMM, "vmm" },
	};
	json_t *array = json_array();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (cap->flags & names[i].flag)
			json_array_append_new(array, json_string(names[i].name));
	return array;
}

static json_t *emulated_by(const struct capability *cap)
{
	static const struct {
		unsigned int flag;
		const char *name;
	} names[] = {
		{ CAP_BY_KVM, "kvm" },
		{ CAP_BY_TCG, "tcg" },
		{ CAP_BY_QEMU, "qemu" },
		{ CAP_BY_KERNEL, "kernel" },
	};
	json_t *array = json_array();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (cap->emulated_by & names[i].flag)
			json_array_append_new(array, json_string(names[i].name));
	return array;
}

/* All spellings of a namespace, the preferred one first. */
static json_t *spellings(int cap, enum cap_namespace ns)
{
	const char *preferred = cap_table[cap].names[ns];
	json_t *array = json_array();

	if (preferred)
		json_array_append_new(array, json_string(preferred));
	for (size_t i = 0; i < cap_alias_count[ns]; i++)
		if (cap_aliases[ns][i].cap == cap && g_strcmp0(arch_plain_name(cap_aliases[ns][i].name), preferred))
			json_array_append_new(array, json_string(arch_plain_name(cap_aliases[ns][i].name)));
	return array;
}

static json_t *all_spellings(int cap)
{
	json_t *object = json_object();

	for (int ns = 0; ns < CAP_NAMESPACES; ns++) {
		json_t *array = spellings(cap, (enum cap_namespace)ns);

		if (json_array_size(array))
			json_object_set(object, cap_namespace_name((enum cap_namespace)ns), array);
		json_decref(array);
	}
	return object;
}

static json_t *needs(const struct capability *cap)
{
	json_t *array = json_array();

	for (const uint16_t *n = cap->needs; n && *n != 0xffff; n++)
		json_array_append_new(array, json_string(cap_table[*n].id));
	return array;
}

static json_t *labels(const struct capability *cap)
{
	json_t *array = json_array();

	for (size_t i = 0; cap->labels && cap->labels[i]; i++)
		json_array_append_new(array, json_string(cap->labels[i]));
	return array;
}

static int fact_has(const struct fact *f)
{
	if (f->state == FACT_ABSENT)
		return 0;
	if (f->state != FACT_KNOWN)
		return -1;
	return cap_table[f->cap].type != CAP_BOOL || json_is_true(f->value);
}

static int facts_have(const GArray *facts, int cap)
{
	int has = -1;

	for (guint i = 0; i < facts->len; i++) {
		const struct fact *f = &g_array_index(facts, struct fact, i);

		if (f->cap == cap)
			has = MAX(has, fact_has(f));
	}
	return has;
}

/* Of a unit or a device, where the host as a whole says nothing. */
static int parts_have(const struct profile *profile, int cap)
{
	int has = -1;

	for (guint i = 0; i < profile->units->len; i++) {
		const struct iommu_unit *unit = g_ptr_array_index(profile->units, i);

		has = MAX(has, facts_have(unit->facts, cap));
	}
	for (guint i = 0; i < profile->devices->len; i++) {
		const struct device *device = g_ptr_array_index(profile->devices, i);

		has = MAX(has, facts_have(device->facts, cap));
	}
	return has;
}

/* 1 where some scope of the profile has it, 0 where it is known to be missing, -1 unknown. */
static int class_has(const struct fleet *fleet, const struct profile *profile, int cap)
{
	int has = -1;

	for (guint i = 0; cap_table[cap].type == CAP_BOOL && i < profile->offers->len; i++)
		has = MAX(has, offer_get(g_ptr_array_index(profile->offers, i), fleet->universe,
					 cap_table[cap].bit));
	if (has < 0)
		has = facts_have(profile->facts, cap);
	return has < 0 ? parts_have(profile, cap) : has;
}

static json_t *who_has(const struct fleet *fleet, int cap)
{
	static const char *const words[] = { "unknown", "lack", "have" };
	json_t *object = json_pack("{s:[], s:[], s:[]}", "have", "lack", "unknown");

	for (guint i = 0; i < fleet->classes->len; i++) {
		const struct host_class *c = g_ptr_array_index(fleet->classes, i);
		json_t *names = json_hosts(c->hosts);

		json_array_extend(json_object_get(object,
						  words[class_has(fleet, c->profile, cap) + 1]),
				  names);
		json_decref(names);
	}
	return object;
}

/* Since which libvirt its name is known, as far as versions were looked at; NULL: not known. */
static char *since(const struct tables *tables, int cap)
{
	const char *name = cap_table[cap].names[NS_LIBVIRT], *first, *before;

	if (!name || !tables_libvirt_since(tables, "feature", name, &first, &before))
		return NULL;
	return before ? g_strdup_printf("libvirt %s (not in %s)", first, before) :
			g_strdup_printf("libvirt %s or before", first);
}

json_t *answer_explain_capability(const struct fleet *fleet, const struct tables *tables, int index)
{
	const struct capability *cap = &cap_table[index];
	g_autofree char *first = since(tables, index);
	const struct cap_register *reg = cap->reg >= 0 ? &cap_registers[cap->reg] : NULL;
	json_t *answer = answer_new("explain");
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s?, s:s?, s:s?, s:s}", "id",
				 cap->id, "sentence", cap->sentence, "type",
				 cap_type_name(cap->type), "rule", cap_rule_name(cap->rule),
				 "rule_means", meanings[cap->rule], "attributes", flags(cap),
				 "emulated_by", emulated_by(cap), "unit", cap->unit, "security",
				 cap->security, "since", first, "source",
				 cap->source ? cap->source : "");

	if (reg)
		json_object_set_new(json, "register",
				    json_pack("{s:s, s:i, s:i}", "name", reg->name, "low",
					      (int)cap->low, "high", (int)cap->high));
	json_object_set_new(json, "names", all_spellings(index));
	json_object_set_new(json, "needs", needs(cap));
	json_object_set_new(json, "labels", labels(cap));
	json_object_set_new(answer, "kind", json_string("capability"));
	json_object_set_new(answer, "capability", json);
	json_object_set_new(answer, "dictionary", json_string(cap_dictionary_version));
	if (fleet)
		json_object_set_new(answer, "hosts", who_has(fleet, index));
	return answer;
}

GPtrArray *answer_explain_candidates(const char *part, const struct rulebook *rules, guint most)
{
	GPtrArray *names = g_ptr_array_new();

	for (size_t i = 0; i < check_count && names->len < most; i++)
		if (strstr(check_at(i)->name, part))
			g_ptr_array_add(names, (void *)check_at(i)->name);
	for (guint i = 0; i < rulebook_size(rules) && names->len < most; i++)
		if (strstr(rulebook_at(rules, i)->name, part))
			g_ptr_array_add(names, (void *)rulebook_at(rules, i)->name);
	for (size_t i = 0; i < cap_count && names->len < most; i++)
		if (strstr(cap_table[i].id, part))
			g_ptr_array_add(names, (void *)cap_table[i].id);
	return names;
}
