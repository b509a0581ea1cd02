/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kvm-ppc.c: see kvm-ppc.h. Compiled everywhere, for a recording is replayed anywhere; the call's
 * number is that of POWER, where alone it is made.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "kvm-ppc.h"
#include "read/read.h"

#define CREATE_VM 0x2000ae01ul     /* KVM_CREATE_VM, _IO(KVMIO, 0x01) on POWER */
#define GET_CPU_CHAR 0x4020aeb1ul  /* KVM_PPC_GET_CPU_CHAR, _IOR(KVMIO, 0xb1, 32 bytes) on POWER */

/* struct kvm_ppc_cpu_char of the kernel's ABI */
struct cpu_char {
	uint64_t character, behaviour, character_mask, behaviour_mask;
};

static bool is_power8(const struct context *context)
{
	return !g_strcmp0(json_string_value(json_object_get(context->shared, "ppc64-model")), "POWER8");
}

void kvm_read_ppc(struct context *context, struct source_device *device, const struct scope *scope)
{
	static const char *const ids[] = { "pseries.cap-cfpc", "pseries.cap-sbbc", "pseries.cap-ibs",
					   "pseries.cap-ccf-assist" };
	struct power_characteristics c = { .power8 = is_power8(context) };
	struct cpu_char said = { 0 };
	g_autoptr(SourceDevice) vm = NULL;
	int err;

	vm = source_ioctl_open(device, "KVM_CREATE_VM", CREATE_VM, 0, &err);
	if (vm && source_ioctl(vm, "KVM_PPC_GET_CPU_CHAR", GET_CPU_CHAR, (uintptr_t)&said, sizeof(said),
			       &err) >= 0) {
		c.character = said.character;
		c.character_mask = said.character_mask;
		c.behaviour = said.behaviour;
		c.behaviour_mask = said.behaviour_mask;
		read_power_characteristics(context->doc, &c, scope);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		document_fact_missing(json_object_get(context->doc, "facts"), ids[i],
				      err == ENOTTY ? FACT_UNSUPPORTED_BY_KERNEL : FACT_UNREADABLE, scope,
				      "KVM_PPC_GET_CPU_CHAR", err);
}
