/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-definition.c: the rules about definitions, asked of one guest on one host.
 *
 * Theory of operation: whether a rule's expression is true depends on the guest and on the
 * machine type and accelerator it gets; that is worked out once and kept with the guest. What is
 * left for each host is its versions and the rule's host terms, for the few rules that matched.
 */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "judge/rulebook.h"

#define MAX_HITS 64u
#define MAX_PLACES 32 /* looked at, of those where a rule is true */

/* A rule whose expression is true of the guest. */
struct match {
	const struct rule *rule;
	xml_place *place;
	bool unsure; /* only for some machine types, and which it gets isn't known */
};

/* A match that holds on the host: 1 surely, -1 perhaps. */
struct hit {
	const struct match *match;
	int truth;
	const char *unknown; /* the term that nobody knows, NULL: the version */
};

static void collect_names(GHashTable *names, const struct xml_node *node)
{
	g_hash_table_add(names, (gpointer)node->name);
	for (const struct xml_node *child = node->children; child; child = child->next)
		collect_names(names, child);
}

static const GHashTable *names_of(const struct needs *needs)
{
	GHashTable *names = needs_memo(needs, "names");

	if (!names) {
		names = g_hash_table_new(g_str_hash, g_str_equal);
		collect_names(names, xml_root(needs->definition));
		needs_memo_set(needs, "names", names, (GDestroyNotify)g_hash_table_unref);
	}
	return names;
}

/* The definition to be asked, or NULL where it can't be. */
static struct xml_queried *queried_of(const struct needs *needs)
{
	struct xml_queried *queried = needs_memo(needs, "queried");

	if (!queried) {
		queried = xml_queried_new(needs->definition_text, NULL);
		if (queried)
			needs_memo_set(needs, "queried", queried, (GDestroyNotify)xml_queried_free);
	}
	return queried;
}

static const char *arch_of(const struct judgement *j)
{
	return j->needs->arch ? j->needs->arch : j->target.profile->arch;
}

static void set_variables(const struct judgement *j, struct xml_queried *d, const char *machine)
{
	xml_queried_set(d, "machine", machine);
	xml_queried_set(d, "family", machine_family(machine));
	xml_queried_set(d, "accel", j->needs->accel);
	xml_queried_set(d, "arch", arch_of(j));
	xml_queried_set(d, "libvirt", j->target.libvirt_version);
	xml_queried_set(d, "qemu", target_qemu_version(&j->target));
}

/* Where host terms speak of the place, every place counts; else the first one does for all. */
static void add_matches(struct xml_queried *d, const struct rule *rule, bool unsure,
			GArray *matches)
{
	xml_place *places[MAX_PLACES];
	int n = xml_query_places(rule->guest, d, places, rule->asks_place ? MAX_PLACES : 1);

	for (int i = 0; i < n; i++) {
		struct match m = { rule, places[i], unsure };

		g_array_append_val(matches, m);
	}
}

/* Adds the rules that are true for a machine type, to those of other ones where there are several. */
static void match_for(const struct judgement *j, struct xml_queried *d, const char *machine,
		      bool unsure, GArray *matches)
{
	const GHashTable *names = names_of(j->needs);
	guint before = matches->len;

	set_variables(j, d, machine);
	for (guint i = 0; i < rulebook_size(j->judge->rules); i++) {
		const struct rule *rule = rulebook_at(j->judge->rules, i);
		bool known = false;

		if (rule->first && !g_hash_table_contains((GHashTable *)names, rule->first))
			continue;
		for (guint k = 0; k < before && !known; k++)
			known = g_array_index(matches, struct match, k).rule == rule;
		if (!known)
			add_matches(d, rule, unsure && rule->asks_machine, matches);
	}
}

static const GArray *matches_of(const struct judgement *j, struct xml_queried *d)
{
	/* what a default machine type may be where nobody told */
	static const char *const guesses[] = { "pc", "q35", "virt" };
	const char *machine = j->target.machine;
	g_autofree char *key = g_strdup_printf("rules %p %s %s %s", (const void *)j->judge->rules,
					       machine ? machine : "?",
					       j->needs->accel ? j->needs->accel : "?",
					       arch_of(j) ? arch_of(j) : "?");
	GArray *matches = needs_memo(j->needs, key);

	if (matches)
		return matches;
	matches = g_array_new(FALSE, FALSE, sizeof(struct match));
	for (size_t i = 0; i < (machine ? 1 : G_N_ELEMENTS(guesses)); i++)
		match_for(j, d, machine ? machine : guesses[i], !machine, matches);
	needs_memo_set(j->needs, key, matches, (GDestroyNotify)g_array_unref);
	return matches;
}

/* The text with each {XPATH} told, relative to the place. */
static char *fill_in(const char *text, struct xml_queried *d, xml_place *place)
{
	GString *out = g_string_new(NULL);
	const char *open, *close;

	while ((open = strchr(text, '{')) && (close = strchr(open, '}'))) {
		g_autofree char *expression = g_strndup(open + 1, (gsize)(close - open - 1));
		struct xml_query *query = xml_query_new(expression, "text", NULL);
		g_autofree char *value = query ? xml_query_string(query, d, place) : NULL;

		g_string_append_len(out, text, open - text);
		g_string_append(out, value && *value ? value : "?");
		xml_query_free(query);
		text = close + 1;
	}
	g_string_append(out, text);
	return g_string_free(out, FALSE);
}

/* Does a matching rule hold on this host? */
static struct hit ask_host(const struct judgement *j, struct xml_queried *d, const struct match *m)
{
	const struct rule *rule = m->rule;
	struct hit hit = { .match = m, .truth = 0 };

	if (!rule->by_qemu && !cpu_by_libvirt(j))
		return hit;
	hit.truth = rule_holds_in(rule, rule->by_qemu ? target_qemu_version(&j->target) :
							j->target.libvirt_version);
	if (hit.truth > 0 && m->unsure) {
		hit.truth = -1;
		hit.unknown = "machine type";
	}
	for (char **term = rule->host; hit.truth && *term; term++) {
		g_autofree char *asked = **term ? fill_in(*term, d, m->place) : NULL;
		int truth = asked ? rule_host_term(j, asked) : 1;

		if (!truth) {
			hit.truth = 0;
		} else if (truth < 0 && hit.truth > 0) {
			hit.truth = -1;
			hit.unknown = *term;
		}
	}
	return hit;
}

static unsigned int bears_on(const struct rule *rule)
{
	return rule->on | (rule->by_qemu && rule->on & ON_START ? ON_QEMU | ON_DMA : 0);
}

static enum verdict verdict_of(const struct hit *hit)
{
	return hit->truth > 0 ? hit->match->rule->verdict : MIN(hit->match->rule->verdict, V_UNKNOWN);
}

static char *hit_text(const struct hit *hit, struct xml_queried *d)
{
	const struct rule *rule = hit->match->rule;
	g_autofree char *text = fill_in(rule->text, d, hit->match->place);

	if (hit->truth > 0)
		return g_steal_pointer(&text);
	if (hit->unknown)
		return g_strdup_printf("%s; whether that is so there isn't known (%s)", text,
				       hit->unknown);
	return g_strdup_printf("%s; not known of its version of %s", text,
			       rule->by_qemu ? "QEMU" : "libvirt");
}

/* One finding for the hits that bear on the same questions: the worst one's, the others counted. */
static void tell(struct judgement *j, struct xml_queried *d, const GArray *hits, unsigned int on)
{
	const struct hit *worst = NULL;
	struct finding *f;
	guint others = 0;
	char *text;

	for (guint i = 0; i < hits->len; i++) {
		const struct hit *hit = &g_array_index(hits, struct hit, i);

		if (bears_on(hit->match->rule) != on)
			continue;
		others++;
		if (!worst || verdict_of(hit) > verdict_of(worst))
			worst = hit;
	}
	if (!worst)
		return;
	text = hit_text(worst, d);
	if (others > 1) {
		char *more = g_strdup_printf("%s (and %u more of its kind)", text, others - 1);

		g_free(text);
		text = more;
	}
	f = finding_add(j, verdict_of(worst), worst->match->rule->effect, on,
			xml_place_path(worst->match->place), text,
			worst->match->rule->fix ? fill_in(worst->match->rule->fix, d, worst->match->place) : NULL);
	f->origin = g_strdup(worst->match->rule->source);
	for (guint i = 0; i < hits->len; i++) {
		const struct hit *hit = &g_array_index(hits, struct hit, i);
		g_autofree char *where = xml_place_path(hit->match->place);

		if (bears_on(hit->match->rule) == on)
			finding_item(f->need, hit->match->rule->name, json_string(where));
	}
}

/* Looks once for the rules that are true of the guest, for all checks; NULL: none. */
static const GArray *matches_here(struct judgement *j)
{
	struct xml_queried *d;

	if (!j->matched && j->needs->definition && j->judge->rules) {
		d = queried_of(j->needs);
		j->matches = d ? matches_of(j, d) : NULL;
		if (j->matches && j->matches->len)
			set_variables(j, d, j->target.machine);
	}
	j->matched = true;
	return j->matches;
}

void check_rules(struct judgement *j)
{
	static const unsigned int ons[] = { ON_START, ON_MIGRATE, ON_BOTH, ON_START | ON_QEMU | ON_DMA, ON_ALL };
	const GArray *matches = matches_here(j);
	g_autoptr(GArray) hits = NULL;
	struct xml_queried *d = matches && matches->len ? queried_of(j->needs) : NULL;

	for (guint i = 0; d && i < matches->len; i++) {
		const struct match *m = &g_array_index(matches, struct match, i);
		struct hit hit;

		if (strcmp(m->rule->check, j->check) || (hits && hits->len >= MAX_HITS))
			continue;
		hit = ask_host(j, d, m);
		if (!hit.truth)
			continue;
		if (!hits)
			hits = g_array_new(FALSE, FALSE, sizeof(struct hit));
		g_array_append_val(hits, hit);
	}
	for (size_t i = 0; hits && i < G_N_ELEMENTS(ons); i++)
		tell(j, d, hits, ons[i]);
}
