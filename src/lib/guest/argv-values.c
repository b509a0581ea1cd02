/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* argv-values.c: values of QEMU's options: pairs, sizes, switches; see argv-parts.h. */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "guest/argv-parts.h"
#include "guest/definition-qemu.h"

#define MAX_PAIRS 1024u
#define MAX_HAS 20000u

static void pair_clear(gpointer data)
{
	struct argv_pair *pair = data;

	g_free(pair->key);
	g_free(pair->value);
}

static void add_pair(GArray *pairs, char *key, char *value, bool bare)
{
	struct argv_pair pair = { key, value, bare };

	g_array_append_val(pairs, pair);
}

/* Up to the next comma that isn't doubled; doubled ones become one. */
static char *next_part(const char **at)
{
	GString *part = g_string_new(NULL);

	for (; **at; (*at)++) {
		if (**at == ',') {
			if ((*at)[1] != ',')
				break;
			(*at)++;
		}
		g_string_append_c(part, **at);
	}
	if (**at)
		(*at)++;
	return g_string_free(part, FALSE);
}

static char *scalar_text(const json_t *value)
{
	if (json_is_boolean(value))
		return g_strdup(json_is_true(value) ? "on" : "off");
	if (json_is_integer(value))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return g_strdup(json_string_value(value));
}

static void json_pairs(GArray *pairs, const char *text)
{
	json_t *json = json_loads(text, 0, NULL), *value;
	const char *key;

	json_object_foreach (json, key, value) {
		char *scalar = pairs->len < MAX_PAIRS ? scalar_text(value) : NULL;

		if (scalar)
			add_pair(pairs, g_strdup(key), scalar, false);
		else
			add_pair(pairs, g_strdup(key), g_strdup(""), false);
	}
	json_decref(json);
}

GArray *argv_pairs(const char *text, const char *implied)
{
	GArray *pairs = g_array_new(FALSE, FALSE, sizeof(struct argv_pair));
	bool first = true;

	g_array_set_clear_func(pairs, pair_clear);
	if (*text == '{') {
		json_pairs(pairs, text);
		return pairs;
	}
	for (; *text && pairs->len < MAX_PAIRS; first = false) {
		g_autofree char *part = next_part(&text);
		const char *equals = strchr(part, '=');

		if (equals)
			add_pair(pairs, g_strndup(part, (gsize)(equals - part)), g_strdup(equals + 1), false);
		else if (first && implied)
			add_pair(pairs, g_strdup(implied), g_strdup(part), false);
		else if (*part)
			add_pair(pairs, g_strdup(part), g_strdup("on"), true);
	}
	return pairs;
}

const char *argv_value(const GArray *pairs, const char *key)
{
	const char *last = NULL;

	for (guint i = 0; i < pairs->len; i++)
		if (!strcmp(g_array_index(pairs, struct argv_pair, i).key, key))
			last = g_array_index(pairs, struct argv_pair, i).value;
	return last;
}

int argv_truth(const char *value)
{
	if (!g_strcmp0(value, "on") || !g_strcmp0(value, "yes") || !g_strcmp0(value, "true") ||
	    !g_strcmp0(value, "y"))
		return 1;
	if (!g_strcmp0(value, "off") || !g_strcmp0(value, "no") || !g_strcmp0(value, "false") ||
	    !g_strcmp0(value, "n"))
		return 0;
	return -1;
}

bool argv_size(const char *text, char unit, guint64 *kib)
{
	static const char units[] = "BKMGTPE";
	const char *scale;
	guint64 bytes;
	char *end;

	if (!text || !g_ascii_isdigit(*text))
		return false;
	bytes = g_ascii_strtoull(text, &end, 0);
	scale = strchr(units, g_ascii_toupper(*end ? *end : unit));
	if (!scale || (*end && end[1]) ||
	    (scale > units && bytes > G_MAXUINT64 >> (10 * (guint)(scale - units))))
		return false;
	bytes <<= 10 * (guint)(scale - units);
	*kib = bytes / 1024 + (bytes % 1024 != 0);
	return true;
}

char *argv_driver(enum arch_family family, const char *name)
{
	/* QEMU's qdev_alias_table; -device help tells it too (7.2.22, 10.0.13, 11.1.3) */
	static const char *const others[][2] = { { "ac97", "AC97" },
						 { "ahci", "ich9-ahci" },
						 { "e1000-82540em", "e1000" },
						 { "es1370", "ES1370" },
						 { "lsi", "lsi53c895a" } };
	static const char *const virtio[] = { "9p",	 "balloon", "blk",   "gpu",    "gpu-gl", "input-host", "iommu",
					      "keyboard", "mouse",  "net",   "rng",    "scsi",	 "serial",  "sound",
					      "tablet", NULL };

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		if (!strcmp(others[i][0], name))
			return g_strdup(others[i][1]);
	if (g_str_has_prefix(name, "virtio-") && g_strv_contains(virtio, name + strlen("virtio-")))
		return g_strconcat(name, family == ARCH_S390X ? "-ccw" : "-pci", NULL);
	return g_strdup(name);
}

void argv_unknown(struct argv *argv, char *what)
{
	if (argv->unknown->len < 100)
		g_ptr_array_add(argv->unknown, what);
	else
		g_free(what);
}

void argv_put(GString *out, const char *name, const char *value)
{
	g_autofree char *escaped = NULL;

	for (const char *c = value; *c; c++)
		if ((guchar)*c < ' ')
			return;
	escaped = g_markup_escape_text(value, -1);
	g_string_append_printf(out, " %s='%s'", name, escaped);
}

void argv_has(struct argv *argv, const char *kind, const char *name, const char *property)
{
	g_autoptr(GString) attributes = g_string_new(NULL);

	if (!*name || !definition_is_plain(name) || (property && !definition_is_plain(property)) ||
	    argv->order->len >= MAX_HAS)
		return;
	argv_put(attributes, kind, name);
	if (property)
		argv_put(attributes, "property", property);
	if (!g_hash_table_contains(argv->has, attributes->str)) {
		char *kept = g_strdup(attributes->str);

		g_hash_table_add(argv->has, kept);
		g_ptr_array_add(argv->order, kept);
	}
}
