/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu-name.h: naming a set of features: a model and the smallest delta.
 */
#ifndef PLAN_CPU_NAME_H
#define PLAN_CPU_NAME_H

#include <glib.h>
#include <stdbool.h>

#include "model/cpu-model.h"

/* Says whether a model may be named at all; @data as given. */
typedef bool (*cpu_name_filter)(const struct named_model *model, void *data);

/**
 * cpu_name - the model that says a set with the fewest changes
 * @family: of whose models; only x86's and s390x's are such that features tell them
 * @features: libvirt's names, sorted
 * @vendor: libvirt's name, or NULL: models of no vendor only, unless nothing else fits
 * @filter: NULL: any model of the table
 * @delta: set to a new array of struct feature_policy (baseline.h), sorted by name: model + delta
 *	is exactly @features; members of a group that are all changed alike are named as the group
 *
 * Never another vendor's model; of s390x's, only those that no machine type changes ("-base").
 * Deterministic: fewest changes, then fewest to disable, then the
 * larger model, then the name that the oldest libvirt knows, then the name.
 *
 * Returns the model, or NULL where none is allowed; @delta then requires every feature.
 */
const struct named_model *cpu_name(const struct cpu_models *models, enum arch_family family,
				   const GPtrArray *features, const char *vendor,
				   cpu_name_filter filter, void *data, GArray **delta);

#endif
