/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-rules.c: a truth table for each rule, and the laws of meets on random values.
 */
#include "config.h"

#include <string.h>

#include "model/value.h"

/* One line of a truth table: JSON texts; met is NULL for bottom. */
struct row {
	enum cap_rule rule;
	enum cap_type type;
	const char *a, *b, *met;
	enum fit a_needs_b; /* a guest that needs a, a host that has b */
};

static const struct row table[] = {
	{ RULE_LOWER_SAFE, CAP_BOOL, "true", "true", "true", FIT_YES },
	{ RULE_LOWER_SAFE, CAP_BOOL, "true", "false", "false", FIT_NO },
	{ RULE_LOWER_SAFE, CAP_BOOL, "false", "true", "false", FIT_YES },
	{ RULE_LOWER_SAFE, CAP_BOOL, "false", "false", "false", FIT_YES },
	{ RULE_LOWER_SAFE, CAP_UINT, "48", "39", "39", FIT_NO },
	{ RULE_LOWER_SAFE, CAP_UINT, "39", "48", "39", FIT_YES },
	{ RULE_LOWER_SAFE, CAP_BITMAP, "\"0x3\"", "\"0x6\"", "\"0x2\"", FIT_NO },
	{ RULE_LOWER_SAFE, CAP_BITMAP, "\"0x2\"", "\"0x6\"", "\"0x2\"", FIT_YES },
	{ RULE_HIGHER_SAFE, CAP_BOOL, "true", "false", "true", FIT_YES },
	{ RULE_HIGHER_SAFE, CAP_BOOL, "false", "true", "true", FIT_OBLIGATION },
	{ RULE_HIGHER_SAFE, CAP_BOOL, "false", "false", "false", FIT_YES },
	{ RULE_HIGHER_SAFE, CAP_UINT, "2", "3", "3", FIT_OBLIGATION },
	{ RULE_HIGHER_SAFE, CAP_BITMAP, "\"0x1\"", "\"0x3\"", "\"0x3\"", FIT_OBLIGATION },
	{ RULE_IMMUNITY, CAP_BOOL, "true", "false", "false", FIT_NO },
	{ RULE_IMMUNITY, CAP_BOOL, "true", "true", "true", FIT_YES },
	{ RULE_EXACT, CAP_STRING, "\"Intel\"", "\"Intel\"", "\"Intel\"", FIT_YES },
	{ RULE_EXACT, CAP_STRING, "\"Intel\"", "\"AMD\"", NULL, FIT_NO },
	{ RULE_EXACT, CAP_UINT, "1", "2", NULL, FIT_NO },
	{ RULE_SET, CAP_SET, "[\"b\",\"a\"]", "[\"b\",\"c\"]", "[\"b\"]", FIT_NO },
	{ RULE_SET, CAP_SET, "[\"b\"]", "[\"c\",\"b\"]", "[\"b\"]", FIT_YES },
	{ RULE_SET, CAP_SET, "[]", "[\"a\"]", "[]", FIT_YES },
	{ RULE_RANGES, CAP_RANGES, "[[\"0x0\",\"0xff\"]]", "[[\"0x0\",\"0x7f\"],[\"0x90\",\"0x1ff\"]]",
	  "[[\"0x0\",\"0x7f\"],[\"0x90\",\"0xff\"]]", FIT_NO },
	{ RULE_RANGES, CAP_RANGES, "[[\"0x10\",\"0x20\"]]", "[[\"0x0\",\"0x18\"],[\"0x19\",\"0x30\"]]",
	  "[[\"0x10\",\"0x20\"]]", FIT_YES },
	{ RULE_CHAIN, CAP_UINT, "2", "1", "1", FIT_NO },
	{ RULE_CHAIN, CAP_UINT, "1", "2", "1", FIT_YES },
	{ RULE_TOLERANCE, CAP_UINT, "2800000", "2800000", "2800000", FIT_YES },
	{ RULE_TOLERANCE, CAP_UINT, "2800000", "2800600", NULL, FIT_YES },
	{ RULE_TOLERANCE, CAP_UINT, "2800000", "2801000", NULL, FIT_NO },
	{ RULE_ALLOWED_PAIR, CAP_PAIR, "{\"allowed0\":\"0x1\",\"allowed1\":\"0xf\"}",
	  "{\"allowed0\":\"0x2\",\"allowed1\":\"0x7\"}", "{\"allowed0\":\"0x3\",\"allowed1\":\"0x7\"}", FIT_NO },
	{ RULE_ALLOWED_PAIR, CAP_PAIR, "{\"allowed0\":\"0x3\",\"allowed1\":\"0x7\"}",
	  "{\"allowed0\":\"0x1\",\"allowed1\":\"0xf\"}", "{\"allowed0\":\"0x3\",\"allowed1\":\"0x7\"}", FIT_YES },
	/*
	 * Real registers. VMX exit controls of a Core i5-6400T (Skylake) and an i7-5600U (Broadwell):
	 * the older processor's guests fit on the newer one, not the other way round. Those that may
	 * be set differ by bits 23 and 24, those that must be are the same.
	 */
	{ RULE_ALLOWED_PAIR, CAP_PAIR, "{\"allowed0\":\"0x36dff\",\"allowed1\":\"0x1ffffff\"}",
	  "{\"allowed0\":\"0x36dff\",\"allowed1\":\"0x7fffff\"}",
	  "{\"allowed0\":\"0x36dff\",\"allowed1\":\"0x7fffff\"}", FIT_NO },
	{ RULE_ALLOWED_PAIR, CAP_PAIR, "{\"allowed0\":\"0x36dff\",\"allowed1\":\"0x7fffff\"}",
	  "{\"allowed0\":\"0x36dff\",\"allowed1\":\"0x1ffffff\"}",
	  "{\"allowed0\":\"0x36dff\",\"allowed1\":\"0x7fffff\"}", FIT_YES },
	/* The same controls as the plain register and its "true" one say: this one leaves more free. */
	{ RULE_ALLOWED_PAIR, CAP_PAIR, "{\"allowed0\":\"0x36dff\",\"allowed1\":\"0x1ffffff\"}",
	  "{\"allowed0\":\"0x36dfb\",\"allowed1\":\"0x1ffffff\"}",
	  "{\"allowed0\":\"0x36dff\",\"allowed1\":\"0x1ffffff\"}", FIT_YES },
};

static struct value read_value(enum cap_type type, const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	struct value value;

	g_assert_nonnull(json);
	g_assert_true(value_from_json(type, json, &value, NULL));
	json_decref(json);
	return value;
}

static void test_row(const void *data)
{
	const struct row *row = data;
	struct value a = read_value(row->type, row->a), b = read_value(row->type, row->b), met, back;

	g_assert_cmpint(value_fits(row->rule, &a, &b), ==, row->a_needs_b);
	g_assert_true(value_meet(row->rule, &a, &b, &met) == (row->met != NULL));
	g_assert_true(value_meet(row->rule, &b, &a, &back) == (row->met != NULL));
	if (row->met) {
		struct value expected = read_value(row->type, row->met);

		g_assert_true(value_equal(&met, &expected));
		g_assert_true(value_equal(&back, &expected));
		value_clear(&expected);
	}
	value_clear(&met);
	value_clear(&back);
	value_clear(&a);
	value_clear(&b);
}

/* Every rule that the enum has stands in the table. */
static void test_all_rules_tabled(void)
{
	for (int rule = 0; rule < RULES; rule++) {
		bool found = false;

		for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
			found |= table[i].rule == (enum cap_rule)rule;
		g_assert_true(found);
	}
}

static struct value random_value(enum cap_rule rule)
{
	struct value v = { .type = CAP_UINT };

	switch (rule) {
	case RULE_SET:
		v.type = CAP_SET;
		v.set = g_ptr_array_new_with_free_func(g_free);
		for (char c = 'a'; c < 'h'; c++)
			if (g_test_rand_bit())
				g_ptr_array_add(v.set, g_strndup(&c, 1));
		break;
	case RULE_RANGES:
		v.type = CAP_RANGES;
		v.ranges = g_array_new(FALSE, FALSE, sizeof(struct value_range));
		for (uint64_t at = (uint64_t)g_test_rand_int_range(0, 50), i = 0; i < 4; i++) {
			struct value_range r = { at, at + (uint64_t)g_test_rand_int_range(0, 40) };

			g_array_append_val(v.ranges, r);
			at = r.last + 2 + (uint64_t)g_test_rand_int_range(0, 40);
		}
		break;
	case RULE_ALLOWED_PAIR:
		v.type = CAP_PAIR;
		v.high = (uint64_t)g_test_rand_int() & 0xffff;
		v.number = v.high & (uint64_t)g_test_rand_int();
		break;
	case RULE_IMMUNITY:
		v.type = CAP_BOOL;
		v.truth = g_test_rand_bit();
		break;
	default:
		v.type = g_test_rand_bit() && rule != RULE_CHAIN && rule != RULE_TOLERANCE ? CAP_BITMAP : CAP_UINT;
		v.type = rule == RULE_LOWER_SAFE || rule == RULE_HIGHER_SAFE ? CAP_BITMAP : v.type;
		v.type = rule == RULE_EXACT ? CAP_UINT : v.type;
		v.number = (uint64_t)g_test_rand_int_range(0, rule == RULE_EXACT ? 3 : 0xffff);
	}
	return v;
}

/* Meets (a, b) then c, or a then (b, c); both bottom, or equal. */
static void check_associative(enum cap_rule rule, const struct value *a, const struct value *b,
			      const struct value *c)
{
	struct value ab, bc, left, right;
	bool l = value_meet(rule, a, b, &ab) && value_meet(rule, &ab, c, &left);
	bool r = value_meet(rule, b, c, &bc) && value_meet(rule, a, &bc, &right);

	g_assert_true(l == r);
	if (l) {
		g_assert_true(value_equal(&left, &right));
		value_clear(&left);
	}
	if (r)
		value_clear(&right);
	value_clear(&ab);
	value_clear(&bc);
}

static void test_laws(void)
{
	for (int i = 0; i < 20000; i++) {
		enum cap_rule rule = (enum cap_rule)(i % RULES);
		struct value a = random_value(rule), b = random_value(rule), c = random_value(rule);
		struct value ab, ba, aa;
		bool met = value_meet(rule, &a, &b, &ab);

		g_assert_true(value_meet(rule, &b, &a, &ba) == met);
		g_assert_true(value_meet(rule, &a, &a, &aa));
		g_assert_true(value_equal(&a, &aa));
		g_assert_cmpint(value_fits(rule, &a, &a), ==, FIT_YES);
		if (met) {
			g_assert_true(value_equal(&ab, &ba));
			/* a guest given the meet fits both hosts, but for what obliges */
			if (rule != RULE_HIGHER_SAFE)
				g_assert_cmpint(value_fits(rule, &ab, &a), ==, FIT_YES);
			else
				g_assert_cmpint(value_fits(rule, &ab, &b), ==, FIT_YES);
		}
		check_associative(rule, &a, &b, &c);
		value_clear(&a);
		value_clear(&b);
		value_clear(&c);
		value_clear(&ab);
		value_clear(&ba);
		value_clear(&aa);
	}
}

static void test_refused(void)
{
	static const struct {
		enum cap_type type;
		const char *text;
	} bad[] = {
		{ CAP_BOOL, "1" },	 { CAP_UINT, "-1" },	      { CAP_UINT, "\"12\"" },
		{ CAP_UINT, "\"0x\"" },	 { CAP_UINT, "\"0x1g\"" },    { CAP_UINT, "\"0x10000000000000000\"" },
		{ CAP_UINT, "1.5" },	 { CAP_STRING, "7" },	      { CAP_SET, "[1]" },
		{ CAP_SET, "{}" },	 { CAP_RANGES, "[[\"0x2\",\"0x1\"]]" }, { CAP_RANGES, "[[\"0x2\"]]" },
		{ CAP_PAIR, "{\"allowed0\":\"0x1\"}" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		json_t *json = json_loads(bad[i].text, JSON_DECODE_ANY, NULL);
		g_autoptr(GError) error = NULL;
		struct value value;

		g_assert_false(value_from_json(bad[i].type, json, &value, &error));
		g_assert_nonnull(error);
		json_decref(json);
	}
}

static void test_round_trip(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		struct value a = read_value(table[i].type, table[i].a), again;
		json_t *json = value_to_json(&a);

		g_assert_true(value_from_json(table[i].type, json, &again, NULL));
		g_assert_true(value_equal(&a, &again));
		json_decref(json);
		value_clear(&a);
		value_clear(&again);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rules/all-tabled", test_all_rules_tabled);
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autofree char *path = g_strdup_printf("/rules/%s/%zu", cap_rule_name(table[i].rule), i);

		g_test_add_data_func(path, &table[i], test_row);
	}
	g_test_add_func("/rules/laws", test_laws);
	g_test_add_func("/rules/refused", test_refused);
	g_test_add_func("/rules/round-trip", test_round_trip);
	return g_test_run();
}
