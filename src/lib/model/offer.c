/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* offer.c: see offer.h. */
#include "config.h"

#include <string.h>

#include "model/offer.h"

static void offer_grow(struct offer *o, size_t words)
{
	if (words <= o->words)
		return;
	o->known = g_renew(uint64_t, o->known, words);
	o->value = g_renew(uint64_t, o->value, words);
	memset(o->known + o->words, 0, (words - o->words) * sizeof(uint64_t));
	memset(o->value + o->words, 0, (words - o->words) * sizeof(uint64_t));
	o->words = words;
}

struct offer *offer_new(const struct scope *scope, bool complete, const struct universe *universe)
{
	struct offer *o = g_new0(struct offer, 1);

	o->scope = *scope;
	o->complete = complete;
	o->numbers = g_array_new(FALSE, FALSE, sizeof(struct number));
	offer_grow(o, bits_words(universe_bits(universe)));
	return o;
}

void offer_free(struct offer *o)
{
	if (!o)
		return;
	g_free(o->known);
	g_free(o->value);
	g_array_unref(o->numbers);
	g_free(o);
}

void offer_put(struct offer *o, int bit, bool value)
{
	offer_grow(o, bits_words((size_t)bit + 1));
	bits_put(o->known, (size_t)bit, true);
	bits_put(o->value, (size_t)bit, value);
}

/* What QEMU leaves out of its lists isn't therefore absent. */
static bool hidden(const struct offer *o, int bit)
{
	unsigned int flags = (size_t)bit < cap_bits ? cap_table[cap_by_bit[bit]].flags : 0;

	return (flags & CAP_UNMIGRATABLE && o->scope.migratable == 1) ||
	       (flags & CAP_NO_AUTOENABLE && o->scope.view == VIEW_QEMU && o->scope.emulator);
}

int offer_get(const struct offer *o, const struct universe *universe, int bit)
{
	if ((size_t)bit < o->words * 64 && bits_test(o->known, (size_t)bit)) {
		if (!bits_test(o->value, (size_t)bit) && hidden(o, bit))
			return -1;
		return bits_test(o->value, (size_t)bit);
	}
	if (o->complete && universe_is_cpu(universe, bit))
		return 0;
	return -1;
}

void offer_settle(struct offer *o, const struct universe *universe)
{
	size_t n = universe_bits(universe);

	if (!o->complete)
		return;
	offer_grow(o, bits_words(n));
	for (size_t bit = 0; bit < n; bit++)
		if (universe_is_cpu(universe, (int)bit))
			bits_put(o->known, bit, true);
}

bool offer_number(const struct offer *o, int cap, uint64_t *value)
{
	for (guint i = 0; i < o->numbers->len; i++) {
		const struct number *n = &g_array_index(o->numbers, struct number, i);

		if (n->cap == cap) {
			*value = n->value;
			return true;
		}
	}
	return false;
}
