/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-power.c: what KVM says of a POWER processor's weaknesses (KVM_PPC_GET_CPU_CHAR), as the
 * levels that QEMU's pseries machine can promise there.
 */
#include "config.h"

#include "read/read.h"

#define ORIGIN "KVM_PPC_GET_CPU_CHAR"

/* character: what the processor can do */
#define SPEC_BAR_ORI31 (1ull << 63)
#define BCCTRL_SERIALISED (1ull << 62)
#define L1D_FLUSH_ORI30 (1ull << 61)
#define L1D_FLUSH_TRIG2 (1ull << 60)
#define L1D_THREAD_PRIV (1ull << 59)
#define COUNT_CACHE_DIS (1ull << 56)
#define BCCTR_FLUSH_ASSIST (1ull << 54)
/* behaviour: what software ought to do */
#define L1D_FLUSH_PR (1ull << 62)
#define BNDS_CHK_SPEC_BAR (1ull << 61)
#define FLUSH_COUNT_CACHE (1ull << 58)

/* Known to be so, known not to be so: bits outside the mask are neither. */
static bool can(const struct power_characteristics *c, uint64_t bits)
{
	return c->character & c->character_mask & bits;
}

static bool cannot(const struct power_characteristics *c, uint64_t bits)
{
	return ~c->character & c->character_mask & bits;
}

static bool ought(const struct power_characteristics *c, uint64_t bits)
{
	return c->behaviour & c->behaviour_mask & bits;
}

static bool need_not(const struct power_characteristics *c, uint64_t bits)
{
	return ~c->behaviour & c->behaviour_mask & bits;
}

/* broken, workaround, fixed; POWER8 shares no first-level cache that matters here */
static int cache_level(const struct power_characteristics *c)
{
	if (need_not(c, L1D_FLUSH_PR))
		return 2;
	return (c->power8 || can(c, L1D_THREAD_PRIV)) && can(c, L1D_FLUSH_ORI30 | L1D_FLUSH_TRIG2);
}

static int bounds_level(const struct power_characteristics *c)
{
	return need_not(c, BNDS_CHK_SPEC_BAR) ? 2 : can(c, SPEC_BAR_ORI31);
}

/* broken, workaround, fixed-ibs, fixed-ccd, fixed-na */
static int branch_level(const struct power_characteristics *c)
{
	if (need_not(c, FLUSH_COUNT_CACHE) && cannot(c, COUNT_CACHE_DIS) && cannot(c, BCCTRL_SERIALISED))
		return 4;
	if (ought(c, FLUSH_COUNT_CACHE))
		return 1;
	return can(c, COUNT_CACHE_DIS) ? 3 : can(c, BCCTRL_SERIALISED) ? 2 : 0;
}

void read_power_characteristics(json_t *doc, const struct power_characteristics *c,
				const struct scope *scope)
{
	json_t *facts = json_object_get(doc, "facts");

	document_fact(facts, "pseries.cap-cfpc", json_integer(cache_level(c)), scope, ORIGIN);
	document_fact(facts, "pseries.cap-sbbc", json_integer(bounds_level(c)), scope, ORIGIN);
	document_fact(facts, "pseries.cap-ibs", json_integer(branch_level(c)), scope, ORIGIN);
	document_fact(facts, "pseries.cap-ccf-assist", json_boolean(can(c, BCCTR_FLUSH_ASSIST)), scope,
		      ORIGIN);
}
