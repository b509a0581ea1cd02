/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-other-baseline.c: what hosts of POWER, IBM Z, Arm and others have in common: the CPU that
 * their guests are to name, as libvirt and QEMU want it, and that every host starts a guest of it.
 */
#include "config.h"

#include <string.h>

#include "guest/needs.h"
#include "judge/verdict.h"
#include "plan/baseline.h"
#include "read-fixture.h"

#define MOST_HOSTS 4

/* Documents are written with ' for " and parsed after replacing it. */
#define HOST(arch, facts, emulators)                                                              \
	"{'format':'capbroker.profile/1','host':{'name':'h'" arch "},'facts':[" facts             \
	"],'emulators':[" emulators "]}"
#define QEMU(arch, accel, machines, more)                                                         \
	"{'path':'/usr/bin/qemu-system-" arch "','version':'10.0.3','accel':'" accel              \
	"','machine':'none','machines':[" machines "]," more "}"
#define FACT(id, value, view)                                                                     \
	"{'id':'" id "','value':" value ",'state':'known','scope':{'view':'" view "'},'origin':'t'}"

#define PSERIES(version) "{'name':'pseries-" version "','cpu_max':2048}"
#define POWER(model, level)                                                                       \
	HOST(",'arch':'ppc64le'", "",                                                             \
	     QEMU("ppc64", "kvm", "{'name':'40p'}," PSERIES("9.0") "," PSERIES("10.0"),           \
		  "'cpu_models':[{'name':'POWER8'},{'name':'POWER9'}],"                           \
		  "'facts':[{'id':'ppc64.model','value':'" model "'},"                            \
		  "{'id':'ppc64.compat','value':" level "}]"))
#define POWER_UNTOLD                                                                              \
	HOST(",'arch':'ppc64le'", "", QEMU("ppc64", "kvm", PSERIES("9.0"), "'facts':[]"))

#define YES(name) "{'id':'s390x." name "','value':true}"
#define Z(facts)                                                                                  \
	HOST(",'arch':'s390x'", "",                                                               \
	     QEMU("s390x", "kvm", "{'name':'s390-ccw-virtio-10.0','cpu_max':248}",                \
		  "'cpu_models':[{'name':'z900-base','usable':true},{'name':'z14','usable':true}]," \
		  "'complete':true,'facts':[" YES("esan3") "," YES("zarch") facts "]"))
#define MSA5 "," YES("msa5-base") "," YES("ppno-sha-512-drng")

#define VIRT "{'name':'virt-10.0','cpu_max':512},{'name':'akita'}"
#define ARM(midr, gic)                                                                            \
	HOST(",'arch':'aarch64'",                                                                 \
	     FACT("arm64.midr", "'" midr "'", "kernel") ","                                       \
	     FACT("arm64.gic-versions", gic, "kvm"),                                              \
	     QEMU("aarch64", "kvm", VIRT, "'facts':[]"))
#define ARM_UNTOLD HOST(",'arch':'aarch64'", "", QEMU("aarch64", "kvm", VIRT, "'facts':[]"))
#define LOONGARCH                                                                                 \
	HOST(",'arch':'loongarch64'", "",                                                         \
	     QEMU("loongarch64", "kvm", "{'name':'virt'}",                                        \
		  "'facts':[{'id':'loongarch64.lasx','value':true}]"))
/* emulates another architecture, and says nothing of its own */
#define NOBODY HOST("", "", QEMU("riscv64", "tcg", "{'name':'virt'}", "'facts':[]"))

static const struct row {
	const char *name;
	const char *hosts[MOST_HOSTS];
	const char *arch, *vendor;
	const char *libvirt, *qemu; /* NULL: no CPU can be named */
	const char *lost, *unknown, *unset; /* the id of one, or NULL: there is none */
} rows[] = {
	{ "power-one-generation", { POWER("POWER9", "4"), POWER("POWER9", "4") }, "ppc64le", "IBM",
	  "<cpu mode='custom' match='exact'>\n  <model fallback='forbid'>POWER9</model>\n</cpu>\n",
	  "-machine pseries-10.0,accel=kvm -cpu POWER9", NULL, NULL, NULL },
	{ "power-old-names", { POWER("POWER8_v1.0", "3"), POWER("POWER8", "3") }, "ppc64le", "IBM",
	  "<cpu mode='custom' match='exact'>\n  <model fallback='forbid'>POWER8</model>\n</cpu>\n",
	  "-machine pseries-10.0,accel=kvm -cpu POWER8", NULL, NULL, NULL },
	{ "power-generations", { POWER("POWER9", "4"), POWER("POWER8", "3"), POWER("POWER10", "5") },
	  "ppc64le", "IBM", "<cpu mode='host-model'>\n  <model>power8</model>\n</cpu>\n",
	  "-machine pseries-10.0,accel=kvm,max-cpu-compat=power8 -cpu host", "ppc64.compat", NULL, NULL },
	{ "power-untold", { POWER("POWER9", "4"), POWER_UNTOLD }, "ppc64le", "IBM", NULL, NULL,
	  "qemu.machine", "ppc64.model", NULL },
	{ "power-no-modes", { POWER("POWER9", "4"), POWER("POWERPC_e6500", "0") }, "ppc64le", "IBM",
	  NULL, NULL, NULL, "ppc64.compat", NULL },
	{ "z-group-of-features", { Z(MSA5), Z(MSA5 "," YES("vx")) }, "s390x", "IBM",
	  "<cpu mode='custom' match='exact'>\n  <model fallback='forbid'>z900-base</model>\n"
	  "  <feature policy='require' name='msa5'/>\n  <feature policy='disable' name='plo'/>\n</cpu>\n",
	  "-machine s390-ccw-virtio-10.0,accel=kvm -cpu z900-base,msa5=on,plo=off", "s390x.vx", NULL, NULL },
	{ "z-part-of-group", { Z(MSA5), Z("," YES("ppno-sha-512-drng")) }, "s390x", "IBM",
	  "<cpu mode='custom' match='exact'>\n  <model fallback='forbid'>z900-base</model>\n"
	  "  <feature policy='disable' name='plo'/>\n  <feature policy='require' name='ppno-sha-512-drng'/>\n"
	  "</cpu>\n",
	  "-machine s390-ccw-virtio-10.0,accel=kvm -cpu z900-base,plo=off,ppno-sha-512-drng=on",
	  "s390x.msa5-base", NULL, NULL },
	{ "arm-same", { ARM("0x413fd0c1", "['2','3']"), ARM("0x413fd0c1", "['3']") }, "aarch64",
	  "unknown", "<cpu mode='host-passthrough'/>\n",
	  "-machine virt-10.0,accel=kvm,gic-version=3 -cpu host", "arm64.gic-versions", NULL, NULL },
	{ "arm-differs", { ARM("0x413fd0c1", "['3']"), ARM("0x411fd401", "['3']") }, "aarch64", "unknown",
	  NULL, NULL, NULL, NULL, "arm64.model" },
	{ "arm-untold", { ARM("0x413fd0c1", "['3']"), ARM_UNTOLD }, "aarch64", "unknown", NULL, NULL,
	  NULL, "arm64.model", NULL },
	{ "loongarch", { LOONGARCH, LOONGARCH }, "loongarch64", "unknown", NULL, NULL, NULL, NULL, NULL },
	{ "nobody", { LOONGARCH, NOBODY }, "loongarch64", "unknown", NULL, NULL, NULL, NULL, NULL },
};

static struct cpu_models *models;

static struct fleet *fleet_of(const struct row *row)
{
	struct fleet *fleet = fleet_new();

	for (size_t i = 0; i < MOST_HOSTS && row->hosts[i]; i++) {
		g_autofree char *json = g_strdelimit(g_strdup(row->hosts[i]), "'", '"');
		g_autofree char *name = g_strdup_printf("h%zu", i);
		g_autoptr(GError) error = NULL;
		struct profile *profile =
			profile_parse_bytes(json, strlen(json), fleet->universe, &error);

		g_assert_no_error(error);
		fleet_own(fleet, profile);
		fleet_add(fleet, name, profile, NULL);
	}
	fleet_settle(fleet);
	return fleet;
}

static bool has_lost(const struct baseline *b, const char *id)
{
	for (guint i = 0; i < b->lost->len; i++)
		if (!strcmp(((struct baseline_lost *)b->lost->pdata[i])->id, id))
			return true;
	return false;
}

static bool has_entry(const GPtrArray *entries, const char *id)
{
	guint n = 0;

	for (guint i = 0; i < entries->len; i++)
		n += !strcmp(((struct baseline_hosts *)entries->pdata[i])->id, id);
	g_assert_cmpuint(n, <=, 1);
	return n;
}

/* A guest with the group's CPU starts on every host of the group. */
static void check_starts(const struct judge *judge, const struct baseline *b, const char *cpu)
{
	g_autofree char *text = g_strdup_printf(
		"<domain type='kvm'><name>g</name><memory>1048576</memory><vcpu>1</vcpu><os>"
		"<type arch='%s' machine='%s'>hvm</type></os>%s</domain>",
		b->arch, (char *)b->machines->pdata[0], cpu);
	g_autoptr(XmlDocument) xml = fixture_xml(text);
	g_autoptr(GError) error = NULL;
	g_autoptr(Needs) needs = needs_from_xml(xml, &error);
	struct cpu_need *need;

	g_assert_no_error(error);
	need = cpu_need_new(needs->cpu, needs->arch, models, judge->universe);
	for (guint i = 0; i < b->hosts->len; i++) {
		const struct host *h = g_ptr_array_index(b->hosts, i);
		struct verdicts *v = judge_guest(judge, needs, need, NULL, h->profile);

		for (guint k = 0; k < v->findings->len; k++)
			g_test_message("%s: %s", h->name, ((struct finding *)v->findings->pdata[k])->text);
		g_assert_cmpint(v->start, <=, V_WARN);
		verdicts_free(v);
	}
	cpu_need_free(need);
}

static const struct baseline *group(const GPtrArray *groups, const char *arch, const char *vendor)
{
	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);

		if (!strcmp(b->arch, arch) && !strcmp(b->vendor, vendor))
			return b;
	}
	g_error("no group %s %s", arch, vendor);
}

static void test_row(gconstpointer data)
{
	static const struct baseline_options options = { .all_features = false };
	const struct row *row = data;
	struct fleet *fleet = fleet_of(row);
	const struct judge judge = { .universe = fleet->universe, .models = models };
	g_autoptr(GPtrArray) groups = baseline_groups(&judge, fleet->hosts, &options);
	const struct baseline *b = group(groups, row->arch, row->vendor);

	g_assert_true(baseline_has_setting(b) == (row->libvirt != NULL));
	if (row->libvirt) {
		g_autofree char *libvirt = baseline_libvirt(b), *qemu = baseline_qemu(b);

		g_assert_cmpstr(libvirt, ==, row->libvirt);
		g_assert_cmpstr(qemu, ==, row->qemu);
		check_starts(&judge, b, libvirt);
	}
	g_assert_true(row->lost ? has_lost(b, row->lost) : !b->lost->len);
	if (row->unknown)
		g_assert_true(has_entry(b->unknown, row->unknown));
	g_assert_true(row->unset ? has_entry(b->not_expressible, row->unset) : !b->not_expressible->len);
	fleet_free(fleet);
}

/* A host that only emulates others joins nobody's group. */
static void test_groups(void)
{
	static const struct row mixed = { .hosts = { LOONGARCH, NOBODY, POWER("POWER9", "4"), Z("") } };
	static const struct row one = { .hosts = { LOONGARCH, NOBODY } };
	static const struct baseline_options options = { .all_features = false };
	const struct row *const both[] = { &mixed, &one };
	static const guint n[] = { 4, 2 };

	for (size_t i = 0; i < G_N_ELEMENTS(both); i++) {
		struct fleet *fleet = fleet_of(both[i]);
		const struct judge judge = { .universe = fleet->universe, .models = models };
		g_autoptr(GPtrArray) groups = baseline_groups(&judge, fleet->hosts, &options);

		g_assert_cmpuint(groups->len, ==, n[i]);
		g_assert_cmpuint(group(groups, "unknown", "unknown")->hosts->len, ==, 1);
		fleet_free(fleet);
	}
}

int main(int argc, char **argv)
{
	int failed;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	models = fixture_models();
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/other-baseline/%s", rows[i].name);

		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/other-baseline/groups", test_groups);
	failed = g_test_run();
	cpu_models_free(models);
	return failed;
}
