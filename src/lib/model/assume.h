/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * assume.h: a profile as it would be if the host had a capability, or hadn't.
 *
 * For questions about fleets that aren't (yet) so. What is assumed holds in every scope where the
 * capability is known, so that one host's CPU isn't believed in one place and doubted in another;
 * where it isn't known it stays so.
 */
#ifndef MODEL_ASSUME_H
#define MODEL_ASSUME_H

#include <jansson.h>
#include <stdbool.h>

#include "model/cpu-model.h"
#include "model/universe.h"

/**
 * assume_find - the yes-or-no capability of a name
 * @name: an id of the dictionary, or what libvirt calls a CPU feature; also one that it doesn't
 *        know and a profile in @universe has
 * @error: there is none of that name, or it isn't a yes or no
 *
 * Returns its id, to be freed with g_free(), or NULL.
 */
char *assume_find(struct universe *universe, const char *name, GError **error);

/**
 * assume_in_profile - a profile's document in which a capability is given or taken
 * @id: as assume_find() returns it
 * @have: given; else taken
 * @models: named CPU models, which lack what is taken from them; may be NULL
 *
 * Returns a new document.
 */
json_t *assume_in_profile(const json_t *doc, const char *id, bool have,
			  const struct cpu_models *models);

#endif
