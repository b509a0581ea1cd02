/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * power.h: generations of POWER processors and the modes of older ones in which they run guests.
 *
 * Levels are those of the chain ppc64.compat: 1 for power6, 2 for power7, …
 */
#ifndef MODEL_POWER_H
#define MODEL_POWER_H

/* The level of a generation ("POWER9") or of a mode ("power9"); -1 where it has none. */
int power_level(const char *model);
int power_mode_level(const char *mode);

/* "power9" for its level, or NULL: no mode has it. */
const char *power_mode(int level);

/*
 * What libvirt calls a model today: four names with a revision became those of their generation.
 * Itself where it is none of these.
 */
const char *power_generation(const char *model);

#endif
