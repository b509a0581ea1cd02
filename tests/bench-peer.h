/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench-peer.h: the installed libvirt, in this process, asked the same questions.
 *
 * Its embedded driver is used (qemu:///embed), so no daemon and no RPC is in the times. It reads
 * the CPUs it is given from XML each time, as its interface wants it; that is in the times.
 */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H

#include <glib.h>
#include <stdbool.h>

struct peer;

/* Returns the peer, or NULL with @*why set to a constant text. */
struct peer *peer_open(const char **why);
void peer_close(struct peer *peer);

/* "libvirt 9.0.0" */
const char *peer_name(const struct peer *peer);

/* Is a guest's CPU all right on this host? False where libvirt fails. */
bool peer_compare(struct peer *peer, const char *cpu);

/* The baseline of @n CPUs of hosts. False where libvirt fails. */
bool peer_baseline(struct peer *peer, const char **cpus, guint n);

#endif
