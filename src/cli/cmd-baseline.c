/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-baseline.c: what hosts have in common, and which of them cost what. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "commands.h"
#include "setting-text.h"

static gboolean all_features;
static char *format, *accel, *coverage, *weight_label;

static const GOptionEntry entries[] = {
	{ "all-features", 0, 0, G_OPTION_ARG_NONE, &all_features, "Keep features that can't migrate", NULL },
	{ "accel", 0, 0, G_OPTION_ARG_STRING, &accel, "Meet what QEMU gives under kvm or tcg (default: the best known)", "ACCEL" },
	{ "coverage", 0, 0, G_OPTION_ARG_STRING, &coverage, "Leave out hosts, as long as at least this share is kept (0.95, 95%)", "SHARE" },
	{ "weight-label", 0, 0, G_OPTION_ARG_STRING, &weight_label, "A host counts what this label of it says, not 1", "KEY" },
	{ "format", 0, 0, G_OPTION_ARG_STRING, &format, "text, json, or for libvirt, libvirt-domain, qemu, nova, ovirt, kubevirt, proxmox", "FORMAT" },
	{ 0 },
};

static json_t *question_of(char **args)
{
	json_t *question = json_pack("{s:o, s:b}", "select", question_texts(args), "all_features", (int)all_features);

	if (accel)
		json_object_set_new(question, "accel", question_text(accel));
	if (coverage)
		json_object_set_new(question, "coverage", question_text(coverage));
	if (weight_label)
		json_object_set_new(question, "weight_label", question_text(weight_label));
	return question;
}

static int check_options(struct cli *cli)
{
	if (accel && strcmp(accel, "kvm") && strcmp(accel, "tcg"))
		return cli_usage(cli, "--accel %s: is neither kvm nor tcg", accel);
	return setting_format_check(cli, format);
}

static int run(struct cli *cli, char **args)
{
	enum setting_consumer consumer;
	json_t *question;
	int status = check_options(cli);

	if (status)
		return status;
	question = question_of(args);
	if (!format || !setting_consumer_find(format, &consumer))
		return cli_ask(cli, "baseline", question, false);
	json_object_set_new(question, "settings", json_true());
	return setting_print(cli, "baseline", question, consumer);
}

const struct command cmd_baseline = {
	.name = "baseline",
	.arguments = "[SELECTOR…]",
	.help = "Say what hosts have in common, and which of them cost what",
	.description = "SELECTOR: a host's name, UUID or alias; cluster=NAME; label:K=V; class=ID; all (the default).",
	.entries = entries,
	.run = run,
};
