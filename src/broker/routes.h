/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* routes.h: what the files that answer share with the table of routes; for nobody else. */
#ifndef BROKER_ROUTES_H
#define BROKER_ROUTES_H

#include "broker.h"

/* What was found out of a request before it was handed over: request->data. */
struct routed {
	const struct route *route;
	const char *name, *asking;
	char *named;          /* the path's "{…}" */
	struct caller caller;
};

job_fn route_health, route_metrics, route_status, route_enrol, route_put_profile, route_put_guests, route_get_hosts,
	route_get_host, route_get_decision, route_ask;

#endif
