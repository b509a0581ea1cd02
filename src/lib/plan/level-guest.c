/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* level-guest.c: a guest of a level as a domain definition; see level.h. */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "model/document.h"
#include "plan/level.h"

static void add_attribute(GString *s, const char *name, const char *value)
{
	g_autofree char *safe = value ? g_markup_escape_text(value, -1) : NULL;

	if (safe)
		g_string_append_printf(s, " %s='%s'", name, safe);
}

static void add_features(GString *s, const json_t *cpu)
{
	const json_t *policy;
	size_t i;

	json_array_foreach (json_object_get(cpu, "delta"), i, policy) {
		if (json_is_true(json_object_get(policy, "nameless")))
			continue;
		g_string_append(s, "<feature");
		add_attribute(s, "policy", member_text(policy, "policy"));
		add_attribute(s, "name", member_text(policy, "name"));
		g_string_append(s, "/>");
	}
}

/* As baseline_libvirt() writes it. */
static void add_cpu(GString *s, const json_t *group, enum arch_family family)
{
	const json_t *cpu = json_object_get(group, "cpu");
	const char *mode = member_text(cpu, "mode"), *model = member_text(cpu, "model");
	const char *vendor = member_text(group, "vendor");
	g_autofree char *safe = model ? g_markup_escape_text(model, -1) : NULL;

	g_string_append(s, "<cpu");
	add_attribute(s, "mode", mode ? mode : "custom");
	if (!mode)
		g_string_append(s, " match='exact'");
	if (!mode && family == ARCH_X86)
		add_attribute(s, "check", member_text(group, "check"));
	g_string_append_c(s, '>');
	if (safe)
		g_string_append_printf(s, mode ? "<model>%s</model>" : "<model fallback='forbid'>%s</model>", safe);
	if (!mode && family == ARCH_X86 && g_strcmp0(vendor, "unknown") &&
	    g_strcmp0(member_text(cpu, "accel"), "tcg")) {
		g_autofree char *whose = g_markup_escape_text(vendor, -1);

		g_string_append_printf(s, "<vendor>%s</vendor>", whose);
	}
	add_features(s, cpu);
	g_string_append(s, "</cpu>");
}

/* QEMU's properties as libvirt's <driver> spells them. */
static void add_viommu(GString *s, const json_t *viommu)
{
	static const struct { const char *property, *attribute; } spellings[] = {
		{ "intremap", "intremap" }, { "caching-mode", "caching_mode" }, { "eim", "eim" },
		{ "device-iotlb", "iotlb" }, { "aw-bits", "aw_bits" },
	};
	const json_t *properties = json_object_get(viommu, "properties");

	g_string_append(s, "<iommu");
	add_attribute(s, "model", member_text(viommu, "model"));
	if (!json_object_size(properties)) {
		g_string_append(s, "/>");
		return;
	}
	g_string_append(s, "><driver");
	for (size_t i = 0; i < G_N_ELEMENTS(spellings); i++) {
		const json_t *value = json_object_get(properties, spellings[i].property);
		g_autofree char *bits = json_is_integer(value) ?
						g_strdup_printf("%d", (int)json_integer_value(value)) : NULL;

		add_attribute(s, spellings[i].attribute, bits ? bits : json_string_value(value));
	}
	g_string_append(s, "/></iommu>");
}

char *level_group_xml(const json_t *group, bool with_viommu)
{
	const char *arch = member_text(group, "arch"), *machine = member_text(group, "machine");
	const char *accel = member_text(json_object_get(group, "cpu"), "accel");
	enum arch_family family = arch_family(g_strcmp0(arch, "unknown") ? arch : NULL);
	const json_t *viommu = json_object_get(group, "viommu");
	bool intel = with_viommu && !g_strcmp0(member_text(viommu, "model"), "intel");
	GString *s = g_string_new("<domain");

	add_attribute(s, "type", !g_strcmp0(accel, "tcg") ? "qemu" : "kvm");
	g_string_append(s, "><name>level</name><memory unit='MiB'>1024</memory><vcpu>1</vcpu><os><type");
	add_attribute(s, "arch", g_strcmp0(arch, "unknown") ? arch : NULL);
	add_attribute(s, "machine", machine);
	g_string_append(s, ">hvm</type></os>");
	/* interrupts are remapped only where the kernel doesn't do all of them */
	if (family == ARCH_X86)
		g_string_append_printf(s, "<features><acpi/><apic/>%s</features>",
				       intel ? "<ioapic driver='qemu'/>" : "");
	add_cpu(s, group, family);
	g_string_append(s, "<devices>");
	if (with_viommu && member_text(viommu, "model"))
		add_viommu(s, viommu);
	g_string_append(s, "</devices></domain>");
	return g_string_free(s, FALSE);
}
