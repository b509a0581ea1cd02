/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * universe.h: places of boolean capabilities in bit sets.
 *
 * The dictionary's booleans have fixed places; names that it doesn't know get the next free ones
 * as they are met, so that they survive and take part as lower-safe booleans.
 */
#ifndef MODEL_UNIVERSE_H
#define MODEL_UNIVERSE_H

#include <glib.h>
#include <stddef.h>

/* How many names beyond the dictionary are taken, over all hosts. */
#define UNIVERSE_MAX_EXTRA 4096u

struct universe;

struct universe *universe_new(void);

/* One with the same places, which grows by itself. */
struct universe *universe_copy(const struct universe *universe);

void universe_free(struct universe *universe);
typedef struct universe Universe;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Universe, universe_free)

/**
 * universe_bit - the place of a boolean capability
 * @id: its id
 * @add: give it the next free place when it has none
 *
 * Returns the place, or -1 when it has none (or, with @add, when UNIVERSE_MAX_EXTRA is reached).
 */
int universe_bit(struct universe *universe, const char *id, gboolean add);

/* The id of a place; valid as long as the universe. */
const char *universe_id(const struct universe *universe, int bit);

/* TRUE where the dictionary doesn't know the place's id. */
gboolean universe_is_extra(const struct universe *universe, int bit);

/* How many places are taken; grows. */
size_t universe_bits(const struct universe *universe);

/* What libvirt calls it, else the id's last part; for lists of features. */
const char *universe_feature_name(const struct universe *universe, int bit);

/* TRUE where libvirt has a word for it (or may have: an extra place that was given by name). */
gboolean universe_in_libvirt(const struct universe *universe, int bit);

/* TRUE for what a CPU definition speaks of: rooms cpu and msr, and those of other architectures. */
gboolean universe_is_cpu(const struct universe *universe, int bit);

#endif
