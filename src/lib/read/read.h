/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read.h: what other programs print, as facts in a profile document.
 *
 * Used by the probes (live and replayed) and by `import`. Each reader adds to a document made by
 * document_new(); none decides anything. All of them take bytes of any content and never fail
 * but by GError with one line that names the place.
 */
#ifndef READ_READ_H
#define READ_READ_H

#include <glib.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/cpu-def.h"
#include "guest/xml.h"
#include "model/cpu-model.h"
#include "model/profile.h"

/* What a file holds, told by its content. */
enum read_kind {
	READ_UNKNOWN,
	READ_PROFILE,           /* capbroker.profile/1 */
	READ_GUESTS,            /* capbroker.guests/1 */
	READ_CAPABILITIES,      /* virsh capabilities */
	READ_DOMCAPABILITIES,   /* virsh domcapabilities */
	READ_CPU,               /* a bare <cpu> */
	READ_DOMAIN,            /* a domain definition */
	READ_QMP_VERSION,       /* query-version */
	READ_QMP_MACHINES,      /* query-machines */
	READ_QMP_CPU_DEFINITIONS,
	READ_QMP_EXPANSION,     /* query-cpu-model-expansion */
	READ_QMP_KVM,           /* query-kvm */
	READ_QMP_DEVICE_PROPERTIES, /* device-list-properties */
	READ_QMP_OTHER,         /* a QMP reply we have no use for (qom-list-types, query-commands, …) */
	READ_CPUID_LINES,       /* leaf subleaf eax ebx ecx edx */
	READ_CPUID_XML,         /* libvirt's <cpudata arch='x86'> */
	READ_VIRSH_VERSION,     /* what `virsh version` prints */
	READ_ERROR_TEXT,        /* a recorded failure ("ERROR: …") instead of a document */
};

/**
 * read_kind - tell what bytes hold, by their shape
 */
enum read_kind read_kind(const char *bytes, size_t length);

/* One row of CPUID. */
struct cpuid_row {
	uint32_t leaf, subleaf, eax, ebx, ecx, edx;
};

/**
 * read_cpuid - facts of CPUID rows
 * @scope: raw, or kvm for GET_SUPPORTED_CPUID
 * @complete: a leaf that is not there reads as zero (so its features are absent)
 *
 * Every boolean of the dictionary in a CPUID register becomes a fact (known true; known false in
 * a register that was read or is zero by @complete), set bits that no entry accounts for are
 * reported as facts "cpu.unnamed.<register>.<bit>"; vendor, family, phys-bits, … likewise.
 */
void read_cpuid(json_t *doc, const struct cpuid_row *rows, size_t n, bool complete,
		const struct scope *scope, const char *origin);

/* The same for one MSR's value. */
void read_msr(json_t *doc, uint32_t index, uint64_t value, const struct scope *scope,
	      const char *origin);

/**
 * read_cpuid_lines - parse lines "leaf subleaf eax ebx ecx edx" (hexadecimal, '#' comments)
 *
 * Returns an array of struct cpuid_row, or NULL with the line's number in @error.
 */
GArray *read_cpuid_lines(const char *bytes, size_t length, const char *where, GError **error);

/**
 * read_capabilities - `virsh capabilities`: host UUID, arch, the host CPU (libvirt's view),
 * emulators and their machine types per arch and domain type, hugepage sizes
 */
bool read_capabilities(json_t *doc, const struct xml_document *xml, const struct cpu_models *models,
		       GError **error);

/**
 * read_domcapabilities - `virsh domcapabilities`: scope (emulator path, domain type → accelerator,
 * machine), CPU modes, host-model CPU as the offer in libvirt's view, usable models with
 * blockers, vCPU limit, maxphysaddr
 */
bool read_domcapabilities(json_t *doc, const struct xml_document *xml,
			  const struct cpu_models *models, GError **error);

/**
 * read_bare_cpu - a <cpu> alone: <arch> and no mode is libvirt's host view, with a mode (or as a
 * guest's) it is what QEMU gives; its model is expanded by the table @models
 *
 * An unknown model makes every feature it might hold unknown: said in the document's sources.
 */
bool read_bare_cpu(json_t *doc, const struct xml_document *xml, const struct cpu_models *models,
		   GError **error);

/**
 * read_qmp - one QMP reply ({"return": …} or the bare return value)
 * @kind: as read_kind() told
 * @scope: emulator path (a name for it where not known), accelerator, machine; migratable is
 *	1 unless the caller knows that migratable=off was asked for
 * @model: for an expansion: the model it was asked for ("host", "max", …); of others than
 *	host/max nothing is an offer, and they are left out
 */
bool read_qmp(json_t *doc, enum read_kind kind, const json_t *reply, const struct scope *scope,
	      const char *model, const char *origin, GError **error);

/**
 * read_scope_from_name - the scope that a recorded reply's file name carries
 * ("qmp-kvm-pc-q35-5.2-query-cpu-model-expansion-full-host.json")
 * @accel, @machine, @model: set to new strings, or NULL where the name says nothing
 *
 * Returns true where the name has that form.
 */
bool read_scope_from_name(const char *name, char **accel, char **machine, char **model);

#endif
