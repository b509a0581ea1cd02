/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-memory.c: does what a PC maps (memory, room for hot-plug, PCI devices) fit the addresses
 * that its CPU has? QEMU reckons so at the start (7.2.0 and 10.0.13: hw/i386/pc.c,
 * pc_max_used_gpa) and refuses what doesn't.
 */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"
#include "judge/rule-host.h"
#include "judge/viommu.h"

#define GIB_KIB 1048576ull
#define DEFAULT_BITS 40u    /* of a 64-bit CPU, with either accelerator */
#define AMD_HOLE_GIB 1012u  /* from there AMD keeps addresses for itself; memory moves to 1 TiB */
#define AMD_HOLE_SINCE "7.1"
#define TOP_MAX_KIB (1ull << 53)

/* What the machine type keeps for PCI devices above all memory, in GiB; 0: another kind. */
static unsigned int hole_gib(const char *family)
{
	return !strcmp(family, "q35") ? 32 : !strcmp(family, "i440fx") ? 2 : 0;
}

/* The version in a machine type's name, "0" where it has none. */
static const char *machine_version(const struct judgement *j)
{
	const char *dash = j->target.machine ? strrchr(j->target.machine, '-') : NULL;

	return dash && g_ascii_isdigit(dash[1]) ? dash + 1 : "0";
}

static bool asks_for(const struct judgement *j, const char *id)
{
	int bit = universe_bit(j->judge->universe, id, FALSE);

	return bit >= 0 && (size_t)bit < j->cpu->words * 64 && bits_test(j->cpu->require, (size_t)bit);
}

/*
 * 36 where it has pages of 4 MiB beyond 4 GiB (PSE36), from 8.2 on also with PAE alone, else 32
 * (target/i386/cpu.c, x86_cpu_realizefn of 7.2.0 and 10.0.13; n270 was seen to change between 7.2.22
 * and 10.0.13).
 */
unsigned int cpu_32_bit_width(const struct judgement *j, const char *qemu)
{
	if (asks_for(j, "cpu.pse36"))
		return 36;
	return qemu && version_compare(qemu, "8.2") >= 0 && asks_for(j, "cpu.pae") ? 36 : 32;
}

uint64_t guest_phys_bits(const struct judgement *j)
{
	const struct cpu_def *def = j->cpu ? j->cpu->def : j->needs->cpu;
	bool kvm = !g_strcmp0(j->needs->accel, "kvm");
	uint64_t bits;

	if (!def)
		return DEFAULT_BITS;
	if (def->phys_mode == 1)
		return def->phys_bits;
	if (def->phys_mode == 2) {
		bits = host_number(j, "cpu.phys-bits");
		return def->phys_limit && bits > def->phys_limit ? def->phys_limit : bits;
	}
	if (def->mode == CPU_HOST_MODEL || (j->cpu && cpu_is_minimum(j)))
		return 0;
	if (def->mode == CPU_HOST_PASSTHROUGH || def->mode == CPU_MAXIMUM)
		return kvm ? host_number(j, "cpu.phys-bits") : DEFAULT_BITS;
	if (def->model && (!j->cpu || !j->cpu->model))
		return 0;
	return def->model && cpu_only_32_bit(j) ? cpu_32_bit_width(j, target_qemu_version(&j->target)) : DEFAULT_BITS;
}

/* KiB of hot-pluggable devices that the definition has already, which count in its memory. */
static unsigned long long devices_kib(const struct xml_node *domain)
{
	unsigned long long sum = 0, size;

	for (const struct xml_node *device = xml_at(domain, "devices/memory"); device;
	     device = xml_same(device))
		if (needs_size_kib(xml_at(device, "target/size"), &size) && size < TOP_MAX_KIB)
			sum += size;
	return sum;
}

/* Where memory that hot-plug may add ends, given where other memory does. */
static unsigned long long with_room(const struct xml_node *domain, unsigned long long ram,
				    unsigned long long end)
{
	const struct xml_node *room = xml_child(domain, "maxMemory");
	const char *slots = xml_attr(room, "slots");
	unsigned long long most;

	if (!room || !needs_size_kib(room, &most) || most <= ram || most > TOP_MAX_KIB)
		return end;
	end = (end + GIB_KIB - 1) / GIB_KIB * GIB_KIB;
	return end + most - ram + (slots ? MIN(g_ascii_strtoull(slots, NULL, 10), 256u) : 0) * GIB_KIB;
}

/*
 * With a 32-bit CPU: 8.2 no longer counts a PCI hole, and nothing at all for machine types before
 * it; older ones count as for others, but nothing where the CPU has 32 bits.
 */
static bool counts_hole(const struct judgement *j, bool *counts)
{
	const char *qemu = target_qemu_version(&j->target);

	*counts = true;
	if (!j->cpu || !j->cpu->model || !cpu_only_32_bit(j))
		return true;
	if (qemu && version_compare(qemu, "8.2") >= 0)
		*counts = version_compare(machine_version(j), "8.2") >= 0;
	else
		*counts = qemu && cpu_32_bit_width(j, target_qemu_version(&j->target)) > 32;
	return !qemu || version_compare(qemu, "8.2") < 0;
}

/* The last KiB that is mapped, 0 where that isn't known. */
static unsigned long long top_kib(const struct judgement *j, const char *family)
{
	const struct xml_node *domain = xml_root(j->needs->definition);
	unsigned long long ram = j->needs->memory_kib, taken = devices_kib(domain), below, end, hole;
	const struct xml_node *hole64 = xml_at(domain, "devices/controller/pcihole64");
	bool q35 = !strcmp(family, "q35"), counts, with_hole = counts_hole(j, &counts);

	ram = ram > taken ? ram - taken : ram;
	if (!ram || ram > TOP_MAX_KIB || !counts)
		return 0;
	below = q35 ? (ram >= 0xb0000000ull / 1024 ? 2 * GIB_KIB : ram) :
		      (ram >= 0xe0000000ull / 1024 ? 3 * GIB_KIB : ram);
	end = with_room(domain, ram, 4 * GIB_KIB + ram - below);
	hole = hole_gib(family) * GIB_KIB;
	if (hole64 && (!needs_size_kib(hole64, &hole) || hole > TOP_MAX_KIB))
		return 0;
	return with_hole ? (end + GIB_KIB - 1) / GIB_KIB * GIB_KIB + hole : end;
}

/* May the guest's CPU be AMD's, whose addresses below 1 TiB aren't all to be had? */
static bool may_be_amd(const struct judgement *j)
{
	const char *vendor = j->cpu && j->cpu->model ? j->cpu->model->vendor : NULL;

	return g_strcmp0(vendor, "Intel") && version_compare(machine_version(j), AMD_HOLE_SINCE) >= 0;
}

unsigned long long guest_top_kib(const struct judgement *j)
{
	const char *family = machine_family(j->target.machine);

	return j->needs->definition && j->target.machine && hole_gib(family) ? top_kib(j, family) : 0;
}

/* A DIMM that was given an address stands where QEMU keeps room for DIMMs, or QEMU refuses it. */
static void check_dimms(struct judgement *j)
{
	const struct dma *dma = dma_of(j->needs);
	struct value_range room;
	const struct dma_dimm *d = dma && dma->dimms->len ? guest_dimm_misplaced(j, dma, &room) : NULL;

	if (d)
		finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup_printf("%s/address/@base", d->where),
			    g_strdup_printf("a memory device at 0x%" G_GINT64_MODIFIER "x is outside of the room for them, 0x%" G_GINT64_MODIFIER "x-0x%" G_GINT64_MODIFIER "x",
					    d->base, room.first, room.last),
			    g_strdup("leave its address out"));
}

void check_address_space(struct judgement *j)
{
	const char *family = machine_family(j->target.machine);
	uint64_t bits;
	unsigned long long top;
	bool fits, certain = true;
	struct finding *f;

	if (!j->needs->definition || !j->target.machine || !hole_gib(family))
		return;
	check_dimms(j);
	bits = guest_phys_bits(j);
	top = top_kib(j, family);
	if (!bits || bits > 52 || !top)
		return;
	fits = bits > 10 && top <= 1ull << (bits - 10);
	if (fits && top > AMD_HOLE_GIB * GIB_KIB && may_be_amd(j)) {
		fits = bits > DEFAULT_BITS;
		certain = false;
	}
	if (fits)
		return;
	f = finding_add(j, certain ? V_BLOCK : V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
			g_strdup(xml_at(xml_root(j->needs->definition), "maxMemory") ?
					 "/domain/maxMemory" : "/domain/memory"),
			g_strdup_printf("memory and what is mapped above it end at %llu GiB, and the guest's CPU has %" G_GUINT64_FORMAT " address bits%s",
					top / GIB_KIB, bits,
					certain ? "" : ", of which AMD's keep some below 1 TiB for themselves"),
			g_strdup("give it more by <maxphysaddr>, or less memory and room"));
	f->capability = "cpu.phys-bits";
	finding_item(f->have, "cpu.phys-bits", json_integer((json_int_t)bits));
}
