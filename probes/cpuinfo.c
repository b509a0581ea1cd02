/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpuinfo.c: see cpuinfo.h. Each architecture writes /proc/cpuinfo in a way of its own: x86 and Arm
 * a block for each processor (the first one counts), POWER the same with the version register, IBM Z
 * one block for all.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cpuinfo.h"
#include "model/arch.h"
#include "model/power.h"

#define PATH "/proc/cpuinfo"
#define REGISTERS "/sys/devices/system/cpu/cpu0/regs/identification/"

static const struct scope kernel = { .view = VIEW_KERNEL, .migratable = -1 };

static json_t *facts_of(struct context *context)
{
	return json_object_get(context->doc, "facts");
}

static void read_flags(struct context *context, enum arch_family family, const char *flags)
{
	g_auto(GStrv) names = g_strsplit(flags, " ", -1);

	for (size_t i = 0; names[i]; i++) {
		int cap = arch_find_alias(family, NS_KERNEL, names[i]);

		/* The kernel's own inventions (rep_good, …) are nothing a guest could be given. */
		if (cap >= 0 && cap_table[cap].type == CAP_BOOL)
			document_fact(facts_of(context), cap_table[cap].id, json_true(), &kernel, PATH);
	}
}

/* A processor's model by the register that tells it. */
static void put_model(struct context *context, enum arch_family family, const char *id,
		      guint64 value, const char *origin)
{
	g_autoptr(CpuModels) models = probe_models(NULL);
	const struct named_model *model = cpu_models_by_register(models, family, value);

	if (!model)
		return;
	probe_fact_text(context, id, model->name, &kernel, origin);
	if (family == ARCH_PPC64)
		json_object_set_new(context->found, "ppc64-model", json_string(model->name));
	if (model->vendor)
		probe_fact_text(context, "cpu.vendor", model->vendor, &kernel, origin);
	if (family == ARCH_PPC64 && power_level(model->name) >= 0)
		document_fact(facts_of(context), "ppc64.compat",
			      json_integer(power_level(model->name)), &kernel, origin);
}

static void read_x86(struct context *context, const char *key, const char *value)
{
	json_t *fingerprint = json_object_get(context->doc, "fingerprint");

	if (!strcmp(key, "microcode")) {
		g_autofree char *valid = g_utf8_make_valid(value, -1);

		json_object_set_new(fingerprint, "microcode", json_string(valid));
		probe_fact_text(context, "host.microcode", value, &kernel, PATH);
	} else if (!strcmp(key, "model name")) {
		probe_fact_text(context, "host.cpu-model-name", value, &kernel, PATH);
	} else if (!strcmp(key, "flags")) {
		read_flags(context, ARCH_X86, value);
	}
}

/* "2.2 (pvr 004e 1202)" */
static void read_pvr(struct context *context, const char *value)
{
	const char *at = strstr(value, "(pvr ");
	g_autofree char *text = NULL;
	unsigned int high, low;

	if (!at || sscanf(at, "(pvr %4x %4x)", &high, &low) != 2)
		return;
	text = g_strdup_printf("0x%04x%04x", high, low);
	probe_fact_text(context, "ppc64.pvr", text, &kernel, PATH);
	put_model(context, ARCH_PPC64, "ppc64.model", (guint64)high << 16 | low, PATH);
}

/* What names an Arm processor, as /proc/cpuinfo has it in lines of their own. */
struct arm_id {
	guint64 implementer, variant, part, revision;
	bool told;
};

static void read_arm_id(struct arm_id *arm, const char *key, const char *value)
{
	guint64 n = g_ascii_strtoull(value, NULL, 0);

	if (!strcmp(key, "CPU implementer"))
		arm->implementer = n & 0xff;
	else if (!strcmp(key, "CPU variant"))
		arm->variant = n & 0xf;
	else if (!strcmp(key, "CPU part"))
		arm->part = n & 0xfff;
	else if (!strcmp(key, "CPU revision"))
		arm->revision = n & 0xf;
	arm->told = arm->told || (arm->implementer && !strcmp(key, "CPU part"));
}

static void read_other(struct context *context, enum arch_family family, struct arm_id *arm,
		       const char *key, const char *value)
{
	if (family == ARCH_ARM64)
		read_arm_id(arm, key, value);

	if (family == ARCH_PPC64 && !strcmp(key, "cpu"))
		probe_fact_text(context, "host.cpu-model-name", value, &kernel, PATH);
	else if (family == ARCH_PPC64 && !strcmp(key, "revision"))
		read_pvr(context, value);
	else if (family == ARCH_ARM64 && !strcmp(key, "Features"))
		read_flags(context, family, value);
	else if (family == ARCH_S390X && !strcmp(key, "features"))
		read_flags(context, family, value);
}

static void put_midr(struct context *context, guint64 value, const char *origin)
{
	g_autofree char *text = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", value);

	probe_fact_text(context, "arm64.midr", text, &kernel, origin);
	put_model(context, ARCH_ARM64, "arm64.model", value, origin);
}

/* Identification registers that the kernel shows of the first processor; older ones don't. */
static void read_registers(struct context *context, const struct arm_id *arm)
{
	static const char *const names[] = { "midr_el1", "revidr_el1" };
	bool found = false;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strconcat(REGISTERS, names[i], NULL);
		g_autofree char *plain = NULL, *text = NULL;
		guint64 value;
		char *end;
		int err;

		text = source_text(context->source, path, &err);
		value = text ? g_ascii_strtoull(text, &end, 0) : 0;
		if (!text || end == text || *end)
			continue;
		plain = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", value);
		if (i)
			probe_fact_text(context, "arm64.revidr", plain, &kernel, path);
		else
			put_midr(context, value, path);
		found = true;
	}
	/* "architecture" is always 0xf: the feature registers tell it */
	if (!found && arm->told)
		put_midr(context, arm->implementer << 24 | arm->variant << 20 | 0xf << 16 |
				arm->part << 4 | arm->revision, PATH);
}

/* Lines of this belong to all processors; on IBM Z they come before and after each one's. */
static bool block_ends(enum arch_family family, const char *line, bool begun)
{
	return begun && !*line && family != ARCH_S390X;
}

void cpuinfo_read(struct context *context, const char *arch)
{
	enum arch_family family = arch_family(arch);
	int err;
	g_autofree char *text = source_text(context->source, PATH, &err);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	struct arm_id arm = { 0 };
	bool begun = false;

	for (size_t i = 0; lines[i] && !block_ends(family, lines[i], begun); i++) {
		char *colon = strchr(lines[i], ':');

		if (!colon)
			continue;
		begun = begun || *lines[i] != '#';
		*colon = 0;
		g_strchomp(lines[i]);
		g_strstrip(++colon);
		if (family == ARCH_X86)
			read_x86(context, lines[i], colon);
		else
			read_other(context, family, &arm, lines[i], colon);
	}
	if (family == ARCH_ARM64)
		read_registers(context, &arm);
}
