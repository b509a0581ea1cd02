/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu-properties.h: which QEMU has which device and property, by its version: from
 * qemu-properties.tsv, for hosts whose own QEMU wasn't asked.
 *
 * The table was made of a few versions. What two that follow each other say alike holds between
 * them; for a QEMU newer than the newest nothing is known.
 */
#ifndef MODEL_QEMU_PROPERTIES_H
#define MODEL_QEMU_PROPERTIES_H

#include "model/tables.h"

/**
 * tables_qemu_property - has a version of QEMU a device's property?
 * @property: NULL: the device itself
 * @version: "8.2.2"
 *
 * Returns 1, 0, or -1 where the table can't tell.
 */
int tables_qemu_property(const struct tables *tables, const char *device, const char *property,
			 const char *version);

#endif
