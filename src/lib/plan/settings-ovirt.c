/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * settings-ovirt.c: settings as an oVirt cluster. A cluster has one of the CPU types that the engine knows
 * for its compatibility level, and the first machine type of that level's list that its hosts have. The
 * type chosen is the one that gives guests most, of those all of whose features every host can give.
 */
#include "config.h"

#include <string.h>

#include "model/power.h"
#include "plan/settings-parts.h"

enum { LEVEL, RANK, ARCH, NAME, HOST_FLAGS, MODEL, FLAGS, COLUMNS };
static const char *const columns[COLUMNS] = { "level", "rank", "arch", "name", "host_flags", "model", "flags" };

struct choice {
	char **row;
	guint gives; /* features */
};

/* oVirt has flags as Linux spells them. */
static bool has_flag(const struct setting *s, const char *flag)
{
	/* what each host that runs guests has, and doesn't give them by itself */
	static const char *const own[] = { "vmx", "svm", "powernv", "sie", NULL };
	g_autofree char *name = g_strdelimit(g_strdup(flag), "_", '-');
	bool ssbd = !strcmp(name, "ssbd");

	if (g_strv_contains(own, name))
		return true;
	for (guint i = 0; i < s->features->len; i++) {
		g_autofree char *given = g_strdelimit(g_strdup(s->features->pdata[i]), "_", '-');

		/* Linux calls AMD's ways of it so too */
		if (!strcmp(given, name) ||
		    (ssbd && (!strcmp(given, "amd-ssbd") || !strcmp(given, "virt-ssbd"))))
			return true;
	}
	return false;
}

static bool has_all(const struct setting *s, const char *flags)
{
	g_auto(GStrv) words = g_strsplit(strcmp(flags, "-") ? flags : "", " ", -1);

	for (size_t i = 0; words[i]; i++)
		if (*words[i] && *words[i] != '-' && !has_flag(s, words[i] + (*words[i] == '+')))
			return false;
	return true;
}

static bool takes_away(const char *flags, const char *feature)
{
	g_autofree char *word = g_strconcat("-", feature, NULL);
	g_auto(GStrv) words = g_strsplit(flags, " ", -1);

	return g_strv_contains((const char *const *)words, word);
}

/* Does every host give all of a type's model, as libvirt has it? Nested details come with vmx only. */
static bool gives_model(const struct setting_out *out, char *const *row, const int *at, guint *n)
{
	const struct named_model *m = cpu_models_find(out->facts->models, row[at[MODEL]]);

	*n = 0;
	if (!m || (m->vendor && strcmp(m->vendor, out->setting->vendor)))
		return false;
	for (size_t i = 0; i < m->n_features; i++) {
		const char *feature = m->features[i];

		if (g_str_has_prefix(feature, "vmx-") || takes_away(row[at[FLAGS]], feature))
			continue;
		if (!has_flag(out->setting, feature))
			return false;
		++*n;
	}
	for (const char *c = row[at[FLAGS]]; *c; c++)
		*n += *c == '+';
	return true;
}

/* POWER's types are generations, and a newer host runs an older one's guests. */
static bool gives_generation(const struct setting *s, const char *model, guint *n)
{
	json_int_t level;
	int asked = power_level(model);

	*n = asked > 0 ? (guint)asked : 0;
	return asked > 0 && setting_number(s, "ppc64.compat", &level) && asked <= level;
}

static bool fits(const struct setting_out *out, char *const *row, const int *at, guint *n)
{
	const struct setting *s = out->setting;

	if (arch_family(row[at[ARCH]]) != s->family)
		return false;
	if (s->family == ARCH_PPC64)
		return gives_generation(s, row[at[MODEL]], n);
	return has_all(s, row[at[HOST_FLAGS]]) && has_all(s, row[at[FLAGS]]) && gives_model(out, row, at, n);
}

static struct choice choose(const struct setting_out *out, const char *level, const int *at)
{
	const struct table *t = out->facts->tables->ovirt_cpus;
	struct choice best = { NULL, 0 };

	for (guint i = 0; i < t->rows->len; i++) {
		char **row = g_ptr_array_index(t->rows, i);
		guint n = 0;

		if (!strcmp(row[at[LEVEL]], level) && fits(out, row, at, &n) && (!best.row || n >= best.gives))
			best = (struct choice){ row, n };
	}
	return best;
}

/* --- levels ----------------------------------------------------------------------------------- */

struct levels {
	const struct setting *setting;
	const char *newest;  /* of all */
	const char *level, *machine; /* the newest whose list has a machine type of these hosts */
};

static void see_level(const char *name, const char *value, void *data)
{
	struct levels *l = data;
	g_auto(GStrv) list = g_strsplit(value, " ", -1);
	const GPtrArray *machines = l->setting->machines;

	if (!l->newest || version_compare(name, l->newest) > 0)
		l->newest = name;
	if (l->level && version_compare(name, l->level) < 0)
		return;
	for (size_t i = 0; list[i]; i++)
		for (guint k = 0; k < machines->len; k++)
			if (!strcmp(machines->pdata[k], list[i])) {
				l->level = name;
				l->machine = machines->pdata[k];
				return;
			}
}

static void add_cluster(struct setting_out *out, const char *level, char *const *row, const int *at)
{
	g_autofree char *type = g_markup_escape_text(row[at[NAME]], -1);
	g_auto(GStrv) parts = g_strsplit(level, ".", 2);

	g_string_append_printf(out->text,
			       "<cluster>\n  <cpu>\n    <architecture>%s</architecture>\n    <type>%s</type>\n"
			       "  </cpu>\n  <version>\n    <major>%s</major>\n    <minor>%s</minor>\n"
			       "  </version>\n</cluster>\n",
			       row[at[ARCH]], type, parts[0], parts[1] ? parts[1] : "0");
}

static void note_machine(struct setting_out *out, const struct levels *l)
{
	const GPtrArray *machines = out->setting->machines;

	if (l->machine)
		setting_note(out, "machine type: %s, the first of level %s's list that all of these hosts have",
			     l->machine, l->level);
	else if (machines->len)
		setting_note(out, "no machine type of any level's list is common to these hosts; the engine "
				  "can be told another: engine-config -s ClusterEmulatedMachines=%s, and "
				  "the option cver=%s", (const char *)machines->pdata[0], l->newest);
	else
		setting_note(out, "no machine type is known that all of these hosts have");
}

/* QEMU's model may have more than libvirt's, and drops in silence what a host lacks. */
static void note_more(struct setting_out *out, char *const *row, const int *at)
{
	const char *more = tables_qemu_differs(out->facts->tables, row[at[MODEL]], "more");
	g_auto(GStrv) names = g_strsplit(more && strcmp(more, "-") ? more : "", " ", -1);
	g_autoptr(GString) missing = g_string_new(NULL);

	for (size_t i = 0; names[i]; i++)
		if (!takes_away(row[at[FLAGS]], names[i]) && !has_flag(out->setting, names[i]))
			g_string_append_printf(missing, " %s", names[i]);
	if (missing->len)
		setting_note(out, "QEMU's %s has these too, which aren't known of all of these hosts:%s; a guest "
				  "has them where the host does", row[at[MODEL]], missing->str);
}

/* What hosts give beyond the type, which a cluster has no word for. */
static void note_beyond(struct setting_out *out, char *const *row, const int *at, guint gives)
{
	const struct setting *s = out->setting;

	if (s->family == ARCH_PPC64)
		return;
	if (s->features->len > gives)
		setting_note(out, "not set: %u features beyond '%s' (%s%s%s): a cluster's CPU type has no "
				  "single flags", s->features->len - gives, row[at[NAME]], row[at[MODEL]],
			     strcmp(row[at[FLAGS]], "-") ? " " : "", strcmp(row[at[FLAGS]], "-") ? row[at[FLAGS]] : "");
}

void setting_ovirt(struct setting_out *out)
{
	struct levels levels = { .setting = out->setting };
	const char *level;
	struct choice best;
	int at[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++)
		at[i] = table_column(out->facts->tables->ovirt_cpus, columns[i]);
	for (size_t i = 0; i < COLUMNS; i++)
		if (at[i] < 0) {
			setting_none(out, "ovirt-cpus.tsv has not the columns that it must have");
			return;
		}
	setting_names(out->facts, "ovirt", "machines", see_level, &levels);
	level = levels.level ? levels.level : levels.newest ? levels.newest : "";
	best = choose(out, level, at);
	if (!best.row) {
		setting_note(out, "compatibility level %s", level);
		setting_none(out, "none of the engine's CPU types can be given by all of these hosts");
		return;
	}
	note_machine(out, &levels);
	setting_note_promises(out);
	note_beyond(out, best.row, at, best.gives);
	note_more(out, best.row, at);
	if (out->setting->viommu)
		setting_note(out, "not set: a virtual IOMMU of model %s: oVirt adds one of its own only with "
				  "assigned devices", out->setting->viommu);
	add_cluster(out, level, best.row, at);
}
