/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-model-changes.c: what a model gained and lost since a libvirt fixed it, with the real tables:
 * whom a running guest can move to, and what a guest that starts anew needs.
 */
#include "config.h"

#include <string.h>

#include "guest/needs.h"
#include "judge/verdict.h"
#include "model/tables.h"
#include "read-fixture.h"

#define MODEL "Skylake-Client" /* lost mpx; its vmx-* were named by libvirt later */

#define NAMED_LATER                                                                               \
	"<feature policy='require' name='vmx'/><feature policy='require' name='vmx-ins-outs'/>"   \
	"<feature policy='disable' name='mpx'/>"

static struct universe *universe;
static struct cpu_models *models;
static struct tables tables;

static const struct row {
	const char *name;
	bool live;
	const char *check, *features; /* of the definition */
	const char *libvirt;          /* of the target */
	bool mpx;                     /* does the target's QEMU give it? */
	const char *finding;          /* the check that blocks, or NULL */
	const char *words;
} rows[] = {
	{ "running-silent", true, "full", "", "11.3.0", false, "cpu-missing", "mpx" },
	{ "running-silent-there", true, "full", "", "11.3.0", true, NULL, NULL },
	{ "running-off", true, "full", "<feature policy='disable' name='mpx'/>", "11.3.0", false, NULL, NULL },
	{ "running-on", true, "full", "<feature policy='require' name='mpx'/>", "11.3.0", false,
	  "cpu-missing", "mpx" },
	{ "anew", false, "partial", "", "11.3.0", false, NULL, NULL },
	{ "running-to-older", true, "full", "", "9.0.0", false, "cpu-missing", "mpx" },
	{ "anew-on-older", false, "full", "", "9.0.0", false, "cpu-missing", "mpx" },
	{ "named-later", false, "partial", NAMED_LATER, "9.0.0", true, "cpu-feature-known", "vmx-ins-outs" },
	{ "running-named-later", true, "full", NAMED_LATER, "9.0.0", false, NULL, NULL },
	{ "running-not-the-models", true, "full", "<feature policy='require' name='avx-vnni-int8'/>",
	  "9.0.0", true, "cpu-feature-known", "avx-vnni-int8" },
};

static void add_fact(json_t *facts, const char *feature)
{
	g_autofree char *id = feature_id(NS_LIBVIRT, feature);

	json_array_append_new(facts, json_pack("{s:s, s:b}", "id", id, "value", 1));
}

/* A host whose QEMU gives all of the model, and more. */
static struct profile *host_of(const struct row *row)
{
	static const char *const more[] = { "vmx", "vmx-ins-outs", "avx-vnni-int8", "hypervisor" };
	const struct named_model *model = cpu_models_find(models, MODEL);
	json_t *facts = json_array(), *doc;
	g_autoptr(GError) error = NULL;
	struct profile *profile;

	for (size_t i = 0; i < model->n_features; i++)
		add_fact(facts, model->features[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(more); i++)
		add_fact(facts, more[i]);
	if (row->mpx)
		add_fact(facts, "mpx");
	doc = json_pack("{s:s, s:{s:s, s:s}, s:[{s:s, s:s, s:s, s:{s:s}, s:s}],"
			" s:[{s:s, s:s, s:s, s:s, s:b, s:[{s:s, s:i}], s:o}]}",
			"format", "capbroker.profile/1", "host", "name", "h", "arch", "x86_64", "facts", "id",
			"libvirt.version", "value", row->libvirt, "state", "known", "scope", "view", "libvirt",
			"origin", "t", "emulators", "path", "/usr/bin/qemu-system-x86_64", "version", "7.2.22",
			"accel", "kvm", "machine", "none", "complete", 1, "machines", "name", "pc-q35-7.2",
			"cpu_max", 288, "facts", facts);
	profile = profile_parse(doc, universe, &error);
	json_decref(doc);
	g_assert_no_error(error);
	return profile;
}

static void test_row(gconstpointer data)
{
	const struct row *row = data;
	g_autofree char *text = g_strdup_printf(
		"<domain type='kvm'%s><name>g</name><memory>1048576</memory><vcpu>1</vcpu><os>"
		"<type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
		"<cpu mode='custom' match='exact' check='%s'><model>" MODEL "</model>"
		"<feature policy='require' name='hypervisor'/>%s</cpu>"
		"</domain>", row->live ? " id='1'" : "", row->check, row->features);
	g_autoptr(XmlDocument) xml = fixture_xml(text);
	g_autoptr(GError) error = NULL;
	g_autoptr(Needs) needs = needs_from_xml(xml, &error);
	g_autoptr(Profile) host = host_of(row);
	const struct judge judge = { .universe = universe, .models = models, .tables = &tables };
	const char *blocks = NULL;
	struct cpu_need *need;
	struct verdicts *v;

	g_assert_no_error(error);
	need = cpu_need_new(needs->cpu, needs->arch, models, universe);
	v = judge_guest(&judge, needs, need, NULL, host);
	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);

		g_test_message("%s %s: %s", verdict_name(f->verdict), f->check, f->text);
		if (f->verdict < V_BLOCK || !(f->on & ON_MIGRATE) || blocks)
			continue;
		blocks = f->check;
		g_assert_true(!row->words || strstr(f->text, row->words));
	}
	g_assert_cmpstr(blocks, ==, row->finding);
	verdicts_free(v);
	cpu_need_free(need);
}

static struct table *load(const char *name)
{
	g_autofree char *path = g_build_filename(g_getenv("top_srcdir") ? g_getenv("top_srcdir") : "..",
						 "schema", "data", name, NULL);
	g_autoptr(GError) error = NULL;
	size_t length;
	g_autofree char *bytes = fixture_bytes(path, &length);
	struct table *table = table_parse(bytes, length, name, &error);

	g_assert_no_error(error);
	return table;
}

int main(int argc, char **argv)
{
	int failed;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	universe = universe_new();
	models = fixture_models();
	tables.libvirt_names = load("libvirt-names.tsv");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/model-changes/%s", rows[i].name);

		g_test_add_data_func(path, &rows[i], test_row);
	}
	failed = g_test_run();
	table_free(tables.libvirt_names);
	cpu_models_free(models);
	universe_free(universe);
	return failed;
}
