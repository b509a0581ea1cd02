/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-baseline.c: what hosts have in common, and which of them cost what. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "commands.h"
#include "planning.h"

static gboolean all_features;
static char *format, *accel, *coverage, *weight_label;

static const GOptionEntry entries[] = {
	{ "all-features", 0, 0, G_OPTION_ARG_NONE, &all_features, "Keep features that can't migrate", NULL },
	{ "accel", 0, 0, G_OPTION_ARG_STRING, &accel, "Meet what QEMU gives under kvm or tcg (default: the best known)", "ACCEL" },
	{ "coverage", 0, 0, G_OPTION_ARG_STRING, &coverage, "Leave out hosts, as long as at least this share is kept (0.95, 95%)", "SHARE" },
	{ "weight-label", 0, 0, G_OPTION_ARG_STRING, &weight_label, "A host counts what this label of it says, not 1", "KEY" },
	{ "format", 0, 0, G_OPTION_ARG_STRING, &format, "text, json, libvirt or qemu", "FORMAT" },
	{ 0 },
};

/* A comment where nothing can be set. */
static char *setting(const struct baseline *b, bool xml)
{
	const char *none = b->family == ARCH_X86 ?
				   "no CPU feature is known to be common to these hosts" :
				   "no CPU is known that guests of all these hosts can have";

	if (!baseline_has_setting(b))
		return g_strdup_printf(xml ? "<!-- %s -->\n" : "# %s", none);
	return xml ? baseline_libvirt(b) : baseline_qemu(b);
}

/* A comment; two dashes would end one of XML. */
static void add_comment(GString *text, bool xml, const char *head, const char *words)
{
	g_autofree char *safe = g_strdup(words);

	for (char *c = safe; *c; c++)
		if (*c == '-' && c[1] == '-')
			*c = '~';
	g_string_append_printf(text, xml ? "<!-- %s: %s -->\n" : "# %s: %s\n", head, safe);
}

/* Who was left out for it. */
static void add_left_out(GString *text, bool xml, const json_t *note)
{
	const json_t *dropped = json_object_get(json_object_get(note, "coverage"), "dropped"), *host;
	g_autoptr(GString) names = g_string_new(NULL);
	size_t i;

	json_array_foreach (dropped, i, host)
		g_string_append_printf(names, "%s%s", i ? " " : "", json_string_value(host));
	if (names->len)
		add_comment(text, xml, "left out", names->str);
}

/* A text for other programs: each group's, under a comment where there are several. */
static int print_groups(const struct cli *cli, const GPtrArray *groups, const json_t *notes)
{
	bool xml = !strcmp(format, "libvirt");
	GString *text = g_string_new(NULL);
	g_autofree char *assumed = cli_assumed(cli);
	int status, unknown = EXIT_OK;

	if (assumed)
		add_comment(text, xml, "assumed", assumed);
	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);
		g_autofree char *one = setting(b, xml);

		if (!baseline_has_setting(b))
			unknown = EXIT_UNKNOWN;
		if (groups->len > 1)
			g_string_append_printf(text, xml ? "<!-- %s %s, %u hosts -->\n"
							 : "# %s %s, %u hosts\n",
					       b->arch, b->vendor, b->hosts->len);
		add_left_out(text, xml, json_array_get(notes, i));
		g_string_append(text, one);
		if (!g_str_has_suffix(one, "\n"))
			g_string_append_c(text, '\n');
	}
	status = cli_text(cli, text->str);
	g_string_free(text, TRUE);
	return status ? status : unknown;
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

/* As what another program takes. */
static int write_settings(const struct cli *cli, const json_t *question)
{
	struct session session;
	struct common *common = NULL;
	GError *error = NULL;
	int status;

	if (session_open(&session, cli, SESSION_READ, &error))
		common = common_of(&session, question, &error);
	status = common ? print_groups(cli, common->groups, common->notes) : cli_fail(cli, error);
	status = common && common->blocked && status == EXIT_OK ? EXIT_BLOCK : status;
	common_free(common);
	session_close(&session);
	return status;
}

static int check_format(struct cli *cli)
{
	static const char *const later[] = { "nova", "ovirt", "kubevirt", "proxmox", NULL };
	static const char *const now[] = { "text", "json", "libvirt", "qemu", NULL };

	if (accel && strcmp(accel, "kvm") && strcmp(accel, "tcg"))
		return cli_usage(cli, "--accel %s: is neither kvm nor tcg", accel);
	if (!format || g_strv_contains(now, format)) {
		cli->json = cli->json || !g_strcmp0(format, "json");
		return EXIT_OK;
	}
	if (g_strv_contains(later, format))
		return cli_usage(cli, "--format %s: not available in this version", format);
	return cli_usage(cli, "--format %s: is none of text, json, libvirt, qemu", format);
}

static int run(struct cli *cli, char **args)
{
	int status = check_format(cli);
	json_t *question;

	if (status)
		return status;
	question = question_of(args);
	if (!format || !strcmp(format, "text") || !strcmp(format, "json"))
		return cli_ask(cli, "baseline", question, false);
	status = write_settings(cli, question);
	json_decref(question);
	return status;
}

const struct command cmd_baseline = {
	.name = "baseline",
	.arguments = "[SELECTOR…]",
	.help = "Say what hosts have in common, and which of them cost what",
	.description = "SELECTOR: a host's name, UUID or alias; cluster=NAME; label:K=V; class=ID; all (the default).",
	.entries = entries,
	.run = run,
};
