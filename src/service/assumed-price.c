/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* assumed-price.c: see assumed-price.h. */
#include "config.h"

#include <string.h>

#include "assumed-price.h"
#include "model/assume.h"
#include "model/document.h"
#include "plan/price.h"

void assumed_price(const struct session *s, const json_t *assume, json_t *answer)
{
	g_autoptr(GPtrArray) lost = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) gained = g_ptr_array_new_with_free_func(g_free);
	const json_t *entry;
	size_t i;

	json_array_foreach (assume, i, entry) {
		const char *text = member_text(entry, "text"), *equals = text ? strrchr(text, '=') : NULL;
		const char *what = equals ? equals + 1 : "";
		char *id = *what == '-' || *what == '+' ? assume_find(s->fleet->universe, what + 1, NULL) : NULL;

		if (id)
			g_ptr_array_add(*what == '-' ? lost : gained, id);
	}
	if (lost->len || gained->len)
		json_object_set_new(answer, "assumed_price", price_json(s->files->tables, lost, gained));
}
