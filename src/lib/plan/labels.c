/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* labels.c: what hosts promise, as labels of Kubernetes' nodes; see traits.h. */
#include "config.h"

#include <string.h>

#include "model/devices.h"
#include "plan/baseline-meet.h"
#include "plan/traits.h"

/* What QEMU calls the virtual IOMMUs, and libvirt their models. */
static const char *const viommus[][2] = {
	{ "amd", "amd-iommu" },
	{ "intel", "intel-iommu" },
	{ "smmuv3", "arm-smmuv3" },
	{ "virtio", "virtio-iommu-pci" },
};

/* Letters, digits, and -_. inside: how Kubernetes wants names and values. */
static bool is_label(const char *text)
{
	size_t n = strlen(text);

	if (!n || n > LABEL_NAME_MAX || !g_ascii_isalnum(text[0]) || !g_ascii_isalnum(text[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!g_ascii_isalnum(text[i]) && !strchr("-_.", text[i]))
			return false;
	return true;
}

static void put(GHashTable *labels, const char *name, const char *value)
{
	g_autofree char *plain = g_strdup(name);

	for (char *c = plain; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("-_.", *c))
			*c = '_';
	if (is_label(plain) && is_label(value))
		g_hash_table_insert(labels, g_strconcat(LABEL_PREFIX, plain, NULL), g_strdup(value));
}

static void put_viommus(GHashTable *labels, const struct profile *profile)
{
	for (size_t i = 0; i < G_N_ELEMENTS(viommus); i++) {
		g_autofree char *name = g_strconcat("viommu-", viommus[i][0], NULL);

		if (emulator_has_device(profile, NULL, viommus[i][1]) == 1)
			put(labels, name, "true");
	}
}

/* A number that is known of the host as a whole; false: it isn't. */
static bool number_of(const struct profile *profile, const char *id, uint64_t *number)
{
	const struct fact *fact = profile_fact_any(profile, id);
	struct value value;

	if (!fact || fact->cap < 0 || !baseline_fact_value(fact, &value))
		return false;
	*number = value.type == CAP_BOOL ? value.truth : value.number;
	value_clear(&value);
	return true;
}

static void put_reach(GHashTable *labels, const struct profile *profile)
{
	uint64_t translates = 0, bits = 0;
	g_autofree char *text = NULL;

	if (!number_of(profile, "iommu.translation", &translates) || !translates ||
	    !number_of(profile, "iommu.address-bits", &bits))
		return;
	text = g_strdup_printf("%u", (unsigned int)bits);
	put(labels, "reach-bits", text);
}

GHashTable *labels_of(const GPtrArray *marks, const struct profile *profile, const char *class)
{
	GHashTable *labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	for (guint i = 0; marks && i < marks->len; i++) {
		const struct mark *mark = g_ptr_array_index(marks, i);
		g_autofree char *name = g_strdup_printf("%s-%s", mark->kind, mark->name);

		put(labels, name, "true");
	}
	put_viommus(labels, profile);
	put_reach(labels, profile);
	if (class)
		put(labels, "class", class);
	return labels;
}

bool label_is_ours(const char *label)
{
	return g_str_has_prefix(label, LABEL_PREFIX);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *sorted_keys(GHashTable *labels)
{
	GPtrArray *keys = g_ptr_array_new();
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, labels);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(keys, key);
	g_ptr_array_sort(keys, by_text);
	return keys;
}

char *labels_nfd(GHashTable *labels)
{
	g_autoptr(GPtrArray) keys = sorted_keys(labels);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < keys->len; i++)
		g_string_append_printf(text, "%s=%s\n", (char *)keys->pdata[i],
				       (char *)g_hash_table_lookup(labels, keys->pdata[i]));
	return g_string_free(text, FALSE);
}

/* "/metadata/labels/capbroker.io~1class" (RFC 6901) */
static char *pointer_to(const char *label)
{
	GString *pointer = g_string_new("/metadata/labels/");

	for (const char *c = label; *c; c++) {
		if (*c == '~')
			g_string_append(pointer, "~0");
		else if (*c == '/')
			g_string_append(pointer, "~1");
		else
			g_string_append_c(pointer, *c);
	}
	return g_string_free(pointer, FALSE);
}

static void add_operation(json_t *patch, const char *operation, const char *label, const char *value)
{
	g_autofree char *pointer = pointer_to(label);

	json_array_append_new(patch, json_pack("{s:s, s:s, s:s*}", "op", operation, "path", pointer, "value", value));
}

json_t *labels_patch(const json_t *have, GHashTable *want, json_t *added, json_t *removed)
{
	g_autoptr(GPtrArray) keys = sorted_keys(want), gone = g_ptr_array_new();
	json_t *patch = json_array();
	const char *label;
	json_t *value;

	for (guint i = 0; i < keys->len; i++) {
		const char *wanted = g_hash_table_lookup(want, keys->pdata[i]);

		if (!g_strcmp0(json_string_value(json_object_get(have, keys->pdata[i])), wanted))
			continue;
		add_operation(patch, "add", keys->pdata[i], wanted);
		json_array_append_new(added, json_sprintf("%s=%s", (char *)keys->pdata[i], wanted));
	}
	json_object_foreach ((json_t *)have, label, value)
		if (label_is_ours(label) && !g_hash_table_contains(want, label))
			g_ptr_array_add(gone, (gpointer)label);
	g_ptr_array_sort(gone, by_text);
	for (guint i = 0; i < gone->len; i++) {
		add_operation(patch, "remove", gone->pdata[i], NULL);
		json_array_append_new(removed, json_string(gone->pdata[i]));
	}
	if (json_array_size(patch))
		return patch;
	json_decref(patch);
	return NULL;
}
