/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-guest-needs: what is taken from a domain definition, what is listed as not judged, and
 * what leaves the host.
 */
#include "config.h"

#include <string.h>

#include "guest/needs.h"
#include "read-fixture.h"

static const char full[] =
	"<domain type='kvm' id='7' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
	"<name>web-01</name><uuid>11111111-2222-3333-4444-555555555555</uuid>"
	"<title>TITLE</title><description>SECRET</description>"
	"<metadata><a:b xmlns:a='urn:a'>SECRET</a:b></metadata>"
	"<memory unit='MiB'>2048</memory><vcpu placement='static' current='2'>4</vcpu>"
	"<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>"
	"<loader readonly='yes'>/usr/share/FIRMWARE.fd</loader><boot dev='hd'/></os>"
	"<features><acpi/><apic/><pae/>"
	"<hyperv mode='custom'><relaxed state='on'/><vapic state='off'/><spinlocks state='on' retries='4095'/></hyperv>"
	"<kvm><hidden state='on'/></kvm><shiny/></features>"
	"<cputune><vcpusched vcpus='0'/><vcpusched vcpus='1'/></cputune><perf/>"
	"<cpu mode='host-passthrough' check='none' migratable='on'><feature policy='disable' name='vmx'/>"
	"<numa><cell id='0' cpus='0-3' memory='2097152'/></numa></cpu>"
	"<clock offset='utc'><timer name='rtc' tickpolicy='catchup'/>"
	"<timer name='tsc' frequency='2800000000'/></clock>"
	"<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
	"<disk type='file'><source file='/SECRET'/></disk><disk type='block'/><disk type='nvme'/>"
	"<interface type='bridge'/><interface type='vdpa'/>"
	"<hostdev mode='subsystem' type='pci'><source/></hostdev>"
	"<iommu model='intel'/><tpm model='tpm-crb'/><memballoon model='virtio'/>"
	"<graphics type='vnc' passwd='SECRET'/></devices>"
	"<qemu:commandline><qemu:arg value='SECRET'/></qemu:commandline></domain>";

static struct needs *needs_of(const char *text, GError **error)
{
	g_autoptr(XmlDocument) xml = fixture_xml(text);

	return needs_from_xml(xml, error);
}

static struct needs *good(const char *text)
{
	GError *error = NULL;
	struct needs *needs = needs_of(text, &error);

	g_assert_no_error(error);
	return needs;
}

static const struct needs_unjudged *find(const struct needs *needs, const char *path)
{
	for (guint i = 0; i < needs->unjudged->len; i++) {
		const struct needs_unjudged *u = g_ptr_array_index(needs->unjudged, i);

		if (!strcmp(u->path, path))
			return u;
	}
	return NULL;
}

static void check_full(const struct needs *needs)
{
	g_assert_false(needs->cpu_only);
	g_assert_true(needs->live);
	g_assert_cmpstr(needs->name, ==, "web-01");
	g_assert_cmpstr(needs->uuid, ==, "11111111-2222-3333-4444-555555555555");
	g_assert_cmpstr(needs->type, ==, "kvm");
	g_assert_cmpstr(needs->accel, ==, "kvm");
	g_assert_cmpstr(needs->arch, ==, "x86_64");
	g_assert_cmpstr(needs->machine, ==, "pc-q35-7.2");
	g_assert_cmpstr(needs->emulator, ==, "/usr/bin/qemu-system-x86_64");
	g_assert_cmpstr(needs->os_type, ==, "hvm");
	g_assert_cmpuint(needs->vcpus, ==, 4);
	g_assert_cmpuint(needs->tsc_khz, ==, 2800000);
	g_assert_cmpuint(needs->memory_kib, ==, 2097152);
	g_assert_true(needs->kvm_hidden && needs->apic && needs->acpi && needs->pae);
	g_assert_cmpuint(needs->hyperv->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(needs->hyperv, 1), ==, "spinlocks");
	g_assert_true(needs->has_viommu && needs->has_host_device);
	g_assert_cmpint(needs->cpu->mode, ==, CPU_HOST_PASSTHROUGH);
	g_assert_cmpint(needs->cpu->check, ==, CPU_CHECK_NONE);
	g_assert_cmpint(needs->cpu->migratable, ==, 1);
	g_assert_cmpstr(((struct cpu_def_feature *)g_ptr_array_index(needs->cpu->features, 0))->path,
			==, "/domain/cpu/feature");
}

static void test_full(void)
{
	static const char *const decides[] = {
		"/domain/features/shiny",
		"/domain/devices/disk[3]",     "/domain/devices/interface[2]",
		"/domain/qemu:commandline",
	};
	static const char *const listed[] = { "/domain/cputune/vcpusched", "/domain/perf" };
	g_autoptr(Needs) needs = good(full);

	check_full(needs);
	for (size_t i = 0; i < G_N_ELEMENTS(decides); i++) {
		if (!find(needs, decides[i]))
			g_error("%s is not listed", decides[i]);
		g_assert_true(find(needs, decides[i])->decides);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(listed); i++) {
		if (!find(needs, listed[i]))
			g_error("%s is not listed", listed[i]);
		g_assert_false(find(needs, listed[i])->decides);
	}
	g_assert_cmpstr(find(needs, "/domain/cputune/vcpusched")->what, ==, "scheduler (2)");
	g_assert_cmpuint(needs->unjudged->len, ==, G_N_ELEMENTS(decides) + G_N_ELEMENTS(listed));
}

/* There and back, and nothing on the way that wasn't asked for. */
static void test_json(void)
{
	g_autoptr(Needs) needs = good(full), back = NULL;
	json_t *json = needs_to_json(needs), *again;
	g_autofree char *text = json_dumps(json, 0);
	GError *error = NULL;

	g_assert_null(strstr(text, "SECRET"));
	g_assert_null(strstr(text, "TITLE"));
	g_assert_nonnull(strstr(needs->definition_text, "/usr/share/FIRMWARE.fd"));
	g_assert_nonnull(strstr(needs->definition_text, "<source file='PATH'/>"));
	back = needs_from_json(json, &error);
	g_assert_no_error(error);
	check_full(back);
	again = needs_to_json(back);
	g_assert_true(json_equal(json, again));
	json_decref(json);
	json_decref(again);
}

static void test_inactive(void)
{
	g_autoptr(Needs) needs = good("<domain type='qemu'><name>x</name><memory>1000</memory>"
				      "<os><type>hvm</type></os></domain>");

	g_assert_false(needs->live);
	g_assert_cmpstr(needs->accel, ==, "tcg");
	g_assert_cmpuint(needs->memory_kib, ==, 1000);
	g_assert_cmpuint(needs->vcpus, ==, 0);
	g_assert_null(needs->machine);
	g_assert_null(needs->arch);
	g_assert_null(needs->cpu);
	g_assert_cmpuint(needs->unjudged->len, ==, 0);
}

static void test_wrappers(void)
{
	g_autoptr(Needs) status = good("<domstatus state='running'><x/><domain type='kvm'>"
				       "<name>a</name></domain></domstatus>");
	g_autoptr(Needs) snapshot = good("<domainsnapshot><domain type='kvm'><name>a</name>"
					 "</domain></domainsnapshot>");
	g_autoptr(Needs) cpu = good("<cpu mode='maximum'/>");

	g_assert_true(status->live);
	g_assert_false(snapshot->live);
	g_assert_cmpstr(snapshot->name, ==, "a");
	g_assert_true(cpu->cpu_only);
	g_assert_cmpint(cpu->cpu->mode, ==, CPU_MAXIMUM);
}

static void test_units(void)
{
	static const struct {
		const char *unit;
		unsigned long long kib;
	} rows[] = { { "b", 2 },	  { "bytes", 2 },     { "KB", 2000 },
		     { "k", 2048 },	  { "KiB", 2048 },    { "M", 2097152 },
		     { "MB", 2000000 },	  { "G", 2147483648 }, { "GB", 2000000000 } };

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
			"<domain type='kvm'><memory unit='%s'>2048</memory></domain>", rows[i].unit);
		g_autoptr(Needs) needs = good(text);

		g_assert_cmpuint(needs->memory_kib, ==, rows[i].kib);
	}
}

/* What rules and checks judge is nobody's unknown. */
static void test_judged_by_rules(void)
{
	static const struct {
		const char *text;
		guint unjudged;
	} rows[] = {
		{ "<domain type='kvm'><devices><iommu model='intel'/></devices></domain>", 0 },
		{ "<domain type='kvm'><devices><iommu model='intel'/><hostdev type='pci'/></devices></domain>", 0 },
		{ "<domain type='kvm'><devices><hostdev type='usb'/></devices></domain>", 1 },
		{ "<domain type='kvm' xmlns:qemu='" XML_QEMU_NAMESPACE "'><qemu:commandline><qemu:arg value='-device'/>"
		  "<qemu:arg value='intel-iommu,aw-bits=39'/></qemu:commandline></domain>", 0 },
		{ "<domain type='kvm' xmlns:qemu='" XML_QEMU_NAMESPACE "'><qemu:commandline><qemu:arg value='-device'/>"
		  "<qemu:arg value='edu'/></qemu:commandline></domain>", 1 },
		{ "<domain type='kvm'><features><hyperv mode='passthrough'/></features></domain>", 0 },
		{ "<domain type='kvm'><features><viridian/><ps2 state='off'/></features></domain>", 0 },
		{ "<domain type='kvm'><cpu mode='maximum' deprecated_features='on'>"
		  "<maxphysaddr mode='passthrough' bits='40'/><cache mode='passthrough'/></cpu></domain>", 0 },
		{ "<domain type='kvm'><os><type>exe</type></os><idmap/><keywrap/></domain>", 0 },
		{ "<domain type='kvm'><os firmware='efi'><loader/><nvram/><varstore/></os>"
		  "<memoryBacking><hugepages/></memoryBacking><numatune><memory nodeset='1'/></numatune></domain>", 0 },
		{ "<domain type='kvm'><devices><disk type='file'/><interface type='user'/><video/><rng/><shmem/>"
		  "<redirdev/><watchdog/><console/></devices></domain>", 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(Needs) needs = good(rows[i].text);

		g_test_message("%s", rows[i].text);
		g_assert_cmpuint(needs->unjudged->len, ==, rows[i].unjudged);
	}
}

static void test_kinds(void)
{
	static const struct {
		const char *text, *path;
	} rows[] = {
		{ "<domain type='xen'/>", "/domain/@type" },
		{ "<domain type='kvm'><devices><newthing/></devices></domain>",
		  "/domain/devices/newthing" },
		{ "<domain type='kvm'><newthing/></domain>", "/domain/newthing" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(Needs) needs = good(rows[i].text);

		if (!find(needs, rows[i].path))
			g_error("%s is not listed", rows[i].path);
		g_assert_true(find(needs, rows[i].path)->decides);
		g_assert_cmpuint(needs->unjudged->len, ==, 1);
	}
}

static void test_refusals(void)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "<pool/>", "is no domain definition" },
		{ "<domstatus/>", "is no domain definition" },
		{ "<domain/>", "type" },
		{ "<domain type='kvm'><name>a\nb</name></domain>", "/domain/name" },
		{ "<domain type='kvm'><vcpu>0</vcpu></domain>", "/domain/vcpu" },
		{ "<domain type='kvm'><vcpu>-3</vcpu></domain>", "/domain/vcpu" },
		{ "<domain type='kvm'><vcpu>many</vcpu></domain>", "/domain/vcpu" },
		{ "<domain type='kvm'><memory unit='bits'>1</memory></domain>", "/domain/memory" },
		{ "<domain type='kvm'><memory unit='EiB'>99999</memory></domain>",
		  "/domain/memory" },
		{ "<domain type='kvm'><memory>-1</memory></domain>", "/domain/memory" },
		{ "<domain type='kvm'><clock><timer name='tsc' frequency='fast'/></clock></domain>",
		  "/domain/clock/timer" },
		{ "<domain type='kvm'><cpu mode='best'/></domain>", "/domain/cpu/@mode" },
		{ "<domain type='kvm'><cpu><arch>x86_64</arch><model>n270</model></cpu></domain>",
		  "/domain/cpu" },
	};
	GError *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_null(needs_of(bad[i].text, &error));
		fixture_one_line(&error, bad[i].words);
	}
}

static void test_json_refusals(void)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "[]", "guest: must be an object" },
		{ "{}", "guest.type" },
		{ "{\"type\":1}", "guest.type: must be a string" },
		{ "{\"type\":\"kvm\",\"name\":\"a\\nb\"}", "guest.name" },
		{ "{\"type\":\"kvm\",\"name\":\"a\\u0000b\"}", "guest" },
		{ "{\"type\":\"kvm\",\"running\":1}", "guest.running" },
		{ "{\"type\":\"kvm\",\"os\":[]}", "guest.os" },
		{ "{\"type\":\"kvm\",\"vcpus\":-1}", "guest.vcpus" },
		{ "{\"type\":\"kvm\",\"vcpus\":1e3}", "guest.vcpus" },
		{ "{\"type\":\"kvm\",\"vcpus\":4294967296}", "guest.vcpus" },
		{ "{\"cpu_only\":true}", "guest.cpu: is missing" },
		{ "{\"cpu_only\":true,\"cpu\":{\"mode\":\"best\"}}", "cpu.mode" },
		{ "{\"cpu_only\":true,\"cpu\":{\"mode\":\"maximum\",\"arch\":\"x86_64\"}}", "cpu.arch" },
		{ "{\"cpu_only\":true,\"cpu\":{\"features\":[{}]}}", "cpu.features[0].name" },
		{ "{\"cpu_only\":true,\"cpu\":{\"features\":[1]}}", "cpu.features[0]" },
		{ "{\"cpu_only\":true,\"cpu\":{\"features\":[{\"name\":\"a\"},{\"name\":\"a\"}]}}",
		  "cpu.features[1].name: is given twice" },
		{ "{\"cpu_only\":true,\"cpu\":{\"features\":[{\"name\":\"a\",\"policy\":\"x\"}]}}",
		  "cpu.features[0].policy" },
		{ "{\"type\":\"kvm\",\"unjudged\":[{\"path\":\"/x\"}]}", "unjudged[0]" },
		{ "{\"type\":\"kvm\",\"features\":{\"hyperv\":[1]}}", "features.hyperv" },
	};
	GError *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		json_t *json = json_loads(bad[i].text, JSON_ALLOW_NUL, NULL);

		g_assert_nonnull(json);
		g_assert_null(needs_from_json(json, &error));
		fixture_one_line(&error, bad[i].words);
		json_decref(json);
	}
}

/* Definitions of real guests and of libvirt's tests: taken, or refused in one line. */
static void test_recorded(void)
{
	static const struct {
		const char *folder;
		guint least; /* as many must be taken */
	} sets[] = { { "truth/libvirt/starts/xml", 340 }, { "libvirt-domains", 90 },
		     { "truth/libvirt/migrations/live", 90 } };

	for (size_t s = 0; s < G_N_ELEMENTS(sets); s++) {
		g_autofree char *folder = fixture_data(sets[s].folder);
		g_autoptr(GPtrArray) files = folder ? fixture_files(folder, ".xml") : NULL;
		guint taken = 0;

		for (guint i = 0; files && i < files->len; i++) {
			size_t length;
			g_autofree char *bytes =
				fixture_bytes(g_ptr_array_index(files, i), &length);
			GError *error = NULL;
			g_autoptr(XmlDocument) xml = xml_parse(bytes, length, "F", &error);
			g_autoptr(Needs) needs = xml ? needs_from_xml(xml, &error) : NULL;
			g_autoptr(Needs) back = NULL;
			json_t *json, *again;

			if (!needs) {
				g_test_message("%s: %s", (char *)g_ptr_array_index(files, i),
					       error->message);
				fixture_one_line(&error, NULL);
				continue;
			}
			taken++;
			json = needs_to_json(needs);
			back = needs_from_json(json, &error);
			g_assert_no_error(error);
			again = needs_to_json(back);
			g_assert_true(json_equal(json, again));
			json_decref(json);
			json_decref(again);
		}
		if (files) {
			g_test_message("%s: %u of %u taken", sets[s].folder, taken, files->len);
			g_assert_cmpuint(taken, >=, sets[s].least);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guest/needs/full", test_full);
	g_test_add_func("/guest/needs/json", test_json);
	g_test_add_func("/guest/needs/inactive", test_inactive);
	g_test_add_func("/guest/needs/wrappers", test_wrappers);
	g_test_add_func("/guest/needs/units", test_units);
	g_test_add_func("/guest/needs/kinds", test_kinds);
	g_test_add_func("/guest/needs/judged-by-rules", test_judged_by_rules);
	g_test_add_func("/guest/needs/refusals", test_refusals);
	g_test_add_func("/guest/needs/json-refusals", test_json_refusals);
	g_test_add_func("/guest/needs/recorded", test_recorded);
	return g_test_run();
}
