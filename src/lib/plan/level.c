/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* level.c: see level.h. level-guest.c has the guest of a level. */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "model/dictionary.h"
#include "model/document.h"
#include "model/power.h"
#include "plan/level.h"

bool level_series_valid(const char *series)
{
	size_t n = strlen(series);

	if (!n || n > LEVEL_SERIES_MAX || !g_ascii_isalpha(*series))
		return false;
	for (const char *c = series; *c; c++)
		if (!g_ascii_isalnum(*c) && *c != '-' && *c != '_')
			return false;
	return true;
}

/* 1 … @most, without leading zeros; false where it is none. */
static bool number(const char *text, guint64 most, guint *value)
{
	guint64 parsed;

	if (*text == '0' || !g_ascii_string_to_unsigned(text, 10, 1, most, &parsed, NULL))
		return false;
	*value = (guint)parsed;
	return true;
}

bool level_name_split(const char *name, char **series, guint *year, guint *count)
{
	const char *dash = strrchr(name, '-'), *dot = dash ? strchr(dash, '.') : NULL;
	g_autofree char *head = dash ? g_strndup(name, (gsize)(dash - name)) : NULL;
	g_autofree char *years = dot ? g_strndup(dash + 1, (gsize)(dot - dash - 1)) : NULL;
	guint y, n;

	if (!dot || strlen(years) != 4 || !level_series_valid(head) || !number(years, 9999, &y) ||
	    !number(dot + 1, 1000000, &n))
		return false;
	if (series)
		*series = g_steal_pointer(&head);
	*year = y;
	*count = n;
	return true;
}

char *level_name(const char *series, guint year, guint count)
{
	return g_strdup_printf("%s-%04u.%u", series, year, count);
}

/* --- dates -------------------------------------------------------------------------------------- */

static bool read_date(const char *text, GDate *date)
{
	static const char form[] = "2026-12-24";
	guint year, month, day;

	if (strlen(text) != strlen(form))
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '-' ? text[i] != '-' : !g_ascii_isdigit(text[i]))
			return false;
	year = (guint)g_ascii_strtoull(text, NULL, 10);
	month = (guint)g_ascii_strtoull(text + strlen("2026-"), NULL, 10);
	day = (guint)g_ascii_strtoull(text + strlen("2026-12-"), NULL, 10);
	if (!g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
		return false;
	g_date_clear(date, 1);
	g_date_set_dmy(date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
	return true;
}

static char *date_text(const GDate *date)
{
	return g_strdup_printf("%04u-%02u-%02u", (guint)g_date_get_year(date), (guint)g_date_get_month(date),
			       (guint)g_date_get_day(date));
}

bool level_date_valid(const char *text)
{
	GDate date;

	return read_date(text, &date);
}

char *level_date(int64_t seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

	return time ? g_date_time_format(time, "%Y-%m-%d") : g_strdup("1970-01-01");
}

char *level_date_later(const char *text, guint months)
{
	GDate date;

	if (!read_date(text, &date))
		return g_strdup(text);
	g_date_add_months(&date, months);
	return date_text(&date);
}

char *level_retire_by(const struct tables *tables, const char *machine, const char **deprecated)
{
	struct machine_life life;
	g_autofree char *day = NULL;
	GDate date;

	*deprecated = NULL;
	if (!machine || !tables_machine(tables, machine, &life))
		return NULL;
	*deprecated = life.deprecated;
	/* a month is its first day here: the machine type may go on any of it */
	if (life.removed)
		day = strlen(life.removed) == strlen("2026-12") ? g_strconcat(life.removed, "-01", NULL) :
								  g_strdup(life.removed);
	if (!day || !read_date(day, &date))
		return NULL;
	g_date_subtract_days(&date, 1);
	return date_text(&date);
}

/* --- gains -------------------------------------------------------------------------------------- */

json_t *level_atom(const char *id, const char *atom, guint worth)
{
	json_t *json = json_pack("{s:s, s:i}", "capability", atom, "worth", (int)worth);
	int cap = cap_find(id);

	if (cap >= 0 && cap_table[cap].security)
		json_object_set_new(json, "security", json_string(cap_table[cap].security));
	return json;
}

static bool forbidden(const struct level_weights *w, const char *id, const char *atom)
{
	const json_t *name;
	size_t i;

	json_array_foreach (w->forbidden, i, name)
		if (!g_strcmp0(json_string_value(name), atom) || !g_strcmp0(json_string_value(name), id))
			return true;
	return false;
}

/* Adds an atom, the dearest first, those of one worth by name. */
static void add(json_t *to, const struct level_weights *w, const char *id, const char *atom, uint64_t *sum)
{
	guint worth = forbidden(w, id, atom) ? 0 : weights_of(w->site, w->shipped, id, atom);
	size_t at = 0;

	while (at < json_array_size(to)) {
		const json_t *other = json_array_get(to, at);
		json_int_t value = json_integer_value(json_object_get(other, "worth"));

		if (value < worth || (value == worth && strcmp(member_text(other, "capability"), atom) > 0))
			break;
		at++;
	}
	json_array_insert_new(to, at, level_atom(id, atom, worth));
	*sum += worth;
}

static enum arch_family family_of(const json_t *group)
{
	const char *arch = member_text(group, "arch");

	return arch_family(arch && strcmp(arch, "unknown") ? arch : NULL);
}

static GHashTable *features_of(const json_t *group)
{
	GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);
	const json_t *features = json_object_get(json_object_get(group, "cpu"), "features"), *name;
	size_t i;

	json_array_foreach (features, i, name)
		if (json_is_string(name))
			g_hash_table_add(set, (void *)json_string_value(name));
	return set;
}

/* Families of machine types in the order of the baseline's: q35 and the others' virtual ones first. */
static int rank(const char *name)
{
	static const char *const first[] = { "pc-q35-", "pseries-", "s390-ccw-virtio-", "virt-" };

	for (size_t i = 0; i < G_N_ELEMENTS(first); i++)
		if (g_str_has_prefix(name, first[i]))
			return 0;
	return !strcmp(name, "virt") ? 0 : g_str_has_prefix(name, "pc-i440fx-") ? 1 : 2;
}

bool level_machine_later(const char *machine, const char *other)
{
	const char *one = strrchr(machine, '-'), *two = strrchr(other, '-');

	if (rank(machine) != rank(other))
		return rank(machine) < rank(other);
	return one && two && version_compare(one + 1, two + 1) > 0;
}

static int power_of(const json_t *group)
{
	const char *model = member_text(json_object_get(group, "cpu"), "model");

	return family_of(group) == ARCH_PPC64 && model ? power_level(power_generation(model)) : 0;
}

static const char *viommu_of(const json_t *group)
{
	return member_text(json_object_get(group, "viommu"), "model");
}

static json_int_t width_of(const json_t *group)
{
	const json_t *properties = json_object_get(json_object_get(group, "viommu"), "properties");

	return json_integer_value(json_object_get(properties, "aw-bits"));
}

json_t *level_gained(const json_t *group, const json_t *beyond, const struct level_weights *weights,
		     uint64_t *worth)
{
	g_autoptr(GHashTable) has = features_of(beyond);
	const json_t *features = json_object_get(json_object_get(group, "cpu"), "features"), *name;
	const char *machine = member_text(group, "machine"), *other = member_text(beyond, "machine");
	json_t *gained = json_array();
	size_t i;

	*worth = 0;
	json_array_foreach (features, i, name) {
		g_autofree char *id = NULL;

		if (!json_is_string(name) || g_hash_table_contains(has, json_string_value(name)))
			continue;
		id = arch_feature_id(family_of(group), NS_LIBVIRT, json_string_value(name));
		add(gained, weights, id, id, worth);
	}
	if (machine && (!other || level_machine_later(machine, other))) {
		g_autofree char *atom = g_strconcat("qemu.machine=", machine, NULL);

		add(gained, weights, "qemu.machine", atom, worth);
	}
	if (power_of(group) > power_of(beyond)) {
		g_autofree char *atom = g_strdup_printf("ppc64.compat>=%d", power_of(group));

		add(gained, weights, "ppc64.compat", atom, worth);
	}
	if (viommu_of(group) && g_strcmp0(viommu_of(group), viommu_of(beyond))) {
		g_autofree char *atom = g_strconcat("viommu.model=", viommu_of(group), NULL);

		add(gained, weights, "viommu.model", atom, worth);
	}
	if (viommu_of(group) && width_of(group) > width_of(beyond)) {
		g_autofree char *atom = g_strdup_printf("iommu.address-bits>=%d", (int)width_of(group));

		add(gained, weights, "iommu.address-bits", atom, worth);
	}
	return gained;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *level_security(const json_t *atoms)
{
	g_autoptr(GPtrArray) classes = g_ptr_array_new();
	json_t *array = json_array();
	const json_t *atom;
	size_t i;

	json_array_foreach (atoms, i, atom)
		if (member_text(atom, "security"))
			g_ptr_array_add(classes, (void *)member_text(atom, "security"));
	g_ptr_array_sort(classes, by_text);
	for (guint k = 0; k < classes->len; k++)
		if (!k || strcmp(classes->pdata[k], classes->pdata[k - 1]))
			json_array_append_new(array, json_string(classes->pdata[k]));
	return array;
}

/* --- what is due -------------------------------------------------------------------------------- */

enum level_step level_step(const struct level_today *t)
{
	if (!t->holds && !t->below && !t->unknown)
		return LEVEL_EMPTY;
	if (t->weight_holds + t->weight_unknown < t->need)
		return LEVEL_SINK;
	if (!t->gained)
		return LEVEL_STAYS;
	return t->unknown || t->loses || t->stuck || !t->holds ? LEVEL_HELD : LEVEL_RAISE;
}

const char *level_step_name(enum level_step step)
{
	static const char *const names[] = { "stays", "raise", "sink", "held", "empty" };

	G_STATIC_ASSERT(G_N_ELEMENTS(names) == LEVEL_STEPS);
	return step < LEVEL_STEPS ? names[step] : NULL;
}

/* Has a date passed? It holds to its end. */
static bool passed(const char *date, const char *today)
{
	return date && strcmp(date, today) < 0;
}

enum level_due level_due(const struct level_age *a)
{
	if (passed(a->retire_by, a->today))
		return a->guests ? LEVEL_OVERDUE : LEVEL_RETIRE;
	if (!a->newest && !a->guests)
		return LEVEL_RETIRE;
	return passed(a->review_by, a->today) ? LEVEL_REVIEW : LEVEL_NOT_DUE;
}
