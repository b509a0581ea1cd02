/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * judgement.h: what the checks of one (guest, host) share; internal to judge/.
 *
 * Theory of operation: judge_guest() resolves the target once (target.c: which emulator, machine
 * type and offers the guest would get there), then runs every check of the table (checks.c) whose
 * prerequisites passed. A check adds findings; it passed when it added none of its own that is
 * unknown or worse. One cause makes one finding: after a check failed, those that build on it
 * say nothing, but for what QEMU itself would do where only libvirt refuses.
 */
#ifndef JUDGE_JUDGEMENT_H
#define JUDGE_JUDGEMENT_H

#include "judge/target.h"
#include "judge/verdict.h"
#include "model/value.h"

struct judgement {
	const struct judge *judge;
	const struct needs *needs;
	const struct cpu_need *cpu; /* as defined, or resolved at the source; NULL: none */
	bool cpu_resolved_at_source;
	enum arch_family family;   /* of the guest, as the definition or the target says */
	const struct profile *source;
	struct target target;
	struct verdicts *out;
	size_t current;            /* the check that runs */
	const char *check;         /* its name */
	unsigned int *left;        /* by check: ON_* that checks after it may still speak of */
	struct cpu_comparison comparison;
	bool compared;
	const GArray *matches;     /* the rules that are true of this guest there (check-definition.c) */
	bool matched;              /* they were looked for */
};

/**
 * finding_add - record what a check found
 * @where, @text, @fix: stolen; where and fix may be NULL
 *
 * Returns the finding, whose need, have, capability and origin the check may fill in.
 */
struct finding *finding_add(struct judgement *j, enum verdict verdict, enum effect effect,
			    unsigned int on, char *where, char *text, char *fix);

/* Adds {"id", "value"} to a finding's need or have; @value is stolen. */
void finding_item(json_t *items, const char *id, json_t *value);

/* Names a model of its own (mode custom, or none written). */
bool cpu_is_custom(const struct cpu_def *def);

/* Is it match='minimum', of which libvirt makes the host's model and what the definition adds? */
bool cpu_is_minimum(const struct judgement *j);

/* Is it an upstream machine type from before QEMU's models were as its newest types have them? */
bool cpu_models_unsteady(const struct judgement *j);

/*
 * The width of addresses that QEMU gives the guest's CPU; 0 where it isn't known or isn't judged
 * (what libvirt makes of host-model differs by version).
 */
uint64_t guest_phys_bits(const struct judgement *j);

/* The last KiB that QEMU maps of a PC (memory, room for hot-plug, PCI devices); 0: not known. */
unsigned long long guest_top_kib(const struct judgement *j);

/* none, emulated, exact, shadow, refuse or unknown: by the checks that have run. */
const char *viommu_stage(const struct judgement *j);

/* Model and features that the source's libvirt makes of host-model: does the target's know the names? */
void source_model_known(struct judgement *j);
void source_model_names(struct judgement *j);

/* What check='full' refuses: features that the guest would see and the definition doesn't name. */
void cpu_full_extra(struct judgement *j);

/* What libvirt makes of the definition's check=, also where none is written. */
enum cpu_check cpu_effective_check(const struct judgement *j);

/* 1, 0 or -1: does what QEMU gives there hold the place? Does libvirt take the host to have it? */
int cpu_have_qemu(const struct judgement *j, int bit);
int cpu_have_libvirt(const struct judgement *j, int bit);

/* 1, 0 or -1: has the target's QEMU a CPU property of that name, or for a feature of libvirt's? */
int cpu_qemu_has_property(const struct judgement *j, const char *name);

/* Is the host's QEMU driven by libvirt? Does that keep a feature to itself, never asking QEMU? */
bool cpu_by_libvirt(const struct judgement *j);
bool cpu_libvirt_keeps(const struct judgement *j, int bit);

/* Adds a place to an array of them, once; their names, apart by spaces (free with g_free()). */
void places_add(GArray *places, int bit);
char *places_text(const struct judgement *j, const GArray *places);

/* The widest that any source says of the host; 0 not known. */
uint64_t host_number(const struct judgement *j, const char *id);

/* A named model without long mode? How many address bits such a one has with that QEMU (or NULL). */
bool cpu_only_32_bit(const struct judgement *j);
unsigned int cpu_32_bit_width(const struct judgement *j, const char *qemu);

/* The same on other architectures than x86 (check-other.c, check-other-bound.c). */
void other_cpu_model(struct judgement *j);
void other_cpu_names(struct judgement *j);
void other_cpu_missing(struct judgement *j);

/*
 * Is a guest with the CPU of its host @here tied to it? Where the processors alone decide that,
 * finds so and returns true.
 */
bool other_host_bound(struct judgement *j, const struct target *here);

/* The checks, one file a subject. */
void check_arch(struct judgement *j);
void check_accel(struct judgement *j);
void check_emulator(struct judgement *j);
void check_machine(struct judgement *j);
void check_machine_age(struct judgement *j);
void check_machine_same(struct judgement *j);
void check_vcpus(struct judgement *j);
void check_pinning(struct judgement *j);
void check_rules(struct judgement *j); /* the rulebook's rules of the check that runs */
void check_devices(struct judgement *j); /* those, and what QEMU's own arguments name */
void check_definition_valid(struct judgement *j);
void check_definition_kept(struct judgement *j);
void check_addresses(struct judgement *j);
void check_unjudged(struct judgement *j);
void check_firmware(struct judgement *j);
void check_backing(struct judgement *j);
void check_cpu_facts(struct judgement *j);
void check_cpu_mode(struct judgement *j);
void check_cpu_model(struct judgement *j);
void check_cpu_names(struct judgement *j);
void check_cpu_vendor(struct judgement *j);
void check_cpu_missing(struct judgement *j);
void check_cpu_forbidden(struct judgement *j);
void check_cpu_extra(struct judgement *j);
void check_cpu_contract(struct judgement *j);
void check_cpu_obligation(struct judgement *j);
void check_nested(struct judgement *j);
void check_cpu_msr(struct judgement *j);
void check_mitigations(struct judgement *j);
void check_xsave(struct judgement *j);
void check_qemu_version(struct judgement *j);
void check_host_devices(struct judgement *j);
void check_host_isolation(struct judgement *j);
void check_host_group(struct judgement *j);
void check_host_mappable(struct judgement *j);
void check_host_window(struct judgement *j);
void check_host_device_moves(struct judgement *j);
void check_viommu_properties(struct judgement *j);
void check_viommu_devices(struct judgement *j);
void check_viommu_reach(struct judgement *j);
void check_viommu_contract(struct judgement *j);
void check_hotplug_supported(struct judgement *j);
void check_hotplug_frozen(struct judgement *j);
void check_hotplug_room(struct judgement *j);
void check_cpu_unmigratable(struct judgement *j);
void check_cpu_host_bound(struct judgement *j);
void check_phys_bits(struct judgement *j);
void check_address_space(struct judgement *j);
void check_gic(struct judgement *j);
void arm_memory_fits(struct judgement *j);
void check_tsc(struct judgement *j);

#endif
