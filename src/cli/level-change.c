/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* level-change.c: level create, assign and retire; see cmd-level.c. */
#include "config.h"

#include <string.h>

#include "commands.h"
#include "level-parts.h"
#include "model/document.h"
#include "planning.h"

static bool check_create(const char *series, GError **error)
{
	const struct level_options *o = &level_options;

	if (!level_series_valid(series)) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "level: '%s' is no name of a series (at most %u letters, digits, '-' and '_', beginning with a letter)",
			    series, LEVEL_SERIES_MAX);
		return false;
	}
	if (o->accel && strcmp(o->accel, "kvm") && strcmp(o->accel, "tcg")) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "level: --accel %s: is neither kvm nor tcg (see capbroker level --help)",
			    o->accel);
		return false;
	}
	return level_option_date("since", o->since, error) && level_option_date("review-by", o->review_by, error) &&
	       level_option_date("retire-by", o->retire_by, error);
}

static bool check_dates(const char *since, GError **error)
{
	const struct level_options *o = &level_options;
	const char *before = o->review_by && strcmp(o->review_by, since) < 0 ? "review-by" :
			     o->retire_by && strcmp(o->retire_by, since) < 0 ? "retire-by" : NULL;

	if (before)
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "level: --%s: is before the level begins, %s (give a later day)",
			    before, since);
	return !before;
}

/* The document of the next level of a series; the year is that of its first day. */
static json_t *make(struct session *s, const struct levels *levels, char **args, const GPtrArray *hosts, GError **error)
{
	const struct level_options *o = &level_options;
	const struct baseline_options baseline = { .accel = o->accel };
	const struct planning_names names = { .coverage = o->coverage, .weight_label = o->weight_label,
					      .pins = o->pins, .forbid = o->forbid };
	const struct level *before = level_newest(levels->all, args[0]);
	g_autofree char *today = level_date(s->answering.now);
	const char *since = o->since ? o->since : today;
	guint year = (guint)g_ascii_strtoull(since, NULL, 10);
	struct plans plans;
	json_t *document = NULL;

	if (!check_dates(since, error))
		return NULL;
	if (plans_open(&plans, s, &baseline, &names, hosts, error))
		document = level_make(&s->answering, &levels->site,
				      level_head(args[0], year, level_next_number(levels->all, args[0], year), args + 1,
						 &plans.planning, o->accel, since, o->review_by, o->retire_by,
						 before ? before->name : NULL),
				      hosts, error);
	plans_close(&plans);
	return document;
}

bool level_store(struct session *s, const char *action, json_t *document, const json_t *detail,
		 const struct store_act *act, GError **error)
{
	g_autofree char *text = document_text(document), *more = document_text(detail);
	struct store_level level = { .name = (char *)member_text(document, "name"),
				     .series = (char *)member_text(document, "series"), .document = text,
				     .created = *act };
	const struct store_level_entry entry = { .action = (char *)action, .series = level.series,
						 .level = level.name, .act = *act, .detail = more };
	guint year, number;

	level_name_split(level.name, NULL, &year, &number);
	level.year = year;
	level.number = number;
	return store_put_level(s->store, &level, &entry, error);
}

json_t *level_create(struct session *s, const struct cli *cli, char **args, GError **error)
{
	struct store_act act = { 0 };
	struct levels levels = { 0 };
	g_autoptr(GPtrArray) hosts = NULL;
	json_t *document = NULL, *answer = NULL, *detail = json_object();

	if (check_create(args[0], error) && level_act_now(&act, level_options.reason, s->answering.now, error))
		hosts = session_select(s, args + 1, error);
	if (hosts && !hosts->len)
		g_set_error(error, CLI_ERROR, CLI_ERROR_NAME, "level: no host is known (probe or import some)");
	if (hosts && hosts->len && levels_open(&levels, s, error))
		document = make(s, &levels, args, hosts, error);
	if (document && session_store(s, cli, error) && level_store(s, "create", document, detail, &act, error)) {
		answer = level_changed("create", member_text(document, "name"), &act);
		json_object_set(answer, "document", document);
	}
	json_decref(document);
	json_decref(detail);
	levels_close(&levels);
	level_act_clear(&act);
	return answer;
}

/* --- assign -------------------------------------------------------------------------------------- */

static bool same_guest(const struct store_assigned *a, const struct guest *guest, const char *name)
{
	const char *id = guest ? guest->uuid ? guest->uuid : guest->name : name;

	return !g_ascii_strcasecmp(a->guest, id) || (!guest && !strcmp(a->guest_name, name));
}

/* The assignment that a guest has, also one that is known no more. */
static const struct store_assigned *assigned(const struct levels *levels, const struct guest *guest, const char *name)
{
	for (guint i = 0; i < levels->assignments->len; i++)
		if (same_guest(levels->assignments->pdata[i], guest, name))
			return levels->assignments->pdata[i];
	return NULL;
}

static bool assign_one(struct session *s, const struct level *level, const struct store_assigned *had,
		       const struct guest *guest, const struct store_act *act, GError **error)
{
	g_autofree char *detail = had ? g_strdup_printf("{\"from\":\"%s\"}", had->level) : g_strdup("{}");
	const struct store_assigned a = { .guest = guest->uuid ? guest->uuid : guest->name, .guest_name = guest->name,
					  .level = (char *)level->name, .act = *act };
	const struct store_level_entry entry = { .action = (char *)"assign", .series = (char *)level->series,
						 .level = (char *)level->name, .guest = a.guest, .act = *act,
						 .detail = detail };

	return store_assign_level(s->store, &a, &entry, error);
}

static bool unassign_one(struct session *s, const struct store_assigned *had, const struct store_act *act, GError **error)
{
	g_autofree char *series = NULL;
	guint year, number;
	struct store_level_entry entry = { .action = (char *)"unassign", .level = had->level, .guest = had->guest,
					   .act = *act, .detail = (char *)"{}" };

	level_name_split(had->level, &series, &year, &number);
	entry.series = series ? series : had->level;
	return store_unassign_level(s->store, had->guest, &entry, error);
}

/* All guests are looked up before any is changed. */
static GPtrArray *guests_named(struct session *s, const struct levels *levels, char **names, GError **error)
{
	g_autoptr(GPtrArray) guests = g_ptr_array_new();

	for (; *names; names++) {
		bool had = level_options.unassign && assigned(levels, NULL, *names);
		struct guest *guest = session_guest(s, *names, had ? NULL : error);

		if (!guest && !had)
			return NULL;
		if (level_options.unassign && !had && !assigned(levels, guest, *names)) {
			g_set_error(error, CLI_ERROR, CLI_ERROR_NAME,
				    "%s: is assigned to no level (see 'capbroker level show LEVEL')", *names);
			return NULL;
		}
		g_ptr_array_add(guests, guest);
	}
	return g_steal_pointer(&guests);
}

static bool change_all(struct session *s, const struct levels *levels, const struct level *level, char **names,
		       const GPtrArray *guests, const struct store_act *act, GError **error)
{
	if (!store_begin(s->store, error))
		return false;
	for (guint i = 0; i < guests->len; i++) {
		const struct guest *guest = g_ptr_array_index(guests, i);
		const struct store_assigned *had = assigned(levels, guest, names[i]);

		if (level ? !assign_one(s, level, had, guest, act, error) : had && !unassign_one(s, had, act, error)) {
			store_rollback(s->store);
			return false;
		}
	}
	return store_commit(s->store, error);
}

json_t *level_assign_guests(struct session *s, const struct cli *cli, char **args, GError **error)
{
	bool unassign = level_options.unassign;
	char **names = unassign ? args : args + 1;
	struct store_act act = { 0 };
	struct levels levels = { 0 };
	g_autoptr(GPtrArray) guests = NULL;
	const struct level *level = NULL;
	json_t *answer = NULL, *list;

	if (!*names)
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "level: assign: no guest is named (see capbroker level --help)");
	else if (level_act_now(&act, level_options.reason, s->answering.now, error) && levels_open(&levels, s, error))
		level = unassign ? NULL : levels_find(&levels, args[0], error);
	if (level && level->is_retired) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_NAME, "%s: is retired (see 'capbroker level list' for others)",
			    level->name);
		level = NULL;
	}
	if (level || (unassign && levels.assignments))
		guests = guests_named(s, &levels, names, error);
	if (guests && session_store(s, cli, error) && change_all(s, &levels, level, names, guests, &act, error)) {
		answer = level_changed(unassign ? "unassign" : "assign", level ? level->name : "", &act);
		list = json_array();
		for (char **n = names; *n; n++)
			json_array_append_new(list, json_string(*n));
		json_object_set_new(answer, "guests", list);
	}
	levels_close(&levels);
	level_act_clear(&act);
	return answer;
}

/* --- retire -------------------------------------------------------------------------------------- */

static bool may_retire(const struct session *s, const struct levels *levels, const struct level *level, GError **error)
{
	json_t *guests;
	json_int_t n;

	if (level->is_retired) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_NAME, "%s: is retired already (see 'capbroker level list --all')",
			    level->name);
		return false;
	}
	guests = level_guests_json(&s->answering, &levels->site, level);
	n = json_integer_value(json_object_get(guests, "guests_n"));
	json_decref(guests);
	if (n)
		g_set_error(error, CLI_ERROR, CLI_ERROR_NAME,
			    "%s: %d guest%s (assign them to another level, see 'capbroker level show %s')", level->name,
			    (int)n, n == 1 ? " has it" : "s have it", level->name);
	return !n;
}

bool level_store_retired(struct session *s, const struct level *level, const json_t *detail,
			 const struct store_act *act, GError **error)
{
	g_autofree char *more = document_text(detail);
	const struct store_level_entry entry = { .action = (char *)"retire", .series = (char *)level->series,
						 .level = (char *)level->name, .act = *act, .detail = more };

	return store_retire_level(s->store, level->name, act, &entry, error);
}

json_t *level_retire(struct session *s, const struct cli *cli, char **args, GError **error)
{
	struct store_act act = { 0 };
	struct levels levels = { 0 };
	const struct level *level = NULL;
	json_t *answer = NULL, *detail = json_object();

	if (!level_options.reason)
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "level: retire: --reason is needed (see capbroker level --help)");
	else if (level_act_now(&act, level_options.reason, s->answering.now, error) && levels_open(&levels, s, error))
		level = levels_find(&levels, args[0], error);
	/* a series' newest is never what somebody means to retire */
	if (level && strcmp(level->name, args[0])) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_NAME, "%s: is a series (name one of its levels, such as %s)", args[0],
			    level->name);
		level = NULL;
	}
	if (level && may_retire(s, &levels, level, error) && session_store(s, cli, error) &&
	    level_store_retired(s, level, detail, &act, error))
		answer = level_changed("retire", level->name, &act);
	json_decref(detail);
	levels_close(&levels);
	level_act_clear(&act);
	return answer;
}
