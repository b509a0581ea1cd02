/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-read-security: what libvirt, QEMU, CPUID and MSRs say of encrypted guests, enclaves and
 * nested guests, and of migrations, as facts.
 */
#include "config.h"

#include <string.h>

#include "read-fixture.h"
#include "read/read.h"

static const struct scope raw = { .view = VIEW_RAW, .migratable = -1 };

static json_t *read_as(const char *name, const char *text)
{
	struct read_hints hints = { .name = name, .emulator = "/q", .migratable = -1 };
	json_t *doc = document_new("h", NULL, "x86_64");
	GError *error = NULL;

	if (!read_file(doc, text, strlen(text), &hints, &error))
		g_error("%s", error->message);
	fixture_check_profile(doc);
	return doc;
}

static const json_t *fact_of(const json_t *doc, const char *id, const char *view)
{
	return fixture_fact(json_object_get(doc, "facts"), id, view);
}

static const json_t *value_of(const json_t *doc, const char *id, const char *view)
{
	return json_object_get(fact_of(doc, id, view), "value");
}

static void names_are(const json_t *array, const char *names)
{
	g_auto(GStrv) words = g_strsplit(names, " ", -1);
	guint n = g_strv_length(words);

	g_assert_cmpuint(json_array_size(array), ==, n);
	for (guint i = 0; i < n; i++)
		g_assert_cmpstr(json_string_value(json_array_get(array, i)), ==, words[i]);
}

/* --- migrations -------------------------------------------------------------------------------- */

static void test_migration(void)
{
	json_t *doc = read_as("f.json", "{\"return\":[{\"state\":false,\"capability\":\"xbzrle\"},"
					"{\"state\":true,\"capability\":\"brand-new\"}]}");
	const json_t *scope = json_object_get(fact_of(doc, "qemu.migration-capability", "qemu"),
					      "scope");

	names_are(value_of(doc, "qemu.migration-capability", "qemu"), "brand-new xbzrle");
	g_assert_cmpstr(json_string_value(json_object_get(scope, "emulator")), ==, "/q");
	g_assert_null(json_object_get(scope, "accel"));
	g_assert_null(fact_of(doc, "qemu.migration-parameter", NULL));
	json_decref(doc);
	doc = read_as("f.json", "{\"return\":{\"downtime-limit\":300,\"max-bandwidth\":1,\"tls-creds\":\"\"}}");
	names_are(value_of(doc, "qemu.migration-parameter", "qemu"),
		  "downtime-limit max-bandwidth tls-creds");
	json_decref(doc);
}

/* A type refers to the next by a number; a command that isn't there leaves its list unknown. */
static void test_schema(void)
{
	static const char text[] =
		"{\"return\":[{\"name\":\"query-migrate-capabilities\",\"meta-type\":\"command\",\"ret-type\":\"[7]\"},"
		"{\"name\":\"9\",\"meta-type\":\"enum\",\"values\":[\"xbzrle\",\"multifd\"],"
		"\"members\":[{\"name\":\"multifd\"},{\"name\":\"xbzrle\"}]},"
		"{\"name\":\"[7]\",\"meta-type\":\"array\",\"element-type\":\"7\"},"
		"{\"name\":\"7\",\"meta-type\":\"object\",\"members\":[{\"name\":\"state\",\"type\":\"bool\"},"
		"{\"name\":\"capability\",\"type\":\"9\"}]}]}";
	json_t *doc = read_as("f.json", text);

	names_are(value_of(doc, "qemu.migration-capability", "qemu"), "multifd xbzrle");
	g_assert_null(fact_of(doc, "qemu.migration-parameter", NULL));
	json_decref(doc);
}

/* --- QEMU's word on SEV and SGX ---------------------------------------------------------------- */

static void test_qmp_sev(void)
{
	json_t *doc = read_as("qmp-kvm-none-query-sev-capabilities.json",
			      "{\"return\":{\"pdh\":\"secret\",\"cert-chain\":\"secret\",\"cpu0-id\":\"secret\","
			      "\"cbitpos\":51,\"reduced-phys-bits\":1}}");
	g_autofree char *text = json_dumps(doc, 0);

	g_assert_true(json_is_true(value_of(doc, "sev.enabled", "qemu")));
	g_assert_cmpint(json_integer_value(value_of(doc, "sev.cbitpos", "qemu")), ==, 51);
	g_assert_cmpint(json_integer_value(value_of(doc, "sev.reduced-phys-bits", "qemu")), ==, 1);
	g_assert_null(strstr(text, "secret"));
	json_decref(doc);
}

static void test_qmp_errors(void)
{
	static const struct {
		const char *file, *desc, *id;
		const char *state; /* NULL: no fact */
	} rows[] = {
		{ "qmp-kvm-none-query-sev-capabilities.json", "SEV is not enabled in KVM", "sev.enabled",
		  "known" },
		{ "qmp-kvm-none-query-sgx-capabilities.json",
		  "Could not open '/dev/sgx_vepc': No such file or directory", "sgx.enabled", "known" },
		{ "qmp-kvm-none-query-sgx-capabilities.json",
		  "Could not open '/dev/sgx_vepc': Permission denied", "sgx.enabled", "unreadable" },
		{ "qmp-tcg-none-query-sgx-capabilities.json",
		  "Could not open '/dev/sgx_vepc': No such file or directory", "sgx.enabled", NULL },
		{ "qmp-kvm-none-query-sev-capabilities.json", "KVM not enabled", "sev.enabled", NULL },
		{ "qmp-kvm-none-query-sgx-capabilities.json",
		  "The command query-sgx-capabilities has not been found", "sgx.enabled", NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
			"{\"error\":{\"class\":\"GenericError\",\"desc\":\"%s\"}}", rows[i].desc);
		json_t *doc = read_as(rows[i].file, text);
		const json_t *fact = fact_of(doc, rows[i].id, "qemu");

		g_assert_cmpstr(json_string_value(json_object_get(fact, "state")), ==, rows[i].state);
		if (!g_strcmp0(rows[i].state, "known"))
			g_assert_true(json_is_false(json_object_get(fact, "value")));
		json_decref(doc);
	}
}

static void test_qmp_sgx(void)
{
	json_t *doc = read_as("f.json", "{\"return\":{\"sgx\":true,\"sgx1\":true,\"sgx2\":false,\"flc\":true,"
					"\"sections\":[{\"node\":0,\"size\":67108864},{\"node\":1,\"size\":29360128}]}}");

	g_assert_true(json_is_true(value_of(doc, "sgx.enabled", "qemu")));
	g_assert_true(json_is_true(value_of(doc, "cpu.sgxlc", "qemu")));
	g_assert_true(json_is_false(value_of(doc, "cpu.sgx2", "qemu")));
	g_assert_cmpint(json_integer_value(value_of(doc, "sgx.epc-bytes", "qemu")), ==, 96468992);
	g_assert_cmpint(json_integer_value(value_of(doc, "sgx.first-epc-bytes", "qemu")), ==, 67108864);
	names_are(value_of(doc, "sgx.epc-nodes", "qemu"), "0:67108864 1:29360128");
	json_decref(doc);
}

/* --- libvirt's domain capabilities ------------------------------------------------------------- */

#define DOMCAPS(type, features)                                                                   \
	"<domainCapabilities><path>/q</path><domain>" type "</domain><machine>pc-q35-9.2</machine>" \
	"<arch>x86_64</arch><features>" features "</features></domainCapabilities>"

static void test_libvirt(void)
{
	json_t *doc = read_as("f", DOMCAPS("kvm",
					   "<sev supported='yes'><cbitpos>47</cbitpos><reducedPhysBits>1</reducedPhysBits>"
					   "<maxGuests>59</maxGuests><maxESGuests>450</maxESGuests><cpu0Id>secret</cpu0Id></sev>"
					   "<sgx supported='yes'><flc>yes</flc><sgx1>yes</sgx1><sgx2>no</sgx2>"
					   "<section_size unit='KiB'>524288</section_size><sections>"
					   "<section node='0' size='262144' unit='KiB'/>"
					   "<section node='1' size='131072' unit='KiB'/></sections></sgx>"
					   "<tdx supported='no'/>"));
	g_autofree char *text = json_dumps(doc, 0);

	g_assert_true(json_is_true(value_of(doc, "sev.enabled", "libvirt")));
	g_assert_cmpint(json_integer_value(value_of(doc, "sev.cbitpos", "libvirt")), ==, 47);
	g_assert_cmpint(json_integer_value(value_of(doc, "sev.max-guests", "libvirt")), ==, 59);
	g_assert_cmpint(json_integer_value(value_of(doc, "sev.max-es-guests", "libvirt")), ==, 450);
	g_assert_null(strstr(text, "secret"));
	g_assert_true(json_is_true(value_of(doc, "sgx.enabled", "libvirt")));
	g_assert_true(json_is_false(value_of(doc, "cpu.sgx2", "libvirt")));
	g_assert_cmpint(json_integer_value(value_of(doc, "sgx.epc-bytes", "libvirt")), ==,
			(262144 + 131072) * 1024);
	names_are(value_of(doc, "sgx.epc-nodes", "libvirt"), "0:268435456 1:134217728");
	g_assert_true(json_is_false(value_of(doc, "tdx.enabled", "libvirt")));
	json_decref(doc);
	/* Nothing of it counts for emulated guests; nothing is made of what isn't said. */
	doc = read_as("f", DOMCAPS("qemu", "<sev supported='yes'/><tdx supported='yes'/>"));
	g_assert_null(fact_of(doc, "sev.enabled", NULL));
	json_decref(doc);
	doc = read_as("f", DOMCAPS("kvm", "<genid supported='yes'/>"));
	g_assert_null(fact_of(doc, "sev.enabled", NULL));
	json_decref(doc);
}

/* Recorded hosts: what their domain capabilities say comes out, and of the others nothing. */
static void test_recorded(void)
{
	static const struct {
		const char *file, *id;
		int64_t number; /* of a bool 1 or 0; -1: no fact */
	} rows[] = {
		{ "libvirt-domaincaps/qemu_9.2.0-q35.x86_64+amdsev.xml", "sev.cbitpos", 51 },
		{ "libvirt-domaincaps/qemu_9.2.0-q35.x86_64+amdsev.xml", "sev.max-es-guests", 450 },
		{ "libvirt-domaincaps/qemu_9.2.0-tcg.x86_64+amdsev.xml", "sev.enabled", -1 },
		{ "libvirt-domaincaps/qemu_9.2.0-q35.x86_64.xml", "sev.enabled", 0 },
		{ "capabilities-other/kubevirt-domcapabilities_tdx.xml", "tdx.enabled", 1 },
		{ "capabilities-other/kubevirt-domcapabilities_tdx.xml", "sgx.epc-bytes",
		  INT64_C(500732) * 1024 },
		{ "capabilities-other/kubevirt-domcapabilities_tdx.xml", "sgx.first-epc-bytes",
		  INT64_C(109820) * 1024 },
		{ "capabilities-other/kubevirt-domcapabilities_sev.xml", "sev.enabled", 1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = fixture_data(rows[i].file);
		g_autofree char *bytes = NULL;
		const json_t *value;
		size_t length;
		json_t *doc;

		if (!path)
			return;
		bytes = fixture_bytes(path, &length);
		doc = read_as(rows[i].file, bytes);
		value = value_of(doc, rows[i].id, "libvirt");
		if (rows[i].number < 0)
			g_assert_null(value);
		else if (json_is_boolean(value))
			g_assert_cmpint(json_is_true(value), ==, rows[i].number);
		else
			g_assert_cmpint(json_integer_value(value), ==, rows[i].number);
		json_decref(doc);
	}
}

/* --- registers --------------------------------------------------------------------------------- */

/* An EPYC 9965's and an Ice Lake client's leaves, as published by InstLatx64. */
static void test_leaves(void)
{
	static const struct cpuid_row rows[] = {
		{ 0, 0, 0x20, 0x68747541, 0x444d4163, 0x69746e65 },
		{ 0x8000001f, 0, 0xcffffffb, 0x000041b3, 0x000003ee, 1 },
		{ 0x12, 0, 0x63, 1, 0, 0x2f1f },
		{ 0x12, 2, 0x30180001, 0, 0x0bc00001, 0 },
		{ 0x12, 3, 0x40000001, 0, 0x00400001, 1 },
		{ 0x12, 4, 0, 0, 0, 0 },
	};
	json_t *doc = document_new("h", NULL, "x86_64");

	read_cpuid(doc, rows, G_N_ELEMENTS(rows), true, &raw, "t");
	fixture_check_profile(doc);
	g_assert_true(json_is_true(value_of(doc, "cpu.sev-snp", "raw")));
	g_assert_cmpint(json_integer_value(value_of(doc, "cpu.sev-cbitpos", "raw")), ==, 51);
	g_assert_cmpint(json_integer_value(value_of(doc, "cpu.sev-reduced-phys-bits", "raw")), ==, 6);
	g_assert_cmpint(json_integer_value(value_of(doc, "cpu.sev-vmpls", "raw")), ==, 4);
	g_assert_cmpint(json_integer_value(value_of(doc, "cpu.sev-max-guests", "raw")), ==, 0x3ee);
	g_assert_cmpint(json_integer_value(value_of(doc, "cpu.sgx-max-bits-64", "raw")), ==, 47);
	g_assert_cmpint(json_integer_value(value_of(doc, "sgx.epc-bytes", "raw")), ==,
			0x0bc00000 + INT64_C(0x100400000));
	json_decref(doc);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/read/migration/lists", test_migration);
	g_test_add_func("/read/migration/schema", test_schema);
	g_test_add_func("/read/security/qmp-sev", test_qmp_sev);
	g_test_add_func("/read/security/qmp-errors", test_qmp_errors);
	g_test_add_func("/read/security/qmp-sgx", test_qmp_sgx);
	g_test_add_func("/read/security/libvirt", test_libvirt);
	g_test_add_func("/read/security/recorded", test_recorded);
	g_test_add_func("/read/security/leaves", test_leaves);
	return g_test_run();
}
