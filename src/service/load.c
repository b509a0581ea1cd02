/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* load.c: see load.h. */
#include "config.h"

#include <string.h>

#include "answer/upgrade.h"
#include "assume.h"
#include "files.h"
#include "load-parts.h"
#include "model/document.h"
#include "model/error.h"

struct shared {
	const struct profile *profile;
	char class[65];
};

struct loading {
	struct session *session;
	struct fleet *fleet;
	GHashTable *sections; /* hash → json_t: each text is parsed once */
	GHashTable *profiles; /* profile_key() → struct shared */
};

static void judge_with(struct session *s)
{
	s->judge = (struct judge){ .universe = s->fleet->universe,
				    .models = s->files->models,
				    .tables = s->files->tables,
				    .rules = s->files->rules,
				    .grammar = s->files->grammar };
	s->answering = (struct answering){ &s->judge, s->fleet, g_get_real_time() / G_USEC_PER_SEC,
					   s->files->digest, s->files->cpu_map, NULL, NULL, 0, 0 };
}

static void heed_policy(struct session *s)
{
	s->judge.policy = s->policy->verdicts;
	s->answering.policy = s->policy->digest;
	s->answering.age_limit = s->policy->age_limit;
	s->answering.age_grace = s->policy->age_grace;
}

void session_lend(struct session *s, const struct session_parts *parts)
{
	memset(s, 0, sizeof(*s));
	s->lent = true;
	s->store = parts->store;
	s->files = parts->files;
	s->policy = parts->policy;
	s->fleet = parts->fleet;
	s->database = g_strdup(parts->database);
	s->stored = g_ptr_array_ref(parts->stored);
	s->guests = parts->guests ? g_ptr_array_ref(parts->guests) :
				    g_ptr_array_new_with_free_func((GDestroyNotify)guest_free);
	s->changes = g_ptr_array_new_with_free_func(host_change_free);
	s->assumed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	judge_with(s);
	if (s->policy)
		heed_policy(s);
}

static void decref(void *json)
{
	json_decref(json);
}

static json_t *section_json(struct loading *l, const struct store_section *s, GError **error)
{
	json_t *json = g_hash_table_lookup(l->sections, s->hash);

	if (json)
		return json;
	json = json_bytes_parse(s->text, s->length, PROFILE_MAX_BYTES, error);
	if (json)
		g_hash_table_insert(l->sections, g_strdup(s->hash), json);
	return json;
}

/* What of a profile's head bears on the meaning of its facts: architecture and sources. */
static void add_head(GString *key, const json_t *head)
{
	static const char *const members[] = { "name", "state", "complete", "view", "reason" };
	const json_t *sources = json_object_get(json_object_get(head, "probe"), "sources");
	const json_t *source;
	const char *arch = json_string_value(json_object_get(json_object_get(head, "host"), "arch"));
	size_t i;

	g_string_append(key, arch ? arch : "-");
	json_array_foreach (sources, i, source) {
		for (size_t m = 0; m < G_N_ELEMENTS(members); m++) {
			const json_t *member = json_object_get(source, members[m]);
			const char *text = json_string_value(member);

			g_string_append_c(key, '\x1f');
			g_string_append(key, text ? text : json_is_true(member) ? "+" : "-");
		}
		g_string_append_c(key, '\x1e');
	}
}

char *profile_key(const struct store_section *sections, size_t n, json_t *head)
{
	GString *key = g_string_new(NULL);

	add_head(key, head);
	for (size_t i = 0; i < n; i++)
		if (strcmp(sections[i].name, "head"))
			g_string_append_printf(key, "\n%s %s", sections[i].name, sections[i].hash);
	return g_string_free(key, FALSE);
}

static struct profile *join(struct loading *l, const struct store_section *sections, size_t n,
			    json_t *head, GError **error)
{
	struct profile *profile = NULL;
	json_t *doc = NULL;

	for (size_t i = 0; i < n; i++) {
		bool is_head = !strcmp(sections[i].name, "head");
		json_t *json = is_head ? head : section_json(l, &sections[i], error);

		if (!json || !document_join(&doc, sections[i].name, json)) {
			if (json)
				g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
					    "section '%s' has no place (probe or import it again)",
					    sections[i].name);
			json_decref(doc);
			return NULL;
		}
	}
	if (doc)
		profile = profile_parse(doc, l->fleet->universe, error);
	else
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "no sections (probe or import it again)");
	json_decref(doc);
	return profile;
}

static struct shared *share(struct loading *l, const struct store_section *sections, size_t n,
			    json_t *head, GError **error)
{
	char *key = profile_key(sections, n, head);
	struct shared *shared = g_hash_table_lookup(l->profiles, key);
	struct profile *profile;

	if (shared) {
		g_free(key);
		return shared;
	}
	profile = join(l, sections, n, head, error);
	if (!profile) {
		g_free(key);
		return NULL;
	}
	fleet_own(l->fleet, profile);
	shared = g_new0(struct shared, 1);
	shared->profile = profile;
	profile_class(profile, shared->class);
	g_hash_table_insert(l->profiles, key, shared);
	return shared;
}

static GHashTable *ref_table(GHashTable *table)
{
	return table ? g_hash_table_ref(table) : NULL;
}

/* The parsed profile of a host's sections; NULL with @error. */
static struct shared *shared_of(struct loading *l, const struct store_host *from,
				const struct store_section *sections, size_t n, GError **error)
{
	struct shared *shared = NULL;
	json_t *head = NULL;

	for (size_t i = 0; i < n && !head; i++)
		if (!strcmp(sections[i].name, "head"))
			head = json_bytes_parse(sections[i].text, sections[i].length,
						PROFILE_MAX_BYTES, error);
	if (head)
		shared = share(l, sections, n, head, error);
	else if (error && !*error)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "no section 'head' (probe or import it again)");
	json_decref(head);
	if (!shared)
		g_prefix_error(error, "%s: stored profile: ", from->name);
	return shared;
}

static bool load_host(const struct store_host *from, const struct store_section *sections,
		      size_t n, void *data, GError **error)
{
	struct loading *l = data;
	const struct shared *shared = shared_of(l, from, sections, n, error);
	struct host *host;

	if (!shared)
		return false;
	host = fleet_add(l->fleet, from->name, shared->profile, shared->class);
	host->uuid = g_strdup(from->uuid);
	host->cluster = g_strdup(from->cluster);
	host->digest = g_strdup(from->digest);
	host->fingerprint = g_strdup(from->fingerprint);
	host->confirmed = from->confirmed;
	host->labels = ref_table(from->labels);
	host->aliases = ref_table(from->aliases);
	return true;
}

/* What was parsed is kept with the session: former profiles are mostly made of the same sections. */
static struct loading loading_of(struct session *s)
{
	if (!s->sections) {
		s->sections = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, decref);
		s->profiles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	}
	return (struct loading){ s, s->fleet, s->sections, s->profiles };
}

static bool load_hosts(struct session *s, GError **error)
{
	struct loading l = loading_of(s);
	bool ok = store_each_profile(s->store, load_host, &l, error);

	if (ok)
		fleet_settle(s->fleet);
	return ok;
}

/* Of hosts that were assumed to be others: as they were. */
static struct host_change *assumed_change(const struct session *s, const char *name)
{
	for (guint i = 0; i < s->changes->len; i++) {
		struct host_change *change = g_ptr_array_index(s->changes, i);

		if (!strcmp(change->name, name))
			return change;
	}
	return NULL;
}

/* A class that the fleet has goes by that one's profile, so that both are judged once. */
static void set_was(struct host_change *change, const struct fleet *fleet, const struct shared *shared)
{
	const struct host_class *class = g_hash_table_lookup(fleet->by_class, shared->class);

	change->was = class ? class->profile : shared->profile;
	memcpy(change->was_class, shared->class, sizeof(change->was_class));
}

static bool load_former(const struct store_host *from, const struct store_section *sections,
			size_t n, void *data, GError **error)
{
	struct loading *l = data;
	struct host_change *change = assumed_change(l->session, from->name);
	struct shared *shared = from->digest ? shared_of(l, from, sections, n, error) : NULL;

	if (from->digest && !shared)
		return false;
	if (!change) {
		change = g_new0(struct host_change, 1);
		change->name = g_strdup(from->name);
		change->now = fleet_find(l->fleet, from->name);
		g_ptr_array_add(l->session->changes, change);
	}
	change->was = NULL;
	if (shared)
		set_was(change, l->fleet, shared);
	return true;
}

bool session_since(struct session *s, int64_t at, GError **error)
{
	struct loading l = loading_of(s);

	return store_each_former(s->store, at, load_former, &l, error);
}

static bool open_existing(struct session *s, bool required, GError **error)
{
	if (!g_file_test(s->database, G_FILE_TEST_EXISTS)) {
		if (required)
			g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
				    "%s: no such database yet (run 'capbroker probe' or 'capbroker import', or name another with --db)",
				    s->database);
		return !required;
	}
	s->store = store_open(s->database, true, error);
	return s->store != NULL;
}

bool session_write(struct session *s, GError **error)
{
	g_clear_pointer(&s->store, store_close);
	s->store = store_open(s->database, false, error);
	return s->store != NULL;
}

/* The file that was named must be there; the site's own may be. */
bool session_read_policy(struct session *s, const char *path, GError **error)
{
	g_autofree char *bytes = NULL;
	gsize length;

	s->policy_path = path ? g_strdup(path) :
				g_build_filename(SYSCONFDIR, "capbroker", "policy.conf", NULL);
	if (!path && !g_file_test(s->policy_path, G_FILE_TEST_EXISTS))
		return true;
	if (!file_read(s->policy_path, POLICY_MAX_BYTES, &bytes, &length, error))
		return false;
	s->policy = policy_parse(bytes, length, s->policy_path, error);
	if (!s->policy)
		return false;
	heed_policy(s);
	return true;
}

bool session_load(struct session *s, const struct session_options *options, enum session_need need,
		  GError **error)
{
	bool assumed = json_array_size(options->assume) > 0;

	memset(s, 0, sizeof(*s));
	s->database = g_strdup(options->database);
	s->guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_free);
	s->changes = g_ptr_array_new_with_free_func(host_change_free);
	s->fleet = fleet_new();
	s->assumed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	s->files = datafiles_load(error);
	if (!s->files)
		return false;
	judge_with(s);
	if (need == SESSION_FILES)
		return true;
	if (need == SESSION_STORE)
		return (s->store = store_open(s->database, true, error)) != NULL;
	if (!session_read_policy(s, options->policy, error))
		return false;
	if (!open_existing(s, need == SESSION_READ || assumed, error))
		return false;
	return !s->store || (load_hosts(s, error) && assume_all(s, options->assume, error) &&
			     load_guests(s, need, error) && session_load_overrides(s, error));
}

void session_close(struct session *s)
{
	g_clear_pointer(&s->guests, g_ptr_array_unref);
	g_clear_pointer(&s->changes, g_ptr_array_unref);
	g_clear_pointer(&s->stored, g_ptr_array_unref);
	g_clear_pointer(&s->overrides, g_ptr_array_unref);
	g_clear_pointer(&s->assumed, g_hash_table_unref);
	g_clear_pointer(&s->sections, g_hash_table_unref);
	g_clear_pointer(&s->profiles, g_hash_table_unref);
	g_clear_pointer(&s->policy_path, g_free);
	g_clear_pointer(&s->database, g_free);
	if (s->lent)
		return;
	g_clear_pointer(&s->fleet, fleet_free);
	g_clear_pointer(&s->store, store_close);
	g_clear_pointer(&s->files, datafiles_free);
	g_clear_pointer(&s->policy, policy_free);
}

struct host *session_host(const struct session *s, const char *name, GError **error)
{
	struct host *host = fleet_find(s->fleet, name);

	if (!host)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "%s: no host of that name, UUID or alias is known (see 'capbroker hosts')",
			    name);
	return host;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct host *const *)a)->name, (*(struct host *const *)b)->name);
}

GPtrArray *session_select(const struct session *s, char *const *selectors, GError **error)
{
	g_autoptr(GPtrArray) hosts = g_ptr_array_new();
	bool ok = true;

	if (!selectors || !*selectors)
		ok = fleet_select(s->fleet, "all", hosts, error);
	for (size_t i = 0; ok && selectors && selectors[i]; i++)
		ok = fleet_select(s->fleet, selectors[i], hosts, error);
	if (!ok)
		return NULL;
	g_ptr_array_sort(hosts, by_name);
	return g_steal_pointer(&hosts);
}

struct profile *session_profile(const struct session *s, const struct host *host, GError **error)
{
	const struct profile *assumed = g_hash_table_lookup(s->assumed, host->digest);
	g_autoptr(GHashTable) sections = assumed ? NULL : store_profile(s->store, host->digest, error);
	g_autoptr(GList) names = sections ? g_hash_table_get_keys(sections) : NULL;
	struct profile *profile = NULL;
	json_t *doc = NULL;
	bool ok = sections && g_hash_table_contains(sections, "head");

	if (assumed)
		return profile_parse(assumed->doc, s->fleet->universe, error);
	if (!sections)
		return NULL;
	names = g_list_sort(names, (GCompareFunc)strcmp);
	names = g_list_prepend(names, (void *)"head");
	for (GList *n = names; ok && n; n = n->next) {
		const char *text = g_hash_table_lookup(sections, n->data);
		json_t *json;

		if (n != names && !strcmp(n->data, "head"))
			continue;
		json = json_bytes_parse(text, strlen(text), PROFILE_MAX_BYTES, error);
		ok = json && document_join(&doc, n->data, json);
		json_decref(json);
	}
	if (ok)
		profile = profile_parse(doc, s->fleet->universe, error);
	json_decref(doc);
	if (!profile) {
		if (error && !*error)
			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
				    "sections don't fit together (probe or import it again)");
		g_prefix_error(error, "%s: stored profile: ", host->name);
	}
	return profile;
}
