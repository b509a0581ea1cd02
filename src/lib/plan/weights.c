/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* weights.c: see weights.h. */
#include "config.h"

#include <string.h>

#include "model/dictionary.h"
#include "model/error.h"
#include "plan/weights.h"

struct prefix {
	char *text;
	guint weight;
};

struct weights {
	GHashTable *exact;    /* atom, id or "class:NAME" → 1 + weight */
	GArray *prefixes;     /* struct prefix, the longest first */
};

static void clear_prefix(void *data)
{
	g_free(((struct prefix *)data)->text);
}

struct weights *weights_new(void)
{
	struct weights *w = g_new0(struct weights, 1);

	w->exact = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	w->prefixes = g_array_new(FALSE, FALSE, sizeof(struct prefix));
	g_array_set_clear_func(w->prefixes, clear_prefix);
	return w;
}

void weights_free(struct weights *w)
{
	if (!w)
		return;
	g_hash_table_unref(w->exact);
	g_array_unref(w->prefixes);
	g_free(w);
}

guint weights_size(const struct weights *w)
{
	return g_hash_table_size(w->exact) + w->prefixes->len;
}

/* Is anything of the dictionary called so, or does anything begin so? */
static bool is_known(const char *match)
{
	const char *class = g_str_has_prefix(match, "class:") ? match + strlen("class:") : NULL;
	bool open = g_str_has_suffix(match, "*");
	size_t whole = strlen(match) - open, length = MIN(whole, strcspn(match, "=>"));

	for (size_t i = 0; i < cap_count; i++) {
		const char *id = class ? cap_table[i].security : cap_table[i].id;
		size_t n = class ? whole - strlen("class:") : length;

		if (id && !strncmp(id, class ? class : match, n) &&
		    ((open && n == (class ? whole - strlen("class:") : whole)) || !id[n]))
			return true;
	}
	return false;
}

static void add_prefix(struct weights *w, const char *match, guint weight)
{
	struct prefix new = { g_strndup(match, strlen(match) - 1), weight };
	guint i = 0;

	for (; i < w->prefixes->len; i++) {
		struct prefix *p = &g_array_index(w->prefixes, struct prefix, i);

		if (!strcmp(p->text, new.text)) {
			p->weight = weight;
			g_free(new.text);
			return;
		}
		if (strlen(p->text) < strlen(new.text))
			break;
	}
	g_array_insert_val(w->prefixes, i, new);
}

bool weights_add(struct weights *w, const char *match, guint weight, GError **error)
{
	if (!is_known(match)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "'%s' is no capability, class:NAME or beginning of one (see 'capbroker explain')",
			    match);
		return false;
	}
	if (g_str_has_suffix(match, "*"))
		add_prefix(w, match, weight);
	else
		g_hash_table_insert(w->exact, g_strdup(match), GUINT_TO_POINTER(weight + 1));
	return true;
}

bool weight_parse(const char *text, guint *weight, GError **error)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text, 10, 0, WEIGHT_MAX, &value, NULL)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "'%s' is no weight (a whole number from 0 to %u)", text, WEIGHT_MAX);
		return false;
	}
	*weight = (guint)value;
	return true;
}

struct weights *weights_from_table(const struct table *table, GError **error)
{
	struct weights *w = weights_new();
	int match = table_column(table, "match"), weight = table_column(table, "weight");
	bool ok = match >= 0 && weight >= 0;

	if (!ok)
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "no columns 'match' and 'weight'");
	for (guint i = 0; ok && i < table->rows->len; i++) {
		char **row = g_ptr_array_index(table->rows, i);
		guint value;

		ok = weight_parse(row[weight], &value, error) &&
		     weights_add(w, row[match], value, error);
	}
	if (!ok)
		g_clear_pointer(&w, weights_free);
	return w;
}

static bool exact(const struct weights *w, const char *key, guint *weight)
{
	guint found = GPOINTER_TO_UINT(g_hash_table_lookup(w->exact, key));

	*weight = found ? found - 1 : 0;
	return found;
}

static bool find(const struct weights *w, const char *id, const char *atom, guint *weight)
{
	int cap = cap_find(id);
	/* what a host does for itself isn't what it gives its guests */
	const char *security = cap >= 0 && !g_str_has_prefix(id, "mitigation.") ? cap_table[cap].security : NULL;
	g_autofree char *class = security ? g_strconcat("class:", security, NULL) : NULL;

	if (exact(w, atom, weight) || exact(w, id, weight) || (class && exact(w, class, weight)))
		return true;
	for (int by_class = class != NULL; by_class >= 0; by_class--)
		for (guint i = 0; i < w->prefixes->len; i++) {
			const struct prefix *p = &g_array_index(w->prefixes, struct prefix, i);

			if ((by_class && !*p->text) || !g_str_has_prefix(by_class ? class : atom, p->text))
				continue;
			*weight = p->weight;
			return true;
		}
	return false;
}

guint weights_of(const struct weights *site, const struct weights *shipped, const char *id,
		 const char *atom)
{
	guint weight = 0;

	if (!site || !find(site, id, atom, &weight))
		find(shipped, id, atom, &weight);
	return weight;
}
