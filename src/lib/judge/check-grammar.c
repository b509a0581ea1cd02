/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-grammar.c: what a libvirt version refuses or drops in a definition because it doesn't
 * know it yet, or at all.
 *
 * Theory of operation: the definition is walked once a libvirt version, and what that version
 * would say of it is kept with the guest. An element that it doesn't know is dropped with all that
 * is in it, so nothing below is looked at; an attribute that it doesn't know isn't read, so its
 * value isn't looked at. What no version knows is nobody's news: all ignore it alike.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"
#include "model/grammar.h"

#define MAX_TROUBLES 64u
#define MAX_TOLD 200u /* bytes of a value that are repeated */

/* What a libvirt version would refuse, or drop. */
struct trouble {
	const struct xml_node *node;
	const char *attribute; /* NULL: the element, GRAMMAR_TEXT: its text, GRAMMAR_CHILD: its name */
	const char *value;     /* refused; NULL: dropped */
	bool sure;
	bool host_side;	       /* dropped, and the guest doesn't see it */
	const char *since;     /* the version that knows it first, or NULL */
	const char *source;
};

struct walk {
	const struct grammar *grammar;
	const char *version;
	GArray *troubles;
};

static void add(struct walk *walk, struct trouble trouble)
{
	if (walk->troubles->len < MAX_TROUBLES)
		g_array_append_val(walk->troubles, trouble);
}

/* Are the places of the set this one? */
static bool set_is_for(const struct grammar_set *set, const struct xml_node *node)
{
	const char *word;

	if (!set->when_name)
		return true;
	for (unsigned int up = set->when_up; up && node; up--)
		node = node->parent;
	word = xml_attr(node, set->when_name);
	return g_strv_contains((const char *const *)set->when_words, word ? word : "-");
}

/* Texts that definition.h writes in place of what doesn't leave the host. */
static bool is_withheld(const char *value)
{
	return !strcmp(value, "TEXT") || !strcmp(value, "PATH");
}

/* Returns false where the value is refused, or may be. */
static bool walk_value(struct walk *walk, const struct xml_node *node, const char *attribute,
		       const char *value, const struct grammar_entry *entry)
{
	const struct grammar_span *known;

	if (is_withheld(value))
		return true;
	for (guint i = 0; entry->sets && i < entry->sets->len; i++) {
		const struct grammar_set *set = g_ptr_array_index(entry->sets, i);
		enum grammar_answer answer;

		if (!set_is_for(set, node))
			continue;
		answer = grammar_value(walk->grammar, set, value, walk->version, &known);
		if (answer != GRAMMAR_FINE)
			add(walk, (struct trouble){ .node = node, .attribute = attribute, .value = value,
						    .sure = answer == GRAMMAR_REFUSED,
						    .since = known ? known->first_in : NULL,
						    .source = known ? known->source : entry->span.source });
		return answer == GRAMMAR_FINE;
	}
	return true;
}

/* Does the version know it? Notes it as dropped where it doesn't, while a newer one does. */
static bool walk_known(struct walk *walk, const struct xml_node *node, const char *attribute,
		       const char *value, const struct grammar_entry *entry)
{
	int knows = grammar_knows(&entry->span, walk->version);

	/* older than all that were looked at: most likely as they are */
	if (knows > 0 || !entry->span.first_in || (knows < 0 && !entry->span.not_in))
		return true;
	/* what is lost would change nothing */
	if (value && !g_strcmp0(value, entry->span.same_as))
		return false;
	add(walk, (struct trouble){ .node = node, .attribute = attribute, .sure = !knows,
				    .since = entry->span.first_in, .host_side = entry->span.host_side,
				    .source = entry->span.source });
	return false;
}

static void walk_attribute(struct walk *walk, const struct xml_node *node, const char *path,
			   const char *attribute, const char *value)
{
	const struct grammar_entry *entry = grammar_find(walk->grammar, path, attribute);

	if (entry && walk_known(walk, node, attribute, value, entry))
		walk_value(walk, node, attribute, value, entry);
}

static void walk_node(struct walk *walk, const struct xml_node *node, const char *path)
{
	const struct grammar_entry *names = grammar_find(walk->grammar, path, GRAMMAR_CHILD);

	for (const struct xml_attribute *a = node->attributes; a; a = a->next)
		walk_attribute(walk, node, path, a->name, a->value);
	if (*node->text && !node->children)
		walk_attribute(walk, node, path, GRAMMAR_TEXT, node->text);
	for (const struct xml_node *child = node->children; child; child = child->next) {
		g_autofree char *below = grammar_path(path, child->name);
		const struct grammar_entry *entry = grammar_find(walk->grammar, below, NULL);

		/* some elements refuse others in them than they know, most ignore these */
		if (names && !walk_value(walk, child, GRAMMAR_CHILD, child->name, names))
			continue;
		if (entry && walk_known(walk, child, NULL, NULL, entry))
			walk_node(walk, child, below);
	}
}

/* What the target's libvirt would refuse or drop; NULL where that can't be told. */
static const GArray *troubles_of(const struct judgement *j)
{
	const char *version = j->target.libvirt_version;
	g_autofree char *key = NULL;
	struct walk walk = { j->judge->grammar, version, NULL };

	if (!walk.grammar || !version || !j->needs->definition || !cpu_by_libvirt(j))
		return NULL;
	key = g_strconcat("grammar ", version, NULL);
	walk.troubles = needs_memo(j->needs, key);
	if (!walk.troubles) {
		walk.troubles = g_array_new(FALSE, FALSE, sizeof(struct trouble));
		walk_node(&walk, xml_root(j->needs->definition), "");
		needs_memo_set(j->needs, key, walk.troubles, (GDestroyNotify)g_array_unref);
	}
	return walk.troubles;
}

/* "/domain/devices/iommu/driver/@eim" */
static char *trouble_path(const struct trouble *t)
{
	g_autofree char *node = xml_path(t->node);

	if (!t->attribute || !strcmp(t->attribute, GRAMMAR_CHILD))
		return g_steal_pointer(&node);
	return strcmp(t->attribute, GRAMMAR_TEXT) ? g_strconcat(node, "/@", t->attribute, NULL) :
						    g_strconcat(node, "/text()", NULL);
}

/* "attribute 'eim' of <driver>" */
static char *trouble_name(const struct trouble *t)
{
	if (!t->attribute)
		return g_strdup_printf("element <%s>", t->node->name);
	if (!strcmp(t->attribute, GRAMMAR_TEXT))
		return g_strdup_printf("<%s>", t->node->name);
	if (!strcmp(t->attribute, GRAMMAR_CHILD))
		return g_strdup_printf("an element of <%s>", t->node->parent->name);
	return g_strdup_printf("attribute '%s' of <%s>", t->attribute, t->node->name);
}

static char *refused_text(const struct judgement *j, const struct trouble *t)
{
	const char *version = j->target.libvirt_version;
	g_autofree char *name = trouble_name(t);
	g_autofree char *value = g_utf8_substring(t->value, 0, MIN(g_utf8_strlen(t->value, -1), MAX_TOLD));

	if (t->sure && t->since)
		return g_strdup_printf("libvirt %s refuses '%s' as %s: it is known since %s", version, value,
				       name, t->since);
	if (t->sure)
		return g_strdup_printf("libvirt %s refuses '%s' as %s", version, value, name);
	if (t->since)
		return g_strdup_printf("whether libvirt %s takes '%s' as %s isn't known: %s does", version,
				       value, name, t->since);
	return g_strdup_printf("whether libvirt %s takes '%s' as %s isn't known: older ones refuse it",
			       version, value, name);
}

static char *dropped_text(const struct judgement *j, const struct trouble *t)
{
	g_autofree char *name = trouble_name(t);

	return g_strdup_printf(t->sure ? "libvirt %s ignores %s without a word: it is known since %s" :
					 "libvirt %s may ignore %s without a word: it is known by %s",
			       j->target.libvirt_version, name, t->since);
}

/* Does a rule say of the place why it is refused or dropped? One cause makes one message. */
static bool is_told(const struct judgement *j, const struct trouble *t)
{
	g_autofree char *where = NULL;
	bool told = false;

	for (guint i = 0; i < j->out->findings->len && !told; i++) {
		const struct finding *f = g_ptr_array_index(j->out->findings, i);

		if (strcmp(f->check, j->check) || !f->where)
			continue;
		where = where ? where : xml_path(t->node);
		told = g_str_has_prefix(f->where, where) && strchr("/", f->where[strlen(where)]);
	}
	return told;
}

/* Part of what a virtual IOMMU is, for which the source's libvirt didn't ignore it? */
static bool is_viommus(const struct judgement *j, const struct trouble *t)
{
	const char *version = j->source ? profile_string(j->source, "libvirt.version") : NULL;
	g_autofree char *path = NULL;

	if (t->value || t->host_side || !version || !t->since || version_compare(version, t->since) < 0)
		return false;
	path = trouble_path(t);
	return g_str_has_prefix(path, "/domain/devices/iommu");
}

/*
 * A running guest's virtual IOMMU would be another one after the move: nobody compares it, not
 * even QEMU (see check-contract.c), so that this is no warning.
 */
static void tell_viommu(struct judgement *j, const GArray *troubles)
{
	for (guint i = 0; i < troubles->len; i++) {
		const struct trouble *t = &g_array_index(troubles, struct trouble, i);
		g_autofree char *text = NULL;
		struct finding *f;

		if (!is_viommus(j, t) || !t->sure)
			continue;
		text = dropped_text(j, t);
		f = finding_add(j, V_BLOCK, EFFECT_HAZARD, ON_MIGRATE, trouble_path(t),
				g_strdup_printf("%s; the guest's virtual IOMMU would change in silence", text),
				g_strdup("move it to hosts with a newer libvirt, or start it anew without"));
		f->origin = g_strdup(t->source);
		finding_item(f->need, f->where, json_string("kept"));
		finding_item(f->have, f->where, json_string("dropped"));
		return;
	}
}

/* Of those that bear on the same questions the first of the worst is told, the others counted. */
static void tell(struct judgement *j, const GArray *troubles, bool refused, bool host_side)
{
	const struct trouble *worst = NULL;
	struct finding *f;
	g_autofree char *text = NULL;
	guint n = 0;

	for (guint i = 0; i < troubles->len; i++) {
		const struct trouble *t = &g_array_index(troubles, struct trouble, i);

		if ((t->value != NULL) != refused || t->host_side != host_side || is_told(j, t))
			continue;
		n++;
		if (!worst || (t->sure && !worst->sure))
			worst = t;
	}
	if (!worst)
		return;
	text = refused ? refused_text(j, worst) : dropped_text(j, worst);
	f = finding_add(j, !refused ? V_WARN : worst->sure ? V_BLOCK : V_UNKNOWN,
			refused ? EFFECT_FAILS_SAFELY : EFFECT_HAZARD,
			refused || !host_side ? ON_BOTH : ON_START, trouble_path(worst),
			n > 1 ? g_strdup_printf("%s (and %u more of its kind)", text, n - 1) :
				g_steal_pointer(&text),
			g_strdup(refused && !worst->since ? "write a value that libvirt knows there" :
				 refused ? "write a value that this libvirt knows, or choose hosts with a newer one" :
					   "leave it out, or choose hosts with a newer libvirt"));
	f->origin = g_strdup(worst->source);
	for (guint i = 0; i < troubles->len && !j->judge->brief; i++) {
		const struct trouble *t = &g_array_index(troubles, struct trouble, i);
		g_autofree char *where = trouble_path(t);

		if ((t->value != NULL) == refused && t->host_side == host_side)
			finding_item(f->need, where, json_string(t->value ? t->value : "kept"));
	}
}

/* libvirt's parser refuses names before it looks for the machine type; all else comes behind that. */
static bool has_machine(const struct judgement *j)
{
	return verdicts_state(j->out, "machine-present") == CHECK_PASSED;
}

void check_definition_valid(struct judgement *j)
{
	const GArray *troubles = troubles_of(j);

	if (has_machine(j))
		check_rules(j);
	if (troubles && troubles->len)
		tell(j, troubles, true, false);
}

void check_definition_kept(struct judgement *j)
{
	const GArray *troubles = troubles_of(j);

	check_rules(j);
	if (!troubles || !troubles->len)
		return;
	tell(j, troubles, false, false);
	tell(j, troubles, false, true);
	tell_viommu(j, troubles);
}
