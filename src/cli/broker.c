/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* broker.c: see broker.h. */
#include "config.h"

#include <string.h>

#include "broker.h"
#include "client.h"

/* A fleet's matrix takes seconds; nobody waits longer than this. */
#define TIMEOUT_MS 300000u

static json_t *read_reply(const struct cli *cli, const struct client_reply *reply, int *status, GError **error)
{
	json_t *json = json_loadb((const char *)reply->body->data, reply->body->len, 0, NULL);
	GError *problem = error_from_answer(json);

	if (json && !problem && reply->status >= 200 && reply->status < 300) {
		*status = reply->exit_status >= 0 ? reply->exit_status : 0;
		return json;
	}
	json_decref(json);
	if (problem)
		g_propagate_error(error, problem);
	else
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s: answers with HTTP status %ld and nothing that capbroker knows (is it a broker?)",
			    cli_broker(cli), reply->status);
	return NULL;
}

static json_t *send_to(const struct cli *cli, const char *method, const char *path, const char *body, int *status,
		       GError **error)
{
	const char *token = cli->token_file ? cli->token_file : g_getenv("CAPBROKER_TOKEN_FILE");
	const char *ca = cli->ca_file ? cli->ca_file : g_getenv("CAPBROKER_CA_FILE");
	const struct client_options options = { .url = cli_broker(cli), .token_file = token && *token ? token : NULL,
						.ca_file = ca && *ca ? ca : NULL, .timeout_ms = TIMEOUT_MS };
	g_autoptr(Client) client = NULL;
	struct client_reply reply;
	json_t *answer;

	if (cli->policy) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "%s: --policy: doesn't go with --broker, which has its own (leave it out)", cli->command);
		return NULL;
	}
	client = client_new(&options, error);
	if (!client || !client_send(client, method, path, body, body ? strlen(body) : 0, &reply, error))
		return NULL;
	answer = read_reply(cli, &reply, status, error);
	client_reply_clear(&reply);
	return answer;
}

json_t *broker_ask(const struct cli *cli, const char *name, const json_t *question, int *status, GError **error)
{
	g_autofree char *path = g_strconcat("/v1/", name, NULL);
	char *body = json_dumps(question, JSON_COMPACT);
	json_t *answer = send_to(cli, "POST", path, body, status, error);

	free(body);
	return answer;
}

json_t *broker_get(const struct cli *cli, const char *path, GError **error)
{
	int status;

	return send_to(cli, "GET", path, NULL, &status, error);
}
