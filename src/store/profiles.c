/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * profiles.c: profiles in content-addressed sections, and the history of those in force.
 */
#include "config.h"

#include <string.h>

#include "hosts.h"
#include "sqlite.h"

/* --- putting ---------------------------------------------------------------------------------- */

static bool put_section(struct store *store, const char *text, int64_t *id, GError **error)
{
	g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	int found = sql_find(store, id, error, "SELECT id FROM section WHERE hash = ?1", "s", hash);

	if (found != 0)
		return found == 1;
	if (!sql_run(store, error, "INSERT INTO section (hash, text) VALUES (?1, ?2)", "ss", hash,
		text))
		return false;
	*id = sql_last_id(store);
	return true;
}

static bool put_sections(struct store *store, int64_t profile, const char *const *sections,
			 GError **error)
{
	for (int64_t position = 0; *sections; position++, sections += 2) {
		int64_t section;

		if (!put_section(store, sections[1], &section, error))
			return false;
		if (!sql_run(store, error,
			"INSERT INTO profile_section (profile, name, position, section)"
			" VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
			"isii", profile, sections[0], position, section))
			return false;
		if (sql_changes(store) == 0) {
			g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
				"%s: a profile has two sections '%s' (name each once)",
				sql_path(store), sections[0]);
			return false;
		}
	}
	return true;
}

static bool put_document(struct store *store, const char *digest, const char *const *sections,
			 int64_t *id, GError **error)
{
	int found = sql_find(store, id, error, "SELECT id FROM profile WHERE digest = ?1", "s",
		digest);

	if (found != 0)
		return found == 1;
	if (!sql_run(store, error, "INSERT INTO profile (digest) VALUES (?1)", "s", digest))
		return false;
	*id = sql_last_id(store);
	return put_sections(store, *id, sections, error);
}

static bool put_in_force(struct store *store, const struct store_host *host,
			 const char *const *sections, GError **error)
{
	int64_t profile, id;

	if (!put_document(store, host->digest, sections, &profile, error) ||
		!sql_run(store, error,
			"INSERT INTO host (name, uuid, arch, profile, fingerprint, confirmed)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
			" ON CONFLICT (name) DO UPDATE SET uuid = coalesce(excluded.uuid, uuid),"
			" arch = coalesce(excluded.arch, arch), profile = excluded.profile,"
			" fingerprint = excluded.fingerprint, confirmed = excluded.confirmed",
			"sssisi", host->name, host->uuid, host->arch, profile, host->fingerprint,
			host->confirmed) ||
		!host_find(store, host->name, &id, error))
		return false;
	return sql_run(store, error,
		"INSERT INTO history (host, profile, since) VALUES (?1, ?2, ?3)", "iii", id, profile,
		host->confirmed);
}

static bool put_profile(struct store *store, const struct store_host *host,
			const char *const *sections, GError **error)
{
	/* Most often nothing but the time has changed, and this one update is all. */
	if (!sql_run(store, error,
		"UPDATE host SET uuid = coalesce(?2, uuid), arch = coalesce(?3, arch),"
		" fingerprint = ?4, confirmed = ?5 WHERE name = ?1"
		" AND profile = (SELECT id FROM profile WHERE digest = ?6)",
		"ssssis", host->name, host->uuid, host->arch, host->fingerprint, host->confirmed,
		host->digest))
		return false;
	if (sql_changes(store) == 0 && !put_in_force(store, host, sections, error))
		return false;
	return host_put_authored(store, host, error);
}

bool store_put_profile(struct store *store, const struct store_host *host,
		       const char *const *sections, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store, put_profile(store, host, sections, error), error);
}

/* --- getting ---------------------------------------------------------------------------------- */

/* A section's text, read once. */
struct text {
	bool checked;
	char *hash;
	char *text;
	size_t length;
};

static void text_free(struct text *text)
{
	g_free(text->hash);
	g_free(text->text);
	g_free(text);
}

static struct text *text_read(struct store *store, int64_t section, GError **error)
{
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT hash, text FROM section WHERE id = ?1", "i", section);
	struct text *text;
	int found = query ? sql_next(query, error) : -1;

	if (found != 1) {
		if (found == 0)
			sql_set_damaged(store, error, "a section is missing");
		return NULL;
	}
	text = g_new0(struct text, 1);
	text->hash = sql_copy(query, 0);
	text->text = sql_copy(query, 1);
	text->length = strlen(text->text);
	return text;
}

static bool text_check(struct store *store, struct text *text, GError **error)
{
	g_autofree char *hash = text->checked ? NULL :
		g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->text, text->length);

	text->checked = text->checked || strcmp(hash, text->hash) == 0;
	if (!text->checked)
		sql_set_damaged(store, error, "a section doesn't match its checksum");
	return text->checked;
}

/* Texts by section, and the names that were met. */
struct reader {
	struct store *store;
	store_want_fn *want; /* NULL: all are wanted */
	void *data;
	GHashTable *texts; /* int64_t * → struct text */
	GStringChunk *names;
};

static struct text *reader_text(struct reader *reader, int64_t section, GError **error)
{
	struct text *text = g_hash_table_lookup(reader->texts, &section);

	if (text)
		return text;
	text = text_read(reader->store, section, error);
	if (text)
		g_hash_table_insert(reader->texts, g_memdup2(&section, sizeof(section)), text);
	return text;
}

/* Fills @sections; false with @error set, also where there is no such profile. */
static bool reader_sections(struct reader *reader, const char *digest, GArray *sections,
			    GError **error)
{
	g_autoptr(Query) query = sql_start(reader->store, error,
		"SELECT s.name, s.section FROM profile p LEFT JOIN profile_section s ON s.profile = p.id"
		" WHERE p.digest = ?1 ORDER BY s.position",
		"s", digest);
	bool known = false;
	int found = -1;

	g_array_set_size(sections, 0);
	while (query && (found = sql_next(query, error)) == 1) {
		const char *name = sql_text(query, 0);
		struct store_section section = { 0 };
		struct text *text;

		known = true;
		if (!name) /* a profile without sections */
			continue;
		section.name = g_string_chunk_insert_const(reader->names, name);
		text = reader_text(reader, sql_int(query, 1), error);
		if (!text)
			return false;
		if (reader->want && !reader->want(name, text->text, reader->data))
			continue;
		if (!text_check(reader->store, text, error))
			return false;
		section.hash = text->hash;
		section.text = text->text;
		section.length = text->length;
		g_array_append_val(sections, section);
	}
	if (found == 0 && !known)
		g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
			"%s: no profile with digest '%s' (it may have been replaced: ask again)",
			sql_path(reader->store), digest);
	return found == 0 && known;
}

static void reader_init(struct reader *reader, struct store *store)
{
	*reader = (struct reader){ .store = store };
	reader->texts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
		(GDestroyNotify)text_free);
	reader->names = g_string_chunk_new(512);
}

static void reader_clear(struct reader *reader)
{
	g_hash_table_destroy(reader->texts);
	g_string_chunk_free(reader->names);
}

static bool read_one(struct reader *reader, const char *digest, GArray *sections, GError **error)
{
	bool ok;

	if (!sql_enter_read(reader->store, error))
		return false;
	ok = reader_sections(reader, digest, sections, error);
	sql_leave_read(reader->store);
	return ok;
}

GHashTable *store_profile_part(struct store *store, const char *digest, store_want_fn *want, void *data,
			       GError **error)
{
	g_autoptr(GArray) sections = g_array_new(FALSE, FALSE, sizeof(struct store_section));
	GHashTable *profile = NULL;
	struct reader reader;

	reader_init(&reader, store);
	reader.want = want;
	reader.data = data;
	if (read_one(&reader, digest, sections, error)) {
		profile = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		for (guint i = 0; i < sections->len; i++) {
			struct store_section *section = &g_array_index(sections,
				struct store_section, i);

			g_hash_table_insert(profile, g_strdup(section->name),
				g_strdup(section->text));
		}
	}
	reader_clear(&reader);
	return profile;
}

GHashTable *store_profile(struct store *store, const char *digest, GError **error)
{
	return store_profile_part(store, digest, NULL, NULL, error);
}

static bool each_profile(struct reader *reader, store_profile_fn *call, void *data, GError **error)
{
	g_autoptr(GArray) sections = g_array_new(FALSE, FALSE, sizeof(struct store_section));
	g_autoptr(GPtrArray) hosts = hosts_read(reader->store, error);

	for (guint i = 0; hosts && i < hosts->len; i++) {
		struct store_host *host = hosts->pdata[i];

		if (!reader_sections(reader, host->digest, sections, error) ||
			!call(host, (struct store_section *)sections->data, sections->len, data,
				error))
			return false;
	}
	return hosts != NULL;
}

bool store_each_profile(struct store *store, store_profile_fn *call, void *data, GError **error)
{
	struct reader reader;
	bool ok;

	if (!sql_enter_read(store, error))
		return false;
	reader_init(&reader, store);
	ok = each_profile(&reader, call, data, error);
	reader_clear(&reader);
	sql_leave_read(store);
	return ok;
}

/* --- history ---------------------------------------------------------------------------------- */

/* The digest of the profile that was in force at a time; *@digest NULL where there was none. */
static bool former_digest(struct store *store, const char *host, int64_t at, char **digest,
			  GError **error)
{
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT p.digest FROM host h JOIN history y ON y.host = h.id"
		" JOIN profile p ON p.id = y.profile WHERE h.name = ?1 AND y.since <= ?2"
		" ORDER BY y.id DESC LIMIT 1",
		"si", host, at);
	int found = query ? sql_next(query, error) : -1;

	*digest = found == 1 ? sql_copy(query, 0) : NULL;
	return found >= 0;
}

static bool each_former(struct reader *reader, int64_t at, store_profile_fn *call, void *data,
			GError **error)
{
	g_autoptr(GArray) sections = g_array_new(FALSE, FALSE, sizeof(struct store_section));
	g_autoptr(GPtrArray) hosts = hosts_read(reader->store, error);

	for (guint i = 0; hosts && i < hosts->len; i++) {
		struct store_host *host = hosts->pdata[i];
		char *digest;

		if (!former_digest(reader->store, host->name, at, &digest, error))
			return false;
		if (!g_strcmp0(digest, host->digest)) {
			g_free(digest);
			continue;
		}
		g_free(host->digest);
		host->digest = digest;
		g_array_set_size(sections, 0);
		if ((digest && !reader_sections(reader, digest, sections, error)) ||
			!call(host, (struct store_section *)sections->data, sections->len, data,
				error))
			return false;
	}
	return hosts != NULL;
}

bool store_each_former(struct store *store, int64_t at, store_profile_fn *call, void *data,
		       GError **error)
{
	struct reader reader;
	bool ok;

	if (!sql_enter_read(store, error))
		return false;
	reader_init(&reader, store);
	ok = each_former(&reader, at, call, data, error);
	reader_clear(&reader);
	sql_leave_read(store);
	return ok;
}

static void history_free(struct store_history *entry)
{
	g_free(entry->digest);
	g_free(entry);
}

GPtrArray *store_history(struct store *store, const char *host, GError **error)
{
	g_autoptr(Query) query = sql_start(store, error,
		"SELECT p.digest, y.since FROM host h JOIN history y ON y.host = h.id"
		" JOIN profile p ON p.id = y.profile WHERE h.name = ?1 ORDER BY y.id DESC",
		"s", host);
	GPtrArray *history = g_ptr_array_new_with_free_func((GDestroyNotify)history_free);
	int found = -1;

	while (query && (found = sql_next(query, error)) == 1) {
		struct store_history *entry = g_new0(struct store_history, 1);

		entry->digest = sql_copy(query, 0);
		entry->since = sql_int(query, 1);
		g_ptr_array_add(history, entry);
	}
	if (found == 0)
		return history;
	g_ptr_array_unref(history);
	return NULL;
}

bool profiles_sweep(struct store *store, GError **error)
{
	return sql_run(store, error,
		       "DELETE FROM profile WHERE id NOT IN (SELECT profile FROM history)", "") &&
	       sql_run(store, error,
		       "DELETE FROM section WHERE id NOT IN (SELECT section FROM profile_section)", "");
}

static bool prune(struct store *store, int64_t before, int64_t *dropped, GError **error)
{
	if (!sql_run(store, error,
		"DELETE FROM history WHERE EXISTS (SELECT 1 FROM history AS later"
		" WHERE later.host = history.host AND later.id > history.id AND later.since <= ?1)",
		"i", before))
		return false;
	if (dropped)
		*dropped = sql_changes(store);
	return profiles_sweep(store, error);
}

bool store_prune(struct store *store, int64_t before, int64_t *dropped, GError **error)
{
	return sql_enter(store, error) &&
	       sql_leave(store, prune(store, before, dropped, error), error);
}
