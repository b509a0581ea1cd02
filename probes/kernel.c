/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kernel.c: who this host is and what its kernel admits to: release, options, boot id, microcode,
 * CPU flags, parameters of KVM's modules, devices for encrypted guests and enclaves.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cpuinfo.h"
#include "probe.h"

static const struct scope kernel = { .view = VIEW_KERNEL, .migratable = -1 };

/* Makes a UUID of the machine id that doesn't give the machine id away (as machine-id(5) asks). */
#define UUID_KEY "capbroker host uuid 1"

static char *ask_uname(void *data, GError **error)
{
	struct utsname u;

	(void)data;
	if (uname(&u) == 0)
		return g_strdup_printf("%s %s %s %s %s\n", u.sysname, u.nodename, u.release, u.version,
				       u.machine);
	g_set_error(error, SOURCE_ERROR, SOURCE_FAILED, "uname(2) failed");
	return NULL;
}

static char *ask_machine_uuid(void *data, GError **error)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	int err;
	g_autofree char *id = source_text(live, "/etc/machine-id", &err);
	g_autofree char *sum = NULL;

	(void)data;
	if (!id || strlen(id) != 32) {
		g_set_error(error, SOURCE_ERROR, SOURCE_MISSING,
			    "/etc/machine-id: no machine id (systemd-machine-id-setup makes one)");
		return NULL;
	}
	sum = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)id, strlen(id), UUID_KEY, -1);
	/* RFC 9562: version 8, variant 10 */
	sum[12] = '8';
	sum[16] = "89ab"[g_ascii_xdigit_value(sum[16]) & 3];
	return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s\n", sum, sum + 8, sum + 12, sum + 16, sum + 20);
}

static void set_text(json_t *object, const char *key, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	json_object_set_new(object, key, json_string(valid));
}

/* "Linux NODE RELEASE VERSION… MACHINE", with or without "GNU/Linux" behind it. */
static bool read_uname(struct context *context)
{
	json_t *fingerprint = json_object_get(context->doc, "fingerprint");
	g_autofree char *text = source_ask(context->source, "uname", ask_uname, NULL, NULL);
	g_auto(GStrv) words = g_strsplit_set(text ? g_strstrip(text) : "", " ", -1);
	guint n = g_strv_length(words);
	const char *node;

	if (n < 5)
		return false;
	node = words[1];
	if (*node && *node != '(')
		set_text(context->found, "hostname", node);
	set_text(fingerprint, "kernel", words[2]);
	set_text(context->found, "kernel", words[2]);
	probe_fact_text(context, "host.kernel", words[2], &kernel, "uname");
	if (g_str_has_prefix(words[n - 1], "GNU/"))
		n--;
	set_text(json_object_get(context->doc, "host"), "arch", words[n - 1]);
	set_text(context->found, "arch", words[n - 1]);
	return true;
}

static void read_line(struct context *context, const char *path, const char *key, const char *id)
{
	json_t *fingerprint = json_object_get(context->doc, "fingerprint");
	int err;
	g_autofree char *text = source_text(context->source, path, &err);

	if (text)
		json_object_set_new(fingerprint, key, json_string(text));
	if (text && id)
		probe_fact_text(context, id, text, &kernel, path);
	else if (id && err != ENOENT)
		document_fact_missing(json_object_get(context->doc, "facts"), id,
				      FACT_UNREADABLE, &kernel, path, err);
}

static char *ask_page_size(void *data, GError **error)
{
	long size = sysconf(_SC_PAGESIZE);

	(void)data;
	if (size > 0)
		return g_strdup_printf("%ld\n", size);
	g_set_error(error, SOURCE_ERROR, SOURCE_FAILED, "sysconf(_SC_PAGESIZE) failed");
	return NULL;
}

static void read_page_size(struct context *context)
{
	g_autofree char *text = source_ask(context->source, "page-size", ask_page_size, NULL, NULL);
	guint64 n = text ? g_ascii_strtoull(text, NULL, 10) : 0;

	if (n && n <= G_MAXUINT32)
		document_fact(json_object_get(context->doc, "facts"), "host.page-size",
			      json_integer((json_int_t)n), &kernel, "sysconf _SC_PAGESIZE");
}

static void read_uuids(struct context *context)
{
	json_t *uuids = json_object();
	int err;
	g_autofree char *dmi = source_text(context->source, "/sys/class/dmi/id/product_uuid", &err);
	g_autofree char *made = source_ask(context->source, "machine-uuid", ask_machine_uuid, NULL, NULL);
	g_autofree char *lower = dmi ? g_ascii_strdown(dmi, -1) : NULL;

	/* Firmware that was never told one says all zeros or all ones. */
	if (lower && g_uuid_string_is_valid(lower) && strspn(lower, "0-") != strlen(lower) &&
	    strspn(lower, "f-") != strlen(lower))
		set_text(uuids, "dmi", lower);
	if (made && g_uuid_string_is_valid(g_strstrip(made)))
		set_text(uuids, "machine-id", made);
	json_object_set_new(context->found, "uuid", uuids);
}

/* --- modules ---------------------------------------------------------------------------------- */

/* Parameters that the dictionary names as "kvm_intel.nested"; all of them into the fingerprint. */
static void read_parameters(struct context *context, const char *module, json_t *all)
{
	g_autofree char *dir = g_strdup_printf("/sys/module/%s/parameters", module);
	json_t *facts = json_object_get(context->doc, "facts");
	int err;
	g_auto(GStrv) names = source_list(context->source, dir, &err);

	for (size_t i = 0; names && names[i]; i++) {
		g_autofree char *path = g_strdup_printf("%s/%s", dir, names[i]);
		g_autofree char *key = g_strdup_printf("%s.%s", module, names[i]);
		g_autofree char *text = source_text(context->source, path, &err);
		int cap = cap_find_alias(NS_KERNEL, key);

		if (!text)
			continue;
		json_object_set_new(all, key, json_string(text));
		if (cap >= 0 && cap_table[cap].type == CAP_BOOL)
			document_fact(facts, cap_table[cap].id,
				      json_boolean(*text == 'Y' || *text == 'y' || *text == '1'),
				      &kernel, path);
		else if (cap >= 0 && cap_table[cap].type == CAP_UINT)
			document_fact(facts, cap_table[cap].id,
				      json_integer((json_int_t)g_ascii_strtoull(text, NULL, 0)),
				      &kernel, path);
	}
}

/* --- devices for encrypted guests and enclaves ------------------------------------------------- */

/* Nothing is opened: that they are there is what the kernel says. */
static void read_devices(struct context *context)
{
	static const char *const devices[][2] = { { "/dev/sev", "sev.device" },
						  { "/dev/sgx_vepc", "sgx.device" } };
	json_t *facts = json_object_get(context->doc, "facts");

	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
		struct source_file file;
		int err;

		if (source_stat(context->source, devices[i][0], &file, &err))
			document_fact(facts, devices[i][1], json_true(), &kernel, devices[i][0]);
	}
}

/* Which may be pinned to. */
static void read_processors(struct context *context)
{
	static const char path[] = "/sys/devices/system/cpu/online";
	int err;
	g_autofree char *text = source_text(context->source, path, &err);

	if (text && *text && strspn(text, "0123456789,-") == strlen(text))
		probe_fact_text(context, "host.processors", text, &kernel, path);
}

static void collect(struct context *context)
{
	json_t *fingerprint = json_object_get(context->doc, "fingerprint");
	json_t *parameters = json_object();
	bool named = read_uname(context);

	read_line(context, "/proc/cmdline", "cmdline", "host.cmdline");
	read_line(context, "/proc/sys/kernel/random/boot_id", "boot_id", NULL);
	read_uuids(context);
	cpuinfo_read(context, json_string_value(json_object_get(context->found, "arch")));
	read_page_size(context);
	read_processors(context);
	read_parameters(context, "kvm", parameters);
	read_parameters(context, "kvm_intel", parameters);
	read_parameters(context, "kvm_amd", parameters);
	read_parameters(context, "vfio", parameters);
	read_parameters(context, "vfio_iommu_type1", parameters);
	read_parameters(context, "vfio_pci", parameters);
	read_parameters(context, "iommufd", parameters);
	read_devices(context);
	if (json_object_size(parameters))
		json_object_set(fingerprint, "modules", parameters);
	json_decref(parameters);
	probe_report(context, &kernel_probe, named ? "ok" : "partial", false,
		     named ? NULL : "uname: not in the recording (record again for name and kernel)");
}

const struct probe kernel_probe = {
	.name = "kernel",
	.help = "host name, kernel, its options, microcode, CPU flags, KVM's module parameters",
	.local = true,
	.view = VIEW_KERNEL,
	.percent = 20,
	.collect = collect,
};
