/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-guests.c: the guests that are known, and what one of them was started with. */
#include "config.h"

#include "ask.h"
#include "commands.h"
#include "guest-contracts.h"

static gboolean element;

static const GOptionEntry entries[] = {
	{ "contract", 0, 0, G_OPTION_ARG_NONE, &element,
	  "Print GUEST's contract as an element for its <metadata>", NULL },
	{ 0 },
};

/* Its newest contract, as XML. */
static int write_element(const struct cli *cli, const char *name)
{
	g_autofree char *text = NULL, *line = NULL;
	const struct guest *guest = NULL;
	struct session session;
	GError *error = NULL;
	int status;

	if (session_open(&session, cli, SESSION_READ, &error))
		guest = session_guest(&session, name, &error);
	text = guest ? guest_contract_element(&session, guest, &error) : NULL;
	line = text ? g_strconcat(text, "\n", NULL) : NULL;
	status = line ? cli_text(cli, line) : cli_fail(cli, error);
	session_close(&session);
	return status;
}

static int run(struct cli *cli, char **args)
{
	if (args[0] && args[1])
		return cli_usage(cli, "'%s' is not expected", args[1]);
	if (element && (!args[0] || cli->json))
		return cli_usage(cli, "--contract: goes with one guest, and prints XML");
	if (element)
		return write_element(cli, args[0]);
	if (args[0])
		return cli_ask(cli, "contracts", json_pack("{s:o}", "guest", question_text(args[0])), false);
	return cli_ask(cli, "guests", json_object(), false);
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
