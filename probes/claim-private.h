/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * claim-private.h: what claim.c and claim-check.c share.
 */
#ifndef CLAIM_PRIVATE_H
#define CLAIM_PRIVATE_H

#include "claim.h"

#define CLAIM_DEVICES "/sys/bus/pci/devices"
#define CLAIM_DRIVERS "/sys/bus/pci/drivers"
#define CLAIM_MDEVS "/sys/bus/mdev/devices"
#define CLAIM_VFIO_PCI "vfio-pci"

/* A device to be given to vfio-pci, and what it has now. */
struct take {
	char *address;
	char *driver;   /* or NULL */
	char *override; /* "" where there is none */
	char *power;    /* its power/control, or NULL where the kernel has none */
};

/* Those of @names that no driver of VFIO has: an array of struct take that owns its strings. */
GArray *claim_takes(char *const *names);

/* An attribute of a PCI function, or NULL. Free with g_free(). */
char *claim_attribute(const char *address, const char *name);

/* The driver that a PCI function is bound to, or NULL. Free with g_free(). */
char *claim_driver(const char *address);

#endif
