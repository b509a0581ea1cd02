/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-explain.c: what a check or a capability is, and who has it. */
#include "config.h"

#include "commands.h"
#include "datafiles.h"
#include "load.h"
#include "model/arch.h"

/* The capability of an id or of anybody's name for it, x86's before others'; or -1. */
static int find(const char *name)
{
	int cap = cap_find(name);

	for (int family = 0; cap < 0 && family < ARCH_FAMILIES; family++)
		for (int ns = 0; cap < 0 && ns < CAP_NAMESPACES; ns++)
			cap = arch_find_alias((enum arch_family)family, (enum cap_namespace)ns, name);
	return cap;
}

static GError *unknown(const char *name, const struct rulebook *rules)
{
	g_autoptr(GPtrArray) near = answer_explain_candidates(name, rules, 5);
	GString *list = g_string_new(NULL);
	GError *error;

	for (guint i = 0; i < near->len; i++)
		g_string_append_printf(list, "%s%s", i ? ", " : "",
				       (const char *)g_ptr_array_index(near, i));
	if (near->len)
		error = g_error_new(CLI_ERROR, CLI_ERROR_NAME,
				    "%s: no check, rule or capability (did you mean %s?)", name, list->str);
	else
		error = g_error_new(CLI_ERROR, CLI_ERROR_NAME,
				    "%s: no check, rule or capability (see capbroker-capabilities(7))", name);
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
							      session.files->tables, cap),
				    EXIT_OK, false);
	else
		status = cli_fail(cli, error);
	session_close(&session);
	return status;
}

/* A check, a rule, a capability: whatever has the name. */
static int explain(struct cli *cli, const char *name, const struct rulebook *rules)
{
	const struct check_info *check = check_find(name);
	const struct rule *rule = rulebook_find(rules, name);
	int cap;

	if (check)
		return cli_answer(cli, answer_explain_check(check, rules), EXIT_OK, false);
	if (rule)
		return cli_answer(cli, answer_explain_rule(rule), EXIT_OK, false);
	cap = find(name);
	return cap < 0 ? cli_fail(cli, unknown(name, rules)) : explain_capability(cli, cap);
}

static int run(struct cli *cli, char **args)
{
	struct datafiles *files;
	GError *error = NULL;
	int status;

	if (!args[0] || args[1])
		return cli_usage(cli, "exactly one check, rule or capability is expected");
	files = datafiles_load(&error);
	if (!files)
		return cli_fail(cli, error);
	status = explain(cli, args[0], files->rules);
	datafiles_free(files);
	return status;
}

const struct command cmd_explain = {
	.name = "explain",
	.arguments = "CHECK|RULE|CAPABILITY",
	.help = "Say what a check, a rule or a capability is, and which hosts have it",
	.description = "A capability goes by its id or by libvirt's, QEMU's, the kernel's or Nova's name.",
	.run = run,
};
