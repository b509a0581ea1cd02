/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-check.c: the answer "check" as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

/* What a verdict on a host is about: the question's own. */
static const char *verdict_of(const json_t *answer, const json_t *verdict)
{
	return get_text(verdict, get_text(answer, "question", "start"), "unknown");
}

/* Blocks are loud. */
static char *loud(const struct out *out, const char *verdict, size_t width)
{
	return out_verdict(out, strcmp(verdict, "block") ? verdict : "BLOCK", width);
}

static const char *effect_text(const json_t *f)
{
	const char *effect = get_text(f, "effect", "");

	if (!strcmp(effect, "hazard"))
		return "HAZARD (silent)";
	if (!strcmp(effect, "fails-safely"))
		return "fails safely";
	if (!strcmp(effect, "trapped"))
		return json_is_true(json_object_get(f, "hotplug")) ? "the guest stays" :
								     "gets there, can't come back";
	return "security loss";
}

/* Ids and values of an array of {"id","value"}: features by their last part where they are true. */
static char *needed(const json_t *entries)
{
	GString *text = g_string_new(NULL);
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		const char *id = get_text(entry, "id", "?");
		const json_t *value = json_object_get(entry, "value");
		const char *dot = strrchr(id, '.');
		g_autofree char *shown = value_text(value);

		if (i)
			g_string_append_c(text, ' ');
		if (json_is_true(value) && dot)
			g_string_append(text, dot + 1);
		else
			g_string_append_printf(text, "%s=%s", id, shown);
	}
	return g_string_free(text, FALSE);
}

/* Who allowed what this finding speaks against, and until when. */
static void override(struct out *out, const json_t *f)
{
	const json_t *o = json_object_get(f, "override");
	g_autofree char *day = g_strndup(get_text(o, "until", "?"), 10);

	if (o)
		out_itemf(out, "override", 10, "%s until %s (%s: %s); it would be %s",
			  get_text(f, "check", "?"), day, get_text(o, "by", "?"), get_text(o, "reason", "?"),
			  get_text(o, "was", "?"));
}

static void finding(struct out *out, const json_t *f)
{
	g_autofree char *word = loud(out, get_text(f, "verdict", "?"), 8);
	g_autofree char *head = g_strdup_printf("%s%s", word, get_text(f, "check", "?"));
	g_autofree char *need = needed(json_object_get(f, "need"));
	g_autofree char *have = needed(json_object_get(f, "have"));
	const char *where = get_text(f, "where", NULL), *origin = get_text(f, "origin", NULL);

	out_item(out, head, 41, effect_text(f));
	out_item(out, "        ", 8, get_text(f, "text", ""));
	if (*need && out->options->verbose)
		out_itemf(out, "  need", 8, "%s%s%s", need, where ? "   " : "", where ? where : "");
	else if (where)
		out_item(out, "  need", 8, where);
	if (*have && out->options->verbose)
		out_itemf(out, "  have", 8, "%s%s%s", have, origin ? "   " : "", origin ? origin : "");
	if (json_is_string(json_object_get(f, "fix")))
		out_item(out, "  fix", 8, get_text(f, "fix", ""));
	override(out, f);
	if (json_is_string(json_object_get(f, "found")))
		out_itemf(out, "  policy", 10, "found %s; the policy says %s", get_text(f, "found", "?"),
			  get_text(f, "verdict", "?"));
}

/* Does a finding bear on what was asked? */
static bool asked_for(const json_t *answer, const json_t *f)
{
	return json_is_true(json_object_get(f, get_text(answer, "question", "start")));
}

/* Names of the findings that bear on the other question alone. */
static void other_question(struct out *out, const json_t *answer, const json_t *verdict)
{
	bool live = !strcmp(get_text(answer, "question", ""), "migrate");
	GString *names = g_string_new(NULL);
	const json_t *f;
	size_t i;

	json_array_foreach (json_object_get(verdict, "findings"), i, f)
		if (!asked_for(answer, f))
			g_string_append_printf(names, "%s%s (%s)", names->len ? ", " : "",
					       get_text(f, "check", "?"), get_text(f, "verdict", "?"));
	if (names->len)
		out_itemf(out, "besides", 8, "bearing on %s alone: %s", live ? "a cold start" : "migration",
			  names->str);
	g_string_free(names, TRUE);
}

/* "plug hostdev 0000:01:00.0 in on r1n01" */
static void plug_line(struct out *out, const json_t *answer, const char *guest, const char *host,
		      const char *word)
{
	const json_t *device = json_object_get(answer, "device");
	const char *address = get_text(device, "address", NULL);

	out_line(out, "%s: plug %s%s%s in on %s: %s\n", guest, get_text(device, "element", "device"),
		 address ? " " : "", address ? address : "", host, word);
}

/* What becomes of a virtual IOMMU, where the guest has one. */
static void viommu_line(struct out *out, const json_t *verdict)
{
	const char *stage = get_text(verdict, "viommu", "none");

	if (strcmp(stage, "none"))
		out_itemf(out, "viommu", 8, "%s; QEMU starts: %s, DMA works: %s", stage,
			  get_text(verdict, "qemu_starts", "unknown"), get_text(verdict, "dma_works", "unknown"));
}

/* ", back to r1n04 too", or that it can't be; nothing where it isn't known where it comes from. */
static char *back_text(const json_t *answer, const json_t *verdict)
{
	const char *from = get_text(answer, "from", NULL), *back = get_text(verdict, "back", NULL);

	if (!from || !back || !strcmp(from, get_text(verdict, "host", "")))
		return g_strdup("");
	if (!strcmp(back, "ok") || !strcmp(back, "warn"))
		return g_strdup_printf(", %s again among them", from);
	return g_strdup_printf(", not %s (%s)", from, back);
}

static void onward(struct out *out, const json_t *answer, const json_t *verdict)
{
	g_autofree char *back = back_text(answer, verdict);
	int hosts = (int)get_int(verdict, "onward_hosts");

	if (json_object_get(verdict, "onward_before"))
		out_itemf(out, "onward", 8, "%d other host%s would take it with the device, %d without", hosts,
			  plural(hosts), (int)get_int(verdict, "onward_before"));
	else if (strcmp(get_text(verdict, "migrate", ""), "block") ||
		 strcmp(get_text(answer, "question", ""), "migrate"))
		out_itemf(out, "onward", 8, "%d other host%s would take it from there%s", hosts,
			  plural(hosts), back);
}

static const json_t *class_entry(const json_t *answer, const char *id)
{
	const json_t *class;
	size_t i;

	json_array_foreach (json_object_get(answer, "classes"), i, class)
		if (!strcmp(get_text(class, "id", ""), id))
			return class;
	return NULL;
}

static void passed(struct out *out, const json_t *class)
{
	const json_t *names = json_object_get(class, "passed");
	g_autofree char *word = out_verdict(out, "ok", 8);

	if (out->options->verbose && json_array_size(names)) {
		g_autofree char *all = join_strings(names, " ");

		out_item(out, word, 8, all);
	} else {
		out_itemf(out, word, 8, "%zu checks (-v)", json_array_size(names));
	}
}

static void guest_line(struct out *out, const json_t *guest)
{
	const char *uuid = get_text(guest, "uuid", NULL);
	g_autofree char *id = uuid ? g_strdup_printf("%.8s, ", uuid) : g_strdup("");

	if (json_is_true(json_object_get(guest, "cpu_only"))) {
		out_itemf(out, "guest", 8, "%sa <cpu> alone, so nothing but the CPU is judged", id);
		return;
	}
	out_itemf(out, "guest", 8, "%s%s, machine %s, CPU %s", id, get_text(guest, "type", "?"),
		  get_text(guest, "machine", "default"), get_text(guest, "cpu", "default"));
}

static void unjudged(struct out *out, const json_t *guest)
{
	const json_t *list = json_object_get(guest, "unjudged");
	GString *text = g_string_new(NULL);
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		if (!out->options->verbose && i == 4) {
			g_string_append_printf(text, ", and %zu more (-v)", json_array_size(list) - i);
			break;
		}
		g_string_append_printf(text, "%s%s", i ? ", " : "", get_text(one, "what", "?"));
		if (out->options->verbose)
			g_string_append_printf(text, " (%s)", get_text(one, "path", "?"));
	}
	if (text->len)
		out_itemf(out, "also", 8, "defined and not judged by this version: %s", text->str);
	g_string_free(text, TRUE);
}

static void instead(struct out *out, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "instead");
	g_autofree char *names = few_hosts(out, list);

	if (json_array_size(list))
		out_itemf(out, "instead", 8, "%s: would do", names);
}

/* One target: all there is to say of it. */
static void one_target(struct out *out, const json_t *answer, const json_t *verdict)
{
	const json_t *guest = json_object_get(answer, "guest");
	const char *name = get_text(guest, "name", "guest"), *host = get_text(verdict, "host", "?");
	const char *from = get_text(answer, "from", NULL);
	bool live = !strcmp(get_text(answer, "question", ""), "migrate");
	g_autofree char *word = loud(out, verdict_of(answer, verdict), 0);
	g_autofree char *age = age_text(json_object_get(verdict, "age_s"));
	const json_t *class = class_entry(answer, get_text(verdict, "class", ""));
	const json_t *cpu = json_object_get(verdict, "cpu");
	const json_t *f;
	size_t i;

	if (json_object_get(answer, "device"))
		plug_line(out, answer, name, host, word);
	else if (live)
		out_line(out, "%s: live %s -> %s: %s       (cold start there: %s)\n", name,
			 from ? from : "?", host, word, get_text(verdict, "start", "?"));
	else
		out_line(out, "%s: start on %s: %s\n", name, host, word);
	guest_line(out, guest);
	out_itemf(out, "target", 8, "%s, class %s (%d host%s), confirmed %s", host,
		  get_text(verdict, "class", "?"), (int)get_int(class, "hosts_n"),
		  plural(get_int(class, "hosts_n")), age);
	if (json_is_object(cpu))
		out_itemf(out, "cpu", 8, "%s%s%s, as %s sees it", get_text(cpu, "relation", "?"),
			  json_is_string(json_object_get(cpu, "reason")) ? ": " : "",
			  get_text(cpu, "reason", ""), get_text(cpu, "view", "nobody"));
	viommu_line(out, verdict);
	out_line(out, "%s", "");
	json_array_foreach (json_object_get(verdict, "findings"), i, f)
		if (asked_for(answer, f) || out->options->verbose)
			finding(out, f);
	passed(out, class);
	other_question(out, answer, verdict);
	out_line(out, "%s", "");
	unjudged(out, guest);
	onward(out, answer, verdict);
	instead(out, answer);
}

/* The verdict on the first host of a class's entry: all of them have the same. */
static const json_t *class_verdict(const json_t *answer, const json_t *class)
{
	const char *host = json_string_value(json_array_get(json_object_get(class, "hosts"), 0));
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(answer, "verdicts"), i, v)
		if (host && !strcmp(get_text(v, "host", ""), host))
			return v;
	return NULL;
}

static void class_findings(struct out *out, const json_t *answer, const json_t *verdict)
{
	const json_t *f;
	size_t i;

	json_array_foreach (json_object_get(verdict, "findings"), i, f) {
		if (out->options->verbose) {
			finding(out, f);
			continue;
		}
		if (!asked_for(answer, f))
			continue;
		out_itemf(out, "          ", 10, "%s: %s", get_text(f, "check", "?"),
			  get_text(f, "text", ""));
		if (json_is_string(json_object_get(f, "fix")))
			out_item(out, "     fix", 10, get_text(f, "fix", ""));
		override(out, f);
	}
}

/* Classes of which the same is said, as one row. */
struct row {
	const json_t *first; /* verdict on a host of the first class */
	size_t classes;
	json_t *hosts;
	char *said;
};

static void row_free(void *data)
{
	struct row *row = data;

	json_decref(row->hosts);
	g_free(row->said);
	g_free(row);
}

/* All that will be written of a verdict's findings. */
static char *said_of(const struct out *out, const json_t *answer, const json_t *verdict)
{
	bool quiet = !out->options->verbose;
	GString *text = g_string_new(NULL);
	const json_t *f;
	size_t i;

	g_string_append_printf(text, "%d\n", (int)get_int(verdict, "onward_hosts"));
	if (quiet && !strcmp(verdict_of(answer, verdict), "ok"))
		return g_string_free(text, FALSE);
	json_array_foreach (json_object_get(verdict, "findings"), i, f)
		if (!quiet || asked_for(answer, f))
			g_string_append_printf(text, "%s: %s\n%s\n%d\n", get_text(f, "check", "?"),
					       get_text(f, "text", ""), get_text(f, "fix", ""),
					       (int)get_int(json_object_get(f, "override"), "id"));
	return g_string_free(text, FALSE);
}

static void add_class(GPtrArray *rows, const json_t *class, const json_t *verdict, char *said)
{
	struct row *row = NULL;

	for (guint i = 0; i < rows->len && !row; i++) {
		row = g_ptr_array_index(rows, i);
		if (strcmp(row->said, said))
			row = NULL;
	}
	if (row) {
		g_free(said);
	} else {
		row = g_new0(struct row, 1);
		row->first = verdict;
		row->said = said;
		row->hosts = json_array();
		g_ptr_array_add(rows, row);
	}
	row->classes++;
	json_array_extend(row->hosts, json_object_get(class, "hosts"));
}

static void write_row(struct out *out, const json_t *answer, const char *verdict,
		      const struct row *row)
{
	g_autofree char *word = loud(out, verdict, 8);
	json_t *hosts = sort_names(row->hosts);
	g_autofree char *names = few_hosts(out, hosts);
	g_autofree char *class = row->classes > 1
					 ? g_strdup_printf("%zu", row->classes)
					 : g_strdup(get_text(row->first, "class", "?"));
	bool there = strcmp(verdict, "block") || strcmp(get_text(answer, "question", ""), "migrate");
	g_autofree char *onward = there ? g_strdup_printf("%d", (int)get_int(row->first, "onward_hosts")) :
					  g_strdup("-");
	g_autofree char *head = g_strdup_printf("%s%-9s %5zu %6s ", word, class,
						json_array_size(row->hosts), onward);

	out_item(out, head, 31, names);
	if (strcmp(verdict, "ok") || out->options->verbose)
		class_findings(out, answer, row->first);
	json_decref(hosts);
}

/* Classes of one verdict, with their hosts and why. */
static void classes_of(struct out *out, const json_t *answer, const char *wanted)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
	const json_t *class;
	size_t i;

	json_array_foreach (json_object_get(answer, "classes"), i, class) {
		const json_t *v = class_verdict(answer, class);

		if (!strcmp(verdict_of(answer, v), wanted))
			add_class(rows, class, v, said_of(out, answer, v));
	}
	for (i = 0; i < rows->len; i++)
		write_row(out, answer, wanted, g_ptr_array_index(rows, i));
}

static size_t count(const json_t *answer, const char *wanted)
{
	const json_t *v;
	size_t i, n = 0;

	json_array_foreach (json_object_get(answer, "verdicts"), i, v)
		n += !strcmp(verdict_of(answer, v), wanted);
	return n;
}

/* Several targets: a table by class. */
static void many_targets(struct out *out, const json_t *answer)
{
	static const char *const order[] = { "ok", "warn", "unknown", "block" };
	const json_t *guest = json_object_get(answer, "guest");
	const char *from = get_text(answer, "from", NULL);
	bool live = !strcmp(get_text(answer, "question", ""), "migrate");

	out_line(out, "%s: %s%s%s %zu hosts: %zu ok, %zu warn, %zu unknown, %zu block\n",
		 get_text(guest, "name", "guest"), live ? "live " : "start on",
		 live && from ? from : "", live ? " ->" : "",
		 json_array_size(json_object_get(answer, "verdicts")), count(answer, "ok"),
		 count(answer, "warn"), count(answer, "unknown"), count(answer, "block"));
	guest_line(out, guest);
	unjudged(out, guest);
	out_line(out, "\n%-7s %-9s %5s %6s  %s", "", "class", "hosts", "onward", "which");
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		classes_of(out, answer, order[i]);
	out_line(out, "%s", "");
	instead(out, answer);
}

void text_check(struct out *out, const json_t *answer)
{
	const json_t *verdicts = json_object_get(answer, "verdicts");

	if (json_array_size(verdicts) == 1)
		one_target(out, answer, json_array_get(verdicts, 0));
	else
		many_targets(out, answer);
	out_end(out, answer);
}
