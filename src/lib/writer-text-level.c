/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-level.c: levels, how they stand and what is due for them, as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

#define FEW_GUESTS 5

static void security_text(struct out *out, const json_t *classes, const char *head, const char *what)
{
	g_autofree char *names = join_strings(classes, " ");

	if (*names)
		out_itemf(out, head, 11, "%s%s", what, names);
}

/* What a step gains, and what it costs. */
static void price_text(struct out *out, const json_t *price)
{
	g_autofree char *gained = atoms_text(out, json_object_get(price, "gained"));
	g_autofree char *lost = atoms_text(out, json_object_get(price, "lost"));
	const json_t *security = json_object_get(price, "security");

	if (*gained)
		out_item(out, "  gains", 11, gained);
	security_text(out, json_object_get(security, "gained"), "", "against ");
	if (*lost)
		out_item(out, "  loses", 11, lost);
	text_price(out, json_object_get(price, "costs"), "  price", 11);
}

static void viommu_text(struct out *out, const json_t *viommu)
{
	const json_t *properties = json_object_get(viommu, "properties"), *limit, *value;
	g_autoptr(GString) text = g_string_new(get_text(viommu, "model", "none"));
	const char *name;
	size_t i;

	if (!json_is_object(viommu))
		return;
	if (get_text(viommu, "model", NULL)) {
		json_object_foreach ((json_t *)properties, name, value) {
			g_autofree char *shown = value_text(value);

			g_string_append_printf(text, " %s=%s", name, shown);
		}
		g_string_append_printf(text, " (assigned devices: %s)", get_text(viommu, "stage", "unknown"));
	}
	out_item(out, "  vIOMMU", 11, text->str);
	json_array_foreach (json_object_get(viommu, "limits"), i, limit) {
		g_autofree char *hosts = few_hosts(out, json_object_get(limit, "hosts"));

		out_itemf(out, "", 11, "%s %s %s", get_text(limit, "property", "?"),
			  json_is_true(json_object_get(limit, "known")) ? "limited by" : "not known of", hosts);
	}
}

static void limits_text(struct out *out, const json_t *limits)
{
	size_t n = json_array_size(limits), most = out->options->verbose ? n : 4;

	for (size_t i = 0; i < MIN(n, most); i++) {
		const json_t *limit = json_array_get(limits, i);
		g_autofree char *hosts = few_hosts(out, json_object_get(limit, "hosts"));
		g_autofree char *atoms = atoms_text(out, json_object_get(limit, "capabilities"));

		out_itemf(out, i ? "" : "  limited by", 13, "%s: %s", hosts, atoms);
	}
	if (n > most)
		out_itemf(out, "", 13, "and %zu more (-v)", n - most);
}

static void next_text(struct out *out, const json_t *step)
{
	g_autofree char *hosts = few_hosts(out, json_object_get(step, "hosts_lost"));
	g_autofree char *gained = atoms_text(out, json_object_get(step, "gained"));
	g_autofree char *guests = count_text(get_int(step, "guests_n"), "guest", "guests");

	if (json_is_object(step))
		out_itemf(out, "  next step", 13, "without %s (%s): %s", hosts, guests, gained);
	text_price(out, json_object_get(step, "costs"), "    price", 13);
}

static char *title_of(const json_t *group)
{
	return g_strdup_printf("%s %s", get_text(group, "arch", "?"), get_text(group, "vendor", "?"));
}

static void group_text(struct out *out, const json_t *group)
{
	g_autofree char *title = title_of(group), *cpu = cpu_text(json_object_get(group, "cpu"));
	g_autofree char *hosts = count_text(get_int(group, "hosts_n"), "host", "hosts");
	g_autofree char *left = few_hosts(out, json_object_get(group, "left_out"));
	const json_t *moves = json_object_get(group, "moves");
	const char *deprecated = get_text(json_object_get(group, "machine_dates"), "deprecated", NULL);

	out_line(out, "\n%-16s %s when it was made", title, hosts);
	if (*left)
		out_itemf(out, "  left out", 11, "%s", left);
	out_item(out, "  cpu", 11, cpu);
	out_itemf(out, "  machine", 11, "%s%s%s%s", get_text(group, "machine", "none known to be common"),
		  deprecated ? " (deprecated from " : "", deprecated ? deprecated : "", deprecated ? ")" : "");
	viommu_text(out, json_object_get(group, "viommu"));
	if (json_array_size(json_object_get(moves, "stuck")))
		out_itemf(out, "  moves", 11, "%d of %d pairs of classes both ways", (int)get_int(moves, "good"),
			  (int)get_int(moves, "pairs"));
	limits_text(out, json_object_get(group, "limits"));
	next_text(out, json_object_get(group, "next_step"));
}

/* Hosts that don't take the level's guests, and what they lack. */
static void below_text(struct out *out, const json_t *below, const char *head)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (below, i, entry) {
		g_autofree char *hosts = few_hosts(out, json_object_get(entry, "hosts"));
		g_autofree char *missing = atoms_text(out, json_object_get(entry, "missing"));
		const char *text = json_string_value(json_array_get(json_object_get(entry, "texts"), 0));

		out_itemf(out, head, 11, "%s: %s%s", hosts, *missing ? "lacks " : "", *missing ? missing : text ? text : "?");
		security_text(out, json_object_get(entry, "security"), "", "open to ");
	}
}

static void today_text(struct out *out, const json_t *group)
{
	g_autofree char *title = title_of(group), *left = few_hosts(out, json_object_get(group, "left"));
	g_autofree char *joined = few_hosts(out, json_object_get(group, "joined"));
	g_autofree char *hosts = count_text(get_int(group, "holds_n"), "host takes", "hosts take");

	out_line(out, "\n%-16s today %s its guests", title, hosts);
	if (*joined)
		out_itemf(out, "  joined", 11, "%s", joined);
	if (*left)
		out_itemf(out, "  left", 11, "%s", left);
	below_text(out, json_object_get(group, "below"), "  below");
	below_text(out, json_object_get(group, "unknown"), "  unknown");
	if (json_is_object(json_object_get(group, "take_in"))) {
		out_item(out, "  to take them in", 18, "the next level");
		price_text(out, json_object_get(group, "take_in"));
	}
}

static void log_text(struct out *out, const json_t *log)
{
	const json_t *entry;
	size_t i;

	if (json_array_size(log))
		out_line(out, "\nlog");
	json_array_foreach (log, i, entry) {
		const char *reason = get_text(entry, "reason", ""), *guest = get_text(entry, "guest", NULL);

		out_itemf(out, "", 2, "%.10s %s%s%s by %s%s%s", get_text(entry, "at", "?"), get_text(entry, "action", "?"),
			  guest ? " " : "", guest ? guest : "", get_text(entry, "by", "?"), *reason ? ": " : "", reason);
	}
}

static void dates_line(struct out *out, const json_t *level)
{
	out_itemf(out, "since", 8, "%s; review by %s; retire by %s", get_text(level, "since", "?"),
		  get_text(level, "review_by", "?"), get_text(level, "retire_by", "(nobody says when its machine type goes)"));
}

static void selectors_line(struct out *out, const json_t *level)
{
	g_autofree char *selectors = join_strings(json_object_get(level, "selectors"), " ");
	const json_t *coverage = json_object_get(level, "coverage");

	if (json_is_number(coverage))
		out_itemf(out, "hosts", 8, "%s, at least %g %% of them", *selectors ? selectors : "all",
			  json_number_value(coverage) * 100);
	else
		out_itemf(out, "hosts", 8, "%s", *selectors ? selectors : "all");
}

static void level_text(struct out *out, const json_t *level)
{
	const json_t *group;
	size_t i;

	dates_line(out, level);
	selectors_line(out, level);
	json_array_foreach (json_object_get(level, "groups"), i, group)
		group_text(out, group);
	json_array_foreach (json_object_get(level, "without"), i, group) {
		g_autofree char *title = title_of(group), *hosts = few_hosts(out, json_object_get(group, "hosts"));

		out_line(out, "\n%-16s no level", title);
		out_itemf(out, "", 11, "%s", get_text(group, "reason", "no CPU is known to be common"));
		out_itemf(out, "  hosts", 11, "%s", hosts);
	}
}

void text_level_show(struct out *out, const json_t *answer)
{
	const json_t *level = json_object_get(answer, "level"), *guests = json_object_get(answer, "guests"), *group;
	const json_t *today = json_object_get(answer, "today");
	g_autofree char *assigned = some_names(out, FEW_GUESTS, json_object_get(guests, "assigned"));
	g_autofree char *running = some_names(out, FEW_GUESTS, json_object_get(guests, "running"));
	g_autofree char *outside = few_hosts(out, json_object_get(today, "outside"));
	g_autofree char *n = count_text(get_int(guests, "guests_n"), "guest", "guests");
	size_t i;

	out_line(out, "%s: %s, %s\n", get_text(level, "name", "?"), get_text(answer, "state", "?"), n);
	level_text(out, level);
	json_array_foreach (json_object_get(today, "groups"), i, group)
		today_text(out, group);
	if (*outside)
		out_itemf(out, "\noutside", 9, "%s: of no group of it", outside);
	if (*assigned)
		out_itemf(out, "\nguests", 8, "%s", assigned);
	if (*running)
		out_itemf(out, "\nrunning", 9, "with it, though not assigned: %s", running);
	log_text(out, json_object_get(answer, "log"));
	out_line(out, "%s", "");
	out_end(out, answer);
}

void text_levels(struct out *out, const json_t *answer)
{
	const json_t *levels = json_object_get(answer, "levels"), *level, *group;
	g_autofree char *n = count_text((json_int_t)json_array_size(levels), "level", "levels");
	size_t i, k;

	out_line(out, "%s", n);
	if (json_array_size(levels))
		out_line(out, "\n%-20s %-11s %-11s %-11s %-11s %s", "name", "state", "since", "review by", "retire by", "guests");
	json_array_foreach (levels, i, level) {
		out_line(out, "%-20s %-11s %-11s %-11s %-11s %d", get_text(level, "name", "?"), get_text(level, "state", "?"),
			 get_text(level, "since", "?"), get_text(level, "review_by", "-"), get_text(level, "retire_by", "-"),
			 (int)get_int(level, "guests_n"));
		if (!out->options->verbose)
			continue;
		json_array_foreach (json_object_get(level, "groups"), k, group) {
			g_autofree char *cpu = cpu_text(json_object_get(group, "cpu")), *title = title_of(group);

			out_itemf(out, "", 2, "%s: %s, %s", title, get_text(group, "machine", "no machine type"), cpu);
		}
	}
}

/* --- proposals ----------------------------------------------------------------------------------- */

static void ways_text(struct out *out, const json_t *ways)
{
	const json_t *way;
	size_t i;

	json_array_foreach (ways, i, way) {
		out_item(out, i ? "" : "  ways", 11, get_text(way, "text", "?"));
		if (get_text(way, "command", NULL))
			out_item(out, "", 13, get_text(way, "command", ""));
	}
}

static void step_group_text(struct out *out, const json_t *group)
{
	const json_t *leave = json_object_get(group, "leave_out"), *pair;
	g_autofree char *title = title_of(group);
	const char *from = get_text(group, "machine_now", "-"), *to = get_text(group, "machine", NULL);
	size_t i;

	if (!strcmp(get_text(group, "step", ""), "stays"))
		return;
	out_line(out, "  %s", title);
	if (to && strcmp(from, to))
		out_itemf(out, "  machine", 11, "%s -> %s", from, to);
	price_text(out, json_object_get(group, "price"));
	below_text(out, json_object_get(group, "below"), "  below");
	below_text(out, json_object_get(group, "unknown"), "  unknown");
	json_array_foreach (json_object_get(group, "stuck"), i, pair)
		out_itemf(out, "  stuck", 11, "its guests couldn't move from %s to %s", json_string_value(json_array_get(pair, 0)),
			  json_string_value(json_array_get(pair, 1)));
	if (json_is_object(leave)) {
		g_autofree char *hosts = few_hosts(out, json_object_get(leave, "hosts"));
		g_autofree char *guests = some_names(out, FEW_GUESTS, json_object_get(leave, "guests"));

		out_itemf(out, "  leave out", 13, "%s: %s", hosts, *guests ? guests : "no guest is known there");
	}
}

static const char *headline(const char *kind)
{
	static const struct { const char *kind, *text; } lines[] = {
		{ "raise", "can be raised: its hosts offer more" },
		{ "sink", "must sink, or leave hosts out" },
		{ "held", "could be raised, but something stands against it" },
		{ "empty", "has no host any more" },
		{ "retire", "can be retired: no guest has it" },
		{ "overdue", "should be retired, and guests have it" },
		{ "review", "is due for a review" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		if (!strcmp(lines[i].kind, kind))
			return lines[i].text;
	return kind;
}

static void proposal_text(struct out *out, const json_t *p)
{
	g_autofree char *guests = some_names(out, FEW_GUESTS, json_object_get(p, "guests"));
	const json_t *group;
	size_t i;

	out_line(out, "\n%s %s", get_text(p, "level", "?"), headline(get_text(p, "kind", "?")));
	json_array_foreach (json_object_get(p, "groups"), i, group)
		step_group_text(out, group);
	if (*guests)
		out_item(out, "  guests", 11, guests);
	ways_text(out, json_object_get(p, "ways"));
}

void text_level_propose(struct out *out, const json_t *answer)
{
	const json_t *proposals = json_object_get(answer, "proposals"), *one;
	g_autofree char *n = count_text((json_int_t)json_array_size(proposals), "proposal", "proposals");
	g_autofree char *levels = count_text(get_int(answer, "levels_n"), "level", "levels");
	size_t i;

	out_line(out, "%s for %s", n, levels);
	json_array_foreach (proposals, i, one)
		proposal_text(out, one);
	if (json_array_size(json_object_get(answer, "applied")) || json_array_size(json_object_get(answer, "waiting")))
		out_line(out, "%s", "");
	json_array_foreach (json_object_get(answer, "applied"), i, one)
		out_itemf(out, "done", 9, "%s %s%s%s", get_text(one, "kind", "?"), get_text(one, "level", "?"),
			  get_text(one, "next", NULL) ? " -> " : "", get_text(one, "next", ""));
	json_array_foreach (json_object_get(answer, "waiting"), i, one)
		out_itemf(out, "waiting", 9, "%s -> %s, until %s", get_text(one, "level", "?"), get_text(one, "next", "?"),
			  get_text(one, "until", "?"));
	out_line(out, "%s", "");
	out_end(out, answer);
}

void text_level_join(struct out *out, const json_t *answer)
{
	const char *takes = get_text(answer, "takes", "unknown");
	const json_t *price = json_object_get(answer, "price"), *guests = json_object_get(answer, "guests");
	json_t *below = json_array(), *lacks = json_object_get(answer, "lacks");

	out_line(out, "%s and %s: %s", get_text(answer, "host", "?"), get_text(answer, "level", "?"),
		 !strcmp(takes, "yes") ? "it takes its guests; taking it in costs nothing" :
		 !strcmp(takes, "no") ? "it doesn't take its guests" : "whether it takes its guests isn't known");
	if (json_is_object(lacks)) {
		json_array_append_new(below, json_deep_copy(lacks));
		json_object_set_new(json_array_get(below, 0), "hosts", json_pack("[O]", json_object_get(answer, "host")));
		below_text(out, below, "  lacks");
	}
	json_decref(below);
	if (!json_is_object(json_object_get(answer, "group")))
		out_item(out, "  group", 11, "the level has none of its architecture and vendor");
	if (json_is_object(price)) {
		g_autofree char *n = count_text(get_int(guests, "guests_n"), "guest", "guests");

		out_item(out, "  taken in", 11, "a level with it:");
		price_text(out, price);
		out_itemf(out, "  guests", 11, "%s of the level: nothing changes before it is assigned to the next one", n);
	} else if (strcmp(takes, "yes") && json_is_object(json_object_get(answer, "group"))) {
		out_item(out, "  taken in", 11, "no CPU is known to be common then");
	}
	out_line(out, "%s", "");
	out_end(out, answer);
}

void text_level_change(struct out *out, const json_t *answer)
{
	const char *action = get_text(answer, "action", "?");
	g_autofree char *guests = some_names(out, FEW_GUESTS, json_object_get(answer, "guests"));

	if (!strcmp(action, "create")) {
		out_line(out, "%s is made\n", get_text(answer, "level", "?"));
		level_text(out, json_object_get(answer, "document"));
		return;
	}
	if (!strcmp(action, "assign"))
		out_itemf(out, "", 0, "%s: assigned to %s, from its next cold start", guests, get_text(answer, "level", "?"));
	else if (!strcmp(action, "unassign"))
		out_itemf(out, "", 0, "%s: assigned to no level", guests);
	else
		out_line(out, "%s is retired", get_text(answer, "level", "?"));
}
