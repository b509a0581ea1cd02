/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt.h: the connection that libvirt.c and guests.c ask by, and the CPU map.
 */
#ifndef PROBES_LIBVIRT_H
#define PROBES_LIBVIRT_H

#include <glib.h>
#include <stdbool.h>

#include "probe.h"

/* A connection that is opened when it is first asked for. */
struct libvirt_link {
	const struct context *context;
	bool want_write;  /* some answers are for writers only */
	bool can_write;   /* set when opened */
	void *connection; /* virConnectPtr, NULL before */
};

/**
 * libvirt_there - whether there is a libvirt to ask, without asking it
 *
 * True with --connect and in a replay; else where a daemon's socket is. False with SOURCE_MISSING
 * in @error: not installed, or installed and not running, and what to do.
 */
bool libvirt_there(const struct context *context, GError **error);

/**
 * libvirt_open - the link's connection
 *
 * Opened for writing where that is wanted and allowed, else read-only. Returns the virConnectPtr,
 * or NULL with a SOURCE_ERROR.
 */
void *libvirt_open(struct libvirt_link *link, GError **error);
void libvirt_close(struct libvirt_link *link);

/* Fills @error with libvirt's last error and the place it happened in; returns NULL. */
void *libvirt_failed(const char *where, GError **error);

/* Names that the installed libvirt knows: facts libvirt.cpu-features, libvirt.cpu-models. */
void libvirt_read_cpu_map(struct context *context);

#endif
