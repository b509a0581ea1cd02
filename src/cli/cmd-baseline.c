/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-baseline.c: what hosts have in common, and which of them cost what. */
#include "config.h"

#include <string.h>

#include "assumed-price.h"
#include "commands.h"
#include "plan/settings.h"
#include "planning.h"

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
static void add_left_out(GString *text, enum setting_consumer consumer, const json_t *note)
{
	const json_t *dropped = json_object_get(json_object_get(note, "coverage"), "dropped"), *host;
	g_autoptr(GString) names = g_string_new(NULL);
	size_t i;

	json_array_foreach (dropped, i, host)
		g_string_append_printf(names, " %s", json_string_value(host));
	if (names->len) {
		g_string_prepend(names, "left out:");
		setting_comment(text, consumer, names->str);
	}
}

/* One group's, under a comment where there are several. */
static bool add_group(GString *text, const struct session *s, enum setting_consumer consumer,
		      const struct baseline *b, const json_t *note, bool alone)
{
	const struct setting_facts facts = { s->files->tables, s->files->models };
	g_autofree char *head = g_strdup_printf("%s %s, %u hosts", b->arch, b->vendor, b->hosts->len);
	g_autoptr(Setting) setting = setting_of_baseline(b);
	g_autofree char *one = NULL;
	bool usable;

	one = setting_write(setting, consumer, &facts, NULL, &usable);
	if (!alone)
		setting_comment(text, consumer, head);
	add_left_out(text, consumer, note);
	g_string_append(text, one);
	return usable;
}

/* A text for other programs. */
static int print_groups(const struct cli *cli, const struct session *s, enum setting_consumer consumer,
			const GPtrArray *groups, const json_t *notes)
{
	GString *text = g_string_new(NULL);
	g_autofree char *assumed = cli_assumed(cli);
	int status, unknown = EXIT_OK;

	if (assumed) {
		g_autofree char *words = g_strconcat("assumed: ", assumed, NULL);

		setting_comment(text, consumer, words);
	}
	for (guint i = 0; i < groups->len; i++) {
		if (i && consumer == SETTING_KUBEVIRT)
			g_string_append(text, "---\n");
		if (!add_group(text, s, consumer, g_ptr_array_index(groups, i), json_array_get(notes, i),
			       groups->len == 1))
			unknown = EXIT_UNKNOWN;
	}
	status = cli_text(cli, text->str);
	g_string_free(text, TRUE);
	return status ? status : unknown;
}

/* Those that are kept, in place of @groups, where hosts may be left out or something must be there. */
static bool cover(const struct session *s, const GPtrArray *hosts, const struct baseline_options *options,
		  GPtrArray **groups, json_t **notes, bool *blocked, GError **error)
{
	const struct planning_names names = { .coverage = coverage, .weight_label = weight_label };
	struct plans plans;
	bool ok = plans_open(&plans, s, options, &names, hosts, error);

	if (ok && (plans.planning.share || (s->policy && s->policy->floors->len))) {
		GPtrArray *kept = answer_cover(&s->answering, *groups, &plans.planning, notes, blocked);

		g_ptr_array_unref(*groups);
		*groups = kept;
	}
	plans_close(&plans);
	return ok;
}

static int answer(struct cli *cli, const struct session *session, const GPtrArray *hosts)
{
	enum setting_consumer consumer;
	const struct baseline_options options = { .all_features = all_features, .accel = accel };
	GPtrArray *groups = baseline_groups(&session->judge, hosts, &options);
	json_t *notes = NULL, *json, *note;
	GError *error = NULL;
	bool blocked = false;
	int status;
	size_t i;

	if (!cover(session, hosts, &options, &groups, &notes, &blocked, &error)) {
		status = cli_fail(cli, error);
	} else if (format && setting_consumer_find(format, &consumer)) {
		status = print_groups(cli, session, consumer, groups, notes);
		status = status == EXIT_OK && blocked ? EXIT_BLOCK : status;
	} else {
		json = answer_baseline(&session->answering, hosts, groups);
		json_array_foreach (notes, i, note)
			json_object_update(json_array_get(json_object_get(json, "baselines"), i), note);
		assumed_price(cli, session, json);
		status = cli_answer(cli, json, blocked ? EXIT_BLOCK : EXIT_OK, false);
	}
	json_decref(notes);
	g_ptr_array_unref(groups);
	return status;
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
	struct session session;
	g_autoptr(GPtrArray) hosts = NULL;
	GError *error = NULL;
	int status = check_format(cli);

	if (status)
		return status;
	if (session_open(&session, cli, SESSION_READ, &error))
		hosts = session_select(&session, args, &error);
	status = hosts ? answer(cli, &session, hosts) : cli_fail(cli, error);
	g_clear_pointer(&hosts, g_ptr_array_unref);
	session_close(&session);
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
