/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* onward.c: see onward.h. */
#include "config.h"

#include <string.h>

#include "judge/onward.h"
#include "judge/verdict-policy.h"

#define CHECK_NAME "move-onward"

void move_onward(struct verdicts *v, const struct judge *judge, guint good, guint unknown, guint others)
{
	struct finding *f;

	if (v->migrate >= V_UNKNOWN || !others)
		return;
	verdicts_set_state(v, CHECK_NAME, good ? CHECK_PASSED : CHECK_FAILED);
	if (good)
		return;
	f = g_new0(struct finding, 1);
	*f = (struct finding){
		.check = CHECK_NAME,
		.verdict = V_WARN,
		.effect = EFFECT_TRAPPED,
		.on = ON_MIGRATE,
		.need = json_array(),
		.have = json_array(),
		.text = unknown ? g_strdup_printf("no other host is known to take it from there: of %u it isn't known",
						  unknown) :
				  g_strdup("no other host would take it from there, the one it comes from neither"),
		.fix = g_strdup("choose a host that it can leave, or give it a machine type and CPU that more hosts have (capbroker baseline)"),
	};
	verdict_policy_apply(judge->policy, f);
	g_ptr_array_add(v->findings, f);
	v->migrate = MAX(v->migrate, f->verdict);
	verdicts_sort(v);
}
