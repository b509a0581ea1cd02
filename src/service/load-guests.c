/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * load-guests.c: the guests of the database; see load.h.
 *
 * A fleet has thousands of guests and few kinds of them: where all are asked about, those that ask
 * for the same (guest/twins.h) share what was parsed of the first of them.
 */
#include "config.h"

#include <string.h>

#include "guest/twins.h"
#include "load-parts.h"
#include "model/document.h"
#include "model/error.h"

static struct needs *member_needs(const json_t *doc, const char *key, const char *guest,
				  GError **error)
{
	const json_t *json = json_object_get(doc, key);
	struct needs *needs;

	if (!json)
		return NULL;
	needs = needs_from_json(json, error);
	if (!needs)
		g_prefix_error(error, "%s: stored guest: ", guest);
	return needs;
}

static struct guest *guest_new(const struct store_guest *from)
{
	struct guest *guest = g_new0(struct guest, 1);

	guest->name = g_strdup(from->name);
	guest->uuid = g_strdup(from->uuid);
	guest->host = g_strdup(from->host);
	guest->running = from->running;
	guest->seen = from->seen;
	return guest;
}

/* What a probe tells beside the definitions. */
static void take_states(struct guest *guest, const json_t *doc)
{
	const json_t *live = json_object_get(doc, "live"), *defined = json_object_get(doc, "defined");
	const json_t *snapshots = json_object_get(live ? live : defined, "snapshots");

	guest->saved = !guest->running && json_is_true(json_object_get(defined, "saved"));
	if (json_is_array(snapshots))
		guest->snapshots = json_incref((json_t *)snapshots);
}

/* The stored document is {"live": ENTRY?, "defined": ENTRY?}. */
static struct guest *parse_guest(const struct session *s, const struct store_guest *from,
				 GError **error)
{
	json_t *doc = json_bytes_parse(from->document, strlen(from->document), PROFILE_MAX_BYTES,
				       error);
	struct guest *guest = guest_new(from);
	GError *err = NULL;

	guest->live = doc ? member_needs(doc, "live", from->name, &err) : NULL;
	guest->defined = doc && !err ? member_needs(doc, "defined", from->name, &err) : NULL;
	if (doc && !err && !guest->live && !guest->defined)
		g_set_error(&err, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: stored guest: holds no definition (import it again)", from->name);
	take_states(guest, doc);
	json_decref(doc);
	if (err)
		g_propagate_error(error, err);
	if (!doc || err)
		g_clear_pointer(&guest, guest_free);
	else
		guest_expand(guest, &s->judge);
	return guest;
}

static struct guest *borrow(const struct store_guest *from, const struct guest *twin)
{
	struct guest *guest = guest_new(from);

	guest->borrowed = true;
	guest->saved = twin->saved;
	guest->snapshots = json_incref(twin->snapshots);
	guest->defined = twin->defined;
	guest->live = twin->live;
	guest->defined_cpu = twin->defined_cpu;
	guest->live_cpu = twin->live_cpu;
	return guest;
}

static bool parse_all(struct session *s, bool share, GError **error)
{
	g_autoptr(GHashTable) twins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < s->stored->len; i++) {
		const struct store_guest *from = g_ptr_array_index(s->stored, i);
		char *key = share ? twins_text(from->document, from->name, from->uuid) : NULL;
		struct guest *twin = key ? g_hash_table_lookup(twins, key) : NULL;
		struct guest *guest = twin ? borrow(from, twin) : parse_guest(s, from, error);

		if (guest)
			g_ptr_array_add(s->guests, guest);
		if (guest && key && !twin)
			g_hash_table_insert(twins, g_steal_pointer(&key), guest);
		g_free(key);
		if (!guest)
			return false;
	}
	return true;
}

bool load_guests(struct session *s, enum session_need need, GError **error)
{
	if (need != SESSION_GUESTS && need != SESSION_FLEET)
		return true;
	s->stored = store_guests(s->store, error);
	return s->stored && parse_all(s, need == SESSION_FLEET, error);
}

bool session_guests(struct session *s, enum session_need need, GError **error)
{
	g_ptr_array_unref(s->guests);
	s->guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_free);
	return parse_all(s, need == SESSION_FLEET, error);
}

/* The guests as they are stored; not NULL, but empty where there is no database. */
static const GPtrArray *stored(struct session *s, GError **error)
{
	if (!s->stored)
		s->stored = s->store ? store_guests(s->store, error) : g_ptr_array_new();
	return s->stored;
}

static bool is_called(const struct store_guest *guest, const char *name)
{
	return !strcmp(guest->name, name) || (guest->uuid && !g_ascii_strcasecmp(guest->uuid, name));
}

bool session_knows_guest(struct session *s, const char *name)
{
	const GPtrArray *guests = stored(s, NULL);

	for (guint i = 0; guests && i < guests->len; i++)
		if (is_called(g_ptr_array_index(guests, i), name))
			return true;
	return false;
}

/* The one of a name; NULL with @error. */
static const struct store_guest *find_stored(struct session *s, const char *name, GError **error)
{
	const GPtrArray *guests = stored(s, error);
	const struct store_guest *found = NULL;

	for (guint i = 0; guests && i < guests->len; i++) {
		const struct store_guest *g = g_ptr_array_index(guests, i);

		if (!is_called(g, name))
			continue;
		if (found) {
			g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
				    "%s: more than one guest has that name (give its UUID, see 'capbroker guests')",
				    name);
			return NULL;
		}
		found = g;
	}
	if (!found && guests)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "%s: neither a file nor a known guest (see 'capbroker guests')", name);
	return found;
}

struct guest *session_guest(struct session *s, const char *name, GError **error)
{
	const struct store_guest *found = find_stored(s, name, error);
	struct guest *guest = found ? parse_guest(s, found, error) : NULL;

	if (guest)
		g_ptr_array_add(s->guests, guest);
	return guest;
}
