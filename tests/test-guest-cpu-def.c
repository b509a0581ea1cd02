/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-guest-cpu-def: <cpu> in every form libvirt writes it, and what it itself refuses. */
#include "config.h"

#include <string.h>

#include "guest/cpu-def.h"
#include "read-fixture.h"

static struct cpu_def *parse(const char *text, GError **error)
{
	g_autoptr(XmlDocument) xml = fixture_xml(text);

	return cpu_def_parse(xml_root(xml), error);
}

static struct cpu_def *good(const char *text)
{
	GError *error = NULL;
	struct cpu_def *def = parse(text, &error);

	g_assert_no_error(error);
	return def;
}

static void test_guest(void)
{
	static const char text[] =
		"<cpu mode='custom' match='strict' check='partial'>"
		"<model fallback='forbid' vendor_id='KVMKVMKVM123'>Nehalem</model><vendor>Intel</vendor>"
		"<topology sockets='2' dies='3' clusters='4' cores='5' threads='6'/>"
		"<maxphysaddr mode='emulate' bits='42'/>"
		"<feature policy='force' name='a'/><feature policy='require' name='b'/>"
		"<feature policy='optional' name='c'/><feature policy='disable' name='d'/>"
		"<feature policy='forbid' name='e'/><feature name='f'/></cpu>";
	static const enum cpu_policy policies[] = { CPU_FORCE,	 CPU_REQUIRE, CPU_OPTIONAL,
						    CPU_DISABLE, CPU_FORBID,  CPU_REQUIRE };
	g_autoptr(CpuDef) def = good(text);

	g_assert_false(def->host);
	g_assert_cmpint(def->mode, ==, CPU_CUSTOM);
	g_assert_true(def->has_match);
	g_assert_cmpint(def->match, ==, CPU_MATCH_STRICT);
	g_assert_cmpint(def->check, ==, CPU_CHECK_PARTIAL);
	g_assert_cmpint(def->migratable, ==, -1);
	g_assert_cmpstr(def->model, ==, "Nehalem");
	g_assert_true(def->fallback_forbid);
	g_assert_cmpstr(def->vendor, ==, "Intel");
	g_assert_cmpstr(def->vendor_id, ==, "KVMKVMKVM123");
	g_assert_cmpuint(def->sockets * 10000 + def->dies * 1000 + def->clusters * 100 +
				 def->cores * 10 + def->threads,
			 ==, 23456);
	g_assert_cmpint(def->phys_mode, ==, 1);
	g_assert_cmpuint(def->phys_bits, ==, 42);
	g_assert_cmpuint(def->features->len, ==, G_N_ELEMENTS(policies));
	for (guint i = 0; i < def->features->len; i++) {
		const struct cpu_def_feature *f = g_ptr_array_index(def->features, i);
		g_autofree char *path = g_strdup_printf("/cpu/feature[%u]", i + 1);

		g_assert_cmpint(f->policy, ==, policies[i]);
		g_assert_cmpstr(f->path, ==, path);
	}
}

static void test_modes(void)
{
	static const struct {
		const char *text;
		enum cpu_mode mode;
		int migratable;
	} rows[] = {
		{ "<cpu/>", CPU_MODE_NONE, -1 },
		{ "<cpu><model>n270</model></cpu>", CPU_MODE_NONE, -1 },
		{ "<cpu mode='host-model'/>", CPU_HOST_MODEL, -1 },
		{ "<cpu mode='host-passthrough' migratable='on'/>", CPU_HOST_PASSTHROUGH, 1 },
		{ "<cpu mode='maximum' migratable='off'/>", CPU_MAXIMUM, 0 },
		{ "<mode name='host-model' supported='yes'><model>n270</model></mode>",
		  CPU_HOST_MODEL, -1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(CpuDef) def = good(rows[i].text);

		g_assert_cmpint(def->mode, ==, rows[i].mode);
		g_assert_cmpint(def->migratable, ==, rows[i].migratable);
		g_assert_cmpint(def->match, ==, CPU_MATCH_EXACT);
		g_assert_false(def->has_match);
	}
}

static void test_host(void)
{
	g_autoptr(CpuDef) def = good("<cpu><arch>x86_64</arch><model>Westmere</model>"
				     "<vendor>Intel</vendor><microcode version='1'/>"
				     "<counter name='tsc' frequency='1'/><pages size='4'/>"
				     "<feature name='vmx'/></cpu>");

	g_assert_true(def->host);
	g_assert_cmpstr(def->arch, ==, "x86_64");
	g_assert_cmpuint(def->features->len, ==, 1);
}

static void test_refusals(void)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "<cpu mode='best'/>", "'best' is not one of custom, host-model" },
		{ "<cpu mode='none'/>", "/cpu/@mode" },
		{ "<cpu match='some'><model>n270</model></cpu>", "@match" },
		{ "<cpu check='perhaps'/>", "@check" },
		{ "<cpu mode='host-model' migratable='on'/>", "migratable" },
		{ "<cpu mode='maximum' migratable='yes'/>", "@migratable" },
		{ "<cpu mode='custom'><arch>x86_64</arch></cpu>", "<arch>" },
		{ "<cpu><model fallback='no'>n270</model></cpu>", "@fallback" },
		{ "<cpu><model vendor_id='short'>n270</model></cpu>", "vendor_id" },
		{ "<cpu><model vendor_id='123456,89012'>n270</model></cpu>", "vendor_id" },
		{ "<cpu><model>a\nb</model></cpu>", "one line" },
		{ "<cpu><model vendor_id=''>n270</model><vendor>a\nb</vendor></cpu>", "one line" },
		{ "<cpu mode='maximum'><feature name='a&#10;b'/></cpu>", "one line" },
		{ "<cpu><vendor>Intel</vendor></cpu>", "without a model" },
		{ "<cpu><feature name='a'/></cpu>", "without a model" },
		{ "<cpu mode='maximum'><feature/></cpu>", "no name" },
		{ "<cpu mode='maximum'><feature name='a' policy='maybe'/></cpu>", "@policy" },
		{ "<cpu mode='maximum'>\n<feature name='a'/>\n<feature name='a' policy='disable'/></cpu>",
		  "/cpu/feature[2] (line 3): feature 'a' is given twice" },
		{ "<cpu><topology sockets='1'/></cpu>", "must all be written" },
		{ "<cpu><topology sockets='0' cores='1' threads='1'/></cpu>", "@sockets" },
		{ "<cpu><topology sockets='-1' cores='1' threads='1'/></cpu>", "@sockets" },
		{ "<cpu><topology sockets='99999999999999999999' cores='1' threads='1'/></cpu>",
		  "@sockets" },
		{ "<cpu><maxphysaddr bits='42'/></cpu>", "mode= is missing" },
		{ "<cpu><maxphysaddr mode='none'/></cpu>", "@mode" },
		{ "<cpu><maxphysaddr mode='emulate' bits='many'/></cpu>", "@bits" },
	};
	GError *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_null(parse(bad[i].text, &error));
		fixture_one_line(&error, bad[i].words);
	}
}

static void test_bounds(void)
{
	GString *s = g_string_new("<cpu mode='maximum'>");
	GError *error = NULL;
	g_autofree char *name = g_strnfill(101, 'x');

	for (unsigned int i = 0; i <= CPU_DEF_MAX_FEATURES; i++)
		g_string_append_printf(s, "<feature name='f%u'/>", i);
	g_string_append(s, "</cpu>");
	g_assert_null(parse(s->str, &error));
	fixture_one_line(&error, "more than 4096 features");
	g_string_printf(s, "<cpu mode='maximum'><feature name='%s'/></cpu>", name);
	g_assert_null(parse(s->str, &error));
	fixture_one_line(&error, "at most 100 bytes");
	g_string_free(s, TRUE);
}

/* libvirt's own test data: what its parser takes, we take. */
static void test_recorded(void)
{
	g_autofree char *folder = fixture_data("libvirt-cputestdata");
	g_autoptr(GPtrArray) files = folder ? fixture_files(folder, ".xml") : NULL;
	unsigned int n = 0;

	for (guint i = 0; files && i < files->len; i++) {
		const char *path = g_ptr_array_index(files, i);
		size_t length;
		g_autofree char *bytes = fixture_bytes(path, &length);
		GError *error = NULL;
		g_autoptr(XmlDocument) xml = xml_parse(bytes, length, path, &error);
		g_autoptr(CpuDef) def = NULL;

		g_assert_no_error(error);
		if (strcmp(xml_root(xml)->name, "cpu"))
			continue;
		def = cpu_def_parse(xml_root(xml), &error);
		if (!def)
			g_error("%s: %s", path, error->message);
		n++;
	}
	if (files) {
		g_assert_cmpuint(n, >, 200);
		g_test_message("%u definitions", n);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guest/cpu-def/guest", test_guest);
	g_test_add_func("/guest/cpu-def/modes", test_modes);
	g_test_add_func("/guest/cpu-def/host", test_host);
	g_test_add_func("/guest/cpu-def/refusals", test_refusals);
	g_test_add_func("/guest/cpu-def/bounds", test_bounds);
	g_test_add_func("/guest/cpu-def/recorded", test_recorded);
	return g_test_run();
}
