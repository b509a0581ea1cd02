/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-properties.c: what must hold for any fleet, tried on 10,000 random ones.
 *
 * Hosts are random: a named model more or less some features, seen through QEMU under KVM with
 * some machine types, or through libvirt's host CPU alone. The seed is GLib's (--seed).
 */
#include "config.h"

#include <string.h>

#include "judge/cpu-need.h"
#include "plan/baseline.h"
#include "read/read.h"

#define POOL 300
/* Fewer under valgrind, where each takes fifty times as long. */
#define FLEETS (g_getenv("CAPBROKER_WRAPPERS") ? 200 : 10000)

static struct cpu_models *models;
static struct universe *universe;
static struct judge judge;
static struct profile *pool[POOL];
static char classes[POOL][65];
static bool bare[POOL];

static const char *const machine_names[] = {
	"pc-q35-10.0", "pc-q35-9.2", "pc-q35-7.2", "pc-i440fx-7.2", "pc-q35-5.2",
};

static void add_features(json_t *facts, const struct named_model *m, const struct scope *scope)
{
	for (size_t i = 0; i < m->n_features; i++) {
		g_autofree char *id = feature_id(NS_LIBVIRT, m->features[i]);

		if (g_test_rand_int_range(0, 30))
			document_fact(facts, id, json_true(), scope, "random");
	}
	if (!g_test_rand_int_range(0, 3))
		document_fact(facts, "msr.arch-cap.rsba", json_true(), scope, "random");
	if (!g_test_rand_int_range(0, 4))
		document_fact(facts, "cpu.some-future-thing", json_true(), scope, "random");
	if (m->vendor)
		document_fact(facts, "cpu.vendor", json_string(m->vendor), scope, "random");
}

static json_t *random_host(bool is_bare, const char *name)
{
	const struct scope host = { .view = VIEW_LIBVIRT, .migratable = -1 };
	const struct scope qemu = { .view = VIEW_QEMU, .emulator = "/usr/bin/qemu-system-x86_64",
				    .accel = "kvm", .machine = "none", .migratable = 1 };
	const struct named_model *m =
		cpu_models_at(models, (size_t)g_test_rand_int_range(0, (int)cpu_models_count(models)));
	json_t *doc = document_new(name, NULL, "x86_64"), *e, *machines;

	if (is_bare) {
		add_features(json_object_get(doc, "facts"), m, &host);
		document_source(doc, "cpu", "ok", true, VIEW_LIBVIRT, NULL, -1);
		return doc;
	}
	e = document_emulator(doc, &qemu, "10.0.0");
	json_object_set_new(e, "complete", json_true());
	add_features(json_object_get(e, "facts"), m, NULL);
	machines = json_array();
	for (size_t i = 0; i < G_N_ELEMENTS(machine_names); i++)
		if (g_test_rand_int_range(0, 5))
			json_array_append_new(machines, json_pack("{s:s}", "name", machine_names[i]));
	json_object_set_new(e, "machines", machines);
	return doc;
}

static void make_pool(void)
{
	for (int i = 0; i < POOL; i++) {
		g_autoptr(GError) error = NULL;
		char name[32];
		json_t *doc;

		g_snprintf(name, sizeof(name), "h%d", i);
		bare[i] = i % 2;
		doc = random_host(bare[i], name);
		pool[i] = profile_parse(doc, universe, &error);
		g_assert_no_error(error);
		profile_class(pool[i], classes[i]);
		json_decref(doc);
	}
}

/* A fleet of some hosts of the pool; @all_bare: only one kind, so that one view is common. */
static struct fleet *fleet_of(const int *members, int n, bool backwards)
{
	struct fleet *fleet = fleet_new();

	for (int k = 0; k < n; k++) {
		int i = members[backwards ? n - 1 - k : k];
		char name[32];

		g_snprintf(name, sizeof(name), "h%d", i);
		fleet_add(fleet, name, pool[i], classes[i]);
	}
	fleet_settle(fleet);
	return fleet;
}

static GPtrArray *baselines(const struct fleet *fleet)
{
	const struct baseline_options options = { .all_features = true };

	return baseline_groups(&judge, fleet->hosts, &options);
}

static struct cpu_def *definition_of(const struct baseline *b)
{
	g_autofree char *text = baseline_libvirt(b);
	struct xml_document *xml = xml_parse(text, strlen(text), "baseline", NULL);
	struct cpu_def *def = cpu_def_parse(xml_root(xml), NULL);

	xml_free(xml);
	return def;
}

/* The baseline as a definition fits every member, in the view that was met. */
static void check_fits(const struct baseline *b)
{
	g_autoptr(CpuDef) def = definition_of(b);
	struct cpu_need *need = cpu_need_new(def, NULL, models, universe);

	for (guint i = 0; i < b->hosts->len; i++) {
		const struct host *h = g_ptr_array_index(b->hosts, i);
		struct cpu_comparison c;

		cpu_compare(need, g_ptr_array_index(h->profile->offers, 0), universe, &c);
		if (c.relation != CPU_IDENTICAL && c.relation != CPU_SUPERSET)
			g_error("%s: %s: %s", h->name, cpu_relation_name(c.relation), def->model);
		cpu_comparison_clear(&c);
	}
	cpu_need_free(need);
}

static void check_equal(const struct baseline *a, const struct baseline *b)
{
	g_assert_cmpuint(a->features->len, ==, b->features->len);
	for (guint i = 0; i < a->features->len; i++)
		g_assert_cmpstr(a->features->pdata[i], ==, b->features->pdata[i]);
	g_assert_cmpuint(a->machines->len, ==, b->machines->len);
	for (guint i = 0; i < a->machines->len; i++)
		g_assert_cmpstr(a->machines->pdata[i], ==, b->machines->pdata[i]);
	g_assert_cmpstr(a->cpu.model, ==, b->cpu.model);
	g_assert_true(json_equal(a->capabilities, b->capabilities));
	g_assert_cmpuint(a->lost->len, ==, b->lost->len);
	g_assert_cmpuint(a->not_expressible->len, ==, b->not_expressible->len);
}

static int random_members(int *members, int kind)
{
	int n = g_test_rand_int_range(1, 9), k = 0;

	while (k < n) {
		int i = g_test_rand_int_range(0, POOL);

		if (bare[i] == (kind != 0))
			members[k++] = i;
	}
	return n;
}

static void test_fleets(void)
{
	for (int f = 0; f < FLEETS; f++) {
		int members[8], n = random_members(members, f % 2);
		struct fleet *one = fleet_of(members, n, false), *other = fleet_of(members, n, true);
		g_autoptr(GPtrArray) a = baselines(one), b = baselines(other);

		g_assert_cmpuint(a->len, ==, b->len);
		for (guint i = 0; i < a->len; i++) {
			check_fits(g_ptr_array_index(a, i));
			check_equal(g_ptr_array_index(a, i), g_ptr_array_index(b, i));
		}
		fleet_free(one);
		fleet_free(other);
	}
}

static bool has(const GPtrArray *sorted, const char *name)
{
	for (guint i = 0; i < sorted->len; i++)
		if (!strcmp(sorted->pdata[i], name))
			return true;
	return false;
}

static const struct baseline *same_group(const GPtrArray *groups, const struct baseline *as)
{
	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);

		if (!strcmp(b->arch, as->arch) && !strcmp(b->vendor, as->vendor))
			return b;
	}
	return NULL;
}

/* Meeting all at once is meeting the parts' meets; meeting twice the same changes nothing. */
static void test_parts(void)
{
	guint compared = 0;

	for (int f = 0; f < FLEETS / 10; f++) {
		int members[16], n = random_members(members, f % 2), twice[16];
		int m = random_members(members + n, f % 2);
		struct fleet *left = fleet_of(members, n, false), *right = fleet_of(members + n, m, false);
		struct fleet *both = fleet_of(members, n + m, false), *again;
		g_autoptr(GPtrArray) l = baselines(left), r = baselines(right), all = baselines(both), d = NULL;

		for (guint i = 0; i < all->len; i++) {
			const struct baseline *whole = g_ptr_array_index(all, i);
			const struct baseline *x = same_group(l, whole), *y = same_group(r, whole);

			/* a host of no vendor may join another group among other hosts */
			if (!x || !y || whole->hosts->len != x->hosts->len + y->hosts->len)
				continue;
			compared++;
			for (guint k = 0; k < x->features->len; k++)
				g_assert_true(has(whole->features, x->features->pdata[k]) ==
					      has(y->features, x->features->pdata[k]));
			for (guint k = 0; k < whole->features->len; k++)
				g_assert_true(has(x->features, whole->features->pdata[k]));
		}
		for (int k = 0; k < n; k++)
			twice[k] = twice[n + k] = members[k];
		again = fleet_of(twice, n * 2 > 16 ? n : n * 2, false);
		d = baselines(again);
		for (guint i = 0; i < l->len; i++)
			check_equal(g_ptr_array_index(l, i), g_ptr_array_index(d, i));
		fleet_free(left);
		fleet_free(right);
		fleet_free(both);
		fleet_free(again);
	}
	g_assert_cmpuint(compared, >, FLEETS / 20);
}

/* What a host gives, asked back of it, is identical; of a wider host, no worse than a superset. */
static void test_self_and_wider(void)
{
	for (int i = 0; i < POOL; i++) {
		struct fleet *fleet = fleet_of(&i, 1, false);
		g_autoptr(GPtrArray) groups = baselines(fleet);
		const struct baseline *b = g_ptr_array_index(groups, 0);
		g_autoptr(CpuDef) def = definition_of(b);
		struct cpu_need *need = cpu_need_new(def, NULL, models, universe);
		struct offer *offer = g_ptr_array_index(pool[i]->offers, 0), *wider;
		struct cpu_comparison c;

		cpu_compare(need, offer, universe, &c);
		/* what can't be expressed without its gate isn't asked back */
		g_assert_true(c.relation == CPU_IDENTICAL ||
			      (c.relation == CPU_SUPERSET && b->not_expressible->len));
		cpu_comparison_clear(&c);
		wider = offer_new(&offer->scope, true, universe);
		memcpy(wider->value, offer->value, offer->words * sizeof(uint64_t));
		for (size_t bit = 0; bit < universe_bits(universe); bit++)
			if (universe_is_cpu(universe, (int)bit))
				offer_put(wider, (int)bit,
					  bits_test(wider->value, bit) || !g_test_rand_int_range(0, 4));
		cpu_compare(need, wider, universe, &c);
		g_assert_true(c.relation == CPU_IDENTICAL || c.relation == CPU_SUPERSET);
		cpu_comparison_clear(&c);
		offer_free(wider);
		cpu_need_free(need);
		fleet_free(fleet);
	}
}

static void load_models(void)
{
	g_autofree char *path = g_build_filename(g_getenv("srcdir") ? g_getenv("srcdir") : ".", "..",
						 "schema", "data", "cpu-models.tsv", NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	gsize n;

	g_file_get_contents(path, &text, &n, &error);
	g_assert_no_error(error);
	models = cpu_models_parse(text, n, &error);
	g_assert_no_error(error);
}

int main(int argc, char **argv)
{
	int failed;

	g_test_init(&argc, &argv, NULL);
	load_models();
	universe = universe_new();
	judge = (struct judge){ .universe = universe, .models = models };
	make_pool();
	g_test_add_func("/properties/fleets", test_fleets);
	g_test_add_func("/properties/parts", test_parts);
	g_test_add_func("/properties/self-and-wider", test_self_and_wider);
	failed = g_test_run();
	for (int i = 0; i < POOL; i++)
		profile_free(pool[i]);
	universe_free(universe);
	cpu_models_free(models);
	return failed;
}
