/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu-devices.h: which devices and objects a QEMU has, and the properties of those devices that
 * our data names. They are asked of a process of its own: a QEMU whose modules don't fit it aborts
 * over such questions, and the rest of what it says should stand all the same.
 */
#ifndef QEMU_DEVICES_H
#define QEMU_DEVICES_H

#include "qmp.h"

/**
 * qemu_devices_job - the questions to an emulator
 * @accel: one that works there
 */
struct qmp_job *qemu_devices_job(const char *emulator, const char *accel);

/* Adds what was answered to the document that has the emulator's entry of the same scope. */
void qemu_devices_read(json_t *doc, const struct qmp_job *job);

#endif
