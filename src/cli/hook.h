/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook.h: what libvirt's, VDSM's and Ganeti's hooks call on the host a guest comes to.
 *
 * Theory of operation: whoever runs a hook waits for it without a limit, and takes any end but 0 for
 * a refusal. So the work is done by a child (hook-guard.c) that holds none of the caller's pipes
 * but standard input; the parent waits for its answer no longer than the policy's limit, and ends by
 * the policy whatever becomes of the child: hung on a disk, killed, out of memory. Nothing is
 * ever written to standard output, which libvirt would take for another definition of the guest, and
 * libvirt itself is never asked.
 */
#ifndef HOOK_H
#define HOOK_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "answer/answer.h"
#include "cli.h"

#define HOOK_CONFIG SYSCONFDIR "/capbroker/hook.conf"
#define HOOK_MAX_XML (4u * 1024 * 1024)

/* What hook.conf says; see capbroker-hook(8). */
struct hook_policy {
	bool enforce;          /* mode */
	bool off;              /* the kill switch is there */
	unsigned int effects;  /* bits 1 << enum effect whose blocks are refused */
	bool refuse_unknown, refuse_failure;
	bool unknown_said;     /* hook.conf says what becomes of unknown; else the site's policy does */
	bool trust_changed;    /* a profile whose fingerprint changed is believed */
	bool reprobe;
	unsigned int limit_ms;
	char *database, *host; /* NULL: as usual */
	char *kill_switch, *libvirt_state;
};

/* Reads the policy; where that fails, false with @error, and @policy is the default one. */
bool hook_policy_read(const char *path, struct hook_policy *policy, GError **error);
void hook_policy_clear(struct hook_policy *policy);

/* "report", "enforce", or "off" by the kill switch. */
const char *hook_mode(const struct hook_policy *policy);

enum hook_event {
	HOOK_NOTHING,  /* nothing that concerns us */
	HOOK_ARRIVES,  /* a guest is about to come here: to be judged */
	HOOK_STARTED,  /* its QEMU runs here */
	HOOK_STOPPED,  /* its QEMU ended here */
	HOOK_RELEASED, /* and what it held is given back */
};

/* One call of a hook. */
struct hook_call {
	const char *guest;   /* its name, as the caller says */
	enum hook_event event;
	const char *xml;     /* the definition's file, "-" or NULL: not given */
	const char *reason;  /* the caller's words for why it stopped, or NULL */
};

/* Tells what a dialect's arguments and environment mean; false where they mean nothing known. */
bool hook_call_read(const char *dialect, char **args, struct hook_call *call);

enum hook_status { HOOK_ALLOW = 'a', HOOK_REFUSE = 'r', HOOK_FAILED = 'f' };

/**
 * hook_guard - do the work in a child, and wait for it no longer than the policy's limit
 * @work: returns what is to be done, and appends lines for standard error to @say
 *
 * Returns the exit status.
 */
typedef enum hook_status hook_work(void *data, GString *say);
int hook_guard(const struct hook_policy *policy, hook_work *work, void *data);

/* Probes this host again, detached and bounded, where nobody is at it already. */
void hook_reprobe(const char *database, const char *host);

/* What one call works with. */
struct hook_run {
	const struct cli *cli;
	const struct hook_policy *policy;
	const struct hook_call *call;
	const char *database;
	int64_t began;       /* monotonic, in microseconds */
};

/* A guest that is about to come here: judged, recorded. Sets @error where that can't be done. */
enum hook_status hook_arrives(const struct hook_run *run, GString *say, GError **error);

/* What became of one that came. */
bool hook_outcome(const struct hook_run *run, GError **error);

/* The lines a user of virsh reads; @effects: those whose blocks are refused, 0: it is unknown. */
void hook_say_refused(GString *say, const char *host, const json_t *answer, unsigned int effects);

#endif
