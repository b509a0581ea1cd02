/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * probe.c: what probes say of themselves and of what they couldn't read; see probe.h.
 */
#include "config.h"

#include <errno.h>

#include "probe.h"

void probe_report(struct context *context, const struct probe *probe, const char *state,
		  bool complete, const char *reason)
{
	g_autofree char *text = reason ? g_utf8_make_valid(reason, -1) : NULL;

	document_source(context->doc, probe->name, state, complete, probe->view, text, -1);
	context->told = true;
}

int probe_time_left(const struct context *context)
{
	gint64 left = (context->deadline - g_get_monotonic_time()) / 1000;

	return left < 0 ? 0 : left > G_MAXINT ? G_MAXINT : (int)left;
}

const char *probe_state_of(int err)
{
	return err == ENOENT || err == ENXIO || err == ENODEV ? "missing" : "unreadable";
}

void probe_missing_register(struct context *context, int reg, enum fact_state state,
			    const struct scope *scope, const char *origin, int err)
{
	json_t *facts = json_object_get(context->doc, "facts");

	for (size_t i = 0; i < cap_count; i++)
		if (cap_table[i].reg == reg)
			document_fact_missing(facts, cap_table[i].id, state, scope, origin, err);
}

void probe_fact_text(struct context *context, const char *id, const char *text,
		     const struct scope *scope, const char *origin)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	document_fact(json_object_get(context->doc, "facts"), id, json_string(valid), scope, origin);
}
