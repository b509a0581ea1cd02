/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * processes.h: running QEMUs by their processes, for hosts where no libvirt starts them: those with a
 * name, and not those in containers that have processes of their own.
 */
#ifndef PROBES_PROCESSES_H
#define PROBES_PROCESSES_H

#include "probe.h"

/* Tells which program a guest's process runs: its member "qemu", where that can be read. */
void processes_add_qemu(struct source *source, const char *pid, json_t *guest);

/**
 * processes_add - adds guests whose QEMU was started without libvirt
 * @guests: what libvirt told: guests of the same UUID or name aren't added
 * @reason: why some are left out, free with g_free(); NULL: none are
 *
 * Returns how many there were. A recording keeps the projections, not the commands.
 */
unsigned int processes_add(struct context *context, json_t *guests, char **reason);

#endif
