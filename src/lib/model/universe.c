/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* universe.c: see universe.h. */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "model/dictionary.h"
#include "model/universe.h"

struct universe {
	GPtrArray *extra;       /* char *: ids beyond the dictionary, in the order of their places */
	GHashTable *extra_bits; /* id → place + 1 */
	GByteArray *extra_cpu;  /* of each: is it of a CPU? */
};

struct universe *universe_new(void)
{
	struct universe *u = g_new0(struct universe, 1);

	u->extra = g_ptr_array_new_with_free_func(g_free);
	u->extra_bits = g_hash_table_new(g_str_hash, g_str_equal);
	u->extra_cpu = g_byte_array_new();
	return u;
}

struct universe *universe_copy(const struct universe *from)
{
	struct universe *u = universe_new();

	for (guint i = 0; i < from->extra->len; i++)
		universe_bit(u, g_ptr_array_index(from->extra, i), TRUE);
	return u;
}

void universe_free(struct universe *u)
{
	if (!u)
		return;
	g_hash_table_unref(u->extra_bits);
	g_byte_array_unref(u->extra_cpu);
	g_ptr_array_unref(u->extra);
	g_free(u);
}

int universe_bit(struct universe *u, const char *id, gboolean add)
{
	int cap = cap_find(id);
	guint8 of_cpu;
	char *copy;
	size_t place;

	if (cap >= 0)
		return cap_table[cap].bit;
	place = GPOINTER_TO_SIZE(g_hash_table_lookup(u->extra_bits, id));
	if (place)
		return (int)(place - 1);
	if (!add || u->extra->len >= UNIVERSE_MAX_EXTRA)
		return -1;
	copy = g_strdup(id);
	place = universe_bits(u);
	of_cpu = arch_of_id(copy) != ARCH_FAMILIES;
	g_ptr_array_add(u->extra, copy);
	g_byte_array_append(u->extra_cpu, &of_cpu, 1);
	g_hash_table_insert(u->extra_bits, copy, GSIZE_TO_POINTER(place + 1));
	return (int)place;
}

gboolean universe_is_extra(const struct universe *u, int bit)
{
	(void)u;
	return (size_t)bit >= cap_bits;
}

const char *universe_id(const struct universe *u, int bit)
{
	if (!universe_is_extra(u, bit))
		return cap_table[cap_by_bit[bit]].id;
	return g_ptr_array_index(u->extra, (size_t)bit - cap_bits);
}

size_t universe_bits(const struct universe *u)
{
	return cap_bits + u->extra->len;
}

const char *universe_feature_name(const struct universe *u, int bit)
{
	const char *id = universe_id(u, bit);
	const char *dot;

	if (!universe_is_extra(u, bit)) {
		const char *name = cap_alias_of(NS_LIBVIRT, cap_by_bit[bit]);

		if (!name)
			name = cap_alias_of(NS_QEMU, cap_by_bit[bit]);
		if (name)
			return name;
		dot = strrchr(id, '.');
	} else {
		dot = strchr(id, '.');
	}
	return dot ? dot + 1 : id;
}

gboolean universe_is_cpu(const struct universe *u, int bit)
{
	if (!universe_is_extra(u, bit))
		return (cap_table[cap_by_bit[bit]].flags & CAP_OF_CPU) != 0;
	return u->extra_cpu->data[(size_t)bit - cap_bits];
}

gboolean universe_in_libvirt(const struct universe *u, int bit)
{
	if (universe_is_extra(u, bit))
		return !g_str_has_prefix(universe_id(u, bit), "cpu.unnamed.");
	return cap_alias_of(NS_LIBVIRT, cap_by_bit[bit]) != NULL;
}
