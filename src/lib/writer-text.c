/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text.c: the short answers as text, and the way to the long ones; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

/* Hosts that don't take the guests of a level that they are selected for, by level. */
static void text_below(struct out *out, const json_t *hosts)
{
	static const char *const words[][2] = { { "no", "below" }, { "unknown", "unknown" } };
	json_t *below = json_object(), *names;
	const json_t *host, *level;
	const char *key;
	size_t i, k;

	for (size_t w = 0; w < G_N_ELEMENTS(words); w++) {
		json_array_foreach (hosts, i, host)
			json_array_foreach (json_object_get(host, "levels"), k, level) {
				key = get_text(level, "level", "?");
				if (strcmp(get_text(level, "takes", ""), words[w][0]))
					continue;
				names = json_object_get(below, key);
				if (!names)
					json_object_set_new(below, key, names = json_array());
				json_array_append(names, json_object_get(host, "name"));
			}
		if (json_object_size(below))
			out_line(out, "%s", "");
		json_object_foreach (below, key, names) {
			g_autofree char *few = few_hosts(out, names);

			out_itemf(out, words[w][1], 9, "%s: %s (capbroker level join HOST %s)", key, few, key);
		}
		json_object_clear(below);
	}
	json_decref(below);
}

static void text_hosts(struct out *out, const json_t *answer)
{
	const json_t *hosts = json_object_get(answer, "hosts");
	g_autoptr(GHashTable) classes = g_hash_table_new(g_str_hash, g_str_equal);
	const json_t *host;
	size_t i;

	json_array_foreach (hosts, i, host)
		g_hash_table_add(classes, (void *)get_text(host, "class", "?"));
	out_line(out, "%zu host%s, %u class%s", json_array_size(hosts),
		 plural((json_int_t)json_array_size(hosts)), g_hash_table_size(classes),
		 g_hash_table_size(classes) == 1 ? "" : "es");
	if (!json_array_size(hosts))
		return;
	out_line(out, "\n%-28s %-8s %-9s %-12s %s", "name", "arch", "class", "cluster", "confirmed");
	json_array_foreach (hosts, i, host) {
		g_autofree char *age = age_text(json_object_get(host, "age_s"));

		out_line(out, "%-28s %-8s %-9s %-12s %s", get_text(host, "name", "?"),
			 get_text(host, "arch", "?"), get_text(host, "class", "?"),
			 get_text(host, "cluster", "-"), age);
	}
	text_below(out, hosts);
}

/* A CPU definition in a word: its model, or its mode. */
static const char *cpu_word(const json_t *cpu)
{
	return get_text(cpu, "model", get_text(cpu, "mode", "default"));
}

static void text_guests(struct out *out, const json_t *answer)
{
	const json_t *guests = json_object_get(answer, "guests");
	const json_t *guest;
	size_t i, running = 0;

	json_array_foreach (guests, i, guest)
		running += json_is_true(json_object_get(guest, "running"));
	out_line(out, "%zu guest%s, %zu running", json_array_size(guests),
		 plural((json_int_t)json_array_size(guests)), running);
	if (!json_array_size(guests))
		return;
	out_line(out, "\n%-20s %-8s %-16s %-18s %s", "name", "state", "host", "machine", "cpu");
	json_array_foreach (guests, i, guest)
		out_line(out, "%-20s %-8s %-16s %-18s %s", get_text(guest, "name", "?"),
			 json_is_true(json_object_get(guest, "running")) ? "running" : "defined",
			 get_text(guest, "host", "-"),
			 get_text(json_object_get(guest, "os"), "machine", "default"),
			 cpu_word(json_object_get(guest, "cpu")));
}

static size_t count_changes(const json_t *hosts, const char *change)
{
	const json_t *host;
	size_t i, n = 0;

	json_array_foreach (hosts, i, host)
		n += !strcmp(get_text(host, "change", ""), change);
	return n;
}

static void text_import(struct out *out, const json_t *answer)
{
	const json_t *hosts = json_object_get(answer, "hosts");
	const json_t *guests = json_object_get(answer, "guests");
	size_t n = json_array_size(hosts), g = json_array_size(guests);
	const json_t *host;
	size_t i;

	if (count_changes(hosts, "named")) {
		out_line(out, "named %s", json_string_value(json_object_get(json_array_get(hosts, 0), "name")));
		return;
	}
	out_line(out, "imported %zu host%s (%zu new, %zu changed, %zu as before) and %zu guest%s", n,
		 plural((json_int_t)n), count_changes(hosts, "new"), count_changes(hosts, "changed"),
		 count_changes(hosts, "confirmed"), g, plural((json_int_t)g));
	if (out->options->verbose)
		json_array_foreach (hosts, i, host)
			out_line(out, "  %-10s %s", get_text(host, "change", "?"),
				 get_text(host, "name", "?"));
	json_array_foreach (json_object_get(answer, "failed"), i, host)
		out_itemf(out, "failed", 8, "%s: %s", get_text(host, "uri", "?"),
			  get_text(host, "reason", "?"));
}

static void text_error(struct out *out, const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");

	out_line(out, "%s: %s (%s)", get_text(error, "where", "capbroker"),
		 get_text(error, "message", "?"), get_text(error, "fix", "no remedy is known"));
}

static void text_forget(struct out *out, const json_t *answer)
{
	out_line(out, "forgotten: %s", get_text(answer, "forgotten", "?"));
}

static void text_restore(struct out *out, const json_t *answer)
{
	const json_t *added = json_object_get(answer, "added"), *same = json_object_get(answer, "same");
	bool dry = json_is_true(json_object_get(answer, "dry_run"));
	const char *section;
	json_t *n;

	out_line(out, "%s: %s", get_text(answer, "file", "?"),
		 dry ? "would be restored" : json_object_size(added) ? "restored" : "nothing new in it");
	json_object_foreach ((json_t *)added, section, n)
		out_line(out, "  %-10s %d", section, (int)json_integer_value(n));
	json_object_foreach ((json_t *)same, section, n)
		out_line(out, "  %-10s %d there already", section, (int)json_integer_value(n));
}

char *writer_text(const json_t *answer, const struct text_options *options)
{
	static const struct {
		const char *format;
		void (*write)(struct out *out, const json_t *answer);
	} writers[] = {
		{ "capbroker.hosts/1", text_hosts },	   { "capbroker.guests/1", text_guests },
		{ "capbroker.import/1", text_import },	   { "capbroker.forget/1", text_forget },
		{ "capbroker.error/1", text_error },	   { "capbroker.matrix/1", text_matrix },
		{ "capbroker.check/1", text_check },	   { "capbroker.baseline/1", text_baseline },
		{ "capbroker.show/1", text_show },	   { "capbroker.diff/1", text_diff },
		{ "capbroker.explain/1", text_explain },   { "capbroker.drain/1", text_drain },
		{ "capbroker.stranded/1", text_stranded }, { "capbroker.drift/1", text_drift },
		{ "capbroker.tradeoff/1", text_tradeoff }, { "capbroker.decision/1", text_decision },
		{ "capbroker.report/1", text_report },	   { "capbroker.overrides/1", text_overrides },
		{ "capbroker.pools/1", text_pools },	   { "capbroker.policy/1", text_policy },
		{ "capbroker.contracts/1", text_contracts }, { "capbroker.level-show/1", text_level_show },
		{ "capbroker.levels/1", text_levels },
		{ "capbroker.level-propose/1", text_level_propose },
		{ "capbroker.level-join/1", text_level_join },
		{ "capbroker.level-change/1", text_level_change },
		{ "capbroker.restore/1", text_restore },
		{ "capbroker.tokens/1", text_tokens },	   { "capbroker.status/1", text_status },
		{ "capbroker.sync/1", text_sync },
	};
	struct out out = { g_string_new(NULL), options };
	const char *format = get_text(answer, "format", "");
	const json_t *assumed = json_object_get(answer, "assumed");

	if (assumed) {
		g_autofree char *text = join_strings(assumed, ", ");

		out_item(&out, "assumed", 9, text);
		text_price(&out, json_object_get(answer, "assumed_price"), "price", 9);
		out_line(&out, "%s", "");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(writers); i++)
		if (!strcmp(writers[i].format, format))
			writers[i].write(&out, answer);
	return g_string_free(out.text, FALSE);
}
