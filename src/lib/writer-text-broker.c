/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-broker.c: tokens, and how a broker is. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

static void one_token(struct out *out, const json_t *t)
{
	bool enrols = json_is_true(json_object_get(t, "enrolment"));
	const char *role = enrols ? "enrol" : get_text(t, "role", "?");
	g_autofree char *uses = enrols ? g_strdup_printf("%d more", (int)get_int(t, "uses")) : NULL;
	const char *whose = uses ? uses : get_text(t, "host", "-");
	g_autofree char *until = g_strndup(get_text(t, "expires", "never"), strlen("2026-12-24"));

	out_line(out, "%-13s %-7s %-24.24s %-8s %s", get_text(t, "id", "?"), role, whose, get_text(t, "state", "?"), until);
	if (json_is_string(json_object_get(t, "note")) && strcmp(get_text(t, "note", ""), "enrolled"))
		out_item(out, "", 14, get_text(t, "note", ""));
}

void text_tokens(struct out *out, const json_t *answer)
{
	const json_t *tokens = json_object_get(answer, "tokens"), *t;
	g_autofree char *n = count_text((json_int_t)json_array_size(tokens), "token", "tokens");
	size_t i;

	out_line(out, "%s", n);
	if (json_array_size(tokens))
		out_line(out, "\n%-13s %-7s %-24s %-8s %s", "id", "role", "host", "state", "until");
	json_array_foreach (tokens, i, t)
		one_token(out, t);
}

void text_status(struct out *out, const json_t *answer)
{
	const char *trouble = get_text(answer, "trouble", NULL);
	g_autofree char *hosts = count_text(get_int(answer, "hosts_n"), "host", "hosts");
	g_autofree char *classes = count_text(get_int(answer, "classes_n"), "class", "classes");
	g_autofree char *guests = count_text(get_int(answer, "guests_n"), "guest", "guests");

	out_line(out, "%s: %s, %s, %s", trouble ? "cannot write" : "fine", hosts, classes, guests);
	if (trouble)
		out_item(out, "trouble", 9, trouble);
	out_itemf(out, "since", 9, "%s, capbrokerd %s, dictionary %s", get_text(answer, "started", "?"),
		  get_text(answer, "version", "?"), get_text(answer, "dictionary", "?"));
	out_itemf(out, "written", 9, "%lld confirmed, %lld changed, %lld refused, in %lld transactions",
		  (long long)get_int(answer, "confirmed"), (long long)get_int(answer, "changed"),
		  (long long)get_int(answer, "refused"), (long long)get_int(answer, "commits"));
	out_itemf(out, "now", 9, "%lld waiting to be written, %lld connections", (long long)get_int(answer, "waiting"),
		  (long long)get_int(answer, "connections"));
}
