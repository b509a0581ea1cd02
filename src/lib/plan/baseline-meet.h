/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * baseline-meet.h: the steps of a baseline; internal to plan/.
 */
#ifndef PLAN_BASELINE_MEET_H
#define PLAN_BASELINE_MEET_H

#include "judge/target.h"
#include "model/value.h"
#include "plan/baseline.h"

/* A class and the view of its CPU that is met; offer is NULL where it has none of that view. */
struct meet_class {
	const struct host_class *class;
	const struct offer *offer;
	struct target target;
};

/* Fills b->machines, and what is lost or unknown of them. */
void baseline_meet_machines(struct baseline *b);

/* Chooses the group's view; returns struct meet_class for each class, sets b->view, b->accel. */
GArray *baseline_views(const struct judge *judge, struct baseline *b,
		       const struct baseline_options *options);
void meet_classes_clear(GArray *classes);

/* How many views of a CPU there are to choose from; what each is called. */
guint baseline_views_n(void);
char *baseline_view_text(const struct baseline *b, guint view);

/**
 * baseline_view_classes - the group's classes in one view, best ones first by number
 * @accel: set to the view's accelerator, or NULL
 *
 * Returns struct meet_class for each class, or NULL where none has that view; to be cleared by
 * meet_classes_clear(). Call after baseline_meet_machines().
 */
GArray *baseline_view_classes(const struct judge *judge, const struct baseline *b, guint view,
			      const struct baseline_options *options, const char **accel);

/* Does a place take part as something to have (not as an obligation, an option, host-only)? */
bool baseline_place_counts(const struct universe *universe, int bit,
			   const struct baseline_options *options);

/* The machine types of a profile: name → struct machine; NULL where no list is known. */
GHashTable *baseline_machines_of(const struct profile *profile);

/* The value that a fact counts with; false where it is not known. */
bool baseline_fact_value(const struct fact *fact, struct value *value);

/* Fills features, lost, unknown, differs, not_expressible and the CPU's capabilities. */
void baseline_meet_cpu(const struct judge *judge, struct baseline *b, const GArray *classes,
		       const struct baseline_options *options);

/* Meets every other comparable fact that no machine type stands behind. */
void baseline_meet_facts(struct baseline *b);

/* Adds to what is lost, or unknown; @value and @classes are stolen. */
void baseline_add_lost(struct baseline *b, const char *id, json_t *value, GPtrArray *classes);
void baseline_add_unknown(struct baseline *b, const char *id, const char *reason,
			  GPtrArray *classes);

/* Adds to not_expressible; @classes is stolen. */
void baseline_no_setting(struct baseline *b, const char *id, const char *reason,
			 GPtrArray *classes);

/* Fills b->cpu. */
void baseline_name_cpu(const struct judge *judge, struct baseline *b, const GArray *classes);

/* Fewest hosts to blame first; machine types last. */
void baseline_sort_lost(struct baseline *b);

void baseline_best_step(struct baseline *b);

#endif
