/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planning.c: see planning.h. */
#include "config.h"

#include "planning.h"

static GPtrArray *atoms(const struct session *s, char *const *names, const char *option, bool whole,
			GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; names && names[i]; i++) {
		char *atom = offering_name(s->fleet->universe, names[i], whole, error);

		if (!atom) {
			g_prefix_error(error, "--%s %s: ", option, names[i]);
			return NULL;
		}
		g_ptr_array_add(list, atom);
	}
	return g_steal_pointer(&list);
}

/* All hosts must say what they count, and some must count something. */
static bool check_weights(const char *label, const GPtrArray *hosts, GError **error)
{
	guint64 weight, sum = 0;

	for (guint i = 0; label && i < hosts->len; i++) {
		const struct host *h = g_ptr_array_index(hosts, i);

		if (!offering_host_weight(h, label, &weight)) {
			g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
				    "%s: has no label '%s' that is a whole number up to 1000000000 (import it with --label %s=N)",
				    h->name, label, label);
			return false;
		}
		sum += weight;
	}
	if (label && !sum)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "label '%s': is 0 on all of these hosts (leave the weights out)", label);
	return !label || sum;
}

static bool check_spread(const char *label, const GPtrArray *hosts, GError **error)
{
	bool any = !label;

	for (guint i = 0; !any && i < hosts->len; i++) {
		const struct host *h = g_ptr_array_index(hosts, i);

		any = h->labels && g_hash_table_contains(h->labels, label);
	}
	if (!any)
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_NAME,
			    "--spread %s: none of these hosts has such a label (see 'capbroker show HOST')", label);
	return any;
}

bool plans_open(struct plans *p, const struct session *s, const struct baseline_options *baseline,
		const struct planning_names *names, const GPtrArray *hosts, GError **error)
{
	*p = (struct plans){ .planning = { .policy = s->policy, .share = s->policy ? s->policy->coverage : 0 } };
	p->planning.offering = (struct offering_options){
		.baseline = baseline, .shipped = s->files->weights,
		.site = s->policy ? s->policy->weights : NULL, .spread_label = names->spread,
		.weight_label = names->weight_label ? names->weight_label :
				s->policy ? s->policy->weight_label : NULL,
	};
	if (names->coverage && !share_parse(names->coverage, &p->planning.share, error)) {
		g_prefix_error(error, "--coverage: ");
		return false;
	}
	/* of 0 one host is still kept */
	if (names->coverage && !p->planning.share)
		p->planning.share = 1;
	p->pins = atoms(s, names->pins, "pin", false, error);
	p->forbid = p->pins ? atoms(s, names->forbid, "forbid", true, error) : NULL;
	p->planning.offering.pins = p->pins;
	p->planning.offering.forbid = p->forbid;
	return p->forbid && check_weights(p->planning.offering.weight_label, hosts, error) &&
	       check_spread(names->spread, hosts, error);
}

void plans_close(struct plans *p)
{
	g_clear_pointer(&p->pins, g_ptr_array_unref);
	g_clear_pointer(&p->forbid, g_ptr_array_unref);
}
