/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * downstream.h: whose QEMU it is, and what distributions make of machine types: from
 * qemu-vendors.tsv and machine-types-downstream.tsv.
 *
 * A machine type's name is a promise of one vendor. The same name in another vendor's QEMU gives
 * a guest the same only where that is known.
 */
#ifndef MODEL_DOWNSTREAM_H
#define MODEL_DOWNSTREAM_H

#include <glib.h>

#include "model/tables.h"

/* A QEMU, as far as its machine types go. */
struct qemu_build {
	const char *vendor;  /* as qemu_vendor() says, or NULL */
	const char *version; /* "7.2.22", or NULL */
};

/**
 * qemu_vendor - whose QEMU it is
 * @package: what query-version calls the package, "" for none, NULL: not known
 *
 * Returns a word such as "debian", or NULL where that isn't known.
 */
const char *qemu_vendor(const struct tables *tables, const char *package);

/**
 * machine_same - does a machine type of one QEMU give a guest the same in another?
 * @name: without alias
 * @why: set to what is known to differ, or to NULL
 *
 * Returns 1, 0, or -1 where that isn't known. Of a QEMU whose vendor isn't known nothing is said
 * against it: 1.
 */
int machine_same(const struct tables *tables, const char *name, const struct qemu_build *one,
		 const struct qemu_build *other, const char **why);

#endif
