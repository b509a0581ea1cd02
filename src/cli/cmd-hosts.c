/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-hosts.c: the hosts that are known. */
#include "config.h"

#include "commands.h"
#include "level-parts.h"

/* The hosts, and whether they take the guests of the levels they are selected by. */
static json_t *answer(const struct session *s, const GPtrArray *hosts, GError **error)
{
	json_t *json = answer_hosts(&s->answering, hosts);
	struct levels levels;

	if (levels_open(&levels, s, error))
		answer_hosts_levels(json, &s->answering, &levels.site, levels.all);
	else
		g_clear_pointer(&json, json_decref);
	levels_close(&levels);
	return json;
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	g_autoptr(GPtrArray) hosts = NULL;
	GError *error = NULL;
	json_t *json = NULL;
	int status;

	if (session_open(&session, cli, SESSION_READ, &error))
		hosts = *args ? session_select(&session, args, &error)
			      : g_ptr_array_ref(session.fleet->hosts);
	if (hosts)
		json = answer(&session, hosts, &error);
	status = json ? cli_answer(cli, json, EXIT_OK, false) : cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_hosts = {
	.name = "hosts",
	.arguments = "[SELECTOR…]",
	.help = "List the hosts that are known",
	.description = "SELECTOR: a host's name, UUID or alias; cluster=NAME; label:K=V; class=ID; all.",
	.run = run,
};
