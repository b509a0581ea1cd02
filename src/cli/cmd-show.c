/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-show.c: what one host can promise a guest. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "commands.h"
#include "show.h"
#include "sync.h"
#include "validity.h"

static json_t *show(const struct session *session, const char *name, bool all, GError **error)
{
	const struct host *host = session_host(session, name, error);
	g_autoptr(Profile) own = host ? session_profile(session, host, error) : NULL;

	json_t *answer = own ? show_host_of(session, host, own, all) : NULL;

	if (answer)
		json_object_set_new(answer, "validity", validity_of(host, own));
	return answer;
}

int show_host(struct cli *cli, const char *name)
{
	struct session session;
	GError *error = NULL;
	json_t *answer = NULL;
	int status;

	if (cli_broker(cli))
		return cli_ask(cli, "show", json_pack("{s:o, s:b}", "host", question_text(name), "all", (int)cli->verbose),
			       false);
	if (session_open(&session, cli, SESSION_READ, &error))
		answer = show(&session, name, cli->verbose, &error);
	if (answer)
		cli_add_assumed_price(cli, &session, answer);
	status = answer ? cli_answer(cli, answer, EXIT_OK, false) : cli_fail(cli, error);
	session_close(&session);
	return status;
}

static char *format;

static const GOptionEntry entries[] = {
	{ "format", 0, 0, G_OPTION_ARG_STRING, &format, "text, json, or nfd: a feature file for Kubernetes' Node Feature Discovery", "FORMAT" },
	{ 0 },
};

static char *nfd_of(const struct session *session, const char *name, GError **error)
{
	const struct host *host = session_host(session, name, error);
	g_autoptr(GPtrArray) hosts = g_ptr_array_new(), untold = g_ptr_array_new();
	g_autoptr(GHashTable) marks = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	struct sync sync = { .session = session, .hosts = hosts, .marks = marks, .untold = untold };
	g_autoptr(GHashTable) labels = NULL;

	if (!host)
		return NULL;
	g_ptr_array_add(hosts, (gpointer)host);
	if (!sync_marks(&sync, error))
		return NULL;
	labels = labels_of(g_hash_table_lookup(marks, host), host->profile, host->class->id);
	return labels_nfd(labels);
}

static int show_nfd(struct cli *cli, const char *name)
{
	struct session session;
	GError *error = NULL;
	g_autofree char *text = NULL;
	int status;

	if (cli_broker(cli))
		return cli_usage(cli, "--format nfd: is made of a database of one's own (leave --broker out)");
	if (session_open(&session, cli, SESSION_FLEET, &error))
		text = nfd_of(&session, name, &error);
	status = text ? cli_text(cli, text) : cli_fail(cli, error);
	session_close(&session);
	return status;
}

static int run(struct cli *cli, char **args)
{
	if (!args[0] || args[1])
		return cli_usage(cli, "exactly one host is expected");
	if (format && !strcmp(format, "nfd"))
		return show_nfd(cli, args[0]);
	if (format && !strcmp(format, "json"))
		cli->json = true;
	else if (format && strcmp(format, "text"))
		return cli_usage(cli, "--format: '%s' is none of text, json, nfd", format);
	return show_host(cli, args[0]);
}

const struct command cmd_show = {
	.name = "show",
	.arguments = "HOST",
	.help = "Say what one host can promise a guest",
	.description = "With -v every fact is listed.",
	.entries = entries,
	.run = run,
};
