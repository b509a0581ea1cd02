/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-oracle.c: set arithmetic against what libvirt really answered: comparisons, baselines and
 * named models of ../shared/data, row by row. Skips where the data isn't there.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/cpu-need.h"
#include "judge/verdict.h"
#include "plan/baseline.h"
#include "read/read.h"

static const char *data_dir, *table_dir;
static struct cpu_models *models;
static struct tables *tables;
static GHashTable *difference_names; /* "where/feature" → reason */

static char *slurp(const char *dir, const char *name, gsize *length)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	char *text = NULL;

	return g_file_get_contents(path, &text, length, NULL) ? text : NULL;
}

/* The host of one recorded file in a fleet of its own making. */
struct machine_host {
	struct profile *profile;
	struct cpu_def *def;
	struct xml_document *xml;
	struct cpu_need *need;
	char class[65];
};

static struct universe *universe;
static GHashTable *machines; /* "machine-kind" → struct machine_host */

static struct profile *profile_of(json_t *doc)
{
	g_autoptr(GError) error = NULL;
	struct profile *p = profile_parse(doc, universe, &error);

	if (!p)
		g_error("%s", error->message);
	json_decref(doc);
	return p;
}

static struct machine_host *load_xml(const char *key, const char *file)
{
	struct machine_host *m = g_hash_table_lookup(machines, key);
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	json_t *doc;
	gsize n;

	if (m)
		return m;
	bytes = slurp(data_dir, file, &n);
	if (!bytes)
		g_error("%s: cannot be read", file);
	m = g_new0(struct machine_host, 1);
	m->xml = xml_parse(bytes, n, file, &error);
	doc = document_new(key, NULL, NULL);
	if (!m->xml || !read_bare_cpu(doc, m->xml, models, &error))
		g_error("%s: %s", file, error->message);
	m->def = cpu_def_parse(xml_root(m->xml), &error);
	m->profile = profile_of(doc);
	g_hash_table_insert(machines, g_strdup(key), m);
	return m;
}

static struct machine_host *load(const char *machine, const char *kind)
{
	g_autofree char *key = g_strconcat(machine, "-", kind, NULL);
	g_autofree char *file = g_strdup_printf("libvirt-cputestdata/x86_64-cpuid-%s-%s.xml", machine, kind);

	return load_xml(key, file);
}

/* A recorded host as one that runs libvirt 9.0.0. */
static const struct profile *old_libvirt(const char *machine)
{
	const struct scope scope = { .view = VIEW_LIBVIRT, .migratable = -1 };
	g_autofree char *key = g_strconcat("libvirt 9.0.0 ", machine, NULL);
	struct machine_host *m = g_hash_table_lookup(machines, key);
	json_t *doc;

	if (m)
		return m->profile;
	m = g_new0(struct machine_host, 1);
	doc = json_deep_copy(load(machine, "host")->profile->doc);
	document_fact(json_object_get(doc, "facts"), "libvirt.version", json_string("9.0.0"), &scope, "test");
	m->profile = profile_of(doc);
	g_hash_table_insert(machines, g_strdup(key), m);
	return m->profile;
}

static struct machine_host *load_instlat(const char *machine)
{
	struct machine_host *m = g_hash_table_lookup(machines, machine);
	const struct scope raw = { .view = VIEW_RAW, .migratable = -1 };
	g_autofree char *file = g_strdup_printf("cpuid-instlatx64/%s.txt", machine);
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) rows = NULL;
	json_t *doc;
	gsize n;

	if (m)
		return m;
	bytes = slurp(data_dir, file, &n);
	rows = bytes ? read_cpuid_lines(bytes, n, file, &error) : NULL;
	if (!rows)
		g_error("%s: %s", file, error ? error->message : "cannot be read");
	doc = document_new(machine, NULL, "x86_64");
	read_cpuid(doc, (struct cpuid_row *)rows->data, rows->len, true, &raw, file);
	document_source(doc, "cpuid", "ok", true, VIEW_RAW, NULL, -1);
	m = g_new0(struct machine_host, 1);
	m->profile = profile_of(doc);
	g_hash_table_insert(machines, g_strdup(machine), m);
	return m;
}

/* Set differences on purpose are those the data file names for that question; nothing else. */
static bool on_purpose(const char *where, const char *feature)
{
	g_autofree char *key = g_strconcat(where, "/", feature, NULL);

	return g_hash_table_contains(difference_names, key);
}

/* Says whether two sorted sets are equal, but for differences on purpose. */
static bool same_set(const GPtrArray *ours, const json_t *theirs, const char *where, GString *why)
{
	g_autoptr(GHashTable) set = g_hash_table_new(g_str_hash, g_str_equal);
	const json_t *member;
	bool same = true;
	size_t i;

	for (guint k = 0; k < ours->len; k++)
		g_hash_table_add(set, ours->pdata[k]);
	json_array_foreach (theirs, i, member) {
		const char *name = json_string_value(member);

		if (g_str_has_prefix(name, "disable:") || g_hash_table_remove(set, name) ||
		    on_purpose(where, name))
			continue;
		g_string_append_printf(why, " -%s", name);
		same = false;
	}
	for (guint k = 0; k < ours->len; k++) {
		if (!g_hash_table_contains(set, ours->pdata[k]) || on_purpose(where, ours->pdata[k]))
			continue;
		g_string_append_printf(why, " +%s", (char *)ours->pdata[k]);
		same = false;
	}
	return same;
}

static void need_of(struct machine_host *m)
{
	if (!m->need)
		m->need = cpu_need_new(m->def, NULL, models, universe);
}

static GPtrArray *names_of(const GArray *places)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < places->len; i++)
		g_ptr_array_add(names, (void *)universe_feature_name(universe, g_array_index(places, int, i)));
	return names;
}

static const struct offer *only_offer(const struct machine_host *m)
{
	return g_ptr_array_index(m->profile->offers, 0);
}

static bool compare_pair(const struct machine_host *host, struct machine_host *cpu, const json_t *row,
			 GString *why)
{
	const char *expected = json_string_value(json_object_get(row, "result"));
	const json_t *missing = json_object_get(row, "missing");
	struct cpu_comparison c;
	g_autoptr(GPtrArray) names = NULL;
	bool ok;

	need_of(cpu);
	cpu_compare(cpu->need, only_offer(host), universe, &c);
	names = names_of(c.missing);
	ok = !g_strcmp0(cpu_relation_name(c.relation), expected);
	if (!ok)
		g_string_append_printf(why, " %s instead of %s", cpu_relation_name(c.relation), expected);
	if (missing)
		ok = same_set(names, missing, "compare", why) && ok;
	cpu_comparison_clear(&c);
	return ok;
}

typedef bool (*row_check)(const json_t *row, GString *why);

static bool row_compare(const json_t *row, GString *why)
{
	const char *kind = json_string_value(json_object_get(row, "cpu_kind"));

	return compare_pair(load(json_string_value(json_object_get(row, "host")), "host"),
			    load(json_string_value(json_object_get(row, "cpu")), kind), row, why);
}

static struct machine_host *model_cpu(const char *name)
{
	g_autofree char *key = g_strconcat("model ", name, NULL);
	struct machine_host *m = g_hash_table_lookup(machines, key);
	g_autofree char *text = NULL;

	if (m)
		return m;
	m = g_new0(struct machine_host, 1);
	text = g_strdup_printf("<cpu match='exact'><model>%s</model></cpu>", name);
	m->xml = xml_parse(text, strlen(text), name, NULL);
	m->def = cpu_def_parse(xml_root(m->xml), NULL);
	g_hash_table_insert(machines, g_strdup(key), m);
	return m;
}

static bool row_model_on_host(const json_t *row, GString *why)
{
	return compare_pair(load(json_string_value(json_object_get(row, "host")), "host"),
			    model_cpu(json_string_value(json_object_get(row, "model"))), row, why);
}

/* Model and delta of an answer, expanded by the table, as a sorted set. */
static bool expands_exactly(const struct baseline *b, GString *why)
{
	const struct named_model *model = b->cpu.model ? cpu_models_find(models, b->cpu.model) : NULL;
	g_autoptr(GHashTable) set = g_hash_table_new(g_str_hash, g_str_equal);
	bool same;

	if (b->cpu.model && model->vendor && strcmp(model->vendor, b->vendor)) {
		g_string_append_printf(why, " another vendor's model %s", model->name);
		return false;
	}
	for (size_t i = 0; model && i < model->n_features; i++)
		g_hash_table_add(set, model->features[i]);
	for (guint i = 0; i < b->cpu.delta->len; i++) {
		const struct feature_policy *p = &g_array_index(b->cpu.delta, struct feature_policy, i);

		if (p->require)
			g_hash_table_add(set, (void *)p->name);
		else
			g_hash_table_remove(set, p->name);
	}
	same = g_hash_table_size(set) == b->features->len;
	for (guint i = 0; i < b->features->len; i++)
		same &= g_hash_table_contains(set, b->features->pdata[i]);
	if (!same)
		g_string_append_printf(why, " %s + delta is another set", b->cpu.model);
	return same;
}

static bool baseline_row(const json_t *row, bool all_features, bool instlat, GString *why)
{
	const struct baseline_options options = { .all_features = all_features };
	const struct judge judge = { .universe = universe, .models = models };
	const json_t *names = json_object_get(row, "machines"), *name;
	const char *kind = json_string_value(json_object_get(row, "kind"));
	struct fleet *fleet = fleet_new();
	struct universe *own = fleet->universe;
	GPtrArray *groups;
	bool ok;
	size_t i;

	json_array_foreach (names, i, name) {
		const char *machine = json_string_value(name);
		struct machine_host *m = instlat ? load_instlat(machine) : load(machine, kind);
		g_autofree char *unique = g_strdup_printf("%s-%zu", machine, i);

		if (!*m->class)
			profile_class(m->profile, m->class);
		fleet_add(fleet, unique, m->profile, m->class);
	}
	fleet_settle(fleet);
	groups = baseline_groups(&judge, fleet->hosts, &options);
	if (json_object_get(row, "error")) {
		ok = groups->len > 1;
		if (!ok)
			g_string_append(why, " libvirt refuses it and we answer one group");
	} else {
		const struct baseline *b = g_ptr_array_index(groups, 0);

		ok = groups->len == 1 && same_set(b->features, json_object_get(row, "expanded"), "baseline", why) &&
		     expands_exactly(b, why);
		if (groups->len != 1)
			g_string_append_printf(why, " %u groups", groups->len);
	}
	g_ptr_array_unref(groups);
	fleet->universe = own;
	fleet_free(fleet);
	return ok;
}

static bool row_baseline(const json_t *row, GString *why)
{
	return baseline_row(row, !json_is_true(json_object_get(row, "migratable")), false, why);
}

static bool row_instlat(const json_t *row, GString *why)
{
	return baseline_row(row, true, true, why);
}

/*
 * The rows that libvirt 9.0.0 fails, each with hosts that run it: an answer, in one group a
 * vendor, whose setting for libvirt holds no name which that version doesn't know.
 */
static bool row_skew(const json_t *row, GString *why)
{
	const struct baseline_options options = { .all_features = true };
	const struct judge judge = { .universe = universe, .models = models, .tables = tables };
	const json_t *names = json_object_get(row, "machines"), *name;
	struct fleet *fleet = fleet_new();
	g_autoptr(GPtrArray) groups = NULL;
	bool ok = json_object_get(row, "error") != NULL;
	size_t i;

	json_array_foreach (names, i, name)
		fleet_add(fleet, json_string_value(name), old_libvirt(json_string_value(name)), NULL);
	fleet_settle(fleet);
	groups = baseline_groups(&judge, fleet->hosts, &options);
	for (guint g = 0; g < groups->len; g++) {
		const struct baseline *b = g_ptr_array_index(groups, g);
		g_autofree char *setting = baseline_libvirt(b);
		g_autoptr(XmlDocument) xml = xml_parse(setting, strlen(setting), "setting", NULL);
		g_autoptr(CpuDef) def = cpu_def_parse(xml_root(xml), NULL);

		ok = ok && b->features->len && tables_libvirt_knows(tables, "model", def->model, "9.0.0") == 1;
		for (guint k = 0; k < def->features->len; k++) {
			const struct cpu_def_feature *f = g_ptr_array_index(def->features, k);

			if (tables_libvirt_knows(tables, "feature", f->name, "9.0.0") == 1)
				continue;
			g_string_append_printf(why, " %s", f->name);
			ok = false;
		}
	}
	fleet_free(fleet);
	return ok;
}

static int run_file(int number, const char *file, row_check check)
{
	g_autofree char *text = slurp(data_dir, file, NULL);
	guint rows = 0, bad = 0;
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		json_t *row = json_loads(line, 0, NULL);
		GString *why = g_string_new(NULL);

		rows++;
		if (!check(row, why) && bad++ < 5)
			printf("# %s:%u:%s\n", file, rows, why->str);
		g_string_free(why, TRUE);
		json_decref(row);
	}
	printf("%s %d - %s: %u of %u rows as libvirt\n", rows && !bad ? "ok" : "not ok", number, file,
	       rows - bad, rows);
	return !rows || bad;
}

/* How a definition relates to a host, as `check` tells it, and the verdict that follows. */
static enum cpu_relation judge_case(const char *host, const char *cpu, enum verdict *start)
{
	const struct judge judge = { .universe = universe, .models = models, .tables = tables };
	struct machine_host *h = load_xml(host, host), *c = load_xml(cpu, cpu);
	g_autoptr(Needs) needs = needs_from_xml(c->xml, NULL);
	struct cpu_need *need = cpu_need_new(needs->cpu, NULL, models, universe);
	struct verdicts *v = judge_guest(&judge, needs, need, NULL, h->profile);
	enum cpu_relation relation = v->relation;

	*start = v->start;
	verdicts_free(v);
	cpu_need_free(need);
	return relation;
}

/*
 * What libvirt answers with an error is unknown to us; a feature that nobody knows and that is
 * optional is none to care about. A definition that libvirt updated for a host (kind
 * compare-updated) is compared as any other: it is what a running guest's migratable XML holds.
 */
static bool row_case(char *const *f, GString *why)
{
	static const enum verdict follows[] = { [CPU_IDENTICAL] = V_OK, [CPU_SUPERSET] = V_OK,
						[CPU_INCOMPATIBLE] = V_BLOCK,
						[CPU_RELATION_UNKNOWN] = V_UNKNOWN };
	g_autofree char *host = g_strdup_printf("libvirt-cputestdata/%s-%s.xml", f[0], f[1]);
	g_autofree char *cpu = g_strdup_printf("libvirt-cputestdata/%s-%s.xml", f[0], f[2]);
	const char *expected = !strcmp(f[2], "bogus-feature") ? "superset" :
			       !strcmp(f[3], "error")	      ? "unknown" :
								f[3];
	enum verdict start;
	enum cpu_relation relation = judge_case(host, cpu, &start);

	if (strcmp(cpu_relation_name(relation), expected))
		g_string_append_printf(why, " %s instead of %s", cpu_relation_name(relation), expected);
	else if (start != follows[relation])
		g_string_append_printf(why, " %s, but %s", expected, verdict_name(start));
	return !why->len;
}

/* cases/compare.tsv: every row, x86's and POWER's, of definitions as written and as updated. */
static int run_cases(int number)
{
	g_autofree char *text = slurp(data_dir, "cases/compare.tsv", NULL);
	guint rows = 0, bad = 0;
	char *save = NULL;
	char *line = text ? strtok_r(text, "\n", &save) : NULL; /* the header */

	while (line && (line = strtok_r(NULL, "\n", &save))) {
		g_auto(GStrv) f = g_strsplit(line, "\t", -1);
		GString *why = g_string_new(NULL);

		if (g_strv_length(f) != 5)
			g_error("cases/compare.tsv: a row of another length: %s", line);
		rows++;
		if (!row_case(f, why)) {
			bad++;
			printf("# %s: %s against %s:%s\n", f[0], f[2], f[1], why->str);
		}
		g_string_free(why, TRUE);
	}
	printf("%s %d - cases/compare.tsv: %u of %u rows as libvirt\n", rows && !bad ? "ok" : "not ok",
	       number, rows - bad, rows);
	return !rows || bad;
}

static struct table *load_table(const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	struct table *t;
	gsize n;

	text = slurp(table_dir, name, &n);
	t = text ? table_parse(text, n, name, &error) : NULL;
	if (!t)
		g_error("%s", error ? error->message : name);
	return t;
}

static void load_tables(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	struct table *t;
	gsize n;

	text = slurp(table_dir, "cpu-models.tsv", &n);
	models = text ? cpu_models_parse(text, n, &error) : NULL;
	if (!models)
		g_error("cpu-models.tsv: %s", error ? error->message : "cannot be read");
	if (!cpu_models_add(models, load_table("other-cpu-models.tsv"), &error))
		g_error("%s", error->message);
	tables = g_new0(struct tables, 1);
	tables->libvirt_names = load_table("libvirt-names.tsv");
	tables->differences = t = load_table("arithmetic-differences.tsv");
	difference_names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < t->rows->len; i++) {
		char *const *row = t->rows->pdata[i];

		g_hash_table_add(difference_names, g_strconcat(row[table_column(t, "where")], "/",
							       row[table_column(t, "feature")], NULL));
	}
}

static void machine_free(void *data)
{
	struct machine_host *m = data;

	cpu_need_free(m->need);
	cpu_def_free(m->def);
	xml_free(m->xml);
	profile_free(m->profile);
	g_free(m);
}

int main(void)
{
	const char *srcdir = g_getenv("srcdir");
	g_autofree char *shared = g_build_filename(srcdir ? srcdir : ".", "..", "..", "shared", "data", NULL);
	g_autofree char *table_path = g_build_filename(srcdir ? srcdir : ".", "..", "schema", "data", NULL);
	int bad = 0;

	data_dir = g_getenv("CAPBROKER_SHARED_DATA") ? g_getenv("CAPBROKER_SHARED_DATA") : shared;
	table_dir = table_path;
	if (!g_file_test(data_dir, G_FILE_TEST_IS_DIR)) {
		printf("1..0 # SKIP %s is not here\n", data_dir);
		return 0; /* in TAP, the plan above says it */
	}
	load_tables();
	universe = universe_new();
	machines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, machine_free);
	printf("1..8\n");
	bad |= run_cases(1);
	bad |= run_file(2, "oracle/compare.jsonl", row_compare);
	bad |= run_file(3, "oracle/models_on_hosts.jsonl", row_model_on_host);
	bad |= run_file(4, "oracle/baseline_pairs.jsonl", row_baseline);
	bad |= run_file(5, "oracle/baseline_subsets.jsonl", row_baseline);
	bad |= run_file(6, "oracle/baseline_subsets_json.jsonl", row_baseline);
	bad |= run_file(7, "oracle/instlat_baseline_subsets.jsonl", row_instlat);
	bad |= run_file(8, "oracle/virsh9_version_skew.jsonl", row_skew);
	tables_free(tables);
	g_hash_table_unref(machines);
	g_hash_table_unref(difference_names);
	universe_free(universe);
	cpu_models_free(models);
	return bad ? 1 : 0;
}
