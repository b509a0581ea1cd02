/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-level.c: the answers "level-propose"; answer-level-show.c has the others. See answer-level.h. */
#include "config.h"

#include <string.h>

#include "answer/level-parts.h"
#include "model/document.h"

/* What all proposals say first. */
static json_t *proposal(const struct level *level, const char *kind)
{
	return json_pack("{s:s, s:s, s:s}", "kind", kind, "series", level->series, "level", level->name);
}

static json_t *strings_of(const GPtrArray *hosts)
{
	return json_hosts(hosts);
}

/* What became of a group, and what the next level would make of it. */
static json_t *group_json(const struct answering *a, const struct level_site *site, const struct level_group_look *g,
			  const json_t *guests)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:o}", "arch", member_text(g->group, "arch"),
				 "vendor", member_text(g->group, "vendor"), "step", level_step_name(g->step), "holds_n",
				 (int)g->holds->len, "below", level_below(a, site, g, g->below), "unknown",
				 level_below(a, site, g, g->unknown), "stuck",
				 g->stuck ? json_incref(g->stuck) : json_array(), "leave_out", json_null());

	if (g->step == LEVEL_SINK) {
		json_t *on = level_guests_on(a, site, g->below);

		json_object_set_new(json, "leave_out",
				    json_pack("{s:o, s:i, s:O, s:i, s:o}", "hosts", strings_of(g->below), "hosts_n",
					      (int)g->below->len, "guests", on, "guests_n", (int)json_array_size(on),
					      "keeps", g->holds->len ? json_true() : json_false()));
		json_decref(on);
	}
	if (g->next) {
		json_t *none = json_array(), *price;

		price = level_price(json_incref(g->gained), json_incref(g->lost), none, (json_t *)guests);
		json_object_set_new(json, "price", price);
		json_object_set(json, "cpu", json_object_get(g->next, "cpu"));
		json_object_set(json, "machine", json_object_get(g->next, "machine"));
		json_decref(none);
	}
	json_object_set(json, "cpu_now", json_object_get(g->group, "cpu"));
	json_object_set(json, "machine_now", json_object_get(g->group, "machine"));
	return json;
}

/* A level's guests, assigned or running with it, by name. */
static json_t *guests_of(const struct answering *a, const struct level_site *site, const struct level *level)
{
	json_t *guests = level_guests_json(a, site, level);
	json_t *names = json_deep_copy(json_object_get(guests, "assigned"));

	json_array_extend(names, json_object_get(guests, "running"));
	json_decref(guests);
	return names;
}

/* Equal for what would make the same next level: whether it has stayed so can be told. */
static json_t *digest_of(const json_t *document)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	const json_t *group;
	size_t i;

	json_array_foreach (json_object_get(document, "groups"), i, group) {
		static const char *const members[] = { "arch", "vendor", "hosts", "cpu", "machine", "viommu" };

		for (size_t m = 0; m < G_N_ELEMENTS(members); m++) {
			char *text = json_dumps(json_object_get(group, members[m]),
						JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

			g_checksum_update(sum, (const guchar *)(text ? text : "-"), -1);
			free(text);
		}
	}
	return json_string(g_checksum_get_string(sum));
}

static void way(json_t *ways, const char *command, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* One way out; @command: NULL, there is none to be run. */
static void way(json_t *ways, const char *command, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	json_array_append_new(ways, json_pack("{s:s, s:s?}", "text", text, "command", command));
}

/* @can: there is a next level */
static json_t *ways_of(const struct level *level, enum level_step step, const char *next, bool can)
{
	const char *retire = member_text(level->document, "retire_by");
	json_t *ways = json_array();
	g_autofree char *apply = g_strdup_printf("capbroker level propose %s --apply%s", level->series,
						 step == LEVEL_SINK ? " --sink" : "");
	g_autofree char *assign = g_strdup_printf("capbroker level assign %s GUEST", next);

	if (step == LEVEL_RAISE) {
		way(ways, apply, "raise it: make %s; no guest changes", next);
		way(ways, assign, "then move guests to it, each at its next cold start");
		way(ways, NULL, "or leave it: %s stays as it is%s%s", level->name, retire ? " until " : "",
		    retire ? retire : "");
	} else if (step == LEVEL_SINK) {
		if (can)
			way(ways, apply, "sink: make %s, which all hosts take; no guest changes", next);
		way(ways, NULL, "or leave those hosts out of the selector: %s stays as it is", level->name);
	} else if (step == LEVEL_HELD) {
		way(ways, NULL, "find out what isn't known, or see what is lost; 'capbroker level create %s' makes a level of what there is",
		    level->series);
	} else {
		way(ways, NULL, "its selectors name no host any more; retire it, or make the next one for others");
	}
	return ways;
}

/* Is there a next level: at least one group steps, and none is left with nothing? */
static bool can_step(const struct level_look *look)
{
	bool any = false;

	for (guint i = 0; i < look->groups->len; i++) {
		const struct level_group_look *g = g_ptr_array_index(look->groups, i);

		if (g->step == LEVEL_SINK && !g->next)
			return false;
		any = any || g->step == LEVEL_RAISE || g->step == LEVEL_SINK;
	}
	return any && (look->step == LEVEL_RAISE || look->step == LEVEL_SINK);
}

/* A raise, a sink, or what holds one back; NULL where the level stays. */
static json_t *step_json(const struct answering *a, const struct level_site *site, const GPtrArray *levels,
			 const struct level *level, const struct level_look *look)
{
	g_autofree char *today = level_date(a->now);
	guint year = (guint)g_ascii_strtoull(today, NULL, 10);
	guint count = level_next_number(levels, level->series, year);
	g_autofree char *next = level_name(level->series, year, count);
	json_t *json, *groups = json_array(), *guests, *document;

	if (look->step == LEVEL_STAYS) {
		json_decref(groups);
		return NULL;
	}
	json = proposal(level, level_step_name(look->step));
	guests = guests_of(a, site, level);
	for (guint i = 0; i < look->groups->len; i++)
		json_array_append_new(groups, group_json(a, site, look->groups->pdata[i], guests));
	json_object_set_new(json, "groups", groups);
	json_object_set_new(json, "guests", guests);
	json_object_set_new(json, "guests_n", json_integer((json_int_t)json_array_size(guests)));
	json_object_set_new(json, "outside", json_hosts(look->outside));
	json_object_set_new(json, "ways", ways_of(level, look->step, next, can_step(look)));
	if (!can_step(look))
		return json;
	document = level_next(a, look, level_head_after(level->document, year, count, today));
	json_object_set_new(json, "next", json_string(next));
	json_object_set_new(json, "digest", digest_of(document));
	json_object_set_new(json, "document", document);
	return json;
}

static const char *due_kind(enum level_due due)
{
	static const char *const names[] = { [LEVEL_REVIEW] = "review", [LEVEL_RETIRE] = "retire",
					     [LEVEL_OVERDUE] = "overdue" };

	return names[due];
}

/* A review, a retirement, or guests that hold one back; NULL where nothing is due. */
static json_t *due_json(const struct answering *a, const struct level_site *site, const GPtrArray *levels,
			const struct level *level)
{
	g_autofree char *today = level_date(a->now);
	json_t *guests = guests_of(a, site, level), *json, *ways;
	const struct level_age age = {
		.newest = level_newest(levels, level->series) == level,
		.guests = (guint)json_array_size(guests),
		.review_by = member_text(level->document, "review_by"),
		.retire_by = member_text(level->document, "retire_by"),
		.today = today,
	};
	enum level_due due = level_due(&age);
	g_autofree char *retire = g_strdup_printf("capbroker level retire %s --reason TEXT", level->name);
	g_autofree char *make = g_strdup_printf("capbroker level create %s", level->series);

	if (due == LEVEL_NOT_DUE) {
		json_decref(guests);
		return NULL;
	}
	json = proposal(level, due_kind(due));
	ways = json_array();
	if (due == LEVEL_RETIRE)
		way(ways, retire, "retire it: no guest has it");
	else if (due == LEVEL_OVERDUE)
		way(ways, "capbroker level assign LEVEL GUEST", "assign these guests to a newer level, each at its next cold start; then retire it");
	else
		way(ways, make, "look at it; where it isn't right any more, make the next one");
	json_object_update_new(json, json_pack("{s:o, s:i, s:s?, s:s?, s:b, s:o}", "guests", guests, "guests_n",
					       (int)age.guests, "review_by", age.review_by, "retire_by", age.retire_by,
					       "newest", (int)age.newest, "ways", ways));
	return json;
}

static bool asked_for(char *const *series, const struct level *level)
{
	return !series || !*series || g_strv_contains((const char *const *)series, level->series);
}

static void add(json_t *to, json_t *one)
{
	if (one)
		json_array_append_new(to, one);
}

json_t *answer_level_propose(const struct answering *a, const struct level_site *site, const GPtrArray *levels,
			     char *const *series)
{
	json_t *answer = answer_new("level-propose"), *proposals = json_array();
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	g_autofree char *today = level_date(a->now);
	guint looked = 0;

	for (guint i = 0; i < levels->len; i++) {
		const struct level *level = g_ptr_array_index(levels, i);

		if (level->is_retired || !asked_for(series, level))
			continue;
		looked++;
		g_ptr_array_add(parts, (void *)level->name);
		if (level_newest(levels, level->series) == level) {
			struct level_look *look = level_look(a, site, level, true);

			for (guint h = 0; h < look->hosts->len; h++)
				g_ptr_array_add(parts, ((struct host *)look->hosts->pdata[h])->class->full);
			add(proposals, step_json(a, site, levels, level, look));
			level_look_free(look);
		}
		add(proposals, due_json(a, site, levels, level));
	}
	json_object_set_new(answer, "date", json_string(today));
	json_object_set_new(answer, "levels_n", json_integer(looked));
	json_object_set_new(answer, "proposals", proposals);
	answer_not_judged(answer);
	answer_decision(answer, a, parts);
	return answer;
}
