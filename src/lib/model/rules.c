/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rules.c: how values meet and whether they fit, one rule a function; see value.h. */
#include "config.h"

#include <string.h>

#include "model/value.h"

static bool is_bits(enum cap_type type)
{
	return type == CAP_BITMAP;
}

static void meet_lower_safe(const struct value *a, const struct value *b, struct value *out)
{
	out->truth = a->truth && b->truth;
	out->number = is_bits(a->type) ? a->number & b->number : MIN(a->number, b->number);
}

static void meet_higher_safe(const struct value *a, const struct value *b, struct value *out)
{
	out->truth = a->truth || b->truth;
	out->number = is_bits(a->type) ? a->number | b->number : MAX(a->number, b->number);
}

/* Sorted sets, each member once. */
static void meet_set(const struct value *a, const struct value *b, struct value *out)
{
	guint i = 0, j = 0;

	out->set = g_ptr_array_new_with_free_func(g_free);
	while (i < a->set->len && j < b->set->len) {
		int order = strcmp(a->set->pdata[i], b->set->pdata[j]);

		if (!order)
			g_ptr_array_add(out->set, g_strdup(a->set->pdata[i]));
		i += order <= 0;
		j += order >= 0;
	}
}

static void meet_ranges(const struct value *a, const struct value *b, struct value *out)
{
	guint i = 0, j = 0;

	out->ranges = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	while (i < a->ranges->len && j < b->ranges->len) {
		const struct value_range *x = &g_array_index(a->ranges, struct value_range, i);
		const struct value_range *y = &g_array_index(b->ranges, struct value_range, j);
		struct value_range both = { MAX(x->first, y->first), MIN(x->last, y->last) };

		if (both.first <= both.last)
			g_array_append_val(out->ranges, both);
		if (x->last < y->last)
			i++;
		else
			j++;
	}
}

static void copy(const struct value *a, struct value *out)
{
	*out = *a;
	out->string = g_strdup(a->string);
	out->set = a->set ? g_ptr_array_copy(a->set, (GCopyFunc)(void (*)(void))g_strdup, NULL) : NULL;
	if (out->set)
		g_ptr_array_set_free_func(out->set, g_free);
	out->ranges = a->ranges ? g_array_copy(a->ranges) : NULL;
}

static bool within_tolerance(uint64_t a, uint64_t b)
{
	uint64_t far = a > b ? a - b : b - a;

	return far <= MAX(a, b) / 1000000 * TSC_TOLERANCE_PPM +
			      MAX(a, b) % 1000000 * TSC_TOLERANCE_PPM / 1000000;
}

bool value_meet(enum cap_rule rule, const struct value *a, const struct value *b,
		struct value *out)
{
	*out = (struct value){ .type = a->type };
	switch (rule) {
	case RULE_LOWER_SAFE:
	case RULE_IMMUNITY:
	case RULE_CHAIN:
		meet_lower_safe(a, b, out);
		return true;
	case RULE_HIGHER_SAFE:
		meet_higher_safe(a, b, out);
		return true;
	case RULE_SET:
		meet_set(a, b, out);
		return true;
	case RULE_RANGES:
		meet_ranges(a, b, out);
		return true;
	case RULE_ALLOWED_PAIR:
		out->number = a->number | b->number;
		out->high = a->high & b->high;
		return true;
	case RULE_EXACT:
	case RULE_TOLERANCE: /* tolerance isn't transitive: a promise to all is the equal value */
		if (!value_equal(a, b))
			return false;
		copy(a, out);
		return true;
	case RULES:
		break;
	}
	return false;
}

static bool set_within(const struct value *need, const struct value *have)
{
	struct value both = { .type = CAP_SET };
	bool within;

	meet_set(need, have, &both);
	within = both.set->len == need->set->len;
	value_clear(&both);
	return within;
}

static bool ranges_within(const struct value *need, const struct value *have)
{
	struct value both = { .type = CAP_RANGES };
	bool within;

	meet_ranges(need, have, &both);
	within = value_equal(&both, need);
	value_clear(&both);
	return within;
}

enum fit value_fits(enum cap_rule rule, const struct value *need, const struct value *have)
{
	switch (rule) {
	case RULE_LOWER_SAFE:
	case RULE_IMMUNITY:
	case RULE_CHAIN:
		if (need->type == CAP_BOOL)
			return !need->truth || have->truth ? FIT_YES : FIT_NO;
		if (is_bits(need->type))
			return need->number & ~have->number ? FIT_NO : FIT_YES;
		return have->number >= need->number ? FIT_YES : FIT_NO;
	case RULE_HIGHER_SAFE:
		if (need->type == CAP_BOOL)
			return need->truth || !have->truth ? FIT_YES : FIT_OBLIGATION;
		if (is_bits(need->type))
			return have->number & ~need->number ? FIT_OBLIGATION : FIT_YES;
		return have->number <= need->number ? FIT_YES : FIT_OBLIGATION;
	case RULE_SET:
		return set_within(need, have) ? FIT_YES : FIT_NO;
	case RULE_RANGES:
		return ranges_within(need, have) ? FIT_YES : FIT_NO;
	case RULE_ALLOWED_PAIR: /* nothing more obliged, everything needed still allowed */
		return have->number & ~need->number || need->high & ~have->high ? FIT_NO : FIT_YES;
	case RULE_TOLERANCE:
		return within_tolerance(need->number, have->number) ? FIT_YES : FIT_NO;
	case RULE_EXACT:
		return value_equal(need, have) ? FIT_YES : FIT_NO;
	case RULES:
		break;
	}
	return FIT_NO;
}
