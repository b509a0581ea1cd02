/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-other-arch.c: guests and hosts of POWER, IBM Z, Arm and others: what is found of each, with
 * the real tables and rules; and what is read of such hosts.
 */
#include "config.h"

#include <string.h>

#include "guest/needs.h"
#include "judge/rulebook.h"
#include "judge/verdict.h"
#include "model/power.h"
#include "model/tables.h"
#include "read-fixture.h"

/* Documents are written with ' for " and parsed after replacing it. */
#define HOST(arch, facts, emulators)                                                              \
	"{'format':'capbroker.profile/1','host':{'name':'h','arch':'" arch "'},'facts':[" facts   \
	"],'emulators':[" emulators "]}"
#define FACT(id, value, view)                                                                     \
	"{'id':'" id "','value':" value ",'state':'known','scope':{'view':'" view "'},'origin':'t'}"
#define QEMU(arch, accel, machines, more)                                                         \
	"{'path':'/usr/bin/qemu-system-" arch "','version':'10.0.3','accel':'" accel              \
	"','machine':'none','machines':[" machines "]," more "}"
#define LIBVIRT FACT("libvirt.version", "'11.3.0'", "libvirt")

#define PSERIES "{'name':'pseries-10.0','alias':'pseries','default':true,'cpu_max':2048},"           \
		"{'name':'pseries-4.2','cpu_max':1024},{'name':'pseries-3.1','cpu_max':1024}"
#define POWER_MODELS                                                                              \
	"'cpu_models':[{'name':'POWER8'},{'name':'POWER9'},{'name':'power9_v2.2'}]"
#define POWER_FACTS(model, level)                                                                 \
	"'facts':[{'id':'ppc64.model','value':'" model "'},{'id':'ppc64.compat','value':" level "}]"
#define POWER_HOST(model, level, facts)                                                           \
	HOST("ppc64le", facts,                                                                    \
	     QEMU("ppc64", "kvm", PSERIES, POWER_MODELS "," POWER_FACTS(model, level)) ","        \
	     QEMU("ppc64", "tcg", PSERIES, POWER_MODELS ",'facts':[]"))
#define LEVELS(cfpc, sbbc, ibs, ccf)                                                              \
	LIBVIRT "," FACT("pseries.cap-cfpc", cfpc, "kvm") "," FACT("pseries.cap-sbbc", sbbc, "kvm") ","   \
		FACT("pseries.cap-ibs", ibs, "kvm") "," FACT("pseries.cap-ccf-assist", ccf, "kvm")
#define POWER9 POWER_HOST("POWER9", "4", LEVELS("1", "1", "1", "true"))
#define POWER9_UNTOLD POWER_HOST("POWER9", "4", LIBVIRT)
#define POWER9_NO_CCF POWER_HOST("POWER9", "4", LEVELS("1", "1", "1", "false"))
#define POWER9_FIXED_CCD POWER_HOST("POWER9", "4", LEVELS("1", "1", "3", "false"))
#define POWER9_OLD POWER_HOST("POWER9", "4", LEVELS("0", "1", "0", "false"))
#define POWER9_LEVELS                                                                             \
	POWER_HOST("POWER9", "4",                                                                 \
		   LEVELS("1", "1", "1", "true") "," FACT("pseries.cap-htm", "false", "kvm") ","  \
			   FACT("pseries.cap-nested-hv", "false", "kvm"))
#define POWER8 POWER_HOST("POWER8", "3", LEVELS("1", "1", "1", "true"))

#define CCW "{'name':'s390-ccw-virtio-10.0','alias':'s390-ccw-virtio','default':true,'cpu_max':248}," \
	    "{'name':'s390-ccw-virtio-2.7','cpu_max':248}"
#define Z_MODELS                                                                                  \
	"'cpu_models':[{'name':'z14','usable':true},{'name':'z14-base','usable':true},"           \
	"{'name':'gen17a','usable':false,'missing':['type','vxeh3']},"                            \
	"{'name':'gen16a','usable':false,'missing':['nnpa']}]"
#define Z_FACTS                                                                                   \
	"'complete':true,'facts':[{'id':'s390x.vx','value':true},{'id':'s390x.msa5','value':true}," \
	"{'id':'s390x.msa5-base','value':true},{'id':'s390x.ppno-sha-512-drng','value':true}]"
#define Z HOST("s390x", LIBVIRT, QEMU("s390x", "kvm", CCW, Z_MODELS "," Z_FACTS))

#define VIRT "{'name':'virt-10.0','alias':'virt','cpu_max':512}"
#define ARM_CPU                                                                                   \
	"'cpu_models':[{'name':'host'},{'name':'max'},{'name':'cortex-a53'},{'name':'cortex-a72'}]," \
	"'devices':{'cpu':['sve','sve256','pmu','aarch64']},"                                     \
	"'facts':[{'id':'arm64.sve','value':false},{'id':'arm64.sve256','value':false}]"
#define ARM_TCG                                                                                   \
	"'cpu_models':[{'name':'max'},{'name':'cortex-a53'},{'name':'cortex-a72'}],"              \
	"'devices':{'cpu':['sve','sve256','pmu','aarch64']},'facts':[{'id':'arm64.sve','value':true}]"
#define ARM_WITH(facts)                                                                           \
	HOST("aarch64", facts, QEMU("aarch64", "kvm", VIRT, ARM_CPU) ","                          \
			       QEMU("aarch64", "tcg", VIRT, ARM_TCG))
#define ARM ARM_WITH(LIBVIRT)
#define ARM_KERNEL(midr, ipa)                                                                     \
	ARM_WITH(LIBVIRT "," FACT("arm64.midr", "'" midr "'", "kernel") ","                       \
			 FACT("kvm.arm-vm-ipa-size", ipa, "kvm"))
#define RISCV                                                                                     \
	HOST("riscv64", LIBVIRT,                                                                  \
	     QEMU("riscv64", "kvm", "{'name':'virt','cpu_max':512}",                              \
		  "'cpu_models':[{'name':'rv64'}],'facts':[]"))

#define GUEST_OF(type, arch, machine, rest)                                                       \
	"<domain type='" type "'><name>g</name><memory unit='GiB'>1</memory><vcpu>1</vcpu><os>"   \
	"<type arch='" arch "' machine='" machine "'>hvm</type></os>" rest "</domain>"
#define P(rest) GUEST_OF("kvm", "ppc64le", "pseries", rest)
#define PF(features) P("<features>" features "</features>")
#define S(rest) GUEST_OF("kvm", "s390x", "s390-ccw-virtio", rest)
#define A(rest) GUEST_OF("kvm", "aarch64", "virt", rest)
#define MODEL(name) "<cpu mode='custom' match='exact'><model>" name "</model></cpu>"
#define MODEL_AND(name, feature)                                                                  \
	"<cpu mode='custom' match='exact'><model>" name "</model>" feature "</cpu>"
#define MODE(name) "<cpu mode='host-model'><model>" name "</model></cpu>"
#define HAS(name) "<feature policy='require' name='" name "'/>"

static const struct row {
	const char *check; /* of the worst finding; NULL: none is unknown or worse */
	enum verdict start;
	const char *host, *guest;
	const char *words; /* in its text, or NULL */
} rows[] = {
	/* POWER: the generation, and modes of older ones */
	{ NULL, V_OK, POWER9, P(MODEL("POWER9")), NULL },
	{ "cpu-missing", V_BLOCK, POWER9, P(MODEL("POWER8")), "POWER9" },
	{ NULL, V_OK, POWER8, P(MODEL("POWER8_v1.0")), NULL },
	{ "cpu-model-known", V_BLOCK, POWER9, P(MODEL("POWER10")), "QEMU" },
	{ "cpu-model-known", V_BLOCK, POWER9, P(MODEL("power9_v2.2")), "libvirt" },
	{ NULL, V_OK, POWER9, P(MODE("power8")), NULL },
	{ NULL, V_OK, POWER9, P(MODE("power9")), NULL },
	{ "cpu-missing", V_BLOCK, POWER8, P(MODE("power9")), "power9" },
	{ "cpu-missing", V_BLOCK, POWER9, P(MODE("power9x")), "mode" },
	{ NULL, V_OK, POWER9, P("<cpu mode='host-passthrough'/>"), NULL },
	{ NULL, V_OK, POWER9, GUEST_OF("qemu", "ppc64", "pseries", MODEL("POWER8")), NULL },
	{ "cpu-missing", V_BLOCK, POWER9,
	  GUEST_OF("qemu", "ppc64", "pseries", "<cpu check='partial'><model>POWER8</model></cpu>"),
	  "emulated" },
	/* what pseries promises */
	{ "pseries-promises", V_UNKNOWN, POWER9_UNTOLD, PF("<cfpc value='workaround'/>"), "cfpc" },
	/* and what it promises where nothing is said, by its version */
	{ "pseries-promises", V_UNKNOWN, POWER9_UNTOLD, P(""), "cfpc" },
	{ "pseries-promises", V_BLOCK, POWER9_OLD, P(""), "cfpc='workaround' where nothing" },
	{ "pseries-promises", V_BLOCK, POWER9_OLD, PF("<cfpc value='broken'/><ccf-assist state='off'/>"),
	  "ibs='workaround' where nothing" },
	{ "pseries-promises", V_BLOCK, POWER9_OLD, GUEST_OF("kvm", "ppc64le", "pseries-4.2", ""), "cfpc" },
	{ NULL, V_OK, POWER9_OLD, GUEST_OF("kvm", "ppc64le", "pseries-3.1", ""), NULL },
	{ NULL, V_OK, POWER9_OLD,
	  PF("<cfpc value='broken'/><ibs value='broken'/><ccf-assist state='off'/>"), NULL },
	{ NULL, V_OK, POWER9_OLD, GUEST_OF("qemu", "ppc64", "pseries", ""), NULL },
	{ "pseries-promises", V_BLOCK, POWER9_NO_CCF, P(""), "ccf-assist" },
	{ NULL, V_OK, POWER9_NO_CCF, GUEST_OF("kvm", "ppc64le", "pseries-4.2", ""), NULL },
	{ NULL, V_OK, POWER9_FIXED_CCD, P(""), NULL },
	{ NULL, V_OK, POWER9_LEVELS, PF("<cfpc value='workaround'/><sbbc value='workaround'/>"), NULL },
	{ NULL, V_OK, POWER9_LEVELS, PF("<ibs value='workaround'/><htm state='off'/>"), NULL },
	{ "pseries-promises", V_BLOCK, POWER9_LEVELS, PF("<cfpc value='fixed'/>"), "cfpc" },
	{ "pseries-promises", V_BLOCK, POWER9_LEVELS, PF("<sbbc value='fixed'/>"), "sbbc" },
	{ "pseries-promises", V_BLOCK, POWER9_LEVELS, PF("<ibs value='fixed-ccd'/>"), "ibs" },
	{ "pseries-promises", V_BLOCK, POWER9_NO_CCF, PF("<ccf-assist state='on'/>"), "count cache" },
	{ "pseries-promises", V_BLOCK, POWER9_LEVELS, PF("<htm state='on'/>"), "transactional" },
	{ "pseries-promises", V_BLOCK, POWER9_LEVELS, PF("<nested-hv state='on'/>"), "KVM" },
	{ "pseries-promises", V_BLOCK, POWER9_LEVELS,
	  PF("<hpt><maxpagesize unit='MiB'>16</maxpagesize></hpt>"), "16" },
	{ "pseries-promises", V_BLOCK, POWER9,
	  GUEST_OF("qemu", "ppc64", "pseries", "<features><htm state='on'/></features>"), "emulated" },
	{ NULL, V_OK, POWER9,
	  GUEST_OF("qemu", "ppc64", "pseries", "<features><cfpc value='fixed'/></features>"), NULL },
	{ "definition-valid", V_BLOCK, POWER9, PF("<acpi/>"), "ACPI" },
	/* IBM Z: QEMU's word on models, features by sets and by groups */
	{ NULL, V_OK, Z, S(MODEL("z14")), NULL },
	{ "cpu-model-known", V_BLOCK, Z, S(MODEL("gen17a")), "as new as the model" },
	{ "cpu-model-known", V_BLOCK, Z, S(MODEL("gen16a")), "nnpa" },
	{ NULL, V_OK, Z, S(MODEL_AND("gen16a", "<feature policy='disable' name='nnpa'/>")), NULL },
	{ "cpu-model-known", V_BLOCK, Z, S(MODEL("z99")), "z99" },
	{ NULL, V_OK, Z, S(MODEL_AND("z14-base", HAS("msa5") HAS("vx"))), NULL },
	{ "cpu-missing", V_BLOCK, Z, S(MODEL_AND("z14-base", HAS("msa6"))), "msa6" },
	{ NULL, V_OK, Z, S("<cpu mode='host-model'/>"), NULL },
	{ NULL, V_OK, Z, S("<cpu mode='host-passthrough'/>"), NULL },
	{ "definition-valid", V_BLOCK, Z,
	  S(MODEL_AND("z14", "<feature policy='optional' name='vx'/>")), "vx" },
	{ "definition-valid", V_BLOCK, Z, S("<cpu match='minimum'><model>z14</model></cpu>"), "minimum" },
	{ "definition-valid", V_BLOCK, Z, GUEST_OF("kvm", "s390x", "s390-ccw-virtio-2.7", MODEL("z14")),
	  "host's own" },
	{ "definition-valid", V_BLOCK, Z, S("<features><acpi/></features>"), "ACPI" },
	/* Arm */
	{ NULL, V_OK, ARM, A("<cpu mode='host-passthrough'/>"), NULL },
	{ "definition-valid", V_BLOCK, ARM, A(MODEL("cortex-a72")), "cortex-a72" },
	{ "definition-valid", V_UNKNOWN, ARM, A(MODEL("cortex-a53")), "cortex-a53" },
	{ NULL, V_OK, ARM_WITH(FACT("arm64.model", "'cortex-a53'", "kernel")), A(MODEL("cortex-a53")),
	  NULL },
	{ NULL, V_OK, ARM, GUEST_OF("qemu", "aarch64", "virt", MODEL("cortex-a72")), NULL },
	{ "cpu-missing", V_BLOCK, ARM,
	  A("<cpu mode='host-passthrough'>" HAS("sve") "</cpu>"), "sve" },
	{ "definition-valid", V_BLOCK, ARM,
	  A("<cpu mode='host-passthrough'>" HAS("pmu") "</cpu>"), "pmu" },
	{ "cpu-feature-known", V_BLOCK, ARM_WITH(""), A("<cpu mode='host-passthrough'>" HAS("sve512") "</cpu>"),
	  "sve512" },
	{ "definition-valid", V_BLOCK, ARM,
	  GUEST_OF("qemu", "aarch64", "virt",
		   "<cpu mode='maximum'><feature policy='disable' name='sve'/>" HAS("sve256") "</cpu>"),
	  "sve" },
	{ "interrupt-controller", V_BLOCK, ARM,
	  "<domain type='qemu'><name>g</name><vcpu>9</vcpu><os><type arch='aarch64' machine='virt'>hvm"
	  "</type></os><features><gic version='2'/></features></domain>", "8 vCPUs" },
	{ "gic-version", V_UNKNOWN, ARM, A("<features><gic version='3'/></features>"), "not known" },
	{ "phys-bits", V_BLOCK, ARM_KERNEL("0x413fd0c1", "36"),
	  "<domain type='kvm'><name>g</name><memory unit='GiB'>64</memory><os><type arch='aarch64' "
	  "machine='virt'>hvm</type></os></domain>", "36" },
	{ NULL, V_OK, ARM_KERNEL("0x413fd0c1", "44"),
	  "<domain type='kvm'><name>g</name><memory unit='GiB'>64</memory><os><type arch='aarch64' "
	  "machine='virt'>hvm</type></os></domain>", NULL },
	/* others, and each other's */
	{ "cpu-model-known", V_UNKNOWN, RISCV, GUEST_OF("kvm", "riscv64", "virt", MODEL("rv64")), "rv64" },
	{ NULL, V_OK, RISCV, GUEST_OF("kvm", "riscv64", "virt", "<cpu mode='host-passthrough'/>"), NULL },
	{ "arch-supported", V_BLOCK, Z, P(MODEL("POWER9")), "ppc64le" },
	{ "arch-supported", V_UNKNOWN, Z, GUEST_OF("qemu", "ppc64", "pseries", ""), "emulate" },
	{ "arch-supported", V_BLOCK, Z, "<cpu><arch>ppc64</arch><model>POWER9</model></cpu>", "ppc64" },
	{ "arch-supported", V_BLOCK, POWER9, "<cpu><model>Nehalem</model></cpu>", "x86_64" },
};

static struct universe *universe;
static struct cpu_models *models;
static struct rulebook *rules;
static struct table *rule_table;

static struct profile *host_of(const char *text)
{
	g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
	g_autoptr(GError) error = NULL;
	struct profile *profile = profile_parse_bytes(json, strlen(json), universe, &error);

	g_assert_no_error(error);
	return profile;
}

static struct needs *guest_of(const char *text)
{
	g_autoptr(XmlDocument) xml = fixture_xml(text);
	g_autoptr(GError) error = NULL;
	struct needs *needs = needs_from_xml(xml, &error);

	g_assert_no_error(error);
	return needs;
}

static struct verdicts *judge(const struct needs *needs, const char *source, const char *target,
			      bool brief)
{
	const struct judge j = { .universe = universe, .models = models, .rules = rules, .brief = brief };
	g_autoptr(Profile) from = source ? host_of(source) : NULL;
	g_autoptr(Profile) to = host_of(target);
	struct cpu_need *cpu =
		needs->cpu ? cpu_need_new(needs->cpu, needs->arch, models, universe) : NULL;
	struct verdicts *v = judge_guest(&j, needs, cpu, from, to);

	cpu_need_free(cpu);
	return v;
}

static void test_row(gconstpointer data)
{
	const struct row *row = data;
	g_autoptr(Needs) needs = guest_of(row->guest);
	struct verdicts *v = judge(needs, NULL, row->host, false);
	struct verdicts *brief = judge(needs, NULL, row->host, true);
	const struct finding *worst = NULL;

	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);

		g_test_message("%s: %s: %s", verdict_name(f->verdict), f->check, f->text);
		if (!worst && f->on & ON_START && f->verdict >= V_UNKNOWN)
			worst = f;
	}
	g_assert_cmpstr(verdict_name(v->start), ==, verdict_name(row->start));
	g_assert_cmpstr(verdict_name(brief->start), ==, verdict_name(row->start));
	g_assert_cmpstr(worst ? worst->check : NULL, ==, row->check);
	if (row->words && worst)
		g_assert_nonnull(strstr(worst->text, row->words));
	verdicts_free(v);
	verdicts_free(brief);
}

/* What ties a guest with its host's own CPU to that host. */
static void test_bound(void)
{
	static const struct {
		const char *guest, *from, *to;
		enum verdict migrate;
	} moves[] = {
		{ A("<cpu mode='host-passthrough'/>"), ARM_KERNEL("0x413fd0c1", "44"),
		  ARM_KERNEL("0x413fd0c1", "44"), V_WARN },
		{ A("<cpu mode='host-passthrough'/>"), ARM_KERNEL("0x413fd0c1", "44"),
		  ARM_KERNEL("0x411fd401", "44"), V_BLOCK },
		{ A("<cpu mode='host-passthrough'/>"), ARM, ARM_KERNEL("0x411fd401", "44"), V_UNKNOWN },
		{ P("<cpu mode='host-model'/>"), POWER9, POWER9, V_WARN },
		{ P("<cpu mode='host-model'/>"), POWER9, POWER8, V_BLOCK },
		{ P(MODE("power8")), POWER9, POWER8, V_OK },
		{ S("<cpu mode='host-model'/>"), Z, Z, V_OK },
		{ S("<cpu mode='host-passthrough'/>"), Z, Z, V_WARN },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(moves); i++) {
		g_autoptr(Needs) needs = guest_of(moves[i].guest);
		struct verdicts *v = judge(needs, moves[i].from, moves[i].to, false);

		g_test_message("move %zu", i);
		g_assert_cmpstr(verdict_name(v->migrate), ==, verdict_name(moves[i].migrate));
		verdicts_free(v);
	}
}

static void note_fired(GHashTable *fired, const char *guest, const char *host)
{
	g_autoptr(Needs) needs = guest_of(guest);
	struct verdicts *v = judge(needs, NULL, host, false);

	for (guint k = 0; k < v->findings->len; k++) {
		const struct finding *f = g_ptr_array_index(v->findings, k);
		const json_t *item;
		size_t n;

		json_array_foreach (f->need, n, item)
			g_hash_table_add(fired, g_strdup(json_string_value(json_object_get(item, "id"))));
	}
	verdicts_free(v);
}

/* Every rule about architectures is fired by a row, whose finding names it. */
static void test_rules_fired(void)
{
	g_autoptr(GHashTable) fired = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	static const char *const more[] = {
		/* hosts that give everything but this, and an older libvirt */
		PF("<ibs value='workaround'/>"), PF("<ibs value='fixed-ibs'/>"), PF("<ibs value='fixed-na'/>"),
		PF("<sbbc value='workaround'/>"),
	};
	static const char old[] = ARM_WITH("{'id':'libvirt.version','value':'9.0.0','state':'known',"
					   "'scope':{'view':'libvirt'},'origin':'t'}");
	static const char *const arm[] = { A("<cpu mode='host-passthrough'>" HAS("pauth") "</cpu>"),
					   A(MODEL("cortex-a57")) };

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		note_fired(fired, rows[i].guest, rows[i].host);
	for (size_t i = 0; i < G_N_ELEMENTS(more); i++)
		note_fired(fired, more[i], POWER9_UNTOLD);
	for (size_t i = 0; i < G_N_ELEMENTS(arm); i++)
		note_fired(fired, arm[i], old);
	for (guint i = 0; i < rulebook_size(rules); i++)
		if (!g_hash_table_contains(fired, rulebook_at(rules, i)->name)) {
			g_test_message("no row fires %s", rulebook_at(rules, i)->name);
			g_test_fail();
		}
}

static void test_power(void)
{
	g_assert_cmpint(power_level("POWER6"), ==, 1);
	g_assert_cmpint(power_level("POWER11"), ==, 6);
	g_assert_cmpint(power_level("POWER5"), ==, -1);
	g_assert_cmpint(power_level("POWER9_v2.0"), ==, -1);
	g_assert_cmpint(power_level(NULL), ==, -1);
	g_assert_cmpint(power_mode_level("power8"), ==, 3);
	g_assert_cmpint(power_mode_level("power7+"), ==, -1);
	g_assert_cmpstr(power_generation("POWER7+_v2.1"), ==, "POWER7");
	g_assert_cmpstr(power_generation("POWER8E_v1.0"), ==, "POWER8E_v1.0");
	g_assert_null(power_generation(NULL));
}

static void test_registers(void)
{
	static const struct {
		enum arch_family family;
		guint64 value;
		const char *name;
	} cases[] = {
		{ ARCH_PPC64, 0x004e1202, "POWER9" },	 { ARCH_PPC64, 0x004b0201, "POWER8" },
		{ ARCH_PPC64, 0x004d0200, "POWER8" },	 { ARCH_PPC64, 0x00390202, NULL },
		{ ARCH_ARM64, 0x413fd0c1, "Neoverse-N1" }, { ARCH_ARM64, 0x431f0af1, "ThunderX2 99xx" },
		{ ARCH_ARM64, 0x41000000, NULL },	 { ARCH_S390X, 0x413fd0c1, NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct named_model *m =
			cpu_models_by_register(models, cases[i].family, cases[i].value);

		g_assert_cmpstr(m ? m->name : NULL, ==, cases[i].name);
	}
}

static void test_archs(void)
{
	g_assert_cmpint(arch_family("ppc64le"), ==, ARCH_PPC64);
	g_assert_cmpint(arch_family("sparc64"), ==, ARCH_OTHER);
	g_assert_cmpint(arch_family(NULL), ==, ARCH_X86);
	g_assert_cmpint(arch_of_id("msr.arch-cap.rsba"), ==, ARCH_X86);
	g_assert_cmpint(arch_of_id("s390x.vx"), ==, ARCH_S390X);
	g_assert_cmpint(arch_of_id("pseries.cap-htm"), ==, ARCH_FAMILIES);
	g_assert_cmpstr(arch_of_emulator("/usr/bin/qemu-system-arm"), ==, "armv7l");
	g_assert_cmpstr(arch_of_emulator("/usr/bin/qemu-system-x86_64-microvm"), ==, "x86_64");
	g_assert_null(arch_of_emulator("/usr/libexec/qemu-kvm"));
	g_assert_true(arch_native("x86_64", "i686"));
	g_assert_false(arch_native("i686", "x86_64"));
	g_assert_true(arch_native("ppc64le", "ppc64"));
	g_assert_false(arch_native("s390x", "ppc64"));
	g_assert_cmpint(arch_find_alias(ARCH_S390X, NS_QEMU, "vx"), ==, cap_find("s390x.vx"));
	g_assert_cmpint(arch_find_alias(ARCH_X86, NS_QEMU, "vx"), ==, -1);
	g_assert_cmpint(arch_find_alias(ARCH_ARM64, NS_LIBVIRT, "aes"), ==, cap_find("arm64.aes"));
	g_assert_cmpint(arch_find_alias(ARCH_X86, NS_LIBVIRT, "aes"), ==, cap_find("cpu.aes"));
}

static void load_rules(void)
{
	g_autofree char *path = g_build_filename(g_getenv("top_srcdir") ? g_getenv("top_srcdir") : "..",
						 "schema", "data", "definition-rules-arch.tsv", NULL);
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	size_t length;

	bytes = fixture_bytes(path, &length);
	rule_table = table_parse(bytes, length, path, &error);
	g_assert_no_error(error);
	rules = rulebook_new(&rule_table, 1, &error);
	g_assert_no_error(error);
}

int main(int argc, char **argv)
{
	int failed;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	universe = universe_new();
	models = fixture_models();
	load_rules();
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path =
			g_strdup_printf("/other-arch/%02zu/%s", i, rows[i].check ? rows[i].check : "sound");

		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/other-arch/bound", test_bound);
	g_test_add_func("/other-arch/rules-fired", test_rules_fired);
	g_test_add_func("/other-arch/power", test_power);
	g_test_add_func("/other-arch/registers", test_registers);
	g_test_add_func("/other-arch/archs", test_archs);
	failed = g_test_run();
	rulebook_free(rules);
	table_free(rule_table);
	cpu_models_free(models);
	universe_free(universe);
	return failed;
}
