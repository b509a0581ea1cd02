/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-kubernetes.c: nodes as profiles; see read-kubernetes.h. */
#include "config.h"

#include <string.h>

#include "read/read-kubernetes.h"
#include "read/read-parts.h"

#define EMULATOR "/usr/libexec/qemu-kvm" /* of virt-launcher's image */
#define ORIGIN "labels of the node, by KubeVirt's node-labeller"
#define MODEL_LABEL "cpu-model.node.kubevirt.io/"
#define FEATURE_LABEL "cpu-feature.node.kubevirt.io/"
#define REQUIRED_LABEL "host-model-required-features.node.kubevirt.io/"
#define HOST_MODEL_LABEL "host-model-cpu.node.kubevirt.io/"
#define MACHINE_LABEL "machine-type.node.kubevirt.io/"
#define VENDOR_LABEL "cpu-vendor.node.kubevirt.io/"

static bool is_kind(const json_t *item, const char *kind)
{
	return !g_strcmp0(json_string_value(json_object_get(item, "kind")), kind);
}

bool kubernetes_is_node(const json_t *item)
{
	return is_kind(item, "Node");
}

bool kubernetes_is_guest(const json_t *item)
{
	return is_kind(item, "VirtualMachineInstance");
}

bool kubernetes_is(const json_t *doc)
{
	const json_t *items = json_object_get(doc, "items");
	const json_t *first = json_is_array(items) ? json_array_get(items, 0) : doc;

	return json_is_string(json_object_get(first, "apiVersion")) && json_is_object(json_object_get(first, "metadata")) &&
	       (kubernetes_is_node(first) || kubernetes_is_guest(first));
}

json_t *kubernetes_items(const json_t *doc)
{
	json_t *items = json_object_get(doc, "items");

	return json_is_array(items) ? json_incref(items) : json_pack("[O]", (json_t *)doc);
}

static bool is_true(const json_t *value)
{
	return !g_strcmp0(json_string_value(value), "true");
}

/* "amd64" as the kernel calls it. */
static const char *arch_of(const json_t *labels)
{
	static const char *const names[][2] = { { "amd64", "x86_64" }, { "arm64", "aarch64" }, { "s390x", "s390x" },
						{ "ppc64le", "ppc64le" } };
	const char *name = json_string_value(json_object_get(labels, "kubernetes.io/arch"));

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!g_strcmp0(names[i][0], name))
			return names[i][1];
	return NULL;
}

/* What follows a label's prefix, where it is that label, switched on and a sound name; else NULL. */
static const char *name_behind(const char *label, const json_t *value, const char *prefix)
{
	const char *name = g_str_has_prefix(label, prefix) ? label + strlen(prefix) : NULL;

	return name && is_true(value) && read_name_ok(name) ? name : NULL;
}

/* An array of {"name": …}, or NULL where there is no such label. */
static json_t *named_list(const json_t *labels, const char *prefix, bool usable)
{
	json_t *list = NULL, *value;
	const char *label;

	json_object_foreach ((json_t *)labels, label, value) {
		const char *name = name_behind(label, value, prefix);

		if (!name || json_array_size(list) >= READ_MAX_MODELS)
			continue;
		if (!list)
			list = json_array();
		json_array_append_new(list, usable ? json_pack("{s:s, s:b}", "name", name, "usable", 1) :
						     json_pack("{s:s}", "name", name));
	}
	return list;
}

/* Features by their own labels, and all that a usable model has, as far as the table knows it. */
static void put_features(json_t *facts, const json_t *labels, const char *arch, const struct cpu_models *models)
{
	static const char *const prefixes[] = { FEATURE_LABEL, REQUIRED_LABEL };
	g_autoptr(GHashTable) features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	enum arch_family family = arch_family(arch);
	json_t *value;
	const char *label;

	json_object_foreach ((json_t *)labels, label, value) {
		const char *name = name_behind(label, value, MODEL_LABEL);
		const struct named_model *model = name ? cpu_models_find(models, name) : NULL;

		for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
			const char *feature = name_behind(label, value, prefixes[i]);

			if (feature)
				read_collect(features, family, NS_LIBVIRT, models, feature, true);
		}
		if (model && model->family == family)
			read_collect_model(features, model, models);
	}
	read_put_features(facts, features, NULL, ORIGIN);
}

/* The first name that a label has, or NULL. */
static const char *one_name(const json_t *labels, const char *prefix)
{
	json_t *value;
	const char *label;

	json_object_foreach ((json_t *)labels, label, value)
		if (name_behind(label, value, prefix))
			return name_behind(label, value, prefix);
	return NULL;
}

/* Without the device, the labeller asks libvirt for emulation. */
static const char *accel_of(const json_t *node)
{
	const json_t *there = json_object_get(json_object_get(node, "status"), "allocatable");
	const char *kvm = json_string_value(json_object_get(there, "devices.kubevirt.io/kvm"));

	return kvm && strcmp(kvm, "0") ? "kvm" : "tcg";
}

/* The labeller asks libvirt about one machine type, and libvirt says the same of all. */
static json_t *names_of(const json_t *machines)
{
	json_t *names = json_array();
	const json_t *machine;
	size_t i;

	json_array_foreach (machines, i, machine)
		json_array_append(names, json_object_get(machine, "name"));
	return names;
}

static void put_emulator(json_t *doc, const json_t *node, const json_t *labels, const struct cpu_models *table)
{
	const struct scope scope = { .view = VIEW_LIBVIRT, .emulator = (char *)EMULATOR, .accel = (char *)accel_of(node),
				     .machine = (char *)"none", .migratable = -1 };
	json_t *models = named_list(labels, MODEL_LABEL, true), *machines = named_list(labels, MACHINE_LABEL, false);
	const char *host_model = one_name(labels, HOST_MODEL_LABEL), *vendor = one_name(labels, VENDOR_LABEL);
	json_t *entry, *facts;

	if (!models && !machines && !host_model)
		return;
	entry = read_emulator(doc, &scope);
	facts = json_array();
	json_object_set_new(entry, "facts", facts);
	json_object_set_new(entry, "complete", json_false());
	if (arch_of(labels))
		json_object_set_new(entry, "arch", json_string(arch_of(labels)));
	if (models)
		json_object_set_new(entry, "cpu_models", models);
	if (machines) {
		json_object_set_new(entry, "machines", machines);
		json_object_set_new(entry, "same_as", names_of(machines));
	}
	if (host_model)
		json_object_set_new(entry, "host_model", json_string(host_model));
	put_features(facts, labels, arch_of(labels), table);
	if (vendor)
		document_fact(facts, "cpu.vendor", json_string(vendor), NULL, ORIGIN);
}

json_t *kubernetes_profile(const json_t *node, const struct cpu_models *models, GError **error)
{
	const json_t *metadata = json_object_get(node, "metadata"), *labels = json_object_get(metadata, "labels");
	const char *name = json_string_value(json_object_get(metadata, "name"));
	const json_t *info = json_object_get(json_object_get(node, "status"), "nodeInfo");
	const char *uuid = json_string_value(json_object_get(info, "systemUUID"));
	json_t *doc;

	if (!name || !read_name_ok(name)) {
		read_fail(error, "metadata.name", "is missing, or no name");
		return NULL;
	}
	doc = document_new(name, uuid && g_uuid_string_is_valid(uuid) ? uuid : NULL, arch_of(labels));
	put_emulator(doc, node, labels, models);
	document_source(doc, "kubernetes", "partial", false, VIEWS,
			"labels of a node alone: what they don't name isn't known", -1);
	return doc;
}
