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

char *baseline_libvirt(const struct baseline *b)
{
	GString *s = g_string_new(NULL);

	g_string_append_printf(s, "<cpu mode='custom' match='exact' check='%s'>\n",
			       names_hypervisor(b) ? "full" : "partial");
	if (b->cpu.model)
		g_string_append_printf(s, "  <model fallback='forbid'>%s</model>\n", b->cpu.model);
	if (vendor_known(b) && g_strcmp0(b->accel, "tcg")) {
		g_autofree char *vendor = g_markup_escape_text(b->vendor, -1);

		g_string_append_printf(s, "  <vendor>%s</vendor>\n", vendor);
	}
	for (guint i = 0; i < b->cpu.delta->len; i++) {
		const struct feature_policy *p = &g_array_index(b->cpu.delta, struct feature_policy, i);
		g_autofree char *name = g_markup_escape_text(p->name, -1);

		if (p->nameless)
			continue;
		g_string_append_printf(s, "  <feature policy='%s' name='%s'/>\n",
				       p->require ? "require" : "disable", name);
	}
	g_string_append(s, "</cpu>\n");
	return g_string_free(s, FALSE);
}

static const char *qemu_name(const char *feature)
{
	int cap = cap_find_alias(NS_LIBVIRT, feature);
	const char *name = cap >= 0 ? cap_alias_of(NS_QEMU, cap) : NULL;

	return name ? name : feature;
}

char *baseline_qemu(const struct baseline *b)
{
	GString *s = g_string_new(NULL);

	if (b->machines->len)
		g_string_append_printf(s, "-machine %s", (char *)b->machines->pdata[0]);
	if (b->accel)
		g_string_append_printf(s, "%saccel=%s", b->machines->len ? "," : "-machine ", b->accel);
	g_string_append_printf(s, "%s-cpu %s", s->len ? " " : "", b->cpu.model ? b->cpu.model : "base");
	for (guint i = 0; i < b->cpu.delta->len; i++) {
		const struct feature_policy *p = &g_array_index(b->cpu.delta, struct feature_policy, i);

		g_string_append_printf(s, ",%s=%s", qemu_name(p->name), p->require ? "on" : "off");
	}
	g_string_append(s, ",enforce");
	return g_string_free(s, FALSE);
}
