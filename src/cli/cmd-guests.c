/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-guests.c: the guests that are known, and what one of them was started with. */
#include "config.h"

#include "commands.h"
#include "guest-contracts.h"
#include "load.h"

static gboolean element;

static const GOptionEntry entries[] = {
	{ "contract", 0, 0, G_OPTION_ARG_NONE, &element,
	  "Print GUEST's contract as an element for its <metadata>", NULL },
	{ 0 },
};

static int one(const struct cli *cli, struct session *session, const char *name)
{
	GError *error = NULL;
	const struct guest *guest = session_guest(session, name, &error);
	g_autofree char *text = guest && element ? guest_contract_element(session, guest, &error) : NULL;
	g_autofree char *line = text ? g_strconcat(text, "\n", NULL) : NULL;
	json_t *answer = guest && !element ? guest_contracts(session, guest, &error) : NULL;

	if (error)
		return cli_fail(cli, error);
	return line ? cli_text(cli, line) : cli_answer(cli, answer, EXIT_OK, false);
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	int status;

	if (args[0] && args[1])
		return cli_usage(cli, "'%s' is not expected", args[1]);
	if (element && (!args[0] || cli->json))
		return cli_usage(cli, "--contract: goes with one guest, and prints XML");
	if (!session_open(&session, cli, args[0] ? SESSION_READ : SESSION_GUESTS, &error))
		status = cli_fail(cli, error);
	else if (args[0])
		status = one(cli, &session, args[0]);
	else
		status = cli_answer(cli, answer_guests(&session.answering, session.guests), EXIT_OK, false);
	session_close(&session);
	return status;
}

const struct command cmd_guests = {
	.name = "guests",
	.arguments = "[GUEST]",
	.help = "List the guests that are known, or one's contracts",
	.description =
		"With a GUEST: what it was started with, frozen, and each change while it ran, newest first.\n"
		"--contract prints the newest as one XML element, which travels with the guest:\n\n"
		"  virsh metadata GUEST urn:capbroker:contract:1 capbroker --live --config \\\n"
		"    --set \"$(capbroker guests GUEST --contract)\"",
	.entries = entries,
	.run = run,
};
