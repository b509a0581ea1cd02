/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-guest-xml: the tree that XML becomes, and what is refused before it grows. */
#include "config.h"

#include <string.h>

#include "guest/xml-query.h"
#include "read-fixture.h"

static const char small[] = "<?xml version='1.0'?>\r\n<!-- c -->\r\n"
			    "<domain type='kvm' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>\r\n"
			    "  <name>  a &amp; b\r\n</name>\r\n"
			    "  <cpu><feature name='x'/><feature name='y'/><model/></cpu>\r\n"
			    "  <q:commandline><q:arg value='-x'/></q:commandline>\r\n"
			    "  <t>one<!-- c --><u/><![CDATA[<two>]]></t>\r\n"
			    "</domain>\r\n";

static void test_tree(void)
{
	g_autoptr(XmlDocument) xml = fixture_xml(small);
	const struct xml_node *root = xml_root(xml);
	const struct xml_node *feature = xml_at(root, "cpu/feature");
	g_autofree char *first = xml_path(feature);
	g_autofree char *second = xml_path(xml_same(feature));
	g_autofree char *model = xml_path(xml_at(root, "cpu/model"));

	g_assert_cmpstr(root->name, ==, "domain");
	g_assert_cmpstr(xml_attr(root, "type"), ==, "kvm");
	g_assert_null(xml_attr(root, "id"));
	g_assert_null(xml_attr(NULL, "id"));
	g_assert_cmpstr(xml_child(root, "name")->text, ==, "a & b");
	g_assert_cmpuint(xml_child(root, "name")->line, ==, 4);
	g_assert_cmpstr(xml_attr(xml_same(feature), "name"), ==, "y");
	g_assert_null(xml_same(xml_same(feature)));
	g_assert_null(xml_same(NULL));
	g_assert_cmpstr(first, ==, "/domain/cpu/feature[1]");
	g_assert_cmpstr(second, ==, "/domain/cpu/feature[2]");
	g_assert_cmpstr(model, ==, "/domain/cpu/model");
	g_assert_cmpstr(xml_attr(xml_at(root, "qemu:commandline/qemu:arg"), "value"), ==, "-x");
	g_assert_cmpstr(xml_child(root, "t")->text, ==, "one<two>");
	g_assert_null(xml_at(root, "cpu/feat"));
	g_assert_null(xml_at(root, "cpu/features"));
	g_assert_null(xml_child(NULL, "x"));
}

static void refuse(const char *bytes, size_t length, const char *words)
{
	GError *error = NULL;

	g_assert_null(xml_parse(bytes, length, "F", &error));
	fixture_one_line(&error, "F: ");
	g_assert_null(xml_parse(bytes, length, "F", &error));
	fixture_one_line(&error, words);
}

static void test_refusals(void)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "not XML" },
		{ "x", "not XML" },
		{ "<a>", "line 1" },
		{ "<a>\n<b>\n</a>", "line 3" },
		{ "<a/><b/>", "not XML" },
		{ "<a b='1' b='2'/>", "not XML" },
		{ "<a>&x;</a>", "not XML" },
		{ "<a>\xff</a>", "byte 3 is not UTF-8" },
		{ "<!DOCTYPE a><a/>", "document type" },
		{ "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type" },
		{ "<!DOCTYPE a SYSTEM 'http://example.org/a.dtd'><a/>", "document type" },
	};
	g_autofree char *bomb = NULL;
	GString *s = g_string_new("<!DOCTYPE lolz [<!ENTITY a0 \"lol\">");

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		refuse(bad[i].text, strlen(bad[i].text), bad[i].words);
	refuse("<a>\0</a>", 8, "not UTF-8");
	for (int i = 1; i < 30; i++)
		g_string_append_printf(s, "<!ENTITY a%d \"&a%d;&a%d;&a%d;&a%d;\">", i, i - 1, i - 1,
				       i - 1, i - 1);
	g_string_append(s, "]><lolz>&a29;</lolz>");
	bomb = g_string_free(s, FALSE);
	refuse(bomb, strlen(bomb), "document type");
}

static void test_bounds(void)
{
	GString *s = g_string_new(NULL);
	char *big = g_malloc0(XML_MAX_BYTES + 1);

	for (int i = 0; i < 100000; i++)
		g_string_append(s, "<a>");
	refuse(s->str, s->len, "too deep");
	g_string_assign(s, "<a>");
	for (unsigned int i = 0; i < XML_MAX_NODES; i++)
		g_string_append(s, "<b/>");
	g_string_append(s, "</a>");
	refuse(s->str, s->len, "too many");
	refuse(big, XML_MAX_BYTES + 1, "bytes of XML");
	g_string_free(s, TRUE);
	g_free(big);

	s = g_string_new(NULL);
	for (unsigned int i = 0; i < XML_MAX_DEPTH; i++)
		g_string_append(s, "<a>");
	for (unsigned int i = 0; i < XML_MAX_DEPTH; i++)
		g_string_append(s, "</a>");
	xml_free(fixture_xml(s->str));
	g_string_free(s, TRUE);
}

/* A byte order mark is passed over, and what a document declares doesn't change what bytes mean. */
static void test_encodings(void)
{
	g_autoptr(XmlDocument) bom = fixture_xml("\xef\xbb\xbf<a>\xc3\xa9</a>");
	g_autoptr(XmlDocument) latin =
		fixture_xml("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xc3\xa9</a>");

	g_assert_cmpstr(xml_root(bom)->text, ==, "\xc3\xa9");
	g_assert_cmpstr(xml_root(latin)->text, ==, "\xc3\xa9");
}

/* Cut off anywhere but in the white space at its end, a document is one line of error. */
static void test_truncated(void)
{
	for (size_t i = 0; i < strlen(g_strchomp(strdupa(small))); i++)
		refuse(small, i, "F: ");
}

/* Sizes with units, lists and repeated elements, as rules ask for them. */
static void test_functions(void)
{
	static const struct {
		const char *expression, *value;
	} rows[] = {
		{ "kib(a)", "64" },	    { "kib(b)", "977" },   { "kib(c)", "1" },
		{ "kib(d/@m)", "2048" },    { "kib(a | d/@m)", "2112" }, { "kib(e)", "NaN" },
		{ "kib(f)", "NaN" },	    { "kib(h)", "NaN" },       { "kib(none)", "0" },
		{ "list-max(l/@s)", "9" },  { "list-count(l/@s)", "6" }, { "list-max(m/@s)", "NaN" },
		{ "list-max(none)", "-1" }, { "list-max(n/@s)", "NaN" }, { "list-count(o/@s)", "2" },
		{ "lists-overlap(l/@s)", "false" }, { "lists-overlap(l/@s | o/@s)", "true" },
		{ "repeated(r, 'x y')", "false" },  { "repeated(r, 'x')", "true" },
	};
	g_autoptr(GError) error = NULL;
	struct xml_queried *d = xml_queried_new(
		"<t><a>64</a><b unit='MB'>1</b><c unit='b'>1</c><d m='2' unit='MiB'/><e>x</e>"
		"<f unit='furlong'>1</f><h unit='E'>9</h><l s='0-3,^1'/><l s=' 8 , 9,7'/><m s='3-1'/><n s=''/>"
		"<o s='3,4'/><r x='1' y='1'/><r x='1' y='2'/></t>", &error);

	g_assert_no_error(error);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct xml_query *query = xml_query_new(rows[i].expression, "test", &error);
		g_autofree char *value = NULL;

		g_assert_no_error(error);
		value = xml_query_string(query, d, NULL);
		g_test_message("%s", rows[i].expression);
		g_assert_cmpstr(value, ==, rows[i].value);
		xml_query_free(query);
	}
	xml_queried_free(d);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guest/xml/tree", test_tree);
	g_test_add_func("/guest/xml/refusals", test_refusals);
	g_test_add_func("/guest/xml/bounds", test_bounds);
	g_test_add_func("/guest/xml/encodings", test_encodings);
	g_test_add_func("/guest/xml/truncated", test_truncated);
	g_test_add_func("/guest/xml/functions", test_functions);
	return g_test_run();
}
