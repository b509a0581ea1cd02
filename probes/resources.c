/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * resources.c: kinds of memory, NUMA nodes, devices of vhost and TPMs, vhost-user daemons.
 *
 * How much of a resource there is isn't read: only which kinds there are.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "interop.h"
#include "probe.h"
#include "read/read-host.h"

#define HUGE_PAGES "/sys/kernel/mm/hugepages"
#define THP_SIZE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"
#define NODES "/sys/devices/system/node/online"

static const struct scope kernel = { .view = VIEW_KERNEL, .migratable = -1 };

/* The sizes are names of folders, of which a recording keeps one file each. */
static bool collect_huge_pages(struct context *context)
{
	int err;
	g_auto(GStrv) names = source_list(context->source, HUGE_PAGES, &err);

	for (guint i = 0; names && names[i]; i++) {
		g_autofree char *path = g_build_filename(HUGE_PAGES, names[i], "nr_hugepages", NULL);

		g_free(source_text(context->source, path, &err)); /* kept in a recording */
	}
	if (names)
		read_huge_pages(context->doc, names, HUGE_PAGES);
	return names != NULL;
}

/* "Hugepagesize:    2048 kB" of /proc/meminfo. */
static guint64 default_huge_page(struct context *context)
{
	int err;
	g_autofree char *text = source_text(context->source, "/proc/meminfo", &err);
	const char *line = text ? strstr(text, "Hugepagesize:") : NULL;

	return line ? g_ascii_strtoull(line + strlen("Hugepagesize:"), NULL, 10) : 0;
}

/* Of the mount table only hugetlbfs's lines are anyone's business. */
static char *ask_mounts(void *data, GError **error)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	int err;
	g_autofree char *text = source_text(live, "/proc/mounts", &err);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	GString *kept = g_string_new(NULL);

	(void)data;
	if (!text) {
		g_set_error(error, SOURCE_ERROR, SOURCE_UNREADABLE, "/proc/mounts: %s", g_strerror(err));
		g_string_free(kept, TRUE);
		return NULL;
	}
	for (guint i = 0; lines[i]; i++)
		if (strstr(lines[i], " hugetlbfs "))
			g_string_append_printf(kept, "%s\n", lines[i]);
	return g_string_free(kept, FALSE);
}

/* Whether there was anything to be read. */
static bool collect_memory(struct context *context)
{
	int err;
	g_autofree char *mounts = source_ask(context->source, "host/hugetlbfs", ask_mounts, NULL, NULL);
	g_autofree char *thp = source_text(context->source, THP_SIZE, &err);
	g_autofree char *nodes = source_text(context->source, NODES, &err);
	bool pages = collect_huge_pages(context);
	guint64 size;

	if (mounts)
		read_hugetlbfs(context->doc, mounts, default_huge_page(context), "/proc/mounts");
	if (thp && g_ascii_string_to_unsigned(thp, 10, 1, G_MAXINT64, &size, NULL))
		document_fact(json_object_get(context->doc, "facts"), "memory.thp-size",
			      json_integer((json_int_t)size), &kernel, THP_SIZE);
	if (nodes)
		read_numa_nodes(context->doc, nodes, NODES);
	return pages || mounts || thp || nodes;
}

/* Names of /dev that somebody judges by. */
static char *ask_devices(void *data, GError **error)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	int err;
	g_auto(GStrv) names = source_list(live, "/dev", &err);
	GString *text = g_string_new(NULL);

	(void)data;
	if (!names) {
		g_set_error(error, SOURCE_ERROR, SOURCE_UNREADABLE, "/dev: %s", g_strerror(err));
		g_string_free(text, TRUE);
		return NULL;
	}
	for (guint i = 0; names[i]; i++)
		if (g_str_has_prefix(names[i], "vhost-") || g_str_has_prefix(names[i], "tpm"))
			g_string_append_printf(text, "%s\n", names[i]);
	return g_string_free(text, FALSE);
}

static bool collect_daemons(struct context *context, char **reason)
{
	g_auto(GStrv) files = interop_list(context->source, "vhost-user", NULL);
	g_autoptr(GPtrArray) daemons = g_ptr_array_new_with_free_func((GDestroyNotify)vhost_user_free);

	for (guint i = 0; files && files[i] && *files[i]; i++) {
		g_autoptr(GError) error = NULL;
		size_t length;
		int err;
		g_autofree char *bytes = source_read(context->source, files[i], &length, &err);
		struct vhost_user *daemon =
			bytes ? read_vhost_user(bytes, length, files[i], &error) : NULL;
		struct source_file file;

		if (daemon && source_stat(context->source, daemon->binary, &file, &err))
			g_ptr_array_add(daemons, daemon);
		else
			vhost_user_free(daemon);
		if (error && !*reason)
			*reason = g_strdup(error->message);
	}
	if (files)
		read_vhost_users(context->doc, daemons, "/usr/share/qemu/vhost-user");
	return files != NULL;
}

static void collect(struct context *context)
{
	g_autofree char *reason = NULL, *devices = NULL;
	bool memory = collect_memory(context), daemons = collect_daemons(context, &reason);

	devices = source_ask(context->source, "host/devices", ask_devices, NULL, NULL);
	if (devices)
		read_device_nodes(context->doc, devices, "/dev");
	if (!reason && (!daemons || !devices))
		reason = g_strdup("devices or daemons are not in the recording (record again)");
	probe_report(context, &resources_probe,
		     !memory && !daemons && !devices ? "missing" : reason ? "partial" : "ok", false, reason);
}

const struct probe resources_probe = {
	.name = "resources",
	.help = "huge pages, NUMA nodes, devices of vhost, TPMs, vhost-user daemons",
	.local = true,
	.view = VIEWS,
	.percent = 10,
	.collect = collect,
};
