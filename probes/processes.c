/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* processes.c: see processes.h. */
#include "config.h"

#include <string.h>

#include "guest/argv.h"
#include "processes.h"

#define ANSWER "host/qemu-guests.json"
#define MAX_GUESTS 10000u

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

void processes_add_qemu(struct source *source, const char *pid, json_t *guest)
{
	g_autofree char *exe = g_strdup_printf("/proc/%s/exe", pid);
	struct source_file file;
	int err;
	g_autofree char *target = source_link(source, exe, &err);
	bool deleted;

	if (!target || !source_stat(source, exe, &file, &err))
		return;
	deleted = g_str_has_suffix(target, " (deleted)");
	if (deleted)
		target[strlen(target) - strlen(" (deleted)")] = 0;
	json_object_set_new(guest, "qemu",
			    json_pack("{s:s, s:b, s:I, s:I, s:I}", "path", target, "deleted", deleted,
				      "size", (json_int_t)file.size, "mtime", (json_int_t)file.mtime,
				      "inode", (json_int_t)file.inode));
}

/* In a container with processes of its own somebody else starts guests, and tells of them. */
static bool is_ours(struct source *source, const char *pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/ns/pid", pid);
	int err;
	g_autofree char *theirs = source_link(source, path, &err), *own = source_link(source, "/proc/self/ns/pid", &err);

	return theirs && own && !strcmp(theirs, own);
}

/* The command of a process that runs a QEMU, or NULL: one that only names it isn't meant. */
static char *qemu_command(struct source *source, const char *pid, size_t *length)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/cmdline", pid);
	g_autofree char *exe_path = g_strdup_printf("/proc/%s/exe", pid);
	int err;
	g_autofree char *exe = source_link(source, exe_path, &err), *bytes = NULL;
	const char *base = exe ? strrchr(exe, '/') : NULL;

	if (!base || !(g_str_has_prefix(base, "/qemu-system-") || g_str_has_prefix(base, "/qemu-kvm") ||
		       g_str_has_prefix(base, "/kvm")) ||
	    !is_ours(source, pid))
		return NULL;
	bytes = source_read(source, path, length, &err);
	return bytes && argv_is(bytes, *length) ? g_steal_pointer(&bytes) : NULL;
}

/*
 * A QEMU without a machine is asked something, and runs no guest; one without a name can be told from
 * no other, now or later.
 */
static json_t *guest_of(struct source *source, const char *pid, const char *bytes, size_t length, GError **error)
{
	g_autoptr(Needs) needs = needs_from_argv(bytes, length, error);
	json_t *guest;

	if (!needs || !needs->name || !g_strcmp0(needs->machine, "none"))
		return NULL;
	guest = needs_to_json(needs);
	json_object_set_new(guest, "running", json_true());
	processes_add_qemu(source, pid, guest);
	return guest;
}

/* {"guests": […], "unreadable", "why"?} */
static char *ask_processes(void *data, GError **error)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	int err;
	g_auto(GStrv) pids = live ? source_names(live, "/proc", &err) : NULL;
	json_t *guests = json_array(), *answer;
	g_autofree char *why = NULL;
	unsigned int unreadable = 0;
	char *text;

	(void)data;
	for (guint i = 0; pids && pids[i] && json_array_size(guests) < MAX_GUESTS; i++) {
		g_autoptr(GError) trouble = NULL;
		size_t length;
		g_autofree char *bytes = is_number(pids[i]) ? qemu_command(live, pids[i], &length) : NULL;
		json_t *guest = bytes ? guest_of(live, pids[i], bytes, length, &trouble) : NULL;

		if (guest)
			json_array_append_new(guests, guest);
		if (!trouble)
			continue;
		unreadable++;
		g_free(why);
		why = g_strdup_printf("process %s: %s", pids[i], trouble->message);
	}
	answer = json_pack("{s:o, s:i, s:s*}", "guests", guests, "unreadable", (int)unreadable, "why", why);
	text = json_dumps(answer, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(answer);
	return text;
}

static bool is_same(const json_t *one, const json_t *other)
{
	const char *uuid = json_string_value(json_object_get(one, "uuid"));
	const char *another = json_string_value(json_object_get(other, "uuid"));

	if (uuid && another)
		return !g_ascii_strcasecmp(uuid, another);
	return !g_strcmp0(json_string_value(json_object_get(one, "name")),
			  json_string_value(json_object_get(other, "name")));
}

static bool is_known(const json_t *guests, const json_t *guest)
{
	const json_t *known;
	size_t i;

	json_array_foreach (guests, i, known)
		if (is_same(known, guest))
			return true;
	return false;
}

unsigned int processes_add(struct context *context, json_t *guests, char **reason)
{
	g_autofree char *text = NULL;
	unsigned int added = 0;
	json_t *answer, *guest;
	json_int_t unreadable;
	const char *why;
	size_t i;

	*reason = NULL;
	if (context->options->remote)
		return 0;
	text = source_ask(context->source, ANSWER, ask_processes, NULL, NULL);
	answer = text ? json_loads(text, 0, NULL) : NULL;
	json_array_foreach (json_object_get(answer, "guests"), i, guest) {
		if (is_known(guests, guest))
			continue;
		json_array_append(guests, guest);
		added++;
	}
	unreadable = json_integer_value(json_object_get(answer, "unreadable"));
	why = json_string_value(json_object_get(answer, "why"));
	if (unreadable > 0)
		*reason = g_strdup_printf("%d QEMU processes left out, last %s", (int)unreadable, why ? why : "-");
	json_decref(answer);
	return added;
}
