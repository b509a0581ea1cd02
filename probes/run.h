/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * run.h: runs probes, each in a process of its own, and puts their fragments together.
 */
#ifndef RUN_H
#define RUN_H

#include <glib.h>
#include <jansson.h>

#include "probe.h"

/**
 * run_probes - the profile of what the probes find
 * @options: in a replay, those of the recording are put in
 * @only: names of probes, separated by commas, or NULL: all of them
 * @fallback_name: what the host is called where nothing says it
 * @guests: set to a new reference to the document capbroker.guests/1
 * @error: a name in @only that is no probe; a remote libvirt that doesn't answer
 *
 * Returns a new profile document, or NULL.
 */
json_t *run_probes(struct source *source, struct probe_options *options, const char *only,
		   const char *fallback_name, json_t **guests, GError **error);

#endif
