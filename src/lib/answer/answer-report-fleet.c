/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-report-fleet.c: the fleet's part of the answer "report": who can move, what to do now, what
 * to plan, and how fresh the facts are; see answer.h.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "model/document.h"
#include "plan/baseline.h"

#define SOON (2 * 365 * 86400) /* seconds: a machine type that is removed within that is to be planned for */

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* --- what to do now ---------------------------------------------------------------------------- */

static json_t *act_new(const char *kind, const char *command, const json_t *reason)
{
	json_t *act = json_pack("{s:s, s:s, s:i, s:[]}", "kind", kind, "see", command, "guests_n", 0, "guests");

	json_object_set(act, "check", json_object_get(reason, "check"));
	json_object_set(act, "text", json_object_get(reason, "text"));
	json_object_set(act, "fix", json_object_get(reason, "fix"));
	return act;
}

static void act_add(json_t *act, const json_t *group)
{
	json_array_extend(json_object_get(act, "guests"), json_object_get(group, "guests"));
	json_object_set_new(act, "guests_n", json_integer(number(act, "guests_n") + number(group, "guests_n")));
}

static void act_on_causes(json_t *list, const json_t *stranded)
{
	const json_t *cause, *group;
	size_t i, k;

	json_array_foreach (json_object_get(stranded, "causes"), i, cause) {
		bool unknown = !g_strcmp0(member_text(cause, "verdict"), "unknown");
		json_t *act = act_new(unknown ? "unknown" : "nowhere", "stranded", cause);

		json_array_foreach (json_object_get(cause, "guest_groups"), k, group)
			act_add(act, group);
		json_array_append_new(list, act);
	}
}

/* Of those that can go to few hosts, guests with the same first reason together. */
static void act_on_limited(json_t *list, const json_t *stranded)
{
	size_t before = json_array_size(list), i, k;
	const json_t *group;

	json_array_foreach (json_object_get(stranded, "limited"), i, group) {
		json_t *reason = json_array_get(json_object_get(group, "reasons"), 0), *act = NULL;

		for (k = before; reason && k < json_array_size(list); k++) {
			act = json_array_get(list, k);
			if (json_equal(json_object_get(act, "text"), json_object_get(reason, "text")))
				break;
			act = NULL;
		}
		if (!act) {
			act = act_new("limited", "stranded", reason);
			json_array_append_new(list, act);
		}
		act_add(act, group);
	}
}

static void act_on_drift(json_t *list, const json_t *drift)
{
	json_int_t hurt = number(drift, "hurt_n"), lost = number(drift, "stranded_n");
	json_t *act;

	if (!hurt && !lost)
		return;
	act = json_pack("{s:s, s:s, s:I, s:[], s:n, s:o, s:s}", "kind", "drift", "see", "drift --since 30d",
			"guests_n", hurt > lost ? hurt : lost, "guests", "check", "text",
			json_sprintf("%d of %d hosts changed: %d guests hurt, %d with nowhere to go any more",
				     (int)number(drift, "changed_n"), (int)number(drift, "hosts_n"), (int)hurt,
				     (int)lost),
			"fix", "see what changed, and which of it can be taken back");
	json_array_append_new(list, act);
}

/* --- what to plan ------------------------------------------------------------------------------- */

/* "2028-12", or with a day: seconds since the epoch of the month's begin; 0 for none. */
static gint64 time_of(const char *date)
{
	g_auto(GStrv) parts = g_strsplit(date ? date : "", "-", 3);
	g_autoptr(GDateTime) time = NULL;

	if (g_strv_length(parts) >= 2)
		time = g_date_time_new_utc(atoi(parts[0]), atoi(parts[1]), 1, 0, 0, 0);
	return time ? g_date_time_to_unix(time) : 0;
}

/* Machine types that QEMU has removed, or calls deprecated and soon removes. */
static json_t *machine_plan(const struct answering *a, const char *machine, guint guests)
{
	struct machine_life life;
	gint64 deprecated, removed;
	const char *state;

	if (!tables_machine(a->judge->tables, machine, &life))
		return NULL;
	deprecated = time_of(life.deprecated);
	removed = time_of(life.removed);
	if ((!deprecated || deprecated > a->now) && (!removed || removed > a->now + SOON))
		return NULL;
	state = removed && removed <= a->now ? "removed" : deprecated && deprecated <= a->now ? "deprecated" : "current";
	return json_pack("{s:s, s:s, s:i, s:s, s:s?, s:s?, s:s?}", "kind", "machine", "machine", machine, "guests_n",
			 (int)guests, "state", state, "deprecated", life.deprecated, "removed", life.removed,
			 "removed_in", life.removed_in);
}

static int by_removal(const void *one, const void *other)
{
	const json_t *a = *(const json_t *const *)one, *b = *(const json_t *const *)other;
	const char *first = member_text(a, "removed"), *second = member_text(b, "removed");
	int order = strcmp(first ? first : "9", second ? second : "9");

	return order ? order : g_strcmp0(member_text(a, "machine"), member_text(b, "machine"));
}

static void plan_machines(json_t *list, const struct answering *a, const GPtrArray *guests)
{
	g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) rows = g_ptr_array_new();
	GHashTableIter iter;
	gpointer machine, n;

	for (guint i = 0; i < guests->len; i++) {
		const struct needs *needs = guest_needs(g_ptr_array_index(guests, i));

		if (needs && needs->machine)
			g_hash_table_insert(counts, needs->machine,
					    GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, needs->machine)) + 1));
	}
	g_hash_table_iter_init(&iter, counts);
	while (g_hash_table_iter_next(&iter, &machine, &n)) {
		json_t *row = machine_plan(a, machine, GPOINTER_TO_UINT(n));

		if (row)
			g_ptr_array_add(rows, row);
	}
	g_ptr_array_sort(rows, by_removal);
	for (guint i = 0; i < rows->len; i++)
		json_array_append_new(list, g_ptr_array_index(rows, i));
}

static void plan_hosts(json_t *list, const GPtrArray *groups)
{
	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);

		if (b->best_step)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "kind", "hosts", "arch", b->arch,
							      "vendor", b->vendor, "text", b->best_step));
	}
}

/* --- how fresh the facts are -------------------------------------------------------------------- */

/* Those that were confirmed within the time that is reported of, and the names of the others. */
static json_t *facts(const struct answering *a, int64_t since)
{
	json_t *others = json_array();
	int64_t oldest = 0;
	int confirmed = 0;

	for (guint i = 0; i < a->fleet->hosts->len; i++) {
		const struct host *h = g_ptr_array_index(a->fleet->hosts, i);

		if (h->confirmed >= since && h->confirmed > 0)
			confirmed++;
		else
			json_array_append_new(others, json_string(h->name));
		if (h->confirmed > 0 && (!oldest || h->confirmed < oldest))
			oldest = h->confirmed;
	}
	return json_pack("{s:i, s:i, s:o, s:o, s:s}", "hosts_n", (int)a->fleet->hosts->len, "confirmed_n", confirmed,
			 "others", others, "oldest_s",
			 oldest ? json_integer(a->now > oldest ? a->now - oldest : 0) : json_null(), "dictionary",
			 cap_dictionary_version);
}

json_t *answer_report_fleet(const struct answering *a, const GPtrArray *guests, const GPtrArray *groups,
			    const json_t *stranded, const json_t *drift, int64_t since)
{
	json_t *act = json_array(), *plan = json_array(), *can_move = json_object();
	static const char *const counts[] = { "free_n", "limited_n", "nowhere_n", "unknown_n", "few" };
	int running = 0;

	for (guint i = 0; i < guests->len; i++)
		running += ((const struct guest *)g_ptr_array_index(guests, i))->running;
	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
		json_object_set(can_move, counts[i], json_object_get(stranded, counts[i]));
	act_on_causes(act, stranded);
	act_on_drift(act, drift);
	act_on_limited(act, stranded);
	plan_machines(plan, a, guests);
	plan_hosts(plan, groups);
	return json_pack("{s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "classes_n", (int)a->fleet->classes->len, "guests_n",
			 (int)guests->len, "running_n", running, "can_move", can_move, "act", act, "plan", plan, "facts",
			 facts(a, since));
}
