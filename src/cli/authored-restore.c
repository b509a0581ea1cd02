/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authored-restore.c: into the database; see authored-json.h. */
#include "config.h"

#include <string.h>

#include "answer/answer-level.h"
#include "author.h"
#include "authored-json.h"
#include "authored.h"
#include "levels.h"
#include "model/document.h"
#include "model/error.h"

#define TEXT_MAX 4096u /* bytes of a name or a word */

struct restoring {
	const struct session *s;
	const json_t *have, *document;
	GError **error;
};

static bool malformed(const struct restoring *r, const char *section, const char *key, const char *what)
{
	g_set_error(r->error, CAPBROKER_ERROR, ERROR_INVALID, "%s: %s: %s (give what 'capbroker export' wrote)", section, key,
		    what);
	return false;
}

/* A short text that must be there, or NULL. */
static const char *word(const json_t *object, const char *key)
{
	const char *text = member_text(object, key);

	return text && strlen(text) <= TEXT_MAX ? text : NULL;
}

static bool read_time(const json_t *object, const char *key, int64_t *seconds)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autoptr(GDateTime) time = word(object, key) ? g_date_time_new_from_iso8601(word(object, key), utc) : NULL;

	if (time)
		*seconds = g_date_time_to_unix(time);
	return time != NULL;
}

/* Who, when and why; borrows from @object. */
static bool read_act(const json_t *object, struct store_act *act)
{
	*act = (struct store_act){ .author = (char *)word(object, "author"), .reason = (char *)word(object, "reason"),
				   .uid = json_integer_value(json_object_get(object, "uid")) };
	return act->author && act->reason && json_is_integer(json_object_get(object, "uid")) &&
	       read_time(object, "at", &act->time);
}

static bool read_number(const char *key, int64_t *id)
{
	gint64 number;
	bool ok = g_ascii_string_to_signed(key, 10, 1, G_MAXINT64, &number, NULL);

	*id = ok ? number : 0;
	return ok;
}

/* --- one entry of each section ------------------------------------------------------------------ */

static bool put_level(struct restoring *r, const char *key, const json_t *value)
{
	const json_t *document = json_object_get(value, "document");
	g_autofree char *text = json_is_object(document) ? document_text(document) : NULL;
	g_autofree char *series = NULL;
	struct store_level level = { .name = (char *)key, .document = text };
	json_t *parsed;
	guint year, number;

	if (!text || !read_act(value, &level.created) || !level_name_split(key, &series, &year, &number))
		return malformed(r, "levels", key, "is no level");
	parsed = level_document(text, key, r->error);
	if (!parsed)
		return false;
	level.series = series;
	level.year = year;
	level.number = number;
	if (strcmp(member_text(parsed, "series"), series)) {
		json_decref(parsed);
		return malformed(r, "levels", key, "is of another series than its document");
	}
	json_decref(parsed);
	return store_put_level(r->s->store, &level, NULL, r->error);
}

static bool is_level(const struct restoring *r, const char *name)
{
	return name && (json_object_get(json_object_get(r->have, "levels"), name) ||
			json_object_get(json_object_get(r->document, "levels"), name));
}

static bool put_retired(struct restoring *r, const char *key, const json_t *value)
{
	struct store_act act;

	if (!is_level(r, key) || !read_act(value, &act))
		return malformed(r, "retired", key, "is no level's retirement");
	return store_retire_level(r->s->store, key, &act, NULL, r->error);
}

static bool put_assigned(struct restoring *r, const char *key, const json_t *value)
{
	struct store_assigned a = { .guest = (char *)key, .guest_name = (char *)word(value, "name"),
				    .level = (char *)word(value, "level") };

	if (!*key || !a.guest_name || !is_level(r, a.level) || !read_act(value, &a.act))
		return malformed(r, "assigned", key, "is no guest of a level");
	return store_assign_level(r->s->store, &a, NULL, r->error);
}

static bool put_log(struct restoring *r, const char *key, const json_t *value)
{
	const json_t *detail = json_object_get(value, "detail");
	g_autofree char *text = json_is_object(detail) ? document_text(detail) : NULL;
	struct store_level_entry e = { .action = (char *)word(value, "action"), .series = (char *)word(value, "series"),
				       .level = (char *)word(value, "level"), .guest = (char *)word(value, "guest"),
				       .detail = text };

	if (!read_number(key, &e.id) || !e.action || !e.series || !text || !read_act(value, &e.act))
		return malformed(r, "level_log", key, "is no entry of the log");
	return store_log_level(r->s->store, &e, r->error);
}

static bool put_override(struct restoring *r, const char *key, const json_t *value)
{
	struct store_override o = {
		.guest = (char *)word(value, "guest"), .guest_name = (char *)word(value, "name"),
		.selector = (char *)word(value, "to"), .check = (char *)word(value, "check"),
		.reason = (char *)word(value, "reason"), .author = (char *)word(value, "author"),
		.accept_risk = json_is_true(json_object_get(value, "accept_risk")),
		.uid = json_integer_value(json_object_get(value, "uid")),
		.revoked_by = (char *)word(value, "revoked_by"),
	};
	bool revoked = !json_is_null(json_object_get(value, "revoked"));

	if (!read_number(key, &o.id) || !o.guest || !o.guest_name || !o.selector || !o.check || !o.reason || !o.author ||
	    !json_is_boolean(json_object_get(value, "accept_risk")) || !read_time(value, "created", &o.created) ||
	    !read_time(value, "expires", &o.expires) || (revoked && !read_time(value, "revoked", &o.revoked)) ||
	    !is_reason(o.reason))
		return malformed(r, "overrides", key, "is no override");
	return store_restore_override(r->s->store, &o, r->error);
}

static bool put_policy(struct restoring *r, const char *key, const json_t *value)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct policy *policy;
	const json_t *line;
	size_t i;

	json_array_foreach (value, i, line) {
		if (!json_is_string(line))
			return malformed(r, "policies", key, "is no list of lines");
		g_string_append_printf(text, "%s%s", i ? "\n" : "", json_string_value(line));
	}
	if (!json_is_array(value) || !*key || strchr(key, '/'))
		return malformed(r, "policies", key, "is no policy by a file's name");
	policy = policy_parse(text->str, text->len, key, r->error);
	if (!policy)
		return false;
	policy_free(policy);
	return store_put_policy(r->s->store, key, text->str, r->error);
}

static bool put_mark(struct restoring *r, enum store_mark_kind kind, const char *host, const char *key,
		     const json_t *value)
{
	const struct store_mark mark = { kind, (char *)host, (char *)key, (char *)json_string_value(value) };

	if (!mark.value || strlen(mark.value) > TEXT_MAX)
		return malformed(r, "hosts", host, "has something that is no text");
	return store_put_mark(r->s->store, &mark, r->error);
}

/* --- merging ------------------------------------------------------------------------------------- */

static void count(json_t *counts, const char *section)
{
	json_object_set_new(counts, section,
			    json_integer(json_integer_value(json_object_get(counts, section)) + 1));
}

/* 1 it is there, 0 it isn't, -1 with the error: there it is otherwise. */
static int is_there(struct restoring *r, const char *section, const char *key, const json_t *there, const json_t *value)
{
	if (!there || json_is_null(there))
		return 0;
	if (json_equal((json_t *)there, (json_t *)value))
		return 1;
	g_set_error(r->error, CAPBROKER_ERROR, ERROR_INVALID,
		    "%s: %s: this database has another one (nothing was restored; take it out of the file, or restore into an empty database)",
		    section, key);
	return -1;
}

static bool merge_pairs(struct restoring *r, enum store_mark_kind kind, const char *host, const json_t *have,
			const json_t *want, json_t *added, json_t *same)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)want, key, value) {
		int there = is_there(r, "hosts", host, json_object_get(have, key), value);

		if (there < 0 || (!there && !put_mark(r, kind, host, key, value)))
			return false;
		count(there ? same : added, "hosts");
	}
	return true;
}

static bool merge_hosts(struct restoring *r, const json_t *want, json_t *added, json_t *same)
{
	const char *name;
	json_t *host;

	json_object_foreach ((json_t *)want, name, host) {
		const json_t *have = json_object_get(json_object_get(r->have, "hosts"), name);
		const json_t *cluster = json_object_get(host, "cluster");
		int there = 1;

		if (!json_is_object(host) || !*name)
			return malformed(r, "hosts", name, "is no host");
		if (json_is_string(cluster))
			there = is_there(r, "hosts", name, json_object_get(have, "cluster"), cluster);
		if (there < 0 || (!there && !put_mark(r, MARK_CLUSTER, name, "", cluster)))
			return false;
		if (json_is_string(cluster))
			count(there ? same : added, "hosts");
		if (!merge_pairs(r, MARK_LABEL, name, json_object_get(have, "labels"), json_object_get(host, "labels"), added,
				 same) ||
		    !merge_pairs(r, MARK_ALIAS, name, json_object_get(have, "aliases"), json_object_get(host, "aliases"),
				 added, same))
			return false;
	}
	return true;
}

static const struct {
	const char *name;
	bool (*put)(struct restoring *r, const char *key, const json_t *value);
} sections[] = {
	{ "levels", put_level },       { "retired", put_retired },     { "assigned", put_assigned },
	{ "level_log", put_log },      { "overrides", put_override },  { "policies", put_policy },
};

static bool merge_section(struct restoring *r, size_t section, json_t *added, json_t *same)
{
	const char *name = sections[section].name, *key;
	const json_t *have = json_object_get(r->have, name);
	json_t *value;

	json_object_foreach (json_object_get(r->document, name), key, value) {
		int there = is_there(r, name, key, json_object_get(have, key), value);

		if (there < 0 || (!there && !sections[section].put(r, key, value)))
			return false;
		count(there ? same : added, name);
	}
	return true;
}

bool authored_restore(const struct session *s, const json_t *have, const json_t *document, json_t *added, json_t *same,
		      GError **error)
{
	struct restoring r = { s, have, document, error };
	const char *key;
	json_t *value;

	if (g_strcmp0(member_text(document, "format"), AUTHORED_FORMAT)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "is no %s (give what 'capbroker export' wrote)",
			    AUTHORED_FORMAT);
		return false;
	}
	/* what this version doesn't know would be lost */
	json_object_foreach ((json_t *)document, key, value) {
		bool known = !strcmp(key, "format") || !strcmp(key, "hosts");

		for (size_t i = 0; i < G_N_ELEMENTS(sections); i++)
			known = known || !strcmp(sections[i].name, key);
		if (!known || (strcmp(key, "format") && !json_is_object(value)))
			return malformed(&r, key, "it", known ? "is no object" : "is unknown to this version");
	}
	if (!merge_hosts(&r, json_object_get(document, "hosts"), added, same))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(sections); i++)
		if (!merge_section(&r, i, added, same))
			return false;
	return true;
}
