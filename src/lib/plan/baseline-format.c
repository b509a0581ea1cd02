/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* baseline-format.c: a baseline in the words of libvirt and of QEMU. */
#include "config.h"

#include <string.h>

#include "plan/baseline.h"

static bool vendor_known(const struct baseline *b)
{
	return strcmp(b->vendor, "unknown") != 0;
}

/* check='full' would refuse a guest over `hypervisor`, which QEMU shows to all, if not named. */
static bool names_hypervisor(const struct baseline *b)
{
	for (guint i = 0; i < b->features->len; i++)
		if (!strcmp(b->features->pdata[i], "hypervisor"))
			return true;
	return false;
}

static void add_features(const struct baseline *b, GString *s)
{
	for (guint i = 0; i < b->cpu.delta->len; i++) {
		const struct feature_policy *p = &g_array_index(b->cpu.delta, struct feature_policy, i);
		g_autofree char *name = g_markup_escape_text(p->name, -1);

		if (p->nameless)
			continue;
		g_string_append_printf(s, "  <feature policy='%s' name='%s'/>\n",
				       p->require ? "require" : "disable", name);
	}
}

/* A mode that takes the CPU from the host; on POWER with the older mode that the guest is to see. */
static char *by_host(const struct baseline *b)
{
	return b->cpu.model ? g_strdup_printf("<cpu mode='%s'>\n  <model>%s</model>\n</cpu>\n",
					      b->cpu.mode, b->cpu.model) :
			      g_strdup_printf("<cpu mode='%s'/>\n", b->cpu.mode);
}

char *baseline_libvirt(const struct baseline *b)
{
	GString *s;

	if (b->cpu.mode)
		return by_host(b);
	s = g_string_new("<cpu mode='custom' match='exact'");
	/* elsewhere libvirt leaves the check to QEMU */
	if (b->family == ARCH_X86)
		g_string_append_printf(s, " check='%s'", names_hypervisor(b) ? "full" : "partial");
	g_string_append(s, ">\n");
	if (b->cpu.model)
		g_string_append_printf(s, "  <model fallback='forbid'>%s</model>\n", b->cpu.model);
	if (b->family == ARCH_X86 && vendor_known(b) && g_strcmp0(b->accel, "tcg")) {
		g_autofree char *vendor = g_markup_escape_text(b->vendor, -1);

		g_string_append_printf(s, "  <vendor>%s</vendor>\n", vendor);
	}
	add_features(b, s);
	g_string_append(s, "</cpu>\n");
	return g_string_free(s, FALSE);
}

static const char *qemu_name(enum arch_family family, const char *feature)
{
	int cap = arch_find_alias(family, NS_LIBVIRT, feature);
	const char *name = cap >= 0 ? cap_alias_of(NS_QEMU, cap) : NULL;

	return name ? arch_plain_name(name) : feature;
}

/* The newest of the interrupt controllers that all hosts have: QEMU's default may be one they lack. */
static void add_gic(const struct baseline *b, GString *s)
{
	const json_t *versions = json_object_get(b->capabilities, "arm64.gic-versions");
	const char *newest = json_string_value(json_array_get(versions, json_array_size(versions) - 1));

	if (b->family == ARCH_ARM64 && newest && s->len)
		g_string_append_printf(s, ",gic-version=%s", newest);
}

char *baseline_qemu(const struct baseline *b)
{
	const char *model = b->cpu.mode ? "host" : b->cpu.model ? b->cpu.model : "base";
	/* no emulated CPU is the host's */
	const char *accel = b->cpu.mode ? "kvm" : b->accel;
	GString *s = g_string_new(NULL);

	if (b->machines->len)
		g_string_append_printf(s, "-machine %s", (char *)b->machines->pdata[0]);
	if (accel)
		g_string_append_printf(s, "%saccel=%s", b->machines->len ? "," : "-machine ", accel);
	if (b->cpu.mode && b->cpu.model)
		g_string_append_printf(s, "%smax-cpu-compat=%s", s->len ? "," : "-machine ", b->cpu.model);
	add_gic(b, s);
	g_string_append_printf(s, "%s-cpu %s", s->len ? " " : "", model);
	for (guint i = 0; i < b->cpu.delta->len; i++) {
		const struct feature_policy *p = &g_array_index(b->cpu.delta, struct feature_policy, i);

		g_string_append_printf(s, ",%s=%s", qemu_name(b->family, p->name),
				       p->require ? "on" : "off");
	}
	if (b->family == ARCH_X86)
		g_string_append(s, ",enforce");
	return g_string_free(s, FALSE);
}
