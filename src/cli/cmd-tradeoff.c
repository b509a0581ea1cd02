/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-tradeoff.c: which few hosts cost what, from all hosts to the newest. */
#include "config.h"

#include <errno.h>

#include "assumed-price.h"
#include "commands.h"
#include "planning.h"

static char *svg, *weight_label;
static char **pins, **forbid;

static const GOptionEntry entries[] = {
	{ "pin", 0, 0, G_OPTION_ARG_STRING_ARRAY, &pins, "All that are kept must have it; more may follow", "CAP" },
	{ "forbid", 0, 0, G_OPTION_ARG_STRING_ARRAY, &forbid, "It counts nothing; more may follow", "CAP" },
	{ "weight-label", 0, 0, G_OPTION_ARG_STRING, &weight_label, "A host counts what this label of it says, not 1", "KEY" },
	{ "svg", 0, 0, G_OPTION_ARG_FILENAME, &svg, "Also draw it into this file", "FILE" },
	{ 0 },
};

static bool draw(const json_t *answer, GError **error)
{
	g_autofree char *text = writer_svg_tradeoff(answer), *label = NULL;
	GError *failed = NULL;

	if (!svg || g_file_set_contents(svg, text, -1, &failed))
		return true;
	label = g_filename_display_name(svg);
	g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s: cannot write: %s (name another file)", label,
		    g_strerror(failed->code == G_FILE_ERROR_NOENT ? ENOENT : errno));
	g_error_free(failed);
	return false;
}

static json_t *answer(const struct session *s, const GPtrArray *hosts, GError **error)
{
	const struct baseline_options options = { 0 };
	const struct planning_names names = { .weight_label = weight_label, .pins = pins, .forbid = forbid };
	struct plans plans;
	json_t *json = NULL;

	if (plans_open(&plans, s, &options, &names, hosts, error)) {
		g_autoptr(GPtrArray) groups = baseline_groups(&s->judge, hosts, &options);

		json = answer_tradeoff(&s->answering, hosts, groups, s->guests, &plans.planning);
	}
	plans_close(&plans);
	if (json && !draw(json, error))
		g_clear_pointer(&json, json_decref);
	return json;
}

/* Blocked where some group can't have what is pinned. */
static int status_of(const json_t *answer)
{
	const json_t *group;
	size_t i;

	json_array_foreach (json_object_get(answer, "groups"), i, group)
		if (!json_array_size(json_object_get(group, "steps")))
			return EXIT_BLOCK;
	return EXIT_OK;
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	g_autoptr(GPtrArray) hosts = NULL;
	GError *error = NULL;
	json_t *json = NULL;
	int status;

	if (session_open(&session, cli, SESSION_READ, &error))
		hosts = session_select(&session, args, &error);
	if (hosts)
		json = answer(&session, hosts, &error);
	if (json)
		assumed_price(cli, &session, json);
	status = json ? cli_answer(cli, json, status_of(json), false) : cli_fail(cli, error);
	g_clear_pointer(&hosts, g_ptr_array_unref);
	session_close(&session);
	return status;
}

const struct command cmd_tradeoff = {
	.name = "tradeoff",
	.arguments = "[SELECTOR…]",
	.help = "Say which few hosts cost what: from all of them to the newest",
	.description =
		"SELECTOR: a host's name, UUID or alias; cluster=NAME; label:K=V; class=ID; all (the default).\n"
		"CAP: a capability's id or libvirt's name of a feature; ID=VALUE where it isn't yes or no, such as\n"
		"qemu.machine=pc-q35-9.2 or iommu.address-bits=48 (at least).\n\n"
		"Exit status: 1 where a group of hosts can't have what is pinned.",
	.entries = entries,
	.run = run,
};
