/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition-qemu.c: QEMU's own arguments and overrides in a domain definition, as far as they speak
 * of virtual IOMMUs, VFIO devices and interrupt controllers; nothing else of them is told.
 */
#include "config.h"

#include <string.h>

#include "guest/definition-qemu.h"
#include "guest/definition.h"

/* A root port changes nothing about what is behind it. */
static const char *const drivers[] = { "amd-iommu", "arm-smmuv3", "intel-iommu", "pcie-root-port", "vfio-pci",
				       "vfio-pci-nohotplug", "virtio-iommu-pci", NULL };
static const char *const machine_keys[] = { "kernel-irqchip", "max-ram-below-4g", NULL };

static bool is_name(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return n && n < 64 && !text[n] && g_ascii_isalpha(*text);
}

/* Appends NAME='VALUE' pairs; false, with nothing appended, where one isn't plain. */
static bool put_pairs(GString *out, char *const *pairs)
{
	gsize before = out->len;

	for (size_t i = 0; pairs[i]; i++) {
		g_auto(GStrv) pair = g_strsplit(pairs[i], "=", 2);
		const char *value = pair[0] && pair[1] ? pair[1] : "on";

		if (!pair[0] || !is_name(pair[0]) || !definition_is_plain(value)) {
			g_string_truncate(out, before);
			return false;
		}
		g_string_append_printf(out, " %s='%s'", pair[0], value);
	}
	return true;
}

static bool put_device(GString *out, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ",", -1);
	const char *driver = parts[0] && g_str_has_prefix(parts[0], "driver=") ? parts[0] + 7 : parts[0];
	gsize before = out->len;

	if (!driver || !g_strv_contains(drivers, driver))
		return false;
	g_string_append_printf(out, "<qemu:device driver='%s'", driver);
	if (put_pairs(out, parts + 1)) {
		g_string_append(out, "/>");
		return true;
	}
	g_string_truncate(out, before);
	return false;
}

/* "DRIVER.PROPERTY=VALUE" */
static bool put_global(GString *out, const char *value)
{
	g_auto(GStrv) sides = g_strsplit(value, "=", 2);
	char *dot = sides[0] ? strchr(sides[0], '.') : NULL;

	if (!dot || !sides[1])
		return false;
	*dot = '\0';
	if (!g_strv_contains(drivers, sides[0]) || !is_name(dot + 1) || !definition_is_plain(sides[1]))
		return false;
	g_string_append_printf(out, "<qemu:global driver='%s' property='%s' value='%s'/>", sides[0],
			       dot + 1, sides[1]);
	return true;
}

static bool put_object(GString *out, const char *value)
{
	if (strcmp(value, "iommufd") && !g_str_has_prefix(value, "iommufd,"))
		return false;
	g_string_append(out, "<qemu:object type='iommufd'/>");
	return true;
}

static bool put_machine(GString *out, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ",", -1);
	gsize before = out->len;

	for (size_t i = 0; parts[i]; i++) {
		g_autofree char *key = g_strndup(parts[i], strcspn(parts[i], "="));

		if (!g_strv_contains(machine_keys, key))
			return false;
	}
	g_string_append(out, "<qemu:machine");
	if (put_pairs(out, parts)) {
		g_string_append(out, "/>");
		return true;
	}
	g_string_truncate(out, before);
	return false;
}

static const struct {
	const char *option;
	bool (*put)(GString *out, const char *value);
} options[] = {
	{ "-device", put_device },
	{ "-global", put_global },
	{ "-machine", put_machine },
	{ "-object", put_object },
};

void qemu_put_arguments(GString *out, const struct xml_node *commandline)
{
	const struct xml_node *node = commandline->children;

	for (; node; node = node->next) {
		const char *option = xml_attr(node, "value");
		const char *value = node->next ? xml_attr(node->next, "value") : NULL;
		bool told = false;

		if (strcmp(node->name, "qemu:arg") || !option) {
			g_string_append(out, "<qemu:other/>");
			continue;
		}
		for (size_t i = 0; value && !told && i < G_N_ELEMENTS(options); i++)
			told = !strcmp(options[i].option, option) && options[i].put(out, value);
		if (told)
			node = node->next;
		else
			g_string_append(out, "<qemu:other/>");
	}
}

static bool told_alias(const struct xml_node *device)
{
	const char *alias = xml_attr(device, "alias");

	return alias && (g_str_has_prefix(alias, "iommu") || g_str_has_prefix(alias, "hostdev"));
}

bool qemu_is_told(const struct xml_node *node)
{
	if (!strcmp(node->name, "qemu:commandline") || !strcmp(node->name, "qemu:override"))
		return true;
	for (const struct xml_node *up = node; up; up = up->parent)
		if (!strcmp(up->name, "qemu:device") && up->parent && !strcmp(up->parent->name, "qemu:override"))
			return told_alias(up);
	return false;
}

bool definition_qemu_told(const struct xml_node *node)
{
	g_autoptr(GString) out = g_string_new(NULL);

	if (!strcmp(node->name, "qemu:commandline")) {
		qemu_put_arguments(out, node);
		return !strstr(out->str, "<qemu:other/>");
	}
	for (const struct xml_node *device = node->children; device; device = device->next)
		if (!told_alias(device))
			return false;
	return true;
}
