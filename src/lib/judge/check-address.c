/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-address.c: devices of a definition at addresses that can't be had: out of range, of a part
 * of the machine type, or taken by another device. Numbers in them may be hexadecimal and several
 * must be compared at once, which a rule's expression can't do.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"
#include "judge/rule-host.h"

#define MAX_DEVICES 4096u /* looked at */

/* Where a device wants to be. */
struct address {
	guint64 domain, bus, slot, function;
};

static bool read_number(const struct xml_node *node, const char *attribute, guint64 *number)
{
	const char *text = xml_attr(node, attribute);
	char *end = NULL;

	*number = text ? g_ascii_strtoull(text, &end, 0) : 0;
	return !text || (*text && !*end);
}

/* Returns false where it is none of PCI, is malformed, or says nothing: libvirt then chooses. */
static bool read_pci(const struct xml_node *device, struct address *a)
{
	const struct xml_node *node = xml_child(device, "address");

	return !g_strcmp0(xml_attr(node, "type"), "pci") && read_number(node, "domain", &a->domain) &&
	       read_number(node, "bus", &a->bus) && read_number(node, "slot", &a->slot) &&
	       read_number(node, "function", &a->function) &&
	       (a->domain || a->bus || a->slot || a->function);
}

static void refuse(struct judgement *j, const struct xml_node *device, char *text, const char *fix)
{
	g_autofree char *path = xml_path(device);
	struct finding *f;

	f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_BOTH | ON_QEMU,
			g_strconcat(path, "/address", NULL), text, g_strdup(fix));
	f->origin = g_strdup("libvirt 9.0.0 11.3.0: virDomainPCIAddressValidate, "
			     "virDomainDefDuplicateDriveAddressesValidate");
}

/* The model of the PCI controller of an index; NULL: none is written. */
static const char *bus_model(const struct xml_node *devices, guint64 index)
{
	for (const struct xml_node *c = xml_child(devices, "controller"); c; c = xml_same(c)) {
		guint64 is;

		if (!g_strcmp0(xml_attr(c, "type"), "pci") && xml_attr(c, "index") &&
		    read_number(c, "index", &is) && is == index)
			return xml_attr(c, "model");
	}
	return NULL;
}

static bool is_controller(const struct xml_node *device, const char *type)
{
	const char *index = xml_attr(device, "index");

	return !strcmp(device->name, "controller") && !g_strcmp0(xml_attr(device, "type"), type) &&
	       (!index || !strcmp(index, "0"));
}

/* Devices that the machine type has at fixed places. */
static bool is_reserved(const char *family, const struct xml_node *device, const struct address *a)
{
	const char *model = xml_attr(device, "model");

	if (a->bus)
		return false;
	if (!strcmp(family, "q35") && a->slot == 0x1f)
		return a->function == 0 || a->function == 3 ||
		       (a->function == 2 && !is_controller(device, "sata"));
	if (!strcmp(family, "i440fx") && a->slot == 1)
		return a->function == 0 || a->function == 3 ||
		       (a->function == 1 && !is_controller(device, "ide")) ||
		       (a->function == 2 && is_controller(device, "usb") && model &&
			strcmp(model, "piix3-uhci") && strcmp(model, "piix4-uhci"));
	return false;
}

/* A port has one slot, 0; of other buses that one is the bus's own. */
static const char *slot_trouble(const char *model, guint64 slot)
{
	static const char *const ports[] = { "pcie-root-port", "pcie-switch-downstream-port", NULL };
	static const char *const bridges[] = { "pci-root", "pcie-root", "pci-bridge",
					       "pcie-to-pci-bridge", NULL };

	if (model && slot && g_strv_contains(ports, model))
		return "has slot 0 only";
	return model && !slot && g_strv_contains(bridges, model) ? "has slots from 1 on" : NULL;
}

/* Returns true where the address was refused for what it is. */
static bool refuse_pci(struct judgement *j, const struct xml_node *devices,
		       const struct xml_node *device, const struct address *a)
{
	const char *family = machine_family(j->target.machine), *model = bus_model(devices, a->bus);
	const char *trouble;
	char *text = NULL;

	if (!model && a->bus && !strcmp(family, "i440fx"))
		model = "pci-bridge"; /* as libvirt adds them */
	trouble = slot_trouble(model, a->slot);

	if (a->domain)
		text = g_strdup_printf("there is PCI domain 0 only, not %#" G_GINT64_MODIFIER "x", a->domain);
	else if (a->bus > 255 || a->slot > 31 || a->function > 7)
		text = g_strdup("a PCI address goes up to bus 0xff, slot 0x1f, function 7");
	else if (trouble)
		text = g_strdup_printf("the PCI controller %" G_GUINT64_FORMAT " is a %s, which %s", a->bus,
				       model, trouble);
	else if (is_reserved(family, device, a))
		text = g_strdup_printf("the machine type has a device of its own at PCI slot %#" G_GINT64_MODIFIER
				       "x.%" G_GUINT64_FORMAT, a->slot, a->function);
	if (text)
		refuse(j, device, text, "leave the address out: libvirt finds a free one");
	return text != NULL;
}

/* What can't be twice: "PCI address 00:05.0"; NULL where the device has no such address. */
static char *place_of(const struct xml_node *device)
{
	const struct xml_node *node = xml_child(device, "address");
	const char *type = xml_attr(node, "type");
	struct address a;
	guint64 n[4];

	if (read_pci(device, &a))
		return g_strdup_printf("PCI address %02x:%02x.%x", (unsigned int)a.bus, (unsigned int)a.slot,
				       (unsigned int)a.function);
	if (!g_strcmp0(type, "drive") && !strcmp(device->name, "disk") &&
	    read_number(node, "controller", &n[0]) && read_number(node, "bus", &n[1]) &&
	    read_number(node, "target", &n[2]) && read_number(node, "unit", &n[3])) {
		const char *bus = xml_attr(xml_child(device, "target"), "bus");

		return bus ? g_strdup_printf("drive %s %u:%u:%u:%u", bus, (unsigned int)n[0],
					     (unsigned int)n[1], (unsigned int)n[2], (unsigned int)n[3]) :
			     NULL;
	}
	if (!g_strcmp0(type, "virtio-serial") && xml_attr(node, "port") &&
	    read_number(node, "controller", &n[0]) && read_number(node, "port", &n[1]) && n[1])
		return g_strdup_printf("port %u of virtio-serial controller %u", (unsigned int)n[1],
				       (unsigned int)n[0]);
	return NULL;
}

void check_addresses(struct judgement *j)
{
	const struct xml_node *devices;
	g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	guint n = 0;

	if (!j->needs->definition)
		return;
	devices = xml_child(xml_root(j->needs->definition), "devices");
	for (const struct xml_node *d = devices ? devices->children : NULL; d && n < MAX_DEVICES;
	     d = d->next, n++) {
		g_autofree char *place = place_of(d);
		struct address a;

		if (read_pci(d, &a) && refuse_pci(j, devices, d, &a))
			return;
		if (!place)
			continue;
		if (g_hash_table_contains(taken, place)) {
			refuse(j, d, g_strdup_printf("two devices are at %s", place),
			       "give each an address of its own, or leave it out");
			return;
		}
		g_hash_table_add(taken, g_steal_pointer(&place));
	}
}
