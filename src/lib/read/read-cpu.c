/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-cpu.c: a <cpu> element as facts. A host's list, and that of a guest with a model, is
 * complete where the table knows the model: what it doesn't have is absent.
 */
#include "config.h"

#include <string.h>

#include "read/read-parts.h"

static void put(GHashTable *features, const char *name, bool on)
{
	g_hash_table_replace(features, feature_id(NS_LIBVIRT, name), GINT_TO_POINTER(on));
}

static void put_model(GHashTable *features, const struct named_model *model)
{
	for (size_t i = 0; i < model->n_features; i++)
		put(features, model->features[i], true);
}

/* Features whose policy leaves them to the host and that no model settles. */
static void put_optional(json_t *facts, const struct cpu_def *def, GHashTable *features,
			 const struct scope *scope, const char *origin)
{
	for (guint i = 0; i < def->features->len; i++) {
		const struct cpu_def_feature *f = g_ptr_array_index(def->features, i);
		g_autofree char *id = feature_id(NS_LIBVIRT, f->name);

		if (f->policy == CPU_OPTIONAL && !g_hash_table_contains(features, id))
			document_fact_missing(facts, id, FACT_UNKNOWN, scope, origin, 0);
	}
}

char *read_put_cpu(json_t *facts, const struct cpu_def *def, const struct cpu_models *models,
		   const struct scope *scope, const char *origin)
{
	g_autoptr(GHashTable) features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							       NULL);
	const struct named_model *model =
		def->model && models ? cpu_models_find(models, def->model) : NULL;
	unsigned int bits = def->phys_bits ? def->phys_bits : def->phys_limit;

	if (model)
		put_model(features, model);
	for (guint i = 0; i < def->features->len; i++) {
		const struct cpu_def_feature *f = g_ptr_array_index(def->features, i);

		if (f->policy != CPU_OPTIONAL)
			put(features, f->name,
			    f->policy == CPU_REQUIRE || f->policy == CPU_FORCE);
	}
	read_put_features(facts, features, scope, origin);
	put_optional(facts, def, features, scope, origin);
	if (def->vendor)
		document_fact(facts, "cpu.vendor", json_string(def->vendor), scope, origin);
	if (bits)
		document_fact(facts, "cpu.phys-bits", json_integer(bits), scope, origin);
	if (model)
		return NULL;
	if (def->model)
		return g_strdup_printf("CPU model '%.64s' is not in the table of models, so features it may hold are unknown (update the data files)",
				       def->model);
	if (def->mode == CPU_HOST_MODEL || def->mode == CPU_HOST_PASSTHROUGH ||
	    def->mode == CPU_MAXIMUM)
		return g_strdup_printf("mode '%s' names no model, so its features are the host's own",
				       cpu_mode_name(def->mode));
	return g_strdup("no CPU model is named");
}

bool read_bare_cpu(json_t *doc, const struct xml_document *xml, const struct cpu_models *models,
		   GError **error)
{
	struct scope scope = { .view = VIEW_LIBVIRT, .migratable = -1 };
	g_autofree char *reason = NULL;
	g_autoptr(CpuDef) def = NULL;

	if (strcmp(xml_root(xml)->name, "cpu"))
		return read_fail(error, xml_root(xml)->name, "is not <cpu>");
	def = cpu_def_parse(xml_root(xml), error);
	if (!def)
		return false;
	if (!def->host)
		scope.view = VIEW_QEMU;
	read_set_host(doc, "arch", def->arch);
	reason = read_put_cpu(read_facts(doc), def, models, &scope, "<cpu>");
	document_source(doc, "cpu", reason ? "partial" : "ok", !reason, scope.view, reason, -1);
	return true;
}
