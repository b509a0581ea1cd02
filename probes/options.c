/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * options.c: what the kernel was told of IOMMUs and VFIO: boot options, modules' parameters, and
 * whether interrupts are remapped.
 *
 * An option that isn't given says nothing where its default depends on how the kernel was built.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "probe.h"
#include "read/read-iommu.h"

#define CMDLINE "/proc/cmdline"
#define IRQS "/sys/kernel/irq"
#define MAX_IRQS 4096u

/* Words of the command line that concern IOMMUs, up to '='. */
static const char *const concerned[] = {
	"intel_iommu", "amd_iommu", "amd_iommu_intr", "amd_iommu_dump", "iommu", "iommu.passthrough",
	"iommu.strict", "iommu.forcedac", "intremap", "vfio_iommu_type1.allow_unsafe_interrupts",
	"vfio_iommu_type1.disable_hugepages", "vfio_iommu_type1.dma_entry_limit",
	"iommufd.allow_unsafe_interrupts", "vfio.enable_unsafe_noiommu_mode", "vfio-pci.ids",
	"arm-smmu.disable_bypass", "arm-smmu-v3.disable_bypass", "arm-smmu-v3.disable_msipolling",
	"pcie_acs_override", "pci", "ivrs_ioapic", "ivrs_hpet", "ivrs_acpihid", "disable_ddw",
};

/* A choice that some word makes; of several words the last one counts. */
static const struct choice {
	const char *option, *word, *id;
	bool value;
} choices[] = {
	{ "intel_iommu", "sm_on", "iommu.option.scalable-mode", true },
	{ "intel_iommu", "sm_off", "iommu.option.scalable-mode", false },
	{ "intel_iommu", "sp_off", "iommu.option.super-pages", false },
	{ "amd_iommu", "nohugepages", "iommu.option.super-pages", false },
	{ "amd_iommu", "hatdis", "iommu.option.host-tables", false },
	{ "iommu", "pt", "iommu.option.pass-through", true },
	{ "iommu", "nopt", "iommu.option.pass-through", false },
	{ "iommu.passthrough", "1", "iommu.option.pass-through", true },
	{ "iommu.passthrough", "y", "iommu.option.pass-through", true },
	{ "iommu.passthrough", "on", "iommu.option.pass-through", true },
	{ "iommu.passthrough", "0", "iommu.option.pass-through", false },
	{ "iommu.passthrough", "n", "iommu.option.pass-through", false },
	{ "iommu.passthrough", "off", "iommu.option.pass-through", false },
};

/* Each way of attaching a device has a choice of its own. */
static const struct {
	const char *path, *id;
} unsafe_parameters[] = {
	{ "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "iommu.option.unsafe-interrupts" },
	{ "/sys/module/iommufd/parameters/allow_unsafe_interrupts", "iommu.option.unsafe-iommufd" },
};

/* --- boot options ----------------------------------------------------------------------------- */

static bool is_concerned(const char *option)
{
	for (size_t i = 0; i < G_N_ELEMENTS(concerned); i++)
		if (!strcmp(option, concerned[i]))
			return true;
	return false;
}

static void choose(json_t *chosen, const char *option, const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(choices); i++)
		if (!strcmp(option, choices[i].option) && !g_ascii_strcasecmp(word, choices[i].word))
			json_object_set_new(chosen, choices[i].id, json_boolean(choices[i].value));
}

/* "intel_iommu=on,sm_on": the option and each of its words. Both '-' and '_' do for the kernel. */
static void read_word(json_t *given, json_t *chosen, GHashTable *words, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "=", 2);
	g_auto(GStrv) values = g_strsplit(parts[0] && parts[1] ? parts[1] : "", ",", 64);

	if (!parts[0] || !is_concerned(parts[0]))
		return;
	json_array_append_new(given, json_string(text));
	for (size_t i = 0; values[i]; i++) {
		choose(chosen, parts[0], values[i]);
		g_hash_table_add(words, g_strdup_printf("%s=%s", parts[0], values[i]));
	}
}

/* Why there may be no unit although the firmware tells of IOMMUs; NULL where it doesn't. */
static char *no_unit_reason(const struct context *context, GHashTable *words)
{
	const json_t *tables = json_object_get(context->shared, "acpi");
	bool intel = json_object_get(tables, "DMAR"), amd = json_object_get(tables, "IVRS");
	const char *table = intel ? "DMAR" : amd ? "IVRS" : NULL;
	const char *off = g_hash_table_contains(words, "iommu=off") ? "iommu=off"
		: intel && g_hash_table_contains(words, "intel_iommu=off") ? "intel_iommu=off"
		: amd && g_hash_table_contains(words, "amd_iommu=off") ? "amd_iommu=off" : NULL;

	if (!table)
		return NULL;
	if (off)
		return g_strdup_printf("the firmware has %s, but the kernel was booted with %s (boot without it)",
				       table, off);
	if (intel && !g_hash_table_contains(words, "intel_iommu=on"))
		return g_strdup("the firmware has DMAR, but no unit is in use, and intel_iommu=on was not given (boot with it)");
	return g_strdup_printf("the firmware has %s, but no unit translates (see the kernel's log: the hardware or the firmware has it off)",
			       table);
}

static bool read_options(struct context *context)
{
	json_t *facts = json_object_get(context->doc, "facts");
	g_autoptr(GHashTable) words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	json_t *given = json_array(), *chosen = json_object();
	int err;
	g_autofree char *text = source_text(context->source, CMDLINE, &err);
	g_auto(GStrv) parts = g_strsplit(text ? text : "", " ", 1024);
	g_autofree char *why = NULL;
	const char *id;
	json_t *value;

	for (size_t i = 0; parts[i]; i++)
		read_word(given, chosen, words, parts[i]);
	json_object_foreach (chosen, id, value)
		document_fact(facts, id, json_incref(value), &scope_kernel, CMDLINE);
	/* Only ever switched off by these words. */
	if (text && !json_object_get(chosen, "iommu.option.super-pages"))
		document_fact(facts, "iommu.option.super-pages", json_true(), &scope_kernel, CMDLINE);
	if (text)
		document_fact(facts, "iommu.option.given", json_incref(given), &scope_kernel, CMDLINE);
	why = no_unit_reason(context, words);
	if (text && why)
		json_object_set_new(context->found, "no_iommu", json_string(why));
	json_object_set(context->found, "iommu_options", chosen);
	json_decref(given);
	json_decref(chosen);
	return text != NULL;
}

/* --- modules' parameters ---------------------------------------------------------------------- */

static void read_unsafe(struct context *context)
{
	json_t *facts = json_object_get(context->doc, "facts");

	for (size_t i = 0; i < G_N_ELEMENTS(unsafe_parameters); i++) {
		int err;
		g_autofree char *text = source_text(context->source, unsafe_parameters[i].path, &err);

		if (text && *text)
			document_fact(facts, unsafe_parameters[i].id, json_boolean(strchr("Yy1", *text) != NULL),
				      &scope_kernel, unsafe_parameters[i].path);
	}
}

/* --- interrupts ------------------------------------------------------------------------------- */

/* The names of interrupt chips in use, each once. */
static char *ask_chips(void *data, GError **error)
{
	g_autoptr(Source) live = source_new(SOURCE_LIVE, NULL, error);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GString *lines = g_string_new(NULL);
	int err;
	g_auto(GStrv) irqs = source_list(live, IRQS, &err);

	(void)data;
	for (size_t i = 0; irqs && irqs[i] && i < MAX_IRQS; i++) {
		g_autofree char *path = g_strdup_printf(IRQS "/%s/chip_name", irqs[i]);
		g_autofree char *name = source_text(live, path, &err);
		/* "IR-PCI-MSIX-0000:00:1f.2": the address is left out */
		g_autofree char *kind = name ? g_strndup(name, strcspn(name, ":0123456789")) : NULL;

		if (kind && *kind && g_hash_table_add(seen, g_strdup(kind)))
			g_string_append_printf(lines, "%s\n", kind);
	}
	if (irqs)
		return g_string_free(lines, FALSE);
	g_string_free(lines, TRUE);
	g_set_error(error, SOURCE_ERROR, SOURCE_MISSING, IRQS ": %s", g_strerror(err));
	return NULL;
}

/* x86 names the chips of remapped interrupts "IR-…". */
static void read_interrupts(struct context *context)
{
	g_autofree char *text = source_ask(context->source, "irq-chips", ask_chips, NULL, NULL);
	g_auto(GStrv) names = g_strsplit(text ? text : "", "\n", -1);
	bool x86 = false, remapped = false;

	for (size_t i = 0; names[i]; i++) {
		remapped = remapped || g_str_has_prefix(names[i], "IR-");
		x86 = x86 || g_str_has_prefix(names[i], "IO-APIC") || g_str_has_prefix(names[i], "IR-IO-APIC");
	}
	if (x86)
		document_fact(json_object_get(context->doc, "facts"), "iommu.interrupt-remapping",
			      json_boolean(remapped), &scope_kernel, IRQS "/*/chip_name");
}

static void collect(struct context *context)
{
	bool read = read_options(context);

	read_unsafe(context);
	read_interrupts(context);
	probe_report(context, &options_probe, read ? "ok" : "missing", false,
		     read ? NULL : CMDLINE ": cannot be read (is proc mounted?)");
}

const struct probe options_probe = {
	.name = "options",
	.help = "the kernel's options for IOMMUs and VFIO, and whether interrupts are remapped",
	.needs = "acpi",
	.local = true,
	.view = VIEWS,
	.percent = 10,
	.collect = collect,
};
