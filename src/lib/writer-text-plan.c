/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-plan.c: coverage, and the answers "tradeoff", "pools" and "policy" as text. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

#define BAR 24
#define FEW_PRICES 2

/* "412", or "412 (at most 431)" where it isn't known to be the best. */
static char *value_bound(const json_t *json)
{
	if (json_is_true(json_object_get(json, "optimal")))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, get_int(json, "value"));
	return g_strdup_printf("%" JSON_INTEGER_FORMAT " (no choice: more than %" JSON_INTEGER_FORMAT ")",
			       get_int(json, "value"), get_int(json, "bound"));
}

static void pins_text(struct out *out, const json_t *pins, const char *head)
{
	const json_t *pin;
	size_t i;

	json_array_foreach (pins, i, pin) {
		g_autofree char *hosts = few_hosts(out, json_object_get(pin, "lack_it"));

		if (json_is_true(json_object_get(pin, "everywhere")))
			continue;
		out_itemf(out, head, 11, "%s: not known on %s", get_text(pin, "capability", "?"), hosts);
	}
}

/* "spectre-v2 (CVE-2017-5715), mds (CVE-2018-12126 +3)", by whether only an immunity is lost. */
static char *classes_text(const struct out *out, const json_t *price, bool immunity)
{
	GString *text = g_string_new(NULL);
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(price, "security"), i, one) {
		const json_t *cves = json_object_get(one, "cves");
		size_t n = json_array_size(cves);
		g_autofree char *all = out->options->verbose ? join_strings(cves, " ") : NULL;

		if (json_is_true(json_object_get(one, "immunity")) != immunity)
			continue;
		g_string_append_printf(text, "%s%s", text->len ? ", " : "", get_text(one, "class", "?"));
		if (all && n)
			g_string_append_printf(text, " (%s)", all);
		else if (n > 1)
			g_string_append_printf(text, " (%s +%zu)", json_string_value(json_array_get(cves, 0)), n - 1);
		else if (n)
			g_string_append_printf(text, " (%s)", json_string_value(json_array_get(cves, 0)));
	}
	return g_string_free(text, FALSE);
}

/* "aes avx2 and 3 more" of one direction. */
static char *performance_names(const json_t *list, const char *direction)
{
	GString *text = g_string_new(NULL);
	const json_t *one;
	size_t i, n = 0;

	json_array_foreach (list, i, one)
		if (!strcmp(get_text(one, "direction", ""), direction) && n++ < FEW_ATOMS)
			g_string_append_printf(text, " %s", short_atom(get_text(one, "capability", "?")));
	if (n > FEW_ATOMS)
		g_string_append_printf(text, " and %zu more", n - FEW_ATOMS);
	return g_string_free(text, FALSE);
}

/* Each with what it means; many by their names alone, without -v. */
static void performance_text(struct out *out, const json_t *price, const char *head, int indent)
{
	const json_t *list = json_object_get(price, "performance"), *one;
	g_autofree char *lost = performance_names(list, "lost"), *gained = performance_names(list, "gained");
	bool few = json_array_size(list) <= FEW_PRICES || out->options->verbose;
	size_t i;

	json_array_foreach (list, i, one)
		if (few)
			out_itemf(out, i ? "" : head, indent, "%s %s: %s",
				  !strcmp(get_text(one, "direction", ""), "lost") ? "without" : "with",
				  short_atom(get_text(one, "capability", "?")), get_text(one, "text", "?"));
	if (!few && *lost)
		out_itemf(out, head, indent, "less performance without%s (-v)", lost);
	if (!few && *gained)
		out_itemf(out, *lost ? "" : head, indent, "less performance with%s (-v)", gained);
}

void text_price(struct out *out, const json_t *price, const char *head, int indent)
{
	g_autofree char *less = classes_text(out, price, false), *slower = classes_text(out, price, true);
	const json_t *one;
	size_t i;

	if (!price || (!json_array_size(json_object_get(price, "security")) &&
		       !json_array_size(json_object_get(price, "performance"))))
		return;
	if (*less)
		out_itemf(out, head, indent, "less protection from %s", less);
	if (*slower)
		out_itemf(out, *less ? "" : head, indent, "a slower way around %s", slower);
	if (out->options->verbose)
		json_array_foreach (json_object_get(price, "security"), i, one)
			out_itemf(out, "", indent, "%s: %s", get_text(one, "class", "?"), get_text(one, "text", "?"));
	performance_text(out, price, *less || *slower ? "" : head, indent);
}

void text_coverage(struct out *out, const json_t *group)
{
	const json_t *c = json_object_get(group, "coverage");
	g_autofree char *hosts = few_hosts(out, json_object_get(c, "dropped"));
	g_autofree char *gained = atoms_text(out, json_object_get(c, "gained"));
	g_autofree char *value = value_bound(c);
	const char *label = get_text(c, "weight_label", NULL);

	pins_text(out, json_object_get(group, "floors"), "  floor");
	if (!c)
		return;
	if (json_is_false(json_object_get(c, "feasible"))) {
		out_itemf(out, "  coverage", 11, "%g %%: can't be had with what must be there; nobody is left out",
			  json_real_value(json_object_get(c, "share")) * 100);
		return;
	}
	out_itemf(out, "  coverage", 11, "%g %%%s%s: %d of %d hosts kept, worth %s instead of %d",
		  json_real_value(json_object_get(c, "share")) * 100, label ? " by " : "", label ? label : "",
		  (int)get_int(c, "kept_n"), (int)get_int(c, "hosts_n"), value, (int)get_int(c, "value_all"));
	if (!get_int(c, "dropped_n")) {
		out_item(out, "", 11, "nobody is left out: so few gain the others nothing");
		return;
	}
	out_itemf(out, "", 11, "left out: %s", hosts);
	out_itemf(out, "", 11, "gained: %s", gained);
}

static void bar(GString *text, json_int_t value, json_int_t most)
{
	json_int_t n = most ? (value * BAR + most - 1) / most : 0;

	for (json_int_t i = 0; i < n; i++)
		g_string_append_c(text, '#');
}

static void step_text(struct out *out, const json_t *step, json_int_t most, bool first)
{
	g_autoptr(GString) line = g_string_new(NULL);
	g_autofree char *hosts = few_hosts(out, json_object_get(step, "dropped"));
	g_autofree char *gained = atoms_text(out, json_object_get(step, "gained"));
	g_autofree char *given = atoms_text(out, json_object_get(step, "given_up"));

	g_string_printf(line, "  %6d %9d %7d %7d%s  ", (int)get_int(step, "kept_n"),
			(int)get_int(step, "dropped_n"), (int)get_int(step, "guests_n"),
			(int)get_int(step, "value"), json_is_true(json_object_get(step, "optimal")) ? " " : "+");
	bar(line, get_int(step, "value"), most);
	g_strchomp(line->str);
	out_line(out, "%s", line->str);
	if (*hosts)
		out_itemf(out, "", 11, "without %s", hosts);
	if (!first && *gained)
		out_itemf(out, "", 11, "gains %s", gained);
	if (!first && *given)
		out_itemf(out, "", 11, "gives up %s", given);
	text_price(out, json_object_get(step, "price"), "     price", 11);
}

static void tradeoff_group(struct out *out, const json_t *group)
{
	const json_t *steps = json_object_get(group, "steps"), *step;
	size_t n = json_array_size(steps), i;
	json_int_t most = n ? get_int(json_array_get(steps, n - 1), "value") : 0;
	g_autofree char *title = g_strdup_printf("%s %s", get_text(group, "arch", "?"),
						 get_text(group, "vendor", "?"));
	g_autofree char *hosts = count_text(get_int(group, "hosts_n"), "host", "hosts");
	g_autofree char *classes = count_text(get_int(group, "classes_n"), "class", "classes");
	bool open = false;

	out_line(out, "\n%-16s %s, %s", title, hosts, classes);
	pins_text(out, json_object_get(group, "pinned"), "  pinned");
	if (!n) {
		out_item(out, "  ", 2, "what is pinned can't be had on any host");
		return;
	}
	out_line(out, "  %6s %9s %7s %7s", "hosts", "left out", "guests", "worth");
	json_array_foreach (steps, i, step) {
		step_text(out, step, most, i == 0);
		open = open || json_is_false(json_object_get(step, "optimal"));
	}
	if (open)
		out_item(out, "  +", 11, "found by search: the best may be worth more (--json says how much)");
}

void text_tradeoff(struct out *out, const json_t *answer)
{
	const json_t *group;
	g_autofree char *hosts = count_text(get_int(answer, "hosts_n"), "host", "hosts");
	size_t i;

	out_line(out, "%s: who is left out, and what the others then have in common", hosts);
	json_array_foreach (json_object_get(answer, "groups"), i, group)
		tradeoff_group(out, group);
	out_line(out, "\nguests: those known on the hosts left out");
	out_line(out, "take a step: capbroker baseline --coverage SHARE");
	out_end(out, answer);
}

static void pool_text(struct out *out, const json_t *pool)
{
	g_autofree char *hosts = few_hosts(out, json_object_get(pool, "hosts"));
	g_autofree char *n = count_text(get_int(pool, "hosts_n"), "host", "hosts");
	const json_t *cpu = json_object_get(pool, "cpu");
	g_autofree char *model = cpu_text(cpu);
	bool known = get_text(cpu, "mode", NULL) || get_text(cpu, "model", NULL) ||
		     json_array_size(json_object_get(cpu, "features"));

	out_line(out, "\n%s: %s, each worth %d%s", get_text(pool, "name", "?"), n, (int)get_int(pool, "worth"),
		 json_is_true(json_object_get(pool, "fits")) ? "" : " (too small, or all in one place)");
	out_item(out, "  hosts", 11, hosts);
	out_item(out, "  cpu", 11, known ? model : "no feature that all of them are known to give");
	out_item(out, "  machine", 11, get_text(pool, "machine", "none known to be common"));
}

void text_pools(struct out *out, const json_t *answer)
{
	g_autofree char *hosts = count_text(get_int(answer, "hosts_n"), "host", "hosts");
	size_t n = json_array_size(json_object_get(answer, "pools"));
	g_autofree char *pools = count_text((json_int_t)n, "pool", "pools");
	json_int_t apart = get_int(answer, "value_apart");
	const json_t *pool;
	size_t i;

	out_line(out, "%s in %s", hosts, pools);
	if (json_array_size(json_object_get(answer, "below_floors"))) {
		g_autofree char *below = few_hosts(out, json_object_get(answer, "below_floors"));

		out_itemf(out, "", 2, "in no pool, for they are below the policy's floors: %s", below);
		pins_text(out, json_object_get(answer, "floors"), "  floor");
	}
	json_array_foreach (json_object_get(answer, "pools"), i, pool)
		pool_text(out, pool);
	out_line(out, "%s", "");
	out_itemf(out, "kept", 8, "%d %% of what each host has by itself; one pool a group keeps %d %%",
		  apart ? (int)(get_int(answer, "value") * 100 / apart) : 100,
		  apart ? (int)(get_int(answer, "value_whole") * 100 / apart) : 100);
	if (json_is_false(json_object_get(answer, "optimal")))
		out_itemf(out, "bound", 8, "found by search; no choice keeps more than %d %%",
			  apart ? (int)((get_int(answer, "bound") * 100 + apart - 1) / apart) : 100);
	out_end(out, answer);
}

static void shipped_text(struct out *out, const json_t *rows)
{
	const json_t *row;
	size_t i;

	out_line(out, "\nshipped weights");
	json_array_foreach (rows, i, row) {
		g_autofree char *head = g_strdup_printf("  %-32s %4s  ", get_text(row, "match", "?"),
							get_text(row, "weight", "?"));

		out_item(out, head, 41, get_text(row, "reason", ""));
	}
}

void text_policy(struct out *out, const json_t *answer)
{
	const json_t *verdicts = json_object_get(answer, "verdicts"), *floor, *coverage;
	g_autofree char *risks = join_strings(json_object_get(answer, "accept_risk"), " ");
	const char *check, *label = get_text(answer, "weight_label", NULL);
	json_t *verdict;
	size_t i;

	if (json_is_true(json_object_get(answer, "present")))
		out_line(out, "%s: fine (policy %s)", get_text(answer, "file", "?"), get_text(answer, "digest", "?"));
	else
		out_line(out, "%s: not there; everything is as it ships", get_text(answer, "file", "?"));
	json_object_foreach ((json_t *)verdicts, check, verdict)
		out_itemf(out, "  verdict", 11, "%s: %s", check, json_string_value(verdict));
	if (*risks)
		out_itemf(out, "  accepted", 11, "hazards and losses of security of: %s", risks);
	if (get_int(answer, "age_limit_s"))
		out_itemf(out, "  age", 11, "warn after %d s, unknown %d s later", (int)get_int(answer, "age_limit_s"),
			  (int)get_int(answer, "age_grace_s"));
	coverage = json_object_get(answer, "coverage");
	if (json_is_real(coverage) || label)
		out_itemf(out, "  coverage", 11, "%g %% of %s", json_is_real(coverage) ? json_real_value(coverage) * 100 : 100,
			  label ? label : "hosts");
	if (get_int(answer, "weights_n"))
		out_itemf(out, "  weights", 11, "%d of its own", (int)get_int(answer, "weights_n"));
	if (json_array_size(json_object_get(answer, "auto_raise"))) {
		g_autofree char *series = join_strings(json_object_get(answer, "auto_raise"), " ");

		out_itemf(out, "  levels", 11, "raised by themselves: %s (after %d s)", series,
			  (int)get_int(answer, "settle_s"));
	}
	json_object_foreach (json_object_get(answer, "unknown"), check, verdict)
		if (json_is_true(json_object_get(answer, "present")))
			out_itemf(out, "  unknown", 11, "%s: %s", check, json_string_value(verdict));
	json_array_foreach (json_object_get(answer, "floors"), i, floor)
		out_itemf(out, "  floor", 11, "%s: %s", get_text(floor, "group", "?"),
			  get_text(floor, "capability", "?"));
	if (out->options->verbose)
		shipped_text(out, json_object_get(answer, "shipped_weights"));
}
