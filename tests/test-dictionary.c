/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-dictionary.c: the generated tables are what dictionary.h says of them, and each look-up
 * finds everything that is in them and nothing else.
 */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "model/dictionary.h"

static const struct capability *
entry(const char *id)
{
	int cap = cap_find(id);

	g_assert_cmpint(cap, >=, 0);
	g_assert_cmpstr(cap_table[cap].id, ==, id);
	return &cap_table[cap];
}

static void
test_table(void)
{
	size_t bits = 0;

	for (size_t i = 0; i < cap_count; i++) {
		const struct capability *cap = &cap_table[i];

		if (i > 0)
			g_assert_cmpint(strcmp(cap_table[i - 1].id, cap->id), <, 0);
		g_assert_cmpint(cap_find(cap->id), ==, i);
		g_assert_cmpuint(cap->type, <, CAP_TYPES);
		g_assert_cmpuint(cap->rule, <, RULES);
		g_assert_nonnull(cap->sentence);
		g_assert_nonnull(cap->source);
		g_assert_true(cap->flags & (CAP_OFFER | CAP_SIGHT));
		g_assert_true(cap->rule != RULE_IMMUNITY || cap->security != NULL);
		g_assert_true((cap->rule == RULE_CHAIN) == (cap->labels != NULL));
		g_assert_true((cap->type == CAP_BOOL) == (cap->bit >= 0));
		for (const uint16_t *need = cap->needs; *need != 0xffff; need++)
			g_assert_cmpuint(*need, <, cap_count);
		if (cap->bit < 0)
			continue;
		bits++;
		g_assert_cmpuint(cap->bit, <, cap_bits);
		g_assert_cmpuint(cap_by_bit[cap->bit], ==, i);
	}
	g_assert_cmpuint(bits, ==, cap_bits);
	g_assert_cmpuint(cap_bits, >=, 400);
}

static void
test_registers(void)
{
	for (size_t i = 0; i < cap_register_count; i++) {
		const struct cap_register *reg = &cap_registers[i];

		if (reg->kind == REG_NAMED)
			g_assert_cmpint(cap_find_named_register(reg->name), ==, i);
		else
			g_assert_cmpint(cap_find_register(reg->kind, reg->index, reg->subindex,
							  reg->part),
					==, i);
		g_assert_cmphex(reg->vmm & ~reg->known, ==, 0);
		g_assert_true(reg->vmm == 0 || reg->kind == REG_NAMED);
	}
	for (size_t i = 0; i < cap_count; i++) {
		const struct capability *cap = &cap_table[i];
		uint64_t field;

		if (cap->reg < 0)
			continue;
		g_assert_cmpuint(cap->reg, <, cap_register_count);
		g_assert_cmpuint(cap->low, <=, cap->high);
		g_assert_cmpuint(cap->high, <, cap_registers[cap->reg].width);
		field = (~UINT64_C(0) >> (63 - (cap->high - cap->low))) << cap->low;
		g_assert_cmphex(cap_registers[cap->reg].known & field, ==, field);
	}
	g_assert_cmpint(cap_find_register(REG_CPUID, 7, 0, 'b'), ==, entry("cpu.avx2")->reg);
	g_assert_cmpint(cap_find_register(REG_CPUID, 7, 3, 'b'), ==, -1);
	g_assert_cmpint(cap_find_register(REG_MSR, 0x10b, 0, 0), ==, -1);
	g_assert_cmpint(cap_find_register(REG_KVM_EXTENSION, 60, 0, 0), ==,
			entry("kvm.tsc-control")->reg);
	g_assert_cmpint(cap_find_named_register("vtd.ecap"), ==, entry("vtd.ecap.nest")->reg);
	g_assert_cmpint(cap_find_named_register("vtd.eca"), ==, -1);
	g_assert_cmpint(cap_find_named_register("msr.10a"), ==, -1);
	g_assert_cmpint(cap_find_named_register(""), ==, -1);
}

/* The fields that the kernel lets a VMM read, by the lists in its header (iommufd.h). */
static void
test_vmm(void)
{
	const struct cap_register *efr = &cap_registers[cap_find_named_register("amdvi.efr")];
	const struct cap_register *idr0 = &cap_registers[cap_find_named_register("smmuv3.idr0")];
	const struct cap_register *idr5 = &cap_registers[cap_find_named_register("smmuv3.idr5")];

	/* PPRSup 1, GTSup 4, GASup 7, GATS 13:12, GLX 15:14, PASmax 36:32, GioSup 48, EPHSup 50 */
	g_assert_cmphex(efr->vmm, ==, 0x0005001f0000f092);
	/* TTF 3:2, ASID16 12, CD2L 19, TTENDIAN 22:21, STALL 25:24, TERM 26, ST_LEVEL 28:27 */
	g_assert_cmphex(idr0->vmm, ==, 0x1f68100c);
	/* the granules 4 to 6, DS 7, VAX 11:10 */
	g_assert_cmphex(idr5->vmm, ==, 0x0cf0);
	g_assert_cmpuint(idr5->width, ==, 32);
	g_assert_cmphex(cap_registers[cap_find_named_register("hwinfo.caps")].vmm, ==, 0);
}

static void
test_aliases(void)
{
	for (int ns = 0; ns < CAP_NAMESPACES; ns++) {
		for (size_t i = 0; i < cap_alias_count[ns]; i++) {
			const struct cap_alias *alias = &cap_aliases[ns][i];

			g_assert_cmpuint(alias->cap, <, cap_count);
			g_assert_cmpint(cap_find_alias(ns, alias->name), ==, alias->cap);
			g_assert_nonnull(cap_alias_of(ns, alias->cap));
		}
		g_assert_cmpint(cap_find_alias(ns, "no such name"), ==, -1);
		g_assert_cmpint(cap_find_alias(ns, ""), ==, -1);
	}
	g_assert_cmpint(cap_find("cpu.no-such"), ==, -1);
	g_assert_cmpint(cap_find(""), ==, -1);
	g_assert_null(cap_alias_of(NS_QEMU, -1));
	g_assert_null(cap_alias_of(NS_QEMU, (int)cap_count));
}

/* libvirt's name, each name QEMU has or had for it, and the id: all the same thing. */
static void
test_spellings(void)
{
	static const char *const rows[][3] = {
		{ "cpu.pni", "pni", "sse3" },
		{ "cpu.pclmuldq", "pclmuldq", "pclmulqdq" },
		{ "cpu.ds_cpl", "ds_cpl", "ds-cpl" },
		{ "cpu.sse4.1", "sse4.1", "sse4_1" },
		{ "cpu.sse4.2", "sse4.2", "sse4-2" },
		{ "cpu.lm", "lm", "i64" },
		{ "cpu.nx", "nx", "xd" },
		{ "cpu.lahf_lm", "lahf_lm", "lahf-lm" },
		{ "cpu.fxsr_opt", "fxsr_opt", "ffxsr" },
		{ "cpu.nrip-save", "nrip-save", "nrip_save" },
		{ "msr.vmx-ept-vpid.vmx-invvpid-single-context-noglobals",
		  "vmx-invvpid-single-context-noglobals", "vmx-invept-single-context-noglobals" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int cap = cap_find(rows[i][0]);

		g_assert_cmpint(cap, >=, 0);
		g_assert_cmpint(cap_find_alias(NS_LIBVIRT, rows[i][1]), ==, cap);
		g_assert_cmpint(cap_find_alias(NS_QEMU, rows[i][2]), ==, cap);
		g_assert_cmpstr(cap_alias_of(NS_LIBVIRT, cap), ==, rows[i][1]);
	}
	g_assert_cmpstr(cap_alias_of(NS_QEMU, cap_find("cpu.pclmuldq")), ==, "pclmulqdq");
	g_assert_cmpint(cap_find_alias(NS_QEMU, "osxsave"), ==, -1);
	g_assert_cmpint(cap_find_alias(NS_NOVA, "HW_CPU_X86_AVX2"), ==, cap_find("cpu.avx2"));
	g_assert_cmpint(cap_find_alias(NS_KERNEL, "cqm"), ==, cap_find("cpu.cmt"));
}

static void
test_rules(void)
{
	const struct capability *cap = entry("msr.arch-cap.rsba");

	g_assert_cmpint(cap->rule, ==, RULE_HIGHER_SAFE);
	g_assert_cmpint(cap->low, ==, 2);
	g_assert_cmpint(entry("msr.arch-cap.rrsba")->rule, ==, RULE_HIGHER_SAFE);
	g_assert_cmpint(entry("msr.arch-cap.rdctl-no")->rule, ==, RULE_IMMUNITY);
	g_assert_cmpstr(entry("msr.arch-cap.rdctl-no")->security, ==, "meltdown");
	g_assert_cmpint(entry("cpu.amd-no-ssb")->rule, ==, RULE_IMMUNITY);
	g_assert_cmpint(entry("cpu.md-clear")->rule, ==, RULE_LOWER_SAFE);
	g_assert_true(entry("cpu.hle")->flags & CAP_CONTRACT_EXACT);
	g_assert_true(entry("cpu.invtsc")->flags & CAP_UNMIGRATABLE);
	g_assert_true(entry("cpu.invtsc")->flags & CAP_LIBVIRT_UNMIGRATABLE);
	g_assert_false(entry("cpu.xsaves")->flags & CAP_UNMIGRATABLE);
	g_assert_true(entry("cpu.xsaves")->flags & CAP_LIBVIRT_UNMIGRATABLE);
	g_assert_true(entry("qemu.cpu-option.pmu")->flags & CAP_QEMU_OPTION);
	g_assert_true(entry("host.cmdline")->flags & CAP_HOST_ONLY);
	g_assert_true(entry("cpu.x2apic")->emulated_by & CAP_BY_KVM);
	g_assert_cmpint(entry("qemu.machine")->type, ==, CAP_SET);
	g_assert_cmpint(entry("cpu.tsc-khz")->rule, ==, RULE_TOLERANCE);
	g_assert_cmpstr(entry("mitigation.mds")->labels[2], ==, "not-affected");
}

static void
test_words(void)
{
	for (int type = 0; type < CAP_TYPES; type++)
		g_assert_nonnull(cap_type_name(type));
	for (int rule = 0; rule < RULES; rule++)
		g_assert_nonnull(cap_rule_name(rule));
	for (int ns = 0; ns < CAP_NAMESPACES; ns++)
		g_assert_nonnull(cap_namespace_name(ns));
	g_assert_cmpstr(cap_rule_name(RULE_ALLOWED_PAIR), ==, "allowed-pair");
	g_assert_null(cap_type_name(CAP_TYPES));
	g_assert_null(cap_rule_name(RULES));
	g_assert_null(cap_namespace_name(CAP_NAMESPACES));
	g_assert_true(g_regex_match_simple("^[0-9]{4}\\.[0-9]+$", cap_dictionary_version, 0, 0));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dictionary/table", test_table);
	g_test_add_func("/dictionary/registers", test_registers);
	g_test_add_func("/dictionary/vmm", test_vmm);
	g_test_add_func("/dictionary/aliases", test_aliases);
	g_test_add_func("/dictionary/spellings", test_spellings);
	g_test_add_func("/dictionary/rules", test_rules);
	g_test_add_func("/dictionary/words", test_words);
	return g_test_run();
}
