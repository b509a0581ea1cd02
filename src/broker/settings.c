/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* settings.c: see settings.h. */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "errors.h"
#include "files.h"
#include "settings.h"

#define CONF_MAX (1024u * 1024)

enum kind { TEXT, NUMBER, FLAG };

static const struct key {
	const char *group, *name;
	enum kind kind;
	size_t place;
	int least, most;
} keys[] = {
	{ "broker", "database", TEXT, offsetof(struct settings, database), 0, 0 },
	{ "broker", "tokens", TEXT, offsetof(struct settings, tokens), 0, 0 },
	{ "broker", "policy", TEXT, offsetof(struct settings, policy), 0, 0 },
	{ "broker", "threads", NUMBER, offsetof(struct settings, threads), 0, 64 },
	{ "unix", "socket", TEXT, offsetof(struct settings, socket), 0, 0 },
	{ "unix", "readers", TEXT, offsetof(struct settings, readers), 0, 0 },
	{ "unix", "agents", TEXT, offsetof(struct settings, agents), 0, 0 },
	{ "tls", "listen", TEXT, offsetof(struct settings, listen), 0, 0 },
	{ "tls", "certificate", TEXT, offsetof(struct settings, certificate), 0, 0 },
	{ "tls", "key", TEXT, offsetof(struct settings, key), 0, 0 },
	{ "limits", "connections", NUMBER, offsetof(struct settings, connections), 1, 100000 },
	{ "limits", "per_address", NUMBER, offsetof(struct settings, per_address), 1, 100000 },
	{ "limits", "body_mib", NUMBER, offsetof(struct settings, body_mib), 1, 64 },
	{ "limits", "bodies_mib", NUMBER, offsetof(struct settings, bodies_mib), 1, 65536 },
	{ "limits", "request_seconds", NUMBER, offsetof(struct settings, request_seconds), 1, 3600 },
	{ "limits", "idle_seconds", NUMBER, offsetof(struct settings, idle_seconds), 1, 86400 },
	{ "limits", "waiting", NUMBER, offsetof(struct settings, waiting), 1, 1000000 },
	{ "history", "keep_days", NUMBER, offsetof(struct settings, keep_days), 0, 36500 },
	{ "history", "decisions", FLAG, offsetof(struct settings, decisions), 0, 0 },
	{ "log", "json", FLAG, offsetof(struct settings, json), 0, 0 },
	{ "log", "requests", FLAG, offsetof(struct settings, requests), 0, 0 },
};

static const char *names[G_N_ELEMENTS(keys) + 1];

const char *const *settings_keys(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(keys) && !names[i]; i++)
		names[i] = g_strconcat(keys[i].group, ".", keys[i].name, NULL);
	return names;
}

struct settings *settings_new(void)
{
	struct settings *s = g_new0(struct settings, 1);

	*s = (struct settings){
		.database = g_strdup("/var/lib/capbroker/capbroker.db"),
		.tokens = g_strdup("/var/lib/capbroker/tokens"),
		.socket = g_strdup("/run/capbroker/broker.sock"),
		.connections = 8192,
		.per_address = 4096,
		.body_mib = 32,
		.bodies_mib = 256,
		.request_seconds = 30,
		.idle_seconds = 600,
		.waiting = 10000,
		.keep_days = 400,
		.decisions = true,
	};
	return s;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		if (keys[i].kind == TEXT)
			g_free(*(char **)((char *)s + keys[i].place));
	g_free(s);
}

static const struct key *find(const char *group, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		if (!strcmp(keys[i].group, group) && !strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static bool set(struct settings *s, GKeyFile *file, const struct key *key, GError **error)
{
	void *place = (char *)s + key->place;
	g_autoptr(GError) problem = NULL;
	gboolean flag;
	int number;

	switch (key->kind) {
	case TEXT:
		g_free(*(char **)place);
		*(char **)place = g_key_file_get_string(file, key->group, key->name, &problem);
		break;
	case NUMBER:
		number = g_key_file_get_integer(file, key->group, key->name, &problem);
		if (!problem && (number < key->least || number > key->most))
			g_set_error(&problem, SERVICE_ERROR, SERVICE_ERROR_USAGE, "not a number from %d to %d", key->least,
				    key->most);
		*(int *)place = number;
		break;
	case FLAG:
		flag = g_key_file_get_boolean(file, key->group, key->name, &problem);
		*(bool *)place = flag;
		break;
	}
	if (problem)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE, "[%s] %s: %s (see capbrokerd.conf(5))", key->group,
			    key->name, problem->message);
	return !problem;
}

static bool set_group(struct settings *s, GKeyFile *file, const char *group, GError **error)
{
	g_auto(GStrv) given = g_key_file_get_keys(file, group, NULL, NULL);

	for (size_t i = 0; given && given[i]; i++) {
		const struct key *key = find(group, given[i]);

		if (!key) {
			g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
				    "[%s] %s: no such key (see capbrokerd.conf(5))", group, given[i]);
			return false;
		}
		if (!set(s, file, key, error))
			return false;
	}
	return true;
}

static bool check(const struct settings *s, GError **error)
{
	const char *what = NULL;

	if (s->listen && (!s->certificate || !s->key))
		what = "[tls] listen: wants certificate and key (nothing is sent in the clear)";
	else if (s->listen && !strrchr(s->listen, ':'))
		what = "[tls] listen: not ADDRESS:PORT (say 0.0.0.0:8443 or [::]:8443)";
	else if (!*s->database)
		what = "[broker] database: empty (give a file)";
	else if (!*s->tokens)
		what = "[broker] tokens: empty (give a file)";
	else if (s->bodies_mib < s->body_mib)
		what = "[limits] bodies_mib: less than body_mib (no body would fit)";
	if (what)
		g_set_error_literal(error, SERVICE_ERROR, SERVICE_ERROR_USAGE, what);
	return !what;
}

struct settings *settings_read(const char *path, bool required, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	struct settings *s = settings_new();
	g_autofree char *bytes = NULL;
	g_auto(GStrv) groups = NULL;
	gsize length = 0;
	bool ok = true;

	if (required || g_file_test(path, G_FILE_TEST_EXISTS))
		ok = file_read(path, CONF_MAX, &bytes, &length, error);
	else
		path = "built-in settings";
	if (ok && length && !g_key_file_load_from_data(file, bytes, length, G_KEY_FILE_NONE, error)) {
		g_prefix_error(error, "%s: ", path);
		ok = false;
	}
	groups = g_key_file_get_groups(file, NULL);
	for (size_t i = 0; ok && groups[i]; i++) {
		ok = set_group(s, file, groups[i], error);
		if (!ok)
			g_prefix_error(error, "%s: ", path);
	}
	if (ok && !(ok = check(s, error)))
		g_prefix_error(error, "%s: ", path);
	if (ok)
		return s;
	settings_free(s);
	return NULL;
}
