/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tokens.c: see tokens.h. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer/answer.h"
#include "answer/override.h"
#include "errors.h"
#include "files.h"
#include "tokens.h"

#define ID_BYTES 6
#define SECRET_BYTES 32

static const char *const roles[ROLES] = { "none", "agent", "reader", "admin" };

const char *role_name(enum role role)
{
	return roles[role];
}

enum role role_parse(const char *name)
{
	for (int i = ROLE_AGENT; i < ROLES; i++)
		if (!g_strcmp0(name, roles[i]))
			return (enum role)i;
	return ROLE_NONE;
}

void token_free(struct token *t)
{
	if (!t)
		return;
	g_free(t->id);
	g_free(t->host);
	g_free(t->note);
	g_free(t->hash);
	g_free(t);
}

void tokens_free(struct tokens *tokens)
{
	if (!tokens)
		return;
	g_hash_table_unref(tokens->by_id);
	g_ptr_array_unref(tokens->list);
	g_free(tokens);
}

static struct tokens *tokens_new(void)
{
	struct tokens *tokens = g_new0(struct tokens, 1);

	tokens->list = g_ptr_array_new_with_free_func((GDestroyNotify)token_free);
	tokens->by_id = g_hash_table_new(g_str_hash, g_str_equal);
	return tokens;
}

static void add(struct tokens *tokens, struct token *t)
{
	g_ptr_array_add(tokens->list, t);
	g_hash_table_replace(tokens->by_id, t->id, t);
}

/* --- the file --------------------------------------------------------------------------------- */

static bool fail(const char *path, const char *what, int number, GError **error)
{
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO, "%s: cannot %s: %s (run this as the broker's user)", path,
		    what, g_strerror(number));
	return false;
}

/* One group of the file; NULL where it says what can't be. */
static struct token *read_group(GKeyFile *file, const char *group)
{
	struct token *t = g_new0(struct token, 1);
	g_autofree char *role = NULL;

	t->id = g_strdup(group);
	role = g_key_file_get_string(file, group, "role", NULL);
	t->role = role_parse(role);
	t->host = g_key_file_get_string(file, group, "host", NULL);
	t->note = g_key_file_get_string(file, group, "note", NULL);
	t->hash = g_key_file_get_string(file, group, "hash", NULL);
	t->created = g_key_file_get_int64(file, group, "created", NULL);
	t->expires = g_key_file_get_int64(file, group, "expires", NULL);
	t->enrolment = g_key_file_get_boolean(file, group, "enrolment", NULL);
	t->uses = g_key_file_get_int64(file, group, "uses", NULL);
	if (t->hash && strlen(t->hash) == 64 && t->role != ROLE_NONE && (t->role != ROLE_AGENT || t->enrolment || t->host))
		return t;
	token_free(t);
	return NULL;
}

/* A file that others may read has told them nothing but hashes; one that they may write is theirs. */
static bool check_mode(const char *path, GError **error)
{
	struct stat st;

	if (stat(path, &st) < 0 || !(st.st_mode & (S_IRWXO | S_IWGRP)))
		return true;
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO,
		    "%s: others may read or write it (chmod 0600, and see who did)", path);
	return false;
}

struct tokens *tokens_read(const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *bytes = NULL;
	g_auto(GStrv) groups = NULL;
	struct tokens *tokens;
	gsize length;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return tokens_new();
	if (!check_mode(path, error) || !file_read(path, TOKENS_MAX_BYTES, &bytes, &length, error))
		return NULL;
	if (length && !g_key_file_load_from_data(file, bytes, length, G_KEY_FILE_NONE, error)) {
		g_prefix_error(error, "%s: ", path);
		return NULL;
	}
	tokens = tokens_new();
	groups = g_key_file_get_groups(file, NULL);
	for (size_t i = 0; groups[i]; i++) {
		struct token *t = read_group(file, groups[i]);

		if (t) {
			add(tokens, t);
			continue;
		}
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO, "%s: [%s]: is no token (take it out)", path, groups[i]);
		tokens_free(tokens);
		return NULL;
	}
	return tokens;
}

static void write_group(GKeyFile *file, const struct token *t)
{
	g_key_file_set_string(file, t->id, "role", role_name(t->role));
	if (t->host)
		g_key_file_set_string(file, t->id, "host", t->host);
	if (t->note)
		g_key_file_set_string(file, t->id, "note", t->note);
	g_key_file_set_string(file, t->id, "hash", t->hash);
	g_key_file_set_int64(file, t->id, "created", t->created);
	if (t->expires)
		g_key_file_set_int64(file, t->id, "expires", t->expires);
	if (t->enrolment) {
		g_key_file_set_boolean(file, t->id, "enrolment", TRUE);
		g_key_file_set_int64(file, t->id, "uses", t->uses);
	}
}

static bool write_all(const char *path, const struct tokens *tokens, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *text = NULL;
	g_autoptr(GError) failed = NULL;

	for (guint i = 0; i < tokens->list->len; i++)
		write_group(file, g_ptr_array_index(tokens->list, i));
	text = g_key_file_to_data(file, NULL, NULL);
	if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
				     0600, &failed))
		return true;
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO, "%s (run this as the broker's user)", failed->message);
	return false;
}

/* Held by whoever reads the file to write it. Returns -1 with @error. */
static int lock(const char *path, GError **error)
{
	g_autofree char *name = g_strconcat(path, ".lock", NULL);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	fail(name, "lock", errno, error);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- what is done with them ------------------------------------------------------------------- */

static char *hash_of(const char *text)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

/* As long as it takes, whatever differs. */
static bool same(const char *a, const char *b)
{
	unsigned char differs = 0;

	for (size_t i = 0; i < 64; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return !differs;
}

const struct token *tokens_find(const struct tokens *tokens, const char *text, int64_t now)
{
	g_auto(GStrv) parts = g_strsplit(text, "_", 3);
	g_autofree char *hash = NULL;
	const struct token *t;

	if (strlen(text) > TOKEN_TEXT_MAX || g_strv_length(parts) != 3)
		return NULL;
	t = g_hash_table_lookup(tokens->by_id, parts[1]);
	hash = t ? hash_of(text) : NULL;
	if (!t || !same(hash, t->hash) || (t->expires && t->expires <= now) || strcmp(parts[0], t->enrolment ? "cbe" : "cbt"))
		return NULL;
	return t;
}

static bool random_bytes(guint8 *bytes, size_t n, GError **error)
{
	if (getrandom(bytes, n, 0) == (ssize_t)n)
		return true;
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO, "no random numbers: %s (is the system sound?)", g_strerror(errno));
	return false;
}

static char *hex(const guint8 *bytes, size_t n)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < n; i++)
		g_string_append_printf(text, "%02x", bytes[i]);
	return g_string_free(text, FALSE);
}

/* Adds a new one to those; returns its text. */
static char *make(struct tokens *tokens, const struct token *spec, int64_t now, GError **error)
{
	guint8 id[ID_BYTES], secret[SECRET_BYTES];
	g_autofree char *secret_text = NULL;
	struct token *t;
	char *text;

	if (!random_bytes(id, sizeof(id), error) || !random_bytes(secret, sizeof(secret), error))
		return NULL;
	secret_text = hex(secret, sizeof(secret));
	t = g_new0(struct token, 1);
	t->id = hex(id, sizeof(id));
	text = g_strdup_printf("%s_%s_%s", spec->enrolment ? "cbe" : "cbt", t->id, secret_text);
	t->role = spec->role;
	t->host = g_strdup(spec->host);
	t->note = g_strdup(spec->note);
	t->hash = hash_of(text);
	t->created = now;
	t->expires = spec->expires;
	t->enrolment = spec->enrolment;
	t->uses = spec->uses;
	add(tokens, t);
	return text;
}

char *token_create(const char *path, const struct token *spec, int64_t now, GError **error)
{
	int fd = lock(path, error);
	struct tokens *tokens = fd >= 0 ? tokens_read(path, error) : NULL;
	g_autofree char *text = tokens ? make(tokens, spec, now, error) : NULL;
	bool ok = text && write_all(path, tokens, error);

	tokens_free(tokens);
	if (fd >= 0)
		close(fd);
	return ok ? g_steal_pointer(&text) : NULL;
}

bool token_revoke(const char *path, const char *id, GError **error)
{
	int fd = lock(path, error);
	struct tokens *tokens = fd >= 0 ? tokens_read(path, error) : NULL;
	struct token *t = tokens ? g_hash_table_lookup(tokens->by_id, id) : NULL;
	bool ok = false;

	if (tokens && !t)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME, "%s: no token has that id (see 'capbroker token list')", id);
	if (t) {
		g_hash_table_remove(tokens->by_id, id);
		g_ptr_array_remove(tokens->list, t);
		ok = write_all(path, tokens, error);
	}
	tokens_free(tokens);
	if (fd >= 0)
		close(fd);
	return ok;
}

static const struct token *agent_of(const struct tokens *tokens, const char *host, int64_t now)
{
	for (guint i = 0; i < tokens->list->len; i++) {
		const struct token *t = g_ptr_array_index(tokens->list, i);

		if (t->role == ROLE_AGENT && !t->enrolment && !g_strcmp0(t->host, host) && (!t->expires || t->expires > now))
			return t;
	}
	return NULL;
}

static char *enrol(struct tokens *tokens, const char *secret, const char *host, int64_t now, GError **error)
{
	const struct token spec = { .role = ROLE_AGENT, .host = (char *)host, .note = (char *)"enrolled" };
	struct token *t = (struct token *)tokens_find(tokens, secret, now);
	const struct token *other;

	if (!t || !t->enrolment || t->uses < 1) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "enrol: that secret isn't good, or not any more (make another: capbroker token create --enrol)");
		return NULL;
	}
	other = agent_of(tokens, host, now);
	if (other) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "%s: an agent of that host has a token already (is it another host of that name? else: capbroker token revoke %s)",
			    host, other->id);
		return NULL;
	}
	t->uses--;
	return make(tokens, &spec, now, error);
}

char *token_enrol(const char *path, const char *secret, const char *host, int64_t now, GError **error)
{
	int fd = lock(path, error);
	struct tokens *tokens = fd >= 0 ? tokens_read(path, error) : NULL;
	g_autofree char *text = tokens ? enrol(tokens, secret, host, now, error) : NULL;
	bool ok = text && write_all(path, tokens, error);

	tokens_free(tokens);
	if (fd >= 0)
		close(fd);
	return ok ? g_steal_pointer(&text) : NULL;
}

static json_t *entry(const struct token *t, int64_t now)
{
	g_autofree char *created = time_text(t->created), *expires = t->expires ? time_text(t->expires) : NULL;
	const char *state = t->expires && t->expires <= now ? "expired" : t->enrolment && t->uses < 1 ? "used" : "good";

	return json_pack("{s:s, s:s, s:s?, s:b, s:o, s:s, s:s?, s:s?, s:s}", "id", t->id, "role", role_name(t->role), "host",
			 t->host, "enrolment", (int)t->enrolment, "uses", t->enrolment ? json_integer(t->uses) : json_null(),
			 "created", created, "expires", expires, "note", t->note, "state", state);
}

json_t *answer_tokens(const struct tokens *tokens, int64_t now)
{
	json_t *answer = answer_new("tokens"), *array = json_array();

	for (guint i = 0; i < tokens->list->len; i++)
		json_array_append_new(array, entry(g_ptr_array_index(tokens->list, i), now));
	json_object_set_new(answer, "tokens", array);
	return answer;
}
