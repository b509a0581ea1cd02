/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * push.h: what was found, to a broker.
 */
#ifndef PUSH_H
#define PUSH_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

struct push_options {
	const char *url;
	const char *token_file;   /* NULL: who connects to the unix socket is known by that */
	const char *enrol_file;   /* holds a secret to be exchanged for a token where there is none yet; or NULL */
	const char *ca_file;      /* or NULL */
};

/* More than these are not tried. */
#define PUSH_TRIES 5

/**
 * push - tell a broker of this host
 * @profile: what the probes found
 * @guests: capbroker.guests/1; sent where it is the whole list of them
 *
 * The profile's digest goes first, and the profile itself where another one is in force there. A broker
 * that can't be reached, or says that it can't just now, is asked again, later each time and not by
 * all hosts at once. Returns false with @error.
 */
bool push(const struct push_options *options, const json_t *profile, const json_t *guests, GError **error);

#endif
