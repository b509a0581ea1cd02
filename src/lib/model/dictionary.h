/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dictionary.h: what this build knows of capabilities.
 *
 * The tables behind these declarations are written by schema/gen-dictionary.py from
 * schema/dictionary/ (every *.dict file) into dictionary-tables.c; nothing here is edited when a
 * capability is added.
 */
#ifndef MODEL_DICTIONARY_H
#define MODEL_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What kind of value a capability has. */
enum cap_type {
	CAP_BOOL,    /* true or false; has a place in every bit set */
	CAP_UINT,    /* an unsigned number, its unit in `unit` */
	CAP_BITMAP,  /* 64 bits that are features of their own (page sizes) */
	CAP_STRING,  /* compared as a whole, never parsed */
	CAP_SET,     /* a set of strings */
	CAP_RANGES,  /* a sorted list of [first, last] addresses */
	CAP_PAIR,    /* allowed-0 (low) and allowed-1 (high) halves */
	CAP_TYPES
};

/* How two hosts' values meet; capbroker-capabilities(7) has a paragraph on each. */
enum cap_rule {
	RULE_LOWER_SAFE,
	RULE_HIGHER_SAFE,
	RULE_IMMUNITY,
	RULE_EXACT,
	RULE_SET,
	RULE_RANGES,
	RULE_CHAIN,
	RULE_TOLERANCE,
	RULE_ALLOWED_PAIR,
	RULES
};

/* Who calls a capability by a name of their own. */
enum cap_namespace {
	NS_LIBVIRT, /* <feature name=…> of libvirt's CPU map */
	NS_QEMU,    /* -cpu property, in QEMU's newest spelling and its older ones */
	NS_KERNEL,  /* /proc/cpuinfo flag, sysfs or KVM constant */
	NS_NOVA,    /* os-traits name */
	CAP_NAMESPACES
};

/* Attributes (struct capability.flags). */
enum {
	CAP_OFFER = 1 << 0,          /* something a host offers: it meets */
	CAP_SIGHT = 1 << 1,          /* something a guest sees: frozen at start */
	CAP_UNMIGRATABLE = 1 << 2,   /* a guest that has it can't move */
	CAP_HOST_ONLY = 1 << 3,      /* shown and recorded, takes no part in meets and classes */
	CAP_QEMU_OPTION = 1 << 4,    /* a switch of QEMU's in its expansion reply, never a feature */
	CAP_CONTRACT_EXACT = 1 << 5, /* meets by its rule in an offer, is exact in a contract */
	/* Left out of libvirt's migratable models: those of CAP_UNMIGRATABLE, and xsaves, which
	 * QEMU regards as migratable. */
	CAP_NO_AUTOENABLE = 1 << 8,        /* QEMU leaves it out of host and max, but may give it */
	CAP_LIBVIRT_KEEPS = 1 << 7,        /* libvirt compares it but never passes it to QEMU */
	CAP_LIBVIRT_UNMIGRATABLE = 1 << 6,
	CAP_OF_CPU = 1 << 9,               /* a bool of a processor's own: <cpu> may speak of it */
	CAP_VMM = 1 << 10,                 /* the kernel lets a VMM read it of the raw register */
};

/* Who can supply it where the hardware lacks it (struct capability.emulated_by). */
enum {
	CAP_BY_KVM = 1 << 0,
	CAP_BY_TCG = 1 << 1,
	CAP_BY_QEMU = 1 << 2,
	CAP_BY_KERNEL = 1 << 3,
};

enum cap_register_kind {
	REG_CPUID,         /* index = leaf, subindex = subleaf, part = 'a' 'b' 'c' 'd' */
	REG_MSR,           /* index = MSR number */
	REG_KVM_EXTENSION, /* index = number given to KVM_CHECK_EXTENSION; the whole answer */
	REG_NAMED,         /* by its name alone: IOMMUs, VFIO, PCI */
};

struct cap_register {
	const char *name; /* "cpuid.7.0.ebx", "msr.10a", "kvm.60", "vtd.cap" */
	enum cap_register_kind kind;
	uint32_t index;
	uint32_t subindex;
	char part;       /* CPUID only, else 0 */
	uint8_t width;   /* in bits */
	uint64_t known;  /* bits of entries and of `unnamed` lines; a set bit outside is news */
	uint64_t vmm;    /* REG_NAMED: the bits that the kernel lets a VMM read */
	const char *source;
};

struct capability {
	const char *id; /* "cpu.avx2", "msr.arch-cap.rsba"; never changes its meaning */
	enum cap_type type;
	enum cap_rule rule;
	unsigned int flags;
	unsigned int emulated_by;
	int bit;               /* CAP_BOOL: its place in a bit set, 0 … cap_bits-1; else -1 */
	int reg;               /* index into cap_registers, or -1 where it is not a register field */
	uint8_t low, high;     /* the field's bits in that register, inclusive */
	const char *unit;      /* "bits" "bytes" "khz" "pages" or NULL */
	const char *security;  /* security class that losing it opens (or that it obliges to), or NULL */
	const char *const *labels; /* RULE_CHAIN: names of the values 0…n, NULL-terminated; else NULL */
	uint16_t plus, times;  /* REG_NAMED, CAP_UINT: the value is the field times this, plus that */
	/* REG_NAMED: what each number in the field stands for: a decimal number (CAP_UINT), or
	 * members joined by '+' (CAP_SET); NULL where it is reserved. As many as the field can hold;
	 * NULL where the field is the value. */
	const char *const *values;
	const char *arch;      /* whose names they are (arch.h's rooms), or NULL: x86's, or nobody's */
	const char *level;     /* QEMU's property of models that stays set where this is off, or NULL */
	const char *promised;  /* first machine type that promises it unless told not to: "pseries-4.0", or NULL */
	int gate;              /* index of what QEMU takes it away without, or -1 */
	const uint16_t *needs; /* indices of capabilities it is meaningless without; ends in 0xffff */
	const char *names[CAP_NAMESPACES]; /* their preferred spelling each, or NULL */
	const char *sentence;
	const char *source;
};

struct cap_alias {
	const char *name;
	uint16_t cap;
};

/* The tables; capabilities sorted by id, aliases of each namespace sorted by name (strcmp). */
extern const struct capability cap_table[];
extern const size_t cap_count;
extern const size_t cap_bits; /* how many CAP_BOOL entries there are */
extern const uint16_t cap_by_bit[]; /* bit → index into cap_table */
extern const struct cap_register cap_registers[];
extern const size_t cap_register_count;
extern const struct cap_alias *const cap_aliases[CAP_NAMESPACES];
extern const size_t cap_alias_count[CAP_NAMESPACES];
extern const char cap_dictionary_version[]; /* "2026.1" */

/**
 * cap_find - look a capability up by id
 * @id: an id such as "cpu.avx2"
 *
 * Returns its index in cap_table, or -1 when this dictionary has no such id.
 */
int cap_find(const char *id);

/**
 * cap_find_alias - look a capability up by what somebody else calls it
 * @ns: whose name it is
 * @name: the name, exactly as they spell it; "s390x/vx" for another architecture's (see arch.h)
 *
 * Returns its index in cap_table, or -1.
 */
int cap_find_alias(enum cap_namespace ns, const char *name);

/**
 * cap_alias_of - the spelling that @ns prefers for a capability
 * @cap: an index into cap_table
 *
 * Returns the name, or NULL where that namespace has none.
 */
const char *cap_alias_of(enum cap_namespace ns, int cap);

/**
 * cap_find_register - the register a decoder has in hand
 *
 * Returns its index in cap_registers, or -1 where no entry of the dictionary lives in it.
 */
int cap_find_register(enum cap_register_kind kind, uint32_t index, uint32_t subindex, char part);

/**
 * cap_find_named_register - a register that has a name instead of a number
 * @name: "vtd.cap", "amdvi.efr", "smmuv3.idr0", "hwinfo.caps", "vfio.migration", "pci.acs", …
 *
 * Returns its index in cap_registers, or -1.
 */
int cap_find_named_register(const char *name);

/* Names as the dictionary writes them ("bool", "lower-safe", "libvirt"); NULL out of range. */
const char *cap_type_name(enum cap_type type);
const char *cap_rule_name(enum cap_rule rule);
const char *cap_namespace_name(enum cap_namespace ns);

#endif
