/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* groups.c: guests that get one answer everywhere; see routes.h. */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "answer/routes.h"
#include "guest/twins.h"
#include "model/document.h"

static void group_free(void *data)
{
	struct guest_group *group = data;

	g_ptr_array_unref(group->guests);
	g_free(group);
}

/* What a guest needs, without what tells it from its twins. */
static json_t *anonymous(const struct needs *needs)
{
	json_t *json = needs ? needs_to_json(needs) : json_null();
	const char *definition = json_string_value(json_object_get(json, "definition"));

	json_object_del(json, "name");
	json_object_del(json, "uuid");
	if (definition) {
		g_autofree char *text = twins_text(definition, needs->name, needs->uuid);

		json_object_set_new(json, "definition", json_string(text));
	}
	return json;
}

json_t *guest_group_needs(const struct guest_group *group)
{
	return json_pack("{s:o, s:o}", "live", anonymous(group->first->live), "defined",
			 anonymous(group->first->defined));
}

json_t *guest_group_json(const struct guest_group *group)
{
	const struct needs *needs = guest_needs(group->first);
	json_t *names = json_array();

	for (guint i = 0; i < group->guests->len; i++) {
		const struct guest *guest = g_ptr_array_index(group->guests, i);

		json_array_append_new(names, json_string(guest->name));
	}
	return json_pack("{s:o, s:i, s:b, s:s?, s:s?}", "guests", names, "guests_n",
			 (int)group->guests->len, "running", group->first->running, "machine",
			 needs->machine, "cpu",
			 needs->cpu ? (needs->cpu->model ? needs->cpu->model
							 : cpu_mode_name(needs->cpu->mode))
				    : NULL);
}

/* Texts of needs, by the needs: those that several guests share are written out once. */
static const char *text_of(GHashTable *texts, const struct needs *needs)
{
	char *text = needs ? g_hash_table_lookup(texts, needs) : NULL;
	json_t *json;

	if (!needs || text)
		return needs ? text : "";
	json = anonymous(needs);
	text = document_text(json);
	json_decref(json);
	g_hash_table_insert(texts, (void *)needs, text);
	return text;
}

/* Its host is told, and is in the fleet no more. */
static bool host_is_gone(const struct guest *guest, const struct host *from)
{
	return guest->host && !from;
}

static struct guest_group *group_of(GHashTable *by_key, GHashTable *texts, GPtrArray *groups,
				    const struct guest *guest, const struct host *from,
				    const char *allowed)
{
	bool moves = guest->running && !host_is_gone(guest, from);
	char *key = g_strdup_printf("%d%d%d %s %s\n%s\n%s", guest->running, moves, guest->saved,
				    moves && from ? from->class->full : "-",
				    text_of(texts, guest->live), text_of(texts, guest->defined), allowed);
	struct guest_group *group = g_hash_table_lookup(by_key, key);

	if (group) {
		g_free(key);
		return group;
	}
	group = g_new0(struct guest_group, 1);
	group->first = guest;
	group->from = moves ? from : NULL;
	group->question = moves ? ASK_MIGRATE : ASK_START;
	group->guests = g_ptr_array_new();
	g_hash_table_insert(by_key, key, group);
	g_ptr_array_add(groups, group);
	return group;
}

GPtrArray *guest_groups(const struct answering *a, const GPtrArray *guests)
{
	g_autoptr(GHashTable) by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) texts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	GPtrArray *groups = g_ptr_array_new_with_free_func(group_free);

	for (guint i = 0; i < guests->len; i++) {
		const struct guest *g = g_ptr_array_index(guests, i);
		const struct host *from = g->host ? fleet_find(a->fleet, g->host) : NULL;

		/* who was allowed something is unlike its twins */
		g_autofree char *allowed = override_signature(a, g, NULL);

		g_ptr_array_add(group_of(by_key, texts, groups, g, from, allowed)->guests, (void *)g);
	}
	return groups;
}
