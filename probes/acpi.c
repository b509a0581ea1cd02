/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * acpi.c: the firmware's tables of IOMMUs: DMAR (Intel), IVRS (AMD), IORT (Arm), VIOT (virtio).
 *
 * What later probes need of them is left in "acpi": {SIGNATURE: the table's header, of IORT also
 * its SMMUv3 nodes}.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "probe.h"
#include "read/read-iommu.h"

#define TABLES "/sys/firmware/acpi/tables"

static const char *const signatures[] = { "DMAR", "IVRS", "IORT", "VIOT" };

struct outcome {
	unsigned int read, refused;
	int err;         /* of one that is there and couldn't be read */
	char *complaint; /* the first one that is malformed */
};

/* Without its sub-tables, but for those that are asked for. */
static json_t *summary(const json_t *table)
{
	json_t *copy = json_copy((json_t *)table);
	json_t *kept = json_array();
	json_t *sub;
	size_t i;

	json_array_foreach (json_object_get(table, "subtables"), i, sub)
		if (!g_strcmp0(json_string_value(json_object_get(sub, "name")), "smmuv3"))
			json_array_append(kept, sub);
	json_object_set_new(copy, "subtables", kept);
	return copy;
}

static void read_table(struct context *context, const char *signature, json_t *found,
		       struct outcome *outcome)
{
	g_autofree char *path = g_strdup_printf(TABLES "/%s", signature);
	g_autoptr(GError) error = NULL;
	size_t length;
	int err;
	g_autofree char *bytes = source_read(context->source, path, &length, &err);
	json_t *table;

	if (!bytes) {
		outcome->err = err == ENOENT ? outcome->err : err;
		return;
	}
	table = read_acpi((const uint8_t *)bytes, length, path, &error);
	if (!table) {
		if (!outcome->refused++)
			outcome->complaint = g_strdup(error->message);
		return;
	}
	outcome->read++;
	read_acpi_facts(json_object_get(context->doc, "facts"), table, path);
	json_object_set_new(found, signature, summary(table));
	json_decref(table);
}

/* Which of them are there, everybody may see. */
static bool read_names(struct context *context)
{
	int err;
	g_auto(GStrv) names = source_names(context->source, TABLES, &err);
	json_t *set = json_array();

	for (size_t i = 0; i < G_N_ELEMENTS(signatures); i++)
		if (names && g_strv_contains((const char *const *)names, signatures[i]))
			json_array_append_new(set, json_string(signatures[i]));
	if (names)
		document_fact(json_object_get(context->doc, "facts"), "acpi.table", json_incref(set),
			      &scope_raw, TABLES);
	json_decref(set);
	return names != NULL;
}

static void collect(struct context *context)
{
	json_t *found = json_object();
	struct outcome outcome = { 0 };
	bool listed = read_names(context);
	g_autofree char *reason = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(signatures); i++)
		read_table(context, signatures[i], found, &outcome);
	json_object_set_new(context->found, "acpi", found);
	if (outcome.refused)
		reason = g_steal_pointer(&outcome.complaint);
	else if (outcome.err)
		reason = g_strdup_printf(TABLES ": %s (run as root)", g_strerror(outcome.err));
	else if (!outcome.read && !listed)
		reason = g_strdup(TABLES ": not there (has the host ACPI?)");
	probe_report(context, &acpi_probe,
		     outcome.refused || (outcome.read && outcome.err) ? "partial" :
		     outcome.err ? "unreadable" : outcome.read || listed ? "ok" : "missing",
		     false, reason);
}

const struct probe acpi_probe = {
	.name = "acpi",
	.help = "the firmware's tables of IOMMUs: DMAR, IVRS, IORT, VIOT (root)",
	.local = true,
	.view = VIEWS,
	.percent = 20,
	.collect = collect,
};
