/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rule-host.h: the terms of a rule's host column, asked of a target. A leading '!' negates; A||B is
 * true where one of them is; a '?' before all that makes what isn't known false.
 *
 *	libvirt>=V libvirt<V qemu>=V qemu<V   its versions
 *	from-libvirt>=V … from-qemu<V        those at the source of a move
 *	machine=GLOB|GLOB…                   the machine type there, aliases followed
 *	accel=NAME arch=NAME                 the guest's
 *	enum:KEY[=VALUE]                     libvirt's domain capabilities list the value, or say
 *	                                     that the group is supported ("devices.tpm")
 *	device:NAME object:NAME              that QEMU has the type of device, of -object
 *	property:DEVICE.NAME                 the device has the property there
 *	lacks:DEVICE[.NAME]                  a complete list is without it; false where none is there
 *	fact:ID[=VALUE] fact:ID>=N fact:ID<N a fact is true, equal, contains; a number
 */
#ifndef JUDGE_RULE_HOST_H
#define JUDGE_RULE_HOST_H

#include "judge/judgement.h"

/* 1, 0 or -1: does the term hold on the target? -1 also for one that is not understood. */
int rule_host_term(const struct judgement *j, const char *term);

/* Is the term one of those above? */
bool rule_host_term_ok(const char *term);

/* The family of a machine type: q35 i440fx isapc microvm virt pseries s390-ccw-virtio xenfv none other. */
const char *machine_family(const char *machine);

#endif
