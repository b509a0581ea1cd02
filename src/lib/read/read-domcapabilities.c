/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-domcapabilities.c: what `virsh domcapabilities` says of one emulator, domain type and
 * machine type, as an entry of "emulators" in libvirt's view.
 */
#include "config.h"

#include <string.h>

#include "read/read-security.h"

#define MAX_MISSING 4096u
#define MAX_ENUM_VALUES 256u

/* Where values are kept from, for what is judged later; the rest of the reply is left out. */
static const char *const kept_enums[] = { "cpu.", "devices.", "features.", "launchSecurity.",
					  "memoryBacking.", "os." };

/* @key ends in a dot: below what is kept, or on the way there. */
static bool is_kept(const char *key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kept_enums); i++)
		if (g_str_has_prefix(key, kept_enums[i]) || g_str_has_prefix(kept_enums[i], key))
			return true;
	return false;
}

static void keep_values(json_t *enums, const struct xml_node *node, const char *key)
{
	json_t *values = json_array();

	for (const struct xml_node *v = xml_child(node, "value"); v; v = xml_same(v))
		if (read_name_ok(v->text) && json_array_size(values) < MAX_ENUM_VALUES)
			json_array_append_new(values, json_string(v->text));
	json_object_set_new(enums, key, values);
}

/* "devices.iommu.model": [values], and "devices.iommu": supported or not. */
static void keep_enums(json_t *enums, const struct xml_node *parent, const char *prefix, int depth)
{
	for (const struct xml_node *node = parent->children; node; node = node->next) {
		bool is_enum = !strcmp(node->name, "enum"), is_mode = !strcmp(node->name, "mode");
		const char *name = is_enum || is_mode ? xml_attr(node, "name") : node->name;
		const char *supported = xml_attr(node, "supported");
		g_autofree char *key = g_strdup_printf("%s%s", prefix, name ? name : "");
		g_autofree char *below = g_strconcat(key, ".", NULL);

		if (!read_name_ok(name) || !is_kept(below) || json_object_size(enums) > 1000)
			continue;
		if (is_enum)
			keep_values(enums, node, key);
		else if (supported && !is_mode)
			json_object_set_new(enums, key, json_boolean(!strcmp(supported, "yes")));
		if (!strcmp(key, "os.loader")) /* firmware that libvirt found: paths */
			keep_values(enums, node, "os.loader.value");
		if (!is_enum && depth < 4)
			keep_enums(enums, node, below, depth + 1);
	}
}

static const struct xml_node *find_mode(const struct xml_node *root, const char *name)
{
	const struct xml_node *mode = xml_at(root, "cpu/mode");

	while (mode && g_strcmp0(xml_attr(mode, "name"), name))
		mode = xml_same(mode);
	return mode;
}

static bool is_yes(const struct xml_node *node, const char *attribute)
{
	return !g_strcmp0(xml_attr(node, attribute), "yes");
}

static json_t *read_modes(const struct xml_node *root)
{
	json_t *modes = json_object();

	for (const struct xml_node *m = xml_at(root, "cpu/mode"); m; m = xml_same(m))
		if (read_name_ok(xml_attr(m, "name")) && xml_attr(m, "supported"))
			json_object_set_new(modes, xml_attr(m, "name"),
					    json_boolean(is_yes(m, "supported")));
	return modes;
}

static json_t *read_model(const struct xml_node *node)
{
	const char *usable = xml_attr(node, "usable"), *vendor = xml_attr(node, "vendor");
	const char *canonical = xml_attr(node, "canonical");
	const char *deprecated = xml_attr(node, "deprecated");
	json_t *model = json_pack("{s:s}", "name", node->text);

	if (usable && strcmp(usable, "unknown"))
		json_object_set_new(model, "usable", json_boolean(!strcmp(usable, "yes")));
	if (read_name_ok(vendor) && strcmp(vendor, "unknown"))
		json_object_set_new(model, "vendor", json_string(vendor));
	if (read_name_ok(canonical))
		json_object_set_new(model, "alias_of", json_string(canonical));
	if (deprecated)
		json_object_set_new(model, "deprecated", json_boolean(!strcmp(deprecated, "yes")));
	return model;
}

static bool read_blockers(GHashTable *by_name, const struct xml_node *mode, GError **error)
{
	for (const struct xml_node *b = xml_child(mode, "blockers"); b; b = xml_same(b)) {
		const char *name = xml_attr(b, "model");
		json_t *model = name ? g_hash_table_lookup(by_name, name) : NULL;
		json_t *missing;

		if (!model)
			continue;
		missing = json_array();
		json_object_set_new(model, "missing", missing);
		for (const struct xml_node *f = xml_child(b, "feature"); f; f = xml_same(f)) {
			if (!read_name_ok(xml_attr(f, "name")) ||
			    json_array_size(missing) >= MAX_MISSING)
				return read_fail(error, "/domainCapabilities/cpu/mode/blockers",
						 "a feature without a name, or too many");
			json_array_append_new(missing, json_string(xml_attr(f, "name")));
		}
	}
	return true;
}

static bool read_custom(json_t *entry, const struct xml_node *mode, GError **error)
{
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
	json_t *models;

	if (!mode || !is_yes(mode, "supported"))
		return true;
	models = json_array();
	json_object_set_new(entry, "cpu_models", models);
	for (const struct xml_node *m = xml_child(mode, "model"); m; m = xml_same(m)) {
		json_t *model;

		if (!read_name_ok(m->text) || json_array_size(models) >= READ_MAX_MODELS)
			return read_fail(error, "/domainCapabilities/cpu/mode/model",
					 "a model without a name, or too many");
		if (g_hash_table_contains(by_name, m->text))
			continue;
		model = read_model(m);
		json_array_append_new(models, model);
		g_hash_table_insert(by_name, (gpointer)m->text, model);
	}
	return read_blockers(by_name, mode, error);
}

static bool read_host_model(json_t *entry, const struct xml_node *mode,
			    const struct cpu_models *models, char **reason, GError **error)
{
	g_autoptr(CpuDef) def = NULL;
	json_t *facts = json_array();

	json_object_set_new(entry, "facts", facts);
	json_object_set_new(entry, "complete", json_false());
	if (!mode || !is_yes(mode, "supported")) {
		*reason = g_strdup("offers no host-model, so the CPU's features are unknown");
		return true;
	}
	def = cpu_def_parse(mode, error);
	if (!def)
		return false;
	*reason = read_put_cpu(facts, json_string_value(json_object_get(entry, "arch")), def, models, NULL,
			       "virsh domcapabilities, /domainCapabilities/cpu/mode[@name='host-model']");
	json_object_set_new(entry, "complete", json_boolean(!*reason));
	if (def->model)
		json_object_set_new(entry, "host_model", json_string(def->model));
	return true;
}

static const char *text_of(const struct xml_node *root, const char *name)
{
	const struct xml_node *node = xml_child(root, name);

	return node && read_name_ok(node->text) ? node->text : NULL;
}

/* Members that need no more than a look. */
static void read_members(json_t *entry, const struct xml_node *root)
{
	const char *arch = text_of(root, "arch");
	const char *vcpus = xml_attr(xml_child(root, "vcpu"), "max");
	json_t *enums = json_object();
	guint64 n;

	if (arch)
		json_object_set_new(entry, "arch", json_string(arch));
	if (vcpus && g_ascii_string_to_unsigned(vcpus, 10, 0, G_MAXUINT32, &n, NULL))
		json_object_set_new(entry, "vcpu_max", json_integer((json_int_t)n));
	if (xml_child(root, "cpu"))
		json_object_set_new(entry, "modes", read_modes(root));
	keep_enums(enums, root, "", 0);
	json_object_set_new(entry, "enums", enums);
}

/* Is one entry the other but for the machine type? */
static bool alike(const json_t *a, const json_t *b)
{
	json_t *x = json_copy((json_t *)a), *y = json_copy((json_t *)b);
	bool same;

	json_object_del(x, "machine");
	json_object_del(y, "machine");
	json_object_del(x, "same_as");
	json_object_del(y, "same_as");
	same = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return same;
}

/* What was said before of this machine type no longer counts. */
static void drop_same_as(json_t *doc, const char *machine, const struct scope *scope)
{
	json_t *entry, *list, *name;
	size_t i, j;

	json_array_foreach (json_object_get(doc, "emulators"), i, entry) {
		list = json_object_get(entry, "same_as");
		if (g_strcmp0(json_string_value(json_object_get(entry, "path")), scope->emulator) ||
		    g_strcmp0(json_string_value(json_object_get(entry, "accel")), scope->accel) ||
		    g_strcmp0(json_string_value(json_object_get(entry, "view")), "libvirt"))
			continue;
		json_array_foreach (list, j, name) {
			if (!strcmp(json_string_value(name), machine)) {
				json_array_remove(list, j);
				break;
			}
		}
	}
}

/* An entry that repeats an earlier one becomes a name in its "same_as": they are large. */
static void fold(json_t *doc, const json_t *entry)
{
	json_t *emulators = json_object_get(doc, "emulators"), *other;
	size_t i, last = json_array_size(emulators) - 1;

	if (json_array_get(emulators, last) != entry)
		return;
	json_array_foreach (emulators, i, other) {
		if (i == last || !alike(entry, other))
			continue;
		if (!json_object_get(other, "same_as"))
			json_object_set_new(other, "same_as", json_array());
		json_array_append(json_object_get(other, "same_as"),
				  json_object_get(entry, "machine"));
		json_array_remove(emulators, last);
		return;
	}
}

bool read_domcapabilities(json_t *doc, const struct xml_document *xml,
			  const struct cpu_models *models, GError **error)
{
	const struct xml_node *root = xml_root(xml);
	struct scope scope = { .view = VIEW_LIBVIRT, .migratable = -1 };
	g_autofree char *reason = NULL, *name = NULL;
	const char *domain = text_of(root, "domain");
	json_t *entry;

	if (strcmp(root->name, "domainCapabilities"))
		return read_fail(error, root->name, "is not <domainCapabilities>");
	scope.emulator = text_of(root, "path");
	scope.machine = text_of(root, "machine");
	if (!scope.emulator || !domain)
		return read_fail(error, "/domainCapabilities", "path and domain must both be there");
	if (!scope.machine)
		scope.machine = "none";
	scope.accel = read_accel(domain);
	if (json_array_size(json_object_get(doc, "emulators")) >= PROFILE_MAX_EMULATORS)
		return read_fail(error, "/domainCapabilities", "too many emulators in one profile");
	if (!g_strcmp0(scope.accel, "kvm"))
		read_set_host(doc, "arch", text_of(root, "arch"));
	drop_same_as(doc, scope.machine, &scope);
	entry = read_emulator(doc, &scope);
	read_members(entry, root);
	if (!read_custom(entry, find_mode(root, "custom"), error) ||
	    !read_host_model(entry, find_mode(root, "host-model"), models, &reason, error))
		return false;
	name = g_strdup_printf("virsh domcapabilities %s %s %s", scope.emulator, scope.accel,
			       scope.machine);
	fold(doc, entry);
	read_security_features(doc, root, scope.emulator, scope.accel);
	document_source(doc, name, reason ? "partial" : "ok", !reason, VIEWS, reason, -1);
	return true;
}
