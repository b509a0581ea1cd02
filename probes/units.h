/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * units.h: entries of a profile's "iommus" and "devices", which several probes add to.
 */
#ifndef UNITS_H
#define UNITS_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* Bounds on what is read of a host. */
#define UNITS_MAX 1024u
#define DEVICES_MAX 16384u

/**
 * unit_entry - the entry of an IOMMU unit, made when it isn't there
 * @id: the kernel's name of it ("dmar0", "smmu3.0x0000000009050000")
 *
 * Returns a borrowed reference, with "facts" and "devices" present.
 */
json_t *unit_entry(json_t *doc, const char *id);

/**
 * device_entry - the entry of a device, made when it isn't there
 * @address: "0000:00:02.0", or a mediated device's UUID
 *
 * Returns a borrowed reference, with "facts" present.
 */
json_t *device_entry(json_t *doc, const char *address);

/* The same for one that can't be there yet (a list's names are unique). */
json_t *device_add(json_t *doc, const char *address);

/* An entry's "facts". */
json_t *entry_facts(json_t *entry);

/* Puts one array of entries ("iommus" or "devices") into another: facts are added up, names of
 * devices made one set, of other members the first to say something is believed. */
void units_merge(json_t *into, json_t *from, const char *key);

/* Is it a PCI address as the kernel writes it, "0000:00:02.0"? */
bool is_pci_address(const char *name);

/* Is it a UUID, as mediated devices are called by? */
bool is_uuid(const char *name);

#endif
