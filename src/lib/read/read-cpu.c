/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-cpu.c: a <cpu> element as facts. A host's list, and that of a guest with a model, is
 * complete where the table knows the model: what it doesn't have is absent.
 */
#include "config.h"

#include <string.h>

#include "read/read-parts.h"

/* Features whose policy leaves them to the host and that no model settles. */
static void put_optional(json_t *facts, enum arch_family family, const struct cpu_def *def,
			 GHashTable *features, const struct scope *scope, const char *origin)
{
	for (guint i = 0; i < def->features->len; i++) {
		const struct cpu_def_feature *f = g_ptr_array_index(def->features, i);
		g_autofree char *id = arch_feature_id(family, NS_LIBVIRT, f->name);

		if (f->policy == CPU_OPTIONAL && !g_hash_table_contains(features, id))
			document_fact_missing(facts, id, FACT_UNKNOWN, scope, origin, 0);
	}
}

/* Why the features are not all that the CPU has, or NULL: they are. */
static char *why_not_all(enum arch_family family, const struct cpu_def *def,
			 const struct named_model *model)
{
	if (family == ARCH_ARM64 && def->model)
		return g_strdup("libvirt names only some of an Arm processor's features");
	if (model)
		return NULL;
	if (!g_strcmp0(def->model, "host"))
		return g_strdup("libvirt doesn't tell the host's CPU, only what guests get");
	if (def->model)
		return g_strdup_printf("CPU model '%.64s' is not in the table of models, so features it may hold are unknown (update the data files)",
				       def->model);
	if (def->mode == CPU_HOST_MODEL || def->mode == CPU_HOST_PASSTHROUGH ||
	    def->mode == CPU_MAXIMUM)
		return g_strdup_printf("mode '%s' names no model, so its features are the host's own",
				       cpu_mode_name(def->mode));
	return g_strdup("no CPU model is named");
}

char *read_put_cpu(json_t *facts, const char *arch, const struct cpu_def *def,
		   const struct cpu_models *models, const struct scope *scope, const char *origin)
{
	g_autoptr(GHashTable) features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							       NULL);
	const struct named_model *model =
		def->model && models ? cpu_models_find(models, def->model) : NULL;
	enum arch_family family = def->arch || arch ? arch_family(def->arch ? def->arch : arch) :
				  model		    ? model->family :
						      ARCH_X86;
	unsigned int bits = def->phys_bits ? def->phys_bits : def->phys_limit;

	if (model && model->family != family)
		model = NULL;
	if (model)
		read_collect_model(features, model, models);
	for (guint i = 0; i < def->features->len; i++) {
		const struct cpu_def_feature *f = g_ptr_array_index(def->features, i);

		if (f->policy != CPU_OPTIONAL)
			read_collect(features, family, NS_LIBVIRT, models, f->name,
				     f->policy == CPU_REQUIRE || f->policy == CPU_FORCE);
	}
	read_put_features(facts, features, scope, origin);
	put_optional(facts, family, def, features, scope, origin);
	/* "host" is what libvirt writes where it doesn't know the model */
	if (def->model && strcmp(def->model, "host"))
		read_put_model(facts, family, def->model, scope, origin);
	if (def->vendor)
		document_fact(facts, "cpu.vendor", json_string(def->vendor), scope, origin);
	if (bits)
		document_fact(facts, "cpu.phys-bits", json_integer(bits), scope, origin);
	return why_not_all(family, def, model);
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
	reason = read_put_cpu(read_facts(doc), NULL, def, models, &scope, "<cpu>");
	document_source(doc, "cpu", reason ? "partial" : "ok", !reason, scope.view, reason, -1);
	return true;
}
