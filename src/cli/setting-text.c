/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* setting-text.c: see setting-text.h. */
#include "config.h"

#include <string.h>

#include "setting-text.h"

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

/* "baselines" of a baseline, "groups" of a level. */
static const json_t *groups_of(const json_t *answer)
{
	const json_t *baselines = json_object_get(answer, "baselines");

	return baselines ? baselines : json_object_get(json_object_get(answer, "level"), "groups");
}

int setting_print(const struct cli *cli, const char *name, json_t *question, enum setting_consumer consumer)
{
	struct session session;
	GError *error = NULL;
	g_autofree char *text = NULL;
	int status = EXIT_OK, written;
	json_t *answer = cli_answer_to(cli, name, question, &status, &error);

	if (answer) {
		if (session_open(&session, cli, SESSION_FILES, &error)) {
			const struct setting_facts facts = { session.files->tables, session.files->models };

			text = write_groups(cli, &facts, consumer, groups_of(answer), &status, &error);
		}
		session_close(&session);
	}
	json_decref(answer);
	if (!text)
		return cli_fail(cli, error);
	written = cli_text(cli, text);
	return written ? written : status;
}

int setting_format_check(struct cli *cli, const char *format)
{
	enum setting_consumer consumer;
	GString *names;
	int status;

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
