/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-tradeoff.c: which few hosts cost what, from all hosts to the newest. */
#include "config.h"

#include "ask.h"
#include "commands.h"

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
	g_autofree char *text = writer_svg_tradeoff(answer);

	return !svg || cli_write_file(svg, text, error);
}

static int run(struct cli *cli, char **args)
{
	json_t *question = json_pack("{s:o, s:o, s:o}", "select", question_texts(args), "pins",
				     question_texts(pins), "forbid", question_texts(forbid));

	if (weight_label)
		json_object_set_new(question, "weight_label", question_text(weight_label));
	return cli_ask_and(cli, "tradeoff", question, draw);
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
