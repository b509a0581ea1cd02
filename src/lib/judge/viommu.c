/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* viommu.c: see viommu.h. */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "judge/viommu.h"
#include "model/value.h"

enum { DEVICE, PROPERTY, SPELLING, SINCE, UNTIL, MACHINE, DEFAULT, VALUES, COLUMNS };

static const char *const column_names[COLUMNS] = { "device", "property", "spelling", "since",
						   "until", "machine", "default", "values" };

static guint rows(const struct tables *tables)
{
	return tables && tables->viommu ? tables->viommu->rows->len : 0;
}

static const char *cell(const struct tables *tables, guint row, int column)
{
	const struct table *t = tables->viommu;
	int place = table_column(t, column_names[column]);

	return place < 0 ? "-" : ((char **)g_ptr_array_index(t->rows, row))[place];
}

static bool is(const struct tables *tables, guint row, int column, const char *text)
{
	return !strcmp(cell(tables, row, column), text);
}

void viommu_scope_init(struct viommu_scope *s, const struct needs *needs,
		       const struct target *target, const struct tables *tables)
{
	const char *name = target->machine ? target->machine : needs->machine;
	const char *family = machine_family(name);
	const char *dash = name ? strrchr(name, '-') : NULL;

	*s = (struct viommu_scope){ .needs = needs, .dma = dma_of(needs), .target = target, .tables = tables };
	s->qemu = target_qemu_version(target);
	s->family = !strcmp(family, "q35") || !strcmp(family, "i440fx") ? "pc" : family;
	s->version = dash && g_ascii_isdigit(dash[1]) ? dash + 1 : s->qemu;
}

bool qemu_from(const struct viommu_scope *s, const char *version)
{
	return s->qemu && version_compare(s->qemu, version) >= 0;
}

bool qemu_before(const struct viommu_scope *s, const char *version)
{
	return s->qemu && version_compare(s->qemu, version) < 0;
}

/* A release such as 10.2 holds all that is called 10.2.something. */
static bool until_holds(const char *qemu, const char *until)
{
	size_t n = strlen(until);

	return !strcmp(until, "-") || version_compare(qemu, until) <= 0 ||
	       (!strncmp(qemu, until, n) && qemu[n] == '.');
}

static bool of_version(const struct viommu_scope *s, guint row)
{
	const char *since = cell(s->tables, row, SINCE);

	return s->qemu && (!strcmp(since, "-") || version_compare(s->qemu, since) >= 0) &&
	       until_holds(s->qemu, cell(s->tables, row, UNTIL));
}

/* "-", "virt", "pc<=9.1" */
static bool of_machine(const struct viommu_scope *s, guint row)
{
	const char *machine = cell(s->tables, row, MACHINE), *most = strstr(machine, "<=");
	size_t n = most ? (size_t)(most - machine) : strlen(machine);

	if (!strcmp(machine, "-"))
		return true;
	return strlen(s->family) == n && !strncmp(machine, s->family, n) &&
	       (!most || (s->version && until_holds(s->version, most + 2)));
}

const char *viommu_canonical(const struct tables *tables, const char *device, const char *spelling)
{
	for (guint i = 0; i < rows(tables); i++)
		if (is(tables, i, DEVICE, device) && strcmp(spelling, "-") &&
		    (is(tables, i, SPELLING, spelling) || is(tables, i, PROPERTY, spelling)))
			return cell(tables, i, PROPERTY);
	return NULL;
}

/* What the definition says of a property, however it spells it. */
static const struct dma_property *written(const struct viommu_scope *s, const struct dma_viommu *v,
					  const char *property)
{
	const struct dma_property *last = NULL;

	for (guint i = 0; i < v->properties->len; i++) {
		const struct dma_property *p = &g_array_index(v->properties, struct dma_property, i);
		const char *name = viommu_canonical(s->tables, v->device, p->name);

		if (!g_strcmp0(name, property))
			last = p;
	}
	return last;
}

/* Is all of the interrupt controller in the kernel, so that nothing can be remapped? */
static bool irqchip_all_kernel(const struct viommu_scope *s)
{
	return !g_strcmp0(s->needs->accel, "kvm") && (!s->dma->irqchip || !strcmp(s->dma->irqchip, "on"));
}

static bool irqchip_in_kernel(const struct viommu_scope *s)
{
	return !g_strcmp0(s->needs->accel, "kvm") && g_strcmp0(s->dma->irqchip, "off");
}

/* What QEMU makes of "auto" and "host". */
static const char *resolve(const struct viommu_scope *s, const struct dma_viommu *v,
			   const char *property, const char *value)
{
	if (!strcmp(value, "auto") && !strcmp(property, "intremap"))
		return irqchip_all_kernel(s) ? "off" : "on";
	if (!strcmp(value, "auto") && !strcmp(property, "eim")) {
		if (!viommu_is(s, v, "intremap", "on"))
			return "off";
		return irqchip_in_kernel(s) || viommu_is(s, v, "buggy-eim", "on") ? "on" : "off";
	}
	/* x86 has pages of 4 KiB; on Arm the host's kernel decides */
	if (!strcmp(value, "host") && !strcmp(property, "granule"))
		return !strcmp(s->family, "pc") ? "4k" : NULL;
	return value;
}

const char *viommu_value(const struct viommu_scope *s, const struct dma_viommu *v, const char *property)
{
	const struct dma_property *p = written(s, v, property);
	bool named = false;

	if (p)
		return resolve(s, v, property, p->value);
	for (guint i = 0; i < rows(s->tables); i++) {
		if (!is(s->tables, i, DEVICE, v->device) || !is(s->tables, i, PROPERTY, property))
			continue;
		named = !is(s->tables, i, SPELLING, "-");
		if (of_version(s, i) && of_machine(s, i))
			return resolve(s, v, property, cell(s->tables, i, DEFAULT));
	}
	return named && s->qemu ? "absent" : NULL;
}

const char *viommu_id(const struct dma_viommu *v, const char *property)
{
	static const char *const rooms[][2] = { { "amd-iommu", "amd" }, { "arm-smmuv3", "smmuv3" },
						{ "intel-iommu", "intel" }, { "virtio-iommu-pci", "virtio" } };

	for (size_t i = 0; property && i < G_N_ELEMENTS(rooms); i++) {
		g_autofree char *id = g_strdup_printf("viommu.%s.%s", rooms[i][1], property);
		int cap = strcmp(rooms[i][0], v->device) ? -1 : cap_find(id);

		if (cap >= 0)
			return cap_table[cap].id;
	}
	return "viommu.model";
}

bool viommu_is(const struct viommu_scope *s, const struct dma_viommu *v, const char *property,
	       const char *value)
{
	return !g_strcmp0(viommu_value(s, v, property), value);
}

int viommu_row(const struct viommu_scope *s, const struct dma_viommu *v, const char *name)
{
	bool named = false;

	for (guint i = 0; i < rows(s->tables); i++) {
		if (!is(s->tables, i, DEVICE, v->device) || !is(s->tables, i, SPELLING, name))
			continue;
		named = true;
		if (of_version(s, i) && of_machine(s, i))
			return (int)i;
	}
	return named && s->qemu ? -1 : -2;
}

bool viommu_takes(const struct tables *tables, int row, const char *value)
{
	g_auto(GStrv) values = g_strsplit(cell(tables, (guint)row, VALUES), " ", -1);
	bool flag = g_strv_contains((const char *const *)values, "on");
	const char *dots = strstr(values[0], "..");
	guint64 n;

	if (dots)
		return g_ascii_string_to_unsigned(value, 10, g_ascii_strtoull(values[0], NULL, 10),
						  g_ascii_strtoull(dots + 2, NULL, 10), &n, NULL);

	return !strcmp(values[0], "-") || g_strv_contains((const char *const *)values, value) ||
	       (flag && (!strcmp(value, "true") || !strcmp(value, "false") || !strcmp(value, "yes") ||
			 !strcmp(value, "no")));
}

const struct dma_viommu *viommu_before(const struct dma *dma, const struct dma_device *device)
{
	for (guint i = 0; i < dma->viommus->len; i++) {
		const struct dma_viommu *v = g_ptr_array_index(dma->viommus, i);

		if (v->place < device->place)
			return v;
	}
	return NULL;
}

static GArray *ranges_of(const GArray *facts)
{
	const struct fact *fact = facts_find(facts, "iommu.ranges", VIEWS);
	struct value value;
	GArray *copy;

	if (!fact || fact->state != FACT_KNOWN || !value_from_json(CAP_RANGES, fact->value, &value, NULL))
		return NULL;
	copy = g_array_ref(value.ranges);
	value_clear(&value);
	return copy;
}

GArray *host_ranges(const struct device *device)
{
	GArray *ranges = ranges_of(device->facts);

	return ranges || !device->unit ? ranges : ranges_of(device->unit->facts);
}

bool ranges_lack(const GArray *have, const struct value_range *need, uint64_t *at)
{
	uint64_t next = need->first;

	for (guint i = 0; i < have->len; i++) {
		const struct value_range *r = &g_array_index(have, struct value_range, i);

		if (r->first <= next && next <= r->last) {
			if (need->last <= r->last)
				return false;
			next = r->last + 1;
		}
	}
	*at = next;
	return true;
}

unsigned int ranges_bits(const GArray *ranges)
{
	uint64_t last = ranges->len ? g_array_index(ranges, struct value_range, ranges->len - 1).last :
				      UINT64_MAX;

	return last ? 64 - (unsigned int)__builtin_clzll(last) : 0;
}
