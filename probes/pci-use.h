/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci-use.h: which PCI functions this host itself uses, and for what.
 */
#ifndef PCI_USE_H
#define PCI_USE_H

#include <glib.h>
#include <stdbool.h>

#include "source.h"

/* What one function is used for. */
struct pci_use {
	char *address;
	bool system; /* the host can't do without: root file system, default route, console */
	char *what;  /* "the file system /srv is on nvme0n1" */
};

/**
 * pci_use_read - what the host uses, as an array of struct pci_use
 *
 * Only addresses and names of interfaces, disks and mount points are kept in a recording.
 * Returns NULL where a replay doesn't hold it: then nothing is known of use.
 */
GArray *pci_use_read(struct source *source);

#endif
