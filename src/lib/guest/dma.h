/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dma.h: what of a definition decides about DMA: virtual IOMMUs and their properties, assigned
 * devices, memory, as written; judge/ resolves what isn't.
 *
 * Virtual IOMMUs come from <iommu>, <qemu:override> of their aliases (iommu0, …), and QEMU's
 * arguments (-device, -global). libvirt puts IOMMUs before devices, and QEMU's arguments behind
 * all; what comes behind a device isn't known to that device (late). A device that is plugged in comes
 * behind everything.
 */
#ifndef GUEST_DMA_H
#define GUEST_DMA_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest/needs.h"

#define DMA_MAX_DEVICES 1024u
#define DMA_MAX_DIMMS 1024u

/* A property as written. */
struct dma_property {
	char *name;  /* QEMU's spelling, or, by_libvirt, what libvirt calls it in QEMU's newest one */
	char *value;
	bool by_libvirt;
};

struct dma_viommu {
	const char *device; /* QEMU's: "intel-iommu" "amd-iommu" "virtio-iommu-pci" "arm-smmuv3" */
	char *where;        /* "/domain/devices/iommu" */
	unsigned int place; /* order on the command line */
	GArray *properties; /* struct dma_property; of two of one name the last counts */
};

struct dma_device {
	char *address;      /* "0000:01:00.0" or a mediated device's UUID; NULL: not told */
	char *where;
	bool iommufd;       /* attached by iommufd's interface instead of VFIO's container */
	bool mediated;
	bool unmanaged;     /* libvirt is told not to take it from the host's driver */
	bool plugged;       /* while the guest runs: behind everything else */
	unsigned int place;
};

struct dma_dimm {
	uint64_t size;      /* bytes */
	bool has_base;
	uint64_t base;      /* guest address */
	bool plugged;
	char *where;
};

struct dma {
	GPtrArray *viommus; /* struct dma_viommu */
	GPtrArray *devices; /* struct dma_device */
	GPtrArray *dimms;   /* struct dma_dimm */
	char *irqchip;      /* kernel-irqchip= as QEMU is told: "on" "off" "split", or NULL: nothing */
	uint64_t max_below_4g; /* bytes, 0: nothing said */
};

/**
 * dma_of - what a guest's definition says of DMA
 *
 * Worked out once for each guest and kept with it; NULL for a bare <cpu>.
 */
const struct dma *dma_of(const struct needs *needs);

/* The property of a name as written, or NULL; @name is QEMU's spelling. */
const struct dma_property *dma_property(const struct dma_viommu *viommu, const char *name);

#endif
