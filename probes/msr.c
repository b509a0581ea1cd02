/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msr.c: the model-specific registers that the dictionary knows, by /dev/cpu/0/msr.
 *
 * Never loads the module: where the device isn't there, the source says what would make it be.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "probe.h"
#include "read/read.h"

#define DEVICE "/dev/cpu/0/msr"
#define RECORD "ioctl/msr.json"

static const struct scope raw = { .view = VIEW_RAW, .migratable = -1 };

static void read_one(struct context *context, struct source_device *device, size_t r,
		     unsigned int *unreadable, int *why)
{
	const struct cap_register *reg = &cap_registers[r];
	g_autofree char *call = g_strdup_printf("0x%x", reg->index);
	g_autofree char *origin = g_strdup_printf(DEVICE " 0x%x", reg->index);
	uint64_t value;
	int err;

	if (source_pread64(device, call, (off_t)reg->index, &value, &err)) {
		read_msr(context->doc, reg->index, value, &raw, origin);
	} else if (err == EIO) {
		/* The processor faults: it has no such register, so nothing of what it would say. */
		probe_missing_register(context, (int)r, FACT_ABSENT, &raw, origin, err);
	} else {
		probe_missing_register(context, (int)r, FACT_UNREADABLE, &raw, origin, err);
		(*unreadable)++;
		*why = err;
	}
}

static const char *remedy(int err)
{
	switch (err) {
	case ENOENT:
	case ENXIO:
		return "as root: modprobe msr";
	case EPERM:
		return "run as root; a locked down kernel keeps them closed";
	default:
		return "run as root";
	}
}

static void collect(struct context *context)
{
	int err;
	g_autoptr(SourceDevice) device =
		source_device_open(context->source, DEVICE, RECORD, O_RDONLY, &err);
	g_autofree char *reason = NULL;
	unsigned int unreadable = 0;

	for (size_t r = 0; r < cap_register_count; r++) {
		if (cap_registers[r].kind != REG_MSR)
			continue;
		if (device)
			read_one(context, device, r, &unreadable, &err);
		else if (source_holds(context->source, RECORD))
			probe_missing_register(context, (int)r, FACT_UNREADABLE, &raw, DEVICE, err);
	}
	if (device && !unreadable) {
		probe_report(context, &msr_probe, "ok", false, NULL);
		return;
	}
	reason = g_strdup_printf(DEVICE ": %s (%s)", g_strerror(err), remedy(err));
	probe_report(context, &msr_probe, device ? "partial" : probe_state_of(err), false, reason);
}

const struct probe msr_probe = {
	.name = "msr",
	.help = "the processor's feature MSRs (root, and the module msr)",
	.local = true,
	.view = VIEWS,
	.percent = 20,
	.collect = collect,
};
