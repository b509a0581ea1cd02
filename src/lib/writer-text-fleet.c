/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-fleet.c: the answers "drain" and "stranded" as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

/* Reasons that are written where nobody asks for all. */
#define FEW_REASONS 2

static int hosts_of(const json_t *group, const char *verdict)
{
	return (int)get_int(json_object_get(group, "hosts"), verdict);
}

static char *group_names(const struct out *out, const json_t *group, size_t width)
{
	return out->options->expand ? join_hosts(json_object_get(group, "guests"), 0) :
				      group_name(group, width);
}

static char *loud(const struct out *out, const char *verdict, size_t width)
{
	return out_verdict(out, strcmp(verdict, "block") ? verdict : "BLOCK", width);
}

static void out_reasons(struct out *out, const json_t *group)
{
	const json_t *reasons = json_object_get(group, "reasons"), *r;
	size_t i;

	json_array_foreach (reasons, i, r) {
		g_autofree char *hosts = count_text(get_int(r, "hosts_n"), "host", "hosts");

		if (i == FEW_REASONS && !out->options->verbose) {
			out_line(out, "          and %zu more causes (-v)", json_array_size(reasons) - i);
			break;
		}
		out_itemf(out, "          ", 10, "%s: %s (%s)", get_text(r, "check", "?"), get_text(r, "text", ""),
			  hosts);
		if (json_is_string(json_object_get(r, "fix")))
			out_item(out, "     fix", 10, get_text(r, "fix", ""));
	}
}

/* --- drain ------------------------------------------------------------------------------------- */

/* "all 12 running guests can leave", "10 of 12 running guests can leave, 1 can't, 1 not known" */
static char *count_line(const json_t *counts, const char *what, const char *can)
{
	int all = (int)get_int(counts, "guests_n"), no = (int)get_int(counts, "block");
	int unknown = (int)get_int(counts, "unknown");
	GString *text = g_string_new(NULL);

	if (!all)
		g_string_append_printf(text, "no %s guests", what);
	else if (!no && !unknown)
		g_string_append_printf(text, "%s%d %s guest%s can %s", all > 1 ? "all " : "", all, what,
				       plural(all), can);
	else
		g_string_append_printf(text, "%d of %d %s guest%s can %s", all - no - unknown, all, what,
				       plural(all), can);
	if (no)
		g_string_append_printf(text, ", %d can't", no);
	if (unknown)
		g_string_append_printf(text, ", of %d it isn't known", unknown);
	return g_string_free(text, FALSE);
}

static void drain_group(struct out *out, const json_t *group)
{
	const char *verdict = get_text(group, "verdict", "unknown");
	const char *example = get_text(group, "example", NULL);
	g_autofree char *word = loud(out, verdict, 8);
	g_autofree char *names = group_name(group, 24);
	int onward = (int)get_int(group, "onward_hosts");
	g_autofree char *to = !example ? g_strdup("") :
			      onward ? g_strdup_printf("%s (%d onward)", example, onward) :
				       g_strdup_printf("%s (can't leave it)", example);

	g_string_append_printf(out->text, "%s%-24s %5d %5d %5d %5d  %s", word, names, hosts_of(group, "ok"),
			       hosts_of(group, "warn"), hosts_of(group, "unknown"), hosts_of(group, "block"),
			       to);
	out_end_line(out);
	if (out->options->expand) {
		g_autofree char *all = join_hosts(json_object_get(group, "guests"), 0);

		out_item(out, "        ", 8, all);
	}
	if (strcmp(verdict, "ok") && strcmp(verdict, "warn"))
		out_reasons(out, group);
}

static void drain_groups(struct out *out, const json_t *answer, const char *question, const char *title)
{
	static const char *const order[] = { "block", "unknown", "warn", "ok" };
	bool any = false;
	const json_t *group;
	size_t i;

	for (size_t v = 0; v < G_N_ELEMENTS(order); v++)
		json_array_foreach (json_object_get(answer, "guest_groups"), i, group) {
			if (strcmp(get_text(group, "question", ""), question) ||
			    strcmp(get_text(group, "verdict", ""), order[v]))
				continue;
			if (!any)
				out_line(out, "\n%-32s %5s %5s %5s %5s  %s", title, "ok", "warn", "?", "block",
					 "for example");
			any = true;
			drain_group(out, group);
		}
}

/* --- which order ------------------------------------------------------------------------------- */

static const char *when_text(const char *when)
{
	if (!strcmp(when, "first"))
		return "only changed hosts take it: change one without it first";
	if (!strcmp(when, "last"))
		return "nowhere to go when the last of them is changed";
	return "nowhere to go at all: has to be shut down";
}

static void upgrade_step(struct out *out, const json_t *step, size_t number)
{
	const json_t *stranded = json_object_get(step, "stranded"), *group;
	g_autofree char *names = few_hosts(out, json_object_get(step, "hosts"));
	g_autofree char *hosts = count_text(get_int(step, "hosts_n"), "host", "hosts");
	g_autofree char *guests = count_text(get_int(step, "guests_n"), "running guest", "running guests");
	g_autofree char *head = g_strdup_printf("%2zu ", number);
	const char *to = get_text(step, "to_class", NULL);
	size_t i;

	out_itemf(out, head, 3, "%s (%s, class %s -> %s): %s, %d stranded", names, hosts,
		  get_text(step, "from_class", "-"), to ? to : "gone", guests,
		  (int)get_int(step, "stranded_n"));
	json_array_foreach (stranded, i, group) {
		g_autofree char *of = group_names(out, group, 24);
		g_autofree char *line = g_strdup_printf("   %s", of);

		out_item(out, line, 28, when_text(get_text(group, "when", "")));
	}
}

static void upgrade(struct out *out, const json_t *answer)
{
	const json_t *plan = json_object_get(answer, "upgrade");
	const json_t *step;
	size_t i;

	if (!json_is_object(plan))
		return;
	out_line(out, "\n%s", "in this order, one host at a time, each emptied before:");
	json_array_foreach (json_object_get(plan, "steps"), i, step)
		upgrade_step(out, step, i + 1);
	if (!json_is_true(json_object_get(plan, "exact")))
		out_line(out, "   (too many kinds of changes to try all orders: the best next one each time)");
}

void text_drain(struct out *out, const json_t *answer)
{
	const char *verdict = get_text(answer, "verdict", "unknown");
	g_autofree char *running = count_line(json_object_get(answer, "running"), "running", "leave");
	g_autofree char *off = count_line(json_object_get(answer, "powered_off"), "powered-off",
					  "start elsewhere");
	const char *word = !strcmp(verdict, "block")   ? "can't be emptied" :
			   !strcmp(verdict, "unknown") ? "may not be emptied" :
							 "can be emptied";

	out_itemf(out, "", 0, "%s (class %s) %s: %s; %s", get_text(answer, "host", "?"),
		  get_text(answer, "class", "?"), word, running, off);
	drain_groups(out, answer, "migrate", "running: other hosts that are");
	drain_groups(out, answer, "start", "powered off: a start there is");
	upgrade(out, answer);
	out_line(out, "%s", "");
	out_end(out, answer);
}

/* --- stranded ---------------------------------------------------------------------------------- */

static void stranded_group(struct out *out, const json_t *group, const char *more)
{
	g_autofree char *names = group_names(out, group, 24);
	g_autofree char *on = few_hosts(out, json_object_get(group, "on"));
	bool live = !strcmp(get_text(group, "question", ""), "migrate");
	bool running = json_is_true(json_object_get(group, "running"));
	const char *state = live				       ? "running" :
			    running				       ? "restart" :
			    json_is_true(json_object_get(group, "saved")) ? "saved" :
									 "off";
	g_autofree char *head = g_strdup_printf("   %-8s %s", state, names);

	out_itemf(out, head, 38, "%s%s%s", *on ? (live ? "on " : "of ") : "", on, more);
}

static void stranded_cause(struct out *out, const json_t *cause, size_t number)
{
	g_autofree char *word = loud(out, get_text(cause, "verdict", "?"), 0);
	g_autofree char *guests = count_text(get_int(cause, "guests_n"), "guest", "guests");
	g_autofree char *head = g_strdup_printf("%2zu ", number);
	const json_t *group;
	size_t i;

	out_itemf(out, head, 3, "%s  %s: %s: %s", word, guests, get_text(cause, "check", "?"),
		  get_text(cause, "text", ""));
	if (json_is_string(json_object_get(cause, "fix")))
		out_item(out, "   fix", 9, get_text(cause, "fix", ""));
	json_array_foreach (json_object_get(cause, "guest_groups"), i, group) {
		stranded_group(out, group, "");
		if (out->options->verbose)
			out_reasons(out, group);
	}
}

static void limited(struct out *out, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "limited"), *group;
	int few = (int)get_int(answer, "few");
	size_t i;

	if (!json_array_size(list))
		return;
	out_line(out, "\nlimited to %d host%s%s", few, plural(few), few > 1 ? " or fewer" : "");
	json_array_foreach (list, i, group) {
		const json_t *why = json_array_get(json_object_get(group, "reasons"), 0);
		g_autofree char *to = join_strings(json_object_get(group, "to"), " ");
		g_autofree char *more = g_strdup_printf(" -> %s", to);

		stranded_group(out, group, more);
		if (why)
			out_itemf(out, "          ", 10, "else %s: %s", get_text(why, "check", "?"),
				  get_text(why, "text", ""));
	}
}

static void snapshots(struct out *out, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "snapshots"), *one;
	size_t i;

	if (json_array_size(list))
		out_line(out, "\nsnapshots whose machine type no host is known to have");
	json_array_foreach (list, i, one) {
		const json_t *machine = json_object_get(one, "machine");
		const char *removed = get_text(machine, "removed", NULL);
		g_autofree char *when = removed ? g_strdup_printf(" (removed in QEMU %s, %.4s)",
								  get_text(machine, "removed_in", "?"), removed) :
						  g_strdup("");

		if (i == MANY_HOSTS && !out->options->verbose) {
			out_line(out, "   and %zu more (-v)", json_array_size(list) - i);
			break;
		}
		out_itemf(out, "   ", 3, "%s of %s: %s%s", get_text(one, "snapshot", "?"),
			  get_text(one, "guest", "?"), get_text(one, "name", "?"), when);
	}
}

void text_stranded(struct out *out, const json_t *answer)
{
	const json_t *causes = json_object_get(answer, "causes"), *cause;
	int all = (int)get_int(answer, "guests_n");
	size_t i;

	out_line(out, "%d guest%s: %d freely, %d limited, %d nowhere, %d unknown", all, plural(all),
		 (int)get_int(answer, "free_n"), (int)get_int(answer, "limited_n"),
		 (int)get_int(answer, "nowhere_n"), (int)get_int(answer, "unknown_n"));
	if (json_array_size(causes))
		out_line(out, "\nnowhere to go, as far as is known");
	json_array_foreach (causes, i, cause)
		stranded_cause(out, cause, i + 1);
	limited(out, answer);
	snapshots(out, answer);
	upgrade(out, answer);
	out_line(out, "\nrunning guests: migrate elsewhere; powered-off ones: start anywhere");
	out_end(out, answer);
}
