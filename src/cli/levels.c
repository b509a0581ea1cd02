/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* levels.c: the store's levels as the answers take them; see level-parts.h. */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "author.h"
#include "level-parts.h"
#include "model/error.h"

static struct level_act act_of(const struct store_act *act)
{
	return (struct level_act){ act->author, act->uid, act->time, act->reason };
}

static void assign_all(struct levels *l)
{
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < l->all->len; i++) {
		struct level *level = g_ptr_array_index(l->all, i);

		g_hash_table_insert(by_name, (void *)level->name, level);
	}
	for (guint i = 0; i < l->assignments->len; i++) {
		const struct store_assigned *a = g_ptr_array_index(l->assignments, i);
		struct level *level = g_hash_table_lookup(by_name, a->level);

		if (level)
			level_assign(level, a->guest, a->guest_name, act_of(&a->act));
	}
}

bool levels_open(struct levels *l, const struct session *s, GError **error)
{
	*l = (struct levels){ .site = { s->files->weights, s->policy, s->guests } };
	l->stored = store_levels(s->store, error);
	l->assignments = l->stored ? store_assignments(s->store, error) : NULL;
	l->all = g_ptr_array_new_with_free_func((GDestroyNotify)level_free);
	for (guint i = 0; l->assignments && i < l->stored->len; i++) {
		const struct store_level *from = g_ptr_array_index(l->stored, i);
		json_t *document = level_document(from->document, from->name, error);
		struct level *level = document ? level_new(from->name, document) : NULL;

		if (!level)
			return false;
		level->created = act_of(&from->created);
		level->is_retired = from->is_retired;
		level->retired = act_of(&from->retired);
		g_ptr_array_add(l->all, level);
	}
	if (l->assignments)
		assign_all(l);
	return l->assignments != NULL;
}

void levels_close(struct levels *l)
{
	g_clear_pointer(&l->all, g_ptr_array_unref);
	g_clear_pointer(&l->assignments, g_ptr_array_unref);
	g_clear_pointer(&l->stored, g_ptr_array_unref);
}

const struct level *levels_find(const struct levels *l, const char *name, GError **error)
{
	const struct level *newest = level_newest(l->all, name);

	for (guint i = 0; i < l->all->len; i++) {
		const struct level *level = g_ptr_array_index(l->all, i);

		if (!strcmp(level->name, name))
			return level;
	}
	if (!newest)
		g_set_error(error, CLI_ERROR, CLI_ERROR_NAME,
			    "%s: no level of that name, or series of levels (see 'capbroker level list')", name);
	return newest;
}

bool level_act_now(struct store_act *act, const char *reason, int64_t now, GError **error)
{
	*act = (struct store_act){ .time = now };
	if (reason && !is_reason(reason)) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "level: --reason: one line of at most %d bytes is expected (see capbroker level --help)",
			    REASON_MAX);
		return false;
	}
	act->author = author_name(&act->uid);
	act->reason = g_strdup(reason ? reason : "");
	return true;
}

void level_act_clear(struct store_act *act)
{
	g_clear_pointer(&act->author, g_free);
	g_clear_pointer(&act->reason, g_free);
}

bool level_option_date(const char *option, const char *text, GError **error)
{
	if (!text || level_date_valid(text))
		return true;
	g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
		    "level: --%s %s: is no day (write it as 2026-12-24)", option, text);
	return false;
}

json_t *level_entry_json(const struct store_level_entry *e)
{
	g_autofree char *at = time_text(e->act.time);
	json_t *detail = json_loads(e->detail, JSON_DECODE_ANY, NULL);

	return json_pack("{s:I, s:s, s:s, s:s, s:s?, s:s?, s:s, s:I, s:s, s:o}", "id", (json_int_t)e->id, "at", at,
			 "action", e->action, "series", e->series, "level", e->level, "guest", e->guest, "by",
			 e->act.author, "uid", (json_int_t)e->act.uid, "reason", e->act.reason, "detail",
			 detail ? detail : json_object());
}

json_t *level_changed(const char *action, const char *level, const struct store_act *act)
{
	g_autofree char *at = time_text(act->time);
	json_t *answer = answer_new("level-change");

	json_object_update_new(answer, json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "action", action, "level", level,
						 "by", act->author, "uid", (json_int_t)act->uid, "at", at, "reason",
						 act->reason));
	return answer;
}
