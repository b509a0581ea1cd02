/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * arch.h: families of architectures, as far as guests and hosts are compared by them.
 *
 * Each family has a room of the dictionary for what its processors have, and names of its own:
 * what s390x calls "vx" is found as "s390x/vx" among the dictionary's names, what x86 calls so,
 * plainly.
 */
#ifndef MODEL_ARCH_H
#define MODEL_ARCH_H

#include <stdbool.h>

#include "model/dictionary.h"

enum arch_family {
	ARCH_X86,         /* i686, x86_64: rooms cpu and msr */
	ARCH_ARM64,       /* aarch64, and armv7l */
	ARCH_LOONGARCH64,
	ARCH_PPC64,       /* ppc64, ppc64le */
	ARCH_RISCV64,
	ARCH_S390X,
	ARCH_OTHER,       /* judged by machine types and models alone */
	ARCH_FAMILIES
};

/* The family of an architecture as libvirt and uname(2) spell it; x86's for NULL. */
enum arch_family arch_family(const char *arch);

/* The room of its processors' features: "cpu", "s390x", "arm64", … */
const char *arch_room(enum arch_family family);

/* The family whose room of processors' features an id is in; ARCH_FAMILIES where it is in none. */
enum arch_family arch_of_id(const char *id);

/* Who makes a family's processors (of a model) where nobody said, or NULL: more than one does. */
const char *arch_maker(enum arch_family family, const char *model);

/* What distributions call the emulator of an architecture: "qemu-system-x86_64", also for NULL. */
const char *arch_usual_emulator(const char *arch);

/* The architecture that "…/qemu-system-NAME" emulates, or NULL where the name doesn't say. */
const char *arch_of_emulator(const char *path);

/* Can a processor of @host run a guest of @guest by itself (KVM)? */
bool arch_native(const char *host, const char *guest);

/**
 * arch_find_alias - look up what somebody calls a feature of a family's processors
 *
 * Returns its index in cap_table, or -1.
 */
int arch_find_alias(enum arch_family family, enum cap_namespace ns, const char *name);

/* A name of the dictionary's without the family whose it is: "vx" of "s390x/vx". */
const char *arch_plain_name(const char *alias);

/**
 * arch_feature_id - the id of what somebody calls by a name, for a family's processors
 *
 * Returns the dictionary's id, or the family's room and the name where the dictionary has none.
 * Free with g_free().
 */
char *arch_feature_id(enum arch_family family, enum cap_namespace ns, const char *name);

#endif
