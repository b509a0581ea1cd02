/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * claim.h: taking devices that the user named, for as long as they are asked, and giving them back.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "source.h"

#define CLAIMS_MAX 64u

/**
 * claim_check - may these be claimed?
 * @names: PCI addresses, and UUIDs of mediated devices; ends in NULL
 *
 * Changes nothing. Returns false with one line in @error: not there, in use, in a group with others
 * that are, in no group, bound to a driver that isn't known to be idle, or vfio-pci isn't loaded.
 */
bool claim_check(char *const *names, GError **error);

struct claim;

/**
 * claim_begin - bind what isn't yet bound to vfio-pci
 * @outcomes: an object; gets NAME: {} for each that can be opened, NAME: {"error"} for others
 *
 * Returns what claim_end() is to be given, or NULL where the supervisor can't be started; then
 * nothing was changed, and @outcomes says so.
 */
struct claim *claim_begin(char *const *names, json_t *outcomes);

/**
 * claim_end - give everything back
 *
 * Returns NULL, or a line that says what couldn't be given back; free with g_free().
 */
char *claim_end(struct claim *claim);

#endif
