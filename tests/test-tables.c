/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-tables.c: a site's rows among ours, which QEMU has which property, whose machine type it is.
 */
#include "config.h"

#include <string.h>

#include "model/downstream.h"
#include "model/qemu-properties.h"
#include "model/tables.h"

static struct table *table(const char *text)
{
	GError *error = NULL;
	struct table *t = table_parse(text, strlen(text), "t.tsv", &error);

	g_assert_no_error(error);
	return t;
}

/* Cells of a column, apart by blanks. */
static char *column(const struct table *t, const char *name)
{
	GString *text = g_string_new(NULL);
	int c = table_column(t, name);

	for (guint i = 0; i < t->rows->len; i++)
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       ((char **)g_ptr_array_index(t->rows, i))[c]);
	return g_string_free(text, FALSE);
}

static void check_join(const char *key, const char *wanted)
{
	struct table *ours = table("name\tvalue\na\t1\nb\t2\n");
	struct table *site = table("# a comment\nname\tvalue\nb\t3\nc\t4\nb\t5\n");
	g_autofree char *values = NULL;

	g_assert_true(table_join(ours, site, key));
	g_assert_cmpuint(site->rows->len, ==, 0);
	values = column(ours, "value");
	g_assert_cmpstr(values, ==, wanted);
	table_free(site);
	table_free(ours);
}

static void test_join(void)
{
	struct table *ours = table("name\tvalue\na\t1\n"), *other = table("name\tother\na\t1\n");

	check_join(NULL, "5 4 3 1 2");
	check_join("name", "1 5 4");
	g_assert_false(table_join(ours, other, NULL));
	g_assert_cmpuint(ours->rows->len, ==, 1);
	table_free(other);
	table_free(ours);
}

#define HEADER "device\tproperty\ttype\tdefault\tnot_in\tfirst_in\tlast_in\tspellings\tsource\n"

static void test_properties(void)
{
	static const struct {
		const char *device, *property, *version;
		int has;
	} rows[] = {
		{ "nic", NULL, "8.0.0", 1 },	   { "nic", NULL, "8.0.7", 1 },
		{ "nic", NULL, "8.2.0", 1 },	   { "nic", NULL, "9.1.0", 1 },
		{ "nic", NULL, "7.0.0", -1 },	   /* older than all, and there in the oldest */
		{ "nic", NULL, "9.2.0", -1 },	   /* newer than the data */
		{ "new", NULL, "7.0.0", 0 },	   { "new", NULL, "8.0.0", 0 },
		{ "new", NULL, "8.2.0", -1 },	   /* between: it may be there already */
		{ "new", NULL, "9.1.0", 1 },	   { "new", "x", "9.1.0", 0 },
		{ "new", "x", "8.0.0", 0 },	   { "nic", "kept", "8.2.0", 1 },
		{ "nic", "none", "8.2.0", 0 },	   { "nic", "none", "9.2.0", -1 },
		{ "nic", "came", "8.0.0", 0 },	   { "nic", "came", "8.2.0", -1 },
		{ "nic", "came", "9.1.0", 1 },	   { "nic", "gone", "8.0.0", 1 },
		{ "nic", "gone", "8.2.0", -1 },	   { "nic", "gone", "9.1.0", 0 },
		{ "nic", "changed", "8.0.0", 1 },  { "nic", "changed", "9.1.0", 1 },
		{ "nic", "withdrawn", "8.0.0", 0 }, { "other", NULL, "8.0.0", -1 },
		{ "late", NULL, "8.0.0", -1 },	   /* nobody asked 8.0.0 for it */
		{ "late", NULL, "9.1.0", 1 },	   { "late", "x", "9.1.0", 0 },
	};
	struct tables tables = {
		.properties = table(HEADER "-\t-\t-\t-\t-\t8.0.0\t-\t-\ts\n"
					   "-\t-\t-\t-\t-\t9.1.0\t-\t-\ts\n"
					   "nic\t-\ttype\t-\t-\t8.0.0\t-\t-\ts\n"
					   "nic\tkept\tbool\ttrue\t-\t8.0.0\t-\t-\ts\n"
					   "nic\tcame\tbool\ttrue\t8.0.0\t9.1.0\t-\t-\ts\n"
					   "nic\tgone\tbool\ttrue\t-\t8.0.0\t8.0.0\t-\ts\n"
					   "nic\tchanged\tbool\ttrue\t-\t8.0.0\t8.0.0\t-\ts\n"
					   "nic\tchanged\tbool\tfalse\t8.0.0\t9.1.0\t-\t-\ts\n"
					   "nic\twithdrawn\tbool\ttrue\t-\t8.0.0\t0\t-\ts\n"
					   "nic\twithdrawn\tbool\ttrue\t-\t8.0.0\t-\t-\ts\n"
					   "new\t-\ttype\t-\t8.0.0\t9.1.0\t-\t-\ts\n"
					   "late\t-\ttype\t-\t-\t9.1.0\t-\t-\ts\n"),
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int has = tables_qemu_property(&tables, rows[i].device, rows[i].property,
					       rows[i].version);

		g_test_message("%s.%s in %s", rows[i].device,
			       rows[i].property ? rows[i].property : "-", rows[i].version);
		g_assert_cmpint(has, ==, rows[i].has);
	}
	g_assert_cmpint(tables_qemu_property(NULL, "nic", NULL, "8.0.0"), ==, -1);
	table_free(tables.properties);
}

static void check_same(const struct tables *tables, const char *name, const char *packages,
		       const char *versions, int same, const char *why)
{
	g_auto(GStrv) package = g_strsplit(packages, "|", 2), version = g_strsplit(versions, "|", 2);
	const struct qemu_build one = { qemu_vendor(tables, package[0]), version[0] };
	const struct qemu_build other = { qemu_vendor(tables, package[1]), version[1] };
	const char *text;

	g_test_message("%s: %s, %s", name, packages, versions);
	g_assert_cmpint(machine_same(tables, name, &one, &other, &text), ==, same);
	g_assert_cmpstr(text, ==, why);
}

static void test_machines(void)
{
	struct tables tables = {
		.vendors = table("package\tvendor\tsource\n*ubuntu*\tubuntu\ts\nDebian *\tdebian\ts\n"
				 "-\tupstream\ts\n"),
		.downstream = table("vendor\tname\tupstream\tsteady\tdiffers\tsource\n"
				    "ubuntu\tpc-q35-noble\tpc-q35-8.2\tyes\tunknown\ts\n"
				    "ubuntu\tpc-wily\tpc-2.3\tno\ta mix\ts\n"
				    "ubuntu\tpc-q35-[0-9]*\t=\tyes\tunknown\ts\n"
				    "debian\tpc-q35-[0-9]*\t=\tyes\tnone\ts\n"
				    "upstream\tpc-q35-[0-9]*\t=\tyes\tnone\ts\n"),
	};
	static const char ubuntu[] = "Debian 1:8.2.2+ds-0ubuntu1.16|Debian 1:9.2.1+ds-1ubuntu5";

	g_assert_null(qemu_vendor(&tables, "somebody's"));
	g_assert_null(qemu_vendor(&tables, NULL));
	g_assert_cmpstr(qemu_vendor(&tables, ""), ==, "upstream");
	check_same(&tables, "pc-q35-8.2", "Debian 12|Debian 13", "8.2.0|9.0.0", 1, NULL);
	check_same(&tables, "pc-q35-8.2", "Debian 12|", "8.2.0|9.0.0", 1, NULL);
	check_same(&tables, "pc-q35-8.2", "Debian 12|0ubuntu1", "8.2.0|9.0.0", -1, NULL);
	check_same(&tables, "pc-q35-8.2", "somebody's|0ubuntu1", "8.2.0|9.0.0", 1, NULL);
	check_same(&tables, "pc-q35-noble", ubuntu, "8.2.2|9.2.1", 1, NULL);
	check_same(&tables, "pc-q35-noble", "Debian 12|0ubuntu1", "8.2.2|9.2.1", -1, NULL);
	check_same(&tables, "pc-wily", ubuntu, "2.3.0|2.5.0", 0, "a mix");
	check_same(&tables, "pc-wily", ubuntu, "2.3.0|2.3.1", 1, NULL);
	check_same(&tables, "pc-wily", "Debian 12|0ubuntu1", "2.3.0|2.3.1", 0, "a mix");
	check_same(NULL, "pc-wily", ubuntu, "2.3.0|2.5.0", 1, NULL);
	table_free(tables.vendors);
	table_free(tables.downstream);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tables/join", test_join);
	g_test_add_func("/tables/properties", test_properties);
	g_test_add_func("/tables/machines", test_machines);
	return g_test_run();
}
