/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu-devices.h: the device types whose properties each QEMU is asked for.
 */
#ifndef QEMU_DEVICES_H
#define QEMU_DEVICES_H

/**
 * qemu_device_types - the types that our data names (qemu-devices.tsv)
 *
 * Returns them, ended by NULL; none where the file isn't found. Read once, never freed.
 */
const char *const *qemu_device_types(void);

#endif
