/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-show.c: the answers "show" and "explain" as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

#define INDENT 12
#define FEW 8

static char *delta_text(const json_t *delta, bool all)
{
	GString *text = g_string_new(NULL);
	const json_t *f;
	size_t i, more = 0;

	json_array_foreach (delta, i, f) {
		if (!all && i >= 3 * FEW) {
			more++;
			continue;
		}
		g_string_append_printf(text, " %c%s",
				       strcmp(get_text(f, "policy", ""), "require") ? '-' : '+',
				       get_text(f, "name", "?"));
	}
	if (more)
		g_string_append_printf(text, " and %zu more (-v)", more);
	return g_string_free(text, FALSE);
}

static void cpu(struct out *out, const json_t *c)
{
	g_autofree char *delta = delta_text(json_object_get(c, "delta"), out->options->verbose);
	g_autofree char *head = g_strdup_printf("cpu %s", get_text(c, "accel", ""));
	g_autofree char *features = join_strings(json_object_get(c, "features"), " ");
	const json_t *numbers = json_object_get(c, "numbers");
	const json_t *bits = json_object_get(numbers, "cpu.phys-bits");
	g_autofree char *phys = json_integer_value(bits)
					? g_strdup_printf(", %d-bit addresses",
							  (int)json_integer_value(bits))
					: g_strdup("");

	out_itemf(out, head, INDENT, "%s%s", get_text(c, "model", "no named model:"), delta);
	out_itemf(out, "", INDENT, "(%s: %zu features%s%s)", get_text(c, "view", "?"),
		  json_array_size(json_object_get(c, "features")), phys,
		  json_is_true(json_object_get(c, "complete")) ? "" : "; more may be there unread");
	if (out->options->verbose)
		out_item(out, "  features", INDENT, features);
}

static void emulator(struct out *out, const json_t *e)
{
	g_autofree char *accels = join_strings(json_object_get(e, "accels"), ", ");
	g_autofree char *newest = join_strings(json_object_get(e, "newest"), " ");
	g_autofree char *all = join_strings(json_object_get(e, "machines"), " ");
	g_autofree char *deprecated = join_strings(json_object_get(e, "deprecated"), " ");
	g_autofree char *moves = join_strings(json_object_get(e, "migration"), " ");
	size_t old = json_array_size(json_object_get(e, "deprecated"));

	out_itemf(out, "emulator", INDENT, "%s %s (%s)", get_text(e, "path", "?"),
		  get_text(e, "version", "of unknown version"), accels);
	if (get_int(e, "machines_n"))
		out_itemf(out, "  machines", INDENT, "%d, newest %s", (int)get_int(e, "machines_n"),
			  newest);
	if (old && (out->options->verbose || old <= FEW))
		out_item(out, "  old", INDENT, deprecated);
	else if (old)
		out_itemf(out, "  old", INDENT, "%zu are deprecated (-v)", old);
	if (out->options->verbose && *all)
		out_item(out, "  all", INDENT, all);
	if (out->options->verbose && *moves)
		out_item(out, "  moves", INDENT, moves);
	else if (*moves)
		out_itemf(out, "  moves", INDENT, "%zu migration capabilities (-v)",
			  json_array_size(json_object_get(e, "migration")));
}

/* Those of the host's own architecture; libvirt lists many more where they are installed. */
static void emulators(struct out *out, const json_t *answer)
{
	const char *arch = get_text(json_object_get(answer, "host"), "arch", NULL);
	const json_t *e;
	size_t i, others = 0;

	json_array_foreach (json_object_get(answer, "emulators"), i, e) {
		if (out->options->verbose || !arch || !strcmp(get_text(e, "arch", arch), arch))
			emulator(out, e);
		else
			others++;
	}
	if (others)
		out_itemf(out, "", INDENT, "and %zu for other architectures (-v)", others);
}

/* Sources that went well, by their first two words: one line whatever their number. */
static void sources_read(struct out *out, const json_t *list)
{
	g_autoptr(GPtrArray) kinds = g_ptr_array_new_with_free_func(g_free);
	GString *text = g_string_new(NULL);
	const json_t *s;
	size_t i;

	json_array_foreach (list, i, s) {
		const char *name = get_text(s, "name", "?");
		const char *space = strchr(name, ' ');
		const char *end = space ? strchr(space + 1, ' ') : NULL;
		g_autofree char *kind = end && !out->options->verbose
						? g_strndup(name, (gsize)(end - name))
						: g_strdup(name);

		if (strcmp(get_text(s, "state", ""), "ok") ||
		    g_ptr_array_find_with_equal_func(kinds, kind, g_str_equal, NULL))
			continue;
		g_string_append_printf(text, "%s%s", kinds->len ? ", " : "", kind);
		g_ptr_array_add(kinds, g_steal_pointer(&kind));
	}
	if (text->len)
		out_item(out, "read", INDENT, text->str);
	g_string_free(text, TRUE);
}

static void sources(struct out *out, const json_t *answer)
{
	const json_t *list = json_object_get(json_object_get(answer, "probe"), "sources");
	const json_t *s;
	size_t i, bad = 0;

	json_array_foreach (list, i, s) {
		const char *state = get_text(s, "state", "?");

		if (!strcmp(state, "ok"))
			continue;
		if (bad++ == FEW && !out->options->verbose)
			out_item(out, "", INDENT, "and more (-v)");
		if (bad <= FEW || out->options->verbose)
			out_itemf(out, "unread", INDENT, "%s: %s: %s", get_text(s, "name", "?"), state,
				  get_text(s, "reason", "no reason given"));
	}
	sources_read(out, list);
}

/* Mitigations by what they are, not one a line. */
static void mitigations(struct out *out, const json_t *answer)
{
	static const char *const labels[] = { "vulnerable", "mitigated", "not-affected" };

	for (size_t l = 0; l < G_N_ELEMENTS(labels); l++) {
		GString *names = g_string_new(NULL);
		const json_t *m;
		size_t i;

		json_array_foreach (json_object_get(answer, "mitigations"), i, m) {
			const char *id = get_text(m, "id", "?");
			const char *dot = strrchr(id, '.');

			if (!strcmp(get_text(m, "label", ""), labels[l]))
				g_string_append_printf(names, "%s%s", names->len ? " " : "",
						       dot ? dot + 1 : id);
		}
		if (names->len && (l < 2 || out->options->verbose))
			out_item(out, labels[l], INDENT + 1, names->str);
		g_string_free(names, TRUE);
	}
}

static void about(struct out *out, const json_t *answer)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	const json_t *f;
	size_t i;

	json_array_foreach (json_object_get(answer, "about"), i, f) {
		const char *id = get_text(f, "id", "?");
		const char *dot = strchr(id, '.');
		g_autofree char *head = dot ? g_strndup(dot + 1, INDENT + 3) : NULL;
		g_autofree char *text = value_text(json_object_get(f, "value"));

		if (g_str_has_prefix(id, "host.") && g_hash_table_add(seen, (void *)id) &&
		    (out->options->verbose || strcmp(id, "host.cmdline")))
			out_item(out, head, MAX(strlen(head) + 1, INDENT), text);
	}
}

static void all_facts(struct out *out, const json_t *answer)
{
	const json_t *f;
	size_t i;

	if (!json_object_get(answer, "facts"))
		return;
	out_line(out, "\nfacts");
	json_array_foreach (json_object_get(answer, "facts"), i, f) {
		const json_t *scope = json_object_get(f, "scope");
		const char *state = get_text(f, "state", "?");
		g_autofree char *value = strcmp(state, "known")
						 ? g_strdup(state)
						 : value_text(json_object_get(f, "value"));

		out_itemf(out, "", 2, "%s %s   [%s %s %s]", get_text(f, "id", "?"), value,
			  get_text(scope, "view", "?"), get_text(scope, "machine", ""),
			  get_text(scope, "accel", ""));
	}
}

static void identity(struct out *out, const json_t *answer)
{
	const json_t *host = json_object_get(answer, "host");
	g_autofree char *age = age_text(json_object_get(host, "age_s"));
	const json_t *fingerprint = json_object_get(host, "fingerprint");
	const json_t *validity = json_object_get(answer, "validity");
	json_int_t twins = get_int(answer, "twins_n");

	out_line(out, "%s: %s, class %s, %s", get_text(host, "name", "?"),
		 get_text(host, "arch", "architecture not known"), get_text(host, "class", "?"),
		 twins ? twins == 1 ? "1 other host is the same" : "other hosts are the same"
		       : "no other host is the same");
	out_itemf(out, "known", INDENT, "confirmed %s, %s", age,
		  json_object_get(fingerprint, "imported")
			  ? "imported: whether it is still so isn't known"
		  : !strcmp(get_text(validity, "state", ""), "same")
			  ? "and neither kernel, microcode nor QEMU changed since"
			  : "true until its kernel, microcode, QEMU or libvirt changes");
	if (json_array_size(json_object_get(validity, "changed"))) {
		g_autofree char *names = join_strings(json_object_get(validity, "changed"), ", ");

		out_itemf(out, "changed", INDENT,
			  "%s: what is shown may be so no more (run 'capbroker probe')", names);
	}
	if (json_is_string(json_object_get(host, "uuid")))
		out_item(out, "uuid", INDENT, get_text(host, "uuid", ""));
	if (json_is_string(json_object_get(host, "cluster")))
		out_item(out, "cluster", INDENT, get_text(host, "cluster", ""));
	out_line(out, "%s", "");
}

void text_show(struct out *out, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "cpus");
	size_t unread = json_array_size(json_object_get(answer, "unread"));
	const json_t *one;
	size_t i;

	identity(out, answer);
	json_array_foreach (list, i, one)
		cpu(out, one);
	if (!json_array_size(list))
		out_item(out, "cpu", INDENT,
			 "what KVM or QEMU would give a guest isn't known: no source told");
	emulators(out, answer);
	text_units(out, answer);
	mitigations(out, answer);
	about(out, answer);
	sources(out, answer);
	if (unread)
		out_itemf(out, "facts", INDENT, "%d, of which %zu could not be read (-v)",
			  (int)get_int(answer, "facts_n"), unread);
	else
		out_itemf(out, "facts", INDENT, "%d (-v)", (int)get_int(answer, "facts_n"));
	all_facts(out, answer);
	out_end(out, answer);
}

static void explain_check(struct out *out, const json_t *check)
{
	g_autofree char *after = join_strings(json_object_get(check, "prerequisites"), " ");
	g_autofree char *rules = join_strings(json_object_get(check, "rules"), " ");

	out_line(out, "%s (check)", get_text(check, "name", "?"));
	out_item(out, "  ", 2, get_text(check, "title", ""));
	out_line(out, "%s", "");
	out_item(out, "  ", 2, get_text(check, "text", ""));
	if (*after)
		out_itemf(out, "  ", 2, "only once these hold: %s", after);
	if (*rules)
		out_itemf(out, "  ", 2, "its rules (explain RULE): %s", rules);
}

static void explain_rule(struct out *out, const json_t *rule)
{
	static const char *const keys[] = { "check", "by", "verdict", "effect", "on", "since", "until",
					    "guest", "host", "fix", "source" };

	out_line(out, "%s (rule)", get_text(rule, "name", "?"));
	out_item(out, "  ", 2, get_text(rule, "text", ""));
	out_line(out, "%s", "");
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *head = g_strdup_printf("  %s", keys[i]);

		if (strcmp(get_text(rule, keys[i], "-"), "-"))
			out_item(out, head, INDENT + 2, get_text(rule, keys[i], ""));
	}
}

static void item_of(struct out *out, const char *head, const json_t *list)
{
	g_autofree char *text = join_strings(list, " ");

	if (*text)
		out_item(out, head, INDENT + 2, text);
}

static void explain_names(struct out *out, const json_t *cap)
{
	const char *who;
	json_t *list;

	json_object_foreach (json_object_get(cap, "names"), who, list) {
		g_autofree char *head = g_strdup_printf("  %s", who);

		item_of(out, head, list);
	}
}

static void explain_hosts(struct out *out, const json_t *answer)
{
	static const char *const kinds[] = { "have", "lack", "unknown" };
	const json_t *hosts = json_object_get(answer, "hosts");

	for (size_t i = 0; hosts && i < G_N_ELEMENTS(kinds); i++) {
		const json_t *list = json_object_get(hosts, kinds[i]);
		g_autofree char *names = few_hosts(out, list);
		g_autofree char *head = g_strdup_printf("  %s", kinds[i]);

		if (json_array_size(list))
			out_itemf(out, head, INDENT + 2, "%zu host%s: %s", json_array_size(list),
				  plural((json_int_t)json_array_size(list)), names);
	}
}

static void explain_capability(struct out *out, const json_t *answer)
{
	const json_t *cap = json_object_get(answer, "capability");
	const json_t *reg = json_object_get(cap, "register");
	const char *const plain[][2] = { { "  unit", "unit" },
					 { "  security", "security" },
					 { "  since", "since" } };

	out_line(out, "%s", get_text(cap, "id", "?"));
	out_item(out, "  ", 2, get_text(cap, "sentence", ""));
	out_line(out, "%s", "");
	out_itemf(out, "  type", INDENT + 2, "%s", get_text(cap, "type", "?"));
	out_itemf(out, "  rule", INDENT + 2, "%s: %s", get_text(cap, "rule", "?"),
		  get_text(cap, "rule_means", ""));
	if (reg)
		out_itemf(out, "  bits", INDENT + 2, "%s, %d to %d", get_text(reg, "name", "?"),
			  (int)get_int(reg, "low"), (int)get_int(reg, "high"));
	explain_names(out, cap);
	item_of(out, "  attributes", json_object_get(cap, "attributes"));
	item_of(out, "  emulated by", json_object_get(cap, "emulated_by"));
	item_of(out, "  needs", json_object_get(cap, "needs"));
	item_of(out, "  values", json_object_get(cap, "labels"));
	for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
		if (json_is_string(json_object_get(cap, plain[i][1])))
			out_item(out, plain[i][0], INDENT + 2, get_text(cap, plain[i][1], ""));
	if (*get_text(cap, "source", ""))
		out_item(out, "  source", INDENT + 2, get_text(cap, "source", ""));
	explain_hosts(out, answer);
}

void text_explain(struct out *out, const json_t *answer)
{
	if (!strcmp(get_text(answer, "kind", ""), "check"))
		explain_check(out, json_object_get(answer, "check"));
	else if (!strcmp(get_text(answer, "kind", ""), "rule"))
		explain_rule(out, json_object_get(answer, "rule"));
	else
		explain_capability(out, answer);
}
