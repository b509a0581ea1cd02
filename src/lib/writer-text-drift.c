/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-drift.c: the answer "drift" as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

/* What is listed where nobody asks for all. */
#define FEW_MEANS 6
#define FEW_HURT 8
#define FEW_NAMES 10
#define LONG 120 /* a command line of the kernel, say */

static const json_t *group_of(const json_t *answer, const json_t *entry)
{
	return json_array_get(json_object_get(answer, "guest_groups"),
			      (size_t)json_integer_value(json_object_get(entry, "group")));
}

static int good(const json_t *counts)
{
	return (int)(get_int(counts, "ok") + get_int(counts, "warn"));
}

/* Names of an array, few of them where nobody asks for all. */
static char *few(const struct out *out, const json_t *names)
{
	GString *text = g_string_new(NULL);
	size_t n = json_array_size(names), i;

	for (i = 0; i < n && (i < FEW_NAMES || out->options->expand || n == FEW_NAMES + 1); i++)
		g_string_append_printf(text, "%s%s", i ? " " : "", json_string_value(json_array_get(names, i)));
	if (i < n)
		g_string_append_printf(text, " and %zu more", n - i);
	return g_string_free(text, FALSE);
}

static void names_line(struct out *out, const char *head, const json_t *names, const json_t *machines)
{
	g_autofree char *some = few(out, names), *types = few(out, machines);

	if (*some || *types)
		out_itemf(out, head, 12, "%s%s%s%s", some, *some && *types ? "; " : "",
			  *types ? "machine types " : "", types);
}

/* "QEMU 7.2.22 -> 10.0.13, host.kernel 6.1 -> 6.12" */
static void changed_line(struct out *out, const json_t *changed)
{
	GString *text = g_string_new(NULL);
	const json_t *c;
	size_t i;

	json_array_foreach (changed, i, c) {
		g_autofree char *before = value_text(json_object_get(c, "before"));
		g_autofree char *now = value_text(json_object_get(c, "now"));
		const char *id = get_text(c, "id", "?");

		if (strlen(before) + strlen(now) > LONG && !out->options->verbose) {
			g_string_append_printf(text, "%s%s (-v)", text->len ? ", " : "", id);
			continue;
		}
		if (i == FEW_NAMES && !out->options->verbose) {
			g_string_append_printf(text, " and %zu more (-v)", json_array_size(changed) - i);
			break;
		}
		g_string_append_printf(text, "%s%s %s -> %s", text->len ? ", " : "",
				       strcmp(id, "qemu.version") ? id : "QEMU", before, now);
	}
	if (text->len)
		out_item(out, "   changed", 12, text->str);
	g_string_free(text, TRUE);
}

static void means(struct out *out, const json_t *list)
{
	const json_t *text;
	size_t i;

	json_array_foreach (list, i, text) {
		if (i == FEW_MEANS && !out->options->verbose) {
			out_itemf(out, "", 12, "and %zu more (-v)", json_array_size(list) - i);
			break;
		}
		out_item(out, i ? "" : "   means", 12, json_string_value(text));
	}
}

static void hurt(struct out *out, const json_t *answer, const json_t *entry, const char *head)
{
	const json_t *group = group_of(answer, entry), *reason = json_object_get(entry, "reason");
	g_autofree char *names = out->options->expand ? join_hosts(json_object_get(group, "guests"), 0) :
							group_name(group, 30);
	bool live = !strcmp(get_text(group, "question", ""), "migrate");
	bool here = json_is_true(json_object_get(entry, "here"));
	int before = good(json_object_get(group, "hosts_before")), now = good(json_object_get(group, "hosts_now"));

	out_itemf(out, head, 12, "%s: %s %s -> %s; %d host%s -> %d%s", names,
		  here ? "runs there, a start again" : live ? "a move there" : "a start there",
		  get_text(entry, "before", "not known"), get_text(entry, "now", "gone"), before, plural(before),
		  now, before && !now ? ", NOWHERE to go" : "");
	if (json_is_object(reason))
		out_itemf(out, "", 14, "%s: %s", get_text(reason, "check", "?"), get_text(reason, "text", ""));
	if (json_is_string(json_object_get(reason, "fix")))
		out_itemf(out, "", 14, "fix: %s", get_text(reason, "fix", ""));
}

static json_int_t guests_in(const json_t *answer, const json_t *entries)
{
	const json_t *entry;
	json_int_t n = 0;
	size_t i;

	json_array_foreach (entries, i, entry)
		n += get_int(group_of(answer, entry), "guests_n");
	return n;
}

static void hurts(struct out *out, const json_t *answer, const json_t *transition)
{
	const json_t *list = json_object_get(transition, "hurts"), *entry;
	const json_t *helps = json_object_get(transition, "helps");
	size_t i;

	json_array_foreach (list, i, entry) {
		if (i == FEW_HURT && !out->options->verbose) {
			out_itemf(out, "", 12, "and %zu more kinds of guests (-v)", json_array_size(list) - i);
			break;
		}
		hurt(out, answer, entry, i ? "" : "   hurts");
	}
	if (!json_array_size(helps))
		return;
	if (out->options->verbose)
		json_array_foreach (helps, i, entry)
			hurt(out, answer, entry, i ? "" : "   helps");
	else
		out_itemf(out, "   helps", 12, "%d guests (-v)", (int)guests_in(answer, helps));
}

static void write_transition(struct out *out, const json_t *answer, const json_t *t, size_t number)
{
	g_autofree char *names = few_hosts(out, json_object_get(t, "hosts"));
	g_autofree char *hosts = count_text(get_int(t, "hosts_n"), "host", "hosts");
	g_autofree char *head = g_strdup_printf("%2zu ", number);

	out_line(out, "%s", "");
	out_itemf(out, head, 3, "%s: class %s -> %s: %s", hosts, get_text(t, "from_class", "(not known then)"),
		  get_text(t, "to_class", "(gone)"), names);
	changed_line(out, json_object_get(t, "changed"));
	names_line(out, "   lost", json_object_get(t, "lost"), json_object_get(t, "machines_lost"));
	names_line(out, "   gained", json_object_get(t, "gained"), json_object_get(t, "machines_gained"));
	means(out, json_object_get(t, "means"));
	hurts(out, answer, t);
}

void text_drift(struct out *out, const json_t *answer)
{
	const json_t *transitions = json_object_get(answer, "transitions"), *t;
	size_t n = json_array_size(transitions), i;
	int alike = (int)get_int(answer, "alike_n"), stranded = (int)get_int(answer, "stranded_n");
	int changed = (int)get_int(answer, "changed_n"), hurt_n = (int)get_int(answer, "hurt_n");

	out_line(out, "since %s: %d of %d host%s changed%s", get_text(answer, "since", "?"), changed,
		 (int)get_int(answer, "hosts_n"), plural(get_int(answer, "hosts_n")),
		 n ? (n > 1 ? ", in these ways:" : ", in one way:") : "");
	if (alike)
		out_line(out, "%d host%s another profile and %s to guests", alike,
			 alike == 1 ? " has" : "s have", alike == 1 ? "is what it was" : "are what they were");
	out_line(out, "%d guest%s hurt, %d with nowhere to go any more", hurt_n, plural(hurt_n), stranded);
	json_array_foreach (transitions, i, t)
		write_transition(out, answer, t, i + 1);
	out_line(out, "%s", "");
	out_end(out, answer);
}
