/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verdict-policy.c: see verdict-policy.h. */
#include "config.h"

#include <string.h>

#include "judge/verdict-policy.h"

struct verdict_policy *verdict_policy_new(void)
{
	struct verdict_policy *p = g_new0(struct verdict_policy, 1);

	p->found = g_new(signed char, check_count);
	p->unknown = g_new(signed char, check_count);
	p->accept = g_new0(bool, check_count);
	memset(p->found, -1, check_count);
	memset(p->unknown, -1, check_count);
	return p;
}

void verdict_policy_free(struct verdict_policy *p)
{
	if (!p)
		return;
	g_free(p->found);
	g_free(p->unknown);
	g_free(p->accept);
	g_free(p);
}

static size_t place_of(const char *check)
{
	size_t i = 0;

	while (i < check_count && strcmp(check_at(i)->name, check))
		i++;
	return i;
}

void verdict_policy_apply(const struct verdict_policy *p, struct finding *f)
{
	bool risk = f->effect == EFFECT_HAZARD || f->effect == EFFECT_SECURITY_LOSS;
	size_t check = p && !f->by_policy ? place_of(f->check) : check_count;
	int verdict;

	if (check == check_count)
		return;
	verdict = f->verdict == V_UNKNOWN ? p->unknown[check] : p->found[check];
	if (verdict < 0 || f->verdict == V_OK || verdict == (int)f->verdict ||
	    (verdict == V_OK && risk && !p->accept[check]))
		return;
	f->found = f->verdict;
	f->verdict = (enum verdict)verdict;
	f->by_policy = true;
}
