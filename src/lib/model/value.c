/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* value.c: reading, writing and comparing typed values; rules.c has the rules. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "model/error.h"
#include "model/value.h"

static bool bad(GError **error, const char *what)
{
	g_set_error_literal(error, CAPBROKER_ERROR, ERROR_INVALID, what);
	return false;
}

static bool number_from_json(const json_t *json, uint64_t *number, GError **error)
{
	if (json_is_integer(json) && json_integer_value(json) >= 0) {
		*number = (uint64_t)json_integer_value(json);
		return true;
	}
	if (json_is_string(json) && g_str_has_prefix(json_string_value(json), "0x")) {
		const char *text = json_string_value(json);
		char *end;

		errno = 0;
		*number = g_ascii_strtoull(text + 2, &end, 16);
		if (!errno && end != text + 2 && !*end && g_ascii_isxdigit(text[2]))
			return true;
	}
	return bad(error, "value must be a number that is not negative, or a string \"0x…\"");
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void set_normalize(GPtrArray *set)
{
	g_ptr_array_sort(set, compare_strings);
	for (guint i = set->len; i-- > 1;)
		if (!strcmp(set->pdata[i], set->pdata[i - 1]))
			g_ptr_array_remove_index(set, i);
}

static bool set_from_json(const json_t *json, struct value *value, GError **error)
{
	const json_t *member;
	size_t i;

	if (!json_is_array(json) || json_array_size(json) > VALUE_MAX_MEMBERS)
		return bad(error, "value must be an array of at most 20000 strings");
	value->set = g_ptr_array_new_with_free_func(g_free);
	json_array_foreach (json, i, member) {
		if (!json_is_string(member))
			return bad(error, "value must be an array of strings");
		g_ptr_array_add(value->set, g_strdup(json_string_value(member)));
	}
	set_normalize(value->set);
	return true;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct value_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Sorted, and joined where they touch. */
void value_ranges_normalize(GArray *ranges)
{
	guint n = 0;

	g_array_sort(ranges, compare_ranges);
	for (guint i = 0; i < ranges->len; i++) {
		struct value_range r = g_array_index(ranges, struct value_range, i);
		struct value_range *last = n ? &g_array_index(ranges, struct value_range, n - 1) : NULL;

		if (last && (r.first <= last->last || r.first == last->last + 1))
			last->last = MAX(last->last, r.last);
		else
			g_array_index(ranges, struct value_range, n++) = r;
	}
	g_array_set_size(ranges, n);
}

GArray *value_ranges_without(const GArray *ranges, const GArray *holes)
{
	GArray *left = g_array_new(FALSE, FALSE, sizeof(struct value_range));

	for (guint i = 0; i < ranges->len; i++) {
		struct value_range rest = g_array_index(ranges, struct value_range, i);
		bool any = true;

		for (guint k = 0; any && k < holes->len; k++) {
			const struct value_range *hole = &g_array_index(holes, struct value_range, k);
			struct value_range before = { rest.first, hole->first - 1 };

			if (hole->last < rest.first || hole->first > rest.last)
				continue;
			if (hole->first > rest.first)
				g_array_append_val(left, before);
			any = hole->last < rest.last;
			rest.first = hole->last + 1; /* not used where it wraps: @any is false */
		}
		if (any)
			g_array_append_val(left, rest);
	}
	return left;
}

static bool ranges_from_json(const json_t *json, struct value *value, GError **error)
{
	const json_t *member;
	size_t i;

	if (!json_is_array(json) || json_array_size(json) > VALUE_MAX_MEMBERS)
		return bad(error, "value must be an array of at most 20000 ranges");
	value->ranges = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	json_array_foreach (json, i, member) {
		struct value_range r;

		if (json_array_size(member) != 2 ||
		    !number_from_json(json_array_get(member, 0), &r.first, NULL) ||
		    !number_from_json(json_array_get(member, 1), &r.last, NULL) || r.first > r.last)
			return bad(error, "each range must be [\"0xFIRST\", \"0xLAST\"], first not above last");
		g_array_append_val(value->ranges, r);
	}
	value_ranges_normalize(value->ranges);
	return true;
}

bool value_from_json(enum cap_type type, const json_t *json, struct value *value, GError **error)
{
	bool ok = true;

	*value = (struct value){ .type = type };
	switch (type) {
	case CAP_BOOL:
		value->truth = json_is_true(json);
		ok = json_is_boolean(json) || bad(error, "value must be true or false");
		break;
	case CAP_UINT:
	case CAP_BITMAP:
		ok = number_from_json(json, &value->number, error);
		break;
	case CAP_STRING:
		value->string = g_strdup(json_string_value(json));
		ok = value->string || bad(error, "value must be a string");
		break;
	case CAP_SET:
		ok = set_from_json(json, value, error);
		break;
	case CAP_RANGES:
		ok = ranges_from_json(json, value, error);
		break;
	case CAP_PAIR:
		ok = number_from_json(json_object_get(json, "allowed0"), &value->number, error) &&
		     number_from_json(json_object_get(json, "allowed1"), &value->high, error);
		break;
	case CAP_TYPES:
		ok = bad(error, "no such type");
	}
	if (!ok)
		value_clear(value);
	return ok;
}

static json_t *hex(uint64_t number)
{
	return json_sprintf("0x%" G_GINT64_MODIFIER "x", number);
}

json_t *value_to_json(const struct value *value)
{
	json_t *json;

	switch (value->type) {
	case CAP_BOOL:
		return json_boolean(value->truth);
	case CAP_UINT:
		return value->number >> 53 ? hex(value->number) : json_integer((json_int_t)value->number);
	case CAP_BITMAP:
		return hex(value->number);
	case CAP_STRING:
		return json_string(value->string);
	case CAP_SET:
		json = json_array();
		for (guint i = 0; i < value->set->len; i++)
			json_array_append_new(json, json_string(value->set->pdata[i]));
		return json;
	case CAP_RANGES:
		json = json_array();
		for (guint i = 0; i < value->ranges->len; i++) {
			const struct value_range *r =
				&g_array_index(value->ranges, struct value_range, i);

			json_array_append_new(json, json_pack("[o,o]", hex(r->first), hex(r->last)));
		}
		return json;
	case CAP_PAIR:
		return json_pack("{s:o, s:o}", "allowed0", hex(value->number), "allowed1",
				 hex(value->high));
	case CAP_TYPES:
		break;
	}
	return json_null();
}

void value_clear(struct value *value)
{
	g_clear_pointer(&value->string, g_free);
	g_clear_pointer(&value->set, g_ptr_array_unref);
	g_clear_pointer(&value->ranges, g_array_unref);
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case CAP_BOOL:
		return a->truth == b->truth;
	case CAP_STRING:
		return !strcmp(a->string, b->string);
	case CAP_SET:
		if (a->set->len != b->set->len)
			return false;
		for (guint i = 0; i < a->set->len; i++)
			if (strcmp(a->set->pdata[i], b->set->pdata[i]))
				return false;
		return true;
	case CAP_RANGES:
		return a->ranges->len == b->ranges->len &&
		       (!a->ranges->len ||
			!memcmp(a->ranges->data, b->ranges->data,
				a->ranges->len * sizeof(struct value_range)));
	default:
		return a->number == b->number && a->high == b->high;
	}
}
