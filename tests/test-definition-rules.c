/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-definition-rules.c: the rules of schema/data/definition-rules-ROOM.tsv, each fired by a small
 * definition on the hosts it is for and on no other, and not by the definition's neighbour.
 *
 * Cases stand in tests/definition-cases/ROOM.txt, blocks apart by empty lines:
 *
 *	RULE: HOST HOST…          hosts that it fires on
 *	<os>…</os><devices>…      what fires it: parts of a <domain>, what is missing is filled in
 *	---
 *	<os>…</os>                its neighbour, which doesn't
 *
 * They may be all in a <domain type='kvm'>; without it, the guest is emulated.
 *
 * A HOST is "12", "13" or "sid", the recorded lab hosts (all three are asked in every case), or
 * the name of a profile in tests/definition-cases/hosts/. "HOST?" fires there, but isn't sure for
 * want of a fact. RULE may also be the id of a fact, which a finding then needs. "RULE@HOST" is a migration from that host. Rules that no case fires are listed,
 * and fail the test where their table has a file of cases.
 */
#include "config.h"

#include <string.h>

#include "guest/needs.h"
#include "judge/rulebook.h"
#include "judge/verdict.h"
#include "read-fixture.h"

#define KVM "<domain type='kvm'>"

static const char *const lab_hosts[] = { "12", "13", "sid" };

static struct universe *universe;
static struct cpu_models *models;
static struct rulebook *rules;
static GPtrArray *tables; /* struct table: what the rules stand in */
static GHashTable *profiles; /* name → struct profile */
static GHashTable *cased;    /* names of rules that a case fires */

static char *source_path(const char *folder, const char *name)
{
	const char *top = g_getenv("top_srcdir");

	return g_build_filename(top ? top : "..", folder, name, NULL);
}

static const struct profile *host_of(const char *name)
{
	static const char *const folders[] = { "lab-debian12", "lab-debian13", "lab-sid" };
	struct profile *profile = g_hash_table_lookup(profiles, name);
	g_autofree char *path = NULL, *bytes = NULL;
	g_autoptr(GError) error = NULL;
	size_t length;

	if (profile)
		return profile;
	for (size_t i = 0; i < G_N_ELEMENTS(lab_hosts); i++)
		if (!strcmp(lab_hosts[i], name)) {
			g_autofree char *folder = g_build_filename("tests/hosts", folders[i], NULL);

			path = source_path(folder, "profile.json");
		}
	if (!path) {
		g_autofree char *file = g_strconcat(name, ".json", NULL);

		path = source_path("tests/definition-cases/hosts", file);
	}
	bytes = fixture_bytes(path, &length);
	profile = profile_parse_bytes(bytes, length, universe, &error);
	g_assert_no_error(error);
	g_hash_table_insert(profiles, g_strdup(name), profile);
	return profile;
}

/* A whole definition of parts of one. */
static struct needs *guest_of(const char *parts)
{
	static const char *const defaults[][2] = {
		{ "name", "<name>g</name>" },
		{ "memory", "<memory unit='MiB'>64</memory>" },
		{ "vcpu", "<vcpu>1</vcpu>" },
		{ "os", "<os><type machine='q35'>hvm</type></os>" },
		{ "features", "<features><acpi/><apic/></features>" },
	};
	const char *kvm = strstr(parts, KVM), *type = kvm ? KVM : "<domain type='qemu'>";
	const char *inside = kvm ? kvm + strlen(KVM) : parts, *end = kvm ? "" : "</domain>";
	g_autofree char *wrapped = g_strconcat(type, inside, end, NULL);
	g_autoptr(XmlDocument) xml = fixture_xml(wrapped), definition = NULL;
	GString *text = g_string_new(type);
	g_autoptr(GError) error = NULL;
	struct needs *needs;

	for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++)
		if (!xml_child(xml_root(xml), defaults[i][0]))
			g_string_append(text, defaults[i][1]);
	g_string_append_printf(text, "%s%s", inside, end);
	definition = fixture_xml(text->str);
	needs = needs_from_xml(definition, &error);
	g_assert_no_error(error);
	g_string_free(text, TRUE);
	return needs;
}

/* The verdict of a rule; V_OK where an id of facts is asked for instead. */
static enum verdict verdict_of(const char *rule)
{
	for (guint i = 0; i < rulebook_size(rules); i++)
		if (!strcmp(rulebook_at(rules, i)->name, rule))
			return rulebook_at(rules, i)->verdict;
	return V_OK;
}

/* Is it unknown where it would be otherwise, or may not even hold? */
static bool unsure(const struct finding *f, enum verdict verdict)
{
	return (f->verdict == V_UNKNOWN && verdict != V_UNKNOWN) ||
	       strstr(f->text, "known (") || strstr(f->text, "not known of");
}

/* 1: the rule made a finding with its own verdict; -1: with unknown instead; 0: none. */
static int fires(const char *rule, const char *parts, const char *source, const char *host)
{
	struct judge judge = { .universe = universe, .models = models, .rules = rules };
	g_autoptr(Needs) needs = guest_of(parts);
	struct cpu_need *cpu = needs->cpu ? cpu_need_new(needs->cpu, needs->arch, models, universe) : NULL;
	struct verdicts *v = judge_guest(&judge, needs, cpu, source ? host_of(source) : NULL, host_of(host));
	enum verdict verdict = verdict_of(rule);
	int found = 0;

	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);
		const json_t *item;
		size_t k;

		json_array_foreach (f->need, k, item)
			if (!strcmp(json_string_value(json_object_get(item, "id")), rule))
				found = unsure(f, verdict) ? -1 : 1;
	}
	verdicts_free(v);
	cpu_need_free(cpu);
	return found;
}

/* What is expected on a host: 1, -1 or 0. */
static int expected(char *const *hosts, const char *host)
{
	g_autofree char *unsure = g_strconcat(host, "?", NULL);

	return g_strv_contains((const char *const *)hosts, host)	  ? 1 :
	       g_strv_contains((const char *const *)hosts, unsure) ? -1 :
								       0;
}

static void try_host(const char *rule, const char *source, char *const *hosts, const char *host,
		     const char *fire, const char *near)
{
	int is = fires(rule, fire, source, host), near_is = fires(rule, near, source, host);

	if (is != expected(hosts, host)) {
		g_test_message("%s on %s: %d, expected %d: %s", rule, host, is, expected(hosts, host), fire);
		g_test_fail();
	}
	if (near_is) {
		g_test_message("%s on %s: its neighbour fires it: %s", rule, host, near);
		g_test_fail();
	}
}

static void try_block(const char *block)
{
	g_auto(GStrv) lines = g_strsplit(block, "\n", 2);
	g_auto(GStrv) head = g_strsplit(lines[0], ": ", 2);
	g_auto(GStrv) names = g_strsplit(head[0], "@", 2);
	g_auto(GStrv) hosts = g_strsplit(head[1], " ", -1);
	g_auto(GStrv) parts = g_strsplit(lines[1], "---", 2);

	g_assert_nonnull(parts[1]);
	g_hash_table_add(cased, g_strdup(names[0]));
	for (size_t i = 0; i < G_N_ELEMENTS(lab_hosts); i++)
		try_host(names[0], names[1], hosts, lab_hosts[i], parts[0], parts[1]);
	for (guint i = 0; hosts[i]; i++) {
		g_autofree char *name = g_strndup(hosts[i], strcspn(hosts[i], "?"));
		bool lab = false;

		for (size_t k = 0; k < G_N_ELEMENTS(lab_hosts); k++)
			lab |= !strcmp(lab_hosts[k], name);
		if (!lab)
			try_host(names[0], names[1], hosts, name, parts[0], parts[1]);
	}
}

static void test_cases(gconstpointer data)
{
	size_t length;
	g_autofree char *text = fixture_bytes(data, &length);
	g_auto(GStrv) blocks = g_strsplit(text, "\n\n", -1);

	for (guint i = 0; blocks[i]; i++)
		if (*g_strstrip(blocks[i]) && *blocks[i] != '#')
			try_block(blocks[i]);
}

/* Is the rule of a table that has a file of cases? */
static void test_all_cased(void)
{
	guint untested = 0;

	for (guint i = 0; i < rulebook_size(rules); i++) {
		const char *name = rulebook_at(rules, i)->name;

		if (g_hash_table_contains(cased, name))
			continue;
		g_test_message("no case fires %s", name);
		untested++;
	}
	if (untested)
		g_test_fail();
}

static void load_rules(void)
{
	g_autofree char *folder = source_path("schema", "data");
	g_autoptr(GPtrArray) files = fixture_files(folder, ".tsv");
	g_autoptr(GError) error = NULL;

	tables = g_ptr_array_new_with_free_func((GDestroyNotify)table_free);
	for (guint i = 0; i < files->len; i++) {
		const char *path = g_ptr_array_index(files, i);
		g_autofree char *name = g_path_get_basename(path), *cases = NULL, *bytes = NULL;
		g_autofree char *room = NULL;
		size_t length;

		if (!g_str_has_prefix(name, "definition-rules-"))
			continue;
		room = g_strndup(name + 17, strlen(name) - 17 - 4);
		g_free(name);
		name = g_strconcat(room, ".txt", NULL);
		cases = source_path("tests/definition-cases", name);
		if (!g_file_test(cases, G_FILE_TEST_EXISTS))
			continue; /* nobody wrote cases for that room */
		bytes = fixture_bytes(path, &length);
		g_ptr_array_add(tables, table_parse(bytes, length, path, &error));
		g_assert_no_error(error);
	}
	rules = rulebook_new((struct table *const *)tables->pdata, tables->len, &error);
	g_assert_no_error(error);
}

int main(int argc, char **argv)
{
	g_autofree char *folder = source_path("tests", "definition-cases");
	g_autoptr(GPtrArray) files = NULL;
	int failed;

	g_test_init(&argc, &argv, NULL);
	universe = universe_new();
	models = fixture_models();
	profiles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)profile_free);
	cased = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	load_rules();
	files = fixture_files(folder, ".txt");
	for (guint i = 0; i < files->len; i++) {
		const char *path = g_ptr_array_index(files, i);
		g_autofree char *base = g_path_get_basename(path);
		g_autofree char *name = g_strconcat("/definition-rules/", base, NULL);

		g_test_add_data_func(name, path, test_cases);
	}
	g_test_add_func("/definition-rules/all-cased", test_all_cased);
	failed = g_test_run();
	rulebook_free(rules);
	g_ptr_array_unref(tables);
	g_hash_table_unref(cased);
	g_hash_table_unref(profiles);
	cpu_models_free(models);
	universe_free(universe);
	return failed;
}
