/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* authored-json.c: out of the database; see authored-json.h. */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "authored-json.h"
#include "authored.h"
#include "files.h"
#include "levels.h"

static json_t *time_json(int64_t seconds)
{
	g_autofree char *text = time_text(seconds);

	return json_string(text);
}

static json_t *act_json(const struct store_act *act)
{
	return json_pack("{s:s, s:o, s:s, s:I}", "author", act->author, "at", time_json(act->time), "reason",
			 act->reason, "uid", (json_int_t)act->uid);
}

static json_t *text_json(const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

	return json ? json : json_string(text);
}

/* Numbers as keys, so that they sort. */
static void set_numbered(json_t *object, int64_t id, json_t *value)
{
	g_autofree char *key = g_strdup_printf("%08" G_GINT64_FORMAT, (gint64)id);

	json_object_set_new(object, key, value);
}

static bool add_hosts(json_t *all, const struct session *s, GError **error)
{
	g_autoptr(GPtrArray) marks = store_marks(s->store, error);
	json_t *hosts = json_object(), *sorted = json_object();
	g_autoptr(GList) names = NULL;
	const char *name;
	json_t *host;

	for (guint i = 0; marks && i < marks->len; i++) {
		const struct store_mark *m = g_ptr_array_index(marks, i);

		host = json_object_get(hosts, m->host);
		if (!host)
			json_object_set_new(hosts, m->host,
					    host = json_pack("{s:n, s:{}, s:{}}", "cluster", "labels", "aliases"));
		if (m->kind == MARK_CLUSTER)
			json_object_set_new(host, "cluster", json_string(m->value));
		else
			json_object_set_new(json_object_get(host, m->kind == MARK_LABEL ? "labels" : "aliases"), m->key,
					    json_string(m->value));
	}
	json_object_foreach (hosts, name, host)
		names = g_list_prepend(names, (void *)name);
	names = g_list_sort(names, (GCompareFunc)strcmp);
	for (GList *n = names; n; n = n->next)
		json_object_set(sorted, n->data, json_object_get(hosts, n->data));
	json_decref(hosts);
	json_object_set_new(all, "hosts", sorted);
	return marks != NULL;
}

static bool add_levels(json_t *all, const struct session *s, GError **error)
{
	g_autoptr(GPtrArray) stored = store_levels(s->store, error);
	json_t *levels = json_object(), *retired = json_object();

	for (guint i = 0; stored && i < stored->len; i++) {
		const struct store_level *l = g_ptr_array_index(stored, i);
		json_t *one = act_json(&l->created);

		json_object_set_new(one, "document", text_json(l->document));
		json_object_set_new(levels, l->name, one);
		if (l->is_retired)
			json_object_set_new(retired, l->name, act_json(&l->retired));
	}
	json_object_set_new(all, "levels", levels);
	json_object_set_new(all, "retired", retired);
	return stored != NULL;
}

static bool add_assigned(json_t *all, const struct session *s, GError **error)
{
	g_autoptr(GPtrArray) stored = store_assignments(s->store, error);
	json_t *assigned = json_object();

	for (guint i = 0; stored && i < stored->len; i++) {
		const struct store_assigned *a = g_ptr_array_index(stored, i);
		json_t *one = act_json(&a->act);

		json_object_set_new(one, "name", json_string(a->guest_name));
		json_object_set_new(one, "level", json_string(a->level));
		json_object_set_new(assigned, a->guest, one);
	}
	json_object_set_new(all, "assigned", assigned);
	return stored != NULL;
}

static bool add_log(json_t *all, const struct session *s, GError **error)
{
	g_autoptr(GPtrArray) stored = store_level_log(s->store, NULL, error);
	json_t *log = json_object();

	for (guint i = 0; stored && i < stored->len; i++) {
		const struct store_level_entry *e = g_ptr_array_index(stored, i);
		json_t *one = act_json(&e->act), *more;

		more = json_pack("{s:s, s:s, s:s?, s:s?, s:o}", "action", e->action, "series", e->series, "level",
				 e->level, "guest", e->guest, "detail", text_json(e->detail));
		json_object_update_new(one, more);
		set_numbered(log, e->id, one);
	}
	json_object_set_new(all, "level_log", log);
	return stored != NULL;
}

static bool add_overrides(json_t *all, const struct session *s, GError **error)
{
	g_autoptr(GPtrArray) stored = store_overrides(s->store, error);
	json_t *overrides = json_object();

	for (guint i = 0; stored && i < stored->len; i++) {
		const struct store_override *o = g_ptr_array_index(stored, i);

		set_numbered(overrides, o->id,
			     json_pack("{s:s, s:I, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:b, s:o, s:s?}", "author",
				       o->author, "uid", (json_int_t)o->uid, "reason", o->reason, "created",
				       time_json(o->created), "expires", time_json(o->expires), "guest", o->guest, "name",
				       o->guest_name, "to", o->selector, "check", o->check, "accept_risk",
				       (int)o->accept_risk, "revoked", o->revoked ? time_json(o->revoked) : json_null(),
				       "revoked_by", o->revoked_by));
	}
	json_object_set_new(all, "overrides", overrides);
	return stored != NULL;
}

/* A text by its lines. */
static json_t *lines_json(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	json_t *array = json_array();

	for (size_t i = 0; lines[i]; i++)
		json_array_append_new(array, json_string(lines[i]));
	return array;
}

/* Those that were restored, and the one in force under its file's name. */
static bool add_policies(json_t *all, const struct session *s, GError **error)
{
	g_autoptr(GHashTable) stored = store_policies(s->store, error);
	g_autoptr(GList) names = NULL;
	json_t *policies = json_object();
	gsize length;

	if (stored && s->policy) {
		char *bytes = NULL;

		if (!file_read(s->policy_path, POLICY_MAX_BYTES, &bytes, &length, error)) {
			json_decref(policies);
			return false;
		}
		g_hash_table_insert(stored, g_path_get_basename(s->policy_path), bytes);
	}
	names = stored ? g_list_sort(g_hash_table_get_keys(stored), (GCompareFunc)strcmp) : NULL;
	for (GList *n = names; n; n = n->next)
		json_object_set_new(policies, n->data, lines_json(g_hash_table_lookup(stored, n->data)));
	json_object_set_new(all, "policies", policies);
	return stored != NULL;
}

json_t *authored_json(const struct session *s, GError **error)
{
	json_t *all = json_pack("{s:s}", "format", AUTHORED_FORMAT);

	if (add_hosts(all, s, error) && add_levels(all, s, error) && add_assigned(all, s, error) &&
	    add_log(all, s, error) && add_overrides(all, s, error) && add_policies(all, s, error))
		return all;
	json_decref(all);
	return NULL;
}
