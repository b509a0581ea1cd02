/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-assume.c: a capability given to a profile, or taken: in every scope that knows it, and
 * nowhere else.
 */
#include "config.h"

#include <string.h>

#include "model/assume.h"
#include "model/profile.h"

static const char profile[] =
	"{'format':'capbroker.profile/1','host':{'name':'h','arch':'x86_64'},"
	"'probe':{'sources':[{'name':'a','state':'ok','complete':true,'view':'kvm'},"
	"{'name':'b','state':'ok','complete':false,'view':'raw'},"
	"{'name':'c','state':'ok','complete':true}]},"
	"'facts':[{'id':'cpu.avx','value':true,'state':'known','scope':{'view':'kernel'},'origin':'t'},"
	"{'id':'cpu.avx','value':null,'state':'unreadable','scope':{'view':'libvirt'},'origin':'t'},"
	"{'id':'cpu.aes','value':false,'state':'known','scope':{'view':'raw'},'origin':'t'}],"
	"'devices':[{'address':'0','facts':[{'id':'cpu.avx','value':true,'state':'known',"
	"'scope':{'view':'raw'},'origin':'t'}]}],"
	"'emulators':[{'path':'/q','accel':'kvm','machine':'none','complete':true,"
	"'facts':[{'id':'cpu.avx','value':false},{'id':'cpu.odd','value':true}],"
	"'cpu_models':[{'name':'M','usable':false,'missing':['avx']},"
	"{'name':'N','usable':false,'missing':['avx','aes']},"
	"{'name':'O','usable':true,'missing':[]}]},"
	"{'path':'/q','accel':'tcg','machine':'none','complete':true,'facts':[]},"
	"{'path':'/q','accel':'xen','machine':'none','facts':[]},"
	"{'path':'/q','view':'libvirt','accel':'kvm','machine':'none','facts':[],"
	"'cpu_models':[{'name':'O','usable':true}]}]}";
static const char models_text[] =
	"name\tvendor\tcanonical\tfirst_libvirt\tsignatures\tdecode\tadded\tremoved\tfeatures\tsource\n"
	"O\t-\tO\t9.0.0\t-\t-\t-\t-\tavx fpu\ttest\n";

static json_t *parse(void)
{
	g_autofree char *text = g_strdup(profile);
	json_t *doc;

	g_strdelimit(text, "'", '"');
	doc = json_loads(text, 0, NULL);
	g_assert_nonnull(doc);
	return doc;
}

/* "kernel=1 libvirt=? devices=0 /q kvm=1 …": what the profile says of an id, in every scope. */
static char *told(const json_t *doc, const char *id)
{
	static const char *const parts[] = { "facts", "devices", "emulators" };
	GString *text = g_string_new(NULL);

	for (size_t p = 0; p < G_N_ELEMENTS(parts); p++) {
		const json_t *members = json_object_get(doc, parts[p]), *member, *fact;
		size_t i, k;

		json_array_foreach (members, i, member) {
			json_t *one = p ? json_incref(json_object_get(member, "facts")) : json_pack("[O]", member);
			const char *accel = json_string_value(json_object_get(member, "accel"));

			json_array_foreach (one, k, fact) {
				const json_t *value = json_object_get(fact, "value");
				const json_t *scope = json_object_get(fact, "scope");
				const char *view = json_string_value(json_object_get(scope, "view"));

				if (!strcmp(json_string_value(json_object_get(fact, "id")), id))
					g_string_append_printf(text, "%s=%s ",
							       p == 1 ? "device" : accel ? accel : view,
							       json_is_boolean(value) ?
								       json_is_true(value) ? "1" : "0" :
								       "?");
			}
			json_decref(one);
		}
	}
	g_strchomp(text->str);
	return g_string_free(text, FALSE);
}

static char *model_told(const json_t *doc, size_t emulator, size_t i)
{
	const json_t *entry = json_array_get(json_object_get(doc, "emulators"), emulator);
	const json_t *model = json_array_get(json_object_get(entry, "cpu_models"), i);
	const json_t *missing = json_object_get(model, "missing"), *name;
	GString *text = g_string_new(json_is_true(json_object_get(model, "usable")) ? "usable" : "not");
	size_t k;

	json_array_foreach (missing, k, name)
		g_string_append_printf(text, " %s", json_string_value(name));
	return g_string_free(text, FALSE);
}

static void check(const char *id, bool have, const char *wanted, const char *const *wanted_models)
{
	static const struct {
		size_t emulator, model;
	} places[] = { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 3, 0 } };
	g_autoptr(CpuModels) models = cpu_models_parse(models_text, strlen(models_text), NULL);
	g_autoptr(Universe) universe = universe_new();
	g_autoptr(Profile) parsed = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	json_t *before = parse(), *doc = parse();
	json_t *changed = assume_in_profile(doc, id, have, models);

	text = told(changed, id);
	g_assert_cmpstr(text, ==, wanted);
	for (size_t i = 0; wanted_models && i < G_N_ELEMENTS(places); i++) {
		g_autofree char *one = model_told(changed, places[i].emulator, places[i].model);

		g_assert_cmpstr(one, ==, wanted_models[i]);
	}
	g_assert_true(json_equal(doc, before));
	parsed = profile_parse(changed, universe, &error);
	g_assert_no_error(error);
	json_decref(before);
	json_decref(doc);
	json_decref(changed);
}

static void test_given(void)
{
	static const char *const models[] = { "usable", "not aes", "usable", "usable" };

	/* not where it couldn't be read, nor in lists that aren't complete */
	check("cpu.avx", true, "kernel=1 libvirt=? kvm=1 device=1 kvm=1 tcg=1", models);
	check("cpu.aes", true, "raw=1 kvm=1 kvm=1 tcg=1", NULL);
	check("cpu.odd", true, "kvm=1 kvm=1 tcg=1", NULL);
	/* a list of CPU features says nothing of other things */
	check("kvm.nested", true, "", NULL);
}

static void test_taken(void)
{
	static const char *const models[] = { "not avx", "not avx aes", "not avx", "not" };

	check("cpu.avx", false, "kernel=0 libvirt=? device=0 kvm=0", models);
	check("cpu.aes", false, "raw=0", NULL);
	check("cpu.odd", false, "kvm=0", NULL);
}

static void test_names(void)
{
	static const struct {
		const char *name, *id;
	} names[] = {
		{ "avx", "cpu.avx" },	     { "cpu.avx", "cpu.avx" },	  { "sse4.1", "cpu.sse4.1" },
		{ "rdctl-no", "msr.arch-cap.rdctl-no" }, { "odd", "cpu.odd" }, { "cpu.odd", "cpu.odd" },
		{ "cpu.phys-bits", NULL },   { "nonsense", NULL },	  { "", NULL },
	};
	g_autoptr(Universe) universe = universe_new();
	json_t *doc = parse();
	g_autoptr(Profile) parsed = profile_parse(doc, universe, NULL);

	g_assert_nonnull(parsed);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *id = assume_find(universe, names[i].name, &error);

		g_assert_cmpstr(id, ==, names[i].id);
		g_assert_true((id == NULL) == (error != NULL));
	}
	json_decref(doc);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/assume/given", test_given);
	g_test_add_func("/assume/taken", test_taken);
	g_test_add_func("/assume/names", test_names);
	return g_test_run();
}
