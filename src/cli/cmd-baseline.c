/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-baseline.c: what hosts have in common, and which of them cost what. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "commands.h"
#include "plan/settings.h"

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

/* Who was left out for it. */
static void add_left_out(GString *text, enum setting_consumer consumer, const json_t *group)
{
	const json_t *dropped = json_object_get(json_object_get(group, "coverage"), "dropped"), *host;
	g_autoptr(GString) names = g_string_new(NULL);
	size_t i;

	json_array_foreach (dropped, i, host)
		g_string_append_printf(names, " %s", json_string_value(host));
	if (names->len) {
		g_string_prepend(names, "left out:");
		setting_comment(text, consumer, names->str);
	}
}

/* One group's, under a comment where there are several; false with @error where it can't be read. */
static bool add_group(GString *text, const struct setting_facts *facts, enum setting_consumer consumer,
		      const json_t *group, bool alone, bool *usable, GError **error)
{
	g_autoptr(Setting) setting = setting_of_json(group, error);
	g_autofree char *head = NULL, *one = NULL;

	if (!setting)
		return false;
	head = g_strdup_printf("%s %s, %u hosts", setting->arch, setting->vendor, setting->hosts->len);
	one = setting_write(setting, consumer, facts, NULL, usable);
	if (!alone)
		setting_comment(text, consumer, head);
	add_left_out(text, consumer, group);
	g_string_append(text, one);
	return true;
}

/* A text for other programs; *@status tells of it unless something worse did. */
static char *write_groups(const struct cli *cli, const struct setting_facts *facts, enum setting_consumer consumer,
			  const json_t *groups, int *status, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *assumed = cli_assumed(cli);
	const json_t *group;
	size_t i;

	if (assumed) {
		g_autofree char *words = g_strconcat("assumed: ", assumed, NULL);

		setting_comment(text, consumer, words);
	}
	json_array_foreach (groups, i, group) {
		bool usable = true;

		if (i && consumer == SETTING_KUBEVIRT)
			g_string_append(text, "---\n");
		if (!add_group(text, facts, consumer, group, json_array_size(groups) == 1, &usable, error))
			return NULL;
		if (!usable && *status == EXIT_OK)
			*status = EXIT_UNKNOWN;
	}
	return g_strdup(text->str);
}

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

/* As what another program takes: of the answer, whoever gives it, with the names that are known here. */
static int write_settings(const struct cli *cli, json_t *question, enum setting_consumer consumer)
{
	struct session session;
	GError *error = NULL;
	g_autofree char *text = NULL;
	int status = EXIT_OK, written;
	json_t *answer = cli_answer_to(cli, "baseline", question, &status, &error);

	if (answer && session_open(&session, cli, SESSION_FILES, &error)) {
		const struct setting_facts facts = { session.files->tables, session.files->models };

		text = write_groups(cli, &facts, consumer, json_object_get(answer, "baselines"), &status, &error);
	}
	if (answer)
		session_close(&session);
	json_decref(answer);
	if (!text)
		return cli_fail(cli, error);
	written = cli_text(cli, text);
	return written ? written : status;
}

static int check_format(struct cli *cli)
{
	enum setting_consumer consumer;
	GString *names;
	int status;

	if (accel && strcmp(accel, "kvm") && strcmp(accel, "tcg"))
		return cli_usage(cli, "--accel %s: is neither kvm nor tcg", accel);
	if (!format || !strcmp(format, "text") || !strcmp(format, "json") ||
	    setting_consumer_find(format, &consumer)) {
		cli->json = cli->json || !g_strcmp0(format, "json");
		return EXIT_OK;
	}
	names = g_string_new("text, json");
	for (size_t i = 0; i < SETTING_CONSUMERS; i++)
		g_string_append_printf(names, ", %s", setting_consumer_name((enum setting_consumer)i));
	status = cli_usage(cli, "--format %s: is none of %s", format, names->str);
	g_string_free(names, TRUE);
	return status;
}

static int run(struct cli *cli, char **args)
{
	enum setting_consumer consumer;
	int status = check_format(cli);

	if (status)
		return status;
	if (format && setting_consumer_find(format, &consumer))
		return write_settings(cli, question_of(args), consumer);
	return cli_ask(cli, "baseline", question_of(args), false);
}

const struct command cmd_baseline = {
	.name = "baseline",
	.arguments = "[SELECTOR…]",
	.help = "Say what hosts have in common, and which of them cost what",
	.description = "SELECTOR: a host's name, UUID or alias; cluster=NAME; label:K=V; class=ID; all (the default).",
	.entries = entries,
	.run = run,
};
