/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench-hosts.h: made-up hosts by the hundred thousand, of real CPU models and machine types.
 */
#ifndef TESTS_BENCH_HOSTS_H
#define TESTS_BENCH_HOSTS_H

#include "model/cpu-model.h"
#include "model/fleet.h"

struct bench_hosts {
	struct fleet *fleet;
	GPtrArray *copies; /* struct profile: those that share their document with another host's */
	GPtrArray *cpus;   /* char *: each document's CPU as libvirt's <cpu> */
};

/**
 * bench_hosts_new - make a fleet
 * @count: hosts
 * @classes: distinct profiles among them; where there are more than BENCH_DOCUMENTS, the further
 *	ones differ from a profile of the same document in features and share the rest of it
 * @seed: of the generator; the same one gives the same hosts
 */
struct bench_hosts *bench_hosts_new(const struct cpu_models *models, guint count, guint classes,
				    guint32 seed);
void bench_hosts_free(struct bench_hosts *hosts);

#define BENCH_DOCUMENTS 2000u

#endif
