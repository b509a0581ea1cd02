/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * needs-unjudged.c: the parts of a domain definition that could matter on another host and that
 * nothing judges yet, so that an answer can list them.
 *
 * A part that commonly decides whether a guest starts on a given host, or that is not known here
 * at all, "decides": its verdict is unknown. Other parts are listed once a type with their number;
 * ordinary devices aren't, as rules judge them. Only names from these tables and short plain words
 * of the definition get into the text, which leaves the host with the guest's entry.
 */
#include "config.h"

#include <string.h>

#include "guest/definition.h"
#include "guest/needs-parts.h"

#define MAX_ELEMENT_NAME 64u /* longer ones are not repeated */

/* How an element is listed. */
enum part {
	SILENT,	 /* judged, elsewhere, or nothing that a host could lack */
	LISTED,	 /* once a type */
	DECIDES, /* each, with its own place */
	INSIDE,	 /* its children have a table of their own */
};

struct part_rule {
	const char *name;
	enum part part;
	const char *what; /* NULL: the element's name */
};

static const struct part_rule top_rules[] = {
	{ "argv", INSIDE, NULL },
	{ "blkiotune", LISTED, NULL },
	{ "bootloader", SILENT, NULL },
	{ "bootloader_args", SILENT, NULL },
	{ "clock", SILENT, NULL },
	{ "cpu", INSIDE, NULL },
	{ "cputune", INSIDE, NULL },
	{ "currentMemory", SILENT, NULL },
	{ "defaultiothread", SILENT, NULL },
	{ "description", SILENT, NULL },
	{ "devices", INSIDE, NULL },
	{ "features", INSIDE, NULL },
	{ "genid", SILENT, NULL },
	{ "idmap", SILENT, NULL },
	{ "iommufd", LISTED, NULL },
	{ "iothreadids", SILENT, NULL },
	{ "iothreads", SILENT, NULL },
	{ "keywrap", SILENT, NULL },
	{ "launchSecurity", SILENT, NULL },
	{ "maxMemory", SILENT, NULL },
	{ "memory", SILENT, NULL },
	{ "memoryBacking", INSIDE, NULL },
	{ "memtune", LISTED, NULL },
	{ "metadata", SILENT, NULL },
	{ "name", SILENT, NULL },
	{ "numatune", SILENT, NULL },
	{ "on_crash", SILENT, NULL },
	{ "on_lockfailure", SILENT, NULL },
	{ "on_poweroff", SILENT, NULL },
	{ "on_reboot", SILENT, NULL },
	{ "os", INSIDE, NULL },
	{ "perf", LISTED, "performance events" },
	{ "pm", SILENT, NULL },
	{ "qemu:capabilities", DECIDES, "QEMU capabilities forced on or off" },
	{ "qemu:commandline", INSIDE, NULL },
	{ "qemu:deprecation", SILENT, NULL },
	{ "qemu:override", INSIDE, NULL },
	{ "resource", LISTED, "resource partition" },
	{ "seclabel", LISTED, "security label" },
	{ "sysinfo", LISTED, NULL },
	{ "throttlegroups", LISTED, NULL },
	{ "title", SILENT, NULL },
	{ "uuid", SILENT, NULL },
	{ "vcpu", SILENT, NULL },
	{ "vcpus", LISTED, "hot-pluggable virtual CPUs" },
};

static const struct part_rule cpu_rules[] = {
	{ "arch", SILENT, NULL },	{ "cache", SILENT, NULL },
	{ "feature", SILENT, NULL },	{ "maxphysaddr", SILENT, NULL },
	{ "model", SILENT, NULL },	{ "numa", SILENT, NULL },
	{ "topology", SILENT, NULL },	{ "vendor", SILENT, NULL },
};

static const struct part_rule cputune_rules[] = {
	{ "cachetune", DECIDES, "cache allocation" },
	{ "emulator_period", LISTED, "CPU bandwidth" },
	{ "emulator_quota", LISTED, "CPU bandwidth" },
	{ "emulatorpin", SILENT, NULL },
	{ "emulatorsched", LISTED, "scheduler" },
	{ "global_period", LISTED, "CPU bandwidth" },
	{ "global_quota", LISTED, "CPU bandwidth" },
	{ "iothread_period", LISTED, "CPU bandwidth" },
	{ "iothread_quota", LISTED, "CPU bandwidth" },
	{ "iothreadpin", SILENT, NULL },
	{ "iothreadsched", LISTED, "scheduler" },
	{ "memorytune", DECIDES, "memory bandwidth allocation" },
	{ "period", LISTED, "CPU bandwidth" },
	{ "quota", LISTED, "CPU bandwidth" },
	{ "shares", LISTED, "CPU shares" },
	{ "vcpupin", SILENT, NULL },
	{ "vcpusched", LISTED, "scheduler" },
};

static const struct part_rule backing_rules[] = {
	{ "access", SILENT, NULL },
	{ "allocation", SILENT, NULL },
	{ "discard", SILENT, NULL },
	{ "hugepages", SILENT, NULL },
	{ "locked", LISTED, "locked memory" },
	{ "nosharepages", SILENT, NULL },
	{ "source", SILENT, NULL },
};

static const struct part_rule os_rules[] = {
	{ "acpi", LISTED, "ACPI table files" },
	{ "bios", SILENT, NULL },
	{ "boot", SILENT, NULL },
	{ "bootmenu", SILENT, NULL },
	{ "cmdline", SILENT, NULL },
	{ "dtb", LISTED, "device tree file" },
	{ "firmware", SILENT, NULL },
	{ "initrd", LISTED, "kernel and initrd files" },
	{ "kernel", LISTED, "kernel and initrd files" },
	{ "loader", SILENT, NULL },
	{ "nvram", SILENT, NULL },
	{ "shim", LISTED, "kernel and initrd files" },
	{ "smbios", SILENT, NULL },
	{ "type", SILENT, NULL },
	{ "varstore", SILENT, NULL },
};

static const struct part_rule features_rules[] = {
	{ "acpi", SILENT, NULL },
	{ "aia", SILENT, NULL },
	{ "apic", SILENT, NULL },
	{ "async-teardown", SILENT, NULL },
	{ "capabilities", SILENT, NULL },
	{ "ccf-assist", SILENT, NULL },
	{ "cfpc", SILENT, NULL },
	{ "gic", SILENT, NULL },
	{ "hap", SILENT, NULL },
	{ "hpt", SILENT, NULL },
	{ "htm", SILENT, NULL },
	{ "hyperv", SILENT, NULL },
	{ "ibs", SILENT, NULL },
	{ "ioapic", LISTED, "I/O APIC driver" },
	{ "kvm", INSIDE, NULL },
	{ "msrs", LISTED, "MSR handling" },
	{ "nested-hv", SILENT, NULL },
	{ "pae", SILENT, NULL },
	{ "pmu", LISTED, "performance counters" },
	{ "privnet", SILENT, NULL },
	{ "ps2", SILENT, NULL },
	{ "pvspinlock", SILENT, NULL },
	{ "ras", SILENT, NULL },
	{ "sbbc", SILENT, NULL },
	{ "smm", LISTED, "SMM" },
	{ "tcg", LISTED, "TCG buffer" },
	{ "viridian", SILENT, NULL },
	{ "vmcoreinfo", SILENT, NULL },
	{ "vmport", SILENT, NULL },
	{ "xen", SILENT, NULL },
};

static const struct part_rule kvm_rules[] = {
	{ "dirty-ring", SILENT, NULL },
	{ "hidden", SILENT, NULL },
	{ "hint-dedicated", LISTED, "KVM hints" },
	{ "poll-control", LISTED, "KVM hints" },
	{ "pv-ipi", LISTED, "KVM hints" },
};

static const struct part_rule device_rules[] = {
	{ "audio", SILENT, NULL },
	{ "channel", SILENT, NULL },
	{ "console", SILENT, NULL },
	{ "controller", SILENT, NULL },
	{ "crypto", SILENT, NULL },
	{ "disk", INSIDE, NULL },
	{ "emulator", SILENT, NULL },
	{ "filesystem", SILENT, NULL },
	{ "graphics", SILENT, NULL },
	{ "hostdev", INSIDE, NULL },
	{ "hub", SILENT, NULL },
	{ "input", SILENT, NULL },
	{ "interface", INSIDE, NULL },
	{ "iommu", SILENT, NULL },
	{ "lease", SILENT, NULL },
	{ "memballoon", SILENT, NULL },
	{ "memory", SILENT, NULL },
	{ "nvram", SILENT, NULL },
	{ "panic", SILENT, NULL },
	{ "parallel", SILENT, NULL },
	{ "pstore", SILENT, NULL },
	{ "redirdev", SILENT, NULL },
	{ "redirfilter", SILENT, NULL },
	{ "rng", SILENT, NULL },
	{ "serial", SILENT, NULL },
	{ "shmem", SILENT, NULL },
	{ "smartcard", SILENT, NULL },
	{ "sound", SILENT, NULL },
	{ "tpm", SILENT, NULL },
	{ "video", SILENT, NULL },
	{ "vsock", SILENT, NULL },
	{ "watchdog", SILENT, NULL },
};

struct walk {
	struct needs *needs;
	GHashTable *counts; /* path without indices → struct count, of what is listed once */
	GPtrArray *order;   /* struct count in the order met */
};

struct count {
	char *path;
	const char *what;
	unsigned int n;
};

static void walk_children(struct walk *walk, const struct xml_node *parent,
			  const struct part_rule *rules, size_t n);

static void decides(struct walk *walk, const struct xml_node *node, const char *what)
{
	needs_add_unjudged(walk->needs, xml_path(node), what, true);
}

/* "/domain/devices/disk": the same for all of a type. */
static void listed(struct walk *walk, const struct xml_node *node, const char *what)
{
	g_autofree char *up = xml_path(node->parent);
	char *path = g_strconcat(up, "/", node->name, NULL);
	struct count *count = g_hash_table_lookup(walk->counts, path);

	if (count) {
		g_free(path);
		count->n++;
		return;
	}
	count = g_new(struct count, 1);
	*count = (struct count){ path, what ? what : node->name, 1 };
	g_hash_table_insert(walk->counts, path, count);
	g_ptr_array_add(walk->order, count);
}

/* A word of the definition that may be repeated: short and plain, else "other". */
static const char *plain_word(const char *word)
{
	size_t n = word ? strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_") : 0;

	return n && n <= 32 && !word[n] ? word : "other";
}

static void walk_hostdev(struct walk *walk, const struct xml_node *node)
{
	const char *type = xml_attr(node, "type");
	g_autofree char *what = g_strdup_printf("assigned host device (%s)", plain_word(type));

	if (!g_strcmp0(type, "pci") || !g_strcmp0(type, "mdev"))
		walk->needs->has_host_device = true; /* judged (dma.h) */
	else
		decides(walk, node, what);
}

static void walk_interface(struct walk *walk, const struct xml_node *node)
{
	const char *type = xml_attr(node, "type");
	g_autofree char *what = NULL;

	if (g_strcmp0(type, "hostdev") && g_strcmp0(type, "vdpa") &&
	    g_strcmp0(type, "vhostuser") && g_strcmp0(type, "vds"))
		return;
	if (!strcmp(type, "hostdev") || !strcmp(type, "vdpa"))
		walk->needs->has_host_device = true;
	if (!strcmp(type, "hostdev"))
		return; /* judged (dma.h) */
	what = g_strdup_printf("interface (%s)", type);
	decides(walk, node, what);
}

static void walk_disk(struct walk *walk, const struct xml_node *node)
{
	const char *type = xml_attr(node, "type");
	g_autofree char *what = NULL;

	if (g_strcmp0(type, "nvme") && g_strcmp0(type, "vhostvdpa") &&
	    g_strcmp0(type, "vhostuser"))
		return;
	if (strcmp(type, "vhostuser"))
		walk->needs->has_host_device = true;
	what = g_strdup_printf("disk (%s)", type);
	decides(walk, node, what);
}

/* What of QEMU's own words isn't about IOMMUs and VFIO devices. */
static void walk_commandline(struct walk *walk, const struct xml_node *node)
{
	if (!definition_qemu_told(node))
		decides(walk, node, "QEMU command line of its own");
}

static void walk_override(struct walk *walk, const struct xml_node *node)
{
	if (!definition_qemu_told(node))
		decides(walk, node, "QEMU device properties overridden");
}

/* What of QEMU's arguments isn't understood, in the words of argv-read.c. */
static void walk_argv(struct walk *walk, const struct xml_node *node)
{
	for (const struct xml_node *unknown = xml_child(node, "unknown"); unknown; unknown = xml_same(unknown)) {
		const char *what = xml_attr(unknown, "what");
		size_t n = what ? strspn(what, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					       "0123456789 ,-_'()") : 0;

		decides(walk, unknown, n && n <= 100 && !what[n] ? what : "part of QEMU's arguments");
	}
}

/* What INSIDE means: a function for the element, or a table for its children. */
static const struct {
	const char *name;
	void (*walk)(struct walk *walk, const struct xml_node *node);
} walkers[] = {
	{ "argv", walk_argv },
	{ "disk", walk_disk },	{ "hostdev", walk_hostdev },
	{ "interface", walk_interface },
	{ "qemu:commandline", walk_commandline },
	{ "qemu:override", walk_override },
};

static const struct {
	const char *name;
	const struct part_rule *rules;
	size_t n;
} tables[] = {
	{ "cpu", cpu_rules, G_N_ELEMENTS(cpu_rules) },
	{ "cputune", cputune_rules, G_N_ELEMENTS(cputune_rules) },
	{ "devices", device_rules, G_N_ELEMENTS(device_rules) },
	{ "features", features_rules, G_N_ELEMENTS(features_rules) },
	{ "kvm", kvm_rules, G_N_ELEMENTS(kvm_rules) },
	{ "os", os_rules, G_N_ELEMENTS(os_rules) },
	{ "memoryBacking", backing_rules, G_N_ELEMENTS(backing_rules) },
};

static void walk_inside(struct walk *walk, const struct xml_node *node)
{
	for (size_t i = 0; i < G_N_ELEMENTS(walkers); i++) {
		if (!strcmp(walkers[i].name, node->name)) {
			walkers[i].walk(walk, node);
			return;
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
		if (!strcmp(tables[i].name, node->name))
			walk_children(walk, node, tables[i].rules, tables[i].n);
}

static const struct part_rule *find_rule(const struct part_rule *rules, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}

static void walk_children(struct walk *walk, const struct xml_node *parent,
			  const struct part_rule *rules, size_t n)
{
	for (const struct xml_node *node = parent->children; node; node = node->next) {
		const struct part_rule *rule = find_rule(rules, n, node->name);

		if (walk->needs->unjudged->len >= NEEDS_MAX_UNJUDGED)
			return;
		if (!rule)
			decides(walk, strlen(node->name) > MAX_ELEMENT_NAME ? parent : node,
				"element that this version doesn't know");
		else if (rule->part == LISTED)
			listed(walk, node, rule->what);
		else if (rule->part == DECIDES)
			decides(walk, node, rule->what ? rule->what : rule->name);
		else if (rule->part == INSIDE)
			walk_inside(walk, node);
	}
}

static void list_kind(struct needs *needs, const struct xml_node *domain)
{
	g_autofree char *what = NULL;

	if (!needs->accel) {
		what = g_strdup_printf("domain type '%s'", plain_word(needs->type));
		needs_add_unjudged(needs, g_strdup("/domain/@type"), what, true);
	}
	needs->has_viommu = xml_at(domain, "devices/iommu") != NULL;
}

static void count_free(gpointer data)
{
	struct count *count = data;

	g_free(count->path);
	g_free(count);
}

void needs_list_unjudged(struct needs *needs, const struct xml_node *domain)
{
	g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(count_free);
	struct walk walk = { .needs = needs, .counts = counts, .order = order };

	list_kind(needs, domain);
	walk_children(&walk, domain, top_rules, G_N_ELEMENTS(top_rules));
	for (guint i = 0; i < order->len; i++) {
		const struct count *count = g_ptr_array_index(order, i);
		g_autofree char *what = g_strdup_printf("%s (%u)", count->what, count->n);

		needs_add_unjudged(needs, g_strdup(count->path), count->n > 1 ? what : count->what,
				   false);
	}
}
