/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-explain.c: what a check or a capability is, and who has it. */
#include "config.h"

#include "commands.h"
#include "load.h"

/* The capability of an id or of anybody's name for it, or -1. */
static int find(const char *name)
{
	int cap = cap_find(name);

	for (int ns = 0; cap < 0 && ns < CAP_NAMESPACES; ns++)
		cap = cap_find_alias((enum cap_namespace)ns, name);
	return cap;
}

static GError *unknown(const char *name)
{
	g_autoptr(GPtrArray) near = answer_explain_candidates(name, 5);
	GString *list = g_string_new(NULL);
	GError *error;

	for (guint i = 0; i < near->len; i++)
		g_string_append_printf(list, "%s%s", i ? ", " : "",
				       (const char *)g_ptr_array_index(near, i));
	if (near->len)
		error = g_error_new(CLI_ERROR, CLI_ERROR_NAME,
				    "%s: neither a check nor a capability (did you mean %s?)", name,
				    list->str);
	else
		error = g_error_new(CLI_ERROR, CLI_ERROR_NAME,
				    "%s: neither a check nor a capability (see capbroker-capabilities(7))",
				    name);
	g_string_free(list, TRUE);
	return error;
}

static int explain_capability(struct cli *cli, int cap)
{
	struct session session;
	GError *error = NULL;
	int status;

	if (session_open(&session, cli, SESSION_MAYBE, &error))
		status = cli_answer(cli,
				    answer_explain_capability(session.store ? session.fleet : NULL,
							      cap),
				    EXIT_OK, false);
	else
		status = cli_fail(cli, error);
	session_close(&session);
	return status;
}

static int run(struct cli *cli, char **args)
{
	const struct check_info *check;
	int cap;

	if (!args[0] || args[1])
		return cli_usage(cli, "exactly one check or capability is expected");
	check = check_find(args[0]);
	if (check)
		return cli_answer(cli, answer_explain_check(check), EXIT_OK, false);
	cap = find(args[0]);
	return cap < 0 ? cli_fail(cli, unknown(args[0])) : explain_capability(cli, cap);
}

const struct command cmd_explain = {
	.name = "explain",
	.arguments = "CHECK|CAPABILITY",
	.help = "Say what a check or a capability is, and which hosts have it",
	.description = "A capability goes by its id or by libvirt's, QEMU's, the kernel's or Nova's name.",
	.run = run,
};
