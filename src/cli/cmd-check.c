/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-check.c: may a guest start there, or migrate there; may a device be plugged into it? */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "commands.h"

static char *from_name;
static char **to;
static char *device_file;

static const GOptionEntry entries[] = {
	{ "from", 0, 0, G_OPTION_ARG_STRING, &from_name, "The host it runs on: asks for migration", "HOST" },
	{ "to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &to, "Hosts to judge; more may follow", "SELECTOR" },
	{ "hotplug", 0, 0, G_OPTION_ARG_FILENAME, &device_file,
	  "Ask whether this device (XML) may be plugged into it on its host", "DEVICE.xml" },
	{ 0 },
};

/* What looks like a file is one; a known guest's name comes before a file of that name. */
static void set_guest(json_t *question, const char *name)
{
	bool file = !strcmp(name, "-") || strchr(name, '/') || g_str_has_suffix(name, ".xml");

	if (!file)
		json_object_set_new(question, "guest", question_text(name));
	if (file || g_file_test(name, G_FILE_TEST_EXISTS))
		json_object_set_new(question, "document", question_file(name));
}

static int run(struct cli *cli, char **args)
{
	json_t *question, *targets;

	if (!args[0])
		return cli_usage(cli, "no guest given");
	if (args[1] && !to)
		return cli_usage(cli, "'%s' is not expected (targets follow --to)", args[1]);
	if (device_file && to)
		return cli_usage(cli, "--to doesn't go with --hotplug (the guest's own host is asked)");
	question = json_object();
	set_guest(question, args[0]);
	targets = question_texts(to);
	for (size_t i = 1; args[i]; i++)
		json_array_append_new(targets, question_text(args[i]));
	json_object_set_new(question, "to", targets);
	if (from_name)
		json_object_set_new(question, "from", question_text(from_name));
	if (device_file)
		json_object_set_new(question, "device", question_file(device_file));
	return cli_ask(cli, "check", question, false);
}

const struct command cmd_check = {
	.name = "check",
	.arguments = "GUEST",
	.help = "Say where a guest can start, or migrate to, and why not",
	.description =
		"GUEST: a domain XML file, a file with a bare <cpu> (the CPU alone is judged), '-', or "
		"the name or\nUUID of a known guest. SELECTOR: a host's name, UUID or alias; "
		"cluster=NAME; label:K=V; class=ID;\nall. Without --to: the guest's cluster.\n\n"
		"--hotplug asks whether a device, written as for 'virsh attach-device', may be plugged into "
		"the guest\non the host that it runs on: --from, else where it is known to run.\n\n"
		"Exit status over several targets: 0 if any is ok or warn, else 3 if any is unknown, "
		"else 1.",
	.entries = entries,
	.run = run,
};
