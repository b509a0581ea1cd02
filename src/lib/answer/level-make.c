/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* level-make.c: a level's document out of hosts; see answer-level.h. */
#include "config.h"

#include <string.h>

#include "answer/level-parts.h"
#include "model/arch.h"
#include "model/bits.h"
#include "model/document.h"
#include "model/error.h"
#include "plan/baseline-meet.h"
#include "plan/coverage.h"

#define REVIEW_MONTHS 12u
#define FRONTIER_STEPS 4u

json_t *level_head(const char *series, guint year, guint number, char *const *selectors,
		   const struct planning *planning, const char *accel, const char *since, const char *review_by,
		   const char *retire_by, const char *replaces)
{
	g_autofree char *name = level_name(series, year, number);
	json_t *asked = json_array();

	for (size_t i = 0; selectors && selectors[i]; i++)
		json_array_append_new(asked, json_string(selectors[i]));
	return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s?, s:s?, s:o, s:o, s:s?, s:s?, s:o, s:o}", "format",
			 LEVEL_FORMAT, "name", name, "series", series, "replaces", replaces, "since", since,
			 "review_by", review_by, "retire_by", retire_by, "selectors", asked, "coverage",
			 planning->share ? json_real(planning->share / 1e6) : json_null(), "weight_label",
			 planning->offering.weight_label, "accel", accel, "pinned",
			 json_strings(planning->offering.pins), "forbidden", json_strings(planning->offering.forbid));
}

json_t *level_head_after(const json_t *document, guint year, guint number, const char *since)
{
	static const char *const kept[] = { "series", "selectors", "coverage", "weight_label", "accel", "pinned",
					    "forbidden" };
	g_autofree char *name = level_name(member_text(document, "series"), year, number);
	json_t *head = json_pack("{s:s, s:s, s:s, s:s, s:n, s:n}", "format", LEVEL_FORMAT, "name", name, "replaces",
				 member_text(document, "name"), "since", since, "review_by", "retire_by");

	for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
		json_t *member = json_object_get(document, kept[i]);

		json_object_set_new(head, kept[i], member ? json_deep_copy(member) : json_null());
	}
	return head;
}

guint level_next_number(const GPtrArray *levels, const char *series, guint year)
{
	guint next = 1;

	for (guint i = 0; i < levels->len; i++) {
		const struct level *l = g_ptr_array_index(levels, i);

		if (!strcmp(l->series, series) && l->year == year)
			next = MAX(next, l->number + 1);
	}
	return next;
}

/* --- one group ---------------------------------------------------------------------------------- */

/* Of what the CPU changes in its model, what some host's libvirt has no name for is marked. */
static json_t *cpu_json(const struct baseline *b)
{
	json_t *cpu = answer_cpu(b), *delta = json_object_get(cpu, "delta");

	for (guint i = 0; b->cpu.delta && i < b->cpu.delta->len; i++)
		if (g_array_index(b->cpu.delta, struct feature_policy, i).nameless)
			json_object_set_new(json_array_get(delta, i), "nameless", json_true());
	return cpu;
}

static char *lost_atom(const struct baseline_lost *l)
{
	g_autofree char *text = NULL;

	if (!l->value || json_is_true(l->value))
		return g_strdup(l->id);
	if (json_is_string(l->value))
		return g_strdup_printf("%s=%s", l->id, json_string_value(l->value));
	text = json_dumps(l->value, JSON_ENCODE_ANY | JSON_COMPACT);
	return g_strdup_printf("%s=%s", l->id, text);
}

static char *hosts_key(const GPtrArray *hosts)
{
	GString *key = g_string_new(NULL);

	for (guint i = 0; i < hosts->len; i++)
		g_string_append_printf(key, "%s\n", ((struct host *)hosts->pdata[i])->name);
	return g_string_free(key, FALSE);
}

/* A machine type that isn't later than the one that guests get is nothing they go without. */
static bool is_older(const struct baseline *b, const struct baseline_lost *l)
{
	return !strcmp(l->id, "qemu.machine") && b->machines->len && json_is_string(l->value) &&
	       !level_machine_later(json_string_value(l->value), b->machines->pdata[0]);
}

/* What some hosts have and the group hasn't, by who it is because of: those worth most first. */
static json_t *limits_json(const struct baseline *b, const struct level_weights *w)
{
	g_autoptr(GHashTable) by_hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	json_t *limits = json_array(), *sorted = json_array();
	json_t *entry;
	size_t i;

	for (guint k = 0; k < b->lost->len; k++) {
		const struct baseline_lost *l = g_ptr_array_index(b->lost, k);
		g_autoptr(GPtrArray) hosts = baseline_members(b, l->classes);
		g_autofree char *atom = lost_atom(l), *key = hosts_key(hosts);
		guint worth = weights_of(w->site, w->shipped, l->id, atom);

		if (!worth || is_older(b, l))
			continue;
		entry = g_hash_table_lookup(by_hosts, key);
		if (!entry) {
			entry = json_pack("{s:o, s:i, s:i, s:[]}", "hosts", json_hosts(hosts), "hosts_n",
					  (int)hosts->len, "worth", 0, "capabilities");
			json_array_append_new(limits, entry);
			g_hash_table_insert(by_hosts, g_steal_pointer(&key), entry);
		}
		json_integer_set(json_object_get(entry, "worth"),
				 json_integer_value(json_object_get(entry, "worth")) + worth);
		json_array_append_new(json_object_get(entry, "capabilities"), level_atom(l->id, atom, worth));
	}
	json_array_foreach (limits, i, entry) {
		size_t at = 0;

		while (at < json_array_size(sorted) &&
		       json_integer_value(json_object_get(json_array_get(sorted, at), "worth")) >=
			       json_integer_value(json_object_get(entry, "worth")))
			at++;
		json_array_insert(sorted, at, entry);
	}
	json_decref(limits);
	return sorted;
}

/* What leaving out the first few hosts would gain, and whom it would cost. */
static json_t *next_step(const struct answering *a, const struct level_site *site, const struct baseline *b,
			 const struct planning *planning)
{
	g_autoptr(GPtrArray) pins = g_ptr_array_new();
	g_autoptr(PlanProblem) p = group_problem(a, b, planning, pins);
	g_autoptr(GArray) steps = b->classes->len > 1 ? coverage_frontier(p, FRONTIER_STEPS) : NULL;
	json_t *price, *hosts, *guests;

	if (!steps || steps->len < 2)
		return json_null();
	{
		const struct plan_choice *from = &g_array_index(steps, struct plan_choice, 0), *to = from + 1;
		g_autoptr(GPtrArray) classes = group_classes(b, to->dropped, true);
		g_autoptr(GPtrArray) members = baseline_members(b, classes);

		hosts = json_hosts(members);
		guests = level_guests_on(a, site, members);
		price = level_price(a, plan_gained(p, to, from), plan_gained(p, from, to), hosts, guests);
		json_decref(hosts);
		json_decref(guests);
	}
	return price;
}

static bool names_hypervisor(const struct baseline *b)
{
	for (guint i = 0; i < b->features->len; i++)
		if (!strcmp(b->features->pdata[i], "hypervisor"))
			return true;
	return false;
}

/*
 * How libvirt is to check the CPU: in full, but where some host's QEMU then shows a guest more than the
 * definition names, which a full check refuses. NULL where it is nothing to be said.
 */
static json_t *check_of(const struct answering *a, const struct baseline *b, json_t *group)
{
	g_autoptr(Guest) guest = NULL;
	struct routes *routes;
	bool full = names_hypervisor(b);

	if (b->family != ARCH_X86 || b->cpu.mode)
		return json_null();
	json_object_set_new(group, "check", json_string("full"));
	guest = full ? level_guest(a, group, false) : NULL;
	routes = routes_new(a);
	for (guint i = 0; guest && full && i < b->classes->len; i++)
		full = routes_start(routes, guest, ((struct host_class *)b->classes->pdata[i])->profile) != V_BLOCK;
	routes_free(routes);
	return json_string(full ? "full" : "partial");
}

void answer_baseline_checks(const struct answering *a, const GPtrArray *groups, json_t *answer)
{
	json_t *list = json_object_get(answer, "baselines");

	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);
		json_t *member = json_array_get(list, i), *group = json_copy(member);

		json_object_set_new(group, "machine", b->machines->len ? json_string(b->machines->pdata[0]) : json_null());
		json_object_set_new(group, "viommu", json_pack("{s:n}", "model"));
		json_object_set_new(member, "check", check_of(a, b, group));
		json_decref(group);
	}
}

/* Would the virtual IOMMU keep a guest of the group off any host that takes it without? */
static GPtrArray *without_viommu(struct routes *routes, const struct baseline *b, const struct guest *with,
				 const struct guest *without)
{
	GPtrArray *classes = g_ptr_array_new();

	for (guint i = 0; with && without && i < b->classes->len; i++) {
		struct host_class *c = g_ptr_array_index(b->classes, i);

		if (routes_start(routes, with, c->profile) > routes_start(routes, without, c->profile))
			g_ptr_array_add(classes, c);
	}
	return classes;
}

/* Guests get none then, because of these hosts: what is wrong of them is in @property. */
static void drop_viommu(json_t *viommu, const char *property, json_t *hosts)
{
	json_object_set_new(viommu, "model", json_null());
	json_array_insert_new(json_object_get(viommu, "limits"), 0,
			      json_pack("{s:s, s:b, s:o, s:i}", "property", property, "known", 1, "hosts", hosts,
					"hosts_n", (int)json_array_size(hosts)));
}

/* The hosts named in pairs. */
static json_t *named_in(const json_t *pairs)
{
	json_t *seen = json_object(), *names = json_array();
	const json_t *pair;
	const char *name;
	json_t *value;
	size_t i;

	json_array_foreach (pairs, i, pair)
		for (size_t k = 0; k < 2; k++)
			json_object_set_new(seen, json_string_value(json_array_get(pair, k)), json_true());
	json_object_foreach (seen, name, value)
		json_array_append_new(names, json_string(name));
	json_decref(seen);
	return names;
}

/* Fills "moves"; takes the virtual IOMMU out where guests can't start, or move, for it alone. */
static void check_viommu(const struct answering *a, const struct baseline *b, json_t *group)
{
	/* they live as long as the routes, which know them by their places */
	g_autoptr(Guest) guest = level_guest(a, group, true), plain = level_guest(a, group, false);
	struct routes *routes = routes_new(a);
	json_t *viommu = json_object_get(group, "viommu"), *moves, *without;
	g_autoptr(GPtrArray) classes = json_is_object(viommu) ? without_viommu(routes, b, guest, plain) : NULL;

	if (classes && classes->len) {
		g_autoptr(GPtrArray) members = baseline_members(b, classes);

		drop_viommu(viommu, "model", json_hosts(members));
	}
	moves = level_moves(routes, member_text(viommu, "model") ? guest : plain, b->classes);
	if (json_array_size(json_object_get(moves, "stuck")) && member_text(viommu, "model")) {
		without = level_moves(routes, plain, b->classes);
		if (json_integer_value(json_object_get(without, "good")) >
		    json_integer_value(json_object_get(moves, "good"))) {
			drop_viommu(viommu, "moves", named_in(json_object_get(moves, "stuck")));
			json_decref(moves);
			moves = json_incref(without);
		}
		json_decref(without);
	}
	json_object_set_new(group, "moves", moves);
	routes_free(routes);
}

static json_t *dates_json(const struct answering *a, const char *machine)
{
	const char *deprecated;
	g_autofree char *last = level_retire_by(a->judge->tables, machine, &deprecated);

	return json_pack("{s:s?, s:s?}", "deprecated", deprecated, "last", last);
}

struct level_weights level_weights_of(const struct level_site *site, const json_t *document)
{
	return (struct level_weights){ site->policy ? site->policy->weights : NULL, site->shipped,
				       json_object_get(document, "forbidden") };
}

json_t *level_group(const struct answering *a, const struct level_site *site, const struct baseline *b,
		    const struct planning *planning, const json_t *head, const json_t *left_out)
{
	const struct level_weights w = level_weights_of(site, head);
	const char *machine = b->machines->len ? b->machines->pdata[0] : NULL;
	json_t *group = json_pack("{s:s, s:s, s:o, s:i, s:i, s:o, s:o, s:s?, s:o, s:o, s:o, s:O, s:o, s:o}", "arch",
				  b->arch, "vendor", b->vendor, "hosts", json_hosts(b->hosts), "hosts_n",
				  (int)b->hosts->len, "classes_n", (int)b->classes->len, "left_out",
				  left_out ? json_deep_copy(left_out) : json_array(), "cpu", cpu_json(b), "machine",
				  machine, "machine_dates", dates_json(a, machine), "machines",
				  json_strings(b->machines), "viommu", level_viommu(b, machine), "capabilities",
				  b->capabilities, "limits", limits_json(b, &w), "next_step",
				  next_step(a, site, b, planning));

	json_object_set_new(group, "check", check_of(a, b, group));
	check_viommu(a, b, group);
	return group;
}

/* --- the document ------------------------------------------------------------------------------- */

/* Dates that nobody gave: by the machine types that go first. */
void level_dates(json_t *document)
{
	const char *since = member_text(document, "since"), *retire = member_text(document, "retire_by");
	g_autofree char *review = level_date_later(since, REVIEW_MONTHS);
	const json_t *group;
	size_t i;

	json_array_foreach (json_object_get(document, "groups"), i, group) {
		const char *last = member_text(json_object_get(group, "machine_dates"), "last");

		if (last && (!retire || strcmp(last, retire) < 0) && !member_text(document, "retire_by"))
			retire = last;
	}
	json_object_set_new(document, "retire_by", retire ? json_string(retire) : json_null());
	if (!member_text(document, "review_by"))
		json_object_set_new(document, "review_by",
				    json_string(retire && strcmp(retire, review) < 0 ? retire : review));
}

/* What a document was made by, so that it can be told apart later. */
void level_made_by(json_t *document, const struct answering *a)
{
	json_object_set_new(document, "made_by",
			    json_pack("{s:s, s:s, s:s, s:s}", "dictionary", cap_dictionary_version, "data", a->data,
				      "cpu_map", a->cpu_map, "policy", a->policy ? a->policy : "default"));
}

static bool no_group(GError **error, const char *name, bool blocked, const char *reason)
{
	if (!blocked && reason)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: guests of such a level wouldn't start there: %s (name other hosts, or --accel tcg where they emulate)",
			    name, reason);
	else
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
		    blocked ? "%s: what is pinned, or a floor of the policy, can't be had on these hosts (see 'capbroker tradeoff')" :
			      "%s: these hosts are known to have no CPU in common that guests can be given (see 'capbroker baseline')",
		    name);
	return false;
}

/* Machine types are known of all hosts, and none is everywhere. */
static bool no_machine(const struct baseline *b)
{
	for (guint i = 0; !b->machines->len && i < b->classes->len; i++) {
		const struct host_class *c = g_ptr_array_index(b->classes, i);
		GHashTable *machines = baseline_machines_of(c->profile);

		if (!machines)
			return false;
		g_hash_table_unref(machines);
	}
	return !b->machines->len;
}

char *level_refused(const struct answering *a, const struct level_site *site, const struct baseline *b,
		    const json_t *group)
{
	g_autoptr(Guest) guest = level_guest_of(a, group);
	struct routes *routes;
	char *why = NULL;

	if (no_machine(b))
		return g_strdup("no machine type is common to these hosts");
	routes = routes_new(a);
	for (guint i = 0; guest && i < b->classes->len && !why; i++) {
		const struct host_class *c = g_ptr_array_index(b->classes, i);
		const GPtrArray *hosts = g_hash_table_lookup(b->class_hosts, c);
		const struct host *host = g_ptr_array_index(hosts, 0);
		json_t *lacks;

		if (routes_start(routes, guest, c->profile) != V_BLOCK)
			continue;
		lacks = level_lacks(a, site, group, guest, host);
		why = g_strdup_printf("%s: %s", host->name,
				      json_string_value(json_array_get(json_object_get(lacks, "texts"), 0)));
		json_decref(lacks);
	}
	routes_free(routes);
	return why;
}

/* Groups that guests can't be given a CPU for are named, and are no part of it. */
static bool add_groups(const struct answering *a, const struct level_site *site, json_t *document,
		       const struct planning *planning, const GPtrArray *groups, const json_t *notes)
{
	json_t *array = json_array(), *without = json_array();
	bool any;

	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);
		const json_t *note = json_array_get(notes, i);
		const json_t *dropped = json_object_get(json_object_get(note, "coverage"), "dropped");
		json_t *group = baseline_has_setting(b) ? level_group(a, site, b, planning, document, dropped) : NULL;
		g_autofree char *why = group ? level_refused(a, site, b, group) : NULL;

		if (group && !why)
			json_array_append(array, group);
		else
			json_array_append_new(without, json_pack("{s:s, s:s, s:o, s:s?}", "arch", b->arch, "vendor",
								 b->vendor, "hosts", json_hosts(b->hosts), "reason",
								 why));
		json_decref(group);
	}
	any = json_array_size(array) > 0;
	json_object_set_new(document, "groups", array);
	json_object_set_new(document, "without", without);
	return any;
}

/* Machine types that upstream has deprecated when the level begins are nothing to leave a host out for. */
static void add_deprecated(const struct answering *a, struct level_plan *p, const char *since)
{
	const struct table *t = a->judge->tables ? a->judge->tables->machines : NULL;
	int family = table_column(t, "family"), version = table_column(t, "version");
	int deprecated = table_column(t, "deprecated");

	for (guint i = 0; t && since && family >= 0 && version >= 0 && deprecated >= 0 && i < t->rows->len; i++) {
		char *const *row = g_ptr_array_index(t->rows, i);
		char *atom;

		if (!strcmp(row[deprecated], "-") || strcmp(row[deprecated], since) > 0)
			continue;
		atom = g_strdup_printf("qemu.machine=%s-%s", row[family], row[version]);
		g_ptr_array_add(p->owned, atom);
		g_ptr_array_add(p->forbid, atom);
	}
}

void level_plan_open(const struct answering *a, struct level_plan *p, const struct level_site *site,
		     const json_t *document)
{
	static const char *const lists[] = { "pinned", "forbidden" };
	const json_t *share = json_object_get(document, "coverage"), *name;
	GPtrArray *names[2];
	size_t k;

	for (size_t i = 0; i < 2; i++) {
		names[i] = g_ptr_array_new();
		json_array_foreach (json_object_get(document, lists[i]), k, name)
			if (json_is_string(name))
				g_ptr_array_add(names[i], (void *)json_string_value(name));
	}
	*p = (struct level_plan){ .pins = names[0], .forbid = names[1],
				  .owned = g_ptr_array_new_with_free_func(g_free) };
	add_deprecated(a, p, member_text(document, "since"));
	p->baseline.accel = member_text(document, "accel");
	p->planning = (struct planning){
		.offering = { .baseline = &p->baseline, .shipped = site->shipped,
			      .site = site->policy ? site->policy->weights : NULL,
			      .weight_label = member_text(document, "weight_label"),
			      .pins = p->pins, .forbid = p->forbid },
		.policy = site->policy,
		.share = json_is_number(share) ? (guint)(json_number_value(share) * 1e6 + 0.5) : 0,
	};
}

void level_plan_close(struct level_plan *p)
{
	g_ptr_array_unref(p->pins);
	g_ptr_array_unref(p->forbid);
	g_ptr_array_unref(p->owned);
}

GPtrArray *level_cover(const struct answering *a, const struct level_plan *plan, const GPtrArray *hosts,
		       json_t **notes, bool *blocked)
{
	GPtrArray *groups = baseline_groups(a->judge, hosts, &plan->baseline), *kept;
	const struct planning *p = &plan->planning;

	*notes = NULL;
	*blocked = false;
	if (!p->share && !p->offering.pins->len && !(p->policy && p->policy->floors->len))
		return groups;
	kept = answer_cover(a, groups, p, notes, blocked);
	g_ptr_array_unref(groups);
	return kept;
}

json_t *level_make(const struct answering *a, const struct level_site *site, json_t *head, const GPtrArray *hosts,
		   GError **error)
{
	g_autofree char *name = g_strdup(member_text(head, "name"));
	struct level_plan plan;
	g_autoptr(GPtrArray) groups = NULL;
	json_t *notes;
	g_autofree char *reason = NULL;
	bool blocked, ok;

	level_plan_open(a, &plan, site, head);
	groups = level_cover(a, &plan, hosts, &notes, &blocked);
	ok = !blocked && add_groups(a, site, head, &plan.planning, groups, notes);
	json_decref(notes);
	level_plan_close(&plan);
	if (!ok) {
		const json_t *first = json_array_get(json_object_get(head, "without"), 0);

		reason = g_strdup(member_text(first, "reason"));
		json_decref(head);
		no_group(error, name, blocked, reason);
		return NULL;
	}
	level_dates(head);
	level_made_by(head, a);
	return head;
}
