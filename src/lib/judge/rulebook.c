/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rulebook.c: see rulebook.h. */
#include "config.h"

#include <string.h>

#include "judge/rule-host.h"
#include "judge/rulebook.h"
#include "model/error.h"

struct rulebook {
	GPtrArray *rules; /* struct rule */
};

enum { NAME, CHECK, BY, VERDICT, EFFECT, ON, SINCE, UNTIL, GUEST, HOST, TEXT, FIX, SOURCE, COLUMNS };
static const char *const columns[COLUMNS] = { "rule",  "check", "by",    "verdict", "effect",
					      "on",    "since", "until", "guest",   "host",
					      "text",  "fix",   "source" };

static void rule_free(gpointer data)
{
	struct rule *rule = data;

	if (!rule)
		return;
	xml_query_free(rule->guest);
	g_strfreev(rule->host);
	g_free(rule->since.out);
	g_free(rule->since.in);
	g_free(rule->until.out);
	g_free(rule->until.in);
	g_free(rule->first);
	g_free(rule);
}

static bool fail(const char *name, int column, const char *value, const char *what, GError **error)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "rule '%.64s': %s: '%.64s' %s", name,
		    columns[column], value, what);
	return false;
}

/* The place of a word among names; @n where it is none of them. */
static size_t place_of(const char *word, const char *(*name_of)(size_t), size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, name_of(i)))
			return i;
	return n;
}

static const char *verdict_at(size_t i)
{
	return verdict_name((enum verdict)i);
}

static const char *effect_at(size_t i)
{
	return effect_name((enum effect)i);
}

static const char *on_at(size_t i)
{
	static const char *const names[] = { "-", "start", "migrate", "both" };

	return names[i];
}

static const char *by_at(size_t i)
{
	return i ? "qemu" : "libvirt";
}

static bool parse_words(struct rule *rule, char *const *row, GError **error)
{
	size_t verdict = place_of(row[VERDICT], verdict_at, VERDICTS);
	size_t effect = place_of(row[EFFECT], effect_at, EFFECTS);
	size_t on = place_of(row[ON], on_at, 4), by = place_of(row[BY], by_at, 2);

	if (!check_find(rule->check))
		return fail(rule->name, CHECK, rule->check, "is no named check", error);
	if (by == 2)
		return fail(rule->name, BY, row[BY], "is neither libvirt nor qemu", error);
	if (verdict == VERDICTS || verdict == V_OK)
		return fail(rule->name, VERDICT, row[VERDICT], "is not block, warn or unknown", error);
	if (effect == EFFECTS)
		return fail(rule->name, EFFECT, row[EFFECT], "is no effect", error);
	if (on == 4 || !on)
		return fail(rule->name, ON, row[ON], "is not start, migrate or both", error);
	for (char **term = rule->host; *term; term++)
		if (**term && !rule_host_term_ok(*term))
			return fail(rule->name, HOST, *term, "is no term (rule-host.h lists them)", error);
	rule->by_qemu = by == 1;
	rule->verdict = (enum verdict)verdict;
	rule->effect = (enum effect)effect;
	rule->on = (on & 1 ? ON_START : 0) | (on & 2 ? ON_MIGRATE : 0);
	return true;
}

static bool is_version(const char *text)
{
	return g_ascii_isdigit(*text) && strspn(text, "0123456789.") == strlen(text);
}

/* "-", "11.3.0", "9.0.0<11.3.0": of the last, the version inside comes first in an until. */
static bool parse_edge(struct version_edge *edge, const char *name, int column, const char *text,
		       GError **error)
{
	g_auto(GStrv) ends = g_strsplit(text, "<", -1);
	guint n = g_strv_length(ends);
	bool until = column == UNTIL;

	if (!strcmp(text, "-"))
		return true;
	if (n < 1 || n > 2 || !is_version(ends[0]) || (n == 2 && !is_version(ends[1])))
		return fail(name, column, text, "is no version (write -, 9.0.0 or 9.0.0<11.3.0)", error);
	edge->in = g_strdup(n == 2 && !until ? ends[1] : ends[0]);
	if (n == 2)
		edge->out = g_strdup(until ? ends[1] : ends[0]);
	return true;
}

/*
 * "devices/iommu[…]…" can't be true without the element devices, and that without iommu: the last
 * plain name of the path's beginning is looked for before the expression is evaluated.
 */
static char *first_element(const char *expression)
{
	const char *start = expression, *end;

	for (;;) {
		end = start + strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		if (end == start)
			return NULL;
		if (*end != '/' || end[1] == '@' || end[1] == '/')
			break;
		if (!g_ascii_isalpha(end[1]))
			return NULL;
		start = end + 1;
	}
	if (*end && *end != '[' && *end != '/')
		return NULL;
	if (strstr(expression, "|") || strstr(expression, " or "))
		return NULL;
	return g_strndup(start, (gsize)(end - start));
}

static struct rule *parse_row(char *const *row, const char *where, GError **error)
{
	struct rule *rule = g_new0(struct rule, 1);

	rule->name = row[NAME];
	rule->check = row[CHECK];
	rule->text = row[TEXT];
	rule->fix = strcmp(row[FIX], "-") ? row[FIX] : NULL;
	rule->source = row[SOURCE];
	rule->since_text = row[SINCE];
	rule->until_text = row[UNTIL];
	rule->guest_text = row[GUEST];
	rule->host_text = row[HOST];
	rule->asks_machine = strstr(row[GUEST], "$machine") || strstr(row[GUEST], "$family");
	rule->asks_place = strchr(row[HOST], '{') != NULL;
	rule->first = first_element(row[GUEST]);
	rule->host = g_strsplit(strcmp(row[HOST], "-") ? row[HOST] : "", " ", -1);
	if (parse_words(rule, row, error) &&
	    parse_edge(&rule->since, rule->name, SINCE, row[SINCE], error) &&
	    parse_edge(&rule->until, rule->name, UNTIL, row[UNTIL], error)) {
		rule->guest = xml_query_new(row[GUEST], where, error);
		if (rule->guest)
			return rule;
		g_prefix_error(error, "rule '%.64s': ", rule->name);
	}
	rule_free(rule);
	return NULL;
}

static bool add_table(struct rulebook *book, GHashTable *names, struct table *table, GError **error)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (table->columns == COLUMNS && table_column(table, columns[i]) == i)
			continue;
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "definition-rules: column %d must be '%s' of %d in all", i + 1, columns[i], COLUMNS);
		return false;
	}
	for (guint i = 0; i < table->rows->len; i++) {
		struct rule *rule = parse_row(g_ptr_array_index(table->rows, i), "guest", error);

		if (!rule)
			return false;
		g_ptr_array_add(book->rules, rule);
		if (!g_hash_table_add(names, (gpointer)rule->name))
			return fail(rule->name, NAME, rule->name, "names two rules", error);
	}
	return true;
}

struct rulebook *rulebook_new(struct table *const *tables, size_t n, GError **error)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(Rulebook) book = g_new0(struct rulebook, 1);

	book->rules = g_ptr_array_new_with_free_func(rule_free);
	for (size_t i = 0; i < n; i++)
		if (!add_table(book, names, tables[i], error))
			return NULL;
	return g_steal_pointer(&book);
}

void rulebook_free(struct rulebook *book)
{
	if (!book)
		return;
	g_ptr_array_unref(book->rules);
	g_free(book);
}

guint rulebook_size(const struct rulebook *book)
{
	return book ? book->rules->len : 0;
}

const struct rule *rulebook_at(const struct rulebook *book, guint i)
{
	return g_ptr_array_index(book->rules, i);
}

const struct rule *rulebook_find(const struct rulebook *book, const char *name)
{
	for (guint i = 0; i < rulebook_size(book); i++)
		if (!strcmp(rulebook_at(book, i)->name, name))
			return rulebook_at(book, i);
	return NULL;
}

/* Of versions from an edge on (or up to it): inside, outside, or between what was looked at. */
static int beyond(const struct version_edge *edge, const char *version, int sign)
{
	if (!edge->in)
		return 1;
	if (!version)
		return -1;
	if (sign * version_compare(version, edge->in) >= 0)
		return 1;
	return edge->out && sign * version_compare(version, edge->out) > 0 ? -1 : 0;
}

int rule_holds_in(const struct rule *rule, const char *version)
{
	int since = beyond(&rule->since, version, 1), until = beyond(&rule->until, version, -1);

	if (!since || !until)
		return 0;
	return since < 0 || until < 0 ? -1 : 1;
}
