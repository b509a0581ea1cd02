/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grammar.c: see grammar.h. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "model/error.h"
#include "model/grammar.h"

struct grammar {
	GHashTable *entries;  /* "PATH" or "PATH\tATTRIBUTE" → struct grammar_entry */
	GStringChunk *strings;
	const char *newest;
};

enum column { PATH, ATTRIBUTE, WHEN, VALUES, HOW, NOT_IN, FIRST_IN, LAST_IN, SIDE, SOURCE, COLUMNS };

static const char *const column_names[COLUMNS] = { "path",   "attribute", "when",    "values", "how",
						   "not_in", "first_in",  "last_in", "side",   "source" };

static void values_free(gpointer data)
{
	struct grammar_values *values = data;

	g_strfreev(values->words);
	g_free(values);
}

static void set_free(gpointer data)
{
	struct grammar_set *set = data;

	g_free(set->when_name);
	g_strfreev(set->when_words);
	g_ptr_array_unref(set->values);
	g_free(set);
}

static void entry_free(gpointer data)
{
	struct grammar_entry *entry = data;

	if (entry->sets)
		g_ptr_array_unref(entry->sets);
	g_free(entry);
}

void grammar_free(struct grammar *g)
{
	if (!g)
		return;
	g_hash_table_unref(g->entries);
	g_string_chunk_free(g->strings);
	g_free(g);
}

static const char *kept(struct grammar *g, const char *text)
{
	return strcmp(text, "-") ? g_string_chunk_insert_const(g->strings, text) : NULL;
}

static const char *kept_version(struct grammar *g, const char *text)
{
	const char *version = kept(g, text);

	if (version && (!g->newest || version_compare(version, g->newest) > 0))
		g->newest = version;
	return version;
}

/* "9.0.0<11.3.0": still in 9.0.0, gone in 11.3.0. */
static void read_last(struct grammar *g, const char *text, struct grammar_span *span)
{
	g_auto(GStrv) ends = g_strsplit(text, "<", 2);

	span->last_in = kept_version(g, ends[0]);
	span->gone_in = ends[1] ? kept_version(g, ends[1]) : NULL;
}

static struct grammar_span span_of(struct grammar *g, char *const *fields)
{
	struct grammar_span span = {
		.not_in = kept_version(g, fields[NOT_IN]),
		.first_in = kept_version(g, fields[FIRST_IN]),
		.host_side = !strcmp(fields[SIDE], "host"),
		.same_as = g_str_has_prefix(fields[SIDE], "but:") ? kept(g, fields[SIDE] + 4) : NULL,
		.source = kept(g, fields[SOURCE]),
	};

	read_last(g, fields[LAST_IN], &span);
	return span;
}

static const char *key_of(char *buffer, size_t size, const char *path, const char *attribute)
{
	if (!attribute)
		return path;
	g_snprintf(buffer, size, "%s\t%s", path, attribute);
	return buffer;
}

const struct grammar_entry *grammar_find(const struct grammar *g, const char *path,
					 const char *attribute)
{
	char buffer[256];

	return g_hash_table_lookup(g->entries, key_of(buffer, sizeof(buffer), path, attribute));
}

/* "../@type=tcp|unix"; false where it isn't of that form. */
static bool read_when(struct grammar_set *set, const char *when)
{
	const char *equals;

	if (!strcmp(when, "-"))
		return true;
	for (; g_str_has_prefix(when, "../"); when += 3)
		set->when_up++;
	equals = strchr(when, '=');
	if (*when != '@' || !equals || set->when_up > GRAMMAR_MAX_WHEN_UP)
		return false;
	set->when_name = g_strndup(when + 1, (gsize)(equals - when - 1));
	set->when_words = g_strsplit(equals + 1, "|", -1);
	return true;
}

static bool same_when(const struct grammar_set *a, const struct grammar_set *b)
{
	return a->when_up == b->when_up && !g_strcmp0(a->when_name, b->when_name) &&
	       (!a->when_name || g_strv_equal((const char *const *)a->when_words,
					      (const char *const *)b->when_words));
}

/* The entry's set of the row's places, made where there is none yet; NULL: the row is wrong. */
static struct grammar_set *set_of(struct grammar *g, struct grammar_entry *entry, char *const *fields)
{
	struct grammar_set *set = g_new0(struct grammar_set, 1);
	const char *since = strchr(fields[HOW], ':');

	set->values = g_ptr_array_new_with_free_func(values_free);
	if (!g_str_has_prefix(fields[HOW], "refused") || !read_when(set, fields[WHEN])) {
		set_free(set);
		return NULL;
	}
	set->refused_since = since ? kept_version(g, since + 1) : NULL;
	if (!entry->sets)
		entry->sets = g_ptr_array_new_with_free_func(set_free);
	for (guint i = 0; i < entry->sets->len; i++) {
		struct grammar_set *other = g_ptr_array_index(entry->sets, i);

		if (same_when(other, set)) {
			set_free(set);
			return other;
		}
	}
	g_ptr_array_add(entry->sets, set);
	return set;
}

static bool add_values(struct grammar *g, struct grammar_entry *entry, char *const *fields)
{
	struct grammar_set *set = set_of(g, entry, fields);
	struct grammar_values *values;

	if (!set)
		return false;
	values = g_new0(struct grammar_values, 1);
	values->span = span_of(g, fields);
	values->words = g_strsplit(fields[VALUES], " ", -1);
	for (char **word = values->words; *word; word++)
		if (!strcmp(*word, "\"\""))
			**word = '\0';
	g_ptr_array_add(set->values, values);
	return true;
}

/* One row stands for each of its paths. An attribute's own row comes before those of its values. */
static bool add_path(struct grammar *g, const char *path, char *const *fields)
{
	const char *attribute = strcmp(fields[ATTRIBUTE], "-") ? fields[ATTRIBUTE] : NULL;
	char buffer[256];
	const char *key = key_of(buffer, sizeof(buffer), path, attribute);
	struct grammar_entry *entry = g_hash_table_lookup(g->entries, key);

	if (strcmp(fields[VALUES], "-"))
		return entry && attribute && add_values(g, entry, fields);
	if (entry) { /* a site's own row */
		entry->span = span_of(g, fields);
		return true;
	}
	entry = g_new0(struct grammar_entry, 1);
	entry->span = span_of(g, fields);
	g_hash_table_insert(g->entries, (gpointer)g_string_chunk_insert(g->strings, key), entry);
	return true;
}

static bool add_row(struct grammar *g, char *const *fields)
{
	g_auto(GStrv) paths = g_strsplit(fields[PATH], "|", -1);

	for (char **path = paths; *path; path++)
		if (!add_path(g, *path, fields))
			return false;
	return true;
}

/* Rows of elements and attributes first (@values false), then those of their values. */
static bool add_rows(struct grammar *g, const struct table *table, bool values, GError **error)
{
	for (guint i = 0; i < table->rows->len; i++) {
		char *const *fields = g_ptr_array_index(table->rows, i);

		if (values == !strcmp(fields[VALUES], "-") || add_row(g, fields))
			continue;
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "row %u (%s @%s): not of the form that is told in README.md", i + 1,
			    fields[PATH], fields[ATTRIBUTE]);
		return false;
	}
	return true;
}

struct grammar *grammar_new(const struct table *table, GError **error)
{
	struct grammar *g = g_new0(struct grammar, 1);

	g->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
	g->strings = g_string_chunk_new(65536);
	for (int i = 0; i < COLUMNS; i++) {
		if (table_column(table, column_names[i]) == i)
			continue;
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "no column '%s' in place %d",
			    column_names[i], i + 1);
		goto fail;
	}
	if (add_rows(g, table, false, error) && add_rows(g, table, true, error))
		return g;
fail:
	grammar_free(g);
	return NULL;
}

char *grammar_path(const char *up, const char *name)
{
	const char *last = strrchr(up, '/');

	if (!strcmp(name, "backingStore") || !strcmp(name, "dataStore") || !strcmp(name, "mirror"))
		return g_strconcat("devices/disk/", name, NULL);
	if (!strcmp(last ? last + 1 : up, name))
		return g_strdup(up);
	return *up ? g_strconcat(up, "/", name, NULL) : g_strdup(name);
}

int grammar_knows(const struct grammar_span *span, const char *version)
{
	if (span->last_in && version_compare(version, span->last_in) > 0)
		return span->gone_in && version_compare(version, span->gone_in) >= 0 ? 0 : -1;
	if (span->first_in && version_compare(version, span->first_in) >= 0)
		return 1;
	return span->not_in && version_compare(version, span->not_in) <= 0 ? 0 : -1;
}

const char *grammar_newest(const struct grammar *g)
{
	return g->newest;
}

/* Is the text a number as strtol() reads it, in @base 10 or 0? */
static bool read_number(const char *text, bool hex, bool *negative, bool *too_large, guint64 *number)
{
	char *end = NULL;

	*negative = *text == '-';
	text += *negative;
	if (!g_ascii_isdigit(*text))
		return false;
	errno = 0;
	*number = g_ascii_strtoull(text, &end, hex ? 0 : 10);
	*too_large = errno == ERANGE;
	return !*end;
}

/*
 * Is the text of a kind of numbers? The kind: "#int" or "#uint", 32 or 64 where larger ones are
 * refused, "x" where 0x10 is taken, ">0" where 0 isn't.
 */
static bool is_of_kind(const char *text, const char *kind)
{
	bool is_signed = g_str_has_prefix(kind, "#int"), negative, too_large;
	guint64 number;

	if (!read_number(text, strchr(kind, 'x') != NULL, &negative, &too_large, &number))
		return false;
	if ((negative && !is_signed) || (g_str_has_suffix(kind, ">0") && !number))
		return false;
	if (strstr(kind, "32"))
		return number <= G_MAXUINT32;
	return !strstr(kind, "64") || !too_large;
}

/* The values of the set that a value is one of, or NULL. */
static const struct grammar_values *values_with(const struct grammar_set *set, const char *value,
						const char *version)
{
	const struct grammar_values *found = NULL;

	for (guint i = 0; i < set->values->len; i++) {
		const struct grammar_values *values = g_ptr_array_index(set->values, i);

		for (char **word = values->words; *word; word++) {
			if (**word == '#' ? !is_of_kind(value, *word) : strcmp(*word, value))
				continue;
			if (grammar_knows(&values->span, version) > 0)
				return values;
			found = found ? found : values;
		}
	}
	return found;
}

enum grammar_answer grammar_value(const struct grammar *g, const struct grammar_set *set,
				  const char *value, const char *version,
				  const struct grammar_span **known)
{
	const struct grammar_values *values = values_with(set, value, version);

	*known = values ? &values->span : NULL;
	if (set->refused_since && version_compare(version, set->refused_since) < 0)
		return GRAMMAR_FINE;
	if (!values)
		return version_compare(version, g->newest) <= 0 ? GRAMMAR_REFUSED : GRAMMAR_PERHAPS;
	switch (grammar_knows(&values->span, version)) {
	case 0:
		return GRAMMAR_REFUSED;
	case 1:
		return GRAMMAR_FINE;
	default:
		/* older than all that were looked at: most likely as they are */
		return values->span.not_in || values->span.last_in ? GRAMMAR_PERHAPS : GRAMMAR_FINE;
	}
}
