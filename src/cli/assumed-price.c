/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* assumed-price.c: see assumed-price.h. */
#include "config.h"

#include <string.h>

#include "assumed-price.h"
#include "model/assume.h"
#include "plan/price.h"

void assumed_price(const struct cli *cli, const struct session *s, json_t *answer)
{
	g_autoptr(GPtrArray) lost = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) gained = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; cli->assume && cli->assume[i]; i++) {
		const char *equals = strrchr(cli->assume[i], '='), *what = equals ? equals + 1 : "";
		char *id = *what == '-' || *what == '+' ? assume_find(s->fleet->universe, what + 1, NULL) : NULL;

		if (id)
			g_ptr_array_add(*what == '-' ? lost : gained, id);
	}
	if (lost->len || gained->len)
		json_object_set_new(answer, "assumed_price",
				    price_json(s->files->tables, lost, gained));
}
