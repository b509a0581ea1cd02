/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* assume.c: see assume.h. Each assumption is made of the fleet that those before it left. */
#include "config.h"

#include <string.h>

#include "answer/upgrade.h"
#include "assume.h"
#include "errors.h"
#include "files.h"
#include "model/assume.h"
#include "model/document.h"
#include "model/error.h"
#include "read/read.h"

/* A profile and what goes with it. */
struct assumed {
	const struct profile *profile;
	char class[65];
	char digest[65];
};

/* @doc: the reference is taken over; NULL where an error was set already. */
static struct assumed *own(struct session *s, json_t *doc, GError **error)
{
	struct profile *profile = doc ? profile_parse(doc, s->fleet->universe, error) : NULL;
	struct assumed *assumed;

	json_decref(doc);
	if (!profile)
		return NULL;
	fleet_own(s->fleet, profile);
	assumed = g_new0(struct assumed, 1);
	assumed->profile = profile;
	profile_class(profile, assumed->class);
	document_digest(profile->doc, assumed->digest);
	return assumed;
}

static void change(struct session *s, struct host *host, const struct assumed *assumed)
{
	fleet_change(s->fleet, host, assumed->profile, assumed->class);
	g_free(host->digest);
	host->digest = g_strdup(assumed->digest);
	g_hash_table_insert(s->assumed, g_strdup(host->digest), (gpointer)assumed->profile);
}

/* What a file holds, or that it can't be read, is put into @entry. */
static void read_profile(json_t *entry, const char *path)
{
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	json_t *doc = NULL;
	gsize length;

	if (file_read(path, PROFILE_MAX_BYTES, &bytes, &length, &error)) {
		if (read_kind(bytes, length) == READ_PROFILE)
			doc = json_bytes_parse(bytes, length, PROFILE_MAX_BYTES, &error);
		else
			g_set_error(&error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
				    "%s: not a profile (give a file that capbroker-probe wrote, or the name of a known host)",
				    path);
	}
	json_object_set_new(entry, doc ? "profile" : "problem", doc ? doc : error_answer(error));
}

json_t *assume_read(char *const *what)
{
	json_t *array = what ? json_array() : NULL;

	for (size_t i = 0; what && what[i]; i++) {
		const char *equals = strrchr(what[i], '=');
		const char *last = equals ? equals + 1 : "";
		g_autofree char *valid = g_utf8_make_valid(what[i], -1);
		json_t *entry = json_pack("{s:s}", "text", valid);

		if (strchr(last, '/') || (*last && g_file_test(last, G_FILE_TEST_EXISTS)))
			read_profile(entry, last);
		json_array_append_new(array, entry);
	}
	return array;
}

/* Everyone gets the profile of a host, as it is stored, or of a file. */
static bool replace(struct session *s, const GPtrArray *hosts, const char *what, const json_t *entry,
		    GError **error)
{
	const struct host *model = fleet_find(s->fleet, what);
	json_t *profile = json_object_get(entry, "profile");
	GError *problem = error_from_answer(json_object_get(entry, "problem"));
	g_autoptr(Profile) whole = NULL;
	g_autofree struct assumed *assumed = NULL;

	if (model && (whole = session_profile(s, model, error)))
		assumed = own(s, json_incref(whole->doc), error);
	else if (!model && profile)
		assumed = own(s, json_incref(profile), error);
	else if (!model && problem)
		g_propagate_error(error, g_steal_pointer(&problem));
	else if (!model)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "'%s' is neither a known host nor a profile's file, nor gone, +CAP or -CAP",
			    what);
	g_clear_error(&problem);
	for (guint i = 0; assumed && i < hosts->len; i++)
		change(s, g_ptr_array_index(hosts, i), assumed);
	return assumed != NULL;
}

/* Hosts that share a profile go on sharing one. */
static bool give_or_take(struct session *s, const GPtrArray *hosts, const char *what,
			 GError **error)
{
	g_autofree char *id = assume_find(s->fleet->universe, what + 1, error);
	g_autoptr(GHashTable) made = g_hash_table_new_full(NULL, NULL, NULL, g_free);

	for (guint i = 0; id && i < hosts->len; i++) {
		struct host *host = g_ptr_array_index(hosts, i);
		struct assumed *assumed = g_hash_table_lookup(made, host->profile);

		if (!assumed) {
			assumed = own(s, assume_in_profile(host->profile->doc, id, *what == '+',
							   s->files->models),
				      error);
			if (!assumed)
				return false;
			g_hash_table_insert(made, (gpointer)host->profile, assumed);
		}
		change(s, host, assumed);
	}
	return id != NULL;
}

static bool assume(struct session *s, const char *text, const json_t *entry, GError **error)
{
	const char *equals = strrchr(text, '=');
	g_autofree char *selector = equals ? g_strndup(text, (gsize)(equals - text)) : NULL;
	g_autoptr(GPtrArray) hosts = g_ptr_array_new();
	const char *what = equals ? equals + 1 : "";
	bool ok;

	if (!equals || equals == text || !*what || !strcmp(what, "+") || !strcmp(what, "-")) {
		g_set_error_literal(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
				    "not SELECTOR=WHAT (WHAT: gone, +CAP, -CAP, a host or a profile's file)");
		return false;
	}
	if (!fleet_select(s->fleet, selector, hosts, error))
		return false;
	if (!strcmp(what, "gone")) {
		for (guint i = 0; i < hosts->len; i++)
			fleet_drop(s->fleet, g_ptr_array_index(hosts, i));
		ok = true;
	} else if (*what == '+' || *what == '-') {
		ok = give_or_take(s, hosts, what, error);
	} else {
		ok = replace(s, hosts, what, entry, error);
	}
	fleet_settle(s->fleet);
	return ok;
}

/* The hosts as they are, before anything is assumed of them. */
static GPtrArray *remember(const struct session *s)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(host_change_free);

	for (guint i = 0; i < s->fleet->hosts->len; i++) {
		const struct host *host = g_ptr_array_index(s->fleet->hosts, i);
		struct host_change *change = g_new0(struct host_change, 1);

		change->name = g_strdup(host->name);
		change->was = host->class->profile;
		memcpy(change->was_class, host->class->full, sizeof(change->was_class));
		g_ptr_array_add(all, change);
	}
	return all;
}

/* Keeps those of which something else was assumed. */
static void compare(struct session *s, GPtrArray *remembered)
{
	for (guint i = remembered->len; i-- > 0;) {
		struct host_change *change = g_ptr_array_index(remembered, i);

		change->now = fleet_find(s->fleet, change->name);
		if (!change->now || strcmp(change->now->class->full, change->was_class))
			g_ptr_array_add(s->changes, g_ptr_array_steal_index(remembered, i));
	}
}

bool assume_all(struct session *s, const json_t *assumptions, GError **error)
{
	g_autoptr(GPtrArray) before = json_array_size(assumptions) ? remember(s) : NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach (assumptions, i, entry) {
		const char *text = member_text(entry, "text");

		if (!assume(s, text ? text : "", entry, error)) {
			g_prefix_error(error, "--assume %s: ", text ? text : "");
			return false;
		}
	}
	if (before)
		compare(s, before);
	return true;
}
