/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-read-cpuid: registers as facts. Against libvirt: what it finds in recorded CPUID and MSR
 * values of real processors is what we find, name by name.
 */
#include "config.h"

#include <string.h>

#include "read-fixture.h"
#include "read/read.h"

static const struct scope raw = { .view = VIEW_RAW, .migratable = -1 };
static const struct scope kvm = { .view = VIEW_KVM, .migratable = -1 };

static bool truth(const json_t *doc, const char *id)
{
	const json_t *fact = fixture_fact(json_object_get(doc, "facts"), id, NULL);

	g_assert_nonnull(fact);
	g_assert_true(json_is_boolean(json_object_get(fact, "value")));
	return json_is_true(json_object_get(fact, "value"));
}

static const char *text(const json_t *doc, const char *id)
{
	const json_t *fact = fixture_fact(json_object_get(doc, "facts"), id, NULL);

	return json_string_value(json_object_get(fact, "value"));
}

static json_int_t number(const json_t *doc, const char *id)
{
	const json_t *fact = fixture_fact(json_object_get(doc, "facts"), id, NULL);

	g_assert_nonnull(fact);
	return json_integer_value(json_object_get(fact, "value"));
}

static bool has(const json_t *doc, const char *id)
{
	return fixture_fact(json_object_get(doc, "facts"), id, NULL) != NULL;
}

static void test_fields(void)
{
	/* A Skylake server's signature; AVX2 of leaf 7; 46 and 48 bits of address. */
	static const struct cpuid_row rows[] = {
		{ 0, 0, 0x16, 0x756e6547, 0x6c65746e, 0x49656e69 },
		{ 1, 0, 0x00050654, 0, 0, 1u << 25 },
		{ 7, 0, 0, 1u << 5, 0, 0 },
		{ 7, 9, 0, 0, 4, 0 },
		{ 0x80000008, 0, 0x302e, 0, 0, 0 },
	};
	json_t *doc = document_new("h", NULL, NULL);

	read_cpuid(doc, rows, G_N_ELEMENTS(rows), false, &raw, "test");
	g_assert_cmpstr(text(doc, "cpu.vendor"), ==, "Intel");
	g_assert_cmpint(number(doc, "cpu.family"), ==, 6);
	g_assert_cmpint(number(doc, "cpu.model"), ==, 0x55);
	g_assert_cmpint(number(doc, "cpu.stepping"), ==, 4);
	g_assert_cmpint(number(doc, "cpu.phys-bits"), ==, 46);
	g_assert_true(truth(doc, "cpu.avx2"));
	g_assert_false(truth(doc, "cpu.bmi2"));
	g_assert_true(truth(doc, "cpu.sse"));
	g_assert_true(truth(doc, "cpu.unnamed.cpuid.7.9.ecx.2"));
	g_assert_false(has(doc, "cpu.svm")); /* 80000001H was not read */
	fixture_check_profile(doc);
	json_decref(doc);

	doc = document_new("h", NULL, NULL);
	read_cpuid(doc, rows, G_N_ELEMENTS(rows), true, &kvm, "test");
	g_assert_false(truth(doc, "cpu.svm"));
	fixture_check_profile(doc);
	json_decref(doc);
}

static void test_msr(void)
{
	json_t *doc = document_new("h", NULL, NULL);

	read_msr(doc, 0x10a, 1u << 0 | 1u << 2, &raw, "test");
	g_assert_true(truth(doc, "msr.arch-cap.rdctl-no"));
	g_assert_true(truth(doc, "msr.arch-cap.rsba"));
	g_assert_false(truth(doc, "msr.arch-cap.mds-no"));
	read_msr(doc, 0x481, 0x7f00000016, &raw, "test");
	g_assert_true(has(doc, "msr.vmx-pinbased.controls"));
	read_msr(doc, 0xdeadbeef, ~0ull, &raw, "test"); /* not in the dictionary: nothing */
	fixture_check_profile(doc);
	json_decref(doc);
}

/* What a host that is a guest itself sees at 40000001H is KVM's only where KVM says so. */
static void test_hypervisors(void)
{
	static const struct cpuid_row of_kvm[] = {
		{ 0x40000000, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x0000004d },
		{ 0x40000001, 0, 0x01007efb, 0, 0, 0 },
	};
	static const struct cpuid_row of_hyperv[] = {
		{ 0x40000000, 0, 0x4000000b, 0x7263694d, 0x666f736f, 0x76482074 },
		{ 0x40000001, 0, 0x31237648, 0, 0, 0 },
	};
	json_t *doc = document_new("h", NULL, NULL);

	read_cpuid(doc, of_kvm, G_N_ELEMENTS(of_kvm), false, &kvm, "test");
	g_assert_true(truth(doc, "cpu.kvm-pv-eoi"));
	g_assert_false(truth(doc, "cpu.kvm-migration-control"));
	json_decref(doc);

	doc = document_new("h", NULL, NULL);
	read_cpuid(doc, of_hyperv, G_N_ELEMENTS(of_hyperv), false, &raw, "test");
	g_assert_false(has(doc, "cpu.kvm-pv-eoi"));
	json_decref(doc);

	/* Rows of one leaf alone, as KVM's own answer may be cut: nobody else's. */
	doc = document_new("h", NULL, NULL);
	read_cpuid(doc, of_kvm + 1, 1, false, &kvm, "test");
	g_assert_true(truth(doc, "cpu.kvm-pv-eoi"));
	json_decref(doc);
}

/* A set bit that no entry accounts for is there under a name of its own. */
static void test_unnamed(void)
{
	int reg = cap_find_register(REG_MSR, 0x10a, 0, 0);
	json_t *doc = document_new("h", NULL, NULL);
	int bit = 63;

	g_assert_cmpint(reg, >=, 0);
	while (cap_registers[reg].known >> bit & 1)
		bit--;
	g_assert_cmpint(bit, >=, 0);
	read_msr(doc, 0x10a, 1ull << bit, &raw, "test");
	{
		g_autofree char *id = g_strdup_printf("cpu.unnamed.msr.10a.%d", bit);

		g_assert_true(truth(doc, id));
	}
	json_decref(doc);
}

static GArray *lines(const char *s, GError **error)
{
	return read_cpuid_lines(s, strlen(s), "f", error);
}

static void test_lines(void)
{
	static const char *const bad[] = { "",
					   "# only a comment\n",
					   "1 0 1 2 3\n",
					   "1 0 1 2 3 4 5\n",
					   "1 0 1 2 3 g\n",
					   "1 0 1 2 3 100000000\n",
					   "1 0 1 2 3 -4\n" };
	GError *error = NULL;
	GArray *rows = lines("# c\r\n1 0 a b c d\r\n\n0x80000001 0x00: eax=0x1 ebx=0x2 ecx=0x3 edx=0xffffffff",
			     &error);

	g_assert_no_error(error);
	g_assert_cmpuint(rows->len, ==, 2);
	g_assert_cmphex(g_array_index(rows, struct cpuid_row, 0).edx, ==, 0xd);
	g_assert_cmphex(g_array_index(rows, struct cpuid_row, 1).leaf, ==, 0x80000001);
	g_assert_cmphex(g_array_index(rows, struct cpuid_row, 1).edx, ==, 0xffffffff);
	g_array_unref(rows);
	rows = lines("CPU 0:\n1 0 a b c d\nCPU 1:\n1 0 1 2 3 4\n", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(rows->len, ==, 1);
	g_array_unref(rows);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_null(lines(bad[i], &error));
		fixture_one_line(&error, "f: ");
	}
	g_assert_null(lines("1 0 a b c d\nnonsense\n", &error));
	fixture_one_line(&error, "line 2");
}

static void test_xml_refusals(void)
{
	static const char *const bad[] = {
		"<cpudata arch='ppc'/>",
		"<cpudata arch='x86'><cpuid eax_in='1' eax='1' ebx='0' ecx='0'/></cpudata>",
		"<cpudata arch='x86'><cpuid eax_in='1' eax='x' ebx='0' ecx='0' edx='0'/></cpudata>",
		"<cpudata arch='x86'><msr eax='1' edx='0'/></cpudata>",
	};
	json_t *doc = document_new("h", NULL, NULL);
	GError *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(XmlDocument) xml = fixture_xml(bad[i]);

		g_assert_false(read_cpuid_xml(doc, xml, &raw, "f", &error));
		fixture_one_line(&error, NULL);
	}
	json_decref(doc);
}

/* libvirt's names of the features that are known to be true, as a set. */
static GHashTable *found_names(const json_t *doc)
{
	GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
	const json_t *fact;
	size_t i;

	json_array_foreach (json_object_get(doc, "facts"), i, fact) {
		int cap = cap_find(json_string_value(json_object_get(fact, "id")));
		const char *name = cap >= 0 ? cap_alias_of(NS_LIBVIRT, cap) : NULL;

		if (name && json_is_true(json_object_get(fact, "value")))
			g_hash_table_add(names, (gpointer)name);
	}
	return names;
}

/*
 * Every name that libvirt found must be among ours; ours may hold more only where the libvirt
 * that made the oracle didn't know the name.
 */
static void compare_names(const json_t *doc, const json_t *row, GHashTable *known)
{
	g_autoptr(GHashTable) ours = found_names(doc);
	const char *machine = json_string_value(json_object_get(row, "machine"));
	const json_t *name;
	GHashTableIter iter;
	gpointer key;
	size_t i;

	json_array_foreach (json_object_get(row, "features_from_cpuid"), i, name)
		if (!g_hash_table_remove(ours, json_string_value(name)))
			g_error("%s: libvirt finds '%s', we don't", machine,
				json_string_value(name));
	g_hash_table_iter_init(&iter, ours);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (g_hash_table_contains(known, key))
			g_error("%s: we find '%s', libvirt doesn't", machine, (char *)key);
}

/* Names that the oracle's libvirt (11.3.0) knew, by the table of names in the source tree. */
static GHashTable *oracle_names(void)
{
	GHashTable *known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *srcdir = g_getenv("top_srcdir");
	g_autofree char *path = g_build_filename(srcdir ? srcdir : ".", "schema", "data",
						 "libvirt-names.tsv", NULL);
	size_t length;
	g_autofree char *bytes = fixture_bytes(path, &length);
	g_auto(GStrv) rows = g_strsplit(bytes, "\n", -1);

	for (char **row = rows; *row; row++) {
		g_auto(GStrv) f = g_strsplit(*row, "\t", -1);

		if (g_strv_length(f) >= 5 && !strcmp(f[0], "feature") && strcmp(f[3], "12.8.0"))
			g_hash_table_add(known, g_strdup(f[1]));
	}
	g_assert_cmpuint(g_hash_table_size(known), >, 300);
	return known;
}

static void test_libvirt(void)
{
	g_autofree char *oracle = fixture_data("oracle/decode.jsonl");
	g_autofree char *folder = oracle ? fixture_data("libvirt-cputestdata") : NULL;
	g_autoptr(GHashTable) known = NULL;
	json_t *rows;
	const json_t *row;
	size_t i;

	if (!folder)
		return;
	known = oracle_names();
	rows = fixture_json_lines(oracle);
	json_array_foreach (rows, i, row) {
		const char *machine = json_string_value(json_object_get(row, "machine"));
		g_autofree char *path = g_strdup_printf("%s/x86_64-cpuid-%s.xml", folder, machine);
		size_t length;
		g_autofree char *bytes = fixture_bytes(path, &length);
		g_autoptr(XmlDocument) xml = NULL;
		json_t *doc = document_new(machine, NULL, "x86_64");
		GError *error = NULL;

		g_assert_cmpint(read_kind(bytes, length), ==, READ_CPUID_XML);
		xml = xml_parse(bytes, length, path, &error);
		g_assert_no_error(error);
		g_assert_true(read_cpuid_xml(doc, xml, &raw, path, &error));
		compare_names(doc, row, known);
		fixture_check_profile(doc);
		json_decref(doc);
	}
	g_test_message("%zu processors as libvirt sees them", json_array_size(rows));
	json_decref(rows);
}

static void test_instlatx64(void)
{
	g_autofree char *oracle = fixture_data("oracle/instlat_decode.jsonl");
	g_autofree char *folder = oracle ? fixture_data("cpuid-instlatx64") : NULL;
	g_autoptr(GHashTable) known = NULL;
	json_t *rows;
	const json_t *row;
	size_t i;

	if (!folder)
		return;
	known = oracle_names();
	rows = fixture_json_lines(oracle);
	json_array_foreach (rows, i, row) {
		const char *machine = json_string_value(json_object_get(row, "machine"));
		g_autofree char *path = g_strdup_printf("%s/%s.txt", folder, machine);
		size_t length;
		g_autofree char *bytes = fixture_bytes(path, &length);
		json_t *doc = document_new(machine, NULL, "x86_64");
		GError *error = NULL;
		g_autoptr(GArray) parsed = NULL;

		g_assert_cmpint(read_kind(bytes, length), ==, READ_CPUID_LINES);
		parsed = read_cpuid_lines(bytes, length, path, &error);
		g_assert_no_error(error);
		read_cpuid(doc, (struct cpuid_row *)(void *)parsed->data, parsed->len, true, &raw,
			   path);
		compare_names(doc, row, known);
		json_decref(doc);
	}
	g_test_message("%zu processors as libvirt sees them", json_array_size(rows));
	json_decref(rows);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/read/cpuid/fields", test_fields);
	g_test_add_func("/read/cpuid/msr", test_msr);
	g_test_add_func("/read/cpuid/hypervisors", test_hypervisors);
	g_test_add_func("/read/cpuid/unnamed", test_unnamed);
	g_test_add_func("/read/cpuid/lines", test_lines);
	g_test_add_func("/read/cpuid/xml-refusals", test_xml_refusals);
	g_test_add_func("/read/cpuid/libvirt", test_libvirt);
	g_test_add_func("/read/cpuid/instlatx64", test_instlatx64);
	return g_test_run();
}
