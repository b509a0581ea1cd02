/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-baseline.c: the answer "baseline" as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

/* Lines of a list that are shown without -v. */
#define FEW 10

static const char *short_id(const char *id)
{
	return g_str_has_prefix(id, "cpu.") ? id + strlen("cpu.") : id;
}

/* "Model + a b - c" of a model and a delta; with a mode: "host-model as power8". */
char *cpu_text(const json_t *cpu)
{
	const char *mode = get_text(cpu, "mode", NULL);
	const char *model = get_text(cpu, "model", mode ? NULL : "no model fits:");
	GString *text = g_string_new(mode ? mode : model);
	const json_t *f;
	size_t i;
	int last = 0;

	if (mode && model)
		g_string_append_printf(text, " as %s", model);
	for (int pass = 0; pass < 2; pass++)
		json_array_foreach (json_object_get(cpu, "delta"), i, f) {
			bool require = !strcmp(get_text(f, "policy", ""), "require");
			int sign = require ? '+' : '-';

			if (require != (pass == 0))
				continue;
			if (sign != last)
				g_string_append_printf(text, " %c", sign);
			last = sign;
			g_string_append_printf(text, " %s", get_text(f, "name", "?"));
		}
	return g_string_free(text, FALSE);
}

/* Entries that are alike but for their names, on one line. */
struct alike {
	GPtrArray *names; /* char * */
	const json_t *first;
	char *key;
};

static void alike_free(void *data)
{
	struct alike *alike = data;

	g_ptr_array_unref(alike->names);
	g_free(alike->key);
	g_free(alike);
}

/* Puts @name to the group of @key; takes both over. */
static void add_alike(GPtrArray *groups, char *name, char *key, const json_t *entry)
{
	struct alike *alike = NULL;

	for (guint i = 0; i < groups->len && !alike; i++) {
		alike = g_ptr_array_index(groups, i);
		if (strcmp(alike->key, key))
			alike = NULL;
	}
	if (alike) {
		g_free(key);
	} else {
		alike = g_new0(struct alike, 1);
		alike->names = g_ptr_array_new_with_free_func(g_free);
		alike->key = key;
		alike->first = entry;
		g_ptr_array_add(groups, alike);
	}
	g_ptr_array_add(alike->names, name);
}

/* "avx512f +4", or all of the names. */
static char *names_of(const struct alike *alike, bool all)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < alike->names->len; i++) {
		if (i && !all) {
			g_string_append_printf(text, " +%u", alike->names->len - 1);
			break;
		}
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       (char *)g_ptr_array_index(alike->names, i));
	}
	return g_string_free(text, FALSE);
}

/* What is lost, in a word: a feature's name, a machine type, a capability with its value. */
static char *lost_name(const json_t *l)
{
	const char *id = get_text(l, "capability", "?");
	const json_t *value = json_object_get(l, "value_lost");
	g_autofree char *shown = value_text(value);

	if (json_is_true(value))
		return g_strdup(short_id(id));
	if (!strcmp(id, "qemu.machine"))
		return g_steal_pointer(&shown);
	return g_strdup_printf("%s %s", short_id(id), shown);
}

static void lost(struct out *out, const json_t *group)
{
	g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(alike_free);
	const json_t *l;
	size_t i;

	json_array_foreach (json_object_get(group, "lost"), i, l) {
		g_autofree char *hosts = join_hosts(json_object_get(l, "hosts"), 0);

		add_alike(groups, lost_name(l),
			  g_strdup_printf("%d %s", (int)get_int(l, "has_it"), hosts), l);
	}
	if (groups->len)
		out_line(out, "  %-22s has it   because of", "lost");
	for (i = 0; i < groups->len; i++) {
		const struct alike *alike = g_ptr_array_index(groups, i);
		g_autofree char *names = names_of(alike, false);
		g_autofree char *all = names_of(alike, true);
		g_autofree char *hosts = few_hosts(out, json_object_get(alike->first, "hosts"));
		g_autofree char *has = g_strdup_printf("%d/%d", (int)get_int(alike->first, "has_it"),
						       (int)get_int(group, "hosts_n"));
		bool wide = strlen(names) > 22;
		g_autofree char *head = g_strdup_printf("  %-22s %-8s ", wide ? "" : names, has);

		if (i == FEW && !out->options->verbose) {
			out_line(out, "  and %zu more (-v)", groups->len - i);
			break;
		}
		if (wide)
			out_item(out, "  ", 2, names);
		out_item(out, head, 34, hosts);
		if (out->options->verbose && alike->names->len > 1)
			out_item(out, "      ", 6, all);
	}
}

/* Lines "ID on HOSTS: reason". */
static void reasons(struct out *out, const json_t *list, const char *head, const char *key)
{
	g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(alike_free);
	const json_t *r;
	size_t i;

	json_array_foreach (list, i, r) {
		g_autofree char *hosts = few_hosts(out, json_object_get(r, "hosts"));
		const char *reason = get_text(r, "reason", NULL);

		add_alike(groups, g_strdup(short_id(get_text(r, key, "?"))),
			  g_strdup_printf("%s%s%s%s", *hosts ? " on " : "", hosts,
					  reason ? ": " : "", reason ? reason : ""),
			  r);
	}
	for (i = 0; i < groups->len; i++) {
		const struct alike *alike = g_ptr_array_index(groups, i);
		g_autofree char *names = names_of(alike, out->options->verbose);

		if (i == FEW && !out->options->verbose) {
			out_line(out, "  and %zu more (-v)", groups->len - i);
			break;
		}
		out_itemf(out, i ? "" : head, 17, "%s%s", names, alike->key);
	}
}

static void machines(struct out *out, const json_t *group)
{
	const json_t *list = json_object_get(group, "machines");
	g_autofree char *all = join_strings(list, " ");
	size_t n = json_array_size(list);

	if (!n)
		out_item(out, "  machine", 11, "none known to be common");
	else if (out->options->verbose || n == 1)
		out_item(out, "  machine", 11, all);
	else
		out_itemf(out, "  machine", 11, "%s (and %zu more, -v)",
			  json_string_value(json_array_get(list, 0)), n - 1);
}

static void capabilities(struct out *out, const json_t *group)
{
	static const char *const always[] = { "cpu.phys-bits", "cpu.tsc-khz", "iommu.ranges", NULL };
	const char *id;
	json_t *value;

	json_object_foreach (json_object_get(group, "capabilities"), id, value) {
		g_autofree char *text = value_text(value);

		if (!out->options->verbose && !g_strv_contains(always, id))
			continue;
		out_itemf(out, "         ", 11, "%s: %s", short_id(id), text);
	}
}

static void cpu_lines(struct out *out, const json_t *cpu)
{
	const json_t *features = json_object_get(cpu, "features");
	g_autofree char *names = join_strings(features, " ");
	g_autofree char *text = cpu_text(cpu);
	bool named = get_text(cpu, "mode", NULL) || get_text(cpu, "model", NULL);

	if (!json_array_size(features) && !named)
		out_item(out, "  cpu", 11, "no feature that all of them are known to give");
	else
		out_item(out, "  cpu", 11, text);
	if (!json_array_size(features))
		return;
	out_itemf(out, "", 11, "(%zu features, %s%s)", json_array_size(features),
		  get_text(cpu, "view", "?"),
		  !strcmp(get_text(cpu, "usability", ""), "known") || get_text(cpu, "mode", NULL)
			  ? ""
			  : "; no list of usable models is known");
	if (out->options->verbose)
		out_item(out, "  features", 11, names);
}

static void group_text(struct out *out, const json_t *group)
{
	g_autofree char *title = g_strdup_printf("%s %s", get_text(group, "arch", "?"),
						 get_text(group, "vendor", "?"));
	g_autofree char *hosts = count_text(get_int(group, "hosts_n"), "host", "hosts");
	g_autofree char *classes = count_text(get_int(group, "classes_n"), "class", "classes");

	out_line(out, "\n%-16s %s, %s", title, hosts, classes);
	text_coverage(out, group);
	cpu_lines(out, json_object_get(group, "cpu"));
	machines(out, group);
	capabilities(out, group);
	lost(out, group);
	reasons(out, json_object_get(group, "unknown"), "  unknown", "id");
	reasons(out, json_object_get(group, "not_expressible"), "  no setting for", "id");
	text_price(out, json_object_get(group, "price"), "  price", 17);
	if (json_is_string(json_object_get(group, "best_step")))
		out_item(out, "  best step", 17, get_text(group, "best_step", ""));
}

void text_baseline(struct out *out, const json_t *answer)
{
	const json_t *groups = json_object_get(answer, "baselines");
	size_t n = json_array_size(groups);
	json_int_t classes = 0;
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group)
		classes += get_int(group, "classes_n");
	out_line(out, "%d host%s, %d class%s, %zu group%s%s", (int)get_int(answer, "hosts_n"),
		 plural(get_int(answer, "hosts_n")), (int)classes, classes == 1 ? "" : "es", n,
		 plural((json_int_t)n), n > 1 ? " (no live migration between groups)" : "");
	json_array_foreach (groups, i, group)
		group_text(out, group);
	out_line(out, "%s", "");
	json_array_foreach (groups, i, group)
		reasons(out, json_object_get(group, "differs_from_libvirt"), "unlike libvirt", "feature");
	out_line(out, "use it: capbroker baseline --format libvirt (or qemu, nova, …)");
	out_end(out, answer);
}
