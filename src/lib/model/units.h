/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * units.h: a host's IOMMU units, and the devices behind them.
 *
 * A host has several units that differ; each device's DMA goes through one. What the host as a whole
 * can promise is what all units have in common that *eligible* devices sit behind: endpoints that may
 * be given to a guest. Those facts of the host stand among the profile's facts (derive.h).
 */
#ifndef MODEL_UNITS_H
#define MODEL_UNITS_H

#include <glib.h>
#include <jansson.h>

#include "model/profile.h"

#define PROFILE_MAX_UNITS 1024u
#define PROFILE_MAX_DEVICES 65536u

struct iommu_unit {
	const char *id;     /* the kernel's name: "dmar0", "ivhd0", "smmu3.0x9050000" */
	const char *type;   /* "vtd" "amdvi" "smmuv3" "virtio" "spapr", or "unknown" */
	const char *origin; /* or NULL */
	GArray *facts;      /* struct fact: what was told, then what follows from it */
	GPtrArray *devices; /* struct device *, those behind it, by address */
	bool serves;        /* an eligible device is behind it */
	const json_t *json;
};

struct device {
	const char *address; /* "0000:00:02.0", or a mediated device's UUID */
	const char *vendor, *number, *class, *driver; /* "0x8086", …, or NULL */
	int group;           /* the IOMMU group's number, or -1 */
	int eligible;        /* 1, 0, or -1: not said */
	const char *why;     /* why it isn't, or NULL */
	struct iommu_unit *unit; /* or NULL */
	GArray *facts;       /* struct fact */
	const json_t *json;
};

/* The unit or device of a name; NULL where the profile has none. */
struct iommu_unit *profile_unit(const struct profile *profile, const char *id);
struct device *profile_device(const struct profile *profile, const char *address);

/* Drivers that leave a device's group to whoever wants it: vfio-pci and its kind, pci-stub, pcieport. */
bool driver_leaves_group(const char *driver);

/**
 * device_holds_group - does a driver of the host keep the device, so that nobody can have its group?
 *
 * Returns 1, 0 (none, or one that leaves it), or -1 where its driver isn't known. Source: Linux
 * drivers/vfio/vfio_main.c, vfio_dev_viable(); later drivers' driver_managed_dma.
 */
int device_holds_group(const struct device *device);

/* Is the list of the host's PCI functions known to be whole? */
bool profile_lists_devices(const struct profile *profile);

/**
 * facts_find - the fact of an id and view among those of a unit or device
 * @view: VIEWS: the kernel's before the hardware's
 *
 * Returns the first, known ones before others; NULL where there is none.
 */
const struct fact *facts_find(const GArray *facts, const char *id, enum view view);

/* Three-valued: 1, 0, or -1 where it is not known; absent counts as false. */
int facts_truth(const GArray *facts, const char *id);

/* A number's value into *@number; false where it is not known. */
bool facts_number(const GArray *facts, const char *id, uint64_t *number);

/* For GPtrArray's free functions. */
void unit_free(void *unit);
void device_free(void *device);

#endif
