/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cmd-complete.c: words for a shell's completion, one a line. What can't be found out is left out
 * without a word: nobody who presses a key wants to read of a database.
 */
#include "config.h"

#include <string.h>

#include "commands.h"
#include "datafiles.h"
#include "levels.h"
#include "model/dictionary.h"
#include "store.h"

static void add(GString *text, const char *prefix, const char *word)
{
	/* What a shell would take apart, or run, is not for its line. */
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:=+@/,%-";

	if (word && *word && *word != '-' && !word[strspn(word, plain)])
		g_string_append_printf(text, "%s%s\n", prefix, word);
}

static void add_commands(GString *text)
{
	for (size_t i = 0; commands[i]; i++)
		add(text, "", commands[i]->name);
}

static void add_options(GString *text, const GOptionEntry *entries)
{
	for (size_t i = 0; entries && entries[i].long_name; i++)
		g_string_append_printf(text, "--%s%s\n", entries[i].long_name,
				       entries[i].arg == G_OPTION_ARG_NONE ? "" : "=");
}

static void add_command_options(GString *text, const char *name)
{
	for (size_t i = 0; name && commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			add_options(text, commands[i]->entries);
	add_options(text, common_options);
	g_string_append(text, "--help\n");
}

static void add_pairs(GString *text, GHashTable *pairs, bool labels)
{
	GHashTableIter iter;
	void *key, *value;

	if (!pairs)
		return;
	g_hash_table_iter_init(&iter, pairs);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		g_autofree char *label = labels ? g_strdup_printf("%s=%s", (char *)key, (char *)value) : NULL;

		add(text, labels ? "label:" : "", labels ? label : value);
	}
}

/* @all: whatever selects hosts, not names alone. */
static void add_hosts(GString *text, struct store *store, bool all)
{
	g_autoptr(GPtrArray) hosts = store_hosts(store, NULL);

	for (guint i = 0; hosts && i < hosts->len; i++) {
		const struct store_host *host = g_ptr_array_index(hosts, i);

		add(text, "", host->name);
		add_pairs(text, host->aliases, false);
		if (!all)
			continue;
		add(text, "cluster=", host->cluster);
		add_pairs(text, host->labels, true);
	}
	if (all)
		add(text, "", "all");
}

static void add_guests(GString *text, struct store *store)
{
	g_autoptr(GPtrArray) guests = store_guests(store, NULL);

	for (guint i = 0; guests && i < guests->len; i++)
		add(text, "", ((const struct store_guest *)g_ptr_array_index(guests, i))->name);
}

/* Levels, and their series. */
static void add_levels(GString *text, struct store *store)
{
	g_autoptr(GPtrArray) levels = store_levels(store, NULL);

	for (guint i = 0; levels && i < levels->len; i++) {
		const struct store_level *level = g_ptr_array_index(levels, i);

		add(text, "", level->name);
		add(text, "", level->series);
	}
}

static void add_stored(GString *text, const struct cli *cli, const char *kind)
{
	g_autofree char *path = cli_database(cli);
	g_autoptr(Store) store = g_file_test(path, G_FILE_TEST_EXISTS) ? store_open(path, true, NULL) : NULL;

	if (!store)
		return;
	if (!strcmp(kind, "guests"))
		add_guests(text, store);
	else if (!strcmp(kind, "levels"))
		add_levels(text, store);
	else
		add_hosts(text, store, !strcmp(kind, "selectors"));
}

static void add_checks(GString *text)
{
	struct datafiles *files = datafiles_load(NULL);

	for (size_t i = 0; i < check_count; i++)
		add(text, "", check_at(i)->name);
	for (guint i = 0; files && i < rulebook_size(files->rules); i++)
		add(text, "", rulebook_at(files->rules, i)->name);
	datafiles_free(files);
}

/* Yes-or-no ones by the dictionary's id and by libvirt's name; others by id. */
static void add_capabilities(GString *text)
{
	for (size_t i = 0; i < cap_count; i++) {
		add(text, "", cap_table[i].id);
		add(text, "", cap_alias_of(NS_LIBVIRT, (int)i));
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each word once, in order. */
static int print(const struct cli *cli, const GString *words)
{
	g_auto(GStrv) lines = g_strsplit(words->str, "\n", -1);
	g_autoptr(GString) text = g_string_new(NULL);
	const char *last = "";

	qsort(lines, g_strv_length(lines), sizeof(*lines), by_text);
	for (size_t i = 0; lines[i]; i++)
		if (strcmp(lines[i], last)) {
			g_string_append_printf(text, "%s\n", lines[i]);
			last = lines[i];
		}
	return cli_text(cli, text->str);
}

static int run(struct cli *cli, char **args)
{
	static const char *const stored[] = { "hosts", "selectors", "guests", "levels", NULL };
	g_autoptr(GString) text = g_string_new(NULL);

	if (!args[0] || (args[1] && (args[2] || strcmp(args[0], "options"))))
		return cli_usage(cli, "commands, options [COMMAND], hosts, selectors, guests, levels, checks or capabilities is expected");
	if (!strcmp(args[0], "commands"))
		add_commands(text);
	else if (!strcmp(args[0], "options"))
		add_command_options(text, args[1]);
	else if (g_strv_contains(stored, args[0]))
		add_stored(text, cli, args[0]);
	else if (!strcmp(args[0], "checks"))
		add_checks(text);
	else if (!strcmp(args[0], "capabilities"))
		add_capabilities(text);
	else
		return cli_usage(cli, "'%s' is no kind of words", args[0]);
	return print(cli, text);
}

const struct command cmd_complete = {
	.name = "complete",
	.arguments = "KIND [COMMAND]",
	.help = "Print words for a shell's completion",
	.description = "KIND: commands, options (of a COMMAND), hosts, selectors, guests, levels,\n"
		       "checks, capabilities.",
	.run = run,
};
