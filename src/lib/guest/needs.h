/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * needs.h: what a guest's definition asks of a host, each with the place it came from.
 *
 * Nothing here is resolved against a host: a model stays a model, an alias an alias, a host-model
 * a host-model. judge/ does that for each target.
 */
#ifndef GUEST_NEEDS_H
#define GUEST_NEEDS_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "guest/cpu-def.h"
#include "guest/xml.h"

#define GUESTS_FORMAT "capbroker.guests/1"

/* A part of the definition that could decide and that this version doesn't judge. */
struct needs_unjudged {
	char *path;   /* "/domain/devices/hostdev" */
	char *what;   /* "assigned PCI device", … */
	bool decides; /* it may well keep the guest from starting: its verdict is unknown, not silent */
};

struct needs {
	bool cpu_only;      /* a bare <cpu>: nothing else is asked */
	bool live;          /* a running guest's XML: an id on <domain>, resolved by libvirt */
	bool argv;          /* started by QEMU's own arguments: no libvirt has a say (argv.h) */
	char *name, *uuid;  /* NULL where not written */
	char *type;         /* domain type: "kvm", "qemu"; NULL for a bare <cpu> */
	char *accel;        /* what that is to QEMU: "kvm", "tcg"; NULL where it is neither */
	char *arch;         /* NULL: the host's own */
	char *machine;      /* as written, NULL: the emulator's default */
	char *emulator;     /* path, NULL: the host's default */
	char *os_type;      /* "hvm" */
	unsigned int vcpus; /* the maximum number of virtual CPUs, 0 not written */
	struct cpu_def *cpu; /* NULL: the machine type's default CPU */
	unsigned long long tsc_khz; /* clock's <timer name='tsc' frequency=>, 0 none */
	unsigned long long memory_kib; /* 0 not written */
	bool kvm_hidden;    /* <kvm><hidden state='on'> */
	bool apic, acpi, pae;
	GPtrArray *hyperv;  /* char *: names of enlightenments switched on */
	GPtrArray *unjudged; /* struct needs_unjudged */
	bool has_viommu;    /* <devices><iommu> */
	bool has_host_device; /* <hostdev>, vDPA: DMA through the host's IOMMU */
	bool plugged;       /* the last of its <devices> is being plugged in while it runs (plug.h) */
	char *definition_text; /* whitelisted copy of the definition (definition.h), NULL: a bare <cpu> */
	struct xml_document *definition; /* the same as a tree, or NULL */
	GHashTable *memo; /* char * → what judges worked out about this guest; see needs_memo() */
};

/**
 * needs_from_xml - what a domain definition or a bare <cpu> asks for
 * @document: root <domain>, <cpu>, or <domstatus>/<domainsnapshot> holding a <domain>
 *
 * Returns the needs, to be freed by needs_free(), or NULL with one line in @error (place, what,
 * what to do).
 */
struct needs *needs_from_xml(const struct xml_document *document, GError **error);

/**
 * needs_from_json - the same from an entry of `capbroker.guests/1` (round trip of needs_to_json)
 */
struct needs *needs_from_json(const json_t *guest, GError **error);

/**
 * needs_to_json - the whitelisted projection: os, cpu, features, clock, memory, device types and
 * models; no metadata, no command lines, no secrets
 */
json_t *needs_to_json(const struct needs *needs);

/**
 * needs_memo - what was worked out about this guest before, which frees itself with it
 *
 * A judge works out once what only depends on the guest and on few words about the target (a
 * version, a machine type): @key holds those. Not to be used by threads at once.
 */
gpointer needs_memo(const struct needs *needs, const char *key);
void needs_memo_set(const struct needs *needs, const char *key, gpointer value, GDestroyNotify free_value);

/**
 * needs_size_kib - the size that an element with a unit= says (KiB where it has none), rounded up
 *
 * Returns false where it is no size, or there is no element.
 */
bool needs_size_kib(const struct xml_node *node, unsigned long long *kib);

void needs_free(struct needs *needs);
typedef struct needs Needs;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Needs, needs_free)

#endif
