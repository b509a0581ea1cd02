/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpuid.c: what the processors themselves say, by the CPUID instruction.
 *
 * Theory of operation: all leaves of one processor are read and kept; of the others only the
 * registers that the dictionary knows. A feature counts where every processor has it; where they
 * differ (hybrid processors, firmware that treats them unequally) the source says so.
 */
#include "config.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "probe.h"
#include "read/read.h"

#define MAX_SUBLEAF 63u
#define MAX_LEAVES 256u
#define MAX_CPUS 8192u
#define FIRST_CPU "dev/cpu/0/cpuid"
#define OTHER_CPUS "dev/cpu/others"

struct machine_cpus {
	GArray *first; /* rows of the first processor */
	cpu_set_t *set;
	size_t set_size;
	unsigned int first_cpu;
};

static void row_text(GString *text, const struct cpuid_row *row)
{
	g_string_append_printf(text, "%08x %02x %08x %08x %08x %08x\n", row->leaf, row->subleaf,
			       row->eax, row->ebx, row->ecx, row->edx);
}

#if defined(__x86_64__) || defined(__i386__)

static struct cpuid_row execute(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_row row = { .leaf = leaf, .subleaf = subleaf };

	__cpuid_count(leaf, subleaf, row.eax, row.ebx, row.ecx, row.edx);
	return row;
}

/* The last subleaf worth reading; SDM 2A and APM 3, each leaf's own rule. */
static uint32_t last_subleaf(const struct cpuid_row *zero)
{
	switch (zero->leaf) {
	case 0x7:
	case 0x14:
	case 0x17:
	case 0x18:
	case 0x1d:
	case 0x20:
	case 0x24:
		return MIN(zero->eax, MAX_SUBLEAF);
	case 0x4:
	case 0xb:
	case 0xd:
	case 0x12:
	case 0x1f:
	case 0x8000001d:
	case 0x80000026:
		return MAX_SUBLEAF;
	case 0xf:
	case 0x1e:
		return 1;
	case 0x10:
		return 3;
	case 0x23:
	case 0x80000020:
		return 5;
	default:
		return 0;
	}
}

/* Where a list of subleaves ends before its last number. */
static bool ends_list(const struct cpuid_row *row)
{
	switch (row->leaf) {
	case 0x4:
	case 0x8000001d:
		return (row->eax & 0x1f) == 0;
	case 0xb:
	case 0x1f:
	case 0x80000026:
		return (row->ecx >> 8 & 0xff) == 0;
	case 0x12:
		return row->subleaf >= 2 && (row->eax & 0xf) == 0;
	default:
		return false;
	}
}

static void add_leaf(GString *text, uint32_t leaf)
{
	struct cpuid_row row = execute(leaf, 0);
	uint32_t last = last_subleaf(&row);

	row_text(text, &row);
	for (uint32_t subleaf = 1; subleaf <= last && !ends_list(&row); subleaf++) {
		row = execute(leaf, subleaf);
		if (row.eax | row.ebx | row.ecx | row.edx)
			row_text(text, &row);
	}
}

/* The leaves from @base on, as far as its EAX says; none where that is not of this range. */
static void add_range(GString *text, uint32_t base)
{
	uint32_t last = execute(base, 0).eax;

	if (last < base || last - base >= MAX_LEAVES)
		return;
	for (uint32_t leaf = base; leaf <= last; leaf++)
		add_leaf(text, leaf);
}

static char *ask_first(void *data, GError **error)
{
	GString *text = g_string_new("# leaf subleaf eax ebx ecx edx\n");

	(void)data;
	(void)error;
	add_range(text, 0);
	if (execute(1, 0).ecx & (1u << 31)) {
		add_range(text, 0x40000000);
		/* KVM behind the Hyper-V interface */
		if (execute(0x40000000, 0).ebx == 0x7263694d)
			add_range(text, 0x40000100);
	}
	add_range(text, 0x80000000);
	add_range(text, 0xc0000000);
	return g_string_free(text, FALSE);
}

static bool pin(const struct machine_cpus *cpus, unsigned int cpu)
{
	cpu_set_t *one = CPU_ALLOC(MAX_CPUS);
	bool ok;

	CPU_ZERO_S(cpus->set_size, one);
	CPU_SET_S(cpu, cpus->set_size, one);
	ok = sched_setaffinity(0, cpus->set_size, one) == 0;
	CPU_FREE(one);
	return ok;
}

#else

static char *ask_first(void *data, GError **error)
{
	(void)data;
	g_set_error(error, SOURCE_ERROR, SOURCE_MISSING, "this machine has no CPUID instruction");
	return NULL;
}

#endif

/* The bits of a register in which features live: only these are compared and ANDed. */
static uint32_t feature_mask(size_t reg)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < cap_count; i++)
		if (cap_table[i].reg == (int)reg && cap_table[i].type == CAP_BOOL)
			mask |= 1u << cap_table[i].low;
	return mask;
}

static uint32_t *row_part(struct cpuid_row *row, char part)
{
	return part == 'a' ? &row->eax : part == 'b' ? &row->ebx : part == 'c' ? &row->ecx : &row->edx;
}

static struct cpuid_row *find_row(GArray *rows, uint32_t leaf, uint32_t subleaf)
{
	for (guint i = 0; i < rows->len; i++) {
		struct cpuid_row *row = &g_array_index(rows, struct cpuid_row, i);

		if (row->leaf == leaf && row->subleaf == subleaf)
			return row;
	}
	return NULL;
}

#if defined(__x86_64__) || defined(__i386__)

/* One processor's registers that differ from the first one's, as lines; "" where none does. */
static void compare_cpu(struct machine_cpus *cpus, unsigned int cpu, const uint32_t *masks,
			GString *text)
{
	struct cpuid_row row = { .leaf = UINT32_MAX };
	bool named = false;

	for (size_t r = 0; r < cap_register_count; r++) {
		const struct cap_register *reg = &cap_registers[r];
		struct cpuid_row *first;

		if (reg->kind != REG_CPUID || !masks[r])
			continue;
		first = find_row(cpus->first, reg->index, reg->subindex);
		if (!first)
			continue;
		if (row.leaf != reg->index || row.subleaf != reg->subindex)
			row = execute(reg->index, reg->subindex);
		if (!((*row_part(first, reg->part) ^ *row_part(&row, reg->part)) & masks[r]))
			continue;
		if (!named)
			g_string_append_printf(text, "# cpu %u\n", cpu);
		named = true;
		row_text(text, &row);
	}
}

static char *ask_others(void *data, GError **error)
{
	struct machine_cpus *cpus = data;
	GString *text = g_string_new("# processors whose features differ from the first one's\n");
	g_autofree uint32_t *masks = g_new0(uint32_t, cap_register_count + 1);

	(void)error;
	for (size_t r = 0; r < cap_register_count; r++)
		masks[r] = cap_registers[r].kind == REG_CPUID ? feature_mask(r) : 0;
	for (unsigned int cpu = cpus->first_cpu + 1; cpu < MAX_CPUS; cpu++)
		if (CPU_ISSET_S(cpu, cpus->set_size, cpus->set) && pin(cpus, cpu))
			compare_cpu(cpus, cpu, masks, text);
	return g_string_free(text, FALSE);
}

/* Stays on one processor while it is read; where that can't be, on whichever it is. */
static void stay(struct machine_cpus *cpus)
{
	cpus->set_size = CPU_ALLOC_SIZE(MAX_CPUS);
	cpus->set = CPU_ALLOC(MAX_CPUS);
	CPU_ZERO_S(cpus->set_size, cpus->set);
	if (sched_getaffinity(0, cpus->set_size, cpus->set) < 0)
		return;
	while (cpus->first_cpu < MAX_CPUS &&
	       !CPU_ISSET_S(cpus->first_cpu, cpus->set_size, cpus->set))
		cpus->first_cpu++;
	if (cpus->first_cpu < MAX_CPUS)
		pin(cpus, cpus->first_cpu);
}

#else

static char *ask_others(void *data, GError **error)
{
	return ask_first(data, error);
}

static void stay(struct machine_cpus *cpus)
{
	cpus->set = CPU_ALLOC(1);
}

#endif

/* Takes from the first processor's rows what another one lacks; its number from "# cpu N". */
static char *meet_others(GArray *first, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *cpus = g_string_new(NULL);

	for (size_t i = 0; lines[i]; i++) {
		g_autoptr(GArray) rows = NULL;
		unsigned int cpu;

		if (sscanf(lines[i], "# cpu %u", &cpu) == 1) {
			if (cpus->len < 60)
				g_string_append_printf(cpus, "%s%u", cpus->len ? ", " : "", cpu);
			else if (!g_str_has_suffix(cpus->str, "…"))
				g_string_append(cpus, " …");
			continue;
		}
		rows = read_cpuid_lines(lines[i], strlen(lines[i]), OTHER_CPUS, NULL);
		for (guint k = 0; rows && k < rows->len; k++) {
			struct cpuid_row *other = &g_array_index(rows, struct cpuid_row, k);
			struct cpuid_row *row = find_row(first, other->leaf, other->subleaf);

			for (const char *part = "abcd"; row && *part; part++) {
				int reg = cap_find_register(REG_CPUID, row->leaf, row->subleaf, *part);

				if (reg >= 0)
					*row_part(row, *part) &= *row_part(other, *part) |
								 ~feature_mask((size_t)reg);
			}
		}
	}
	return g_string_free(cpus, !cpus->len);
}

static void collect(struct context *context)
{
	const struct scope scope = { .view = VIEW_RAW, .migratable = -1 };
	struct machine_cpus cpus = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL, *others = NULL, *differ = NULL, *reason = NULL;

	stay(&cpus);
	text = source_ask(context->source, FIRST_CPU, ask_first, &cpus, &error);
	if (text)
		cpus.first = read_cpuid_lines(text, strlen(text), FIRST_CPU, &error);
	if (cpus.first) {
		others = source_ask(context->source, OTHER_CPUS, ask_others, &cpus, NULL);
		differ = others ? meet_others(cpus.first, others) : NULL;
		read_cpuid(context->doc, (struct cpuid_row *)cpus.first->data, cpus.first->len, true,
			   &scope, "cpuid");
		if (differ)
			reason = g_strdup_printf(
				"processors differ: %s from processor %u (facts are what all of them have)",
				differ, cpus.first_cpu);
		probe_report(context, &cpuid_probe, differ ? "partial" : "ok", true, reason);
		g_array_unref(cpus.first);
	} else {
		probe_report(context, &cpuid_probe, source_error_state(error), false, error->message);
	}
	CPU_FREE(cpus.set);
}

const struct probe cpuid_probe = {
	.name = "cpuid",
	.help = "the processors' own CPUID, all leaves",
	.local = true,
	.view = VIEW_RAW,
	.percent = 20,
	.collect = collect,
};
