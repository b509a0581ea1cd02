/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plug.c: see plug.h. */
#include "config.h"

#include <string.h>

#include "guest/definition.h"
#include "guest/needs-parts.h"
#include "guest/plug.h"
#include "model/error.h"

#define MAX_DEVICE_BYTES (64u * 1024)

bool plug_is_device(const char *name)
{
	static const char *const names[] = {
		"audio", "channel", "console", "controller", "crypto", "disk", "filesystem", "graphics",
		"hostdev", "hub", "input", "interface", "iommu", "lease", "memballoon", "memory", "nvram",
		"panic", "parallel", "pstore", "redirdev", "rng", "serial", "shmem", "smartcard", "sound",
		"tpm", "video", "vsock", "watchdog", NULL
	};

	return g_strv_contains(names, name);
}

static void fail(GError **error, const char *text)
{
	g_set_error_literal(error, CAPBROKER_ERROR, ERROR_INVALID, text);
}

static void put_escaped(GString *out, const char *text)
{
	g_autofree char *escaped = g_markup_escape_text(text, -1);

	g_string_append(out, escaped);
}

/* What is put into the copy. */
struct plug {
	GString *out;
	const char *device;        /* the device's element */
	unsigned long long memory; /* KiB of the guest with it, 0: as it was */
};

static void put_open(GString *out, const struct xml_node *node)
{
	g_string_append_printf(out, "<%s", node->name);
	if (!node->parent)
		g_string_append_printf(out, " xmlns:qemu='%s'", XML_QEMU_NAMESPACE);
	for (const struct xml_attribute *a = node->attributes; a; a = a->next) {
		g_string_append_printf(out, " %s='", a->name);
		put_escaped(out, a->value);
		g_string_append_c(out, '\'');
	}
	g_string_append_c(out, '>');
}

/* Is it a child of <domain> that has the name? */
static bool is_part(const struct xml_node *node, const char *name)
{
	return node->parent && !node->parent->parent && !strcmp(node->name, name);
}

static void put_node(const struct plug *p, const struct xml_node *node)
{
	if (p->memory && is_part(node, "memory")) {
		g_string_append_printf(p->out, "<memory unit='KiB'>%llu</memory>", p->memory);
		return;
	}
	put_open(p->out, node);
	put_escaped(p->out, node->text);
	for (const struct xml_node *child = node->children; child; child = child->next)
		put_node(p, child);
	if (is_part(node, "devices") || (!node->parent && !xml_child(node, "devices")))
		g_string_append_printf(p->out, node->parent ? "%s" : "<devices>%s</devices>", p->device);
	g_string_append_printf(p->out, "</%s>", node->name);
}

/* What nothing judges of the device, and whether it is the host's. */
static bool list_unjudged(struct needs *with, const char *device, GError **error)
{
	g_autofree char *text = g_strdup_printf("<domain><devices>%s</devices></domain>", device);
	g_autoptr(XmlDocument) document = xml_parse(text, strlen(text), "device", error);
	g_autoptr(Needs) alone = needs_new();

	if (!document)
		return false;
	alone->accel = g_strdup("kvm");
	needs_list_unjudged(alone, xml_root(document));
	with->has_host_device |= alone->has_host_device;
	with->has_viommu |= alone->has_viommu;
	for (guint i = 0; i < alone->unjudged->len; i++) {
		const struct needs_unjudged *u = g_ptr_array_index(alone->unjudged, i);

		needs_add_unjudged(with, g_strdup(u->path), u->what, u->decides);
	}
	return true;
}

/* KiB of the guest with the device; false where the device says no size. */
static bool memory_with(const struct needs *needs, const struct xml_node *device,
			unsigned long long *memory, GError **error)
{
	unsigned long long size = 0;

	*memory = 0;
	if (strcmp(device->name, "memory"))
		return true;
	if (!needs_size_kib(xml_at(device, "target/size"), &size) || size > G_MAXINT64 / 1024 ||
	    needs->memory_kib > G_MAXINT64 / 1024) {
		fail(error, "/memory/target/size: is no amount of memory (write <target><size unit='GiB'>1</size></target>)");
		return false;
	}
	*memory = needs->memory_kib ? needs->memory_kib + size : 0;
	return true;
}

/* The guest's needs with another definition. */
static struct needs *with_definition(const struct needs *needs, const char *text,
				     unsigned long long memory, GError **error)
{
	json_t *json = needs_to_json(needs);
	struct needs *with;

	json_object_set_new(json, "definition", json_string(text));
	if (memory)
		json_object_set_new(json, "memory_kib", json_integer((json_int_t)memory));
	with = needs_from_json(json, error);
	json_decref(json);
	return with;
}

struct needs *needs_plug(const struct needs *needs, const struct xml_document *device, GError **error)
{
	const struct xml_node *root = xml_root(device);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(Needs) with = NULL;
	g_autofree char *text = NULL;
	struct plug plug = { .out = out };

	if (!plug_is_device(root->name)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "<%.64s> is no device (expected <hostdev>, <interface>, <disk>, <memory> or another element of <devices>)",
			    root->name);
		return NULL;
	}
	if (!needs->definition) {
		fail(error, needs->cpu_only ? "a bare <cpu> takes no devices (give the guest's definition)" :
					      "the guest's definition isn't known (import it again)");
		return NULL;
	}
	text = definition_reduce(root, error);
	if (!text || !memory_with(needs, root, &plug.memory, error))
		return NULL;
	if (strlen(text) > MAX_DEVICE_BYTES) {
		fail(error, "more than 64 KiB (is it one device?)");
		return NULL;
	}
	plug.device = text;
	put_node(&plug, xml_root(needs->definition));
	with = with_definition(needs, out->str, plug.memory, error);
	if (!with || !list_unjudged(with, text, error))
		return NULL;
	with->plugged = true;
	return g_steal_pointer(&with);
}
