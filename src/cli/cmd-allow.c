/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-allow.c: allow what a check speaks against: one guest, some hosts, one check, until a time. */
#include "config.h"

#include <string.h>

#include "author.h"
#include "commands.h"
#include "files.h"
#include "judge/rulebook.h"
#include "load.h"
#include "moves-json.h"
#include "times.h"

#define EXPIRES_MAX (366 * 24 * 3600) /* seconds: an override is no policy */

static char **to;
static char *check_name, *reason, *expires;
static gboolean accept_risk, list;
static gint64 ended;

static const GOptionEntry entries[] = {
	{ "to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &to, "The hosts it holds for", "SELECTOR" },
	{ "check", 0, 0, G_OPTION_ARG_STRING, &check_name, "The check that is not to block", "NAME" },
	{ "reason", 0, 0, G_OPTION_ARG_STRING, &reason, "Why, for whoever reads it later", "TEXT" },
	{ "expires", 0, 0, G_OPTION_ARG_STRING, &expires, "When it ends: 12h, 7d, 2w, or a date", "T" },
	{ "accept-risk", 0, 0, G_OPTION_ARG_NONE, &accept_risk, "Also where the harm would be silent", NULL },
	{ "list", 0, 0, G_OPTION_ARG_NONE, &list, "List all, also expired and revoked ones", NULL },
	{ "revoke", 0, 0, G_OPTION_ARG_INT64, &ended, "End one", "ID" },
	{ 0 },
};

static bool usage(GError **error, const char *what)
{
	g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "allow: %s (see capbroker allow --help)", what);
	return false;
}

/* A guest that nobody stored goes by its UUID, or by its definition's. */
static bool name_guest(struct session *s, const char *name, struct store_override *o, GError **error)
{
	g_autofree char *bytes = NULL;
	g_autoptr(XmlDocument) xml = NULL;
	g_autoptr(Needs) needs = NULL;
	struct guest *guest;
	gsize length;

	if (g_uuid_string_is_valid(name)) {
		guest = session_guest(s, name, NULL);
		o->guest = g_strdup(name);
		o->guest_name = g_strdup(guest ? guest->name : name);
		return true;
	}
	if (strchr(name, '/') || g_str_has_suffix(name, ".xml")) {
		if (file_read(name, XML_MAX_BYTES, &bytes, &length, error))
			xml = xml_parse(bytes, length, name, error);
		needs = xml ? needs_from_xml(xml, error) : NULL;
		if (needs && !needs->name)
			return usage(error, "that definition names no guest");
		o->guest = needs ? g_strdup(needs->uuid ? needs->uuid : needs->name) : NULL;
		o->guest_name = needs ? g_strdup(needs->name) : NULL;
		return needs != NULL;
	}
	guest = session_guest(s, name, error);
	if (!guest)
		return false;
	o->guest = g_strdup(guest->uuid ? guest->uuid : guest->name);
	o->guest_name = g_strdup(guest->name);
	return true;
}

static bool complete(struct session *s, struct store_override *o, GError **error)
{
	g_autoptr(GPtrArray) hosts = NULL;
	int64_t now = s->answering.now;

	if (!to || to[1] || !check_name || !reason || !expires)
		return usage(error, "--to (once), --check, --reason and --expires are all needed");
	if (!is_reason(reason))
		return usage(error, "--reason: one line of at most 500 bytes is expected");
	if (!time_parse(expires, now, &o->expires))
		return usage(error, "--expires: 12h, 7d, 2w, 2026-12-24 or 2026-12-24T18:00 is expected");
	if (o->expires <= now || o->expires > now + EXPIRES_MAX)
		return usage(error, "--expires: a time within the next 366 days is expected");
	if (!check_find(check_name)) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_NAME,
			    "%s: no such check (see 'capbroker complete checks', and what 'check' named)", check_name);
		return false;
	}
	hosts = session_select(s, to, error);
	o->selector = to[0];
	o->check = check_name;
	o->reason = reason;
	o->accept_risk = accept_risk;
	o->created = now;
	return hosts != NULL;
}

/* The new override as the list shows it. */
static json_t *add(struct session *s, const struct cli *cli, const char *guest, GError **error)
{
	struct store_override o = { 0 };
	json_t *answer = NULL;

	o.author = author_name(&o.uid);
	if (name_guest(s, guest, &o, error) && complete(s, &o, error) && session_store(s, cli, error) &&
	    store_put_override(s->store, &o, &o.id, error)) {
		answer = answer_new("overrides");
		json_object_set_new(answer, "overrides",
				    json_pack("[o]", override_json(&o, s->answering.now)));
	}
	g_free(o.guest);
	g_free(o.guest_name);
	g_free(o.author);
	return answer;
}

static json_t *list_all(struct session *s, GError **error)
{
	g_autoptr(GPtrArray) stored = store_overrides(s->store, error);
	json_t *answer = stored ? answer_new("overrides") : NULL;

	if (answer)
		json_object_set_new(answer, "overrides", overrides_json(stored, s->answering.now, true));
	return answer;
}

static json_t *end_one(struct session *s, const struct cli *cli, GError **error)
{
	int64_t uid;
	g_autofree char *by = author_name(&uid);
	bool found = false;

	if (!session_store(s, cli, error) ||
	    !store_revoke_override(s->store, ended, by, s->answering.now, &found, error))
		return NULL;
	if (found)
		return list_all(s, error);
	g_set_error(error, CLI_ERROR, CLI_ERROR_NAME,
		    "%" G_GINT64_FORMAT ": no override of that number that isn't revoked (see 'capbroker allow --list')",
		    ended);
	return NULL;
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	json_t *answer = NULL;
	int status;

	if (args[0] && args[1])
		return cli_usage(cli, "'%s' is not expected", args[1]);
	if (!!args[0] + !!list + !!ended != 1)
		return cli_usage(cli, "a guest, --list or --revoke ID is expected, one of them");
	if (session_open(&session, cli, SESSION_READ, &error))
		answer = list   ? list_all(&session, &error) :
			 ended  ? end_one(&session, cli, &error) :
				  add(&session, cli, args[0], &error);
	status = answer ? cli_answer(cli, answer, EXIT_OK, false) : cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_allow = {
	.name = "allow",
	.arguments = "GUEST",
	.help = "Allow what a check speaks against, until a time",
	.description =
		"capbroker allow GUEST --to SELECTOR --check NAME --reason TEXT --expires T [--accept-risk]\n"
		"capbroker allow --list\n"
		"capbroker allow --revoke ID\n\n"
		"GUEST: the name or UUID of a known guest, any UUID, or a domain XML file. What the check blocks,\n"
		"or doesn't know, counts as a warning then, and every verdict it touches says so. A silent\n"
		"hazard stays blocked without --accept-risk.",
	.entries = entries,
	.changes = true,
	.run = run,
};
