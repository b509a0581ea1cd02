/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-kubevirt.c: KubeVirt's guests as domain definitions; see read-kubernetes.h. */
#include "config.h"

#include <string.h>

#include "read/read-kubernetes.h"
#include "read/read-parts.h"

#define MAX_FEATURES 4096u

static void put_text(GString *out, const char *text)
{
	g_autofree char *escaped = g_markup_escape_text(text, -1);

	g_string_append(out, escaped);
}

/* NAME='VALUE' with a blank before it, where the value is fit for a definition. */
static void put_attribute(GString *out, const char *name, const char *value)
{
	if (!value || !read_name_ok(value))
		return;
	g_string_append_printf(out, " %s='", name);
	put_text(out, value);
	g_string_append_c(out, '\'');
}

static const json_t *at(const json_t *object, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, ".", -1);

	for (guint i = 0; parts[i]; i++)
		object = json_object_get(object, parts[i]);
	return object;
}

static const char *text_at(const json_t *object, const char *path)
{
	const char *text = json_string_value(at(object, path));

	return text && read_name_ok(text) ? text : NULL;
}

/* A quantity ("2Gi", "512M", "1073741824") in KiB, rounded up; 0 where it is none. */
static guint64 quantity_kib(const char *text)
{
	static const char prefixes[] = "kMGTP";
	char *end;
	guint64 n = text ? g_ascii_strtoull(text, &end, 10) : 0, base;
	const char *prefix = n && *end ? strchr(prefixes, *end == 'K' ? 'k' : *end) : NULL;

	if (!n || (*end && !prefix) || n > G_MAXUINT32 * 1024ull * 1024)
		return 0;
	base = prefix && end[1] == 'i' ? 1024 : 1000;
	for (; prefix && prefix >= prefixes; prefix--)
		if (!g_uint64_checked_mul(&n, n, base))
			return 0;
	return n / 1024 + (n % 1024 != 0);
}

static guint64 number_at(const json_t *object, const char *path)
{
	const json_t *value = at(object, path);

	return json_is_integer(value) && json_integer_value(value) > 0 && json_integer_value(value) < 65536 ?
		       (guint64)json_integer_value(value) : 0;
}

static void put_size(GString *out, const json_t *guest)
{
	static const char *const places[] = { "status.memory.guestCurrent", "spec.domain.memory.guest",
					      "spec.domain.resources.requests.memory" };
	const json_t *cpu = at(guest, "spec.domain.cpu");
	guint64 vcpus = MAX(number_at(cpu, "sockets"), 1) * MAX(number_at(cpu, "cores"), 1) * MAX(number_at(cpu, "threads"), 1);
	guint64 kib = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(places) && !kib; i++)
		kib = quantity_kib(text_at(guest, places[i]));
	if (kib)
		g_string_append_printf(out, "<memory unit='KiB'>%" G_GUINT64_FORMAT "</memory>", kib);
	g_string_append_printf(out, "<vcpu>%" G_GUINT64_FORMAT "</vcpu>", MIN(vcpus, 65535));
}

static void put_os(GString *out, const json_t *guest)
{
	const char *arch = text_at(guest, "spec.architecture"), *machine = text_at(guest, "status.machine.type");

	g_string_append(out, "<os><type");
	if (arch)
		put_attribute(out, "arch", !strcmp(arch, "amd64") ? "x86_64" : !strcmp(arch, "arm64") ? "aarch64" : arch);
	put_attribute(out, "machine", machine ? machine : text_at(guest, "spec.domain.machine.type"));
	g_string_append(out, ">hvm</type></os>");
}

/* Without a model guests get the cluster's, which is host-model where nobody chose another. */
static void put_cpu(GString *out, const json_t *guest)
{
	const char *model = text_at(guest, "spec.domain.cpu.model");
	const json_t *features = at(guest, "spec.domain.cpu.features"), *feature;
	bool host = !model || !strcmp(model, "host-model"), pass = model && !strcmp(model, "host-passthrough");
	size_t i;

	g_string_append_printf(out, "<cpu mode='%s'%s>", host ? "host-model" : pass ? "host-passthrough" : "custom",
			       host || pass ? "" : " match='exact'");
	if (!host && !pass) {
		g_string_append(out, "<model fallback='forbid'>");
		put_text(out, model);
		g_string_append(out, "</model>");
	}
	json_array_foreach (features, i, feature) {
		const char *policy = text_at(feature, "policy");

		if (!text_at(feature, "name") || i >= MAX_FEATURES)
			continue;
		g_string_append(out, "<feature");
		put_attribute(out, "policy", policy ? policy : "require");
		put_attribute(out, "name", text_at(feature, "name"));
		g_string_append(out, "/>");
	}
	g_string_append(out, "</cpu>");
}

static void put_features(GString *out, const json_t *guest)
{
	/* KubeVirt's name, libvirt's */
	static const char *const names[][2] = {
		{ "relaxed", "relaxed" }, { "vapic", "vapic" }, { "vpindex", "vpindex" }, { "runtime", "runtime" },
		{ "synic", "synic" }, { "synictimer", "stimer" }, { "reset", "reset" }, { "frequencies", "frequencies" },
		{ "reenlightenment", "reenlightenment" }, { "tlbflush", "tlbflush" }, { "ipi", "ipi" }, { "evmcs", "evmcs" },
	};
	const json_t *hyperv = at(guest, "spec.domain.features.hyperv");

	g_string_append(out, "<features><acpi/><apic/>");
	if (json_object_size(hyperv)) {
		g_string_append(out, "<hyperv mode='custom'>");
		for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
			const json_t *one = json_object_get(hyperv, names[i][0]);

			if (json_is_object(one) && !json_is_false(json_object_get(one, "enabled")))
				g_string_append_printf(out, "<%s state='on'/>", names[i][1]);
		}
		g_string_append(out, "</hyperv>");
	}
	g_string_append(out, "</features>");
	if (json_is_object(at(guest, "spec.domain.clock.timer.hyperv")) || json_object_get(hyperv, "synictimer"))
		g_string_append(out, "<clock offset='utc'><timer name='hypervclock' present='yes'/></clock>");
}

static void put_backing(GString *out, const json_t *guest)
{
	guint64 kib = quantity_kib(text_at(guest, "spec.domain.memory.hugepages.pageSize"));

	if (kib)
		g_string_append_printf(out, "<memoryBacking><hugepages><page size='%" G_GUINT64_FORMAT "' unit='KiB'/></hugepages></memoryBacking>",
				       kib);
}

/* What decides and can't be told as libvirt would: elements of types that nobody judges. */
static void put_devices(GString *out, const json_t *guest)
{
	static const char *const places[] = { "spec.domain.devices.hostDevices", "spec.domain.devices.gpus" };
	const json_t *interface;
	size_t i;

	g_string_append(out, "<devices>");
	for (i = 0; i < G_N_ELEMENTS(places); i++)
		if (json_array_size(at(guest, places[i])))
			g_string_append(out, "<hostdev mode='subsystem' type='kubernetes'/>");
	json_array_foreach (at(guest, "spec.domain.devices.interfaces"), i, interface)
		if (json_object_get(interface, "sriov"))
			g_string_append(out, "<hostdev mode='subsystem' type='sriov'/>");
	g_string_append(out, "</devices>");
	if (json_object_size(at(guest, "spec.domain.launchSecurity")))
		g_string_append(out, "<launch-security-of-kubevirt/>");
}

char *kubernetes_definition(const json_t *guest, const char **node, GError **error)
{
	const char *name = text_at(guest, "metadata.name"), *space = text_at(guest, "metadata.namespace");
	const char *uuid = text_at(guest, "spec.domain.firmware.uuid"), *phase = text_at(guest, "status.phase");
	bool running = phase && !strcmp(phase, "Running");
	GString *out;

	*node = text_at(guest, "status.nodeName");
	if (!name) {
		read_fail(error, "metadata.name", "is missing, or no name");
		return NULL;
	}
	out = g_string_new("<domain type='kvm'");
	g_string_append(out, running ? " id='1'><name>" : "><name>");
	/* as the domain is called in its pod */
	if (space) {
		put_text(out, space);
		g_string_append_c(out, '_');
	}
	put_text(out, name);
	g_string_append(out, "</name>");
	if (uuid && g_uuid_string_is_valid(uuid))
		g_string_append_printf(out, "<uuid>%s</uuid>", uuid);
	put_size(out, guest);
	put_os(out, guest);
	put_features(out, guest);
	put_cpu(out, guest);
	put_backing(out, guest);
	put_devices(out, guest);
	g_string_append(out, "</domain>");
	return g_string_free(out, FALSE);
}
