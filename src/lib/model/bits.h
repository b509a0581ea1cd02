/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bits.h: sets of places as arrays of 64-bit words.
 *
 * All arrays of one operation have the same number of words; the caller sees to that.
 */
#ifndef MODEL_BITS_H
#define MODEL_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t bits_words(size_t bits)
{
	return (bits + 63) / 64;
}

static inline bool bits_test(const uint64_t *set, size_t bit)
{
	return set[bit / 64] >> (bit % 64) & 1;
}

static inline void bits_put(uint64_t *set, size_t bit, bool value)
{
	uint64_t mask = UINT64_C(1) << (bit % 64);

	if (value)
		set[bit / 64] |= mask;
	else
		set[bit / 64] &= ~mask;
}

static inline bool bits_empty(const uint64_t *set, size_t words)
{
	uint64_t any = 0;

	for (size_t i = 0; i < words; i++)
		any |= set[i];
	return !any;
}

static inline bool bits_equal(const uint64_t *a, const uint64_t *b, size_t words)
{
	uint64_t differs = 0;

	for (size_t i = 0; i < words; i++)
		differs |= a[i] ^ b[i];
	return !differs;
}

/* Is every member of @a in @b? */
static inline bool bits_within(const uint64_t *a, const uint64_t *b, size_t words)
{
	uint64_t over = 0;

	for (size_t i = 0; i < words; i++)
		over |= a[i] & ~b[i];
	return !over;
}

static inline size_t bits_count(const uint64_t *set, size_t words)
{
	size_t n = 0;

	for (size_t i = 0; i < words; i++)
		n += (size_t)__builtin_popcountll(set[i]);
	return n;
}

/* The first member at or after @from, or -1. */
static inline long bits_next(const uint64_t *set, size_t words, size_t from)
{
	for (size_t i = from / 64; i < words; i++) {
		uint64_t w = set[i];

		if (i == from / 64)
			w &= ~UINT64_C(0) << (from % 64);
		if (w)
			return (long)(i * 64 + (size_t)__builtin_ctzll(w));
	}
	return -1;
}

#define BITS_FOREACH(bit, set, words)                                                             \
	for (long bit = bits_next(set, words, 0); bit >= 0;                                       \
	     bit = bits_next(set, words, (size_t)bit + 1))

#endif
