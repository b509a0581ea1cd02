/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* models.c: which architecture is read, and the tables of CPU models installed beside the program. */
#include "config.h"

#include "model/tables.h"
#include "probe.h"

#define X86_MODELS "cpu-models.tsv"
#define OTHER_MODELS "other-cpu-models.tsv"

const char *probe_arch(const struct context *context)
{
	const char *arch = json_string_value(json_object_get(context->shared, "arch"));

	return arch ? arch : "x86_64";
}

static char *load(const char *name, size_t *length, GError **error)
{
	char *bytes = source_data_file(name, length);

	if (!bytes)
		g_set_error(error, SOURCE_ERROR, SOURCE_FAILED,
			    "%s: not found (install capbroker, or set CAPBROKER_DATADIR)", name);
	return bytes;
}

struct cpu_models *probe_models(GError **error)
{
	size_t length, other_length;
	g_autofree char *bytes = load(X86_MODELS, &length, error);
	g_autofree char *other = bytes ? load(OTHER_MODELS, &other_length, error) : NULL;
	g_autoptr(CpuModels) models = other ? cpu_models_parse(bytes, length, error) : NULL;
	struct table *table = models ? table_parse(other, other_length, OTHER_MODELS, error) : NULL;

	return table && cpu_models_add(models, table, error) ? g_steal_pointer(&models) : NULL;
}
