/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * derive-meet.c: what several devices told of a unit, and what several units make of a host; see
 * derive.h.
 */
#include "config.h"

#include <string.h>

#include "model/derive.h"
#include "model/value.h"

/* What devices tell of their unit. */
static const char *const of_unit[] = {
	"iommu.ranges",		  "iommu.alignment",	"iommu.page-sizes",
	"iommu.hwpt-plain",	  "iommu.hwpt-nest-parent", "iommu.hwpt-dirty",
	"iommu.hwpt-pasid",	  "iommu.interrupt-remapping", "hwinfo.type",
	"hwinfo.max-pasid-log2",  "hwinfo.dirty-tracking", "hwinfo.ats-not-supported",
	"vfio.type1.page-sizes",
};

/* What is being met: a value, absent, or not known at all. */
struct sum {
	int cap;
	enum fact_state state;
	struct value value; /* where state is FACT_KNOWN */
	guint n;
};

static void sum_clear(struct sum *sum)
{
	if (sum->n && sum->state == FACT_KNOWN)
		value_clear(&sum->value);
}

/* Absent is the least there is: no feature, and of an obligation none. */
static void meet_absent(struct sum *sum)
{
	if (cap_table[sum->cap].rule == RULE_HIGHER_SAFE)
		return;
	sum_clear(sum);
	sum->state = FACT_ABSENT;
}

static void meet_known(struct sum *sum, struct value *value)
{
	struct value met;

	if (sum->state == FACT_ABSENT && cap_table[sum->cap].rule != RULE_HIGHER_SAFE) {
		value_clear(value);
		return;
	}
	if (sum->state == FACT_ABSENT) { /* one has an obligation that others lack */
		sum->state = FACT_KNOWN;
		sum->value = *value;
		return;
	}
	if (!value_meet(cap_table[sum->cap].rule, &sum->value, value, &met)) {
		sum_clear(sum);
		sum->state = FACT_UNKNOWN; /* they differ where they must be equal */
	} else {
		value_clear(&sum->value);
		sum->value = met;
	}
	value_clear(value);
}

static void sum_add(struct sum *sum, const struct fact *fact)
{
	struct value value;
	bool first = !sum->n++;

	if (!first && sum->state == FACT_UNKNOWN)
		return;
	if (!fact || (fact->state != FACT_KNOWN && fact->state != FACT_ABSENT) ||
	    (fact->state == FACT_KNOWN &&
	     !value_from_json(cap_table[sum->cap].type, fact->value, &value, NULL))) {
		if (!first)
			sum_clear(sum);
		sum->state = FACT_UNKNOWN;
	} else if (first) {
		sum->state = fact->state;
		if (fact->state == FACT_KNOWN)
			sum->value = value;
	} else if (fact->state == FACT_ABSENT) {
		meet_absent(sum);
	} else {
		meet_known(sum, &value);
	}
}

static void put_sum(json_t *facts, struct sum *sum, enum view view, const char *origin)
{
	const struct scope scope = { .view = view, .migratable = -1 };
	const char *id = cap_table[sum->cap].id;

	if (sum->state == FACT_KNOWN)
		document_fact(facts, id, value_to_json(&sum->value), &scope, origin);
	else
		document_fact_missing(facts, id, sum->state, &scope, origin, 0);
	sum_clear(sum);
}

json_t *derive_told(const struct iommu_unit *unit)
{
	json_t *facts = json_array();

	for (size_t i = 0; i < G_N_ELEMENTS(of_unit); i++) {
		g_autoptr(GString) origin = g_string_new(DERIVED "told of");
		struct sum sum = { .cap = cap_find(of_unit[i]) };

		for (guint k = 0; k < unit->devices->len; k++) {
			const struct device *d = g_ptr_array_index(unit->devices, k);
			const struct fact *f = facts_find(d->facts, of_unit[i], VIEW_KERNEL);

			if (!f || f->state == FACT_UNKNOWN || f->state == FACT_UNREADABLE)
				continue;
			sum_add(&sum, f);
			g_string_append_printf(origin, " %s", d->address);
		}
		if (sum.n && !facts_find(unit->facts, of_unit[i], VIEW_KERNEL))
			put_sum(facts, &sum, VIEW_KERNEL, origin->str);
		else
			sum_clear(&sum);
	}
	return facts;
}

/* The units that count, and how they are called. */
static GPtrArray *serving(const struct profile *profile, GString *names)
{
	GPtrArray *units = g_ptr_array_new();

	for (guint i = 0; i < profile->units->len; i++) {
		struct iommu_unit *unit = g_ptr_array_index(profile->units, i);

		if (!unit->serves)
			continue;
		g_ptr_array_add(units, unit);
		g_string_append_printf(names, " %s", unit->id);
	}
	return units;
}

static bool is_compared(const struct fact *fact)
{
	return fact->cap >= 0 && !(cap_table[fact->cap].flags & (CAP_HOST_ONLY | CAP_QEMU_OPTION));
}

static bool is_done(GHashTable *done, const struct fact *fact)
{
	return !g_hash_table_add(done, GINT_TO_POINTER(fact->cap * VIEWS + (int)fact->scope.view));
}

json_t *derive_host(const struct profile *profile)
{
	g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
	g_autoptr(GString) origin = g_string_new(DERIVED "units");
	g_autoptr(GPtrArray) units = serving(profile, origin);
	json_t *facts = json_array();

	for (guint i = 0; i < units->len; i++) {
		const struct iommu_unit *unit = g_ptr_array_index(units, i);

		for (guint k = 0; k < unit->facts->len; k++) {
			const struct fact *fact = &g_array_index(unit->facts, struct fact, k);
			struct sum sum = { .cap = fact->cap };

			if (!is_compared(fact) || is_done(done, fact) ||
			    profile_fact(profile, fact->id, &fact->scope))
				continue;
			for (guint u = 0; u < units->len; u++) {
				const struct iommu_unit *other = g_ptr_array_index(units, u);

				sum_add(&sum, facts_find(other->facts, fact->id, fact->scope.view));
			}
			put_sum(facts, &sum, fact->scope.view, origin->str);
		}
	}
	return facts;
}
