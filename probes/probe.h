/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * probe.h: what a probe is, and what it is given.
 *
 * Theory of operation: each probe runs in a process of its own (run.c), reads by source.h, and
 * builds a fragment of the profile, which comes back over a pipe. What hangs or crashes costs that
 * probe alone. A probe decides nothing: what it reads is turned into facts by read/read.h.
 */
#ifndef PROBE_H
#define PROBE_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/cpu-model.h"
#include "model/profile.h"
#include "source.h"

/* What the command line asks for that probes must know. */
struct probe_options {
	const char *connect;       /* libvirt URI, or NULL: this host's own, where there is one */
	bool remote;               /* @connect is another machine: nothing of this one is mixed in */
	GPtrArray *emulators;      /* char *: more QEMUs to ask */
	char **claims;             /* devices that may be opened, or NULL */
	unsigned int timeout;      /* seconds for all of it */
};

struct context {
	struct source *source;
	const struct probe_options *options;
	const json_t *shared;  /* what earlier probes left for later ones: object */
	json_t *found;         /* what this one leaves: object, merged into shared */
	json_t *doc;           /* the fragment: a document of document_new() */
	gint64 start, deadline; /* g_get_monotonic_time(): by when to be done */
	bool told;             /* probe_report() was called, or the probe wrote its own sources */
	void (*flush)(struct context *context); /* see probe_flush() */
	int pipe;
};

struct probe {
	const char *name;
	const char *help;
	const char *needs;     /* names of probes it can't do without, separated by commas, or NULL */
	bool local;            /* reads this machine: not run for a remote libvirt */
	enum view view;        /* its facts' view where they have no emulator, else VIEWS */
	bool claims;           /* runs while claimed devices are held */
	unsigned int percent;  /* of the time limit that it may take at most */
	void (*collect)(struct context *context);
};

extern const struct probe cpuid_probe, msr_probe, kvm_probe, kernel_probe, mitigations_probe,
	firmware_probe, swtpm_probe, resources_probe, acpi_probe, options_probe, vtd_probe, amdvi_probe,
	smmuv3_probe, spapr_probe, iommu_probe, pci_probe, iommufd_probe, vfio_probe, guests_probe,
	libvirt_probe, qemu_probe;

/* All of them, in the order they run; ends in NULL. */
extern const struct probe *const probes[];

/**
 * probe_report - say how reading went
 * @state: "ok" "partial" "unreadable" "missing" "timed-out" "failed"
 * @complete: what the facts of the probe's view don't have is absent
 * @reason: why not ok, with the remedy; NULL where ok
 *
 * A probe that reports nothing has failed.
 */
void probe_report(struct context *context, const struct probe *probe, const char *state,
		  bool complete, const char *reason);

/**
 * probe_flush - hand over what was found so far, so that it survives what comes next
 *
 * context->doc and context->found are empty afterwards. An emulator's entry must not be split
 * over two flushes.
 */
void probe_flush(struct context *context);

/* Milliseconds left before the deadline, at least 0. */
int probe_time_left(const struct context *context);

/* The state for a failure with this errno: "missing" for ENOENT, "unreadable" otherwise. */
const char *probe_state_of(int err);

/**
 * probe_missing_register - every capability of one register as a fact that is not known
 * @reg: index into cap_registers
 */
void probe_missing_register(struct context *context, int reg, enum fact_state state,
			    const struct scope *scope, const char *origin, int err);

/* The architecture of the host that is read, "x86_64" where the kernel's probe didn't tell. */
const char *probe_arch(const struct context *context);

/* The tables of CPU models; NULL with the reason in @error. Free with cpu_models_free(). */
struct cpu_models *probe_models(GError **error);

/* A fact with a string value; the text is made valid UTF-8. */
void probe_fact_text(struct context *context, const char *id, const char *text,
		     const struct scope *scope, const char *origin);

#endif
