/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read.h: what other programs print, as facts in a profile document.
 *
 * Used by the probes (live and replayed) and by `import`. Each reader adds to a document made by
 * document_new(); none decides anything. All of them take bytes of any content and never fail
 * but by GError with one line that names the place; what was added before that stays in the
 * document, which is not to be used then.
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
	READ_QEMUCAPS,          /* libvirt's cache of what a QEMU told it */
	READ_CPU,               /* a bare <cpu> */
	READ_DOMAIN,            /* a domain definition */
	READ_KUBERNETES,        /* nodes and KubeVirt's guests (read-kubernetes.h) */
	READ_ARGV,              /* a command that starts QEMU (argv.h) */
	READ_QMP_VERSION,       /* query-version */
	READ_QMP_MACHINES,      /* query-machines */
	READ_QMP_CPU_DEFINITIONS,
	READ_QMP_EXPANSION,     /* query-cpu-model-expansion */
	READ_QMP_KVM,           /* query-kvm */
	READ_QMP_DEVICE_PROPERTIES, /* device-list-properties */
	READ_QMP_TYPES,         /* qom-list-types */
	READ_QMP_MIGRATE_CAPABILITIES, /* query-migrate-capabilities */
	READ_QMP_MIGRATE_PARAMETERS, /* query-migrate-parameters */
	READ_QMP_SCHEMA,        /* query-qmp-schema */
	READ_QMP_SEV,           /* query-sev-capabilities */
	READ_QMP_SGX,           /* query-sgx-capabilities */
	READ_QMP_TARGET,        /* query-target */
	READ_QMP_GIC,           /* query-gic-capabilities */
	READ_QMP_TRANSCRIPT,    /* commands and their replies, one after the other */
	READ_QMP_OTHER,         /* a QMP reply we have no use for (query-commands, …) */
	READ_CPUID_LINES,       /* leaf subleaf eax ebx ecx edx */
	READ_CPUID_XML,         /* libvirt's <cpudata arch='x86'> */
	READ_IDENTICAL,         /* lines "NAME<tab>OTHER": NAME was not stored, it equals OTHER */
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

/* What KVM_PPC_GET_CPU_CHAR answers; bits outside the masks say nothing. */
struct power_characteristics {
	uint64_t character, character_mask, behaviour, behaviour_mask;
	bool power8; /* the processor is of that generation */
};

/**
 * read_power_characteristics - levels of the pseries machine's promises about weaknesses of the
 * processor that the host can keep
 */
void read_power_characteristics(json_t *doc, const struct power_characteristics *c,
				const struct scope *scope);

/**
 * read_cpuid_lines - parse lines "leaf subleaf eax ebx ecx edx" (hexadecimal, '#' comments)
 *
 * Returns an array of struct cpuid_row, or NULL with the line's number in @error.
 */
GArray *read_cpuid_lines(const char *bytes, size_t length, const char *where, GError **error);

/**
 * read_cpuid_xml - libvirt's <cpudata>: CPUID rows and MSRs of one CPU
 * @scope: as for read_cpuid(); the rows count as complete
 */
bool read_cpuid_xml(json_t *doc, const struct xml_document *xml, const struct scope *scope,
		    const char *origin, GError **error);

/**
 * read_capabilities - `virsh capabilities`: host UUID, arch, the host CPU (libvirt's view),
 * emulators and their machine types per arch and domain type (entries of machine "none")
 */
bool read_capabilities(json_t *doc, const struct xml_document *xml, const struct cpu_models *models,
		       GError **error);

/**
 * read_domcapabilities - `virsh domcapabilities`: scope (emulator path, domain type → accelerator,
 * machine), CPU modes, host-model CPU as the offer in libvirt's view, usable models with
 * blockers, vCPU limit, maxphysaddr
 *
 * Beside the members that document_emulator() names, the entry gets "arch", "vcpu_max" and
 * "enums": {"devices.iommu.model": [values], …}, "host_model": name. A machine type of which all
 * is said as of an earlier one becomes a name in that one's "same_as".
 */
bool read_domcapabilities(json_t *doc, const struct xml_document *xml,
			  const struct cpu_models *models, GError **error);

/**
 * read_qemucaps - a file of libvirt's cache of QEMU's capabilities (<qemuCaps>): version, machine
 * types, CPU models and the host's CPU by accelerator, as QEMU told them; libvirt's own version
 */
bool read_qemucaps(json_t *doc, const struct xml_document *xml, const struct cpu_models *models,
		   GError **error);

/**
 * read_bare_cpu - a <cpu> alone: <arch> and no mode is libvirt's host view, with a mode (or as a
 * guest's) it is what QEMU gives; its model is expanded by the table @models
 *
 * An unknown model makes every feature it might hold unknown: said in the document's sources.
 */
bool read_bare_cpu(json_t *doc, const struct xml_document *xml, const struct cpu_models *models,
		   GError **error);

/**
 * read_qmp_parse - QMP replies as text: one, or several after each other
 *
 * Numbers come back as reals, for QEMU prints some beyond 2^63, which jansson doesn't take as
 * integers; use json_number_value().
 *
 * Returns a new array of the replies, or NULL with the place in @error.
 */
json_t *read_qmp_parse(const char *bytes, size_t length, const char *where, GError **error);

/* What one parsed reply holds: READ_QMP_…, READ_ERROR_TEXT for an error reply, or READ_UNKNOWN. */
enum read_kind read_qmp_kind(const json_t *reply);

/**
 * read_qmp - one QMP reply ({"return": …} or the bare return value)
 * @kind: as read_kind() or read_qmp_kind() told
 * @scope: emulator path (a name for it where not known), accelerator, machine; migratable is
 *	1 unless the caller knows that migratable=off was asked for
 * @model: for an expansion: the model it was asked for ("host", "max", …); of others than
 *	host/max nothing is an offer, and they are left out; NULL: what the reply says. For
 *	device-list-properties: the device's type (or that of another object); for qom-list-types: what they implement
 *	("device", "user-creatable"; of others nothing is kept)
 *
 * @models: for what other architectures' models and groups of features stand for, or NULL
 *
 * With KVM the offer is "host"; "max" counts until a reply for "host" comes. An expansion's entry
 * also gets "cpu_model", a version's "package", query-kvm's "kvm": {"enabled","present"}. The
 * names of the CPU's properties stand once for all entries of a path that have the same ones.
 * What migrations can be asked for, and SEV and SGX, are facts of the emulator as a whole.
 */
bool read_qmp(json_t *doc, enum read_kind kind, const json_t *reply, const struct scope *scope,
	      const char *model, const struct cpu_models *models, const char *origin,
	      GError **error);

/**
 * read_qmp_security_error - an error reply to query-sev-capabilities or query-sgx-capabilities,
 * which is how QEMU says that this host has it not, when asked under KVM
 * @id: "sev.enabled" or "sgx.enabled"
 */
void read_qmp_security_error(json_t *doc, const char *id, const json_t *reply,
			     const struct scope *asked, const char *origin);

/**
 * read_scope_from_name - the scope that a recorded reply's file name carries
 * ("qmp-kvm-pc-q35-5.2-query-cpu-model-expansion-full-host.json")
 * @accel, @machine, @model: set to new strings, or NULL where the name says nothing; @model is
 *	the device's type for device-list-properties, what they implement for qom-list-types
 *
 * Returns true where the name has that form.
 */
bool read_scope_from_name(const char *name, char **accel, char **machine, char **model);

/* What the caller of read_file() knows of a file beside its bytes; NULL where nothing. */
struct read_hints {
	const char *name;     /* the file's, for messages and for the scope that it may carry */
	const char *emulator; /* path; NULL: the document's emulator of the host's arch */
	const char *accel, *machine, *model; /* scope of QMP replies; before the name's */
	int migratable;       /* of an expansion; -1: as the reply says */
	const struct cpu_models *models;
};

/**
 * read_file - add what a file of any kind says of a host to its document
 *
 * XML of libvirt's before QMP replies, for it names the emulator. A recorded failure becomes a
 * source that failed. Profiles, guests and domains are documents of their own and refused, as is
 * READ_IDENTICAL, which is its caller's to follow, and what is not recognised.
 */
bool read_file(json_t *doc, const char *bytes, size_t length, const struct read_hints *hints,
	       GError **error);

/**
 * read_identical - the pairs of a READ_IDENTICAL file
 *
 * Returns NAME, OTHER, NAME, OTHER, … as an array of strings that owns them (lines of another
 * form and names with a '/' are left out).
 */
GPtrArray *read_identical(const char *bytes, size_t length);

#endif
