/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dma.c: see dma.h. */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "guest/dma.h"

#define PLUGGED UINT_MAX /* the place of what is plugged in */

static const struct {
	const char *model, *device;
} models[] = {
	{ "amd", "amd-iommu" },
	{ "intel", "intel-iommu" },
	{ "smmuv3", "arm-smmuv3" },
	{ "virtio", "virtio-iommu-pci" },
};

/* libvirt's attributes of <driver>, and what QEMU calls them. */
static const struct {
	const char *attribute, *property;
} attributes[] = {
	{ "aw_bits", "aw-bits" },	     { "caching_mode", "caching-mode" },
	{ "dma_translation", "dma-translation" }, { "eim", "eim" },
	{ "intremap", "intremap" },	     { "iotlb", "device-iotlb" },
	{ "passthrough", "pt" },	     { "xtsup", "xtsup" },
};

static void viommu_free(void *data)
{
	struct dma_viommu *v = data;

	g_free(v->where);
	g_array_unref(v->properties);
	g_free(v);
}

static void device_free(void *data)
{
	struct dma_device *d = data;

	g_free(d->address);
	g_free(d->where);
	g_free(d);
}

static void dimm_free(void *data)
{
	g_free(((struct dma_dimm *)data)->where);
	g_free(data);
}

static void property_clear(void *data)
{
	g_free(((struct dma_property *)data)->name);
	g_free(((struct dma_property *)data)->value);
}

static void dma_free(void *data)
{
	struct dma *dma = data;

	g_ptr_array_unref(dma->viommus);
	g_ptr_array_unref(dma->devices);
	g_ptr_array_unref(dma->dimms);
	g_free(dma->irqchip);
	g_free(dma);
}

const struct dma_property *dma_property(const struct dma_viommu *viommu, const char *name)
{
	const struct dma_property *last = NULL;

	for (guint i = 0; i < viommu->properties->len; i++) {
		const struct dma_property *p = &g_array_index(viommu->properties, struct dma_property, i);

		if (!strcmp(p->name, name))
			last = p;
	}
	return last;
}

static void set_property(struct dma_viommu *v, const char *name, const char *value, bool by_libvirt)
{
	struct dma_property p = { g_strdup(name), g_strdup(value), by_libvirt };

	g_array_append_val(v->properties, p);
}

static struct dma_viommu *add_viommu(struct dma *dma, const char *device, char *where, unsigned int place)
{
	struct dma_viommu *v = g_new0(struct dma_viommu, 1);

	*v = (struct dma_viommu){ .device = device, .where = where, .place = place };
	v->properties = g_array_new(FALSE, FALSE, sizeof(struct dma_property));
	g_array_set_clear_func(v->properties, property_clear);
	g_ptr_array_add(dma->viommus, v);
	return v;
}

/* <granule size='16' unit='KiB'/> or mode='host' */
static void read_granule(struct dma_viommu *v, const struct xml_node *granule)
{
	g_autofree char *text = NULL;
	unsigned long long kib;
	const char *size = xml_attr(granule, "size");

	if (!granule)
		return;
	if (!g_strcmp0(xml_attr(granule, "mode"), "host")) {
		set_property(v, "granule", "host", true);
	} else if (size) {
		const char *unit = xml_attr(granule, "unit");

		kib = g_ascii_strtoull(size, NULL, 10);
		if (unit && g_ascii_tolower(*unit) == 'b')
			kib /= 1024;
		text = g_strdup_printf("%lluk", kib);
		set_property(v, "granule", text, true);
	}
}

static void read_iommu(struct dma *dma, const struct xml_node *node, unsigned int place)
{
	const struct xml_node *driver = xml_child(node, "driver");
	const char *model = xml_attr(node, "model");
	struct dma_viommu *v = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
		if (!g_strcmp0(models[i].model, model))
			v = add_viommu(dma, models[i].device, xml_path(node), place);
	if (!v)
		return;
	/* libvirt makes the IOMMU's PCI function itself, which is what lets it move */
	if (!strcmp(v->device, "amd-iommu"))
		set_property(v, "pci-id", "iommu0", true);
	for (size_t i = 0; driver && i < G_N_ELEMENTS(attributes); i++) {
		const char *value = xml_attr(driver, attributes[i].attribute);

		if (value)
			set_property(v, attributes[i].property, value, true);
	}
	read_granule(v, xml_child(driver, "granule"));
}

static unsigned int hex(const struct xml_node *node, const char *name)
{
	const char *text = xml_attr(node, name);

	return text ? (unsigned int)(g_ascii_strtoull(text, NULL, 0) & 0xffff) : 0;
}

static struct dma_device *add_device(struct dma *dma, char *address, char *where, bool iommufd,
				     unsigned int place)
{
	struct dma_device *d = g_new0(struct dma_device, 1);

	*d = (struct dma_device){ .address = address, .where = where, .iommufd = iommufd,
				  .plugged = place == PLUGGED, .place = place };
	g_ptr_array_add(dma->devices, d);
	return d;
}

/* libvirt takes a device from the host's driver only where it is told to. */
static bool is_unmanaged(const struct xml_node *node)
{
	const char *managed = xml_attr(!strcmp(node->name, "disk") ? xml_child(node, "source") : node, "managed");

	return g_strcmp0(managed, "yes") != 0;
}

/* <hostdev>, <interface type='hostdev'> and <disk type='nvme'> name a PCI function of the host. */
static void read_device(struct dma *dma, const struct xml_node *node, bool iommufd, unsigned int place)
{
	const struct xml_node *source = xml_child(node, "source");
	const struct xml_node *address = xml_child(source, "address");
	const char *type = xml_attr(node, "type"), *own = xml_attr(xml_child(node, "driver"), "iommufd");
	bool mediated = !strcmp(node->name, "hostdev") && !g_strcmp0(type, "mdev");
	bool pci = (!strcmp(node->name, "hostdev") && !g_strcmp0(type, "pci")) ||
		   (!strcmp(node->name, "interface") && !g_strcmp0(type, "hostdev")) ||
		   (!strcmp(node->name, "disk") && !g_strcmp0(type, "nvme"));
	struct dma_device *d;
	char *name = NULL;

	if ((!pci && !mediated) || dma->devices->len >= DMA_MAX_DEVICES)
		return;
	if (own)
		iommufd = !strcmp(own, "yes");
	if (mediated)
		name = g_strdup(xml_attr(address, "uuid"));
	else if (address)
		name = g_strdup_printf("%04x:%02x:%02x.%x", hex(address, "domain"), hex(address, "bus") & 0xff,
				       hex(address, "slot") & 0x1f, hex(address, "function") & 7);
	d = add_device(dma, name, xml_path(node), iommufd, place);
	d->mediated = mediated;
	d->unmanaged = pci && is_unmanaged(node);
}

static void read_dimm(struct dma *dma, const struct xml_node *node, bool plugged)
{
	const char *base = xml_attr(xml_child(node, "address"), "base");
	unsigned long long kib;
	struct dma_dimm *dimm;

	if (!needs_size_kib(xml_at(node, "target/size"), &kib) || kib > G_MAXUINT64 / 1024 ||
	    dma->dimms->len >= DMA_MAX_DIMMS)
		return;
	dimm = g_new0(struct dma_dimm, 1);
	dimm->size = kib * 1024;
	dimm->where = xml_path(node);
	dimm->plugged = plugged;
	dimm->has_base = base && g_ascii_string_to_unsigned(g_str_has_prefix(base, "0x") ? base + 2 : base,
							    g_str_has_prefix(base, "0x") ? 16 : 10, 0,
							    G_MAXUINT64, &dimm->base, NULL);
	g_ptr_array_add(dma->dimms, dimm);
}

/* QEMU takes addresses without a domain too. NULL for NULL. */
static char *whole_address(const char *host)
{
	bool domain = host && strchr(host, ':') != strrchr(host, ':');

	return host && !domain ? g_strconcat("0000:", host, NULL) : g_strdup(host);
}

/* -device as QEMU is given it, told as attributes. */
static void read_argument(struct dma *dma, const struct xml_node *node, unsigned int place)
{
	const char *driver = xml_attr(node, "driver"), *host = xml_attr(node, "host");
	struct dma_viommu *v = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
		if (!g_strcmp0(models[i].device, driver))
			v = add_viommu(dma, models[i].device, xml_path(node), place);
	for (const struct xml_attribute *a = node->attributes; v && a; a = a->next)
		if (strcmp(a->name, "driver") && strcmp(a->name, "id"))
			set_property(v, a->name, a->value, false);
	if (!v && driver && g_str_has_prefix(driver, "vfio-pci") && dma->devices->len < DMA_MAX_DEVICES)
		add_device(dma, whole_address(host), xml_path(node), xml_attr(node, "iommufd") != NULL, place);
}

/* "256M" and its like. */
static uint64_t bytes_of(const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	uint64_t n = g_ascii_strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, g_ascii_toupper(*end)) : NULL;

	return unit && n < (1ull << 20) ? n << (10 * (unit - units + 1)) : n;
}

static void read_machine(struct dma *dma, const struct xml_node *node)
{
	const char *irqchip = xml_attr(node, "kernel-irqchip"), *below = xml_attr(node, "max-ram-below-4g");

	if (irqchip) {
		g_free(dma->irqchip);
		dma->irqchip = g_strdup(irqchip);
	}
	if (below)
		dma->max_below_4g = bytes_of(below);
}

static void read_arguments(struct dma *dma, const struct xml_node *line, unsigned int place)
{
	for (const struct xml_node *node = line ? line->children : NULL; node; node = node->next) {
		if (!strcmp(node->name, "qemu:device"))
			read_argument(dma, node, place++);
		else if (!strcmp(node->name, "qemu:machine"))
			read_machine(dma, node);
	}
}

/* What -global says holds for each device that doesn't say it itself. */
static void read_globals(struct dma *dma, const struct xml_node *line)
{
	for (const struct xml_node *node = xml_child(line, "qemu:global"); node; node = xml_same(node)) {
		for (guint i = 0; i < dma->viommus->len; i++) {
			struct dma_viommu *v = g_ptr_array_index(dma->viommus, i);
			const char *name = xml_attr(node, "property");

			if (!g_strcmp0(xml_attr(node, "driver"), v->device) && name &&
			    !dma_property(v, name))
				set_property(v, name, xml_attr(node, "value"), false);
		}
	}
}

/* <qemu:override>: libvirt's own IOMMUs are called iommu0, iommu1, … */
static void read_overrides(struct dma *dma, const struct xml_node *domain)
{
	const struct xml_node *device = xml_at(domain, "qemu:override/qemu:device");

	for (; device; device = xml_same(device)) {
		const struct xml_node *p = xml_at(device, "qemu:frontend/qemu:property");
		const char *alias = xml_attr(device, "alias");
		guint64 n;

		if (!alias || !g_str_has_prefix(alias, "iommu") ||
		    !g_ascii_string_to_unsigned(alias + 5, 10, 0, dma->viommus->len ? dma->viommus->len - 1 : 0,
						&n, NULL) ||
		    n >= dma->viommus->len)
			continue;
		for (; p; p = xml_same(p)) {
			const char *value = xml_attr(p, "value"), *name = xml_attr(p, "name");

			if (name && value)
				set_property(g_ptr_array_index(dma->viommus, n), name,
					     !strcmp(value, "true") ? "on" : !strcmp(value, "false") ? "off" : value,
					     false);
		}
	}
}

static struct dma *dma_new(const struct needs *needs)
{
	const struct xml_node *domain = xml_root(needs->definition);
	const struct xml_node *devices = xml_child(domain, "devices");
	const struct xml_node *line = xml_child(domain, "qemu:commandline");
	const char *ioapic = xml_attr(xml_at(domain, "features/ioapic"), "driver");
	bool iommufd = !g_strcmp0(xml_attr(xml_child(domain, "iommufd"), "enabled"), "yes");
	struct dma *dma = g_new0(struct dma, 1);
	unsigned int place = 1;

	dma->viommus = g_ptr_array_new_with_free_func(viommu_free);
	dma->devices = g_ptr_array_new_with_free_func(device_free);
	dma->dimms = g_ptr_array_new_with_free_func(dimm_free);
	if (!g_strcmp0(ioapic, "qemu"))
		dma->irqchip = g_strdup("split");
	else if (!g_strcmp0(ioapic, "kvm"))
		dma->irqchip = g_strdup("on");
	for (const struct xml_node *n = xml_child(devices, "iommu"); n; n = xml_same(n))
		read_iommu(dma, n, place++);
	read_overrides(dma, domain);
	for (const struct xml_node *n = devices ? devices->children : NULL; n; n = n->next) {
		bool plugged = needs->plugged && !n->next;

		if (!strcmp(n->name, "memory"))
			read_dimm(dma, n, plugged);
		else
			read_device(dma, n, iommufd, plugged ? PLUGGED : place++);
	}
	read_arguments(dma, line, place);
	read_globals(dma, line);
	return dma;
}

const struct dma *dma_of(const struct needs *needs)
{
	struct dma *dma = needs_memo(needs, "dma");

	if (!dma && needs->definition) {
		dma = dma_new(needs);
		needs_memo_set(needs, "dma", dma, dma_free);
	}
	return dma;
}
