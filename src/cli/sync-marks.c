/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sync-marks.c: machine types and levels of each host; see sync.h. */
#include "config.h"

#include <string.h>

#include "client.h"
#include "level-load.h"
#include "sync.h"

static GPtrArray *marks_of(struct sync *sync, const struct host *host)
{
	GPtrArray *marks = g_hash_table_lookup(sync->marks, host);

	if (!marks)
		g_hash_table_insert(sync->marks, (gpointer)host, marks = marks_new());
	return marks;
}

/* Hosts that surely take the guests of a level. */
static void mark_level(struct sync *sync, const struct levels *levels, const struct level *level)
{
	struct level_look *look = level_look(&sync->session->answering, &levels->site, level, false);

	for (guint i = 0; i < look->groups->len; i++) {
		const struct level_group_look *group = g_ptr_array_index(look->groups, i);

		for (guint k = 0; k < group->holds->len; k++)
			marks_add(marks_of(sync, group->holds->pdata[k]), "level", level->name);
	}
	level_look_free(look);
}

bool sync_marks(struct sync *sync, GError **error)
{
	struct levels levels;
	bool ok = levels_open(&levels, sync->session, error);

	for (guint i = 0; i < sync->hosts->len; i++) {
		const struct host *host = g_ptr_array_index(sync->hosts, i);

		if (!marks_add_machines(marks_of(sync, host), host->profile))
			g_ptr_array_add(sync->untold, (gpointer)host);
	}
	for (guint i = 0; ok && i < levels.all->len; i++) {
		const struct level *level = g_ptr_array_index(levels.all, i);

		if (!level->is_retired)
			mark_level(sync, &levels, level);
	}
	levels_close(&levels);
	return ok;
}

json_t *sync_call(struct client *client, const char *method, const char *path, json_t *body, long *status,
		  GError **error)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct client_reply reply;
	json_t *json = NULL;

	json_decref(body);
	if (client_send(client, method, path, text, text ? strlen(text) : 0, &reply, error)) {
		*status = reply.status;
		json = json_loadb((const char *)reply.body->data, reply.body->len, 0, NULL);
		client_reply_clear(&reply);
		if (!json)
			json = json_null();
	}
	free(text);
	return json;
}
