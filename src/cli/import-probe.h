/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * import-probe.h: capbroker-probe, run as a program, on its findings' way into the database.
 */
#ifndef IMPORT_PROBE_H
#define IMPORT_PROBE_H

#include "import.h"

/* Runs capbroker-probe with these arguments, NULL-terminated, and gathers what it found. */
bool import_probe(struct import *import, const char *const *arguments, GError **error);

/**
 * import_libvirt - ask libvirt connections, several at once, and gather what they found
 * @uris: NULL-terminated
 *
 * A connection that fails doesn't stop the others: it is listed in import->failed, in the order of
 * @uris. Returns false only where nobody can be asked at all.
 */
bool import_libvirt(struct import *import, char *const *uris, GError **error);

/* One run of capbroker-probe; for import_probe() and import_libvirt(). */
struct probe_run {
	char *label;          /* for messages: what is asked */
	char *folder, *profile, *guests, *errors; /* where it writes */
	GPid pid;             /* to be waited for */
};

struct probe_run *probe_run_start(const char *label, const char *const *arguments, GError **error);

/* Gathers what it found; @status: as waitpid() tells it. */
bool probe_run_gather(struct probe_run *run, int status, struct import *import, GError **error);
void probe_run_free(struct probe_run *run);

#endif
