/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci-use.c: see pci-use.h.
 *
 * Theory of operation: everything is passive. What is mounted or swapped to, network interfaces
 * and the console each lead to a folder in sysfs, whose path names the PCI function; what is made
 * of other disks or interfaces (LVM, RAID, bonds, bridges) is followed down to these. The answer is
 * recorded as a whole, as lines "ADDRESS system|busy WHAT", for what it is made of (addresses of
 * the network, other mounts) is nobody's business.
 */
#include "config.h"

#include <string.h>

#include "pci-use.h"
#include "units.h"

#define NAME "pci-in-use"
#define MAX_DEPTH 8
#define MAX_USES 4096u

struct search {
	struct source *live;
	GString *lines;
	unsigned int count;
};

/* The function nearest to the end of a path of sysfs. */
static void add_path(struct search *s, const char *path, bool system, const char *what)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_autofree char *clean = NULL;

	for (guint i = g_strv_length(parts); i-- > 0;) {
		if (!is_pci_address(parts[i]))
			continue;
		if (s->count++ < MAX_USES) {
			clean = g_strdelimit(g_strdup(what), "\n\r", '?');
			g_string_append_printf(s->lines, "%s %s %s\n", parts[i],
					       system ? "system" : "busy", clean);
		}
		return;
	}
}

/* --- disks ------------------------------------------------------------------------------------ */

static void add_block(struct search *s, const char *name, bool system, const char *what, int depth);

/* Paths to a namespace of NVMe that several controllers lead to. */
static void add_subsystem(struct search *s, const char *path, bool system, const char *what)
{
	const char *at = strstr(path, "/nvme-subsystem/");
	g_autofree char *dir = NULL;
	g_auto(GStrv) names = NULL;
	int err;

	if (!at)
		return;
	at += strlen("/nvme-subsystem/");
	dir = g_strdup_printf("/sys/class/nvme-subsystem/%.*s", (int)strcspn(at, "/"), at);
	names = source_list(s->live, dir, &err);
	for (size_t i = 0; names && names[i]; i++) {
		g_autofree char *link = g_strdup_printf("%s/%s", dir, names[i]);
		g_autofree char *target = source_link(s->live, link, &err);

		if (target)
			add_path(s, target, system, what);
	}
}

static void add_block_path(struct search *s, const char *path, bool system, const char *what, int depth)
{
	const char *name = strrchr(path, '/');
	g_autofree char *dir = NULL;
	g_auto(GStrv) slaves = NULL;
	int err;

	if (!strstr(path, "/virtual/")) {
		add_path(s, path, system, what);
		return;
	}
	add_subsystem(s, path, system, what);
	dir = g_strdup_printf("/sys/class/block/%s/slaves", name ? name + 1 : path);
	slaves = source_list(s->live, dir, &err);
	for (size_t i = 0; slaves && slaves[i]; i++)
		add_block(s, slaves[i], system, what, depth + 1);
}

static void add_block(struct search *s, const char *name, bool system, const char *what, int depth)
{
	g_autofree char *link = g_strdup_printf("/sys/class/block/%s", name);
	int err;
	g_autofree char *path = depth < MAX_DEPTH ? source_link(s->live, link, &err) : NULL;

	if (path)
		add_block_path(s, path, system, what, depth);
}

/* "/dev/mapper/vg-root" is a link to "../dm-0". */
static void add_node(struct search *s, const char *node, bool system, const char *what)
{
	int err;
	g_autofree char *target = source_link(s->live, node, &err);
	g_autofree char *name = g_path_get_basename(target ? target : node);

	add_block(s, name, system, what, 0);
}

static bool is_system(const char *mount)
{
	return !strcmp(mount, "/") || !strcmp(mount, "/usr") || !strcmp(mount, "/var") ||
	       g_str_has_prefix(mount, "/boot");
}

/* A line of mountinfo: id parent MAJOR:MINOR root MOUNT options … - type SOURCE options */
static void add_mount(struct search *s, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	guint n = g_strv_length(words), dash = 5;
	g_autofree char *what = NULL;
	g_autofree char *link = NULL;
	g_autofree char *path = NULL;
	int err;

	while (dash < n && strcmp(words[dash], "-"))
		dash++;
	if (dash + 2 >= n)
		return;
	what = g_strdup_printf("the file system %s is on it", words[4]);
	link = g_strdup_printf("/sys/dev/block/%s", words[2]);
	path = g_str_has_prefix(words[2], "0:") ? NULL : source_link(s->live, link, &err);
	if (path)
		add_block_path(s, path, is_system(words[4]), what, 0);
	else if (g_str_has_prefix(words[dash + 2], "/dev/"))
		add_node(s, words[dash + 2], is_system(words[4]), what);
}

static void add_disks(struct search *s)
{
	int err;
	g_autofree char *mounts = source_text(s->live, "/proc/self/mountinfo", &err);
	g_autofree char *swaps = source_text(s->live, "/proc/swaps", &err);
	g_auto(GStrv) mount = g_strsplit(mounts ? mounts : "", "\n", -1);
	g_auto(GStrv) swap = g_strsplit(swaps ? swaps : "", "\n", -1);
	g_auto(GStrv) names = source_list(s->live, "/sys/class/block", &err);

	for (size_t i = 0; mount[i]; i++)
		add_mount(s, mount[i]);
	for (size_t i = 0; swap[i]; i++) {
		g_autofree char *node = g_strndup(swap[i], strcspn(swap[i], " \t"));

		if (g_str_has_prefix(node, "/dev/"))
			add_node(s, node, true, "the host swaps to it");
	}
	for (size_t i = 0; names && names[i]; i++) {
		g_autofree char *dir = g_strdup_printf("/sys/class/block/%s/holders", names[i]);
		g_auto(GStrv) holders = source_list(s->live, dir, &err);
		g_autofree char *what = holders && holders[0]
			? g_strdup_printf("its disk %s is part of %s", names[i], holders[0]) : NULL;

		if (what)
			add_block(s, names[i], false, what, 0);
	}
}

/* --- network interfaces ----------------------------------------------------------------------- */

/* Names of the interfaces that a default route leads through. */
static GHashTable *default_routes(struct search *s)
{
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	int err;
	g_autofree char *v4 = source_text(s->live, "/proc/net/route", &err);
	g_autofree char *v6 = source_text(s->live, "/proc/net/ipv6_route", &err);
	g_auto(GStrv) lines4 = g_strsplit(v4 ? v4 : "", "\n", -1);
	g_auto(GStrv) lines6 = g_strsplit(v6 ? v6 : "", "\n", -1);

	for (size_t i = 0; lines4[i]; i++) {
		g_auto(GStrv) words = g_strsplit_set(lines4[i], " \t", -1);

		if (g_strv_length(words) > 1 && !strcmp(words[1], "00000000"))
			g_hash_table_add(names, g_strdup(words[0]));
	}
	for (size_t i = 0; lines6[i]; i++) {
		const char *last = strrchr(lines6[i], ' ');

		/* destination, its prefix's length, … the interface */
		if (last && strcmp(last + 1, "lo") &&
		    g_str_has_prefix(lines6[i], "00000000000000000000000000000000 00 "))
			g_hash_table_add(names, g_strdup(last + 1));
	}
	return names;
}

static void add_interface(struct search *s, const char *name, bool system, const char *what, int depth)
{
	g_autofree char *dir = g_strdup_printf("/sys/class/net/%s", name);
	int err;
	g_autofree char *path = depth < MAX_DEPTH ? source_link(s->live, dir, &err) : NULL;
	g_auto(GStrv) names = path ? source_list(s->live, dir, &err) : NULL;

	if (path)
		add_path(s, path, system, what);
	for (size_t i = 0; names && names[i]; i++)
		if (g_str_has_prefix(names[i], "lower_"))
			add_interface(s, names[i] + strlen("lower_"), system, what, depth + 1);
}

static void add_interfaces(struct search *s)
{
	g_autoptr(GHashTable) routes = default_routes(s);
	int err;
	g_auto(GStrv) names = source_list(s->live, "/sys/class/net", &err);

	for (size_t i = 0; names && names[i]; i++) {
		g_autofree char *path = g_strdup_printf("/sys/class/net/%s/flags", names[i]);
		g_autofree char *flags = source_text(s->live, path, &err);
		bool route = g_hash_table_contains(routes, names[i]);
		g_autofree char *what = g_strdup_printf(
			route ? "the default route leads through %s" : "its network interface %s is up",
			names[i]);

		if (route || (flags && (g_ascii_strtoull(flags, NULL, 0) & 1)))
			add_interface(s, names[i], route, what, 0);
	}
}

/* --- the console ------------------------------------------------------------------------------ */

static void add_consoles(struct search *s)
{
	int err;
	g_autofree char *active = source_text(s->live, "/sys/class/tty/console/active", &err);
	g_auto(GStrv) names = g_strsplit(active ? active : "", " ", -1);

	for (size_t i = 0; names[i]; i++) {
		g_autofree char *link = g_strdup_printf("/sys/class/tty/%s", names[i]);
		g_autofree char *path = *names[i] ? source_link(s->live, link, &err) : NULL;
		g_autofree char *what = g_strdup_printf("the console %s is on it", names[i]);

		if (path)
			add_path(s, path, true, what);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static char *ask(void *data, GError **error)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	struct search s = { .live = live, .lines = g_string_new(NULL) };

	(void)data;
	add_disks(&s);
	add_interfaces(&s);
	add_consoles(&s);
	return g_string_free(s.lines, FALSE);
}

static void clear_use(gpointer data)
{
	struct pci_use *use = data;

	g_free(use->address);
	g_free(use->what);
}

GArray *pci_use_read(struct source *source)
{
	g_autofree char *text = source_ask(source, NAME, ask, NULL, NULL);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", MAX_USES);
	GArray *uses;

	if (!text)
		return NULL;
	uses = g_array_new(FALSE, FALSE, sizeof(struct pci_use));
	g_array_set_clear_func(uses, clear_use);
	for (size_t i = 0; lines[i]; i++) {
		g_auto(GStrv) parts = g_strsplit(lines[i], " ", 3);
		struct pci_use use;

		if (g_strv_length(parts) != 3 || !is_pci_address(parts[0]))
			continue;
		use = (struct pci_use){ g_strdup(parts[0]), !strcmp(parts[1], "system"),
					g_utf8_make_valid(parts[2], -1) };
		g_array_append_val(uses, use);
	}
	return uses;
}
