/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * level-look.c: how a level stands today: which hosts take its guests, and what the next level would
 * be; see answer-level.h and, for why, plan/level.h.
 *
 * Whether a host takes a level's guests is judged of a guest of the level, as `check` judges any.
 * What is beyond the level is the baseline of those hosts that do.
 */
#include "config.h"

#include <string.h>

#include "answer/level-parts.h"
#include "model/arch.h"
#include "model/document.h"

static void group_look_free(void *data)
{
	struct level_group_look *g = data;

	if (g->guest)
		guest_free(g->guest);
	g_ptr_array_unref(g->holds);
	g_ptr_array_unref(g->below);
	g_ptr_array_unref(g->unknown);
	json_decref(g->next);
	json_decref(g->gained);
	json_decref(g->lost);
	json_decref(g->stuck);
	g_free(g);
}

void level_look_free(struct level_look *look)
{
	if (!look)
		return;
	g_ptr_array_unref(look->hosts);
	g_ptr_array_unref(look->groups);
	g_ptr_array_unref(look->outside);
	g_free(look);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct host *const *)a)->name, (*(struct host *const *)b)->name);
}

/* A selector that names none any more is passed over. */
GPtrArray *level_hosts(const struct fleet *fleet, const json_t *document)
{
	const json_t *selectors = json_object_get(document, "selectors"), *selector;
	GPtrArray *hosts = g_ptr_array_new();
	size_t i;

	if (!json_array_size(selectors))
		fleet_select(fleet, "all", hosts, NULL);
	json_array_foreach (selectors, i, selector)
		if (json_is_string(selector))
			fleet_select(fleet, json_string_value(selector), hosts, NULL);
	g_ptr_array_sort(hosts, by_name);
	return hosts;
}

/* What is being looked at, for all groups. */
struct looking {
	const struct answering *a;
	const struct level_site *site;
	struct level_look *look;
	struct level_plan plan;
	struct routes *routes;
};

static enum verdict takes(struct looking *l, const struct level_group_look *g, const struct profile *profile)
{
	enum verdict v = g->guest ? routes_start(l->routes, g->guest, profile) : V_UNKNOWN;
	int fits = level_viommu_fits(g->group, profile);

	if (v != V_BLOCK && fits <= 0)
		v = fits ? V_UNKNOWN : V_BLOCK;
	return v;
}

static void sort_hosts(struct looking *l, struct level_group_look *g, const struct baseline *b)
{
	for (guint i = 0; i < b->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(b->classes, i);
		const GPtrArray *hosts = g_hash_table_lookup(b->class_hosts, class);
		enum verdict v = takes(l, g, class->profile);
		GPtrArray *to = verdict_is_good(v) ? g->holds : v == V_BLOCK ? g->below : g->unknown;

		for (guint k = 0; k < hosts->len; k++)
			g_ptr_array_add(to, hosts->pdata[k]);
	}
	g_ptr_array_sort(g->holds, by_name);
	g_ptr_array_sort(g->below, by_name);
	g_ptr_array_sort(g->unknown, by_name);
}

static uint64_t weight_of(const struct looking *l, const GPtrArray *hosts)
{
	const char *label = l->plan.planning.offering.weight_label;
	uint64_t sum = 0;

	for (guint i = 0; i < hosts->len; i++) {
		guint64 weight = 1;

		if (label)
			offering_host_weight(hosts->pdata[i], label, &weight);
		sum += weight;
	}
	return sum;
}

static struct level_today today_of(const struct looking *l, const struct level_group_look *g)
{
	struct level_today t = { .holds = g->holds->len, .below = g->below->len, .unknown = g->unknown->len };
	guint share = l->plan.planning.share;

	t.weight_holds = weight_of(l, g->holds);
	t.weight_unknown = weight_of(l, g->unknown);
	t.need = coverage_need(t.weight_holds + t.weight_unknown + weight_of(l, g->below), share ? share : 1000000);
	return t;
}

static void compare(const struct looking *l, struct level_group_look *g)
{
	const struct level_weights w = level_weights_of(l->site, l->look->level->document);

	json_decref(g->gained);
	json_decref(g->lost);
	g->gained = level_gained(g->next, g->group, &w, &g->gained_worth);
	g->lost = level_gained(g->group, g->next, &w, &g->lost_worth);
}

/* The group that these hosts would make, or NULL where guests of them can't be given a CPU. */
static json_t *group_over(struct looking *l, const GPtrArray *hosts, bool cover)
{
	const json_t *document = l->look->level->document;
	g_autoptr(GPtrArray) groups = NULL;
	json_t *notes = NULL, *group = NULL;
	bool blocked = false;

	if (cover)
		groups = level_cover(l->a, &l->plan, hosts, &notes, &blocked);
	else
		groups = baseline_groups(l->a->judge, hosts, &l->plan.baseline);
	if (groups->len == 1 && !blocked && baseline_has_setting(groups->pdata[0])) {
		const json_t *coverage = json_object_get(json_array_get(notes, 0), "coverage");

		g_autofree char *why = NULL;

		group = level_group(l->a, l->site, groups->pdata[0], &l->plan.planning, document,
				    json_object_get(coverage, "dropped"));
		why = level_refused(l->a, l->site, groups->pdata[0], group);
		if (why)
			g_clear_pointer(&group, json_decref);
	}
	json_decref(notes);
	return group;
}

/* Pairs that a guest of the next level can't move between, while one of this level can. */
static json_t *newly_stuck(struct looking *l, const struct level_group_look *g)
{
	const json_t *pair, *stuck = json_object_get(json_object_get(g->next, "moves"), "stuck");
	json_t *array = json_array();
	size_t i;

	json_array_foreach (stuck, i, pair) {
		const struct host *from = fleet_find(l->a->fleet, json_string_value(json_array_get(pair, 0)));
		const struct host *to = fleet_find(l->a->fleet, json_string_value(json_array_get(pair, 1)));

		if (from && to && verdict_is_good(routes_move(l->routes, g->guest, from->profile, to->profile)))
			json_array_append(array, (json_t *)pair);
	}
	return array;
}

static GPtrArray *together(const struct level_group_look *g)
{
	GPtrArray *all = g_ptr_array_new();

	g_ptr_array_extend(all, g->holds, NULL, NULL);
	g_ptr_array_extend(all, g->below, NULL, NULL);
	g_ptr_array_extend(all, g->unknown, NULL, NULL);
	return all;
}

/* What is beyond the level for those that take its guests, and are known to; in @b's words where these are all. */
static void step_group(struct looking *l, struct level_group_look *g)
{
	struct level_today today = today_of(l, g);

	g->step = level_step(&today);
	if (g->step == LEVEL_SINK) {
		g_autoptr(GPtrArray) all = together(g);

		g->next = group_over(l, all, true);
		if (g->next)
			compare(l, g);
		return;
	}
	if (g->step == LEVEL_EMPTY || (!g->holds->len && !g->unknown->len))
		return;
	{
		g_autoptr(GPtrArray) sure = g_ptr_array_new();

		/* what isn't known of a host isn't known to be gained */
		g_ptr_array_extend(sure, g->holds, NULL, NULL);
		g_ptr_array_extend(sure, g->unknown, NULL, NULL);
		g->next = group_over(l, sure, false);
	}
	if (!g->next)
		return;
	compare(l, g);
	today.gained = g->gained_worth;
	today.loses = json_array_size(g->lost) > 0;
	if (today.gained && !today.loses)
		g->stuck = newly_stuck(l, g);
	today.stuck = json_array_size(g->stuck) > 0;
	g->step = level_step(&today);
}

static const struct baseline *group_named(const GPtrArray *groups, const json_t *group)
{
	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);

		if (!g_strcmp0(b->arch, member_text(group, "arch")) &&
		    !g_strcmp0(b->vendor, member_text(group, "vendor")))
			return b;
	}
	return NULL;
}

/* The gravest step of all groups. */
static enum level_step gravest(const GPtrArray *groups)
{
	static const int grave[] = { [LEVEL_EMPTY] = 0, [LEVEL_STAYS] = 1, [LEVEL_HELD] = 2, [LEVEL_RAISE] = 3,
				     [LEVEL_SINK] = 4 };
	enum level_step step = LEVEL_EMPTY;

	G_STATIC_ASSERT(G_N_ELEMENTS(grave) == LEVEL_STEPS);
	for (guint i = 0; i < groups->len; i++) {
		const struct level_group_look *g = g_ptr_array_index(groups, i);

		if (grave[g->step] > grave[step])
			step = g->step;
	}
	return step;
}

static void look_at_group(struct looking *l, const json_t *group, const struct baseline *b, bool steps)
{
	struct level_group_look *g = g_new0(struct level_group_look, 1);

	g->group = group;
	g->guest = level_guest_of(l->a, group);
	g->holds = g_ptr_array_new();
	g->below = g_ptr_array_new();
	g->unknown = g_ptr_array_new();
	g->step = LEVEL_STAYS;
	if (b)
		sort_hosts(l, g, b);
	g_ptr_array_add(l->look->groups, g);
	if (steps)
		step_group(l, g);
}

/* Hosts of another architecture or vendor than any group's. */
static void add_outside(struct level_look *look, const GPtrArray *baselines)
{
	const json_t *groups = json_object_get(look->level->document, "groups"), *group;
	size_t k;

	for (guint i = 0; i < baselines->len; i++) {
		const struct baseline *b = g_ptr_array_index(baselines, i);
		g_autoptr(GPtrArray) one = g_ptr_array_new();
		bool known = false;

		g_ptr_array_add(one, (void *)b);
		json_array_foreach (groups, k, group)
			known = known || group_named(one, group);
		for (guint h = 0; !known && h < b->hosts->len; h++)
			g_ptr_array_add(look->outside, b->hosts->pdata[h]);
	}
	g_ptr_array_sort(look->outside, by_name);
}

struct level_look *level_look(const struct answering *a, const struct level_site *site, const struct level *level,
			      bool steps)
{
	struct level_look *look = g_new0(struct level_look, 1);
	struct looking l = { .a = a, .site = site, .look = look, .routes = routes_new(a) };
	g_autoptr(GPtrArray) baselines = NULL;
	const json_t *group;
	size_t i;

	look->level = level;
	look->hosts = level_hosts(a->fleet, level->document);
	look->groups = g_ptr_array_new_with_free_func(group_look_free);
	look->outside = g_ptr_array_new();
	level_plan_open(a, &l.plan, site, level->document);
	baselines = baseline_sorted(look->hosts);
	json_array_foreach (json_object_get(level->document, "groups"), i, group)
		look_at_group(&l, group, group_named(baselines, group), steps);
	add_outside(look, baselines);
	look->step = gravest(look->groups);
	level_plan_close(&l.plan);
	routes_free(l.routes);
	return look;
}

/* Groups that don't step are taken over as they are. */
json_t *level_next(const struct answering *a, const struct level_look *look, json_t *head)
{
	json_t *groups = json_array();

	for (guint i = 0; i < look->groups->len; i++) {
		const struct level_group_look *g = g_ptr_array_index(look->groups, i);
		bool steps = g->next && (g->step == LEVEL_RAISE || g->step == LEVEL_SINK);

		json_array_append(groups, steps ? g->next : (json_t *)g->group);
	}
	json_object_set_new(head, "groups", groups);
	json_object_set(head, "without", json_object_get(look->level->document, "without"));
	level_dates(head);
	level_made_by(head, a);
	return head;
}

json_t *level_lacks(const struct answering *a, const struct level_site *site, const json_t *group,
		    const struct guest *guest, const struct host *host)
{
	json_t *checks = json_array(), *missing = json_array(), *texts = json_array();
	const struct level_weights w = level_weights_of(site, NULL);
	struct verdicts *v = guest ? judge_guest(a->judge, guest->defined, guest->defined_cpu, NULL, host->profile) :
				     NULL;
	const char *arch = member_text(group, "arch");

	for (guint i = 0; v && i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);

		if (!(f->on & ON_START) || f->verdict < V_UNKNOWN)
			continue;
		json_array_append_new(checks, json_string(f->check));
		json_array_append_new(texts, json_string(f->text));
	}
	for (guint i = 0; v && i < v->missing->len; i++) {
		g_autofree char *id = arch_feature_id(arch_family(g_strcmp0(arch, "unknown") ? arch : NULL),
						      NS_LIBVIRT, v->missing->pdata[i]);

		json_array_append_new(missing, level_atom(id, id, weights_of(w.site, w.shipped, id, id)));
	}
	if (level_viommu_fits(group, host->profile) != 1)
		json_array_append_new(texts, json_string("its IOMMU isn't known to map what devices behind the virtual IOMMU need"));
	if (v)
		verdicts_free(v);
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "host", host->name, "checks", checks, "missing", missing,
			 "security", level_security(missing), "texts", texts);
}

json_t *level_below(const struct answering *a, const struct level_site *site, const struct level_group_look *g,
		    const GPtrArray *hosts)
{
	g_autoptr(GHashTable) by_class = g_hash_table_new(NULL, NULL);
	json_t *array = json_array();

	for (guint i = 0; i < hosts->len; i++) {
		const struct host *host = g_ptr_array_index(hosts, i);
		json_t *entry = g_hash_table_lookup(by_class, host->class);

		if (!entry) {
			entry = level_lacks(a, site, g->group, g->guest, host);
			json_object_del(entry, "host");
			json_object_set_new(entry, "hosts", json_array());
			json_array_append_new(array, entry);
			g_hash_table_insert(by_class, host->class, entry);
		}
		json_array_append_new(json_object_get(entry, "hosts"), json_string(host->name));
		json_object_set_new(entry, "hosts_n",
				    json_integer((json_int_t)json_array_size(json_object_get(entry, "hosts"))));
	}
	return array;
}

json_t *level_take_in(const struct answering *a, const struct level_site *site, const struct level *level,
		      const struct level_group_look *g, const struct host *host)
{
	struct level_look look = { .level = level };
	struct looking l = { .a = a, .site = site, .look = &look };
	const struct level_weights w = level_weights_of(site, level->document);
	g_autoptr(GPtrArray) hosts = g_ptr_array_new();
	json_t *next, *price = json_null(), *guests, *none = json_array();
	uint64_t gained, lost;

	g_ptr_array_extend(hosts, g->holds, NULL, NULL);
	if (!g_ptr_array_find(hosts, host, NULL))
		g_ptr_array_add(hosts, (void *)host);
	level_plan_open(a, &l.plan, site, level->document);
	next = group_over(&l, hosts, false);
	level_plan_close(&l.plan);
	if (next) {
		guests = level_guests_json(a, site, level);
		json_array_extend(json_object_get(guests, "assigned"), json_object_get(guests, "running"));
		price = level_price(level_gained(next, g->group, &w, &gained), level_gained(g->group, next, &w, &lost),
				    none, json_object_get(guests, "assigned"));
		json_object_set_new(price, "machine", json_incref(json_object_get(next, "machine")));
		json_decref(guests);
		json_decref(next);
	}
	json_decref(none);
	return price;
}
