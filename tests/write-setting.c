/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * write-setting.c: a group of the answer "baseline" on standard input; prints its settings for each
 * consumer, each below a line "=== CONSUMER" and "usable" or "none". Its argument, if any, is what to call it.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "datafiles.h"
#include "plan/settings.h"

/* The program's own errors, which the readers of its data files use. */
G_DEFINE_QUARK(write-setting-error, cli_error)

static int fail(const char *what)
{
	fprintf(stderr, "write-setting: %s\n", what);
	return 2;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct datafiles *files = datafiles_load(&error);
	json_t *group = json_loadf(stdin, 0, NULL);
	g_autoptr(Setting) setting = group ? setting_of_json(group, &error) : NULL;

	if (!files || !setting)
		return fail(error ? error->message : "no JSON on standard input");
	for (int c = 0; c < SETTING_CONSUMERS; c++) {
		const struct setting_facts facts = { files->tables, files->models };
		bool usable;
		g_autofree char *text = setting_write(setting, (enum setting_consumer)c, &facts,
						      argc > 1 ? argv[1] : NULL, &usable);

		printf("=== %s %s\n%s", setting_consumer_name((enum setting_consumer)c),
		       usable ? "usable" : "none", text);
	}
	json_decref(group);
	datafiles_free(files);
	return 0;
}
