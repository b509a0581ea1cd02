/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-capabilities.c: what `virsh capabilities` says of a host and its emulators. */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "read/read-parts.h"

#define ORIGIN "virsh capabilities, /capabilities/host/cpu"
#define SOURCE "virsh capabilities"
#define MAX_SECURITY_MODELS 16u
#define MAX_PROCESSOR 16383u /* the largest number that libvirt takes */

static const struct scope libvirt_view = { .view = VIEW_LIBVIRT, .migratable = -1 };

const char *read_accel(const char *domain_type)
{
	return !strcmp(domain_type, "qemu") ? "tcg" : domain_type;
}

static bool get_number(const struct xml_node *node, const char *attribute, guint64 max,
		       guint64 *out)
{
	const char *value = xml_attr(node, attribute);

	return value && g_ascii_string_to_unsigned(value, 10, 0, max, out, NULL);
}

static void put_number(json_t *facts, const char *id, guint64 n)
{
	document_fact(facts, id, json_integer((json_int_t)n), &libvirt_view, ORIGIN);
}

/* Signature, microcode and clock: only the host's own <cpu> has them. */
static void put_host_details(json_t *facts, const struct xml_node *cpu)
{
	const struct xml_node *signature = xml_child(cpu, "signature");
	const struct xml_node *counter = xml_child(cpu, "counter");
	const char *microcode = xml_attr(xml_child(cpu, "microcode"), "version");
	const char *scaling;
	guint64 n;

	if (get_number(signature, "family", G_MAXUINT32, &n))
		put_number(facts, "cpu.family", n);
	if (get_number(signature, "model", G_MAXUINT32, &n))
		put_number(facts, "cpu.model", n);
	if (get_number(signature, "stepping", G_MAXUINT32, &n))
		put_number(facts, "cpu.stepping", n);
	if (read_name_ok(microcode))
		document_fact(facts, "host.microcode", json_string(microcode), &libvirt_view,
			      ORIGIN);
	while (counter && g_strcmp0(xml_attr(counter, "name"), "tsc"))
		counter = xml_same(counter);
	if (get_number(counter, "frequency", 1ull << 50, &n))
		put_number(facts, "cpu.tsc-khz", n / 1000);
	scaling = xml_attr(counter, "scaling");
	if (!g_strcmp0(scaling, "yes") || !g_strcmp0(scaling, "no"))
		document_fact(facts, "kvm.tsc-control", json_boolean(*scaling == 'y'),
			      &libvirt_view, ORIGIN);
}

/* The drivers that label guests and what they use; a libvirt that tells any tells all. */
static void put_security_models(json_t *facts, const struct xml_node *host)
{
	json_t *names = json_array();

	for (const struct xml_node *m = xml_child(host, "secmodel"); m; m = xml_same(m)) {
		const struct xml_node *name = xml_child(m, "model");

		if (name && read_name_ok(name->text) && json_array_size(names) < MAX_SECURITY_MODELS)
			json_array_append_new(names, json_string(name->text));
	}
	if (json_array_size(names))
		document_fact(facts, "libvirt.security-model", names, &libvirt_view,
			      "virsh capabilities, /capabilities/host/secmodel");
	else
		json_decref(names);
}

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
	guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;

	return x < y ? -1 : x > y;
}

/* "0-3,8", as the kernel writes sets of numbers. */
static char *numbers_text(GArray *numbers)
{
	GString *text = g_string_new(NULL);

	g_array_sort(numbers, compare_numbers);
	for (guint i = 0, end; i < numbers->len; i = end) {
		guint64 first = g_array_index(numbers, guint64, i);

		for (end = i + 1; end < numbers->len &&
				  g_array_index(numbers, guint64, end) <= first + (end - i);)
			end++;
		g_string_append_printf(text, "%s%" G_GUINT64_FORMAT, i ? "," : "", first);
		if (end > i + 1)
			g_string_append_printf(text, "-%" G_GUINT64_FORMAT,
					       g_array_index(numbers, guint64, end - 1));
	}
	return g_string_free(text, FALSE);
}

static void put_processors(json_t *facts, const struct xml_node *host)
{
	g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
	const struct xml_node *cell = xml_at(host, "topology/cells/cell");
	g_autofree char *text = NULL;

	for (; cell; cell = xml_same(cell))
		for (const struct xml_node *c = xml_at(cell, "cpus/cpu"); c; c = xml_same(c)) {
			guint64 n;

			if (get_number(c, "id", MAX_PROCESSOR, &n) && numbers->len <= MAX_PROCESSOR)
				g_array_append_val(numbers, n);
		}
	if (!numbers->len)
		return;
	text = numbers_text(numbers);
	document_fact(facts, "host.processors", json_string(text), &libvirt_view,
		      "virsh capabilities, /capabilities/host/topology");
}

/* The smallest of the listed page sizes is the ordinary one, the others are huge. */
static void read_page_sizes(json_t *doc, const struct xml_node *cpu)
{
	json_t *sizes = json_array();
	const struct xml_node *arch = xml_child(cpu, "arch");
	guint64 kib, smallest = G_MAXUINT64;

	for (const struct xml_node *p = xml_child(cpu, "pages"); p; p = xml_same(p))
		if (get_number(p, "size", G_MAXINT64, &kib))
			smallest = MIN(smallest, kib);
	for (const struct xml_node *p = xml_child(cpu, "pages"); p; p = xml_same(p))
		if (get_number(p, "size", G_MAXINT64, &kib) && kib > smallest && json_array_size(sizes) < 64)
			json_array_append_new(sizes, json_sprintf("%" G_GUINT64_FORMAT, kib));
	if (smallest < G_MAXUINT64)
		document_fact(read_facts(doc), "memory.huge-page", json_incref(sizes), &libvirt_view,
			      "virsh capabilities, /capabilities/host/cpu/pages");
	/* x86 has but one */
	if (arch && arch->text && arch_family(arch->text) != ARCH_X86 && smallest < G_MAXINT64 / 1024)
		document_fact(read_facts(doc), "host.page-size", json_integer((json_int_t)smallest * 1024),
			      &libvirt_view, "virsh capabilities, /capabilities/host/cpu/pages");
	json_decref(sizes);
}

static void read_topology(json_t *doc, const struct xml_node *topology)
{
	json_t *nodes = json_array();
	guint64 id;

	for (const struct xml_node *cell = xml_at(topology, "cells/cell"); cell; cell = xml_same(cell))
		if (get_number(cell, "id", G_MAXUINT32, &id) && json_array_size(nodes) < 1024)
			json_array_append_new(nodes, json_sprintf("%" G_GUINT64_FORMAT, id));
	if (json_array_size(nodes))
		document_fact(read_facts(doc), "numa.node", json_incref(nodes), &libvirt_view,
			      "virsh capabilities, /capabilities/host/topology");
	json_decref(nodes);
}

static bool read_host(json_t *doc, const struct xml_node *host, const struct cpu_models *models,
		      GError **error)
{
	const struct xml_node *cpu = xml_child(host, "cpu");
	const char *uuid = xml_child(host, "uuid") ? xml_child(host, "uuid")->text : NULL;
	g_autofree char *reason = NULL;
	g_autoptr(CpuDef) def = NULL;

	read_set_host(doc, "uuid", uuid);
	put_security_models(read_facts(doc), host);
	put_processors(read_facts(doc), host);
	read_page_sizes(doc, cpu);
	read_topology(doc, xml_child(host, "topology"));
	if (!cpu) {
		document_source(doc, SOURCE, "partial", false, VIEW_LIBVIRT,
				"has no <cpu> of the host", -1);
		return true;
	}
	def = cpu_def_parse(cpu, error);
	if (!def)
		return false;
	read_set_host(doc, "arch", def->arch);
	reason = read_put_cpu(read_facts(doc), NULL, def, models, &libvirt_view, ORIGIN);
	put_host_details(read_facts(doc), cpu);
	document_source(doc, SOURCE, reason ? "partial" : "ok", !reason, VIEW_LIBVIRT, reason, -1);
	return true;
}

/* The machine type's entry of a list, made where it isn't there. */
static json_t *machine_entry(json_t *machines, GHashTable *by_name, const char *name)
{
	json_t *entry = g_hash_table_lookup(by_name, name);

	if (!entry) {
		entry = json_pack("{s:s}", "name", name);
		json_array_append_new(machines, entry);
		g_hash_table_insert(by_name, (gpointer)name, entry);
	}
	return entry;
}

static bool read_machines(json_t *machines, GHashTable *by_name, const struct xml_node *parent,
			  GError **error)
{
	for (const struct xml_node *m = xml_child(parent, "machine"); m; m = xml_same(m)) {
		const char *canonical = xml_attr(m, "canonical");
		const char *deprecated = xml_attr(m, "deprecated");
		const char *name = canonical ? canonical : m->text;
		json_t *entry;
		guint64 n;

		if (!read_name_ok(name) || !read_name_ok(m->text))
			return read_fail(error, "/capabilities/guest/arch/machine",
					 "a machine type's name is empty or too long");
		if (json_array_size(machines) >= READ_MAX_MACHINES)
			return read_fail(error, "/capabilities/guest/arch",
					 "too many machine types");
		entry = machine_entry(machines, by_name, name);
		if (canonical && !json_object_get(entry, "alias"))
			json_object_set_new(entry, "alias", json_string(m->text));
		if (get_number(m, "maxCpus", G_MAXUINT32, &n))
			json_object_set_new(entry, "cpu_max", json_integer((json_int_t)n));
		if (deprecated)
			json_object_set_new(entry, "deprecated",
					    json_boolean(!strcmp(deprecated, "yes")));
	}
	return true;
}

/* One <arch> and one of its domain types; the latter's own emulator and machines come first. */
static bool read_domain_type(json_t *doc, const struct xml_node *arch, const struct xml_node *type,
			     GError **error)
{
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
	const struct xml_node *emulator = xml_child(type, "emulator");
	const char *domain_type = xml_attr(type, "type"), *arch_name = xml_attr(arch, "name");
	struct scope scope = { .view = VIEW_LIBVIRT, .machine = "none", .migratable = -1 };
	json_t *entry, *machines, *machine;
	size_t i;

	if (!emulator)
		emulator = xml_child(arch, "emulator");
	if (!emulator || !read_name_ok(emulator->text) || !read_name_ok(domain_type))
		return true;
	scope.emulator = emulator->text;
	scope.accel = read_accel(domain_type);
	if (json_array_size(json_object_get(doc, "emulators")) >= PROFILE_MAX_EMULATORS)
		return read_fail(error, "/capabilities/guest", "too many emulators");
	entry = read_emulator(doc, &scope);
	if (read_name_ok(arch_name) && !json_object_get(entry, "arch"))
		json_object_set_new(entry, "arch", json_string(arch_name));
	machines = json_object_get(entry, "machines");
	if (!machines) {
		machines = json_array();
		json_object_set_new(entry, "machines", machines);
	}
	json_array_foreach (machines, i, machine)
		g_hash_table_insert(by_name,
				    (gpointer)json_string_value(json_object_get(machine, "name")),
				    machine);
	return read_machines(machines, by_name,
			     xml_child(type, "machine") ? type : arch, error);
}

static bool read_guest(json_t *doc, const struct xml_node *guest, GError **error)
{
	const struct xml_node *os_type = xml_child(guest, "os_type");

	if (!os_type || strcmp(os_type->text, "hvm"))
		return true;
	for (const struct xml_node *arch = xml_child(guest, "arch"); arch; arch = xml_same(arch))
		for (const struct xml_node *type = xml_child(arch, "domain"); type;
		     type = xml_same(type))
			if (!read_domain_type(doc, arch, type, error))
				return false;
	return true;
}

bool read_capabilities(json_t *doc, const struct xml_document *xml, const struct cpu_models *models,
		       GError **error)
{
	const struct xml_node *root = xml_root(xml);

	if (strcmp(root->name, "capabilities"))
		return read_fail(error, root->name, "is not <capabilities>");
	if (!read_host(doc, xml_child(root, "host"), models, error))
		return false;
	for (const struct xml_node *guest = xml_child(root, "guest"); guest; guest = xml_same(guest))
		if (!read_guest(doc, guest, error))
			return false;
	return true;
}
