/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-sync.c: the answer "sync" for people. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

static void names(struct out *out, const char *head, const json_t *array)
{
	g_autofree char *text = json_array_size(array) ? few_hosts(out, array) : NULL;

	if (text)
		out_item(out, head, 11, text);
}

static void entry(struct out *out, const json_t *one)
{
	const char *name = get_text(one, "host", get_text(one, "name", "?"));
	g_autofree char *added = join_strings(json_object_get(one, "added"), " ");
	g_autofree char *removed = join_strings(json_object_get(one, "removed"), " ");

	out_line(out, "%s", name);
	if (*added)
		out_item(out, "  gets", 11, added);
	if (*removed)
		out_item(out, "  loses", 11, removed);
}

void text_sync(struct out *out, const json_t *answer)
{
	const json_t *changed = json_object_get(answer, "changed"), *failed = json_object_get(answer, "failed"), *one;
	bool dry = json_is_true(json_object_get(answer, "dry_run"));
	g_autofree char *hosts = count_text(get_int(answer, "hosts_n"), "host", "hosts");
	size_t i;

	out_line(out, "%s, %s: %zu %s, %lld as before, %zu failed", get_text(answer, "target", "?"), hosts,
		 json_array_size(changed), dry ? "would change" : "changed", (long long)get_int(answer, "unchanged_n"),
		 json_array_size(failed));
	json_array_foreach (changed, i, one)
		if (i < 20 || out->options->expand)
			entry(out, one);
	if (json_array_size(changed) > 20 && !out->options->expand)
		out_line(out, "… and %zu more (--json has all)", json_array_size(changed) - 20);
	json_array_foreach (failed, i, one)
		out_itemf(out, "failed", 11, "%s: %s", get_text(one, "host", get_text(one, "name", "?")),
			  get_text(one, "reason", "?"));
	names(out, "not there", json_object_get(answer, "unmatched"));
	names(out, "untold", json_object_get(answer, "untold"));
	if (get_int(answer, "strangers_n"))
		out_itemf(out, "others", 11, "%lld there that no host of capbroker's stands behind",
			  (long long)get_int(answer, "strangers_n"));
	if (get_int(answer, "retries"))
		out_itemf(out, "conflicts", 11, "%lld writes tried again, as somebody else wrote meanwhile",
			  (long long)get_int(answer, "retries"));
}
