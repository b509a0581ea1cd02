/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-backing.c: kinds of memory that a definition asks for and a host must have: huge pages of
 * a size, NUMA nodes, blocks of hot-plugged memory. How much is free is capacity, and not judged.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "guest/xml-functions.h"
#include "judge/judgement.h"

#define MAX_LIST 1024u

/* A host's set of names, or NULL where it isn't known. */
static const json_t *known_set(const struct judgement *j, const char *id)
{
	const struct fact *fact = profile_fact_any(j->target.profile, id);

	return fact && fact->state == FACT_KNOWN && json_is_array(fact->value) ? fact->value : NULL;
}

static bool set_has(const json_t *set, const char *name)
{
	const json_t *member;
	size_t i;

	json_array_foreach (set, i, member)
		if (!g_strcmp0(json_string_value(member), name))
			return true;
	return false;
}

static void add(struct judgement *j, enum verdict verdict, unsigned int on, const struct xml_node *node,
		const char *capability, const char *need, const json_t *have, char *text, const char *fix)
{
	struct finding *f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, on, xml_path(node), text,
					g_strdup(fix));

	f->capability = capability;
	finding_item(f->need, capability, json_string(need));
	finding_item(f->have, capability, have ? json_deep_copy(have) : json_null());
}

/* --- huge pages ------------------------------------------------------------------------------- */

static bool from_memfd(const struct judgement *j)
{
	const struct xml_node *source = xml_at(xml_root(j->needs->definition), "memoryBacking/source");

	return !g_strcmp0(xml_attr(source, "type"), "memfd");
}

/* Where hugetlbfs must be mounted; @kib: NULL for the default size. */
static void need_mount(struct judgement *j, const struct xml_node *node, const char *kib)
{
	const json_t *mounted = known_set(j, "memory.hugetlbfs");

	if (mounted && (kib ? set_has(mounted, kib) : json_array_size(mounted) > 0))
		return;
	if (mounted)
		add(j, V_BLOCK, ON_BOTH, node, "memory.hugetlbfs", kib ? kib : "any", mounted,
		    g_strdup_printf("hugetlbfs isn't mounted there for pages of %s%s", kib ? kib : "the default size",
				    kib ? " KiB" : ""),
		    "mount hugetlbfs there with that pagesize= (and tell libvirt: hugetlbfs_mount)");
	else
		add(j, V_UNKNOWN, ON_BOTH, node, "memory.hugetlbfs", kib ? kib : "any", NULL,
		    g_strdup("whether hugetlbfs is mounted there isn't known"),
		    "run 'capbroker probe' on the host");
}

static void need_pages(struct judgement *j, const struct xml_node *node, double size)
{
	const json_t *sizes = known_set(j, "memory.huge-page");
	g_autofree char *kib = g_strdup_printf("%.0f", size);

	if (size <= 4)
		return; /* ordinary pages */
	if (sizes && !set_has(sizes, kib)) {
		add(j, V_BLOCK, ON_ALL, node, "memory.huge-page", kib, sizes,
		    g_strdup_printf("the host has no huge pages of %s KiB", kib),
		    "use a size that it has, or boot it with hugepagesz=");
		return;
	}
	if (!from_memfd(j))
		need_mount(j, node, kib);
	else if (!sizes)
		add(j, V_UNKNOWN, ON_ALL, node, "memory.huge-page", kib, NULL,
		    g_strdup_printf("whether the host has huge pages of %s KiB isn't known", kib),
		    "run 'capbroker probe' on the host");
}

static void check_huge_pages(struct judgement *j, const struct xml_node *domain)
{
	const struct xml_node *huge = xml_at(domain, "memoryBacking/hugepages");
	const struct xml_node *page = xml_child(huge, "page");

	if (huge && !page)
		need_mount(j, huge, NULL);
	for (; page; page = xml_same(page)) {
		const char *unit = xml_attr(page, "unit"), *size = xml_attr(page, "size");
		double kib = xml_size_kib(size ? size : "", unit ? unit : "");

		if (!isnan(kib))
			need_pages(j, page, kib);
	}
	for (const struct xml_node *m = xml_at(domain, "devices/memory"); m; m = xml_same(m)) {
		const struct xml_node *size = xml_at(m, "source/pagesize");
		const char *unit = xml_attr(size, "unit");
		double kib = size ? xml_size_kib(size->text, unit ? unit : "") : NAN;

		if (!isnan(kib))
			need_pages(j, size, kib);
	}
}

/* --- NUMA ------------------------------------------------------------------------------------- */

/* The first node of the list that the host hasn't, or -1; -2 where it is no list. */
static int missing_node(const char *list, const json_t *nodes)
{
	g_autofree bool *listed = g_new0(bool, MAX_LIST);

	if (!xml_list_numbers(list, listed, MAX_LIST))
		return -2;
	for (unsigned int n = 0; n < MAX_LIST; n++) {
		g_autofree char *name = listed[n] ? g_strdup_printf("%u", n) : NULL;

		if (name && !set_has(nodes, name))
			return (int)n;
	}
	return -1;
}

static void need_nodes(struct judgement *j, const struct xml_node *node, const char *list)
{
	const json_t *nodes = known_set(j, "numa.node");
	json_t *first = json_pack("[s]", "0"); /* which every host has */
	int missing = list && *list ? missing_node(list, nodes ? nodes : first) : -1;

	json_decref(first);
	if (missing < 0)
		return;
	if (!nodes) {
		add(j, V_UNKNOWN, ON_BOTH, node, "numa.node", list, NULL,
		    g_strdup_printf("whether the host has the NUMA nodes %s isn't known", list),
		    "run 'capbroker probe' on the host, or import its capabilities");
		return;
	}
	add(j, V_BLOCK, ON_BOTH, node, "numa.node", list, nodes,
	    g_strdup_printf("the host has no NUMA node %d", missing),
	    "name nodes that it has, or leave the placement to the host");
}

static void check_nodes(struct judgement *j, const struct xml_node *domain)
{
	const struct xml_node *tune = xml_child(domain, "numatune");
	const struct xml_node *memory = xml_child(tune, "memory");

	if (memory && g_strcmp0(xml_attr(memory, "placement"), "auto"))
		need_nodes(j, memory, xml_attr(memory, "nodeset"));
	for (const struct xml_node *m = xml_child(tune, "memnode"); m; m = xml_same(m))
		need_nodes(j, m, xml_attr(m, "nodeset"));
	for (const struct xml_node *m = xml_at(domain, "devices/memory"); m; m = xml_same(m)) {
		const struct xml_node *mask = xml_at(m, "source/nodemask");

		if (mask)
			need_nodes(j, mask, mask->text);
	}
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* virtio-mem hands out blocks of no less than a transparent huge page. */
static void check_blocks(struct judgement *j, const struct xml_node *domain)
{
	const struct fact *thp = profile_fact_any(j->target.profile, "memory.thp-size");
	double least = thp && thp->state == FACT_KNOWN ? json_number_value(thp->value) / 1024 : 0;

	for (const struct xml_node *m = xml_at(domain, "devices/memory"); m; m = xml_same(m)) {
		const struct xml_node *block = xml_at(m, "target/block");
		const char *unit = xml_attr(block, "unit");
		double kib = block ? xml_size_kib(block->text, unit ? unit : "") : NAN;
		g_autofree char *need = g_strdup_printf("%.0f", kib);

		if (isnan(kib) || kib >= least || g_strcmp0(xml_attr(m, "model"), "virtio-mem"))
			continue;
		add(j, V_BLOCK, ON_BOTH, block, "memory.thp-size", need, thp->value,
		    g_strdup_printf("virtio-mem's blocks of %s KiB are smaller than the host's transparent huge pages (%.0f KiB)",
				    need, least),
		    "define larger blocks");
	}
}

void check_backing(struct judgement *j)
{
	guint before = j->out->findings->len;
	const struct xml_node *domain;

	check_rules(j);
	if (!j->needs->definition || j->out->findings->len > before)
		return;
	domain = xml_root(j->needs->definition);
	if (cpu_by_libvirt(j))
		check_nodes(j, domain);
	if (j->out->findings->len == before)
		check_huge_pages(j, domain);
	if (j->out->findings->len == before && cpu_by_libvirt(j))
		check_blocks(j, domain);
}
