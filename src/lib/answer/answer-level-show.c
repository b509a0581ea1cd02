/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-level-show.c: the answers "level-show", "levels", "level-join"; see answer-level.h. */
#include "config.h"

#include <string.h>

#include "answer/level-parts.h"
#include "answer/override.h"
#include "model/document.h"

static json_t *act_json(const struct level_act *act)
{
	g_autofree char *at = time_text(act->time);

	return json_pack("{s:s, s:I, s:s, s:s}", "by", act->by, "uid", (json_int_t)act->uid, "at", at, "reason",
			 act->reason);
}

static const char *state_of(const GPtrArray *levels, const struct level *level)
{
	return level->is_retired ? "retired" : level_newest(levels, level->series) == level ? "current" : "superseded";
}

/* Names of hosts that the document has and that are there no more, or the other way round. */
static json_t *differing(const json_t *names, const GPtrArray *hosts, bool gone)
{
	g_autoptr(GHashTable) here = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
	json_t *array = json_array();
	const json_t *name;
	size_t i;

	for (guint k = 0; k < hosts->len; k++)
		g_hash_table_add(here, ((struct host *)hosts->pdata[k])->name);
	json_array_foreach (names, i, name) {
		g_hash_table_add(there, (void *)json_string_value(name));
		if (gone && !g_hash_table_contains(here, json_string_value(name)))
			json_array_append(array, (json_t *)name);
	}
	for (guint k = 0; !gone && k < hosts->len; k++)
		if (!g_hash_table_contains(there, ((struct host *)hosts->pdata[k])->name))
			json_array_append_new(array, json_string(((struct host *)hosts->pdata[k])->name));
	return array;
}

static json_t *group_today(const struct answering *a, const struct level_site *site, const struct level_look *look,
			   const struct level_group_look *g)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:i, s:o, s:o, s:o, s:o}", "arch",
				 member_text(g->group, "arch"), "vendor", member_text(g->group, "vendor"), "step",
				 level_step_name(g->step), "holds", json_hosts(g->holds), "holds_n", (int)g->holds->len,
				 "below", level_below(a, site, g, g->below), "unknown",
				 level_below(a, site, g, g->unknown), "joined",
				 differing(json_object_get(g->group, "hosts"), g->holds, false), "left",
				 differing(json_object_get(g->group, "hosts"), look->hosts, true));
	json_t *guests, *none;

	json_object_set_new(json, "take_in", json_null());
	if (g->step != LEVEL_SINK || !g->next)
		return json;
	guests = level_guests_json(a, site, look->level);
	none = json_array();
	json_object_set_new(json, "take_in",
			    level_price(json_incref(g->gained), json_incref(g->lost), none,
					json_object_get(guests, "assigned")));
	json_decref(guests);
	json_decref(none);
	return json;
}

static json_t *assigned_json(const struct level *level)
{
	json_t *array = json_array();

	for (guint i = 0; i < level->guests->len; i++) {
		const struct level_assigned *g = g_ptr_array_index(level->guests, i);
		json_t *json = act_json(&g->act);

		json_object_set_new(json, "guest", json_string(g->guest));
		json_object_set_new(json, "name", json_string(g->name));
		json_array_append_new(array, json);
	}
	return array;
}

json_t *answer_level_show(const struct answering *a, const struct level_site *site, const GPtrArray *levels,
			  const struct level *level, json_t *log)
{
	json_t *answer = answer_new("level-show"), *groups = json_array();
	struct level_look *look = level_look(a, site, level, true);

	for (guint i = 0; i < look->groups->len; i++)
		json_array_append_new(groups, group_today(a, site, look, look->groups->pdata[i]));
	json_object_set(answer, "level", level->document);
	json_object_set_new(answer, "state", json_string(state_of(levels, level)));
	json_object_set_new(answer, "created", act_json(&level->created));
	json_object_set_new(answer, "retired", level->is_retired ? act_json(&level->retired) : json_null());
	json_object_set_new(answer, "today",
			    json_pack("{s:i, s:s, s:o, s:o}", "hosts_n", (int)look->hosts->len, "step",
				      level_step_name(look->step), "groups", groups, "outside",
				      json_hosts(look->outside)));
	json_object_set_new(answer, "guests", level_guests_json(a, site, level));
	json_object_set_new(answer, "assigned", assigned_json(level));
	json_object_set_new(answer, "log", log);
	answer_not_judged(answer);
	level_look_free(look);
	return answer;
}

json_t *answer_levels(const struct answering *a, const GPtrArray *levels, bool all)
{
	json_t *answer = answer_new("levels"), *array = json_array();
	g_autofree char *today = level_date(a->now);

	for (guint i = 0; i < levels->len; i++) {
		const struct level *l = g_ptr_array_index(levels, i);
		const json_t *groups = json_object_get(l->document, "groups"), *group;
		json_t *brief = json_array();
		size_t k;

		if (l->is_retired && !all) {
			json_decref(brief);
			continue;
		}
		json_array_foreach (groups, k, group)
			json_array_append_new(brief, json_pack("{s:s, s:s, s:O?, s:O?, s:O?}", "arch",
				member_text(group, "arch"), "vendor", member_text(group, "vendor"), "hosts_n",
				json_object_get(group, "hosts_n"), "machine", json_object_get(group, "machine"), "cpu",
				json_object_get(group, "cpu")));
		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:i, s:o}", "name", l->name,
			"series", l->series, "state", state_of(levels, l), "since", member_text(l->document, "since"),
			"review_by", member_text(l->document, "review_by"), "retire_by",
			member_text(l->document, "retire_by"), "guests_n", (int)l->guests->len, "groups", brief));
	}
	json_object_set_new(answer, "date", json_string(today));
	json_object_set_new(answer, "levels", array);
	return answer;
}

/* --- one host ----------------------------------------------------------------------------------- */

static bool has_host(const GPtrArray *hosts, const struct host *host)
{
	return g_ptr_array_find((GPtrArray *)hosts, host, NULL);
}

/* The group of a host's architecture and vendor, with what a look at a level without it says. */
static struct level_group_look *group_for(const struct level_look *look, const struct host *host)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new(), groups = NULL;
	const struct baseline *b;

	g_ptr_array_add(one, (void *)host);
	groups = baseline_sorted(one);
	b = groups->pdata[0];
	for (guint i = 0; i < look->groups->len; i++) {
		struct level_group_look *g = g_ptr_array_index(look->groups, i);

		if (has_host(g->holds, host) || has_host(g->below, host) || has_host(g->unknown, host))
			return g;
		if (!g_strcmp0(b->arch, member_text(g->group, "arch")) &&
		    !g_strcmp0(b->vendor, member_text(g->group, "vendor")))
			return g;
	}
	return NULL;
}

static const char *takes_word(const struct answering *a, const struct level_group_look *g, const struct host *host)
{
	struct routes *routes;
	enum verdict v;
	int fits;

	if (!g || !g->guest)
		return g ? "unknown" : "no";
	routes = routes_new(a);
	v = routes_start(routes, g->guest, host->profile);
	fits = level_viommu_fits(g->group, host->profile);
	routes_free(routes);
	if (v == V_BLOCK || !fits)
		return "no";
	return v == V_UNKNOWN || fits < 0 ? "unknown" : "yes";
}

json_t *answer_level_join(const struct answering *a, const struct level_site *site, const struct level *level,
			  const struct host *host)
{
	json_t *answer = answer_new("level-join");
	struct level_look *look = level_look(a, site, level, false);
	const struct level_group_look *g = group_for(look, host);
	const char *takes = takes_word(a, g, host);
	json_t *guests = level_guests_json(a, site, level);
	g_autoptr(GPtrArray) parts = g_ptr_array_new();

	json_object_set_new(answer, "host", json_string(host->name));
	json_object_set_new(answer, "level", json_string(level->name));
	json_object_set_new(answer, "selected", json_boolean(has_host(look->hosts, host)));
	json_object_set_new(answer, "group", g ? json_pack("{s:s, s:s, s:i}", "arch", member_text(g->group, "arch"),
							   "vendor", member_text(g->group, "vendor"), "holds_n",
							   (int)g->holds->len) : json_null());
	json_object_set_new(answer, "takes", json_string(takes));
	json_object_set_new(answer, "lacks", g && strcmp(takes, "yes") ? level_lacks(a, site, g->group, g->guest, host) :
									 json_null());
	json_object_set_new(answer, "price",
			    g && strcmp(takes, "yes") ? level_take_in(a, site, level, g, host) : json_null());
	json_object_set_new(answer, "guests", guests);
	g_ptr_array_add(parts, (void *)level->name);
	g_ptr_array_add(parts, host->class->full);
	answer_not_judged(answer);
	answer_decision(answer, a, parts);
	level_look_free(look);
	return answer;
}

static void mark(GHashTable *entries, const struct level *level, const GPtrArray *hosts, const char *takes)
{
	for (guint i = 0; i < hosts->len; i++) {
		json_t *entry = g_hash_table_lookup(entries, ((struct host *)hosts->pdata[i])->name);
		json_t *list = json_object_get(entry, "levels");

		if (entry && !list)
			json_object_set_new(entry, "levels", list = json_array());
		if (entry)
			json_array_append_new(list, json_pack("{s:s, s:s}", "level", level->name, "takes", takes));
	}
}

void answer_hosts_levels(json_t *answer, const struct answering *a, const struct level_site *site,
			 const GPtrArray *levels)
{
	g_autoptr(GHashTable) entries = g_hash_table_new(g_str_hash, g_str_equal);
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(answer, "hosts"), i, entry)
		g_hash_table_insert(entries, (void *)member_text(entry, "name"), entry);
	for (guint k = 0; k < levels->len; k++) {
		const struct level *level = g_ptr_array_index(levels, k);
		struct level_look *look;

		if (level_newest(levels, level->series) != level)
			continue;
		look = level_look(a, site, level, false);
		for (guint g = 0; g < look->groups->len; g++) {
			const struct level_group_look *group = g_ptr_array_index(look->groups, g);

			mark(entries, level, group->holds, "yes");
			mark(entries, level, group->below, "no");
			mark(entries, level, group->unknown, "unknown");
		}
		mark(entries, level, look->outside, "no");
		level_look_free(look);
	}
}
