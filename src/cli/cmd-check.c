/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-check.c: may a guest start there, or migrate there; may a device be plugged into it? */
#include "config.h"

#include <string.h>

#include "assumed-price.h"
#include "commands.h"
#include "files.h"
#include "guest/plug.h"
#include "load.h"
#include "read/read.h"

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

struct asked {
	struct guest *guest;   /* @own or one of the session's */
	struct guest *own;
	const struct host *from;
	enum question ask;
	GPtrArray *targets;
	struct needs *plugged; /* the guest with the device of --hotplug */
};

static struct guest *guest_from_file(const char *path, GError **error)
{
	g_autofree char *bytes = NULL, *label = file_label(path), *base = g_path_get_basename(path);
	g_autoptr(XmlDocument) xml = NULL;
	enum read_kind kind;
	struct needs *needs;
	struct guest *guest;
	gsize length;

	if (!file_read(path, XML_MAX_BYTES, &bytes, &length, error))
		return NULL;
	kind = read_kind(bytes, length);
	if (kind == READ_CAPABILITIES || kind == READ_DOMCAPABILITIES || kind == READ_PROFILE) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO,
			    "%s: describes a host, not a guest (give it to 'capbroker import')",
			    label);
		return NULL;
	}
	xml = xml_parse(bytes, length, label, error);
	needs = xml ? needs_from_xml(xml, error) : NULL;
	if (!needs) {
		if (xml)
			g_prefix_error(error, "%s: ", label);
		return NULL;
	}
	guest = g_new0(struct guest, 1);
	if (strrchr(base, '.') > base)
		*strrchr(base, '.') = 0;
	guest->name = g_strdup(needs->name ? needs->name : strcmp(path, "-") ? base : "guest");
	guest->uuid = g_strdup(needs->uuid);
	guest->running = needs->live;
	if (needs->live)
		guest->live = needs;
	else
		guest->defined = needs;
	return guest;
}

/* What looks like a file is one; a known guest's name comes before a file of that name. */
static bool is_file(struct session *s, const char *name)
{
	if (!strcmp(name, "-") || strchr(name, '/') || g_str_has_suffix(name, ".xml"))
		return true;
	return !session_knows_guest(s, name) && g_file_test(name, G_FILE_TEST_EXISTS);
}

static bool find_guest(struct session *s, struct asked *q, const char *name,
		       GError **error)
{
	if (!is_file(s, name)) {
		q->guest = session_guest(s, name, error);
		return q->guest != NULL;
	}
	q->guest = q->own = guest_from_file(name, error);
	if (q->own)
		guest_expand(q->own, &s->judge);
	return q->own != NULL;
}

static bool find_from(const struct session *s, struct asked *q, GError **error)
{
	const char *host = from_name ? from_name : q->own ? NULL : q->guest->host;

	q->ask = from_name || (!q->own && q->guest->running) ? ASK_MIGRATE : ASK_START;
	if (!host)
		return true;
	q->from = from_name ? session_host(s, host, error) : fleet_find(s->fleet, host);
	return q->from || !from_name;
}

/* The guest's cluster, else all; not the host it is to leave. */
static bool default_targets(const struct session *s, struct asked *q, GError **error)
{
	g_autofree char *cluster =
		q->from && q->from->cluster ? g_strconcat("cluster=", q->from->cluster, NULL) : NULL;
	char *selectors[] = { cluster, NULL };

	q->targets = session_select(s, selectors, error);
	if (!q->targets)
		return false;
	if (q->ask == ASK_MIGRATE && q->from && q->targets->len > 1)
		g_ptr_array_remove(q->targets, (void *)q->from);
	return true;
}

static bool find_targets(const struct session *s, struct asked *q, char **more, GError **error)
{
	g_autoptr(GPtrArray) selectors = g_ptr_array_new();

	for (size_t i = 0; to && to[i]; i++)
		g_ptr_array_add(selectors, to[i]);
	for (size_t i = 0; more[i]; i++)
		g_ptr_array_add(selectors, more[i]);
	if (!selectors->len)
		return default_targets(s, q, error);
	g_ptr_array_add(selectors, NULL);
	q->targets = session_select(s, (char *const *)selectors->pdata, error);
	return q->targets != NULL;
}

/* The guest with the device that the file describes. */
static bool read_device(struct asked *q, GError **error)
{
	g_autofree char *bytes = NULL, *label = file_label(device_file);
	g_autoptr(XmlDocument) xml = NULL;
	gsize length;

	if (!q->from) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "check: on which host '%s' runs is not known (say --from HOST)", q->guest->name);
		return false;
	}
	if (!file_read(device_file, XML_MAX_BYTES, &bytes, &length, error))
		return false;
	xml = xml_parse(bytes, length, label, error);
	if (!xml)
		return false;
	q->plugged = needs_plug(guest_needs(q->guest), xml, error);
	if (!q->plugged)
		g_prefix_error(error, "%s: ", label);
	return q->plugged != NULL;
}

/* The answer to what was asked, or NULL with @error. */
static json_t *ask(struct session *session, struct asked *q, char **args, GError **error)
{
	if (!find_guest(session, q, args[0], error) || !find_from(session, q, error))
		return NULL;
	if (device_file)
		return read_device(q, error) ?
			       answer_hotplug(&session->answering, q->guest, q->plugged, q->from) : NULL;
	if (!find_targets(session, q, args + 1, error))
		return NULL;
	return answer_check(&session->answering, q->guest, q->ask, q->from, q->targets);
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	struct asked q = { 0 };
	GError *error = NULL;
	json_t *answer = NULL;
	int status;

	if (!args[0])
		return cli_usage(cli, "no guest given");
	if (args[1] && !to)
		return cli_usage(cli, "'%s' is not expected (targets follow --to)", args[1]);
	if (device_file && to)
		return cli_usage(cli, "--to doesn't go with --hotplug (the guest's own host is asked)");
	if (session_open(&session, cli, SESSION_READ, &error))
		answer = ask(&session, &q, args, &error);
	if (answer)
		assumed_price(cli, &session, answer);
	status = answer ? cli_answer(cli, answer, answer_check_status(answer), false) : cli_fail(cli, error);
	g_clear_pointer(&q.targets, g_ptr_array_unref);
	needs_free(q.plugged);
	guest_free(q.own);
	session_close(&session);
	return status;
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
