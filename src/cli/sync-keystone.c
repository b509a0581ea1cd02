/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sync-keystone.c: a token of Keystone's, by the environment that OpenStack's clients read. */
#include "config.h"

#include <string.h>

#include "sync.h"

#define TIMEOUT_MS 30000u

static const char *environment(const char *name, const char *other)
{
	const char *value = g_getenv(name);

	return value && *value ? value : other;
}

static json_t *question(GError **error)
{
	const char *user = environment("OS_USERNAME", NULL), *password = environment("OS_PASSWORD", NULL);
	const char *project = environment("OS_PROJECT_NAME", NULL);
	const char *user_domain = environment("OS_USER_DOMAIN_NAME", "Default");
	const char *project_domain = environment("OS_PROJECT_DOMAIN_NAME", "Default");

	if (!user || !password || !project) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "sync: OS_USERNAME, OS_PASSWORD or OS_PROJECT_NAME isn't set (read the project's openrc first)");
		return NULL;
	}
	return json_pack("{s:{s:{s:[s], s:{s:{s:s, s:s, s:{s:s}}}}, s:{s:{s:s, s:{s:s}}}}}", "auth", "identity",
			 "methods", "password", "password", "user", "name", user, "password", password, "domain",
			 "name", user_domain, "scope", "project", "name", project, "domain", "name", project_domain);
}

/* The URL of a service in the catalog, of the region that is asked for. */
static const char *find_endpoint(const json_t *reply, const char *type)
{
	const json_t *catalog = json_object_get(json_object_get(reply, "token"), "catalog"), *service, *endpoint;
	const char *interface = environment("OS_INTERFACE", "public"), *region = environment("OS_REGION_NAME", NULL);
	size_t i, k;

	json_array_foreach (catalog, i, service) {
		if (g_strcmp0(json_string_value(json_object_get(service, "type")), type))
			continue;
		json_array_foreach (json_object_get(service, "endpoints"), k, endpoint)
			if (!g_strcmp0(json_string_value(json_object_get(endpoint, "interface")), interface) &&
			    (!region || !g_strcmp0(json_string_value(json_object_get(endpoint, "region")), region)))
				return json_string_value(json_object_get(endpoint, "url"));
	}
	return NULL;
}

/* "…/v3" from what openrc has, with or without it. */
static char *versioned(const char *url)
{
	g_autofree char *plain = g_strdup(url);

	while (g_str_has_suffix(plain, "/"))
		plain[strlen(plain) - 1] = 0;
	return g_str_has_suffix(plain, "/v3") ? g_strdup(plain) : g_strconcat(plain, "/v3", NULL);
}

static bool take_reply(const struct client_reply *reply, const char *url, const char *type, char **token,
		       char **endpoint, GError **error)
{
	json_t *json = json_loadb((const char *)reply->body->data, reply->body->len, 0, NULL);
	const char *found = json ? find_endpoint(json, type) : NULL;
	bool ok = false;

	if (reply->status != 201 || !reply->subject_token)
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s: gives no token, but HTTP status %ld (are OS_USERNAME and OS_PASSWORD right?)",
			    url, reply->status);
	else if (endpoint && !found)
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s: its catalog has no %s service there (say --url)", url, type);
	else
		ok = true;
	if (ok && endpoint)
		*endpoint = g_strdup(found);
	if (ok)
		*token = g_strdup(reply->subject_token);
	json_decref(json);
	return ok;
}

bool sync_keystone(const struct sync_options *o, const char *type, char **token, char **endpoint, GError **error)
{
	g_autofree char *url = versioned(o->auth_url);
	const struct client_options options = { .url = url, .ca_file = o->ca_file, .timeout_ms = TIMEOUT_MS,
						.service = "Keystone", .plain_http = o->plain_http };
	g_autoptr(Client) client = client_new(&options, error);
	json_t *asked = client ? question(error) : NULL;
	char *text = asked ? json_dumps(asked, JSON_COMPACT) : NULL;
	struct client_reply reply;
	bool ok = false;

	if (text && client_send(client, "POST", "/auth/tokens", text, strlen(text), &reply, error)) {
		ok = take_reply(&reply, url, type, token, endpoint, error);
		client_reply_clear(&reply);
	}
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	json_decref(asked);
	return ok;
}
