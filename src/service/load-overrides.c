/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* load-overrides.c: overrides as the answers take them; see load.h. */
#include "config.h"

#include "answer/override.h"
#include "load.h"
#include "overrides.h"

static struct override *load_one(const struct session *s, const struct store_override *from)
{
	g_autoptr(GPtrArray) hosts = g_ptr_array_new();
	struct override *o = g_new0(struct override, 1);

	o->id = from->id;
	o->guest = g_strdup(from->guest);
	o->hosts = g_hash_table_new(NULL, NULL);
	o->check = g_strdup(from->check);
	o->by = g_strdup(from->author);
	o->reason = g_strdup(from->reason);
	o->accept_risk = from->accept_risk;
	o->expires = from->expires;
	/* A selector that names no host any more holds for none. */
	if (fleet_select(s->fleet, from->selector, hosts, NULL))
		for (guint i = 0; i < hosts->len; i++)
			g_hash_table_add(o->hosts, g_ptr_array_index(hosts, i));
	return o;
}

bool session_again_overrides(struct session *s, GError **error)
{
	s->answering.overrides = NULL;
	g_clear_pointer(&s->overrides, g_ptr_array_unref);
	return session_load_overrides(s, error);
}

bool session_load_overrides(struct session *s, GError **error)
{
	g_autoptr(GPtrArray) stored = store_overrides(s->store, error);

	if (!stored)
		return false;
	s->overrides = g_ptr_array_new_with_free_func((GDestroyNotify)override_free);
	for (guint i = 0; i < stored->len; i++) {
		const struct store_override *o = g_ptr_array_index(stored, i);

		if (!o->revoked && o->expires > s->answering.now)
			g_ptr_array_add(s->overrides, load_one(s, o));
	}
	s->answering.overrides = s->overrides;
	return true;
}
