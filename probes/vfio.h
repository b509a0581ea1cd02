/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio.h: what vfio.c and iommufd.c share: claimed devices, and a device's features.
 */
#ifndef VFIO_H
#define VFIO_H

#include <stdbool.h>

#include "probe.h"

/* One claimed device, as one probe sees it. */
struct claimed {
	const char *name;   /* PCI address or UUID */
	char *sysfs;        /* its folder */
	char *group;        /* number, or NULL */
	json_t *entry;      /* its entry in "devices" */
	json_t *unit;       /* the entry of the IOMMU unit it is behind, or NULL */
	const char *error;  /* why it couldn't be claimed, or NULL */
};

/**
 * vfio_each_claimed - call @ask for each device that was named, also those that couldn't be taken
 *
 * Returns how many there were.
 */
unsigned int vfio_each_claimed(struct context *context,
			       void (*ask)(struct context *context, struct claimed *claimed, void *data),
			       void *data);

/**
 * vfio_report_claimed - what a probe of claimed devices says of itself
 * @claimed: how many were named
 * @asked: how many of them answered
 * @reason: what went wrong first, or NULL
 */
void vfio_report_claimed(struct context *context, const struct probe *probe, unsigned int claimed,
			 unsigned int asked, const char *reason);

/**
 * vfio_read_features - what a device's driver can do
 * @device: of a group, or bound to an iommufd
 */
void vfio_read_features(struct source_device *device, json_t *facts);

/* Is a misc device registered (/proc/misc)? Opening the node of one that isn't loads its module. */
bool vfio_registered(struct context *context, const char *misc);

/* What an errno of VFIO and iommufd means, with what to do, for people. */
const char *vfio_reason(int err);

/* The state of a fact whose asking failed so: ENOTTY says that the kernel doesn't know the call. */
enum fact_state vfio_state(int err);

/* Says in @reason (NULL or g_malloc()ed) what failed first, as "DEVICE: WHAT: why (remedy)". */
void vfio_complain(char **reason, const char *name, const char *what, int err);

#endif
