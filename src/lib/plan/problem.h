/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * problem.h: which hosts to keep together, as a problem of sets: what each class of hosts has, and
 * what it is worth.
 *
 * An atom is the least thing that can be promised: a feature, a machine type, a width of at least
 * so much. A class has it or is not known to have it. What a set of classes is worth is the sum of
 * the atoms that all of them have. A layer is one view of the CPU: only like views are compared,
 * so a set is worth what its best layer says (offering.h sees to it that this is the best view).
 */
#ifndef PLAN_PROBLEM_H
#define PLAN_PROBLEM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct plan_layer {
	char *view;        /* whose view of the CPU: "qemu kvm pc-q35-7.2" */
	GPtrArray *atoms;  /* char *: "cpu.avx2", "qemu.machine=pc-q35-9.2", "iommu.address-bits>=48" */
	GArray *values;    /* guint: what each is worth */
	GArray *pinned;    /* guint: atoms that every kept class must have */
	bool pin_missing;  /* something pinned is no atom: nobody is known to have it */
	size_t words;      /* of a row; set by problem_settle() */
	uint64_t *rows;    /* one a class: the atoms it has */
	GPtrArray *having; /* GArray of guint, one an atom: classes that have it */
	uint32_t *sums;    /* worth by byte of a row, 256 each; set by problem_settle() */
};

/* Whether a class's hosts are in one place, in several, or nobody says. */
enum { SPREAD_NONE = -1, SPREAD_MANY = -2 };

struct plan_problem {
	guint n;
	uint64_t *weights;  /* what a class counts for a coverage */
	guint *hosts;       /* how many hosts it is */
	int *spread;        /* the one place (a number) where its hosts are, or SPREAD_* */
	GPtrArray *layers;  /* struct plan_layer */
};

struct plan_problem *problem_new(guint n);
void problem_free(struct plan_problem *problem);
typedef struct plan_problem PlanProblem;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlanProblem, problem_free)

/* A new layer; owned by the problem. */
struct plan_layer *problem_layer(struct plan_problem *problem, const char *view);

/**
 * layer_atom - add an atom
 * @value: what it is worth
 * @having: guint: the classes that have it, ascending; stolen
 *
 * Returns its number.
 */
guint layer_atom(struct plan_layer *layer, const char *name, guint value, GArray *having);

/* Every kept class must have the atom. */
void layer_pin(struct plan_layer *layer, guint atom);

/* Call once all atoms are in. */
void problem_settle(struct plan_problem *problem);

/* What a row (the atoms that a set of classes has in common) is worth. */
uint64_t layer_worth(const struct plan_layer *layer, const uint64_t *row);

/* The row of a set of classes (a bit set): all ones where the set is empty. */
void layer_common(const struct plan_layer *layer, guint n, const uint64_t *set, uint64_t *row);

/* What a set of classes is worth in its best layer; *@best: which (may be NULL). */
uint64_t problem_worth(const struct plan_problem *problem, const uint64_t *set, guint *best);

#endif
