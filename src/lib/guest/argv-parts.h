/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * argv-parts.h: what the files that make up argv.h share; for nobody else.
 */
#ifndef GUEST_ARGV_PARTS_H
#define GUEST_ARGV_PARTS_H

#include "guest/argv.h"
#include "model/arch.h"

/* One KEY=VALUE of an option; "on" where only a key was given. */
struct argv_pair {
	char *key, *value;
	bool bare; /* no '=' was written */
};

/* A device as given, in the order of the command. */
struct argv_device {
	char *driver;       /* its type (argv_driver()) */
	GArray *pairs;      /* struct argv_pair */
};

/* What was read of the arguments so far. */
struct argv {
	const char *program;  /* words[0] */
	enum arch_family family;
	const char *arch;     /* or NULL: the host's own */
	char *name, *id, *uuid;
	char *machine;        /* or NULL: the default */
	char *accel, *fallback; /* QEMU's; NULL: none said */
	char *cpu;            /* -cpu's value, or NULL */
	guint64 cpus, max_cpus; /* 0: not said */
	guint64 topology[5];  /* sockets, dies, clusters, cores, threads; 0: not said */
	guint64 memory_mib, max_memory_kib, slots;
	char *irqchip, *below_4g; /* machine options; NULL: not said */
	bool smm, no_acpi;
	char *huge_path;      /* memory in a file of a mounted hugetlbfs */
	guint64 huge_kib;     /* the size of its pages; 0: not said */
	bool memory_shared;
	char *bios;           /* -bios, absolute */
	char *pflash;         /* the code's file, absolute */
	char *pflash_node;    /* a node of -blockdev that it is to be */
	GHashTable *nodes;    /* node of -blockdev → file, strings of their own */
	GPtrArray *devices;   /* struct argv_device */
	GPtrArray *globals;   /* char *: of virtual IOMMUs and VFIO devices, as given */
	GPtrArray *objects;   /* char *: type names */
	GHashTable *has;      /* set of attributes of <has>, written out: ours */
	GPtrArray *order;     /* the same in order, borrowed */
	GPtrArray *options;   /* char *: names of options given, once each */
	GPtrArray *unknown;   /* char *: what could decide and isn't understood */
	char *secure;         /* the object that protects its memory: its type, or NULL */
	GArray *secure_pairs; /* struct argv_pair of it, or NULL */
	char *secure_id;      /* which object the machine names; NULL: none */
	bool iommufd;
};

/* Is it the name of a program that is QEMU? */
bool argv_is_program(const char *word);

/**
 * argv_pairs - the pairs of an option's value
 * @text: "k=v,k2,k3=a,,b", or a JSON object, whose own members of simple types count
 * @implied: the key of a first part without one, or NULL
 *
 * Returns an array of struct argv_pair, empty where the text is no such thing.
 */
GArray *argv_pairs(const char *text, const char *implied);

/* The last value of a key, or NULL. */
const char *argv_value(const GArray *pairs, const char *key);

/* QEMU's words for true and false: 1, 0, or -1. */
int argv_truth(const char *value);

/**
 * argv_size - a size as QEMU reads it, in KiB, rounded up
 * @unit: what a number without a suffix counts: 'B', 'K', 'M'
 */
bool argv_size(const char *text, char unit, guint64 *kib);

/**
 * argv_driver - a device's type, where QEMU takes a shorter name too ("virtio-net", "ahci")
 *
 * Returns @name itself where it is no such name. Free with g_free().
 */
char *argv_driver(enum arch_family family, const char *name);

/* Notes something that could decide; stolen. */
void argv_unknown(struct argv *argv, char *what);

/* Notes a <has NAME='VALUE'>, once; only plain words are told. */
void argv_has(struct argv *argv, const char *kind, const char *name, const char *property);

/**
 * argv_read - the arguments one by one
 *
 * Returns false with one line in @error for what QEMU itself would refuse everywhere.
 */
bool argv_read(struct argv *argv, char *const *words, GError **error);

/* Writes <cpu>, and what -cpu says that libvirt has elsewhere, to the places for them. */
struct argv_cpu_out {
	GString *cpu, *features, *clock;
};
void argv_put_cpu(struct argv *argv, struct argv_cpu_out *out);

/* NAME='VALUE' with a space before it; what isn't fit for XML isn't written. */
void argv_put(GString *out, const char *name, const char *value);

#endif
