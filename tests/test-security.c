/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-security: the rules of schema/data/definition-rules-security.tsv on hosts that have and
 * haven't what encrypted guests and enclaves need, and moves of guests that run guests.
 */
#include "config.h"

#include <string.h>

#include "guest/needs.h"
#include "judge/rulebook.h"
#include "judge/verdict.h"
#include "model/error.h"

/* Written with ' for ", as it is parsed after replacing it. */
#define FACT(id, value, scope)                                                                    \
	"{'id':'" id "','value':" value ",'state':'known','scope':" scope ",'origin':'t'}"
#define KERNEL "{'view':'kernel'}"
#define LIBVIRT "{'view':'libvirt'}"
#define OF_LIBVIRT "{'view':'libvirt','emulator':'/usr/bin/qemu-system-x86_64','accel':'kvm'}"
#define OF_QEMU "{'view':'qemu','emulator':'/usr/bin/qemu-system-x86_64','accel':'kvm'}"
#define LIBVIRT_IS(v) FACT("libvirt.version", "'" v "'", LIBVIRT)

#define HOST_LIKE(facts, more, objects, enums)                                                     \
	"{'format':'capbroker.profile/1','host':{'name':'h','arch':'x86_64'},'facts':[" facts "]," \
	"'emulators':[{'path':'/usr/bin/qemu-system-x86_64','version':'10.1.0','accel':'kvm',"      \
	"'machine':'none','complete':true,'machines':[{'name':'pc-q35-10.1','alias':'q35'}],"       \
	"'cpu_models':[{'name':'486','usable':true,'missing':[]}],"                                \
	"'objects':[" objects "],"                                                                 \
	"'devices':{'cpu':['fpu','vmx','vmx-ept','vmx-vpid']},"                                     \
	"'facts':[{'id':'cpu.fpu','value':true}" more "]}"                                                  \
	",{'view':'libvirt','path':'/usr/bin/qemu-system-x86_64','accel':'kvm','machine':"          \
	"'pc-q35-10.1','enums':{" enums "}}]}"
#define OBJECTS "'sev-guest','sev-snp-guest'"
#define HOST(facts) HOST_LIKE(facts, "", OBJECTS, ENUMS)
#define ENUMS                                                                                     \
	"'features.launchSecurity':true,'features.launchSecurity.sectype':['sev','sev-snp'],"      \
	"'features.sev':true,'features.sgx':true"

#define SEV_ON                                                                                    \
	FACT("sev.enabled", "true", OF_LIBVIRT) "," FACT("sev.cbitpos", "51", OF_LIBVIRT) ","      \
	FACT("sev-snp.enabled", "true", KERNEL) "," FACT("sev-es.enabled", "false", KERNEL)
#define SGX_ON                                                                                    \
	FACT("sgx.enabled", "true", OF_LIBVIRT) "," FACT("sgx.first-epc-bytes", "134217728", OF_LIBVIRT)

#define AMD HOST(LIBVIRT_IS("11.3.0") "," SEV_ON)
#define AMD_OLD HOST(LIBVIRT_IS("9.0.0") "," SEV_ON)
#define BARE HOST(SEV_ON)
#define UNTOLD HOST("")
#define ENCLAVES HOST(LIBVIRT_IS("11.3.0") "," SGX_ON)
#define NO_ENCLAVES HOST(LIBVIRT_IS("11.3.0") "," FACT("sgx.enabled", "false", OF_QEMU))
#define TDX_ON FACT("tdx.enabled", "true", OF_LIBVIRT)
#define TDX_ENUMS "'features.launchSecurity':true,'features.launchSecurity.sectype':['tdx']"
#define TDX HOST_LIKE(LIBVIRT_IS("12.8.0") "," TDX_ON, "", "'tdx-guest'", TDX_ENUMS)
#define NO_TDX HOST_LIKE(FACT("tdx.enabled", "false", KERNEL), "", "'tdx-guest'", "")
#define NO_OBJECTS HOST_LIKE(SEV_ON, "", "'iothread'", "")
#define NO_SNP HOST(FACT("sev.enabled", "true", KERNEL) "," FACT("sev-snp.enabled", "false", KERNEL))
#define NOTHING_OFFERED                                                                           \
	HOST_LIKE(LIBVIRT_IS("9.0.0") "," SEV_ON, "", OBJECTS, "'features.sev':false,'features.sgx':false")
/* the module was told yes, and QEMU can't all the same: what is nearer to the guest counts */
#define MODULE_ALONE                                                                              \
	HOST(FACT("sev.enabled", "true", KERNEL) "," FACT("sev.enabled", "false", OF_QEMU))

#define GUEST_OF(type, inside)                                                                    \
	"<domain type='" type "'><name>g</name><os><type arch='x86_64' machine='q35'>hvm</type></os>" \
	inside "</domain>"
#define GUEST(inside) GUEST_OF("kvm", inside)
#define SEV(inside) GUEST("<launchSecurity type='sev'>" inside "</launchSecurity>")
#define SNP(inside) GUEST("<launchSecurity type='sev-snp'>" inside "</launchSecurity>")
#define EPC(size)                                                                                 \
	GUEST("<devices><memory model='sgx-epc'><target>" size "</target></memory></devices>")

static const struct row {
	const char *rule; /* the first to fire; NULL: none of ours */
	enum verdict start, migrate;
	const char *host, *guest;
} rows[] = {
	{ NULL, V_OK, V_OK, AMD, GUEST("") },
	{ "launch-security-sev-bound", V_OK, V_BLOCK, AMD, SEV("<policy>0x0003</policy>") },
	{ "launch-security-sev-bound", V_OK, V_BLOCK, AMD_OLD, SEV("<policy>0x0003</policy>") },
	{ "launch-security-sev-bound", V_OK, V_BLOCK, BARE, SNP("<policy>0x30000</policy>") },
	{ "launch-security-type", V_BLOCK, V_BLOCK, AMD, GUEST("<launchSecurity type='foo'/>") },
	{ "launch-security-snp-unknown", V_BLOCK, V_BLOCK, AMD_OLD, SNP("<policy>0x30000</policy>") },
	{ "launch-security-tdx-unknown", V_BLOCK, V_BLOCK, AMD, GUEST("<launchSecurity type='tdx'/>") },
	{ "launch-security-not-offered", V_BLOCK, V_BLOCK, AMD,
	  GUEST("<launchSecurity type='s390-pv'/>") },
	{ "launch-security-policy", V_BLOCK, V_BLOCK, AMD, SEV("") },
	{ "launch-security-policy", V_BLOCK, V_BLOCK, AMD, SEV("<policy>three</policy>") },
	{ "launch-security-cbitpos", V_BLOCK, V_BLOCK, AMD,
	  SEV("<policy>3</policy><reducedPhysBits>one</reducedPhysBits>") },
	{ "launch-security-yes-no", V_BLOCK, V_BLOCK, AMD,
	  GUEST("<launchSecurity type='sev' kernelHashes='maybe'><policy>3</policy></launchSecurity>") },
	{ "launch-security-cbitpos-differs", V_BLOCK, V_BLOCK, AMD,
	  SEV("<policy>3</policy><cbitpos>47</cbitpos>") },
	{ "launch-security-sev-bound", V_OK, V_BLOCK, AMD,
	  SEV("<policy>3</policy><cbitpos>51</cbitpos><reducedPhysBits>1</reducedPhysBits>") },
	{ "launch-security-bits-low", V_BLOCK, V_BLOCK, AMD,
	  SEV("<policy>3</policy><reducedPhysBits>0</reducedPhysBits>") },
	{ "launch-security-bits-high", V_BLOCK, V_BLOCK, AMD,
	  SEV("<policy>3</policy><reducedPhysBits>64</reducedPhysBits>") },
	{ "launch-security-sev-es-off", V_BLOCK, V_BLOCK, AMD, SEV("<policy>0x0007</policy>") },
	{ "launch-security-smm", V_BLOCK, V_BLOCK, AMD,
	  GUEST("<features><smm state='on'/></features>"
		"<launchSecurity type='sev-snp'><policy>0x30000</policy></launchSecurity>") },
	{ "launch-security-sev-off", V_UNKNOWN, V_BLOCK, UNTOLD, SEV("<policy>3</policy>") },
	{ "launch-security-sev-off", V_BLOCK, V_BLOCK, MODULE_ALONE, SEV("<policy>3</policy>") },
	{ "launch-security-tdx-no-object", V_BLOCK, V_BLOCK, BARE,
	  GUEST("<launchSecurity type='tdx'/>") },
	{ "launch-security-needs-kvm", V_BLOCK, V_BLOCK, AMD,
	  GUEST_OF("qemu", "<launchSecurity type='sev'><policy>3</policy></launchSecurity>") },
	{ "launch-security-sev-no-object", V_BLOCK, V_BLOCK, NO_OBJECTS, SEV("<policy>3</policy>") },
	{ "launch-security-sev-snp-no-object", V_BLOCK, V_BLOCK, NO_OBJECTS, SNP("<policy>3</policy>") },
	{ "launch-security-sev-snp-off", V_BLOCK, V_BLOCK, NO_SNP, SNP("<policy>3</policy>") },
	{ "launch-security-sev-not-offered", V_BLOCK, V_BLOCK, NOTHING_OFFERED,
	  SEV("<policy>3</policy>") },
	{ "launch-security-pv-elsewhere", V_BLOCK, V_BLOCK, NOTHING_OFFERED,
	  GUEST("<launchSecurity type='s390-pv'/>") },
	{ "launch-security-pv-bound", V_BLOCK, V_BLOCK, AMD, GUEST("<launchSecurity type='s390-pv'/>") },
	{ "launch-security-tdx-bound", V_OK, V_BLOCK, TDX, GUEST("<launchSecurity type='tdx'/>") },
	{ "launch-security-tdx-off", V_BLOCK, V_BLOCK, NO_TDX, GUEST("<launchSecurity type='tdx'/>") },
	{ "launch-security-tdx-policy", V_BLOCK, V_BLOCK, TDX,
	  GUEST("<launchSecurity type='tdx'><policy>all</policy></launchSecurity>") },
	{ "launch-security-tdx-cpu", V_BLOCK, V_BLOCK, TDX,
	  GUEST("<cpu mode='host-model'/><launchSecurity type='tdx'/>") },
	{ "launch-security-tdx-bound", V_OK, V_BLOCK, TDX,
	  GUEST("<cpu mode='host-passthrough'/><launchSecurity type='tdx'/>") },
	{ "launch-security-tdx-irqchip", V_BLOCK, V_BLOCK, TDX,
	  GUEST("<features><ioapic driver='kvm'/></features><launchSecurity type='tdx'/>") },
	{ "sgx-epc-bound", V_OK, V_WARN, ENCLAVES, EPC("<size unit='MiB'>64</size>") },
	{ "sgx-epc-bound", V_OK, V_WARN, ENCLAVES, EPC("<size>131072</size>") },
	{ "sgx-epc-too-small", V_BLOCK, V_BLOCK, ENCLAVES, EPC("<size unit='KiB'>131073</size>") },
	{ "sgx-epc-too-small", V_BLOCK, V_BLOCK, ENCLAVES, EPC("<size unit='GiB'>8</size>") },
	{ "sgx-epc-off", V_BLOCK, V_BLOCK, NO_ENCLAVES, EPC("<size unit='MiB'>64</size>") },
	{ "sgx-epc-unknown", V_BLOCK, V_BLOCK,
	  HOST(LIBVIRT_IS("8.9.0") "," SGX_ON), EPC("<size unit='MiB'>64</size>") },
};

static struct rulebook *rules;
static struct cpu_models *models;

static struct profile *host_of(const char *text, struct universe *universe)
{
	g_autofree char *json = g_strdup(text);
	g_autoptr(GError) error = NULL;
	struct profile *profile;

	g_strdelimit(json, "'", '"');
	profile = profile_parse_bytes(json, strlen(json), universe, &error);
	g_assert_no_error(error);
	return profile;
}

static struct needs *guest_of(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(XmlDocument) xml = xml_parse(text, strlen(text), "guest", &error);
	struct needs *needs = xml ? needs_from_xml(xml, &error) : NULL;

	g_assert_no_error(error);
	return needs;
}

/* The first rule named by the findings of the check: those of the worst finding come first. */
static bool names_rule(const struct verdicts *v, const char *rule)
{
	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);
		const json_t *item;
		size_t k;

		json_array_foreach (f->need, k, item)
			if (!strcmp(f->check, "launch-security") &&
			    !g_strcmp0(json_string_value(json_object_get(item, "id")), rule))
				return true;
	}
	return false;
}

static void test_row(const void *data)
{
	const struct row *row = data;
	g_autoptr(Universe) universe = universe_new();
	g_autoptr(Profile) profile = host_of(row->host, universe);
	g_autoptr(Needs) needs = guest_of(row->guest);
	struct judge judge = { .universe = universe, .models = models, .rules = rules };
	struct verdicts *v = judge_guest(&judge, needs, NULL, NULL, profile);
	enum verdict start = V_OK, migrate = V_OK;

	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);

		g_test_message("%s: %s: %s", verdict_name(f->verdict), f->check, f->text);
		if (strcmp(f->check, "launch-security"))
			continue;
		start = f->on & ON_START ? MAX(start, f->verdict) : start;
		migrate = f->on & ON_MIGRATE ? MAX(migrate, f->verdict) : migrate;
		/* what is in braces was told; where something isn't known, its term is named */
		g_assert_true(f->verdict == V_UNKNOWN || !strpbrk(f->text, "{?"));
	}
	g_assert_cmpstr(verdict_name(start), ==, verdict_name(row->start));
	g_assert_cmpstr(verdict_name(migrate), ==, verdict_name(row->migrate));
	if (row->rule)
		g_assert_true(names_rule(v, row->rule));
	verdicts_free(v);
}

/* --- guests that run guests -------------------------------------------------------------------- */

#define YES(id) ",{'id':'" id "','value':true}"
#define STATE(n) FACT("kvm.nested-state", n, "{'view':'kvm'}")
#define NESTED(facts, more) HOST_LIKE(facts, YES("cpu.vmx") more, "", "")
#define EPT YES("msr.vmx-procbased2.vmx-ept")
#define VPID YES("msr.vmx-procbased2.vmx-vpid")
#define CPU(features)                                                                             \
	GUEST("<cpu mode='custom' check='partial'><model>486</model>" features "</cpu>")
#define NAMED(policy, name) "<feature policy='" policy "' name='" name "'/>"

static const struct nested_row {
	const char *source, *target, *guest; /* source may be NULL */
	const char *text; /* of the warning; NULL: none */
} nested_rows[] = {
	{ NESTED("", EPT VPID), NESTED("", EPT VPID), CPU(NAMED("require", "vmx")), NULL },
	{ NESTED("", EPT VPID), NESTED("", EPT), CPU(""), NULL }, /* no guests of its own */
	{ NESTED("", EPT VPID), NESTED("", EPT), CPU(NAMED("require", "vmx")),
	  "guest may run guests of its own (vmx), which may find less there: vmx-vpid" },
	{ NESTED("", EPT), NESTED("", EPT VPID), CPU(NAMED("require", "vmx")), NULL },
	/* what the definition names is cpu-missing's to judge, or isn't seen */
	{ NESTED("", EPT VPID), NESTED("", EPT),
	  CPU(NAMED("require", "vmx") NAMED("disable", "vmx-vpid")), NULL },
	{ NULL, NESTED("", EPT), CPU(NAMED("require", "vmx")), NULL },
	{ NESTED(STATE("4096"), EPT), NESTED(STATE("4096"), EPT), CPU(NAMED("require", "vmx")), NULL },
	{ NESTED(STATE("0"), EPT), NESTED(STATE("4096"), EPT), CPU(NAMED("require", "vmx")),
	  "guest may run guests of its own (vmx), whose state KVM can't save at the source" },
	{ NESTED(STATE("4096"), EPT), NESTED(STATE("0"), EPT), CPU(NAMED("require", "vmx")),
	  "guest may run guests of its own (vmx), whose state KVM can't take over there" },
	{ "{'format':'capbroker.profile/1','host':{'name':'h','arch':'x86_64'},'facts':[]}",
	  NESTED("", EPT), CPU(NAMED("require", "vmx")),
	  "guest may run guests of its own (vmx); whether they find the same there isn't known" },
};

static void test_nested(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(nested_rows); i++) {
		const struct nested_row *row = &nested_rows[i];
		g_autoptr(Universe) universe = universe_new();
		g_autoptr(Profile) source = row->source ? host_of(row->source, universe) : NULL;
		g_autoptr(Profile) target = host_of(row->target, universe);
		g_autoptr(Needs) needs = guest_of(row->guest);
		struct cpu_need *cpu = cpu_need_new(needs->cpu, needs->arch, models, universe);
		struct judge judge = { .universe = universe, .models = models, .rules = rules };
		struct verdicts *v = judge_guest(&judge, needs, cpu, source, target);
		const char *text = NULL;

		for (guint k = 0; k < v->findings->len; k++) {
			const struct finding *f = g_ptr_array_index(v->findings, k);

			g_test_message("row %zu: %s: %s", i, f->check, f->text);
			if (strcmp(f->check, "nested-guests"))
				continue;
			text = f->text;
			g_assert_cmpint(f->on, ==, ON_MIGRATE);
			g_assert_cmpint(f->verdict, ==, V_WARN);
		}
		g_assert_cmpstr(text, ==, row->text);
		verdicts_free(v);
		cpu_need_free(cpu);
	}
}

/* Every rule has a row that it fires in. */
static void test_all_fired(void)
{
	for (guint i = 0; i < rulebook_size(rules); i++) {
		const char *name = rulebook_at(rules, i)->name;
		bool fired = false;

		for (size_t k = 0; k < G_N_ELEMENTS(rows); k++)
			fired |= !g_strcmp0(rows[k].rule, name);
		if (!fired)
			g_error("no row fires %s", name);
	}
}

int main(int argc, char **argv)
{
	static const char table[] =
		"name\tvendor\tcanonical\tfirst_libvirt\tsignatures\tdecode\tadded\tremoved\tfeatures\tsource\n"
		"486\t-\t486\t9.0.0\t-\t-\t-\t-\tfpu\ttest\n";
	g_autofree char *path = g_build_filename(g_getenv("CAPBROKER_DATADIR"), "data",
						 "definition-rules-security.tsv", NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	struct table *parsed = NULL;
	gsize length;
	int failed;

	g_test_init(&argc, &argv, NULL);
	models = cpu_models_parse(table, strlen(table), &error);
	g_assert_no_error(error);
	if (g_file_get_contents(path, &text, &length, &error))
		parsed = table_parse(text, length, path, &error);
	g_assert_no_error(error);
	rules = rulebook_new(&parsed, 1, &error);
	g_assert_no_error(error);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name =
			g_strdup_printf("/security/%02zu/%s", i, rows[i].rule ? rows[i].rule : "sound");

		g_test_add_data_func(name, &rows[i], test_row);
	}
	g_test_add_func("/security/nested", test_nested);
	g_test_add_func("/security/all-fired", test_all_fired);
	failed = g_test_run();
	rulebook_free(rules);
	table_free(parsed);
	cpu_models_free(models);
	return failed;
}
