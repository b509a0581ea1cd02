/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * needs.c: see needs.h. What is taken from a definition stands here; what is only listed, in
 * needs-unjudged.c.
 */
#include "config.h"

#include <string.h>

#include "guest/definition.h"
#include "guest/dma.h"
#include "guest/needs-parts.h"
#include "model/error.h"

#define MAX_VCPUS 65535u
#define MAX_TSC_HZ 1000000000000ull

static bool fail(const struct xml_node *node, const char *what, const char *value, GError **error)
{
	g_autofree char *path = xml_path(node);

	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s (line %u): '%.64s' %s", path,
		    node->line, value, what);
	return false;
}

static void unjudged_free(gpointer data)
{
	struct needs_unjudged *u = data;

	g_free(u->path);
	g_free(u->what);
	g_free(u);
}

/* A value of the memo with the way to free it. */
struct memo {
	gpointer value;
	GDestroyNotify free_value;
};

static void memo_free(gpointer data)
{
	struct memo *memo = data;

	if (memo->free_value)
		memo->free_value(memo->value);
	g_free(memo);
}

gpointer needs_memo(const struct needs *needs, const char *key)
{
	const struct memo *memo = g_hash_table_lookup(needs->memo, key);

	return memo ? memo->value : NULL;
}

void needs_memo_set(const struct needs *needs, const char *key, gpointer value,
		    GDestroyNotify free_value)
{
	struct memo *memo = g_new(struct memo, 1);

	*memo = (struct memo){ value, free_value };
	g_hash_table_insert(needs->memo, g_strdup(key), memo);
}

bool needs_set_definition(struct needs *needs, char *text, GError **error)
{
	g_free(needs->definition_text);
	needs->definition_text = text;
	if (text)
		needs->definition = xml_parse(text, strlen(text), "definition", error);
	needs->argv = needs->definition && xml_child(xml_root(needs->definition), "argv");
	return needs->definition != NULL;
}

struct needs *needs_new(void)
{
	struct needs *needs = g_new0(struct needs, 1);

	needs->hyperv = g_ptr_array_new_with_free_func(g_free);
	needs->unjudged = g_ptr_array_new_with_free_func(unjudged_free);
	needs->memo = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, memo_free);
	return needs;
}

void needs_free(struct needs *needs)
{
	if (!needs)
		return;
	g_free(needs->name);
	g_free(needs->uuid);
	g_free(needs->type);
	g_free(needs->accel);
	g_free(needs->arch);
	g_free(needs->machine);
	g_free(needs->emulator);
	g_free(needs->os_type);
	cpu_def_free(needs->cpu);
	g_ptr_array_unref(needs->hyperv);
	g_ptr_array_unref(needs->unjudged);
	g_hash_table_unref(needs->memo);
	g_free(needs->definition_text);
	xml_free(needs->definition);
	g_free(needs);
}

void needs_add_unjudged(struct needs *needs, char *path, const char *what, bool decides)
{
	struct needs_unjudged *u = g_new(struct needs_unjudged, 1);

	*u = (struct needs_unjudged){ path, g_strdup(what), decides };
	g_ptr_array_add(needs->unjudged, u);
}

const char *needs_accel(const char *domain_type)
{
	if (!g_strcmp0(domain_type, "kvm"))
		return "kvm";
	return !g_strcmp0(domain_type, "qemu") ? "tcg" : NULL;
}

/* A copy of a short text, NULL for none; false for one that is too long to be meant. */
static bool copy_text(const struct xml_node *node, const char *text, char **out, GError **error)
{
	if (!text || !*text)
		return true;
	if (strlen(text) > NEEDS_MAX_NAME || strpbrk(text, "\r\n"))
		return fail(node, "is written where one line of at most 1024 bytes belongs", "text", error);
	*out = g_strdup(text);
	return true;
}

static bool copy_child(const struct xml_node *parent, const char *path, char **out, GError **error)
{
	const struct xml_node *node = xml_at(parent, path);

	return !node || copy_text(node, node->text, out, error);
}

static bool parse_os(struct needs *needs, const struct xml_node *domain, GError **error)
{
	const struct xml_node *type = xml_at(domain, "os/type");

	if (!type)
		return true;
	return copy_text(type, type->text, &needs->os_type, error) &&
	       copy_text(type, xml_attr(type, "arch"), &needs->arch, error) &&
	       copy_text(type, xml_attr(type, "machine"), &needs->machine, error);
}

static bool parse_vcpus(struct needs *needs, const struct xml_node *domain, GError **error)
{
	const struct xml_node *vcpu = xml_child(domain, "vcpu");
	guint64 n;

	if (!vcpu || !*vcpu->text)
		return true;
	if (!g_ascii_string_to_unsigned(vcpu->text, 10, 1, MAX_VCPUS, &n, NULL))
		return fail(vcpu, "is not a number of virtual CPUs from 1 to 65535", vcpu->text,
			    error);
	needs->vcpus = (unsigned int)n;
	return true;
}

/* Bytes in a unit as libvirt writes it, 0 for one that it doesn't know. */
static guint64 unit_bytes(const char *unit)
{
	static const char prefixes[] = "kmgtpe";
	const char *prefix;
	guint64 bytes = 1, base = 1024;

	if (!*unit || !g_ascii_strcasecmp(unit, "b") || !g_ascii_strcasecmp(unit, "byte") ||
	    !g_ascii_strcasecmp(unit, "bytes"))
		return 1;
	prefix = strchr(prefixes, g_ascii_tolower(*unit));
	if (!prefix)
		return 0;
	if (!g_ascii_strcasecmp(unit + 1, "b"))
		base = 1000;
	else if (unit[1] && g_ascii_strcasecmp(unit + 1, "ib"))
		return 0;
	for (; prefix >= prefixes; prefix--)
		bytes *= base;
	return bytes;
}

bool needs_size_kib(const struct xml_node *node, unsigned long long *kib)
{
	const char *unit = xml_attr(node, "unit");
	guint64 n, scale = unit ? unit_bytes(unit) : 1024, bytes;

	if (!node || !scale ||
	    !g_ascii_string_to_unsigned(node->text, 10, 0, G_MAXUINT64, &n, NULL) ||
	    !g_uint64_checked_mul(&bytes, n, scale))
		return false;
	*kib = bytes / 1024 + (bytes % 1024 != 0);
	return true;
}

static bool parse_memory(struct needs *needs, const struct xml_node *domain, GError **error)
{
	const struct xml_node *memory = xml_child(domain, "memory");
	const char *unit = xml_attr(memory, "unit");

	if (!memory || !*memory->text || needs_size_kib(memory, &needs->memory_kib))
		return true;
	if (unit && !unit_bytes(unit))
		return fail(memory, "is not a unit of memory (KiB, MiB, GiB, …)", unit, error);
	return fail(memory, "is not an amount of memory", memory->text, error);
}

static bool parse_clock(struct needs *needs, const struct xml_node *domain, GError **error)
{
	const struct xml_node *timer = xml_at(domain, "clock/timer");
	const char *hz;
	guint64 n;

	for (; timer; timer = xml_same(timer)) {
		hz = xml_attr(timer, "frequency");
		if (!hz || g_strcmp0(xml_attr(timer, "name"), "tsc"))
			continue;
		if (!g_ascii_string_to_unsigned(hz, 10, 0, MAX_TSC_HZ, &n, NULL))
			return fail(timer, "is not a frequency in Hz", hz, error);
		needs->tsc_khz = n / 1000;
	}
	return true;
}

static bool switched_on(const struct xml_node *node)
{
	const char *state = xml_attr(node, "state");

	return node && (!state || !strcmp(state, "on"));
}

static bool parse_features(struct needs *needs, const struct xml_node *domain, GError **error)
{
	const struct xml_node *features = xml_child(domain, "features");
	const struct xml_node *hyperv = xml_child(features, "hyperv");

	needs->apic = xml_child(features, "apic") != NULL;
	needs->acpi = xml_child(features, "acpi") != NULL;
	needs->pae = xml_child(features, "pae") != NULL;
	needs->kvm_hidden = switched_on(xml_at(features, "kvm/hidden"));
	for (const struct xml_node *h = hyperv ? hyperv->children : NULL; h; h = h->next) {
		if (!switched_on(h))
			continue;
		if (needs->hyperv->len >= NEEDS_MAX_HYPERV || strlen(h->name) > 64)
			return fail(h, "is no enlightenment of Hyper-V", h->name, error);
		g_ptr_array_add(needs->hyperv, g_strdup(h->name));
	}
	return true;
}

static bool parse_cpu(struct needs *needs, const struct xml_node *cpu, GError **error)
{
	if (!cpu)
		return true;
	needs->cpu = cpu_def_parse(cpu, error);
	if (!needs->cpu)
		return false;
	if (needs->cpu->host && !needs->cpu_only)
		return fail(cpu, "belongs to a host's CPU, not to a guest's (remove it)", "<arch>",
			    error);
	return true;
}

static bool parse_domain(struct needs *needs, const struct xml_node *domain, bool live,
			 GError **error)
{
	const char *type = xml_attr(domain, "type");

	needs->live = live || xml_attr(domain, "id");
	if (!type || !*type)
		return fail(domain, "is missing (write type='kvm' or 'qemu')", "type", error);
	if (!copy_text(domain, type, &needs->type, error) ||
	    !copy_child(domain, "name", &needs->name, error) ||
	    !copy_child(domain, "uuid", &needs->uuid, error) ||
	    !copy_child(domain, "devices/emulator", &needs->emulator, error) ||
	    !parse_os(needs, domain, error) || !parse_vcpus(needs, domain, error) ||
	    !parse_memory(needs, domain, error) || !parse_clock(needs, domain, error) ||
	    !parse_features(needs, domain, error) ||
	    !parse_cpu(needs, xml_child(domain, "cpu"), error))
		return false;
	needs->accel = g_strdup(needs_accel(type));
	needs_list_unjudged(needs, domain);
	if (!needs_set_definition(needs, definition_reduce(domain, error), error))
		return false;
	/* QEMU's own arguments may bring some too */
	needs->has_viommu |= dma_of(needs)->viommus->len > 0;
	needs->has_host_device |= dma_of(needs)->devices->len > 0;
	return true;
}

struct needs *needs_from_xml(const struct xml_document *document, GError **error)
{
	const struct xml_node *root = xml_root(document);
	const struct xml_node *domain = root;
	g_autoptr(Needs) needs = needs_new();

	if (!strcmp(root->name, "cpu")) {
		needs->cpu_only = true;
		return parse_cpu(needs, root, error) ? g_steal_pointer(&needs) : NULL;
	}
	if (strcmp(root->name, "domain")) {
		domain = xml_child(root, "domain");
		if (!domain ||
		    (strcmp(root->name, "domstatus") && strcmp(root->name, "domainsnapshot"))) {
			fail(root, "is no domain definition (expected <domain> or <cpu>)",
			     root->name, error);
			return NULL;
		}
	}
	if (!parse_domain(needs, domain, !strcmp(root->name, "domstatus"), error))
		return NULL;
	return g_steal_pointer(&needs);
}
