/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lack.h: what of a CPU definition a target hasn't, by what follows from it; internal to judge/.
 */
#ifndef JUDGE_LACK_H
#define JUDGE_LACK_H

#include "judge/judgement.h"

/* Places that are needed and not (or perhaps not) there. */
struct lack {
	GArray *refused; /* int: the start is refused */
	GArray *dropped; /* int: starts without it, in silence */
	GArray *unknown; /* int */
	GArray *stuck;   /* int: off, but QEMU refuses the level that stays */
	const char *gate; /* some of the refused go with this, which the source took away; or NULL */
	bool unnamed;    /* and so does what QEMU's model has beyond libvirt's, which isn't told one by one */
	bool by_qemu;    /* QEMU itself refuses */
	bool taken;      /* libvirt compares nothing: what isn't there is dropped */
};

/* What the target's libvirt makes of check='partial' for the definition. */
enum cpu_partial {
	PARTIAL_COMPARES, /* its own idea of the model with what the host has */
	PARTIAL_TAKEN,    /* nothing: QEMU calls the model usable, and the definition only takes away */
	PARTIAL_BLOCKERS, /* QEMU's blockers must be switched off, features named be there */
	PARTIAL_UNSURE,   /* one of the latter or the first: not known of its version */
};
enum cpu_partial cpu_partial(const struct judgement *j);

/* 1, 0, -1: has a guest with this model the place, once it runs on what a target gives? */
int lack_gives(const struct judgement *j, const struct target *target, int bit);

/* What a guest of QEMU's own arguments would see otherwise after a move (check-argv.c). */
void argv_cpu_moves(struct judgement *j);

/*
 * What PARTIAL_BLOCKERS refuses, into refused. Of an unsure version, what comparing refuses stays
 * refused only where the other way refuses too, else all becomes unknown.
 */
void lack_by_blockers(struct judgement *j, struct lack *lack);

#endif
