/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci.c: PCI functions: who they are, what drives them, which group and IOMMU unit they belong to,
 * their configuration space, and whether guests could be given them.
 *
 * Eligible is what can be assigned without taking from the host what it stands on: an endpoint that
 * is not the boot display and not used for root file system, default route or console, in a group
 * whose other members can be had as well (the kernel's rule: no other driver holds one).
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "pci-use.h"
#include "probe.h"
#include "read/read-iommu.h"
#include "units.h"

#define DEVICES "/sys/bus/pci/devices"
#define PCI_HEAD 64 /* bytes of configuration space that everybody may read */
#define CLASS_BRIDGE 0x06
#define CLASS_PCI_BRIDGE 0x0604
#define CLASS_IOMMU 0x0806
#define CLASS_HOT_PLUG 0x0804 /* the last of interrupt controllers, timers and their like */

struct function {
	const char *address; /* of the list of names */
	json_t *entry;
	uint32_t class;      /* with programming interface */
	bool known_class, boot_display;
	char *driver;        /* or NULL */
	int group;           /* -1: none */
	const struct pci_use *use; /* what the host can't do without, or NULL */
};

struct walk {
	struct context *context;
	struct function *functions;
	size_t count;
	GArray *uses;        /* struct pci_use, or NULL: not known */
	GHashTable *groups;  /* group + 1 → GPtrArray of struct function */
	unsigned int unreadable, malformed;
	unsigned int cut;    /* functions of which others than root see no more than the head */
	int err;             /* of what was unreadable */
	char *complaint;     /* the first malformed configuration space */
};

/* --- one function ----------------------------------------------------------------------------- */

static char *attribute(struct walk *w, const char *address, const char *name)
{
	g_autofree char *path = g_strdup_printf(DEVICES "/%s/%s", address, name);
	int err;
	char *text = source_text(w->context->source, path, &err);

	/* A device that went while it was looked at says nothing more. */
	return text && *text ? text : (g_free(text), NULL);
}

static char *link_name(struct walk *w, const char *address, const char *name)
{
	g_autofree char *path = g_strdup_printf(DEVICES "/%s/%s", address, name);
	int err;
	g_autofree char *target = source_link(w->context->source, path, &err);

	return target ? g_path_get_basename(target) : NULL;
}

static void set_string(json_t *entry, const char *key, const char *text)
{
	json_object_set_new(entry, key, text ? json_string(text) : json_null());
}

static void read_identity(struct walk *w, struct function *f)
{
	g_autofree char *vendor = attribute(w, f->address, "vendor");
	g_autofree char *device = attribute(w, f->address, "device");
	g_autofree char *class = attribute(w, f->address, "class");
	g_autofree char *boot = attribute(w, f->address, "boot_vga");
	g_autofree char *unit = link_name(w, f->address, "iommu");
	g_autofree char *parent = link_name(w, f->address, "physfn");

	set_string(f->entry, "vendor", vendor);
	set_string(f->entry, "device", device);
	set_string(f->entry, "class", class);
	f->driver = link_name(w, f->address, "driver");
	if (f->driver || w->uses) /* of files copied by hand it isn't known */
		set_string(f->entry, "driver", f->driver);
	if (unit)
		set_string(f->entry, "iommu", unit);
	if (parent && is_pci_address(parent)) {
		set_string(f->entry, "physfn", parent);
		document_fact(entry_facts(f->entry), "pci.vf", json_true(), &scope_kernel, "physfn");
	}
	f->known_class = class != NULL;
	f->class = class ? (uint32_t)g_ascii_strtoull(class, NULL, 0) & 0xffffff : 0;
	f->boot_display = boot && !strcmp(boot, "1");
}

static void read_group(struct walk *w, struct function *f)
{
	const json_t *groups = json_object_get(w->context->shared, "group_of");
	const json_t *listed = json_object_get(groups, f->address);
	g_autofree char *linked = link_name(w, f->address, "iommu_group");
	GPtrArray *members;

	f->group = linked && g_ascii_isdigit(*linked) ? (int)(g_ascii_strtoull(linked, NULL, 10) & 0xffffff)
		 : json_is_integer(listed) ? (int)json_integer_value(listed) : -1;
	json_object_set_new(f->entry, "group", f->group < 0 ? json_null() : json_integer(f->group));
	if (f->group < 0)
		return;
	members = g_hash_table_lookup(w->groups, GINT_TO_POINTER(f->group + 1));
	if (!members) {
		members = g_ptr_array_new();
		g_hash_table_insert(w->groups, GINT_TO_POINTER(f->group + 1), members);
	}
	g_ptr_array_add(members, f);
}

/* What the kernel says that configuration space doesn't, or not to everybody. */
static void read_kernel_facts(struct walk *w, struct function *f)
{
	json_t *facts = entry_facts(f->entry);
	g_autofree char *methods = attribute(w, f->address, "reset_method");
	g_autofree char *total = attribute(w, f->address, "sriov_totalvfs");
	g_autofree char *enabled = attribute(w, f->address, "sriov_numvfs");
	g_auto(GStrv) words = g_strsplit(methods ? methods : "", " ", -1);
	json_t *set = json_array();

	for (size_t i = 0; words[i]; i++)
		if (*words[i])
			json_array_append_new(set, json_string(words[i]));
	if (methods)
		document_fact(facts, "pci.reset-methods", json_incref(set), &scope_kernel, "reset_method");
	json_decref(set);
	if (total)
		document_fact(facts, "pci.sriov-total-vfs",
			      json_integer((json_int_t)(g_ascii_strtoull(total, NULL, 10) & 0xffff)), &scope_kernel,
			      "sriov_totalvfs");
	if (enabled)
		document_fact(facts, "pci.sriov-num-vfs",
			      json_integer((json_int_t)(g_ascii_strtoull(enabled, NULL, 10) & 0xffff)), &scope_kernel,
			      "sriov_numvfs");
}

/* Reading it would wake a device that is switched off (D3cold): it is left asleep. */
static void read_config(struct walk *w, struct function *f)
{
	g_autofree char *path = g_strdup_printf(DEVICES "/%s/config", f->address);
	g_autofree char *power = attribute(w, f->address, "power_state");
	g_autoptr(GError) error = NULL;
	size_t length = 0;
	int err = 0;
	g_autofree char *bytes = NULL;

	if (!power || strcmp(power, "D3cold"))
		bytes = source_read(w->context->source, path, &length, &err);
	if (!bytes) {
		document_fact_missing(entry_facts(f->entry), "pci.capabilities",
				      err ? FACT_UNREADABLE : FACT_UNKNOWN, &scope_raw,
				      err ? path : "not read: the device is switched off (D3cold)", err);
		w->unreadable += err && err != ENOENT;
		w->err = err && err != ENOENT ? err : w->err;
		return;
	}
	w->cut += length == PCI_HEAD;
	if (read_pci_config(entry_facts(f->entry), (const uint8_t *)bytes, length, path, &error))
		return;
	if (!w->malformed++)
		w->complaint = g_strdup_printf("%s: %s", f->address, error->message);
}

/* --- eligible or not -------------------------------------------------------------------------- */

static bool is_bridge(const struct function *f)
{
	return f->class >> 16 == CLASS_BRIDGE;
}

/* Why it can't be given away by itself, or NULL. Free with g_free(). */
static char *own_reason(const struct function *f)
{
	uint32_t class = f->class >> 8;

	if (!f->known_class)
		return g_strdup("its class is not known");
	if (is_bridge(f))
		return g_strdup("a bridge");
	if (class == CLASS_IOMMU)
		return g_strdup("an IOMMU");
	if (class >> 8 == CLASS_IOMMU >> 8 && class <= CLASS_HOT_PLUG)
		return g_strdup("part of the platform");
	if (f->boot_display)
		return g_strdup("the boot display");
	return f->use ? g_strdup(f->use->what) : NULL;
}

/* Would this member keep the others of its group from being assigned? */
static char *member_reason(const struct walk *w, const struct function *f)
{
	bool port = f->class >> 8 == CLASS_PCI_BRIDGE;
	g_autofree char *own = NULL;

	if (f->known_class && is_bridge(f)) {
		if (f->driver ? port && !strcmp(f->driver, "pcieport") : port || w->uses)
			return NULL;
		if (!f->driver)
			return g_strdup_printf("its group %d also has the bridge %s, and whether a driver holds that is not known",
					       f->group, f->address);
		return g_strdup_printf("its group %d also has the bridge %s, held by %s", f->group,
				       f->address, f->driver);
	}
	own = own_reason(f);
	return own ? g_strdup_printf("its group %d also has %s: %s", f->group, f->address, own) : NULL;
}

static char *group_reason(const struct walk *w, const struct function *f)
{
	const GPtrArray *members = g_hash_table_lookup(w->groups, GINT_TO_POINTER(f->group + 1));

	if (f->group < 0)
		return g_strdup("in no IOMMU group (there is no IOMMU, or it is switched off)");
	for (guint i = 0; i < members->len; i++) {
		char *reason = members->pdata[i] == f ? NULL : member_reason(w, members->pdata[i]);

		if (reason)
			return reason;
	}
	return NULL;
}

/* Everything that it is used for, whether or not the host could do without; absent: not known. */
static void set_uses(const struct walk *w, struct function *f)
{
	json_t *uses = json_array();

	for (guint i = 0; i < w->uses->len; i++) {
		const struct pci_use *use = &g_array_index(w->uses, struct pci_use, i);

		if (strcmp(use->address, f->address))
			continue;
		json_array_append_new(uses, json_string(use->what));
		if (use->system && !f->use)
			f->use = use;
	}
	json_object_set_new(f->entry, "in_use", uses);
}

static void set_eligible(const struct walk *w, struct function *f)
{
	g_autofree char *own = own_reason(f);
	g_autofree char *group = own ? NULL : group_reason(w, f);
	const char *why = own ? own : group;

	json_object_set_new(f->entry, "eligible", json_boolean(!why));
	if (why)
		json_object_set_new(f->entry, "why", json_string(why));
}

/* --- all of them ------------------------------------------------------------------------------ */

static void read_function(struct walk *w, struct function *f)
{
	f->entry = device_add(w->context->doc, f->address);
	read_identity(w, f);
	read_group(w, f);
	read_kernel_facts(w, f);
	read_config(w, f);
	if (w->uses)
		set_uses(w, f);
}

static void read_functions(struct walk *w, char **names)
{
	for (size_t i = 0; names[i] && w->count < DEVICES_MAX; i++) {
		struct function *f = &w->functions[w->count];

		if (!is_pci_address(names[i]))
			continue;
		f->address = names[i];
		read_function(w, f);
		w->count++;
	}
	for (size_t i = 0; i < w->count; i++)
		set_eligible(w, &w->functions[i]);
}

static void report(const struct walk *w)
{
	g_autofree char *reason = NULL;

	if (w->malformed)
		reason = g_strdup_printf("%s (and %u more)", w->complaint, w->malformed - 1);
	else if (w->unreadable)
		reason = g_strdup_printf("configuration space of %u functions: %s (run as root)",
					 w->unreadable, g_strerror(w->err));
	else if (w->cut)
		reason = g_strdup_printf("capabilities in configuration space of %u functions: only the first 64 bytes could be read (run as root)",
					 w->cut);
	else if (!w->uses)
		reason = g_strdup("what the host uses them for is not known (record by capbroker-probe)");
	/* a folder of files copied by hand may lack functions */
	probe_report(w->context, &pci_probe, reason ? "partial" : "ok", w->uses && w->count < DEVICES_MAX,
		     reason);
}

static void collect(struct context *context)
{
	struct walk w = { .context = context };
	int err;
	g_auto(GStrv) names = source_names(context->source, DEVICES, &err);
	g_autofree char *reason = NULL;

	if (!names) {
		reason = g_strdup_printf(DEVICES ": %s (is sysfs mounted, and is there a PCI bus?)",
					 g_strerror(err));
		probe_report(context, &pci_probe, probe_state_of(err), false, reason);
		return;
	}
	w.functions = g_new0(struct function, g_strv_length(names) + 1);
	w.uses = pci_use_read(context->source);
	w.groups = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	read_functions(&w, names);
	report(&w);
	for (size_t i = 0; i < w.count; i++)
		g_free(w.functions[i].driver);
	g_free(w.functions);
	g_free(w.complaint);
	g_hash_table_destroy(w.groups);
	g_clear_pointer(&w.uses, g_array_unref);
}

const struct probe pci_probe = {
	.name = "pci",
	.help = "PCI functions: identity, driver, group, configuration space, whether guests can have them",
	.needs = "iommu",
	.local = true,
	.view = VIEWS,
	.percent = 20,
	.collect = collect,
};
