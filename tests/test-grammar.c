/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-grammar.c: the table of what libvirt's versions know of domain XML: its rows' form, who
 * knows what when, kinds of numbers, and what a judge makes of it for a guest.
 */
#include "config.h"

#include <string.h>

#include "guest/needs.h"
#include "judge/verdict.h"
#include "model/grammar.h"
#include "model/profile.h"

#define HEADER "path\tattribute\twhen\tvalues\thow\tnot_in\tfirst_in\tlast_in\tside\tsource\n"
#define ROW(path, attribute, when, values, how, not_in, first_in, last_in, side)                  \
	path "\t" attribute "\t" when "\t" values "\t" how "\t" not_in "\t" first_in "\t" last_in \
	     "\t" side "\ttest\n"
#define KNOWN(path, attribute) ROW(path, attribute, "-", "-", "-", "-", "9.0.0", "-", "-")

static const char *const table_text = HEADER
	KNOWN("devices", "-")
	KNOWN("devices/tpm|devices/rng|devices/disk/backingStore", "-")
	KNOWN("devices/tpm|devices/rng", "model")
	ROW("devices/tpm", "model", "-", "tis crb \"\"", "refused", "-", "9.0.0", "-", "-")
	ROW("devices/tpm", "model", "-", "spapr", "refused", "10.6.0", "10.7.0", "-", "guest")
	ROW("devices/tpm", "model", "-", "gone", "refused", "-", "9.0.0", "9.0.0<11.3.0", "guest")
	KNOWN("devices/tpm", "port")
	ROW("devices/tpm", "port", "../@x=-|a", "#uint32", "refused", "-", "9.0.0", "-", "-")
	ROW("devices/tpm", "port", "../@x=b", "on off", "refused:11.3.0", "-", "11.3.0", "-", "-")
	ROW("devices/tpm", "new", "-", "-", "-", "9.0.0", "11.3.0", "-", "guest")
	ROW("devices/tpm", "quiet", "-", "-", "-", "9.0.0", "11.3.0", "-", "host")
	ROW("devices/pstore", "-", "-", "-", "-", "10.5.0", "10.6.0", "-", "guest")
	KNOWN("devices/pstore", "backend")
	ROW("devices/pstore", "backend", "-", "erst", "refused", "-", "11.3.0", "-", "-")
	KNOWN("features", "-")
	KNOWN("features", "#child")
	ROW("features", "#child", "-", "acpi apic", "refused", "-", "9.0.0", "-", "-")
	ROW("features", "#child", "-", "ps2", "refused", "10.6.0", "10.7.0", "-", "guest");

static struct grammar *grammar_of(const char *text, GError **error)
{
	struct table *table = table_parse(text, strlen(text), "grammar", error);
	struct grammar *grammar;

	g_assert_nonnull(table);
	grammar = grammar_new(table, error);
	table_free(table);
	return grammar;
}

static void test_rows(void)
{
	static const char *const bad[] = {
		/* values of an attribute that has no row, of an element, of another form */
		HEADER ROW("devices", "model", "-", "a", "refused", "-", "9.0.0", "-", "-"),
		HEADER KNOWN("devices", "-") ROW("devices", "-", "-", "a", "refused", "-", "9.0.0", "-", "-"),
		HEADER KNOWN("devices", "a") ROW("devices", "a", "-", "a", "taken", "-", "9.0.0", "-", "-"),
		HEADER KNOWN("devices", "a") ROW("devices", "a", "x=1", "a", "refused", "-", "9.0.0", "-", "-"),
		HEADER KNOWN("devices", "a") ROW("devices", "a", "@x", "a", "refused", "-", "9.0.0", "-", "-"),
		"path\tattribute\tvalues\ndevices\t-\t-\n",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		struct grammar *grammar = grammar_of(bad[i], &error);

		g_assert_null(grammar);
		g_assert_nonnull(error);
	}
}

static void test_paths(void)
{
	static const char *const cases[][3] = {
		{ "", "devices", "devices" },
		{ "devices/disk", "driver", "devices/disk/driver" },
		{ "devices/disk/backingStore", "backingStore", "devices/disk/backingStore" },
		{ "devices/disk/mirror/source", "dataStore", "devices/disk/dataStore" },
		{ "os/nvram", "nvram", "os/nvram" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = grammar_path(cases[i][0], cases[i][1]);

		g_assert_cmpstr(path, ==, cases[i][2]);
	}
}

static void test_spans(void)
{
	static const struct {
		const char *not_in, *first_in, *last_in, *gone_in, *version;
		int knows;
	} cases[] = {
		{ NULL, "9.0.0", NULL, NULL, "9.0.0", 1 },
		{ NULL, "9.0.0", NULL, NULL, "13.0.0", 1 },
		{ NULL, "9.0.0", NULL, NULL, "8.0.0", -1 },
		{ "9.0.0", "11.3.0", NULL, NULL, "9.0.0", 0 },
		{ "9.0.0", "11.3.0", NULL, NULL, "8.0.0", 0 },
		{ "9.0.0", "11.3.0", NULL, NULL, "10.0.0", -1 },
		{ "9.0.0", "11.3.0", NULL, NULL, "11.3.0", 1 },
		{ NULL, "7.0.0", "9.0.0", "11.3.0", "9.0.0", 1 },
		{ NULL, "7.0.0", "9.0.0", "11.3.0", "10.0.0", -1 },
		{ NULL, "7.0.0", "9.0.0", "11.3.0", "11.3.0", 0 },
		{ "12.8.0", NULL, NULL, NULL, "12.8.0", 0 },
		{ "12.8.0", NULL, NULL, NULL, "12.9.0", -1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct grammar_span span = { cases[i].not_in, cases[i].first_in, cases[i].last_in,
					     cases[i].gone_in, false, NULL, NULL };

		g_assert_cmpint(grammar_knows(&span, cases[i].version), ==, cases[i].knows);
	}
}

/* A kind of numbers and texts: does libvirt take them? */
static void test_numbers(void)
{
	static const struct {
		const char *kind, *good, *bad;
	} cases[] = {
		{ "#uint32", "0 1 4294967295 010", "-1 4294967296 x 1x 0x10 1.5 - " },
		{ "#uint32x", "0 0x10 0xffffffff 7", "0x 0xg -0x1 4294967296" },
		{ "#uint32>0", "1 2", "0 00 -1" },
		{ "#uint64", "4294967296 18446744073709551615", "-1 0x10 99999999999999999999" },
		{ "#int32", "-1 0 1 -5", "- --1 a 0x1" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(
			HEADER KNOWN("vcpu", "#text") "vcpu\t#text\t-\t", cases[i].kind,
			"\trefused\t-\t9.0.0\t-\t-\ttest\n", NULL);
		g_autoptr(Grammar) grammar = grammar_of(text, NULL);
		const struct grammar_entry *entry = grammar_find(grammar, "vcpu", GRAMMAR_TEXT);
		const struct grammar_set *set = g_ptr_array_index(entry->sets, 0);
		const struct grammar_span *known;

		for (int want = GRAMMAR_FINE; want <= GRAMMAR_REFUSED; want += GRAMMAR_REFUSED) {
			g_auto(GStrv) words = g_strsplit(want ? cases[i].bad : cases[i].good, " ", -1);

			for (char **word = words; *word; word++)
				g_assert_cmpint(grammar_value(grammar, set, *word, "9.0.0", &known), ==, want);
		}
	}
}

#define HOST                                                                                      \
	"{\"format\":\"capbroker.profile/1\",\"host\":{\"name\":\"h\",\"arch\":\"x86_64\"},\"probe\":{\"sources\":[]}," \
	"\"facts\":[{\"id\":\"libvirt.version\",\"value\":\"%s\",\"state\":\"known\",\"scope\":{\"view\":\"libvirt\"},\"origin\":\"t\"}]," \
	"\"emulators\":[{\"path\":\"/usr/bin/qemu-system-x86_64\",\"version\":\"10.0.3\",\"accel\":\"kvm\",\"machine\":\"none\"," \
	"\"complete\":true,\"migratable\":false,\"machines\":[{\"name\":\"pc-q35-10.0\",\"alias\":\"q35\"}],\"facts\":[]}]}"

/* What a judge says of it; no finding of the two checks: "". */
static const struct {
	const char *version, *devices, *text, *where;
	enum verdict start, migrate;
} judged[] = {
	{ "9.0.0", "<tpm model='crb' port='5'/>", "", "", V_OK, V_OK },
	{ "9.0.0", "<tpm model='foo'/>", "libvirt 9.0.0 refuses 'foo' as attribute 'model' of <tpm>",
	  "/domain/devices/tpm/@model", V_BLOCK, V_BLOCK },
	{ "9.0.0", "<tpm model=''/>", "", "", V_OK, V_OK },
	{ "9.0.0", "<tpm model='spapr'/>",
	  "libvirt 9.0.0 refuses 'spapr' as attribute 'model' of <tpm>: it is known since 10.7.0",
	  "/domain/devices/tpm/@model", V_BLOCK, V_BLOCK },
	{ "11.3.0", "<tpm model='spapr'/>", "", "", V_OK, V_OK },
	{ "11.3.0", "<tpm model='gone'/>",
	  "libvirt 11.3.0 refuses 'gone' as attribute 'model' of <tpm>: it is known since 9.0.0",
	  "/domain/devices/tpm/@model", V_BLOCK, V_BLOCK },
	{ "10.0.0", "<tpm model='gone'/>",
	  "whether libvirt 10.0.0 takes 'gone' as attribute 'model' of <tpm> isn't known: 9.0.0 does",
	  "/domain/devices/tpm/@model", V_UNKNOWN, V_UNKNOWN },
	{ "99.0.0", "<tpm model='foo'/>",
	  "whether libvirt 99.0.0 takes 'foo' as attribute 'model' of <tpm> isn't known: older ones refuse it",
	  "/domain/devices/tpm/@model", V_UNKNOWN, V_UNKNOWN },
	{ "9.0.0", "<rng model='foo'/><nobody knows='it'/>", "", "", V_OK, V_OK },
	{ "9.0.0", "<tpm port='x'/><tpm port='-1'/>",
	  "libvirt 9.0.0 refuses 'x' as attribute 'port' of <tpm> (and 1 more of its kind)",
	  "/domain/devices/tpm[1]/@port", V_BLOCK, V_BLOCK },
	{ "9.0.0", "<tpm new='1'/>",
	  "libvirt 9.0.0 ignores attribute 'new' of <tpm> without a word: it is known since 11.3.0",
	  "/domain/devices/tpm/@new", V_WARN, V_WARN },
	{ "10.0.0", "<tpm new='1'/>",
	  "libvirt 10.0.0 may ignore attribute 'new' of <tpm> without a word: it is known by 11.3.0",
	  "/domain/devices/tpm/@new", V_WARN, V_WARN },
	{ "11.3.0", "<tpm new='1'/>", "", "", V_OK, V_OK },
	{ "9.0.0", "<tpm quiet='1'/>",
	  "libvirt 9.0.0 ignores attribute 'quiet' of <tpm> without a word: it is known since 11.3.0",
	  "/domain/devices/tpm/@quiet", V_WARN, V_OK },
	{ "9.0.0", "<pstore backend='foo'/>",
	  "libvirt 9.0.0 ignores element <pstore> without a word: it is known since 10.6.0",
	  "/domain/devices/pstore", V_WARN, V_WARN },
	{ "11.3.0", "<pstore backend='foo'/>",
	  "libvirt 11.3.0 refuses 'foo' as attribute 'backend' of <pstore>",
	  "/domain/devices/pstore/@backend", V_BLOCK, V_BLOCK },
	{ "9.0.0", "</devices><features><acpi/><ps2 state='off'/></features><devices>",
	  "libvirt 9.0.0 refuses 'ps2' as an element of <features>: it is known since 10.7.0",
	  "/domain/features/ps2", V_BLOCK, V_BLOCK },
	{ "11.3.0", "</devices><features><sound/></features><devices>",
	  "libvirt 11.3.0 refuses 'sound' as an element of <features>", "/domain/features/sound", V_BLOCK,
	  V_BLOCK },
};

static const struct finding *finding_of(const struct verdicts *v)
{
	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);

		if (g_str_has_prefix(f->check, "definition-"))
			return f;
	}
	return NULL;
}

static enum verdict verdict_on(const struct finding *f, unsigned int on)
{
	return f && f->on & on ? f->verdict : V_OK;
}

static void test_judged(void)
{
	g_autoptr(Grammar) grammar = grammar_of(table_text, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(judged); i++) {
		g_autoptr(Universe) universe = universe_new();
		g_autofree char *host = g_strdup_printf(HOST, judged[i].version);
		g_autofree char *guest = g_strdup_printf(
			"<domain type='kvm'><name>g</name><os><type arch='x86_64' machine='q35'>hvm</type></os>"
			"<devices>%s</devices></domain>", judged[i].devices);
		g_autoptr(GError) error = NULL;
		g_autoptr(XmlDocument) document = xml_parse(guest, strlen(guest), "guest", &error);
		g_autoptr(Needs) needs = needs_from_xml(document, &error);
		g_autoptr(Profile) profile = profile_parse_bytes(host, strlen(host), universe, &error);
		struct judge judge = { .universe = universe, .grammar = grammar };
		struct verdicts *v;

		g_assert_no_error(error);
		for (int again = 0; again < 2; again++) { /* the second time from what was kept */
			v = judge_guest(&judge, needs, NULL, NULL, profile);
			g_assert_cmpstr(finding_of(v) ? finding_of(v)->text : "", ==, judged[i].text);
			g_assert_cmpstr(finding_of(v) ? finding_of(v)->where : "", ==, judged[i].where);
			g_assert_cmpint(verdict_on(finding_of(v), ON_START), ==, judged[i].start);
			g_assert_cmpint(verdict_on(finding_of(v), ON_MIGRATE), ==, judged[i].migrate);
			g_assert_cmpint(verdict_on(finding_of(v), ON_QEMU), ==, V_OK);
			verdicts_free(v);
		}
	}
}

/* Where several sets of values stand by what is written around, the one that fits decides. */
static void test_when(void)
{
	g_autoptr(Grammar) grammar = grammar_of(table_text, NULL);
	const struct grammar_entry *port = grammar_find(grammar, "devices/tpm", "port");
	const struct grammar_set *plain = g_ptr_array_index(port->sets, 0);
	const struct grammar_set *b = g_ptr_array_index(port->sets, 1);
	const struct grammar_span *known;

	g_assert_cmpuint(port->sets->len, ==, 2);
	g_assert_cmpuint(plain->when_up, ==, 1);
	g_assert_cmpstr(plain->when_name, ==, "x");
	g_assert_cmpstr(plain->when_words[0], ==, "-");
	g_assert_cmpstr(plain->when_words[1], ==, "a");
	g_assert_cmpstr(b->refused_since, ==, "11.3.0");
	g_assert_cmpint(grammar_value(grammar, b, "maybe", "9.0.0", &known), ==, GRAMMAR_FINE);
	g_assert_cmpint(grammar_value(grammar, b, "maybe", "11.3.0", &known), ==, GRAMMAR_REFUSED);
	g_assert_cmpint(grammar_value(grammar, b, "on", "11.3.0", &known), ==, GRAMMAR_FINE);
}

/* The table that ships: its form, and facts that are known apart from it. */
static void test_shipped(void)
{
	static const struct {
		const char *path, *attribute, *version;
		int knows;
	} cases[] = {
		{ "devices/iommu/driver", "dma_translation", "10.6.0", 0 },
		{ "devices/iommu/driver", "dma_translation", "10.7.0", 1 },
		{ "devices/pstore", NULL, "9.0.0", 0 },
		{ "cpu/maxphysaddr", "limit", "9.2.0", 0 },
		{ "cpu/maxphysaddr", "limit", "9.3.0", 1 },
		{ "devices/disk/driver", "queues", "9.0.0", 1 },
	};
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *path =
		g_build_filename(g_getenv("srcdir") ? g_getenv("srcdir") : ".", "..", "schema", "data",
				 "libvirt-grammar.tsv", NULL);
	g_autoptr(Grammar) grammar = NULL;

	g_file_get_contents(path, &bytes, NULL, &error);
	g_assert_no_error(error);
	grammar = grammar_of(bytes, &error);
	g_assert_no_error(error);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct grammar_entry *entry =
			grammar_find(grammar, cases[i].path, cases[i].attribute);

		g_assert_nonnull(entry);
		g_assert_cmpint(grammar_knows(&entry->span, cases[i].version), ==, cases[i].knows);
	}
	g_assert_null(grammar_find(grammar, "devices/iommu/driver", "bogus"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/grammar/rows", test_rows);
	g_test_add_func("/grammar/paths", test_paths);
	g_test_add_func("/grammar/spans", test_spans);
	g_test_add_func("/grammar/numbers", test_numbers);
	g_test_add_func("/grammar/when", test_when);
	g_test_add_func("/grammar/judged", test_judged);
	g_test_add_func("/grammar/shipped", test_shipped);
	return g_test_run();
}
