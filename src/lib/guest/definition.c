/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* definition.c: see definition.h. */
#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "guest/definition.h"
#include "guest/definition-qemu.h"
#include "model/error.h"

#define MAX_WORD 80u

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

#define IS_ONE_OF(name, names) is_one_of(name, names, G_N_ELEMENTS(names))

/* Left out with all that is in them. */
static bool is_left_out(const struct xml_node *node)
{
	static const char *const names[] = { "auth", "description", "metadata", "secret", "title" };

	return IS_ONE_OF(node->name, names);
}

/* Kept without attributes and contents: that they are there, and say something, is all told. */
static bool is_emptied(const struct xml_node *node)
{
	static const char *const names[] = { "cmdline", "dhCert", "guestOwner", "idAuth",
					     "idBlock", "mrConfigId", "mrOwner", "mrOwnerConfig",
					     "session" };

	return (g_str_has_prefix(node->name, "qemu:") && !qemu_is_told(node)) || IS_ONE_OF(node->name, names);
}

/* Elements whose paths are facts about the host that it must have for the guest. */
static bool keeps_paths(const struct xml_node *node)
{
	static const char *const names[] = { "emulator", "loader", "nvram", "varstore", "shim" };
	static const char *const parents[] = { "tpm", "memory" };

	for (const struct xml_node *up = node->parent; up; up = up->parent)
		if (IS_ONE_OF(up->name, parents))
			return true;
	return IS_ONE_OF(node->name, names);
}

/* Elements whose attributes name things of the site: networks, pools, volumes, hosts. */
static bool names_the_site(const struct xml_node *node)
{
	static const char *const names[] = { "host", "initiator", "iqn", "listen", "local", "mirror",
					     "parameters", "source", "virtualport" };

	if (!strcmp(node->name, "host") && node->parent && !strcmp(node->parent->name, "driver"))
		return false; /* an interface's offloads */
	return IS_ONE_OF(node->name, names);
}

static bool says_how(const char *attribute)
{
	static const char *const names[] = { "append", "cache", "family", "grab", "grabToggle",
					     "guestReset", "index", "managed", "mode", "namespace",
					     "port", "protocol", "reconnect", "repeat",
					     "startupPolicy", "tls", "transport", "type", "typeid",
					     "typeidversion", "writeback", "writeFiltering" };

	return IS_ONE_OF(attribute, names);
}

static bool is_private(const struct xml_node *node, const char *attribute)
{
	static const char *const names[] = { "group", "key", "keyid", "keymapfile", "passwd", "passwdValidTo",
					     "password", "user", "usage", "username", "uuid", "wwn" };
	static const char *const named[] = { "alias", "channel", "cipher", "driver", "event", "feature",
					     "group", "model", "property", "qemu:property", "target", "timer" };

	/* a mediated device's address */
	if (!strcmp(attribute, "uuid") && !strcmp(node->name, "address"))
		return false;
	if (!strcmp(attribute, "name"))
		return !IS_ONE_OF(node->name, named);
	return IS_ONE_OF(attribute, names);
}

/* A word, a number, an address, a set of numbers: nothing that tells much. */
static bool is_plain(const char *text, const char *more)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:,+^*";

	for (size_t i = 0; text[i]; i++)
		if (i >= MAX_WORD || (!strchr(plain, text[i]) && !strchr(more, text[i])))
			return false;
	return true;
}

/* Texts of their own choosing. */
static bool is_private_text(const struct xml_node *node)
{
	static const char *const names[] = { "product", "serial", "wwn" };

	return IS_ONE_OF(node->name, names);
}

/*
 * An <entry> of <sysinfo>: whose it is of the texts that libvirt holds against others or looks
 * into, and of fw_cfg's names how they begin.
 */
static const char *entry_told(const struct xml_node *entry, const char *attribute, const char *value)
{
	static const char *const starts[] = { "opt/ovmf/", "opt/org.qemu/", "opt/" };
	const char *name = xml_attr(entry, "name");
	bool fw_cfg = !strcmp(entry->parent->name, "sysinfo");

	if (!attribute)
		return !fw_cfg && name && (!strcmp(name, "uuid") || !strcmp(name, "date")) &&
				       is_plain(value, "/") ? value : "TEXT";
	if (!strcmp(attribute, "file"))
		return "PATH";
	for (size_t i = 0; fw_cfg && i < G_N_ELEMENTS(starts); i++)
		if (g_str_has_prefix(value, starts[i]))
			return starts[i];
	return !fw_cfg && is_plain(value, "") ? value : "TEXT";
}

/* What is told of a value. */
static const char *told(const struct xml_node *node, const char *attribute, const char *value)
{
	if (!*value)
		return value;
	if (!strcmp(node->name, "entry") && node->parent)
		return entry_told(node, attribute, value);
	if (!attribute && is_private_text(node))
		return "TEXT";
	if (*value == '/')
		return keeps_paths(node) ? value : "PATH";
	if (attribute && (is_private(node, attribute) ||
			  (names_the_site(node) && !says_how(attribute))))
		return "TEXT";
	return is_plain(value, "") ? value : "TEXT";
}

static void put_escaped(GString *out, const char *value)
{
	g_autofree char *escaped = g_markup_escape_text(value, -1);

	g_string_append(out, escaped);
}

static void put_attributes(GString *out, const struct xml_node *node)
{
	for (const struct xml_attribute *a = node->attributes; a; a = a->next) {
		if (strchr(a->name, ':'))
			continue;
		g_string_append_printf(out, " %s='", a->name);
		put_escaped(out, told(node, a->name, a->value));
		g_string_append_c(out, '\'');
	}
}

/* Anything short and plain of one attribute, for what is made of QEMU's arguments. */
bool definition_is_plain(const char *text)
{
	return is_plain(text, "");
}

static void put_node(GString *out, const struct xml_node *node)
{
	const char *colon = strchr(node->name, ':');

	if (is_left_out(node) || (colon && !g_str_has_prefix(node->name, "qemu:")) ||
	    out->len > DEFINITION_MAX_BYTES)
		return;
	g_string_append_printf(out, "<%s", node->name);
	if (is_emptied(node)) {
		if (*node->text)
			g_string_append_printf(out, ">TEXT</%s>", node->name);
		else
			g_string_append(out, "/>");
		return;
	}
	if (!strcmp(node->name, "qemu:commandline")) {
		g_string_append_c(out, '>');
		qemu_put_arguments(out, node);
		g_string_append_printf(out, "</%s>", node->name);
		return;
	}
	if (!strcmp(node->name, "domain"))
		g_string_append_printf(out, " xmlns:qemu='%s'", XML_QEMU_NAMESPACE);
	put_attributes(out, node);
	if (!node->children && !*node->text) {
		g_string_append(out, "/>");
		return;
	}
	g_string_append_c(out, '>');
	put_escaped(out, told(node, NULL, node->text));
	for (const struct xml_node *child = node->children; child; child = child->next)
		put_node(out, child);
	g_string_append_printf(out, "</%s>", node->name);
}

char *definition_reduce(const struct xml_node *domain, GError **error)
{
	GString *out = g_string_new(NULL);

	put_node(out, domain);
	if (out->len <= DEFINITION_MAX_BYTES)
		return g_string_free(out, FALSE);
	g_string_free(out, TRUE);
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
		    "/domain: more than 1 MiB of devices and settings (is it one guest's definition?)");
	return NULL;
}
