/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet.c: see fleet.h. What is of the writer alone is in struct keeper's first part. */
#include "config.h"

#include <string.h>

#include "fleet.h"
#include "model/document.h"
#include "model/error.h"

#define BATCH_MAX 512u
#define WAITING_MAX 20000
#define LOOK_EVERY_US (2 * G_USEC_PER_SEC) /* whether others have changed the database */
#define PRUNE_EVERY_US (G_GINT64_CONSTANT(6) * 3600 * G_USEC_PER_SEC)

/* A parsed profile. */
struct kept {
	gint refs;
	struct profile *profile;
	char class[65];
	char *key;
	guint users;    /* members; the writer's */
	guint64 number; /* the last snapshot that it was put into */
};

/* A host as it is stored, with its profile. */
struct member {
	struct store_host row;
	struct kept *kept;
	struct host *host; /* in the newest snapshot */
};

struct keeper {
	struct store *store;
	char *database;
	int keep_days;
	struct universe *universe;
	GHashTable *members;   /* name → struct member */
	GHashTable *by_key;    /* profile_key() → struct kept, of members; not counted */
	GPtrArray *stored;
	guint64 guests_number, number;
	gint64 looked, pruned;
	GThread *thread;
	GAsyncQueue *queue;

	GMutex lock;           /* of what follows */
	struct snapshot *newest;
	struct keeper_figures figures;
};

static struct change stop; /* ends the writer */

/* --- profiles and snapshots ------------------------------------------------------------------- */

static void kept_unref(void *data)
{
	struct kept *k = data;

	if (!g_atomic_int_dec_and_test(&k->refs))
		return;
	profile_free(k->profile);
	g_free(k->key);
	g_free(k);
}

void snapshot_unref(struct snapshot *s)
{
	if (!s || !g_atomic_int_dec_and_test(&s->refs))
		return;
	fleet_free(s->fleet);
	g_ptr_array_unref(s->kept);
	g_ptr_array_unref(s->stored);
	g_free(s);
}

struct snapshot *keeper_snapshot(struct keeper *k)
{
	struct snapshot *s;

	g_mutex_lock(&k->lock);
	s = k->newest;
	g_atomic_int_inc(&s->refs);
	g_mutex_unlock(&k->lock);
	return s;
}

/* A member has another profile now; snapshots may hold this one on. */
static void release(struct keeper *k, struct kept *kept)
{
	if (!--kept->users)
		g_hash_table_remove(k->by_key, kept->key);
	kept_unref(kept);
}

static void member_free(void *data)
{
	struct member *m = data;

	g_free(m->row.name);
	g_free(m->row.uuid);
	g_free(m->row.arch);
	g_free(m->row.cluster);
	g_free(m->row.digest);
	g_free(m->row.fingerprint);
	g_clear_pointer(&m->row.labels, g_hash_table_unref);
	g_clear_pointer(&m->row.aliases, g_hash_table_unref);
	kept_unref(m->kept);
	g_free(m);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct member *const *)a)->row.name, (*(struct member *const *)b)->row.name);
}

/* A snapshot has tables of its own: the writer's grow. */
static GHashTable *pairs_copy(GHashTable *from)
{
	GHashTable *copy = NULL;
	GHashTableIter iter;
	void *key, *value;

	if (!from || !g_hash_table_size(from))
		return NULL;
	copy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_iter_init(&iter, from);
	while (g_hash_table_iter_next(&iter, &key, &value))
		g_hash_table_insert(copy, g_strdup(key), g_strdup(value));
	return copy;
}

static void add_host(struct snapshot *s, struct member *m)
{
	struct host *h = fleet_add(s->fleet, m->row.name, m->kept->profile, m->kept->class);

	h->uuid = g_strdup(m->row.uuid);
	h->cluster = g_strdup(m->row.cluster);
	h->digest = g_strdup(m->row.digest);
	h->fingerprint = g_strdup(m->row.fingerprint);
	h->confirmed = m->row.confirmed;
	h->labels = pairs_copy(m->row.labels);
	h->aliases = pairs_copy(m->row.aliases);
	m->host = h;
	if (m->kept->number == s->number)
		return;
	m->kept->number = s->number;
	g_atomic_int_inc(&m->kept->refs);
	g_ptr_array_add(s->kept, m->kept);
}

static GPtrArray *members_of(const struct keeper *k)
{
	GPtrArray *members = g_ptr_array_sized_new(g_hash_table_size(k->members));
	GHashTableIter iter;
	void *member;

	g_hash_table_iter_init(&iter, k->members);
	while (g_hash_table_iter_next(&iter, NULL, &member))
		g_ptr_array_add(members, member);
	g_ptr_array_sort(members, by_name);
	return members;
}

static void publish(struct keeper *k)
{
	g_autoptr(GPtrArray) members = members_of(k);
	struct snapshot *s = g_new0(struct snapshot, 1), *old;

	s->refs = 1;
	s->number = ++k->number;
	s->guests_number = k->guests_number;
	s->stored = g_ptr_array_ref(k->stored);
	s->kept = g_ptr_array_new_with_free_func(kept_unref);
	s->fleet = fleet_new();
	universe_free(s->fleet->universe);
	s->fleet->universe = universe_copy(k->universe);
	for (guint i = 0; i < members->len; i++)
		add_host(s, g_ptr_array_index(members, i));
	fleet_settle(s->fleet);
	g_mutex_lock(&k->lock);
	old = k->newest;
	k->newest = s;
	k->figures.snapshots++;
	k->figures.hosts = s->fleet->hosts->len;
	k->figures.classes = s->fleet->classes->len;
	k->figures.guests = s->stored->len;
	g_mutex_unlock(&k->lock);
	snapshot_unref(old);
}

/* --- loading ---------------------------------------------------------------------------------- */

struct loading {
	struct keeper *keeper;
	GHashTable *sections; /* hash → json_t */
};

static json_t *head_of(const struct store_section *sections, size_t n, GError **error)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(sections[i].name, "head"))
			return json_bytes_parse(sections[i].text, sections[i].length, PROFILE_MAX_BYTES, error);
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "no section 'head' (probe or import it again)");
	return NULL;
}

/* The section's JSON; those that aren't the head are parsed once. */
static json_t *section_json(struct loading *l, const struct store_section *s, json_t *head, GError **error)
{
	json_t *json;

	if (!strcmp(s->name, "head"))
		return json_incref(head);
	json = g_hash_table_lookup(l->sections, s->hash);
	if (json)
		return json_incref(json);
	json = json_bytes_parse(s->text, s->length, PROFILE_MAX_BYTES, error);
	if (json)
		g_hash_table_insert(l->sections, g_strdup(s->hash), json_incref(json));
	return json;
}

static json_t *join(struct loading *l, const struct store_section *sections, size_t n, json_t *head, GError **error)
{
	json_t *doc = NULL;

	for (size_t i = 0; i < n; i++) {
		json_t *json = section_json(l, &sections[i], head, error);
		bool ok = json && document_join(&doc, sections[i].name, json);

		if (json && !ok)
			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
				    "section '%s' has no place (probe or import it again)", sections[i].name);
		json_decref(json);
		if (!ok) {
			json_decref(doc);
			return NULL;
		}
	}
	return doc;
}

/* The parsed profile of these sections, counted for a member; NULL with @error. */
static struct kept *kept_of(struct loading *l, const struct store_section *sections, size_t n, GError **error)
{
	struct keeper *k = l->keeper;
	json_t *head = head_of(sections, n, error), *doc;
	g_autofree char *key = head ? profile_key(sections, n, head) : NULL;
	struct kept *kept = key ? g_hash_table_lookup(k->by_key, key) : NULL;
	struct profile *profile;

	if (kept) {
		g_atomic_int_inc(&kept->refs);
		kept->users++;
		json_decref(head);
		return kept;
	}
	doc = head ? join(l, sections, n, head, error) : NULL;
	json_decref(head);
	profile = doc ? profile_parse(doc, k->universe, error) : NULL;
	json_decref(doc);
	if (!profile)
		return NULL;
	kept = g_new0(struct kept, 1);
	kept->refs = 1;
	kept->users = 1;
	kept->profile = profile;
	kept->key = g_steal_pointer(&key);
	profile_class(profile, kept->class);
	g_hash_table_insert(k->by_key, kept->key, kept);
	return kept;
}

static bool load_host(const struct store_host *from, const struct store_section *sections, size_t n, void *data,
		      GError **error)
{
	struct loading *l = data;
	struct kept *kept = kept_of(l, sections, n, error);
	struct member *m;

	if (!kept) {
		g_prefix_error(error, "%s: stored profile: ", from->name);
		return false;
	}
	m = g_new0(struct member, 1);
	m->row = (struct store_host){ g_strdup(from->name), g_strdup(from->uuid), g_strdup(from->arch),
				      g_strdup(from->cluster), g_strdup(from->digest), g_strdup(from->fingerprint),
				      from->confirmed, g_hash_table_ref(from->labels), g_hash_table_ref(from->aliases) };
	m->kept = kept;
	g_hash_table_replace(l->keeper->members, m->row.name, m);
	return true;
}

static void decref(void *json)
{
	json_decref(json);
}

/* All of the database, in place of what is in memory; where that fails the latter stays. */
static bool load(struct keeper *k, GError **error)
{
	struct loading l = { k, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, decref) };
	GHashTable *members = k->members, *by_key = k->by_key;
	GPtrArray *stored;
	bool ok;

	k->members = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, member_free);
	k->by_key = g_hash_table_new(g_str_hash, g_str_equal);
	ok = store_each_profile(k->store, load_host, &l, error);
	g_hash_table_unref(l.sections);
	stored = ok ? store_guests(k->store, error) : NULL;
	g_hash_table_unref(stored ? by_key : k->by_key);
	g_hash_table_unref(stored ? members : k->members);
	if (!stored) {
		k->members = members;
		k->by_key = by_key;
		return false;
	}
	g_clear_pointer(&k->stored, g_ptr_array_unref);
	k->stored = stored;
	k->guests_number++;
	publish(k);
	return true;
}

/* --- changes ---------------------------------------------------------------------------------- */

void change_free(struct change *c)
{
	if (!c)
		return;
	import_free(c->import);
	g_free(c->host);
	g_free(c->digest);
	g_free(c->fingerprint);
	store_decision_free(c->decision);
	g_clear_error(&c->error);
	g_free(c);
}

bool keeper_put(struct keeper *k, struct change *c)
{
	if (g_async_queue_length(k->queue) > WAITING_MAX)
		return false;
	g_async_queue_push(k->queue, c);
	return true;
}

static bool confirm(struct keeper *k, struct change *c, GError **error)
{
	const struct member *m = g_hash_table_lookup(k->members, c->host);
	struct store_host row = { .name = c->host, .digest = c->digest, .fingerprint = c->fingerprint,
				  .confirmed = c->time };
	static const char *const none[] = { NULL };

	if (!m || strcmp(m->row.digest, c->digest)) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "%s: that profile isn't the one in force here (send it whole)", c->host);
		return false;
	}
	row.confirmed = MAX(c->time, m->row.confirmed);
	c->time = row.confirmed;
	c->word = "confirmed";
	return store_put_profile(k->store, &row, none, error);
}

static bool put(struct keeper *k, struct change *c, GError **error)
{
	const struct member *m = c->host ? g_hash_table_lookup(k->members, c->host) : NULL;
	const struct import_host *host = c->import && c->import->hosts->len ? c->import->hosts->pdata[0] : NULL;

	switch (c->kind) {
	case CHANGE_CONFIRM:
		return confirm(k, c, error);
	case CHANGE_DECISION:
		return store_put_decision(k->store, c->decision, error);
	case CHANGE_RELOAD:
		return true;
	case CHANGE_IMPORT:
		c->word = !host ? "guests" : !m ? "new" : strcmp(m->row.digest, host->digest) ? "changed" : "confirmed";
		return import_put(c->import, k->store, error);
	}
	return false;
}

static void add_pairs(GHashTable **into, char *const *pairs)
{
	if (!*into)
		*into = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (size_t i = 0; pairs && pairs[i]; i++) {
		const char *equals = strchr(pairs[i], '=');

		if (equals)
			g_hash_table_replace(*into, g_strndup(pairs[i], (gsize)(equals - pairs[i])), g_strdup(equals + 1));
	}
}

static void replace(char **text, const char *with)
{
	if (!with)
		return;
	g_free(*text);
	*text = g_strdup(with);
}

static struct kept *kept_of_host(struct keeper *k, const struct import_host *host, GError **error)
{
	guint n = (host->sections->len ? host->sections->len - 1 : 0) / 2;
	g_autofree struct store_section *sections = g_new0(struct store_section, n + 1);
	g_autoptr(GPtrArray) hashes = g_ptr_array_new_with_free_func(g_free);
	struct loading l = { k, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, decref) };
	struct kept *kept;

	for (guint i = 0; i < n; i++) {
		const char *text = host->sections->pdata[2 * i + 1];
		char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

		g_ptr_array_add(hashes, hash);
		sections[i] = (struct store_section){ host->sections->pdata[2 * i], hash, text, strlen(text) };
	}
	kept = kept_of(&l, sections, n, error);
	g_hash_table_unref(l.sections);
	return kept;
}

/* What was committed, into memory. Returns true where a new snapshot is due. */
static bool take_host(struct keeper *k, const struct import *import, const struct import_host *host, GError **error)
{
	struct member *m = g_hash_table_lookup(k->members, host->name);
	bool changed = !m || strcmp(m->row.digest, host->digest);
	struct kept *kept = changed ? kept_of_host(k, host, error) : NULL;

	if (changed && !kept)
		return true;
	if (!m) {
		m = g_new0(struct member, 1);
		m->row.name = g_strdup(host->name);
		g_hash_table_replace(k->members, m->row.name, m);
	}
	replace(&m->row.uuid, host->uuid);
	replace(&m->row.arch, host->arch);
	replace(&m->row.cluster, import->options->cluster);
	replace(&m->row.digest, host->digest);
	replace(&m->row.fingerprint, host->fingerprint);
	m->row.confirmed = host->confirmed;
	add_pairs(&m->row.labels, import->options->labels);
	add_pairs(&m->row.aliases, import->options->aliases);
	if (kept) {
		if (m->kept)
			release(k, m->kept);
		m->kept = kept;
	}
	return true;
}

/* Of what changes nothing but a time only that is moved, for those who read, too. */
static bool take_confirmed(struct keeper *k, const struct change *c)
{
	struct member *m = g_hash_table_lookup(k->members, c->host);
	bool same = !c->fingerprint || !strcmp(c->fingerprint, m->row.fingerprint);

	m->row.confirmed = c->time;
	if (m->host)
		__atomic_store_n(&m->host->confirmed, c->time, __ATOMIC_RELAXED);
	replace(&m->row.fingerprint, c->fingerprint);
	return !same;
}

/* Returns true where a new snapshot is due; sets @guests where these were changed. */
static bool take(struct keeper *k, struct change *c, bool *guests)
{
	if (c->error || c->kind == CHANGE_DECISION || c->kind == CHANGE_RELOAD)
		return false;
	if (c->kind == CHANGE_CONFIRM)
		return take_confirmed(k, c);
	*guests = *guests || c->import->guests->len;
	if (!c->import->hosts->len)
		return false;
	return take_host(k, c->import, c->import->hosts->pdata[0], &c->error);
}

static void count(struct keeper *k, const GPtrArray *batch, const GError *trouble)
{
	g_mutex_lock(&k->lock);
	k->figures.commits++;
	g_clear_pointer(&k->figures.trouble, g_free);
	k->figures.trouble = trouble ? g_strdup(trouble->message) : NULL;
	for (guint i = 0; i < batch->len; i++) {
		const struct change *c = g_ptr_array_index(batch, i);

		k->figures.written += !c->error;
		k->figures.refused += c->error != NULL;
		k->figures.confirmed += !c->error && !g_strcmp0(c->word, "confirmed");
		k->figures.changed += !c->error && c->kind == CHANGE_IMPORT && g_strcmp0(c->word, "confirmed");
	}
	g_mutex_unlock(&k->lock);
}

static void fail_all(const GPtrArray *batch, const GError *error)
{
	for (guint i = 0; i < batch->len; i++) {
		struct change *c = g_ptr_array_index(batch, i);

		g_clear_error(&c->error);
		c->error = g_error_copy(error);
	}
}

static bool write_batch(struct keeper *k, const GPtrArray *batch, GError **error)
{
	if (!store_begin(k->store, error))
		return false;
	for (guint i = 0; i < batch->len; i++) {
		struct change *c = g_ptr_array_index(batch, i);

		put(k, c, &c->error);
	}
	return store_commit(k->store, error);
}

static void take_batch(struct keeper *k, const GPtrArray *batch)
{
	bool due = false, guests = false;
	GPtrArray *stored;

	for (guint i = 0; i < batch->len; i++)
		due = take(k, g_ptr_array_index(batch, i), &guests) || due;
	stored = guests ? store_guests(k->store, NULL) : NULL;
	if (stored) {
		g_ptr_array_unref(k->stored);
		k->stored = stored;
		k->guests_number++;
	}
	if (due || stored)
		publish(k);
}

static bool wants_reload(const GPtrArray *batch)
{
	for (guint i = 0; i < batch->len; i++)
		if (((const struct change *)g_ptr_array_index(batch, i))->kind == CHANGE_RELOAD)
			return true;
	return false;
}

/* Somebody else may have written: the command line on this machine. */
static void look_around(struct keeper *k)
{
	g_autoptr(GError) error = NULL;
	gint64 now = g_get_monotonic_time();
	bool changed = false;

	if (now - k->looked < LOOK_EVERY_US)
		return;
	k->looked = now;
	if (store_changed_elsewhere(k->store, &changed, &error) && changed)
		load(k, &error);
	if (!error && k->keep_days && now - k->pruned > PRUNE_EVERY_US) {
		k->pruned = now;
		store_prune(k->store, g_get_real_time() / G_USEC_PER_SEC - (int64_t)k->keep_days * 86400, NULL, &error);
	}
	if (error) {
		g_mutex_lock(&k->lock);
		g_free(k->figures.trouble);
		k->figures.trouble = g_strdup(error->message);
		g_mutex_unlock(&k->lock);
	}
}

static void work(struct keeper *k, const GPtrArray *batch)
{
	g_autoptr(GError) error = NULL;

	if (!write_batch(k, batch, &error))
		fail_all(batch, error);
	else if (wants_reload(batch))
		load(k, &error);
	else
		take_batch(k, batch);
	count(k, batch, error);
	for (guint i = 0; i < batch->len; i++) {
		struct change *c = g_ptr_array_index(batch, i);

		if (c->done)
			c->done(c, c->data);
		else
			change_free(c);
	}
}

/* What can be written together: of one host one thing. Returns what came next and can't. */
static struct change *gather(struct keeper *k, GPtrArray *batch, struct change *c)
{
	g_autoptr(GHashTable) hosts = g_hash_table_new(g_str_hash, g_str_equal);

	for (; c && c != &stop; c = batch->len < BATCH_MAX ? g_async_queue_try_pop(k->queue) : NULL) {
		if (c->host && !g_hash_table_add(hosts, c->host))
			return c;
		g_ptr_array_add(batch, c);
	}
	return c;
}

static void *write_on(void *data)
{
	struct keeper *k = data;
	struct change *c = NULL;
	bool end = false;

	while (!end) {
		g_autoptr(GPtrArray) batch = g_ptr_array_new();

		c = gather(k, batch, c ? c : g_async_queue_timeout_pop(k->queue, LOOK_EVERY_US / 4));
		end = c == &stop;
		if (batch->len)
			work(k, batch);
		if (!end)
			look_around(k);
	}
	return NULL;
}

struct keeper *keeper_new(const char *database, int keep_days, GError **error)
{
	struct keeper *k = g_new0(struct keeper, 1);
	bool changed;

	k->database = g_strdup(database);
	k->keep_days = keep_days;
	k->universe = universe_new();
	k->members = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, member_free);
	k->by_key = g_hash_table_new(g_str_hash, g_str_equal);
	k->queue = g_async_queue_new();
	g_mutex_init(&k->lock);
	k->store = store_open(database, false, error);
	if (k->store && store_changed_elsewhere(k->store, &changed, error) && load(k, error)) {
		k->thread = g_thread_new("writer", write_on, k);
		return k;
	}
	keeper_free(k);
	return NULL;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	if (k->thread) {
		g_async_queue_push(k->queue, &stop);
		g_thread_join(k->thread);
	}
	snapshot_unref(k->newest);
	g_hash_table_unref(k->by_key);
	g_hash_table_unref(k->members);
	g_clear_pointer(&k->stored, g_ptr_array_unref);
	store_close(k->store);
	universe_free(k->universe);
	g_async_queue_unref(k->queue);
	g_free(k->figures.trouble);
	g_free(k->database);
	g_mutex_clear(&k->lock);
	g_free(k);
}

void keeper_figures(struct keeper *k, struct keeper_figures *figures)
{
	g_mutex_lock(&k->lock);
	*figures = k->figures;
	figures->trouble = g_strdup(k->figures.trouble);
	g_mutex_unlock(&k->lock);
	figures->waiting = (guint)MAX(g_async_queue_length(k->queue), 0);
}
