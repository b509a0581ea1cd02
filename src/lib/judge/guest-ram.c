/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest-ram.c: where QEMU puts a guest's memory, all of which is mapped for an assigned device
 * before the guest runs.
 *
 * A PC's is split below 4 GiB (7.2.0 and 10.0.13: hw/i386/pc_q35.c, pc_piix.c), what is above starts
 * at 4 GiB, or, with an AMD processor and machine types from 7.1 on, at 1 TiB where it would reach
 * addresses that AMD keeps (pc.c, pc_set_amd_above_4g_mem_start); hot-plugged memory follows at the
 * next GiB. Of other machines only virt of Arm is known: from 1 GiB on, in one piece.
 */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "judge/viommu.h"
#include "model/value.h"

#define GIB (1ull << 30)
#define AMD_HOLE 0xfd00000000ull
#define TIB (1ull << 40)
#define MOST (1ull << 60)

static void add(GArray *ranges, uint64_t first, uint64_t size)
{
	struct value_range r = { first, first + size - 1 };

	if (size)
		g_array_append_val(ranges, r);
}

/* 1, 0 or -1: is the processor that the guest sees AMD's? */
static int is_amd(const struct judgement *j)
{
	const struct cpu_def *def = j->cpu ? j->cpu->def : j->needs->cpu;
	const struct offer *offer = j->target.judged;
	const char *vendor = def ? def->vendor : NULL;

	if (!vendor && !g_strcmp0(j->needs->accel, "kvm"))
		vendor = offer ? offer->vendor : NULL;
	else if (!vendor && (!def || !def->model || g_str_has_prefix(def->model, "qemu")))
		vendor = "AMD"; /* QEMU's own models are, and 'max' without KVM */
	else if (!vendor && j->cpu && j->cpu->model)
		vendor = j->cpu->model->vendor;
	return !vendor ? -1 : !strcmp(vendor, "AMD") || !strcmp(vendor, "Hygon");
}

static uint64_t dimm_bytes(const struct dma *dma)
{
	uint64_t sum = 0;

	for (guint i = 0; i < dma->dimms->len; i++)
		sum += MIN(((struct dma_dimm *)dma->dimms->pdata[i])->size, MOST / DMA_MAX_DIMMS);
	return sum;
}

/* Bytes below 4 GiB. */
static uint64_t below_4g(const struct dma *dma, const char *family, uint64_t ram)
{
	bool q35 = !strcmp(family, "q35");
	uint64_t limit = q35 ? (ram >= 0xb0000000ull ? 0x80000000ull : 0xb0000000ull) :
			       (ram >= 0xe0000000ull ? 0xc0000000ull : 0xe0000000ull);

	if (dma->max_below_4g && dma->max_below_4g < limit)
		limit = dma->max_below_4g;
	return MIN(ram, limit);
}

/* Hot-pluggable devices: where they were put, else one after the other. */
static void add_dimms(GArray *ranges, const struct dma *dma, uint64_t base)
{
	for (guint i = 0; i < dma->dimms->len; i++) {
		const struct dma_dimm *d = g_ptr_array_index(dma->dimms, i);

		if (d->size > MOST / DMA_MAX_DIMMS || (d->has_base && d->base > MOST))
			continue;
		add(ranges, d->has_base ? d->base : base, d->size);
		if (!d->has_base)
			base += d->size;
	}
}

/* A PC's memory: how much is below 4 GiB, where the rest starts, and the room for hot-plug. */
struct pc_layout {
	uint64_t below, start, room;
};

/* False where it isn't known whether the processor is AMD's. */
static bool lay_out(const struct judgement *j, const struct dma *dma, const char *family, uint64_t ram,
		    struct pc_layout *l)
{
	const char *dash = strrchr(j->target.machine, '-');
	bool moves = dash && g_ascii_isdigit(dash[1]) && version_compare(dash + 1, "7.1") >= 0 &&
		     guest_top_kib(j) > AMD_HOLE / 1024;
	int amd = moves ? is_amd(j) : 0;

	l->below = below_4g(dma, family, ram);
	l->start = amd ? TIB : 4 * GIB;
	l->room = (l->start + ram - l->below + GIB - 1) / GIB * GIB;
	return amd >= 0;
}

/* Without what DIMMs bring, which a definition counts in. */
static uint64_t ram_bytes(const struct judgement *j, const struct dma *dma)
{
	uint64_t ram = j->needs->memory_kib < MOST / 1024 ? j->needs->memory_kib * 1024 : 0;
	uint64_t plugged = dimm_bytes(dma);

	return ram > plugged ? ram - plugged : ram;
}

static GArray *pc_ram(const struct judgement *j, const struct dma *dma, const char *family, uint64_t ram,
		      const char **why)
{
	GArray *ranges = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	struct pc_layout l;

	if (!lay_out(j, dma, family, ram, &l)) {
		*why = "whether the guest's processor is AMD's, whose memory moves to 1 TiB, is not known";
		g_array_unref(ranges);
		return NULL;
	}
	add(ranges, 0, l.below);
	add(ranges, l.start, ram - l.below);
	add_dimms(ranges, dma, l.room);
	return ranges;
}

const struct dma_dimm *guest_dimm_misplaced(const struct judgement *j, const struct dma *dma,
					    struct value_range *room)
{
	const char *family = machine_family(j->target.machine);
	const struct xml_node *most = xml_child(xml_root(j->needs->definition), "maxMemory");
	const char *slots = xml_attr(most, "slots");
	unsigned long long kib;
	uint64_t ram = ram_bytes(j, dma);
	struct pc_layout l;

	if ((strcmp(family, "q35") && strcmp(family, "i440fx")) || !needs_size_kib(most, &kib) ||
	    kib > MOST / 1024 || kib * 1024 <= ram || !ram || !lay_out(j, dma, family, ram, &l))
		return NULL;
	/* a GiB more for each slot, for alignment */
	*room = (struct value_range){ l.room, l.room + kib * 1024 - ram +
						      (slots ? MIN(g_ascii_strtoull(slots, NULL, 10), 256) : 0) * GIB - 1 };
	for (guint i = 0; i < dma->dimms->len; i++) {
		const struct dma_dimm *d = g_ptr_array_index(dma->dimms, i);

		if (d->has_base && (d->base < room->first || d->base > room->last ||
				    d->size - 1 > room->last - d->base))
			return d;
	}
	return NULL;
}

GArray *guest_ram(const struct judgement *j, const struct dma *dma, const char **why)
{
	const char *family = machine_family(j->target.machine);
	uint64_t ram = ram_bytes(j, dma);
	GArray *ranges;

	*why = "how much memory the guest has is not known";
	if (!ram || !j->target.machine)
		return NULL;
	if (!strcmp(family, "q35") || !strcmp(family, "i440fx")) {
		ranges = pc_ram(j, dma, family, ram, why);
	} else if (!strcmp(family, "virt") && j->family == ARCH_ARM64) {
		ranges = g_array_new(FALSE, FALSE, sizeof(struct value_range));
		add(ranges, GIB, ram);
		if (dma->dimms->len) {
			*why = "where virt machines put hot-plugged memory is not judged";
			g_clear_pointer(&ranges, g_array_unref);
		}
	} else {
		*why = "where this machine type has its memory is not known";
		return NULL;
	}
	return ranges;
}
