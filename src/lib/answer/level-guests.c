/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* level-guests.c: levels and the guests that have them; see answer-level.h. */
#include "config.h"

#include <string.h>

#include "answer/level-parts.h"
#include "guest/xml.h"
#include "model/arch.h"
#include "model/bits.h"
#include "model/document.h"
#include "model/error.h"

static void assigned_free(void *data)
{
	struct level_assigned *g = data;

	g_free(g->guest);
	g_free(g->name);
	g_free(g);
}

struct level *level_new(const char *name, json_t *document)
{
	struct level *level = g_new0(struct level, 1);

	level->name = name;
	level->series = member_text(document, "series");
	level->document = document;
	level->guests = g_ptr_array_new_with_free_func(assigned_free);
	level_name_split(name, NULL, &level->year, &level->number);
	return level;
}

void level_free(struct level *level)
{
	if (!level)
		return;
	json_decref(level->document);
	g_ptr_array_unref(level->guests);
	g_free(level);
}

void level_assign(struct level *level, const char *guest, const char *name, struct level_act act)
{
	struct level_assigned *g = g_new0(struct level_assigned, 1);

	g->guest = g_strdup(guest);
	g->name = g_strdup(name);
	g->act = act;
	g_ptr_array_add(level->guests, g);
}

static bool group_is_sound(const json_t *group)
{
	static const char *const lists[] = { "hosts", "left_out", "machines" };

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		if (!json_is_array(json_object_get(group, lists[i])))
			return false;
	return member_text(group, "arch") && member_text(group, "vendor") &&
	       json_is_object(json_object_get(group, "cpu"));
}

json_t *level_document(const char *text, const char *where, GError **error)
{
	json_t *document = json_bytes_parse(text, strlen(text), PROFILE_MAX_BYTES, error);
	const json_t *groups = json_object_get(document, "groups"), *group;
	const char *name = member_text(document, "name");
	bool sound = json_is_array(groups) && !g_strcmp0(member_text(document, "format"), LEVEL_FORMAT) && name &&
		     !strcmp(name, where) && member_text(document, "series") && member_text(document, "since") &&
		     json_is_array(json_object_get(document, "selectors"));
	size_t i;

	json_array_foreach (groups, i, group)
		sound = sound && group_is_sound(group);
	if (document && !sound)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "not a level of that name (restore it from an export)");
	if (document && sound)
		return document;
	g_prefix_error(error, "level %s: ", where);
	json_decref(document);
	return NULL;
}

const struct level *level_newest(const GPtrArray *levels, const char *series)
{
	const struct level *newest = NULL;

	for (guint i = 0; i < levels->len; i++) {
		const struct level *l = g_ptr_array_index(levels, i);

		if (!l->is_retired && !strcmp(l->series, series))
			newest = l;
	}
	return newest;
}

/* --- a level's own guest ------------------------------------------------------------------------ */

static struct needs *needs_of(const json_t *group, bool viommu)
{
	g_autofree char *text = level_group_xml(group, viommu);
	g_autoptr(XmlDocument) xml = xml_parse(text, strlen(text), "level", NULL);

	return xml ? needs_from_xml(xml, NULL) : NULL;
}

struct guest *level_guest(const struct answering *a, const json_t *group, bool viommu)
{
	struct guest *guest = g_new0(struct guest, 1);

	guest->name = g_strdup("level");
	guest->running = true;
	guest->defined = needs_of(group, viommu);
	if (!guest->defined) {
		guest_free(guest);
		return NULL;
	}
	guest_expand(guest, a->judge);
	return guest;
}

struct guest *level_guest_of(const struct answering *a, const json_t *group)
{
	return level_guest(a, group, true);
}

json_t *level_moves(struct routes *routes, const struct guest *guest, const GPtrArray *classes)
{
	json_t *stuck = json_array();
	guint pairs = 0;

	for (guint i = 0; guest && i < classes->len; i++) {
		const struct host_class *from = g_ptr_array_index(classes, i);

		for (guint k = 0; k < classes->len; k++) {
			const struct host_class *to = g_ptr_array_index(classes, k);
			enum verdict v;

			if (i == k)
				continue;
			pairs++;
			v = routes_move(routes, guest, from->profile, to->profile);
			if (!verdict_is_good(v))
				json_array_append_new(stuck, json_pack("[s, s, s]",
					((struct host *)from->hosts->pdata[0])->name,
					((struct host *)to->hosts->pdata[0])->name, verdict_name(v)));
		}
	}
	return json_pack("{s:i, s:i, s:o}", "pairs", (int)pairs, "good", (int)(pairs - json_array_size(stuck)),
			 "stuck", stuck);
}

/* --- whose guests are a level's ------------------------------------------------------------------ */

static bool same_guest(const struct level_assigned *assigned, const struct guest *guest)
{
	if (guest->uuid && !g_ascii_strcasecmp(assigned->guest, guest->uuid))
		return true;
	return !guest->uuid && !strcmp(assigned->guest, guest->name);
}

static const struct level_assigned *assigned_to(const struct level *level, const struct guest *guest)
{
	for (guint i = 0; i < level->guests->len; i++)
		if (same_guest(level->guests->pdata[i], guest))
			return level->guests->pdata[i];
	return NULL;
}

/* Does the guest's CPU ask for all features that the group gives, under the same model? */
static bool same_cpu(const struct answering *a, const struct guest *guest, const json_t *group)
{
	const json_t *cpu = json_object_get(group, "cpu"), *name;
	const struct cpu_def *def = guest->live->cpu;
	const struct cpu_need *need = guest->live_cpu;
	const char *mode = member_text(cpu, "mode");
	size_t i;

	if (!def || !need || g_strcmp0(def->model, member_text(cpu, "model")) ||
	    strcmp(cpu_mode_name(def->mode), mode ? mode : "custom"))
		return false;
	json_array_foreach (json_object_get(cpu, "features"), i, name) {
		const char *arch = member_text(group, "arch");
		g_autofree char *id = arch_feature_id(arch_family(g_strcmp0(arch, "unknown") ? arch : NULL),
						      NS_LIBVIRT, json_string_value(name));
		int bit = universe_bit(a->judge->universe, id, FALSE);

		if (bit < 0 || (size_t)bit / 64 >= need->words || !bits_test(need->require, (size_t)bit))
			return false;
	}
	return true;
}

bool level_runs(const struct answering *a, const struct guest *guest, const json_t *group)
{
	return guest->live && guest->running && !g_strcmp0(guest->live->machine, member_text(group, "machine")) &&
	       same_cpu(a, guest, group);
}

static bool runs_any(const struct answering *a, const struct guest *guest, const struct level *level)
{
	const json_t *group;
	size_t i;

	json_array_foreach (json_object_get(level->document, "groups"), i, group)
		if (level_runs(a, guest, group))
			return true;
	return false;
}

json_t *level_guests_json(const struct answering *a, const struct level_site *site, const struct level *level)
{
	json_t *assigned = json_array(), *running = json_array();

	for (guint i = 0; i < level->guests->len; i++)
		json_array_append_new(assigned,
				      json_string(((struct level_assigned *)level->guests->pdata[i])->name));
	for (guint i = 0; i < site->guests->len; i++) {
		const struct guest *guest = g_ptr_array_index(site->guests, i);

		if (!assigned_to(level, guest) && runs_any(a, guest, level))
			json_array_append_new(running, json_string(guest->name));
	}
	return json_pack("{s:o, s:o, s:i}", "assigned", assigned, "running", running, "guests_n",
			 (int)(json_array_size(assigned) + json_array_size(running)));
}

json_t *level_guests_on(const struct answering *a, const struct level_site *site, const GPtrArray *hosts)
{
	g_autoptr(GHashTable) set = g_hash_table_new(NULL, NULL);
	json_t *names = json_array();

	for (guint i = 0; i < hosts->len; i++)
		g_hash_table_add(set, hosts->pdata[i]);
	for (guint i = 0; i < site->guests->len; i++) {
		const struct guest *guest = g_ptr_array_index(site->guests, i);
		const struct host *host = guest->host ? fleet_find(a->fleet, guest->host) : NULL;

		if (host && g_hash_table_contains(set, host))
			json_array_append_new(names, json_string(guest->name));
	}
	return names;
}

/* --- prices -------------------------------------------------------------------------------------- */

/* Each atom's class of attacks, where it has one. */
static void add_security(json_t *atoms)
{
	json_t *atom;
	size_t i;

	json_array_foreach (atoms, i, atom) {
		const char *name = member_text(atom, "capability");
		g_autofree char *id = name ? g_strndup(name, strcspn(name, "=>")) : NULL;
		int cap = id ? cap_find(id) : -1;

		if (cap >= 0 && cap_table[cap].security)
			json_object_set_new(atom, "security", json_string(cap_table[cap].security));
	}
}

json_t *level_price(json_t *gained, json_t *lost, const json_t *hosts, const json_t *guests)
{
	add_security(gained);
	add_security(lost);
	return json_pack("{s:o, s:o, s:{s:o, s:o}, s:O, s:i, s:O, s:i}", "gained", gained, "lost", lost, "security",
			 "gained", level_security(gained), "lost", level_security(lost), "hosts_lost", hosts,
			 "hosts_lost_n", (int)json_array_size(hosts), "guests", guests, "guests_n",
			 (int)json_array_size(guests));
}
