/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * import-guests.c: guests on their way into the database; see import.h.
 *
 * The store keeps one document a guest: {"live": ENTRY?, "defined": ENTRY?}, each an entry of
 * capbroker.guests/1.
 */
#include "config.h"

#include <string.h>

#include "errors.h"
#include "guest/argv.h"
#include "import.h"
#include "model/document.h"
#include "model/error.h"

#define MAX_GUESTS 100000u

static void store_guest_drop(void *guest)
{
	store_guest_free(guest);
}

static struct import_guests *list_new(struct import *import, const char *label, const char *host,
				      bool complete)
{
	struct import_guests *list = g_new0(struct import_guests, 1);

	list->label = g_strdup(label);
	list->host = g_strdup(host);
	list->complete = complete;
	list->guests = g_ptr_array_new_with_free_func(store_guest_drop);
	list->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_ptr_array_add(import->guests, list);
	return list;
}

static char *key_of(const struct needs *needs)
{
	return needs->uuid ? g_ascii_strdown(needs->uuid, -1) : g_strconcat("=", needs->name, NULL);
}

/* Puts an entry beside the one that the guest has: live and inactive make one guest. */
static bool join_entry(struct store_guest *guest, bool running, json_t *entry, const char *label,
		       GError **error)
{
	json_t *doc = guest->document ? json_loads(guest->document, 0, NULL) : json_object();
	const char *key = running ? "live" : "defined";
	bool twice = json_object_get(doc, key) != NULL;

	if (twice) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: guest '%s' is given twice (leave one out)", label, guest->name);
		json_decref(entry);
	} else {
		json_object_set_new(doc, key, entry);
		g_free(guest->document);
		guest->document = document_text(doc);
		guest->running = guest->running || running;
	}
	json_decref(doc);
	return !twice;
}

/* @entry: the reference is taken over. */
static bool add_entry(struct import_guests *list, const struct needs *needs, bool running,
		      json_t *entry, GError **error)
{
	g_autofree char *key = key_of(needs);
	struct store_guest *guest = g_hash_table_lookup(list->by_key, key);

	if (!guest) {
		guest = g_new0(struct store_guest, 1);
		guest->name = g_strdup(needs->name);
		guest->uuid = g_strdup(needs->uuid);
		guest->seen = g_get_real_time() / G_USEC_PER_SEC;
		g_ptr_array_add(list->guests, guest);
		g_hash_table_insert(list->by_key, g_steal_pointer(&key), guest);
	}
	return join_entry(guest, running, entry, list->label, error);
}

/* All definitions of one import that belong together. */
static struct import_guests *definitions(struct import *import, const char *label)
{
	const char *host = import->options->guests_on;

	for (guint i = 0; i < import->guests->len; i++) {
		struct import_guests *list = g_ptr_array_index(import->guests, i);

		if (!list->complete && !g_strcmp0(list->host, host))
			return list;
	}
	return list_new(import, label, host, false);
}

bool import_add_domain(struct import *import, const struct import_input *input, GError **error)
{
	gsize length;
	const char *bytes = g_bytes_get_data(input->bytes, &length);
	g_autoptr(Needs) needs = needs_read(bytes, length, input->label, error);

	if (!needs)
		return false;
	if (!needs->name) {
		const char *dot = strrchr(input->name, '.');

		needs->name = dot && dot > input->name
				      ? g_strndup(input->name, (gsize)(dot - input->name))
				      : g_strdup(input->name);
	}
	return add_entry(definitions(import, input->label), needs, needs->live, needs_to_json(needs),
			 error);
}

static bool add_document_entry(struct import_guests *list, json_t *entry, size_t i, GError **error)
{
	g_autoptr(Needs) needs = needs_from_json(entry, error);
	const json_t *running = json_object_get(entry, "running");

	if (needs && !needs->name)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "name is missing");
	if (!needs || !needs->name) {
		g_prefix_error(error, "%s: guests[%zu]: ", list->label, i);
		return false;
	}
	return add_entry(list, needs, running ? json_is_true(running) : needs->live,
			 json_incref(entry), error);
}

bool import_add_guests(struct import *import, const char *label, const json_t *doc, GError **error)
{
	const char *host = json_string_value(json_object_get(doc, "host"));
	const char *format = json_string_value(json_object_get(doc, "format"));
	const json_t *guests = json_object_get(doc, "guests");
	const json_t *complete = json_object_get(doc, "complete");
	struct import_guests *list;
	json_t *entry;
	size_t i;

	if (g_strcmp0(format, GUESTS_FORMAT) || !json_is_array(guests) ||
	    json_array_size(guests) > MAX_GUESTS) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s: not a list of guests in the format " GUESTS_FORMAT
			    " (a newer capbroker may read it)",
			    label);
		return false;
	}
	if (import->options->guests_on)
		host = import->options->guests_on;
	else if (import->options->name && host)
		host = import->options->name;
	list = list_new(import, label, host, host && (!complete || json_is_true(complete)));
	json_array_foreach (guests, i, entry)
		if (!add_document_entry(list, entry, i, error))
			return false;
	return true;
}
