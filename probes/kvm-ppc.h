/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kvm-ppc.h: what KVM on POWER would give a guest beyond its extensions.
 */
#ifndef KVM_PPC_H
#define KVM_PPC_H

#include "probe.h"

void kvm_read_ppc(struct context *context, struct source_device *device, const struct scope *scope);

#endif
