/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy.c: see policy.h. */
#include "config.h"

#include <string.h>

#include "model/dictionary.h"
#include "model/error.h"
#include "plan/level.h"
#include "plan/offering.h"
#include "plan/policy.h"

static void clear_floor(void *data)
{
	struct policy_floor *f = data;

	g_free(f->group);
	g_free(f->atom);
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	verdict_policy_free(p->verdicts);
	weights_free(p->weights);
	g_free(p->weight_label);
	g_array_unref(p->floors);
	g_ptr_array_unref(p->auto_raise);
	g_free(p);
}

static bool wrong(GError **error, const char *what, const char *text, const char *hint)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "'%s' is %s (%s)", text, what, hint);
	return false;
}

bool share_parse(const char *text, guint *share, GError **error)
{
	size_t whole = strspn(text, "0123456789"), digits = 0;
	const char *rest = text + whole;
	bool percent = g_str_has_suffix(text, "%");
	guint64 number;

	if (*rest == '.')
		digits = strspn(++rest, "0123456789");
	if ((!whole && !digits) || whole > 3 || digits > (percent ? 4 : 6) ||
	    strcmp(rest + digits, percent ? "%" : ""))
		return wrong(error, "no share of hosts", text, "0 to 1, such as 0.95 or 95%");
	number = g_ascii_strtoull(text, NULL, 10) * (percent ? 10000 : 1000000);
	for (guint64 i = 0, unit = percent ? 1000 : 100000; i < digits; i++, unit /= 10)
		number += (guint64)(rest[i] - '0') * unit;
	if (number > 1000000)
		return wrong(error, "more than all hosts", text, "0 to 1, such as 0.95 or 95%");
	*share = (guint)number;
	return true;
}

/* The place of a check, or -1 with @error. */
static int check_place(const char *name, GError **error)
{
	for (size_t i = 0; i < check_count; i++)
		if (!strcmp(check_at(i)->name, name))
			return (int)i;
	wrong(error, "no check", name, "write it as 'capbroker check' names it");
	return -1;
}

static bool read_verdict(struct policy *p, const char *key, const char *value, GError **error)
{
	bool unknown = g_str_has_suffix(key, "/unknown");
	g_autofree char *name = g_strndup(key, strlen(key) - (unknown ? strlen("/unknown") : 0));
	int check = check_place(name, error), verdict = -1;

	if (check < 0)
		return false;
	for (int v = unknown ? V_WARN : V_OK; v < VERDICTS; v++)
		if (!strcmp(verdict_name((enum verdict)v), value))
			verdict = v;
	if (verdict < 0)
		return wrong(error, "no verdict here", value,
			     unknown ? "warn, unknown or block: unknown never becomes ok" :
				       "ok, warn, unknown or block");
	(unknown ? p->verdicts->unknown : p->verdicts->found)[check] = (signed char)verdict;
	p->changed++;
	return true;
}

/* The words of "a;b;c". */
static char **words_of(const char *value)
{
	char **words = g_strsplit(value, ";", -1);
	guint n = 0;

	for (guint i = 0; words[i]; i++) {
		g_strstrip(words[i]);
		if (*words[i])
			words[n++] = words[i];
		else
			g_free(words[i]);
	}
	words[n] = NULL;
	return words;
}

static bool read_accept(struct policy *p, const char *key, const char *value, GError **error)
{
	g_auto(GStrv) words = words_of(value);

	if (strcmp(key, "checks"))
		return wrong(error, "no key of this group", key, "checks");
	for (guint i = 0; words[i]; i++) {
		int check = check_place(words[i], error);

		if (check < 0)
			return false;
		p->verdicts->accept[check] = true;
		p->accepted++;
	}
	return true;
}

/* "90", "36h", "7d", "2w": seconds, minutes, hours, days, weeks. */
static bool read_span(const char *value, gint64 *span, GError **error)
{
	static const struct { char unit; gint64 seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 }, { 0, 1 },
	};
	size_t digits = strspn(value, "0123456789"), u = 0;

	while (units[u].unit && units[u].unit != value[digits])
		u++;
	if (!digits || digits > 9 || (value[digits] && (!units[u].unit || value[digits + 1])))
		return wrong(error, "no span of time", value, "a number with s, m, h, d or w behind it, such as 7d");
	*span = g_ascii_strtoll(value, NULL, 10) * units[u].seconds;
	return true;
}

static bool read_age(struct policy *p, const char *key, const char *value, GError **error)
{
	bool limit = !strcmp(key, "limit");

	if (!limit && strcmp(key, "grace"))
		return wrong(error, "no key of this group", key, "limit, grace");
	return read_span(value, limit ? &p->age_limit : &p->age_grace, error);
}

static bool read_levels(struct policy *p, const char *key, const char *value, GError **error)
{
	g_auto(GStrv) words = words_of(value);

	if (!strcmp(key, "settle"))
		return read_span(value, &p->settle, error);
	if (strcmp(key, "auto-raise"))
		return wrong(error, "no key of this group", key, "auto-raise, settle");
	for (guint i = 0; words[i]; i++) {
		if (!level_series_valid(words[i]))
			return wrong(error, "no name of a series", words[i], "letters, digits, '-' and '_', such as prod");
		g_ptr_array_add(p->auto_raise, g_strdup(words[i]));
	}
	return true;
}

static bool read_coverage(struct policy *p, const char *key, const char *value, GError **error)
{
	if (!strcmp(key, "share"))
		return share_parse(value, &p->coverage, error);
	if (strcmp(key, "weight-label"))
		return wrong(error, "no key of this group", key, "share, weight-label");
	if (!*value)
		return wrong(error, "no label", value, "the key of a label of hosts");
	g_free(p->weight_label);
	p->weight_label = g_strdup(value);
	return true;
}

/* A key can't hold a '=': "id:member" is written for it, and "id:48" for numbers of at least that. */
static char *weight_match(const char *key)
{
	const char *colon = strchr(key, ':');
	g_autofree char *id = colon ? g_strndup(key, (gsize)(colon - key)) : NULL;
	int cap = id ? cap_find(id) : -1;

	if (!colon || !strcmp(id, "class"))
		return g_strdup(key);
	return g_strconcat(id, cap >= 0 && cap_table[cap].type == CAP_UINT ? ">=" : "=", colon + 1, NULL);
}

static bool read_weight(struct policy *p, const char *key, const char *value, GError **error)
{
	g_autofree char *match = weight_match(key);
	guint weight;

	return weight_parse(value, &weight, error) && weights_add(p->weights, match, weight, error);
}

static bool read_floor(struct policy *p, const char *key, const char *value, GError **error)
{
	const char *slash = strchr(key, '/');
	g_auto(GStrv) words = words_of(value);

	if (strcmp(key, "all") && (!slash || slash == key || !slash[1]))
		return wrong(error, "no group of hosts", key, "all, or ARCHITECTURE/VENDOR such as x86_64/Intel");
	for (guint i = 0; words[i]; i++) {
		struct policy_floor f = { .atom = offering_name(NULL, words[i], false, error) };

		if (!f.atom)
			return false;
		f.group = g_strdup(key);
		g_array_append_val(p->floors, f);
	}
	return true;
}

static const struct {
	const char *group;
	bool (*read)(struct policy *p, const char *key, const char *value, GError **error);
} readers[] = {
	{ "verdicts", read_verdict }, { "accept-risk", read_accept }, { "age", read_age },
	{ "coverage", read_coverage },
	{ "weights", read_weight },   { "floors", read_floor },
	{ "levels", read_levels },
};

static bool read_group(struct policy *p, GKeyFile *file, const char *group, GError **error)
{
	g_auto(GStrv) keys = NULL;
	size_t reader = 0;

	while (reader < G_N_ELEMENTS(readers) && strcmp(readers[reader].group, group))
		reader++;
	if (reader == G_N_ELEMENTS(readers)) {
		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "[%s]: no such group (verdicts, accept-risk, age, coverage, weights, floors or levels)", group);
		return false;
	}
	keys = g_key_file_get_keys(file, group, NULL, error);
	for (guint i = 0; keys && keys[i]; i++) {
		g_autofree char *value = g_key_file_get_string(file, group, keys[i], error);

		if (value && readers[reader].read(p, keys[i], g_strstrip(value), error))
			continue;
		g_prefix_error(error, "[%s] %s: ", group, keys[i]);
		return false;
	}
	return keys != NULL;
}

static struct policy *policy_new(const char *bytes, gsize length)
{
	struct policy *p = g_new0(struct policy, 1);
	g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes, length);

	p->verdicts = verdict_policy_new();
	p->weights = weights_new();
	p->floors = g_array_new(FALSE, FALSE, sizeof(struct policy_floor));
	g_array_set_clear_func(p->floors, clear_floor);
	p->auto_raise = g_ptr_array_new_with_free_func(g_free);
	g_strlcpy(p->digest, sum, sizeof(p->digest));
	return p;
}

/* GLib's messages begin with a capital, and say nothing of what to do. */
static bool load(GKeyFile *file, const char *bytes, gsize length, GError **error)
{
	GError *failed = NULL;

	if (g_key_file_load_from_data(file, bytes, length, G_KEY_FILE_NONE, &failed))
		return true;
	*failed->message = g_ascii_tolower(*failed->message);
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s (see capbroker-policy(5))", failed->message);
	g_error_free(failed);
	return false;
}

struct policy *policy_parse(const char *bytes, gsize length, const char *where, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	struct policy *p = policy_new(bytes, length);
	g_auto(GStrv) groups = NULL;
	GError *failed = NULL;
	bool ok = length <= POLICY_MAX_BYTES && g_utf8_validate_len(bytes, length, NULL);

	if (!ok)
		g_set_error(&failed, CAPBROKER_ERROR, ERROR_INVALID,
			    "more than 1 MiB, or no UTF-8 text (is it the right file?)");
	else if (length)
		ok = load(file, bytes, length, &failed);
	groups = ok ? g_key_file_get_groups(file, NULL) : NULL;
	for (guint i = 0; ok && groups[i]; i++)
		ok = read_group(p, file, groups[i], &failed);
	if (ok)
		return p;
	g_propagate_prefixed_error(error, failed, "%s: ", where);
	policy_free(p);
	return NULL;
}

void policy_floors(const struct policy *p, const char *arch, const char *vendor, GPtrArray *into)
{
	g_autofree char *group = g_strconcat(arch, "/", vendor, NULL);

	for (guint i = 0; p && i < p->floors->len; i++) {
		const struct policy_floor *f = &g_array_index(p->floors, struct policy_floor, i);

		if (!strcmp(f->group, "all") || !strcmp(f->group, group))
			g_ptr_array_add(into, f->atom);
	}
}
