/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-read-libvirt: capabilities, domain capabilities and bare CPU definitions as facts. */
#include "config.h"

#include <string.h>

#include "read-fixture.h"
#include "read/read.h"

static const char table[] = "name\tvendor\tcanonical\tfirst_libvirt\tfeatures\tsource\n"
			    "small\tIntel\tsmall\t9.0.0\tsse2 sse\ttest\n";

static const char capabilities[] =
	"<capabilities><host><uuid>u-1</uuid><cpu><arch>x86_64</arch><model>small</model>"
	"<vendor>Intel</vendor><microcode version='77'/><signature family='6' model='85' stepping='4'/>"
	"<counter name='tsc' frequency='2793438000' scaling='no'/>"
	"<maxphysaddr mode='emulate' bits='46'/><feature name='avx'/></cpu>"
	"<topology><cells><cell><cpus><cpu id='8'/><cpu id='1'/></cpus></cell>"
	"<cell><cpus><cpu id='0'/><cpu id='2'/><cpu id='99999'/></cpus></cell></cells></topology>"
	"<secmodel><model>none</model></secmodel><secmodel><model>dac</model></secmodel></host>"
	"<guest><os_type>hvm</os_type><arch name='x86_64'><emulator>/q</emulator>"
	"<machine maxCpus='255'>pc-i440fx-7.2</machine>"
	"<machine canonical='pc-i440fx-7.2' maxCpus='255'>pc</machine>"
	"<machine maxCpus='288' deprecated='yes'>pc-q35-2.4</machine>"
	"<domain type='qemu'/><domain type='kvm'><emulator>/k</emulator>"
	"<machine canonical='pc-q35-7.2'>q35</machine></domain></arch></guest>"
	"<guest><os_type>xen</os_type><arch name='x86_64'><emulator>/x</emulator>"
	"<domain type='xen'/></arch></guest></capabilities>";

static const char domcapabilities[] =
	"<domainCapabilities><path>/q</path><domain>kvm</domain><machine>pc-q35-7.2</machine>"
	"<arch>x86_64</arch><vcpu max='288'/><cpu>"
	"<mode name='host-passthrough' supported='yes'><enum name='hostPassthroughMigratable'>"
	"<value>on</value><value>off</value></enum></mode><mode name='maximum' supported='no'/>"
	"<mode name='host-model' supported='yes'><model fallback='forbid'>small</model>"
	"<vendor>Intel</vendor><maxphysaddr mode='passthrough' limit='46'/>"
	"<feature policy='require' name='avx'/><feature policy='disable' name='sse2'/></mode>"
	"<mode name='custom' supported='yes'>"
	"<model usable='yes' vendor='unknown' canonical='486-v1'>486</model>"
	"<model usable='no' vendor='Intel' deprecated='yes'>big</model>"
	"<blockers model='big'><feature name='abm'/><feature name='aes'/></blockers>"
	"<model usable='unknown'>odd</model></mode></cpu>"
	"<devices><iommu supported='yes'><enum name='model'><value>intel</value></enum></iommu>"
	"<disk supported='yes'><enum name='bus'><value>ide</value></enum></disk></devices>"
	"</domainCapabilities>";

static struct cpu_models *small_table(void)
{
	GError *error = NULL;
	struct cpu_models *models = cpu_models_parse(table, strlen(table), &error);

	g_assert_no_error(error);
	return models;
}

/* The document after reading @text, a good file. */
static json_t *read_text(const char *text)
{
	g_autoptr(CpuModels) models = small_table();
	struct read_hints hints = { .name = "f", .models = models, .migratable = -1 };
	json_t *doc = document_new("h", NULL, NULL);
	GError *error = NULL;

	g_assert_true(read_file(doc, text, strlen(text), &hints, &error));
	g_assert_no_error(error);
	fixture_check_profile(doc);
	return doc;
}

static const json_t *value(const json_t *facts, const char *id)
{
	return json_object_get(fixture_fact(facts, id, NULL), "value");
}

static const json_t *source(const json_t *doc)
{
	return json_array_get(json_object_get(json_object_get(doc, "probe"), "sources"), 0);
}

static json_t *emulator(json_t *doc, const char *path, const char *accel, const char *machine)
{
	struct scope scope = { VIEW_LIBVIRT, path, accel, machine, -1 };
	size_t before = json_array_size(json_object_get(doc, "emulators"));
	json_t *entry = document_emulator(doc, &scope, NULL);

	g_assert_cmpuint(json_array_size(json_object_get(doc, "emulators")), ==, before);
	return entry;
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void test_capabilities(void)
{
	json_t *doc = read_text(capabilities);
	const json_t *facts = json_object_get(doc, "facts"), *machines, *first;

	g_assert_cmpstr(text(json_object_get(doc, "host"), "uuid"), ==, "u-1");
	g_assert_cmpstr(text(json_object_get(doc, "host"), "arch"), ==, "x86_64");
	g_assert_true(json_is_true(value(facts, "cpu.sse")));
	g_assert_true(json_is_true(value(facts, "cpu.avx")));
	g_assert_null(value(facts, "cpu.aes"));
	g_assert_cmpstr(json_string_value(value(facts, "cpu.vendor")), ==, "Intel");
	g_assert_cmpint(json_integer_value(value(facts, "cpu.phys-bits")), ==, 46);
	g_assert_cmpint(json_integer_value(value(facts, "cpu.tsc-khz")), ==, 2793438);
	g_assert_cmpint(json_integer_value(value(facts, "cpu.model")), ==, 85);
	g_assert_true(json_is_false(value(facts, "kvm.tsc-control")));
	g_assert_cmpstr(json_string_value(value(facts, "host.microcode")), ==, "77");
	g_assert_cmpstr(json_string_value(value(facts, "host.processors")), ==, "0-2,8");
	g_assert_cmpuint(json_array_size(value(facts, "libvirt.security-model")), ==, 2);
	g_assert_true(json_is_true(json_object_get(source(doc), "complete")));
	g_assert_cmpstr(text(source(doc), "view"), ==, "libvirt");

	machines = json_object_get(emulator(doc, "/q", "tcg", "none"), "machines");
	g_assert_cmpuint(json_array_size(machines), ==, 2);
	first = json_array_get(machines, 0);
	g_assert_cmpstr(text(first, "name"), ==, "pc-i440fx-7.2");
	g_assert_cmpstr(text(first, "alias"), ==, "pc");
	g_assert_cmpint(json_integer_value(json_object_get(first, "cpu_max")), ==, 255);
	g_assert_true(json_is_true(json_object_get(json_array_get(machines, 1), "deprecated")));
	machines = json_object_get(emulator(doc, "/k", "kvm", "none"), "machines");
	g_assert_cmpuint(json_array_size(machines), ==, 1);
	g_assert_cmpstr(text(json_array_get(machines, 0), "alias"), ==, "q35");
	g_assert_cmpuint(json_array_size(json_object_get(doc, "emulators")), ==, 2);
	json_decref(doc);
}

static void test_domcapabilities(void)
{
	json_t *doc = read_text(domcapabilities);
	json_t *entry = emulator(doc, "/q", "kvm", "pc-q35-7.2");
	const json_t *facts = json_object_get(entry, "facts");
	const json_t *models = json_object_get(entry, "cpu_models");
	const json_t *big = json_array_get(models, 1);
	const json_t *enums = json_object_get(entry, "enums");

	g_assert_cmpint(json_integer_value(json_object_get(entry, "vcpu_max")), ==, 288);
	g_assert_true(json_is_true(json_object_get(entry, "complete")));
	g_assert_true(json_is_true(value(facts, "cpu.sse")));
	g_assert_true(json_is_false(value(facts, "cpu.sse2")));
	g_assert_true(json_is_true(value(facts, "cpu.avx")));
	g_assert_cmpint(json_integer_value(value(facts, "cpu.phys-bits")), ==, 46);
	g_assert_true(json_is_true(
		json_object_get(json_object_get(entry, "modes"), "host-passthrough")));
	g_assert_true(json_is_false(json_object_get(json_object_get(entry, "modes"), "maximum")));
	g_assert_cmpuint(json_array_size(models), ==, 3);
	g_assert_cmpstr(text(json_array_get(models, 0), "alias_of"), ==, "486-v1");
	g_assert_null(json_object_get(json_array_get(models, 0), "vendor"));
	g_assert_true(json_is_false(json_object_get(big, "usable")));
	g_assert_true(json_is_true(json_object_get(big, "deprecated")));
	g_assert_cmpuint(json_array_size(json_object_get(big, "missing")), ==, 2);
	g_assert_null(json_object_get(json_array_get(models, 2), "usable"));
	g_assert_cmpuint(json_array_size(json_object_get(enums, "devices.iommu.model")), ==, 1);
	g_assert_cmpuint(
		json_array_size(json_object_get(
			enums, "cpu.host-passthrough.hostPassthroughMigratable")),
		==, 2);
	g_assert_cmpuint(json_array_size(json_object_get(enums, "devices.disk.bus")), >, 0);
	json_decref(doc);
}

/* The same of another machine type is a name; what differs, an entry. */
static void test_same_as(void)
{
	static const char *const types[] = { "pc-q35-7.1", "pc-q35-7.0", "pc-q35-7.1", "odd" };
	json_t *doc = read_text(domcapabilities);
	const json_t *entry;

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		g_auto(GStrv) parts = g_strsplit(domcapabilities, "pc-q35-7.2", 2);
		g_autofree char *other = g_strjoinv(types[i], parts);
		g_auto(GStrv) limit = g_strsplit(other, "288", 2);
		g_autofree char *odd = g_strjoinv("16", limit);
		const char *use = strcmp(types[i], "odd") ? other : odd;
		g_autoptr(XmlDocument) xml = fixture_xml(use);
		g_autoptr(CpuModels) models = small_table();
		GError *error = NULL;

		g_assert_true(read_domcapabilities(doc, xml, models, &error));
	}
	g_assert_cmpuint(json_array_size(json_object_get(doc, "emulators")), ==, 2);
	entry = emulator(doc, "/q", "kvm", "pc-q35-7.2");
	g_assert_cmpuint(json_array_size(json_object_get(entry, "same_as")), ==, 2);
	emulator(doc, "/q", "kvm", "odd");
	json_decref(doc);
}

/* What a bare <cpu> tells: whose view, and whether its list is complete. */
static void test_bare_cpu(void)
{
	static const struct {
		const char *text, *view;
		bool complete;
	} rows[] = {
		{ "<cpu><arch>x86_64</arch><model>small</model><feature name='avx'/></cpu>",
		  "libvirt", true },
		{ "<cpu mode='custom' match='exact'><model>small</model><feature name='avx'/></cpu>",
		  "qemu", true },
		{ "<cpu><arch>x86_64</arch><model>newest</model><feature name='avx'/></cpu>",
		  "libvirt", false },
		{ "<cpu mode='host-passthrough'><feature policy='require' name='avx'/></cpu>",
		  "qemu", false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		json_t *doc = read_text(rows[i].text);
		const json_t *facts = json_object_get(doc, "facts");

		g_assert_nonnull(fixture_fact(facts, "cpu.avx", rows[i].view));
		g_assert_cmpint(json_is_true(json_object_get(source(doc), "complete")), ==,
				rows[i].complete);
		g_assert_cmpint(text(source(doc), "reason") != NULL, ==, !rows[i].complete);
		g_assert_cmpint(fixture_fact(facts, "cpu.sse", NULL) != NULL, ==,
				rows[i].complete);
		json_decref(doc);
	}
}

static void test_policies(void)
{
	json_t *doc = read_text("<cpu mode='custom'><model>small</model>"
				"<feature name='avx' policy='force'/><feature name='sse' policy='forbid'/>"
				"<feature name='aes' policy='optional'/><feature name='sse2' policy='optional'/>"
				"<feature name='brand-new' policy='require'/></cpu>");
	const json_t *facts = json_object_get(doc, "facts");

	g_assert_true(json_is_true(value(facts, "cpu.avx")));
	g_assert_true(json_is_false(value(facts, "cpu.sse")));
	g_assert_true(json_is_true(value(facts, "cpu.sse2")));
	g_assert_cmpstr(text(fixture_fact(facts, "cpu.aes", NULL), "state"), ==, "unknown");
	g_assert_true(json_is_true(value(facts, "cpu.brand-new")));
	json_decref(doc);
}

static void test_refusals(void)
{
	static const char *const bad[] = {
		"<capabilities><host><cpu><arch>x86_64</arch><feature/></cpu></host></capabilities>",
		"<capabilities><guest><os_type>hvm</os_type><arch name='a'><emulator>/q</emulator>"
		"<machine/><domain type='kvm'/></arch></guest></capabilities>",
		"<domainCapabilities/>",
		"<domainCapabilities><path>/q</path></domainCapabilities>",
		"<domainCapabilities><path>/q</path><domain>kvm</domain><cpu><mode name='custom' "
		"supported='yes'><model/></mode></cpu></domainCapabilities>",
		"<cpu mode='x'/>",
		"<cpu><arch>x86_64</arch>",
		"<pool/>",
		"<domain type='kvm'/>",
		"nonsense",
		"",
		"{\"a\":1}",
		"[1,2]",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct read_hints hints = { .name = "F", .migratable = -1 };
		json_t *doc = document_new("h", NULL, NULL);
		GError *error = NULL;

		g_assert_false(read_file(doc, bad[i], strlen(bad[i]), &hints, &error));
		fixture_one_line(&error, "F: ");
		json_decref(doc);
	}
}

/* The table of models: broken ones are refused, ours is read. */
static void test_models(void)
{
	static const char *const bad[] = { "", "a\tb\n", "name\tfeatures\nx\n",
					   "name\tfeatures\nx\ty\nx\ty\n", "name\tfeatures\n-\ty\n" };
	g_autoptr(CpuModels) models = fixture_models();
	const struct named_model *model = cpu_models_find(models, "Nehalem");
	GError *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_null(cpu_models_parse(bad[i], strlen(bad[i]), &error));
		fixture_one_line(&error, "cpu-models.tsv");
	}
	g_assert_nonnull(model);
	g_assert_cmpstr(model->vendor, ==, "Intel");
	g_assert_true(g_strv_contains((const char *const *)model->features, "sse4.2"));
	g_assert_cmpuint(g_strv_length(model->features), ==, model->n_features);
	for (size_t i = 1; i < model->n_features; i++)
		g_assert_cmpstr(model->features[i - 1], <, model->features[i]);
	g_assert_null(cpu_models_find(models, "NoSuchModel"));
	g_assert_cmpuint(cpu_models_count(models), >, 100);
}

/* Every file of libvirt's and others' own test data. */
static void test_recorded(void)
{
	static const char *const folders[] = { "libvirt-capabilities", "libvirt-domaincaps",
					       "capabilities-other" };
	g_autoptr(CpuModels) models = fixture_models();

	for (size_t s = 0; s < G_N_ELEMENTS(folders); s++) {
		g_autofree char *folder = fixture_data(folders[s]);
		g_autoptr(GPtrArray) files = folder ? fixture_files(folder, ".xml") : NULL;

		for (guint i = 0; files && i < files->len; i++) {
			const char *path = g_ptr_array_index(files, i);
			struct read_hints hints = { .name = path,
						    .models = models,
						    .migratable = -1 };
			json_t *doc = document_new("h", NULL, NULL);
			size_t length;
			g_autofree char *bytes = fixture_bytes(path, &length);
			GError *error = NULL;

			if (strstr(path, "nothing_usable")) { /* an excerpt that names no emulator */
				g_assert_false(read_file(doc, bytes, length, &hints, &error));
				fixture_one_line(&error, "path and domain");
			} else if (!read_file(doc, bytes, length, &hints, &error)) {
				g_error("%s", error->message);
			}
			fixture_check_profile(doc);
			json_decref(doc);
		}
		if (files)
			g_test_message("%s: %u files", folders[s], files->len);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/read/libvirt/capabilities", test_capabilities);
	g_test_add_func("/read/libvirt/domcapabilities", test_domcapabilities);
	g_test_add_func("/read/libvirt/same-as", test_same_as);
	g_test_add_func("/read/libvirt/bare-cpu", test_bare_cpu);
	g_test_add_func("/read/libvirt/policies", test_policies);
	g_test_add_func("/read/libvirt/refusals", test_refusals);
	g_test_add_func("/read/libvirt/models", test_models);
	g_test_add_func("/read/libvirt/recorded", test_recorded);
	return g_test_run();
}
