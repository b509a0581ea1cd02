/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * level-viommu.c: the virtual IOMMU of a level's guests; see level.h.
 *
 * Intel's is what x86 guests get, on AMD's processors too: the kernel maps for its devices whatever
 * the host's IOMMU is, and guests with QEMU's AMD IOMMU (without a pci-id of its own) can't migrate.
 * Properties that QEMU would choose by machine type, or by its interrupt controller, are all written.
 */
#include "config.h"

#include <string.h>

#include "model/document.h"
#include "model/value.h"
#include "plan/baseline-meet.h"
#include "plan/level.h"

enum { NARROW = 39, WIDE = 48 }; /* widths that QEMU's Intel IOMMU can have */

/* A host's own value; false where it is not known. */
static bool own_number(const struct profile *p, const char *id, uint64_t *number)
{
	const struct fact *fact = profile_fact_any(p, id);
	struct value value;
	bool known = fact && fact->cap >= 0 && baseline_fact_value(fact, &value);

	if (!known)
		return false;
	*number = value.type == CAP_BOOL ? value.truth : value.number;
	value_clear(&value);
	return true;
}

/* Can devices behind a virtual IOMMU of that width be mapped for (0: any width): 1, 0, -1? */
static int maps(const struct profile *p, uint64_t width)
{
	uint64_t translates, bits;

	if (own_number(p, "iommu.translation", &translates) && !translates)
		return 0;
	if (!width)
		return own_number(p, "iommu.translation", &translates) ? 1 : -1;
	if (own_number(p, "iommu.address-bits", &bits) && bits < width)
		return 0;
	return own_number(p, "iommu.translation", &translates) && own_number(p, "iommu.address-bits", &bits) ? 1 :
													       -1;
}

int level_viommu_fits(const json_t *group, const struct profile *p)
{
	const json_t *viommu = json_object_get(group, "viommu");
	const json_t *width = json_object_get(json_object_get(viommu, "properties"), "aw-bits");

	if (!member_text(viommu, "model") || g_strcmp0(member_text(viommu, "stage"), "shadow"))
		return 1;
	return maps(p, (uint64_t)json_integer_value(width));
}

/* Says which hosts keep a property from more; @classes is unref'd. */
static void limit(json_t *to, const struct baseline *b, const char *property, bool known, GPtrArray *classes)
{
	g_autoptr(GPtrArray) members = baseline_members(b, classes);
	json_t *hosts = json_array();

	for (guint i = 0; i < members->len; i++)
		json_array_append_new(hosts, json_string(((struct host *)members->pdata[i])->name));
	if (members->len)
		json_array_append_new(to, json_pack("{s:s, s:b, s:O, s:i}", "property", property, "known", (int)known,
						    "hosts", hosts, "hosts_n", (int)members->len));
	json_decref(hosts);
	g_ptr_array_unref(classes);
}

/* The classes of which maps() says so. */
static GPtrArray *that_map(const struct baseline *b, uint64_t width, int what)
{
	GPtrArray *classes = g_ptr_array_new();

	for (guint i = 0; i < b->classes->len; i++) {
		struct host_class *c = g_ptr_array_index(b->classes, i);

		if (maps(c->profile, width) == what)
			g_ptr_array_add(classes, c);
	}
	return classes;
}

static const char *stage_of(const struct baseline *b, uint64_t width, json_t *limits)
{
	GPtrArray *lack = that_map(b, width, 0), *unknown = that_map(b, width, -1);
	const char *stage = lack->len ? "emulated" : unknown->len ? "unknown" : "shadow";

	limit(limits, b, "stage", true, lack);
	limit(limits, b, "stage", false, unknown);
	return stage;
}

static bool all_nest(const struct baseline *b)
{
	uint64_t nests;

	for (guint i = 0; i < b->classes->len; i++) {
		const struct host_class *c = g_ptr_array_index(b->classes, i);

		if (!own_number(c->profile, "iommu.nested", &nests) || !nests)
			return false;
	}
	return true;
}

json_t *level_viommu(const struct baseline *b, const char *machine)
{
	bool intel = machine && g_str_has_prefix(machine, "pc-q35-");
	bool arm = machine && b->family == ARCH_ARM64 && g_str_has_prefix(machine, "virt");
	json_t *limits, *properties;
	const char *stage;
	bool wide = intel;

	if (!intel && !arm)
		return json_null();
	for (guint i = 0; i < b->classes->len && wide; i++)
		wide = maps(((struct host_class *)b->classes->pdata[i])->profile, WIDE) == 1;
	limits = json_array();
	stage = stage_of(b, intel ? NARROW : 0, limits);
	if (intel && !wide)
		limit(limits, b, "aw-bits", true, that_map(b, WIDE, 0));
	if (intel && !wide)
		limit(limits, b, "aw-bits", false, that_map(b, WIDE, -1));
	properties = intel ? json_pack("{s:i, s:s, s:s, s:s, s:s}", "aw-bits", wide ? WIDE : NARROW, "caching-mode",
				       "on", "intremap", "on", "eim", "off", "device-iotlb", "off") :
			     json_object();
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "model", intel ? "intel" : "smmuv3", "stage", stage, "could",
			 !strcmp(stage, "shadow") && all_nest(b) ? "exact" : stage, "properties", properties,
			 "limits", limits);
}
