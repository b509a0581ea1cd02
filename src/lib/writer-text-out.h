/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * writer-text-out.h: lines of 80 columns; what the files of writer-text.h are written with.
 */
#ifndef WRITER_TEXT_OUT_H
#define WRITER_TEXT_OUT_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "writer-text.h"

#define TEXT_COLUMNS 80

struct out {
	GString *text;
	const struct text_options *options;
};

/* One writer an answer. */
void text_check(struct out *out, const json_t *answer);
void text_baseline(struct out *out, const json_t *answer);
void text_show(struct out *out, const json_t *answer);
void text_diff(struct out *out, const json_t *answer);
void text_explain(struct out *out, const json_t *answer);
void text_matrix(struct out *out, const json_t *answer);
void text_drain(struct out *out, const json_t *answer);
void text_drift(struct out *out, const json_t *answer);
void text_stranded(struct out *out, const json_t *answer);
void text_decision(struct out *out, const json_t *answer);
void text_report(struct out *out, const json_t *answer);
/* writer-text-report.c: what stands before and behind the moves. */
void text_report_fleet(struct out *out, const json_t *answer);
void text_report_facts(struct out *out, const json_t *answer);
void text_overrides(struct out *out, const json_t *answer);
void text_contracts(struct out *out, const json_t *answer);
void text_tradeoff(struct out *out, const json_t *answer);
void text_pools(struct out *out, const json_t *answer);
void text_level_show(struct out *out, const json_t *answer);
void text_levels(struct out *out, const json_t *answer);
void text_level_propose(struct out *out, const json_t *answer);
void text_level_join(struct out *out, const json_t *answer);
void text_level_change(struct out *out, const json_t *answer);
void text_policy(struct out *out, const json_t *answer);
void text_tokens(struct out *out, const json_t *answer);
void text_status(struct out *out, const json_t *answer);
void text_sync(struct out *out, const json_t *answer);

/* A line as it is, with its end. */
void out_line(struct out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

/**
 * out_item - "HEAD  text text …", wrapped, the following lines indented to where the text began
 * @head: what stands before; filled up to @width columns
 */
void out_item(struct out *out, const char *head, size_t width, const char *text);

/* The same with a format. */
void out_itemf(struct out *out, const char *head, size_t width, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/* Ends a line without the blanks that it would end in. */
void out_end_line(struct out *out);

/* A verdict's word with its colour, filled up to @width columns; free with g_free(). */
char *out_verdict(const struct out *out, const char *verdict, size_t width);

/* "not judged: …", and "decision …" where there is one. */
void out_end(struct out *out, const json_t *answer);

/* Strings of an array, separated by @separator; free with g_free(). */
char *join_strings(const json_t *array, const char *separator);

/**
 * join_hosts - names with runs of numbers drawn together: "r1n01-06 r2n01 web"
 * @most: after that many runs the others are only counted; 0: never
 *
 * Free with g_free().
 */
char *join_hosts(const json_t *names, size_t most);

/* A new array of the same names in order. */
json_t *sort_names(const json_t *names);

/* The first of a group's guests and how many more, in at most @width columns; free with g_free(). */
char *group_name(const json_t *group, size_t width);

/* join_hosts(), cut short at MANY_HOSTS where nobody asked for all. */
#define MANY_HOSTS 12
char *few_hosts(const struct out *out, const json_t *names);

/* "6 min ago", "just now", "never"; free with g_free(). */
char *age_text(const json_t *seconds);

#define FEW_ATOMS 6

/* "cpu.avx2" as avx2, "qemu.machine=pc-q35-9.2" as the machine type. */
const char *short_atom(const char *name);

/* "avx2 aes pcid and 9 more", of objects with "capability", in their order; free with g_free(). */
char *atoms_text(const struct out *out, const json_t *atoms);

/* "web-17 web-18 and 3 more": as many as @few, with -v all of them; free with g_free(). */
char *some_names(const struct out *out, size_t few, const json_t *names);

/* A member as a string, or @other. */
const char *get_text(const json_t *object, const char *key, const char *other);
json_int_t get_int(const json_t *object, const char *key);

/* A value for people: strings bare, the rest as compact JSON; free with g_free(). */
char *value_text(const json_t *value);

/* "" or "s". */
const char *plural(json_int_t n);

/* "host", or "hosts" after another number than one: "1 class", "2 classes". */
char *count_text(json_int_t n, const char *one, const char *many);

/* writer-text-plan.c: of a group of the answer "baseline": who is left out, and floors. */
void text_coverage(struct out *out, const json_t *group);

/* A price (plan/price.h), in lines below @head; nothing where it is empty or NULL. */
void text_price(struct out *out, const json_t *price, const char *head, int indent);

/* writer-text-baseline.c: "Model + a b - c". */
char *cpu_text(const json_t *cpu);

/* writer-text-units.c: the units and devices of the answer "show". */
void text_units(struct out *out, const json_t *answer);

#endif
