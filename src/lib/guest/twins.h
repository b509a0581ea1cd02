/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * twins.h: which guests ask for the same, whatever they are called.
 */
#ifndef GUEST_TWINS_H
#define GUEST_TWINS_H

/**
 * twins_text - what a guest's stored document or definition says, without what tells it from its
 * twins: its own name and UUID, the number that it runs by, the addresses of its network cards
 * @name, @uuid: the guest's own, either may be NULL
 *
 * A name or a UUID that is of no ordinary form stays (a rule may be about it), and so does an
 * address that no single card can have. Equal texts mean equal verdicts.
 *
 * Returns a new string.
 */
char *twins_text(const char *text, const char *name, const char *uuid);

#endif
