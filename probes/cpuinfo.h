/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpuinfo.h: what the kernel shows of the processor, in /proc/cpuinfo and sysfs.
 */
#ifndef CPUINFO_H
#define CPUINFO_H

#include "probe.h"

/* Adds facts of the kernel's view; which lines count is told by the host's architecture. */
void cpuinfo_read(struct context *context, const char *arch);

#endif
