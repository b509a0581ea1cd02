/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kvm.c: what KVM on this host would give a guest: extensions, CPUID, feature MSRs, TSC rate.
 *
 * Asked of /dev/kvm itself; the TSC rate, and whether MSRs that are listed can be set, need a guest,
 * which is made without memory and gone at once. What to ask comes from the dictionary's registers.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>

#include "kvm-ppc.h"
#include "model/arch.h"
#include "probe.h"
#include "read/read.h"

static const struct scope kvm = { .view = VIEW_KVM, .migratable = -1 };

static void extension_fact(struct context *context, const struct capability *cap, int answer,
			   const char *origin)
{
	json_t *facts = json_object_get(context->doc, "facts");
	json_t *value = NULL;

	switch (cap->type) {
	case CAP_BOOL:
		value = json_boolean(answer > 0);
		break;
	case CAP_UINT:
		value = json_integer(answer);
		break;
	case CAP_BITMAP:
		value = json_sprintf("0x%x", (unsigned int)answer);
		break;
	default:
		return; /* no extension answers with anything else */
	}
	document_fact(facts, cap->id, value, &kvm, origin);
}

/* Is an extension anything to this architecture? */
static bool concerns(size_t reg, enum arch_family family)
{
	for (size_t i = 0; i < cap_count; i++)
		if (cap_table[i].reg == (int)reg)
			return !cap_table[i].arch || !strcmp(cap_table[i].arch, arch_room(family));
	return false;
}

static void read_extensions(struct context *context, struct source_device *device)
{
	enum arch_family family = arch_family(probe_arch(context));

	for (size_t r = 0; r < cap_register_count; r++) {
		const struct cap_register *reg = &cap_registers[r];
		g_autofree char *call = NULL;
		int answer, err;

		if (reg->kind != REG_KVM_EXTENSION || !concerns(r, family))
			continue;
		call = g_strdup_printf("KVM_CHECK_EXTENSION %u", reg->index);
		answer = source_ioctl(device, call, KVM_CHECK_EXTENSION, reg->index, 0, &err);
		if (answer < 0) {
			probe_missing_register(context, (int)r, FACT_UNREADABLE, &kvm, call, err);
			continue;
		}
		for (size_t i = 0; i < cap_count; i++)
			if (cap_table[i].reg == (int)r)
				extension_fact(context, &cap_table[i], answer, call);
	}
}

#if defined(__x86_64__)

#define FIRST_ENTRIES 128u
#define MAX_ENTRIES 4096u

/*
 * What KVM would show a guest, as it takes it back (KVM_SET_CPUID2); free with g_free(). KVM says
 * E2BIG as long as there is more than room. Returns NULL with errno.
 */
static struct kvm_cpuid2 *cpuid_of_kvm(struct source_device *device, int *err)
{
	for (uint32_t room = FIRST_ENTRIES; room <= MAX_ENTRIES; room *= 2) {
		size_t size = sizeof(struct kvm_cpuid2) + room * sizeof(struct kvm_cpuid_entry2);
		g_autofree struct kvm_cpuid2 *list = g_malloc0(size);
		g_autofree char *call = g_strdup_printf("KVM_GET_SUPPORTED_CPUID %u", room);

		list->nent = room;
		if (source_ioctl(device, call, KVM_GET_SUPPORTED_CPUID, (uintptr_t)list, size, err) >= 0) {
			list->nent = MIN(list->nent, room);
			return g_steal_pointer(&list);
		}
		if (*err != E2BIG)
			return NULL;
	}
	return NULL;
}

static void read_cpuid_of_kvm(struct context *context, const struct kvm_cpuid2 *list)
{
	g_autofree struct cpuid_row *rows = g_new0(struct cpuid_row, list->nent + 1);

	for (uint32_t i = 0; i < list->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &list->entries[i];

		rows[i] = (struct cpuid_row){ e->function, e->index, e->eax, e->ebx, e->ecx, e->edx };
	}
	read_cpuid(context->doc, rows, list->nent, true, &kvm, "KVM_GET_SUPPORTED_CPUID");
}

/* The indices KVM has feature MSRs for, as an array of uint32_t, or NULL with errno. */
static GArray *feature_msrs(struct source_device *device, int *err)
{
	for (uint32_t room = FIRST_ENTRIES; room <= MAX_ENTRIES; room *= 2) {
		size_t size = sizeof(struct kvm_msr_list) + room * sizeof(uint32_t);
		g_autofree struct kvm_msr_list *list = g_malloc0(size);
		g_autofree char *call = g_strdup_printf("KVM_GET_MSR_FEATURE_INDEX_LIST %u", room);
		GArray *indices;

		list->nmsrs = room;
		if (source_ioctl(device, call, KVM_GET_MSR_FEATURE_INDEX_LIST, (uintptr_t)list, size,
				 err) < 0) {
			if (*err == E2BIG)
				continue;
			return NULL;
		}
		indices = g_array_new(FALSE, FALSE, sizeof(uint32_t));
		return g_array_append_vals(indices, list->indices, MIN(list->nmsrs, room));
	}
	return NULL;
}

static bool has_index(const GArray *indices, uint32_t index)
{
	for (guint i = 0; i < indices->len; i++)
		if (g_array_index(indices, uint32_t, i) == index)
			return true;
	return false;
}

/* What KVM says of an MSR in *@value; false with errno where it says nothing. */
static bool get_msr(struct source_device *device, uint32_t index, uint64_t *value, int *err)
{
	g_autofree char *call = g_strdup_printf("KVM_GET_MSRS 0x%x", index);
	size_t size = sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry);
	g_autofree struct kvm_msrs *msrs = g_malloc0(size);

	msrs->nmsrs = 1;
	msrs->entries[0].index = index;
	if (source_ioctl(device, call, KVM_GET_MSRS, (uintptr_t)msrs, size, err) != 1)
		return false;
	*value = msrs->entries[0].data;
	return true;
}

static void read_feature_msr(struct context *context, struct source_device *device, size_t r)
{
	uint32_t index = cap_registers[r].index;
	g_autofree char *call = g_strdup_printf("KVM_GET_MSRS 0x%x", index);
	uint64_t value;
	int err;

	if (get_msr(device, index, &value, &err))
		read_msr(context->doc, index, value, &kvm, call);
	else
		probe_missing_register(context, (int)r, FACT_UNREADABLE, &kvm, call, err);
}

static bool read_feature_msrs(struct context *context, struct source_device *device, int *err)
{
	g_autoptr(GArray) indices = feature_msrs(device, err);

	for (size_t r = 0; r < cap_register_count; r++) {
		if (cap_registers[r].kind != REG_MSR)
			continue;
		if (!indices)
			probe_missing_register(context, (int)r, FACT_UNREADABLE, &kvm,
					       "KVM_GET_MSR_FEATURE_INDEX_LIST", *err);
		else if (has_index(indices, cap_registers[r].index))
			read_feature_msr(context, device, r);
		/* Others KVM doesn't give: absent, for the list is complete. */
	}
	return indices != NULL;
}

static void read_tsc(struct context *context, struct source_device *vcpu, int err)
{
	json_t *facts = json_object_get(context->doc, "facts");
	int khz = 0;

	if (vcpu)
		khz = source_ioctl(vcpu, "KVM_GET_TSC_KHZ", KVM_GET_TSC_KHZ, 0, 0, &err);
	if (khz > 0)
		document_fact(facts, "cpu.tsc-khz", json_integer(khz), &kvm, "KVM_GET_TSC_KHZ");
	else
		document_fact_missing(facts, "cpu.tsc-khz", FACT_UNREADABLE, &kvm, "KVM_GET_TSC_KHZ", err);
}

#define ARCH_CAPABILITIES 0x10au

/*
 * Some kernels list ARCH_CAPABILITIES and then refuse to set it (seen on AMD hosts;
 * QEMU's kvm_buf_set_msrs() asserts that all were set, so the guest dies at its start). A virtual
 * processor that is shown all that KVM supports is given what KVM lists, as QEMU would.
 */
static void try_arch_capabilities(struct context *context, struct source_device *device,
				  struct source_device *vcpu, struct kvm_cpuid2 *list)
{
	static const char call[] = "KVM_SET_MSRS 0x10a", id[] = "kvm.arch-capabilities-settable";
	json_t *facts = json_object_get(context->doc, "facts");
	size_t size = sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry);
	g_autofree struct kvm_msrs *msrs = g_malloc0(size);
	uint64_t value;
	int err, set;

	if (!get_msr(device, ARCH_CAPABILITIES, &value, &err))
		return; /* not listed: nobody sets it */
	if (!vcpu || source_ioctl(vcpu, "KVM_SET_CPUID2", KVM_SET_CPUID2, (uintptr_t)list,
				  sizeof(*list) + list->nent * sizeof(list->entries[0]), &err) < 0) {
		if (vcpu && err == ENOTTY)
			return; /* a recording from before this was tried */
		document_fact_missing(facts, id, FACT_UNREADABLE, &kvm, "KVM_SET_CPUID2", err);
		return;
	}
	msrs->nmsrs = 1;
	msrs->entries[0].index = ARCH_CAPABILITIES;
	msrs->entries[0].data = value;
	set = source_ioctl(vcpu, call, KVM_SET_MSRS, (uintptr_t)msrs, size, &err);
	if (set < 0)
		document_fact_missing(facts, id, FACT_UNREADABLE, &kvm, call, err);
	else
		document_fact(facts, id, json_boolean(set == 1), &kvm, call);
}

/* What only a virtual processor tells: it is made without memory and gone at once. */
static void read_vcpu(struct context *context, struct source_device *device, struct kvm_cpuid2 *list)
{
	g_autoptr(SourceDevice) vm = NULL;
	g_autoptr(SourceDevice) vcpu = NULL;
	int err = 0;

	vm = source_ioctl_open(device, "KVM_CREATE_VM", KVM_CREATE_VM, 0, &err);
	vcpu = vm ? source_ioctl_open(vm, "KVM_CREATE_VCPU", KVM_CREATE_VCPU, 0, &err) : NULL;
	read_tsc(context, vcpu, err);
	if (list)
		try_arch_capabilities(context, device, vcpu, list);
}

static void read_x86(struct context *context, struct source_device *device)
{
	g_autofree struct kvm_cpuid2 *list = NULL;
	g_autofree char *reason = NULL;
	bool msrs;
	int err;

	list = cpuid_of_kvm(device, &err);
	if (list)
		read_cpuid_of_kvm(context, list);
	else
		reason = g_strdup_printf("KVM_GET_SUPPORTED_CPUID: %s (look at the kernel's log)",
					 g_strerror(err));
	msrs = read_feature_msrs(context, device, &err);
	if (!msrs && !reason)
		reason = g_strdup_printf("KVM_GET_MSR_FEATURE_INDEX_LIST: %s (a kernel from 4.17 on has it)",
					 g_strerror(err));
	read_vcpu(context, device, list);
	probe_report(context, &kvm_probe, reason ? "partial" : "ok", list != NULL, reason);
}

#else

static void read_x86(struct context *context, struct source_device *device)
{
	(void)device;
	probe_report(context, &kvm_probe, "partial", false,
		     "built for another architecture: CPUID and MSRs of x86 aren't read");
}

#endif

static void read_kvm(struct context *context, struct source_device *device)
{
	enum arch_family family = arch_family(probe_arch(context));
	g_autofree char *reason = NULL;
	int err, version;

	version = source_ioctl(device, "KVM_GET_API_VERSION", KVM_GET_API_VERSION, 0, 0, &err);
	if (version != KVM_API_VERSION) {
		reason = g_strdup_printf("/dev/kvm: API version %d, not %d (is it KVM?)", version,
					 KVM_API_VERSION);
		probe_report(context, &kvm_probe, "failed", false, reason);
		return;
	}
	json_object_set_new(context->found, "kvm", json_true());
	read_extensions(context, device);
	if (family == ARCH_X86) {
		read_x86(context, device);
		return;
	}
	if (family == ARCH_PPC64)
		kvm_read_ppc(context, device, &kvm);
	probe_report(context, &kvm_probe, "ok", false, NULL);
}

static const char *remedy(int err)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
		return "switch virtualization on in the firmware; as root: modprobe kvm_intel or kvm_amd";
	case EACCES:
	case EPERM:
		return "run as root, or as a member of the group kvm";
	default:
		return "look at the kernel's log";
	}
}

static void collect(struct context *context)
{
	int err;
	g_autoptr(SourceDevice) device =
		source_device_open(context->source, "/dev/kvm", "ioctl/kvm.json", O_RDWR, &err);
	g_autofree char *reason = NULL;

	if (device) {
		read_kvm(context, device);
		return;
	}
	if (err != ENOENT && err != ENODEV)
		for (size_t r = 0; r < cap_register_count; r++)
			if (cap_registers[r].kind == REG_KVM_EXTENSION &&
			    concerns(r, arch_family(probe_arch(context))))
				probe_missing_register(context, (int)r, FACT_UNREADABLE, &kvm, "/dev/kvm",
						       err);
	reason = g_strdup_printf("/dev/kvm: %s (%s)", g_strerror(err), remedy(err));
	probe_report(context, &kvm_probe, probe_state_of(err), false, reason);
}

const struct probe kvm_probe = {
	.name = "kvm",
	.help = "what KVM gives guests: extensions, CPUID, feature MSRs, TSC rate",
	.local = true,
	.view = VIEW_KVM,
	.percent = 20,
	.collect = collect,
};
