/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-qemucaps.c: what libvirt remembers of a QEMU that it asked (the files below
 * /var/cache/libvirt/qemu/capabilities): the replies to its questions, in its own XML. They are
 * made replies again and read as such.
 */
#include "config.h"

#include <string.h>

#include "read/read-qmp.h"

#define ORIGIN "libvirt's cache of QEMU's capabilities"

static bool is_yes(const struct xml_node *node, const char *attribute)
{
	return !g_strcmp0(xml_attr(node, attribute), "yes");
}

static const char *text_of(const struct xml_node *root, const char *name)
{
	const struct xml_node *node = xml_child(root, name);

	return node && read_name_ok(node->text) ? node->text : NULL;
}

static bool get_number(const char *text, guint64 max, guint64 *out)
{
	return text && g_ascii_string_to_unsigned(text, 10, 0, max, out, NULL);
}

static json_t *version_reply(const struct xml_node *root)
{
	const char *package = text_of(root, "package");
	guint64 n;

	if (!get_number(text_of(root, "version"), 1000000000, &n))
		return NULL;
	return json_pack("{s:{s:f, s:f, s:f}, s:s}", "qemu", "major", (double)(n / 1000000), "minor",
			 (double)(n / 1000 % 1000), "micro", (double)(n % 1000), "package",
			 package ? package : "");
}

static void set_name(json_t *to, const char *key, const char *name)
{
	if (name)
		json_object_set_new(to, key, json_string(name));
}

static json_t *machine_reply(const struct xml_node *node)
{
	json_t *machine = json_object();
	guint64 max;

	set_name(machine, "name", xml_attr(node, "name"));
	set_name(machine, "alias", xml_attr(node, "alias"));
	set_name(machine, "default-cpu-type", xml_attr(node, "defaultCPU"));
	if (get_number(xml_attr(node, "maxCpus"), G_MAXUINT32, &max))
		json_object_set_new(machine, "cpu-max", json_real((double)max));
	json_object_set_new(machine, "deprecated", json_boolean(is_yes(node, "deprecated")));
	if (is_yes(node, "default"))
		json_object_set_new(machine, "is-default", json_true());
	return machine;
}

/* libvirt asks which models run only where QEMU tells it. */
static json_t *definition_reply(const struct xml_node *node)
{
	json_t *cpu = json_object(), *missing;

	set_name(cpu, "name", xml_attr(node, "name"));
	set_name(cpu, "typename", xml_attr(node, "typename"));
	if (xml_attr(node, "deprecated"))
		json_object_set_new(cpu, "deprecated", json_boolean(is_yes(node, "deprecated")));
	if (!xml_attr(node, "usable"))
		return cpu;
	missing = json_array();
	for (const struct xml_node *b = xml_child(node, "blocker"); b; b = xml_same(b))
		if (read_name_ok(xml_attr(b, "name")))
			json_array_append_new(missing, json_string(xml_attr(b, "name")));
	if (is_yes(node, "usable") || json_array_size(missing))
		json_object_set(cpu, "unavailable-features", missing);
	json_decref(missing);
	return cpu;
}

static json_t *list_of(const struct xml_node *root, const char *name, const char *type, guint limit,
		       json_t *(*make)(const struct xml_node *node))
{
	json_t *list = json_array();

	for (const struct xml_node *n = xml_child(root, name); n; n = xml_same(n))
		if (!g_strcmp0(xml_attr(n, "type"), type) && json_array_size(list) <= limit)
			json_array_append_new(list, make(n));
	return list;
}

/* Says the file anything of this accelerator? */
static bool list_has_type(const struct xml_node *root, const char *type)
{
	for (const struct xml_node *m = root->children; m; m = m->next)
		if (!g_strcmp0(xml_attr(m, "type"), type))
			return true;
	return false;
}

static json_t *property_value(const struct xml_node *node)
{
	const char *type = xml_attr(node, "type"), *value = xml_attr(node, "value");

	if (!value)
		return NULL;
	if (!g_strcmp0(type, "boolean"))
		return json_boolean(!strcmp(value, "true"));
	if (!g_strcmp0(type, "number"))
		return json_real(g_ascii_strtod(value, NULL));
	return json_string(value);
}

/* @migratable: 0 all, 1 what a guest that can move gets, -1 libvirt doesn't distinguish. */
static json_t *expansion_reply(const struct xml_node *cpu, int migratable)
{
	const char *name = xml_attr(cpu, "model");
	json_t *props = json_object();

	for (const struct xml_node *p = xml_child(cpu, "property"); p; p = xml_same(p)) {
		const char *key = xml_attr(p, "name");
		json_t *value = property_value(p);

		if (!value || !read_name_ok(key) || json_object_size(props) > READ_MAX_PROPERTIES) {
			json_decref(value);
			continue;
		}
		if (migratable == 1 && json_is_true(value) && !is_yes(p, "migratable")) {
			json_decref(value);
			value = json_false();
		}
		json_object_set_new(props, key, value);
	}
	if (migratable >= 0)
		json_object_set_new(props, "migratable", json_boolean(migratable));
	return json_pack("{s:{s:s, s:o}}", "model", "name", name ? name : "", "props", props);
}

/* Reads a reply made here; @value is stolen. */
static bool put(json_t *doc, enum read_kind kind, json_t *value, const struct scope *scope,
		const char *model, const struct cpu_models *models, GError **error)
{
	json_t *reply = json_pack("{s:o}", "return", value);
	bool ok = read_qmp(doc, kind, reply, scope, model, models, ORIGIN, error);

	json_decref(reply);
	return ok;
}

static bool put_host_cpu(json_t *doc, const struct xml_node *root, const char *type,
			 const struct scope *scope, const struct cpu_models *models, GError **error)
{
	const char *model = strcmp(type, "kvm") ? "max" : "host";
	const struct xml_node *cpu = xml_child(root, "hostCPU");
	bool ok = true;

	while (cpu && g_strcmp0(xml_attr(cpu, "type"), type))
		cpu = xml_same(cpu);
	if (!cpu)
		return true;
	if (!is_yes(cpu, "migratability"))
		return put(doc, READ_QMP_EXPANSION, expansion_reply(cpu, -1), scope, model, models, error);
	for (int migratable = 1; ok && migratable >= 0; migratable--)
		ok = put(doc, READ_QMP_EXPANSION, expansion_reply(cpu, migratable), scope, model, models,
			 error);
	return ok;
}

static bool put_accel(json_t *doc, const struct xml_node *root, const char *type,
		      const struct scope *general, const struct cpu_models *models, GError **error)
{
	json_t *machines = list_of(root, "machine", type, READ_MAX_MACHINES, machine_reply);
	json_t *cpus = list_of(root, "cpu", type, READ_MAX_MODELS, definition_reply);
	struct scope scope = *general;
	bool there = json_array_size(machines) || json_array_size(cpus), ok = true;

	scope.accel = read_accel(type);
	if (there)
		ok = put(doc, READ_QMP_MACHINES, json_incref(machines), &scope, NULL, models, error);
	if (ok && json_array_size(cpus))
		ok = put(doc, READ_QMP_CPU_DEFINITIONS, json_incref(cpus), &scope, NULL, models, error);
	if (ok && there && !strcmp(type, "kvm"))
		read_set_host(doc, "arch", text_of(root, "arch"));
	json_decref(machines);
	json_decref(cpus);
	return ok && put_host_cpu(doc, root, type, &scope, models, error);
}

static bool put_gic(json_t *doc, const struct xml_node *root, const struct scope *scope,
		    GError **error)
{
	json_t *list = json_array();
	guint64 version;

	for (const struct xml_node *g = xml_child(root, "gic"); g; g = xml_same(g))
		if (get_number(xml_attr(g, "version"), 99, &version) && json_array_size(list) < 99)
			json_array_append_new(list, json_pack("{s:f, s:b, s:b}", "version", (double)version,
							      "kernel", is_yes(g, "kernel"), "emulated",
							      is_yes(g, "emulated")));
	if (!json_array_size(list)) {
		json_decref(list);
		return true;
	}
	return put(doc, READ_QMP_GIC, list, scope, NULL, NULL, error);
}

/* libvirt's own version stands in what it writes. */
static void put_libvirt(json_t *doc, const struct xml_node *root)
{
	const struct scope scope = { .view = VIEW_LIBVIRT, .migratable = -1 };
	guint64 n;

	if (get_number(text_of(root, "selfvers"), 1000000000, &n) && n)
		read_put_once(read_facts(doc), "libvirt.version",
			      json_sprintf("%d.%d.%d", (int)(n / 1000000), (int)(n / 1000 % 1000),
					   (int)(n % 1000)),
			      &scope, ORIGIN);
}

bool read_qemucaps(json_t *doc, const struct xml_document *xml, const struct cpu_models *models,
		   GError **error)
{
	static const char *const types[] = { "kvm", "hvf", "tcg" };
	const struct xml_node *root = xml_root(xml);
	const char *arch = text_of(root, "arch"), *path = text_of(root, "emulator");
	struct scope scope = { .view = VIEW_QEMU, .machine = "none", .migratable = -1 };
	json_t *version;

	if (strcmp(root->name, "qemuCaps"))
		return read_fail(error, root->name, "is not <qemuCaps>");
	if (!arch)
		return read_fail(error, "/qemuCaps", "arch must be there");
	scope.emulator = path ? path : arch_usual_emulator(arch);
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		scope.accel = types[i];
		if (list_has_type(root, types[i]))
			json_object_set_new(read_emulator(doc, &scope), "arch", json_string(arch));
	}
	scope.accel = NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (!put_accel(doc, root, types[i], &scope, models, error))
			return false;
	scope.accel = list_has_type(root, "kvm") ? "kvm" : "tcg";
	version = version_reply(root);
	put_libvirt(doc, root);
	return put_gic(doc, root, &scope, error) &&
	       (!version || put(doc, READ_QMP_VERSION, version, &scope, NULL, models, error));
}
