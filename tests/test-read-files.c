/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-read-files: whole recorded hosts, each file as it lies there, and the same files cut off
 * at many places.
 */
#include "config.h"

#include <string.h>

#include "read-fixture.h"
#include "read/read.h"

static void test_kinds(void)
{
	static const struct {
		const char *text;
		enum read_kind kind;
	} rows[] = {
		{ "", READ_UNKNOWN },
		{ "  \n", READ_UNKNOWN },
		{ "<cpu/>", READ_CPU },
		{ "\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <domain> -->\n<cpu mode='x'>", READ_CPU },
		{ "<cputest/>", READ_UNKNOWN },
		{ "<cpudata arch='x86'/>", READ_CPUID_XML },
		{ "<domain type='kvm'/>", READ_DOMAIN },
		{ "<domstatus/>", READ_DOMAIN },
		{ "<domainsnapshot/>", READ_DOMAIN },
		{ "<domainCapabilities/>", READ_DOMCAPABILITIES },
		{ "<capabilities>", READ_CAPABILITIES },
		{ "{\"format\":\"capbroker.profile/1\"}", READ_PROFILE },
		{ "{\"format\":\"capbroker.guests/1\"}", READ_GUESTS },
		{ "{\"format\":\"other\"}", READ_UNKNOWN },
		{ "{\"return\":{}}", READ_QMP_OTHER },
		{ "{\"return\":[{\"name\":\"a\",\"parent\":\"b\"}]}", READ_QMP_TYPES },
		{ "{\"return\":[{\"name\":\"a\"}]}", READ_QMP_OTHER },
		{ "[{\"name\":\"a\",\"cpu-max\":1}]", READ_QMP_MACHINES },
		{ "{\"error\":{\"class\":\"x\"}}", READ_ERROR_TEXT },
		{ "# c\n1 0 a b c d\n", READ_CPUID_LINES },
		{ "Compiled against library: libvirt 9.0.0\n", READ_VIRSH_VERSION },
		{ "a.json\tb.json\n", READ_IDENTICAL },
		{ "a b\tc\n", READ_UNKNOWN },
		{ "ERROR: x", READ_ERROR_TEXT },
		{ "\xff\xfe", READ_UNKNOWN },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (read_kind(rows[i].text, strlen(rows[i].text)) != rows[i].kind)
			g_error("'%s' is not told", rows[i].text);
}

static void add_file(json_t *doc, const char *folder, const char *as, const char *stored,
		     const struct cpu_models *models)
{
	g_autofree char *path = g_build_filename(folder, stored, NULL);
	struct read_hints hints = { .name = as, .models = models, .migratable = -1 };
	GError *error = NULL;
	size_t length;
	g_autofree char *bytes = fixture_bytes(path, &length);

	if (!read_file(doc, bytes, length, &hints, &error))
		g_error("%s/%s: %s", folder, stored, error->message);
}

/* All stored files of a host, libvirt's first, then those that are identical to another. */
static void add_host(json_t *doc, const char *folder, const struct cpu_models *models)
{
	g_autofree char *list = g_build_filename(folder, "identical.tsv", NULL);
	size_t length;
	g_autofree char *bytes = fixture_bytes(list, &length);
	g_autoptr(GPtrArray) pairs = read_identical(bytes, length);
	static const char *const suffixes[] = { ".xml", ".txt", ".json" };

	g_assert_cmpint(read_kind(bytes, length), ==, READ_IDENTICAL);
	g_assert_cmpuint(pairs->len, >, 0);
	for (size_t s = 0; s < G_N_ELEMENTS(suffixes); s++) {
		g_autoptr(GPtrArray) files = fixture_files(folder, suffixes[s]);

		for (guint i = 0; i < files->len; i++) {
			g_autofree char *name = g_path_get_basename(files->pdata[i]);

			add_file(doc, folder, name, name, models);
		}
	}
	for (guint i = 0; i < pairs->len; i += 2)
		if (g_str_has_suffix(pairs->pdata[i], ".json"))
			add_file(doc, folder, pairs->pdata[i], pairs->pdata[i + 1], models);
}

static void test_hosts(void)
{
	static const struct {
		const char *name, *version;
	} hosts[] = { { "a", "7.2.22" }, { "b", "10.0.13" }, { "d", "11.1.3" } };
	g_autoptr(CpuModels) models = fixture_models();

	for (size_t h = 0; h < G_N_ELEMENTS(hosts); h++) {
		g_autofree char *name = g_strconcat("truth/libvirt/hosts/", hosts[h].name, NULL);
		g_autofree char *folder = fixture_data(name);
		const struct scope scope = { VIEW_QEMU, "/usr/bin/qemu-system-x86_64", "kvm", "none",
					     1 };
		json_t *doc, *entry;

		if (!folder)
			return;
		doc = document_new(hosts[h].name, NULL, NULL);
		add_host(doc, folder, models);
		fixture_check_profile(doc);
		entry = document_emulator(doc, &scope, NULL);
		g_assert_cmpstr(json_string_value(json_object_get(entry, "version")), ==,
				hosts[h].version);
		g_assert_cmpstr(json_string_value(json_object_get(entry, "cpu_model")), ==, "host");
		g_assert_cmpuint(json_array_size(json_object_get(entry, "facts")), >, 50);
		json_decref(doc);
	}
}

/* libvirt's names of what an entry's facts say is there. */
static GHashTable *names_there(const json_t *facts)
{
	GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
	const json_t *fact;
	size_t i;

	json_array_foreach (facts, i, fact) {
		int cap = cap_find(json_string_value(json_object_get(fact, "id")));
		const char *name = cap >= 0 ? cap_alias_of(NS_LIBVIRT, cap) : NULL;

		if (name && json_is_true(json_object_get(fact, "value")))
			g_hash_table_add(names, (gpointer)name);
	}
	return names;
}

static void compare_names(const json_t *facts, const json_t *row)
{
	g_autoptr(GHashTable) ours = names_there(facts);
	const char *machine = json_string_value(json_object_get(row, "machine"));
	const json_t *features = json_object_get(json_object_get(row, "json"), "expanded_features");
	const json_t *name;
	guint n = 0;
	size_t i;

	g_assert_cmpuint(json_array_size(features), >, 0);
	json_array_foreach (features, i, name) {
		if (g_str_has_prefix(json_string_value(name), "disable:"))
			continue;
		n++;
		if (!g_hash_table_contains(ours, json_string_value(name)))
			g_error("%s: libvirt reads '%s', we don't", machine,
				json_string_value(name));
	}
	g_assert_cmpuint(g_hash_table_size(ours), ==, n);
}

static json_t *reply_entry(json_t *doc, const char *path)
{
	size_t length;
	g_autofree char *bytes = fixture_bytes(path, &length);
	struct read_hints hints = { .name = path, .accel = "kvm", .migratable = -1 };
	json_t *entry = NULL;
	GError *error = NULL;
	size_t i;

	if (!read_file(doc, bytes, length, &hints, &error))
		g_error("%s", error->message);
	fixture_check_profile(doc);
	json_array_foreach (json_object_get(doc, "emulators"), i, entry)
		if (json_object_get(entry, "cpu_model"))
			return entry;
	g_error("%s: no offer", path);
}

/* QEMU's expansions on real hosts are what libvirt makes of them, name by name. */
static void test_replies(void)
{
	g_autofree char *oracle = fixture_data("oracle/decode.jsonl");
	g_autofree char *folder = oracle ? fixture_data("libvirt-cputestdata") : NULL;
	json_t *rows;
	const json_t *row;
	size_t i, n = 0;

	if (!folder)
		return;
	rows = fixture_json_lines(oracle);
	json_array_foreach (rows, i, row) {
		g_autofree char *path =
			g_strdup_printf("%s/x86_64-cpuid-%s.json", folder,
					json_string_value(json_object_get(row, "machine")));
		json_t *doc = document_new("h", NULL, "x86_64");

		if (g_file_test(path, G_FILE_TEST_EXISTS)) {
			compare_names(json_object_get(reply_entry(doc, path), "facts"), row);
			n++;
		}
		json_decref(doc);
	}
	g_assert_cmpuint(n, >=, 28);
	g_test_message("%zu expansions as libvirt reads them", n);
	json_decref(rows);
}

/* Whatever is left of a file, it is read, or refused in one line. */
static void cut(const char *bytes, size_t length, const char *name, size_t step,
		const struct cpu_models *models)
{
	for (size_t n = 0; n < length; n += step) {
		struct read_hints hints = { .name = name, .models = models, .migratable = -1 };
		g_autofree char *copy = g_memdup2(bytes, n ? n : 1); /* so that reading on is seen */
		json_t *doc = document_new("h", NULL, NULL);
		GError *error = NULL;

		if (!read_file(doc, copy, n, &hints, &error))
			fixture_one_line(&error, NULL);
		else
			fixture_check_profile(doc);
		json_decref(doc);
	}
}

static void test_truncated(void)
{
	static const char *const files[] = {
		"truth/libvirt/hosts/a/capabilities.xml",
		"truth/libvirt/hosts/d/domcapabilities-kvm-DEFAULT.xml",
		"truth/libvirt/hosts/d/qmp-tcg-none-query-version.json",
		"truth/libvirt/hosts/d/qmp-tcg-none-query-machines.json",
		"truth/libvirt/hosts/d/qmp-kvm-none-query-cpu-model-expansion-full-host.json",
		"truth/libvirt/hosts/a/virsh-version.txt",
		"truth/libvirt/hosts/a/identical.tsv",
		"libvirt-cputestdata/x86_64-cpuid-Core-i7-3520M.xml",
		"libvirt-cputestdata/x86_64-host.xml",
	};
	g_autoptr(CpuModels) models = fixture_models();

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = fixture_data(files[i]);
		g_autofree char *bytes = NULL, *name = NULL;
		size_t length;

		if (!path)
			return;
		bytes = fixture_bytes(path, &length);
		name = g_path_get_basename(path);
		/* at every byte of the small ones, at some 500 of the others */
		cut(bytes, length, name, MAX(length / 500, 1), models);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/read/files/kinds", test_kinds);
	g_test_add_func("/read/files/hosts", test_hosts);
	g_test_add_func("/read/files/replies", test_replies);
	g_test_add_func("/read/files/truncated", test_truncated);
	return g_test_run();
}
