/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* route-status.c: how the broker is. */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "model/dictionary.h"
#include "routes.h"

void route_metrics(struct worker *w, struct request *r)
{
	char *text = metrics_text(w->broker);

	r->status = 200;
	r->type = "text/plain; version=0.0.4; charset=utf-8";
	r->reply_length = strlen(text);
	r->reply = strdup(text);
	g_free(text);
	http_reply(r);
}

/* Fine, or the last transaction failed: what is read is right all the same. */
void route_health(struct worker *w, struct request *r)
{
	struct keeper_figures f;

	keeper_figures(w->broker->keeper, &f);
	reply_json(r, f.trouble ? 503 : 200,
		   json_pack("{s:s, s:s}", "format", "capbroker.health/1", "health", f.trouble ? "degraded" : "ok"));
	g_free(f.trouble);
	http_reply(r);
}

void route_status(struct worker *w, struct request *r)
{
	const struct broker *b = w->broker;
	struct keeper_figures f;
	g_autofree char *started = time_text(b->started);

	keeper_figures(b->keeper, &f);
	reply_json(r, 200, json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:s?}", "format",
				     "capbroker.status/1", "version", PACKAGE_VERSION, "dictionary", cap_dictionary_version,
				     "started", started, "hosts_n", (int)f.hosts, "classes_n", (int)f.classes, "guests_n",
				     (int)f.guests, "waiting", (int)f.waiting, "connections", (int)http_connections(b->http),
				     "confirmed", (json_int_t)f.confirmed, "changed", (json_int_t)f.changed, "refused",
				     (json_int_t)f.refused, "commits", (json_int_t)f.commits, "trouble", f.trouble));
	g_free(f.trouble);
	http_reply(r);
}
