/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-diff-mean.c: what a difference of two hosts means for guests, in words.
 *
 * Theory of operation: what a feature means follows from its attributes in the dictionary (rule,
 * security class, gate, whether it migrates), never from its name. Features of one kind that one of
 * the hosts has and the other lacks have one consequence, and so one sentence.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "answer/answer-diff.h"
#include "model/value.h"

#define FEW 4u

/* In the order in which they are told. */
enum kind {
	KIND_FEATURE,	   /* plain: guests that need it */
	KIND_GATED,	   /* the same, for guests that have what it belongs to */
	KIND_PROTECTION,   /* a guest's means against an attack */
	KIND_IMMUNITY,
	KIND_OBLIGATION,
	KIND_EXACT,	   /* neither way */
	KIND_UNMIGRATABLE,
	KIND_HOST,	   /* not the CPU's: KVM's, state components, the host's */
	KINDS
};

static const char *const kind_names[] = {
	[KIND_FEATURE] = "feature",	  [KIND_GATED] = "gated",
	[KIND_PROTECTION] = "protection", [KIND_IMMUNITY] = "immunity",
	[KIND_OBLIGATION] = "obligation", [KIND_EXACT] = "exact",
	[KIND_UNMIGRATABLE] = "unmigratable", [KIND_HOST] = "host",
};
_Static_assert(G_N_ELEMENTS(kind_names) == KINDS, "a kind without a name");

struct group {
	enum kind kind;
	const char *key; /* the security class, the gate's name; NULL where the kind says it all */
	const struct host *has;
	json_t *names;
};

struct diff_groups {
	const struct diff_pair *p;
	GArray *groups; /* struct group */
};

char *diff_few(const json_t *names)
{
	GString *text = g_string_new(NULL);
	size_t i, n = json_array_size(names);

	for (i = 0; i < n && (i < FEW || n == FEW + 1); i++)
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       json_string_value(json_array_get(names, i)));
	if (i < n)
		g_string_append_printf(text, " and %zu more", n - i);
	return g_string_free(text, FALSE);
}

static enum kind kind_of(const struct universe *universe, int bit, const char **key)
{
	const struct capability *cap;

	*key = NULL;
	if (universe_is_extra(universe, bit))
		return KIND_FEATURE;
	cap = &cap_table[cap_by_bit[bit]];
	*key = cap->security;
	if (cap->rule == RULE_HIGHER_SAFE)
		return KIND_OBLIGATION;
	if (cap->rule == RULE_IMMUNITY)
		return KIND_IMMUNITY;
	if (cap->security)
		return KIND_PROTECTION;
	if (cap->flags & CAP_UNMIGRATABLE)
		return KIND_UNMIGRATABLE;
	if (cap->rule == RULE_EXACT || cap->flags & CAP_CONTRACT_EXACT)
		return KIND_EXACT;
	if (!universe_is_cpu(universe, bit))
		return KIND_HOST;
	if (cap->gate < 0 || cap_table[cap->gate].bit == bit)
		return KIND_FEATURE;
	*key = universe_feature_name(universe, cap_table[cap->gate].bit);
	return KIND_GATED;
}

struct diff_groups *diff_groups_new(const struct diff_pair *p)
{
	struct diff_groups *groups = g_new(struct diff_groups, 1);

	groups->p = p;
	groups->groups = g_array_new(FALSE, FALSE, sizeof(struct group));
	return groups;
}

void diff_groups_add(struct diff_groups *groups, int bit, const struct host *has)
{
	const struct universe *universe = groups->p->a->judge->universe;
	const char *name = universe_is_cpu(universe, bit) ? universe_feature_name(universe, bit)
							  : universe_id(universe, bit);
	struct group new = { .has = has }, *group = NULL;

	new.kind = kind_of(universe, bit, &new.key);
	for (guint i = 0; i < groups->groups->len && !group; i++) {
		struct group *g = &g_array_index(groups->groups, struct group, i);

		if (g->kind == new.kind && g->has == has && !g_strcmp0(g->key, new.key))
			group = g;
	}
	if (!group) {
		new.names = json_array();
		g_array_append_val(groups->groups, new);
		group = &g_array_index(groups->groups, struct group, groups->groups->len - 1);
	}
	json_array_append_new(group->names, json_string(name));
}

static char *group_text(const struct group *g, const char *has, const char *lacks)
{
	g_autofree char *names = diff_few(g->names);
	const char *any = json_array_size(g->names) > 1 ? "any of " : "";

	switch (g->kind) {
	case KIND_FEATURE:
		return g_strdup_printf("guests that need %s%s can't go to %s", any, names, lacks);
	case KIND_GATED:
		return g_strdup_printf("guests with %s that need %s%s can't go to %s", g->key, any, names,
				       lacks);
	case KIND_PROTECTION:
		return g_strdup_printf("security (%s): guests that use %s can't go to %s, and those of %s do without",
				       g->key, names, lacks, lacks);
	case KIND_IMMUNITY:
		return g_strdup_printf("security (%s): guests of %s that count on %s can't go to %s, which doesn't say that it is immune",
				       g->key, has, names, lacks);
	case KIND_OBLIGATION:
		return g_strdup_printf("security (%s): %s obliges guests to reckon with %s; those of %s run there without knowing",
				       g->key ? g->key : "erratum", has, names, lacks);
	case KIND_EXACT:
		return g_strdup_printf("guests must find %s as it was at their start: those that see it move neither way",
				       names);
	case KIND_UNMIGRATABLE:
		return g_strdup_printf("guests with %s are bound to the host they run on", names);
	case KIND_HOST:
		return g_strdup_printf("%s gives no %s: guests that use it can't go there", lacks, names);
	case KINDS:
		break;
	}
	return g_strdup("");
}

static int by_kind(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int order = (int)x->kind - (int)y->kind;

	if (!order)
		order = g_strcmp0(x->key, y->key);
	return order ? order : strcmp(x->has->name, y->has->name);
}

json_t *diff_groups_end(struct diff_groups *groups)
{
	const struct diff_pair *p = groups->p;
	json_t *array = json_array();

	g_array_sort(groups->groups, by_kind);
	for (guint i = 0; i < groups->groups->len; i++) {
		const struct group *g = &g_array_index(groups->groups, struct group, i);
		const struct host *lacks = g->has == p->one ? p->other : p->one;
		g_autofree char *text = group_text(g, g->has->name, lacks->name);

		json_array_append_new(array, json_pack("{s:s, s:s*, s:o, s:s, s:s, s:s}", "kind",
						       kind_names[g->kind], "of", g->key, "names",
						       g->names, "has", g->has->name, "lacks",
						       lacks->name, "text", text));
	}
	g_array_unref(groups->groups);
	g_free(groups);
	return array;
}

/* --- numbers ----------------------------------------------------------------------------------- */

static const char *label_of(const struct capability *cap, uint64_t n)
{
	uint64_t known = 0;

	while (cap->labels && cap->labels[known])
		known++;
	return n < known ? cap->labels[n] : "?";
}

/* A chain of mitigations, or of levels that guests use. */
static char *mean_chain(const struct capability *cap, const char *more, const char *less,
			uint64_t least)
{
	if (cap->security)
		return g_strdup_printf("security (%s): guests on %s are less safe than on %s (%s)",
				       cap->security, less, more, label_of(cap, least));
	return g_strdup_printf("guests that use what %s gives can't go to %s (%s)", more, less,
			       label_of(cap, least));
}

char *diff_mean_number(const struct diff_pair *p, const struct capability *cap, uint64_t one,
		       uint64_t other)
{
	const char *more = one > other ? p->one->name : p->other->name;
	const char *less = one > other ? p->other->name : p->one->name;
	uint64_t least = MIN(one, other);

	switch (cap->rule) {
	case RULE_CHAIN:
		return mean_chain(cap, more, less, least);
	case RULE_LOWER_SAFE:
		if (cap->type == CAP_BITMAP)
			return g_strdup("guests that use a bit that one of them lacks can't go there");
		return g_strdup_printf("guests that need more than %" PRIu64 "%s%s can't go to %s", least,
				       cap->unit ? " " : "", cap->unit ? cap->unit : "", less);
	case RULE_HIGHER_SAFE:
		return g_strdup_printf("guests of %s don't know what %s obliges them to", less, more);
	case RULE_TOLERANCE:
		return g_strdup("guests with a rate of their own go only where it can be scaled");
	default:
		return g_strdup("guests that see it move neither way");
	}
}
