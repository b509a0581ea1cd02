/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * traits.h: what hosts promise, as names that others attach to them: traits of OpenStack's
 * Placement, labels of Kubernetes.
 *
 * A mark is a kind ("level", "machine") and a name of that kind ("prod-2026.1", "pc-q35-9.2"). What
 * isn't known of a host isn't marked.
 */
#ifndef PLAN_TRAITS_H
#define PLAN_TRAITS_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/profile.h"

#define TRAIT_PREFIX "CUSTOM_CAPBROKER_"
#define TRAIT_MAX 255u

struct mark {
	char *kind, *name;
};

/* An empty list of marks, which frees them; and one more of it. */
GPtrArray *marks_new(void);
void marks_add(GPtrArray *marks, const char *kind, const char *name);

/**
 * marks_add_machines - the machine types of a host's own emulator, by their versioned names
 *
 * Returns false where no list of them is known.
 */
bool marks_add_machines(GPtrArray *marks, const struct profile *profile);

/**
 * trait_of - a mark as a trait: "CUSTOM_CAPBROKER_LEVEL_PROD_2026_1"
 *
 * Letters, digits and '_'; free with g_free(). NULL where that would be longer than TRAIT_MAX.
 */
char *trait_of(const struct mark *mark);

/* Is it one of those that only capbroker gives and takes? */
bool trait_is_ours(const char *trait);

/**
 * traits_merge - the traits that a provider is to have
 * @have: an array of strings: all that it has
 * @want: strings: ours, as they should be
 * @added, @removed: arrays that get those of ours that come and go
 *
 * Somebody else's stay. Returns the new array, sorted, or NULL where nothing changes.
 */
json_t *traits_merge(const json_t *have, GHashTable *want, json_t *added, json_t *removed);

/* --- labels of Kubernetes' nodes ------------------------------------------------------------------ */

#define LABEL_PREFIX "capbroker.io/"
#define LABEL_NAME_MAX 63u /* of a label's name behind the prefix, and of its value */

/**
 * labels_of - marks, and what else a scheduler may ask for, as labels
 * @class: the host's class, which tells equal hosts, or NULL
 *
 * "capbroker.io/level-prod-2026.1" and "capbroker.io/machine-pc-q35-9.2" are "true"; "viommu-intel"
 * likewise where the QEMU has that model; "class", and "reach-bits", the addresses that the host's IOMMU
 * surely maps. Names and values keep to Kubernetes' rules; a mark that can't isn't among them. Returns
 * char * → char *, to be freed by g_hash_table_unref().
 */
GHashTable *labels_of(const GPtrArray *marks, const struct profile *profile, const char *class);

/* Is it one of those that only capbroker gives and takes? */
bool label_is_ours(const char *label);

/* The lines "LABEL=VALUE", in order, of a feature file for NFD; free with g_free(). */
char *labels_nfd(GHashTable *labels);

/**
 * labels_patch - what changes the labels of a node to what they should be
 * @have: the node's: an object
 * @added, @removed: arrays that get "LABEL=VALUE" and "LABEL"
 *
 * Returns an array of operations (RFC 6902), or NULL where nothing changes.
 */
json_t *labels_patch(const json_t *have, GHashTable *want, json_t *added, json_t *removed);

#endif
