/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu-map.c: the names of CPU features and models that the installed libvirt knows, from the files
 * it reads itself. Other names it refuses, or drops without a word.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "guest/xml.h"
#include "libvirt.h"

#define CPU_MAP "/usr/share/libvirt/cpu_map"

static void add_names(GHashTable *set, const struct xml_node *root, const char *element)
{
	const struct xml_node *node;

	for (node = xml_child(root, element); node; node = xml_same(node)) {
		const char *name = xml_attr(node, "name");

		if (name)
			g_hash_table_add(set, g_strdup(name));
	}
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void set_fact(struct context *context, const char *id, GHashTable *set)
{
	const struct scope scope = { .view = VIEW_LIBVIRT, .migratable = -1 };
	g_autofree const char **names = (const char **)g_hash_table_get_keys_as_array(set, NULL);
	guint n = g_hash_table_size(set);
	json_t *value = json_array();

	qsort(names, n, sizeof(*names), by_name);
	for (guint i = 0; i < n; i++)
		json_array_append_new(value, json_string(names[i]));
	document_fact(json_object_get(context->doc, "facts"), id, value, &scope, CPU_MAP);
}

void libvirt_read_cpu_map(struct context *context)
{
	g_autoptr(GHashTable) features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) models = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	int err;
	g_auto(GStrv) names = source_list(context->source, CPU_MAP, &err);

	for (size_t i = 0; names && names[i]; i++) {
		g_autofree char *path = g_strdup_printf(CPU_MAP "/%s", names[i]);
		g_autofree char *bytes = NULL;
		g_autoptr(XmlDocument) xml = NULL;
		size_t length;

		if (!g_str_has_prefix(names[i], "x86_") || !g_str_has_suffix(names[i], ".xml"))
			continue;
		bytes = source_read(context->source, path, &length, &err);
		xml = bytes ? xml_parse(bytes, length, path, NULL) : NULL;
		if (!xml)
			continue;
		add_names(features, xml_root(xml), "feature");
		add_names(models, xml_root(xml), "model");
	}
	if (g_hash_table_size(features))
		set_fact(context, "libvirt.cpu-features", features);
	if (g_hash_table_size(models))
		set_fact(context, "libvirt.cpu-models", models);
}
