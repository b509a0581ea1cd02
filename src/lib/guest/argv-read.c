/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * argv-read.c: QEMU's options one by one; see argv-parts.h.
 *
 * The table says of each option whether a value follows. One that isn't in it (newer or older than
 * the releases looked at, 7.2 to 11.1) is told as unknown: what it asks for could decide.
 */
#include "config.h"

#include <string.h>

#include "guest/argv-parts.h"
#include "guest/definition-qemu.h"
#include "model/error.h"

#define MAX_DEVICES 4096u
#define MAX_CPUS 1000000u

static bool fail(GError **error, const char *option, const char *value, const char *what)
{
	g_autofree char *cut = g_strndup(value, 64), *shown = g_utf8_make_valid(cut, -1);

	for (char *c = shown; *c; c++)
		if (g_ascii_iscntrl(*c))
			*c = '?';
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: '%s' %s", option, shown, what);
	return false;
}

static void set(char **place, const char *value)
{
	g_free(*place);
	*place = g_strdup(value);
}

/* --- machine, accelerator ----------------------------------------------------------------------- */

/* "kvm:tcg" */
static void take_accels(struct argv *argv, const char *list)
{
	g_auto(GStrv) names = g_strsplit(list, ":", -1);

	for (guint i = 0; names[i]; i++) {
		if (!argv->accel)
			set(&argv->accel, names[i]);
		else if (!argv->fallback && strcmp(argv->accel, names[i]))
			set(&argv->fallback, names[i]);
	}
}

static bool read_accel(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "accel");
	const char *name = argv_value(pairs, "accel"), *irqchip = argv_value(pairs, "kernel-irqchip");

	(void)error;
	if (name)
		take_accels(argv, name);
	if (irqchip)
		set(&argv->irqchip, irqchip);
	return true;
}

static bool read_kvm(struct argv *argv, const char *value, GError **error)
{
	(void)value;
	(void)error;
	take_accels(argv, "kvm");
	return true;
}

/* Options of -machine that stand elsewhere in a definition, or say nothing of the host. */
static bool machine_pair(struct argv *argv, const struct argv_pair *pair, const char *key)
{
	if (!strcmp(key, "type"))
		set(&argv->machine, pair->value);
	else if (!strcmp(key, "accel"))
		take_accels(argv, pair->value);
	else if (!strcmp(key, "kernel-irqchip"))
		set(&argv->irqchip, pair->value);
	else if (!strcmp(key, "max-ram-below-4g"))
		set(&argv->below_4g, pair->value);
	else if (!strcmp(key, "pflash0"))
		set(&argv->pflash_node, pair->value);
	else if (!strcmp(key, "confidential-guest-support") || !strcmp(key, "memory-encryption"))
		set(&argv->secure_id, pair->value);
	else
		return false;
	return true;
}

static bool read_machine(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "type");

	(void)error;
	for (guint i = 0; i < pairs->len; i++) {
		const struct argv_pair *pair = &g_array_index(pairs, struct argv_pair, i);
		g_autofree char *key = g_strdelimit(g_strdup(pair->key), "_", '-');

		if (machine_pair(argv, pair, key))
			continue;
		argv_has(argv, "machine", key, NULL);
		if (!strcmp(key, "smm"))
			argv->smm = argv_truth(pair->value) == 1;
		else if (!strcmp(key, "acpi"))
			argv->no_acpi = argv_truth(pair->value) == 0;
	}
	return true;
}

static bool read_no_acpi(struct argv *argv, const char *value, GError **error)
{
	(void)value;
	(void)error;
	argv->no_acpi = true;
	return true;
}

/* --- processors and memory ---------------------------------------------------------------------- */

static bool read_cpu(struct argv *argv, const char *value, GError **error)
{
	(void)error;
	set(&argv->cpu, value);
	return true;
}

static bool read_number(const GArray *pairs, const char *key, guint64 most, guint64 *out, GError **error)
{
	const char *value = argv_value(pairs, key);

	return !value || g_ascii_string_to_unsigned(value, 10, 1, most, out, NULL) ||
	       fail(error, key, value, "is not a number that QEMU takes there");
}

static bool read_smp(struct argv *argv, const char *value, GError **error)
{
	static const char *const places[] = { "sockets", "dies", "clusters", "cores", "threads" };
	g_autoptr(GArray) pairs = argv_pairs(value, "cpus");
	guint64 product = 1;

	if (!read_number(pairs, "cpus", MAX_CPUS, &argv->cpus, error) ||
	    !read_number(pairs, "maxcpus", MAX_CPUS, &argv->max_cpus, error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		if (!read_number(pairs, places[i], MAX_CPUS, &argv->topology[i], error))
			return false;
		product = MIN(product * MAX(argv->topology[i], 1), MAX_CPUS);
	}
	/* neither is said: as many as the topology has */
	if (!argv->cpus && !argv->max_cpus)
		argv->max_cpus = product;
	return true;
}

static bool read_memory(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "size");
	const char *size = argv_value(pairs, "size"), *most = argv_value(pairs, "maxmem");
	guint64 kib;

	if (size && !argv_size(size, 'M', &kib))
		return fail(error, "-m", size, "is not a size (write 2048, or 2G)");
	if (size)
		argv->memory_mib = kib / 1024;
	if (most && !argv_size(most, 'B', &argv->max_memory_kib))
		return fail(error, "-m", most, "is not a size (write 16G)");
	return read_number(pairs, "slots", 1u << 20, &argv->slots, error);
}

/* ".../hugepages/kvm/1048576kB" tells how large its pages are; other names of that kind don't. */
static void note_huge(struct argv *argv, const char *path)
{
	const char *base = strrchr(path, '/');
	char *end;

	if (!strstr(path, "hugepages"))
		return;
	set(&argv->huge_path, path);
	argv->huge_kib = base ? g_ascii_strtoull(base + 1, &end, 10) : 0;
	if (argv->huge_kib && strcmp(end, "kB"))
		argv->huge_kib = 0;
}

static bool read_mem_path(struct argv *argv, const char *value, GError **error)
{
	(void)error;
	note_huge(argv, value);
	return true;
}

/* --- objects ------------------------------------------------------------------------------------ */

static void memory_object(struct argv *argv, const char *type, const GArray *pairs)
{
	const char *path = argv_value(pairs, "mem-path"), *size = argv_value(pairs, "hugetlbsize");

	if (!strcmp(type, "memory-backend-file") && path)
		note_huge(argv, path);
	if (!strcmp(type, "memory-backend-memfd") && argv_truth(argv_value(pairs, "hugetlb")) == 1) {
		set(&argv->huge_path, type);
		argv->huge_kib = 0;
		if (size)
			argv_size(size, 'B', &argv->huge_kib);
	}
	if (argv_truth(argv_value(pairs, "share")) == 1)
		argv->memory_shared = true;
}

static bool read_object(struct argv *argv, const char *value, GError **error)
{
	static const char *const secure[] = { "sev-guest", "sev-snp-guest", "tdx-guest", NULL };
	GArray *pairs = argv_pairs(value, "qom-type");
	const char *type = argv_value(pairs, "qom-type");

	(void)error;
	if (type)
		argv_has(argv, "object", type, NULL);
	else
		argv_unknown(argv, g_strdup("object without a type"));
	if (type && g_str_has_prefix(type, "memory-backend-"))
		memory_object(argv, type, pairs);
	argv->iommufd |= !g_strcmp0(type, "iommufd");
	if (type && g_strv_contains(secure, type)) {
		set(&argv->secure, type);
		if (argv->secure_pairs)
			g_array_unref(argv->secure_pairs);
		argv->secure_pairs = pairs;
	} else {
		g_array_unref(pairs);
	}
	return true;
}

/* --- devices ------------------------------------------------------------------------------------ */

/* Names that belong to every device, or to the command line alone. */
static bool is_of_all(const char *key)
{
	static const char *const keys[] = { "driver", "id", "bus", NULL };

	return g_strv_contains(keys, key);
}

static void device_free(gpointer data)
{
	struct argv_device *device = data;

	g_array_unref(device->pairs);
	g_free(device->driver);
	g_free(device);
}

static bool read_device(struct argv *argv, const char *value, GError **error)
{
	struct argv_device *device = g_new0(struct argv_device, 1);
	const char *driver;

	device->pairs = argv_pairs(value, "driver");
	driver = argv_value(device->pairs, "driver");
	device->driver = driver ? argv_driver(argv->family, driver) : NULL;
	if (!driver || argv->devices->len >= MAX_DEVICES) {
		device_free(device);
		return fail(error, "-device", value, "names no driver (or there are more than 4096 devices)");
	}
	argv_has(argv, "device", device->driver, NULL);
	for (guint i = 0; i < device->pairs->len; i++) {
		const char *key = g_array_index(device->pairs, struct argv_pair, i).key;

		if (!is_of_all(key))
			argv_has(argv, "device", device->driver, key);
	}
	g_ptr_array_add(argv->devices, device);
	return true;
}

static bool read_global(struct argv *argv, const char *value, GError **error)
{
	(void)error;
	if (argv->globals->len < MAX_DEVICES)
		g_ptr_array_add(argv->globals, g_strdup(value));
	return true;
}

/* The device that a display of a name is. */
static bool read_vga(struct argv *argv, const char *value, GError **error)
{
	static const char *const names[][2] = {
		{ "std", "VGA" },	   { "cirrus", "cirrus-vga" }, { "vmware", "vmware-svga" },
		{ "qxl", "qxl-vga" },	   { "virtio", "virtio-vga" },
	};

	(void)error;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(names[i][0], value))
			argv_has(argv, "device", names[i][1], NULL);
	return true;
}

/* -nic and -net nic name a model, "virtio" for short. */
static bool read_nic(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "type");
	const char *model = argv_value(pairs, "model");

	(void)error;
	if (model)
		argv_has(argv, "device", strcmp(model, "virtio") ? model : "virtio-net-pci", NULL);
	return true;
}

static bool read_netdev(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "type");

	(void)error;
	if (!g_strcmp0(argv_value(pairs, "type"), "vhost-vdpa"))
		argv_unknown(argv, g_strdup("network by vDPA"));
	return true;
}

static bool read_tpmdev(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "type");

	(void)error;
	if (!g_strcmp0(argv_value(pairs, "type"), "passthrough"))
		argv_unknown(argv, g_strdup("the host's own TPM"));
	return true;
}

/* --- firmware and disks --------------------------------------------------------------------------- */

static bool read_bios(struct argv *argv, const char *value, GError **error)
{
	(void)error;
	if (g_path_is_absolute(value))
		set(&argv->bios, value);
	return true;
}

static bool read_pflash(struct argv *argv, const char *value, GError **error)
{
	(void)error;
	if (!argv->pflash && g_path_is_absolute(value))
		set(&argv->pflash, value);
	return true;
}

static bool read_drive(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "file");
	const char *file = argv_value(pairs, "file"), *unit = argv_value(pairs, "unit");

	if (file && g_str_has_prefix(file, "nvme://"))
		argv_unknown(argv, g_strdup("disk that is the host's NVMe controller"));
	if (g_strcmp0(argv_value(pairs, "if"), "pflash") || (unit && strcmp(unit, "0")) || !file)
		return true;
	return read_pflash(argv, file, error);
}

static bool read_blockdev(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "driver");
	const char *node = argv_value(pairs, "node-name"), *driver = argv_value(pairs, "driver");
	const char *file = argv_value(pairs, "filename"), *below = argv_value(pairs, "file");

	(void)error;
	if (!g_strcmp0(driver, "nvme") || (driver && g_str_has_prefix(driver, "virtio-blk-vhost")))
		argv_unknown(argv, g_strdup("disk that is a device of the host's"));
	if (!file)
		file = argv_value(pairs, "file.filename");
	if (!file && below && *below) /* a format above another node */
		file = g_hash_table_lookup(argv->nodes, below);
	if (node && file && g_hash_table_size(argv->nodes) < MAX_DEVICES)
		g_hash_table_insert(argv->nodes, g_strdup(node), g_strdup(file));
	return true;
}

/* --- whose it is ---------------------------------------------------------------------------------- */

static bool read_name(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "guest");
	const char *name = argv_value(pairs, "guest");

	(void)error;
	if (name && *name)
		set(&argv->name, name);
	return true;
}

/* Proxmox's QEMU has an option for the guest's number. */
static bool read_id(struct argv *argv, const char *value, GError **error)
{
	(void)error;
	set(&argv->id, value);
	return true;
}

static bool read_uuid(struct argv *argv, const char *value, GError **error)
{
	(void)error;
	if (g_uuid_string_is_valid(value))
		set(&argv->uuid, value);
	return true;
}

static bool read_smbios(struct argv *argv, const char *value, GError **error)
{
	g_autoptr(GArray) pairs = argv_pairs(value, "type");
	const char *uuid = argv_value(pairs, "uuid");

	return !uuid || argv->uuid || read_uuid(argv, uuid, error);
}

static bool read_readconfig(struct argv *argv, const char *value, GError **error)
{
	(void)value;
	(void)error;
	argv_unknown(argv, g_strdup("settings in a file of their own (-readconfig)"));
	return true;
}

static bool read_set(struct argv *argv, const char *value, GError **error)
{
	(void)value;
	(void)error;
	argv_unknown(argv, g_strdup("a value changed behind the options (-set)"));
	return true;
}

/* --- the table ---------------------------------------------------------------------------------- */

struct option {
	const char *name;
	bool has_value;
	bool (*read)(struct argv *argv, const char *value, GError **error); /* NULL: nothing to judge */
};

static const struct option options[] = {
	{ "D", true, NULL },		  { "L", true, NULL },
	{ "M", true, read_machine },	  { "S", false, NULL },
	{ "accel", true, read_accel },	  { "acpitable", true, NULL },
	{ "action", true, NULL },	  { "add-fd", true, NULL },
	{ "append", true, NULL },	  { "async-teardown", false, NULL },
	{ "audio", true, NULL },	  { "audiodev", true, NULL },
	{ "bios", true, read_bios },	  { "blockdev", true, read_blockdev },
	{ "boot", true, NULL },		  { "cdrom", true, NULL },
	{ "chardev", true, NULL },	  { "chroot", true, NULL },
	{ "compat", true, NULL },	  { "cpu", true, read_cpu },
	{ "d", true, NULL },		  { "daemonize", false, NULL },
	{ "debugcon", true, NULL },	  { "device", true, read_device },
	{ "dfilter", true, NULL },	  { "display", true, NULL },
	{ "drive", true, read_drive },	  { "dtb", true, NULL },
	{ "dump-vmstate", true, NULL },	  { "echr", true, NULL },
	{ "enable-kvm", false, read_kvm }, { "enable-sync-profile", false, NULL },
	{ "fda", true, NULL },		  { "fdb", true, NULL },
	{ "fsdev", true, NULL },	  { "full-screen", false, NULL },
	{ "fw_cfg", true, NULL },	  { "gdb", true, NULL },
	{ "global", true, read_global },  { "hda", true, NULL },
	{ "hdb", true, NULL },		  { "hdc", true, NULL },
	{ "hdd", true, NULL },		  { "icount", true, NULL },
	{ "id", true, read_id },	  { "incoming", true, NULL },
	{ "initrd", true, NULL },	  { "iscsi", true, NULL },
	{ "jitdump", false, NULL },	  { "k", true, NULL },
	{ "kernel", true, NULL },	  { "loadvm", true, NULL },
	{ "m", true, read_memory },	  { "machine", true, read_machine },
	{ "mem-path", true, read_mem_path }, { "mem-prealloc", false, NULL },
	{ "mon", true, NULL },		  { "monitor", true, NULL },
	{ "msg", true, NULL },		  { "mtdblock", true, NULL },
	{ "name", true, read_name },	  { "net", true, read_nic },
	{ "netdev", true, read_netdev },  { "nic", true, read_nic },
	{ "no-acpi", false, read_no_acpi }, { "no-fd-bootchk", false, NULL },
	{ "no-hpet", false, NULL },	  { "no-reboot", false, NULL },
	{ "no-shutdown", false, NULL },	  { "no-user-config", false, NULL },
	{ "nodefaults", false, NULL },	  { "nographic", false, NULL },
	{ "numa", true, NULL },		  { "object", true, read_object },
	{ "only-migratable", false, NULL }, { "option-rom", true, NULL },
	{ "overcommit", true, NULL },	  { "parallel", true, NULL },
	{ "perfmap", false, NULL },	  { "pflash", true, read_pflash },
	{ "pidfile", true, NULL },	  { "plugin", true, NULL },
	{ "portrait", false, NULL },	  { "preconfig", false, NULL },
	{ "qmp", true, NULL },		  { "qmp-pretty", true, NULL },
	{ "readconfig", true, read_readconfig }, { "rotate", true, NULL },
	{ "rtc", true, NULL },		  { "run-with", true, NULL },
	{ "runas", true, NULL },	  { "s", false, NULL },
	{ "sandbox", true, NULL },	  { "sd", true, NULL },
	{ "seed", true, NULL },		  { "serial", true, NULL },
	{ "set", true, read_set },	  { "shim", true, NULL },
	{ "singlestep", false, NULL },	  { "smbios", true, read_smbios },
	{ "smp", true, read_smp },	  { "snapshot", false, NULL },
	{ "spice", true, NULL },	  { "tpmdev", true, read_tpmdev },
	{ "trace", true, NULL },	  { "usb", false, NULL },
	{ "usbdevice", true, NULL },	  { "uuid", true, read_uuid },
	{ "vga", true, read_vga },	  { "virtfs", true, NULL },
	{ "vnc", true, NULL },		  { "watchdog-action", true, NULL },
	{ "win2k-hack", false, NULL },
};

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

static void note_option(struct argv *argv, const char *name)
{
	for (guint i = 0; i < argv->options->len; i++)
		if (!strcmp(g_ptr_array_index(argv->options, i), name))
			return;
	g_ptr_array_add(argv->options, g_strdup(name));
}

/* Returns how many words it took, 0 with @error set. */
static guint read_option(struct argv *argv, char *const *words, GError **error)
{
	const char *name = words[0] + 1 + (words[0][1] == '-');
	const struct option *option = find_option(name);
	const char *value = words[1];

	if (!option) {
		argv_unknown(argv, definition_is_plain(name) && *name ?
					   g_strdup_printf("option -%s, which isn't known here", name) :
					   g_strdup("option that isn't known here"));
		return value && *value != '-' ? 2 : 1;
	}
	note_option(argv, option->name);
	if (!option->has_value)
		return !option->read || option->read(argv, "", error) ? 1 : 0;
	if (!value) {
		fail(error, words[0], "", "has no value behind it (is the command cut off?)");
		return 0;
	}
	return !option->read || option->read(argv, value, error) ? 2 : 0;
}

bool argv_read(struct argv *argv, char *const *words, GError **error)
{
	argv->devices = g_ptr_array_new_with_free_func(device_free);
	for (words++; *words;) {
		guint taken = 1; /* a word that is no option is a disk's image */

		if (**words == '-' && (*words)[1])
			taken = read_option(argv, words, error);
		if (!taken)
			return false;
		words += taken;
	}
	return true;
}
