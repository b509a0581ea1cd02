/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devices.h: which device types, their properties, and objects a host's QEMU has, as it told
 * itself (qom-list-types, device-list-properties).
 *
 * All of one emulator's entries speak of the same program, so each list stands in one of them.
 */
#ifndef MODEL_DEVICES_H
#define MODEL_DEVICES_H

#include <stdbool.h>

#include "model/profile.h"

/**
 * emulator_has_device - has the QEMU at @path the device type?
 * @path: the emulator's, as the profile spells it; NULL: any
 *
 * Returns 1, 0 where its list is complete and lacks the type, or -1 where it isn't known. CPUs
 * are devices too, but stand among the CPU models: of them nothing is known here.
 */
int emulator_has_device(const struct profile *profile, const char *path, const char *type);

/**
 * emulator_has_property - has its device type the property?
 *
 * Returns 1, 0 (also where the device itself isn't there), or -1 where its properties weren't
 * asked.
 */
int emulator_has_property(const struct profile *profile, const char *path, const char *type,
			  const char *property);

/**
 * emulator_has_object - can the QEMU at @path make an object of the type (-object TYPE)?
 *
 * Returns 1, 0 where its list lacks the type, or -1 where it isn't known.
 */
int emulator_has_object(const struct profile *profile, const char *path, const char *type);

/* Is it the type of a CPU model? */
bool device_is_cpu(const char *type);

#endif
