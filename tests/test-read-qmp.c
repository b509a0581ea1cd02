/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-read-qmp: QEMU's replies as members of an emulator's entry. */
#include "config.h"

#include <string.h>

#include "model/devices.h"
#include "read-fixture.h"
#include "read/read.h"

static const struct scope kvm_none = { VIEW_QEMU, "/q", "kvm", "none", -1 };
static const struct scope kvm_none_migratable = { VIEW_QEMU, "/q", "kvm", "none", 1 };

#define EXPANSION(model, props) \
	"{\"return\":{\"model\":{\"name\":\"" model "\",\"props\":{" props "}}}}"

static void read_as(json_t *doc, const char *name, const char *text)
{
	struct read_hints hints = { .name = name, .emulator = "/q", .migratable = -1 };
	GError *error = NULL;

	if (!read_file(doc, text, strlen(text), &hints, &error))
		g_error("%s", error->message);
	fixture_check_profile(doc);
}

static json_t *entry_of(json_t *doc, const struct scope *scope)
{
	size_t before = json_array_size(json_object_get(doc, "emulators"));
	json_t *entry = document_emulator(doc, scope, NULL);

	g_assert_cmpuint(json_array_size(json_object_get(doc, "emulators")), ==, before);
	return entry;
}

static const json_t *value(const json_t *entry, const char *id)
{
	return json_object_get(fixture_fact(json_object_get(entry, "facts"), id, NULL), "value");
}

static size_t count(const json_t *entry, const char *id)
{
	const json_t *fact;
	size_t i, n = 0;

	json_array_foreach (json_object_get(entry, "facts"), i, fact)
		n += !strcmp(json_string_value(json_object_get(fact, "id")), id);
	return n;
}

static void test_expansion(void)
{
	json_t *doc = document_new("h", NULL, "x86_64"), *entry;
	const json_t *names;

	read_as(doc, "qmp-kvm-none-query-cpu-model-expansion-full-host.json",
		EXPANSION("host",
			  "\"sse4.1\":true,\"sse4_1\":true,\"sse4-1\":true,\"pni\":true,\"sse3\":true,"
			  "\"avx\":false,\"migratable\":true,\"check\":true,\"kvm\":true,"
			  "\"brand-new\":true,\"brand_new\":true,\"x-odd\":true,\"other-new\":false,"
			  "\"vendor\":\"GenuineIntel\",\"phys-bits\":0,\"tsc-frequency\":2800000000,"
			  "\"family\":6,\"model\":106,\"stepping\":6,\"lbr-fmt\":18446744073709551552"));
	entry = entry_of(doc, &kvm_none_migratable);
	g_assert_true(json_is_true(value(entry, "cpu.sse4.1")));
	g_assert_cmpuint(count(entry, "cpu.sse4.1"), ==, 1);
	g_assert_cmpuint(count(entry, "cpu.pni"), ==, 1);
	g_assert_cmpuint(count(entry, "cpu.brand-new"), ==, 1);
	g_assert_cmpuint(count(entry, "cpu.brand_new"), ==, 0);
	g_assert_null(value(entry, "cpu.avx"));
	g_assert_null(value(entry, "cpu.x-odd"));
	g_assert_null(value(entry, "cpu.other-new"));
	g_assert_null(value(entry, "qemu.cpu-option.check"));
	g_assert_null(value(entry, "cpu.phys-bits"));
	g_assert_cmpstr(json_string_value(value(entry, "cpu.vendor")), ==, "Intel");
	g_assert_cmpint(json_integer_value(value(entry, "cpu.tsc-khz")), ==, 2800000);
	g_assert_cmpint(json_integer_value(value(entry, "cpu.model")), ==, 106);
	g_assert_true(json_is_true(json_object_get(entry, "complete")));
	names = json_object_get(json_object_get(entry, "devices"), "cpu");
	g_assert_cmpuint(json_array_size(names), ==, 20);
	for (size_t i = 1; i < json_array_size(names); i++)
		g_assert_cmpstr(json_string_value(json_array_get(names, i - 1)), <,
				json_string_value(json_array_get(names, i)));
	json_decref(doc);
}

/* "host" is the offer of KVM in whichever order the replies come; other models are none. */
static void test_host_and_max(void)
{
	static const char host[] = EXPANSION("host", "\"avx\":true,\"migratable\":true");
	static const char max[] = EXPANSION("max", "\"sse\":true,\"migratable\":true");
	static const char other[] = EXPANSION("qemu64", "\"mmx\":true,\"migratable\":true");
	static const char *const orders[][3] = { { host, max, other },
						 { max, host, other },
						 { other, max, host } };

	for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
		json_t *doc = document_new("h", NULL, "x86_64"), *entry;

		for (size_t j = 0; j < 3; j++)
			read_as(doc, "qmp-kvm-none-query-cpu-model-expansion.json", orders[i][j]);
		entry = entry_of(doc, &kvm_none_migratable);
		g_assert_true(json_is_true(value(entry, "cpu.avx")));
		g_assert_null(value(entry, "cpu.sse"));
		g_assert_null(value(entry, "cpu.mmx"));
		g_assert_cmpuint(json_array_size(json_object_get(doc, "emulators")), ==, 1);
		json_decref(doc);
	}
}

/* Migratable or not are different scopes; the same names of properties stand only once. */
static void test_scopes(void)
{
	json_t *doc = document_new("h", NULL, "x86_64");
	const json_t *entry;
	size_t i, n = 0;

	read_as(doc, "qmp-kvm-none-query-cpu-model-expansion-full-host.json",
		EXPANSION("host", "\"invtsc\":false,\"migratable\":true"));
	read_as(doc, "qmp-kvm-none-query-cpu-model-expansion-full-host.json",
		EXPANSION("host", "\"invtsc\":true,\"migratable\":false"));
	read_as(doc, "qmp-tcg-pc-q35-7.2-query-cpu-model-expansion-full-max.json",
		EXPANSION("max", "\"invtsc\":true,\"migratable\":true"));
	g_assert_cmpuint(json_array_size(json_object_get(doc, "emulators")), ==, 3);
	json_array_foreach (json_object_get(doc, "emulators"), i, entry)
		n += json_object_get(json_object_get(entry, "devices"), "cpu") != NULL;
	g_assert_cmpuint(n, ==, 1);
	json_decref(doc);
}

static void test_definitions(void)
{
	json_t *doc = document_new("h", NULL, "x86_64");
	const json_t *models, *big;

	read_as(doc, "qmp-kvm-none-query-cpu-definitions.json",
		"{\"return\":[{\"name\":\"small\",\"typename\":\"t\",\"unavailable-features\":[],"
		"\"alias-of\":\"small-v1\",\"deprecated\":false},"
		"{\"name\":\"big\",\"typename\":\"t\",\"unavailable-features\":[\"pclmulqdq\",\"\",\"brand-new\"]},"
		"{\"name\":\"odd\",\"typename\":\"t\"}]}");
	models = json_object_get(entry_of(doc, &kvm_none), "cpu_models");
	g_assert_cmpuint(json_array_size(models), ==, 3);
	big = json_array_get(models, 0); /* sorted by name */
	g_assert_cmpstr(json_string_value(json_object_get(big, "name")), ==, "big");
	g_assert_true(json_is_false(json_object_get(big, "usable")));
	g_assert_cmpstr(json_string_value(json_array_get(json_object_get(big, "missing"), 1)), ==,
			"pclmuldq");
	g_assert_null(json_object_get(json_array_get(models, 1), "usable"));
	g_assert_true(json_is_true(json_object_get(json_array_get(models, 2), "usable")));
	g_assert_cmpstr(json_string_value(json_object_get(json_array_get(models, 2), "alias_of")), ==,
			"small-v1");
	json_decref(doc);
}

static void test_version_and_machines(void)
{
	json_t *doc = document_new("h", NULL, "x86_64");
	const json_t *machine;

	read_as(doc, "qmp-kvm-none-query-machines.json",
		"{\"return\":[{\"name\":\"pc-q35-7.2\",\"alias\":\"q35\",\"cpu-max\":288,\"deprecated\":false},"
		"{\"name\":\"isapc\",\"cpu-max\":1,\"is-default\":true}]}");
	read_as(doc, "qmp-kvm-none-query-version.json",
		"{\"return\":{\"qemu\":{\"micro\":22,\"minor\":2,\"major\":7},\"package\":\"Debian\"}}");
	read_as(doc, "qmp-kvm-none-query-kvm.json",
		"{\"return\":{\"enabled\":true,\"present\":true}}");
	read_as(doc, "qmp-kvm-none-device-list-properties-intel-iommu.json",
		"{\"return\":[{\"name\":\"eim\",\"type\":\"OnOffAuto\"},{\"name\":\"aw-bits\",\"type\":\"uint8\"}]}");
	read_as(doc, "qmp-kvm-none-query-target.json", "{\"return\":{\"arch\":\"x86_64\"}}");
	g_assert_cmpuint(json_array_size(json_object_get(doc, "emulators")), ==, 1);
	g_assert_cmpstr(json_string_value(json_object_get(entry_of(doc, &kvm_none), "version")), ==,
			"7.2.22");
	machine = json_array_get(json_object_get(entry_of(doc, &kvm_none), "machines"), 1);
	g_assert_cmpstr(json_string_value(json_object_get(machine, "alias")), ==, "q35");
	g_assert_cmpint(json_integer_value(json_object_get(machine, "cpu_max")), ==, 288);
	g_assert_true(json_is_true(
		json_object_get(json_object_get(entry_of(doc, &kvm_none), "kvm"), "enabled")));
	g_assert_cmpuint(json_array_size(json_object_get(
				 json_object_get(entry_of(doc, &kvm_none), "devices"),
				 "intel-iommu")),
			 ==, 2);
	json_decref(doc);
}

#define TYPES "qmp-tcg-none-qom-list-types-"
#define PROPERTIES "qmp-tcg-none-device-list-properties-"

/* Which lists are there decides between "not there" and "not known". */
static void test_devices(void)
{
	json_t *doc = document_new("h", NULL, "x86_64");
	struct universe *universe = universe_new();
	struct profile *profile;

	read_as(doc, PROPERTIES "igb.json",
		"{\"return\":[{\"name\":\"mac\",\"type\":\"str\"},{\"name\":\"gsi[1]\",\"type\":\"t\"}]}");
	profile = profile_parse(doc, universe, NULL);
	g_assert_cmpint(emulator_has_device(profile, "/q", "igb"), ==, 1);
	g_assert_cmpint(emulator_has_device(profile, "/q", "ufs"), ==, -1);
	g_assert_cmpint(emulator_has_property(profile, "/q", "igb", "mac"), ==, 1);
	g_assert_cmpint(emulator_has_property(profile, "/q", "igb", "gsi[1]"), ==, 0);
	g_assert_cmpint(emulator_has_property(profile, "/q", "ufs", "mac"), ==, -1);
	g_assert_cmpint(emulator_has_object(profile, "/q", "iommufd"), ==, -1);
	profile_free(profile);

	read_as(doc, TYPES "device.json",
		"{\"return\":[{\"name\":\"igb\",\"parent\":\"p\"},{\"name\":\"VGA\",\"parent\":\"p\"},"
		"{\"name\":\"pci\",\"parent\":\"p\",\"abstract\":true},"
		"{\"name\":\"n270-x86_64-cpu\",\"parent\":\"p\"}]}");
	read_as(doc, TYPES "user-creatable.json",
		"{\"return\":[{\"name\":\"secret\",\"parent\":\"p\"}]}");
	read_as(doc, TYPES "machine.json", "{\"return\":[{\"name\":\"x-machine\",\"parent\":\"p\"}]}");
	profile = profile_parse(doc, universe, NULL);
	g_assert_cmpint(emulator_has_device(profile, "/q", "VGA"), ==, 1);
	g_assert_cmpint(emulator_has_device(profile, NULL, "VGA"), ==, 1);
	g_assert_cmpint(emulator_has_device(profile, "/other", "VGA"), ==, -1);
	g_assert_cmpint(emulator_has_device(profile, "/q", "ufs"), ==, 0);
	g_assert_cmpint(emulator_has_device(profile, "/q", "pci"), ==, 0);
	g_assert_cmpint(emulator_has_device(profile, "/q", "x-machine"), ==, 0);
	g_assert_cmpint(emulator_has_device(profile, "/q", "n270-x86_64-cpu"), ==, -1);
	g_assert_cmpint(emulator_has_property(profile, "/q", "igb", "mac"), ==, 1);
	g_assert_cmpint(emulator_has_property(profile, "/q", "VGA", "edid"), ==, -1);
	g_assert_cmpint(emulator_has_property(profile, "/q", "ufs", "mac"), ==, 0);
	g_assert_cmpint(emulator_has_object(profile, "/q", "secret"), ==, 1);
	g_assert_cmpint(emulator_has_object(profile, "/q", "iommufd"), ==, 0);
	profile_free(profile);
	universe_free(universe);
	json_decref(doc);
}

static void test_several(void)
{
	static const char text[] = "{\"QMP\":{\"version\":{}}}\r\n\r\n{\"return\":{}}\n"
				   "{\"return\":{\"enabled\":true,\"present\":true},\"id\":\"1\"}\n";
	GError *error = NULL;
	json_t *replies = read_qmp_parse(text, strlen(text), "f", &error);

	g_assert_no_error(error);
	g_assert_cmpuint(json_array_size(replies), ==, 3);
	g_assert_cmpint(read_qmp_kind(json_array_get(replies, 0)), ==, READ_QMP_OTHER);
	g_assert_cmpint(read_qmp_kind(json_array_get(replies, 2)), ==, READ_QMP_KVM);
	json_decref(replies);
	g_assert_null(read_qmp_parse("{}\n{\n", 5, "f", &error));
	fixture_one_line(&error, "f: line ");
}

static void test_scope_from_name(void)
{
	static const struct {
		const char *name, *accel, *machine, *model;
	} rows[] = {
		{ "a/qmp-kvm-pc-q35-5.2-query-cpu-model-expansion-full-host.json", "kvm",
		  "pc-q35-5.2", "host" },
		{ "qmp-tcg-none-query-machines.json", "tcg", "none", NULL },
		{ "qmp-tcg-none-device-list-properties-virtio-iommu-pci.json", "tcg", "none",
		  "virtio-iommu-pci" },
		{ "qmp-kvm-none-qom-list-types-device.json", "kvm", "none", "device" },
	};
	static const char *const bad[] = { "capabilities.xml", "qmp-", "qmp-kvm.json",
					   "qmp-kvm-query-kvm.json", "" };
	g_autofree char *accel = NULL, *machine = NULL, *model = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_true(read_scope_from_name(rows[i].name, &accel, &machine, &model));
		g_assert_cmpstr(accel, ==, rows[i].accel);
		g_assert_cmpstr(machine, ==, rows[i].machine);
		g_assert_cmpstr(model, ==, rows[i].model);
		g_clear_pointer(&accel, g_free);
		g_clear_pointer(&machine, g_free);
		g_clear_pointer(&model, g_free);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(read_scope_from_name(bad[i], &accel, &machine, &model));
}

static void test_failures(void)
{
	static const char *const texts[] = {
		"ERROR: error: failed to get emulator capabilities\nerror: more\n",
		"{\"error\":{\"class\":\"GenericError\",\"desc\":\"no such model\"}}",
		"qemu-system-x86_64: unsupported machine type\n",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		json_t *doc = document_new("h", NULL, "x86_64");
		const json_t *source;

		read_as(doc, "qmp-kvm-none-query-machines.json", texts[i]);
		source = json_array_get(json_object_get(json_object_get(doc, "probe"), "sources"), 0);
		g_assert_cmpstr(json_string_value(json_object_get(source, "state")), ==, "failed");
		g_assert_null(strchr(json_string_value(json_object_get(source, "reason")), '\n'));
		json_decref(doc);
	}
}

static void test_refusals(void)
{
	static const char *const bad[] = {
		"{\"return\":[{\"name\":\"\",\"cpu-max\":1}]}",
		"{\"return\":[{\"name\":\"a\",\"cpu-max\":1},{}]}",
		"{\"return\":[{\"name\":\"a\",\"typename\":\"t\",\"unavailable-features\":[1]}]}",
		"{\"return\":[{\"name\":\"a\",\"typename\":\"t\",\"unavailable-features\":{}}]}",
		"{\"return\":{\"qemu\":{\"major\":\"7\"}}}",
		"{\"return\":{\"enabled\":1,\"present\":2}}",
		"{\"return\":{\"model\":{\"props\":{\"a\":true}}}}",
		"{\"return\":[{\"name\":\"a\",\"type\":\"t\"}]}", /* of which device? */
		"{\"return\":[{\"name\":\"a\",\"parent\":\"p\"},{\"parent\":\"p\"}]}",
		"{\"return\":",
		"{\"return\":{\"a\":1,\"a\":2}}",
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

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/read/qmp/expansion", test_expansion);
	g_test_add_func("/read/qmp/host-and-max", test_host_and_max);
	g_test_add_func("/read/qmp/scopes", test_scopes);
	g_test_add_func("/read/qmp/definitions", test_definitions);
	g_test_add_func("/read/qmp/version-and-machines", test_version_and_machines);
	g_test_add_func("/read/qmp/devices", test_devices);
	g_test_add_func("/read/qmp/several", test_several);
	g_test_add_func("/read/qmp/scope-from-name", test_scope_from_name);
	g_test_add_func("/read/qmp/failures", test_failures);
	g_test_add_func("/read/qmp/refusals", test_refusals);
	return g_test_run();
}
