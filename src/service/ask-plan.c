/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ask-plan.c: what hosts have in common, what that costs, and how they go together. */
#include "config.h"

#include "answer/answer-level.h"
#include "ask.h"
#include "planning.h"

/* --- baseline --------------------------------------------------------------------------------- */

struct common *common_of(const struct session *s, const json_t *question, GError **error)
{
	const char *accel = asked_text(question, "accel");
	const struct baseline_options options = { .all_features = asked_flag(question, "all_features"),
						  .accel = accel };
	const struct planning_names names = { .coverage = asked_text(question, "coverage"),
					      .weight_label = asked_text(question, "weight_label") };
	struct common *c;
	struct plans plans;

	if (accel && g_strcmp0(accel, "kvm") && g_strcmp0(accel, "tcg")) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "baseline: 'accel': '%s' is neither kvm nor tcg (leave it out for the best known)", accel);
		return NULL;
	}
	c = g_new0(struct common, 1);
	c->hosts = asked_hosts(s, question, "select", error);
	c->groups = c->hosts ? baseline_groups(&s->judge, c->hosts, &options) : NULL;
	if (!c->groups || !plans_open(&plans, s, &options, &names, c->hosts, error)) {
		if (c->groups)
			plans_close(&plans);
		common_free(c);
		return NULL;
	}
	if (plans.planning.share || (s->policy && s->policy->floors->len)) {
		GPtrArray *kept = answer_cover(&s->answering, c->groups, &plans.planning, &c->notes, &c->blocked);

		g_ptr_array_unref(c->groups);
		c->groups = kept;
	}
	plans_close(&plans);
	return c;
}

void common_free(struct common *c)
{
	if (!c)
		return;
	g_clear_pointer(&c->groups, g_ptr_array_unref);
	g_clear_pointer(&c->hosts, g_ptr_array_unref);
	json_decref(c->notes);
	g_free(c);
}

static json_t *baseline(struct session *s, const json_t *question, int *status, GError **error)
{
	struct common *c = common_of(s, question, error);
	json_t *json, *note;
	size_t i;

	if (!c)
		return NULL;
	json = answer_baseline(&s->answering, c->hosts, c->groups);
	json_array_foreach (c->notes, i, note)
		json_object_update(json_array_get(json_object_get(json, "baselines"), i), note);
	if (asked_flag(question, "settings"))
		answer_baseline_checks(&s->answering, c->groups, json);
	*status = c->blocked ? 1 : 0;
	common_free(c);
	return json;
}

static const struct question_member common_members[] = {
	{ "select", MEMBER_TEXTS, false },
	{ "all_features", MEMBER_FLAG, false },
	{ "settings", MEMBER_FLAG, false }, /* say how libvirt is to check the CPU, too */
	{ "accel", MEMBER_TEXT, false },
	{ "coverage", MEMBER_TEXT, false },
	{ "weight_label", MEMBER_TEXT, false },
	{ 0 },
};

const struct asking asking_baseline = { "baseline", SESSION_READ, common_members, baseline };

/* --- tradeoff --------------------------------------------------------------------------------- */

/* Blocked where some group can't have what is pinned. */
static int tradeoff_status(const json_t *answer)
{
	const json_t *group;
	size_t i;

	json_array_foreach (json_object_get(answer, "groups"), i, group)
		if (!json_array_size(json_object_get(group, "steps")))
			return 1;
	return 0;
}

static json_t *tradeoff(struct session *s, const json_t *question, int *status, GError **error)
{
	const struct baseline_options options = { 0 };
	g_autofree char **pins = asked_texts(question, "pins"), **forbid = asked_texts(question, "forbid");
	const struct planning_names names = { .weight_label = asked_text(question, "weight_label"),
					      .pins = pins, .forbid = forbid };
	g_autoptr(GPtrArray) hosts = asked_hosts(s, question, "select", error);
	struct plans plans;
	json_t *json = NULL;

	if (!hosts)
		return NULL;
	if (plans_open(&plans, s, &options, &names, hosts, error)) {
		g_autoptr(GPtrArray) groups = baseline_groups(&s->judge, hosts, &options);

		json = answer_tradeoff(&s->answering, hosts, groups, s->guests, &plans.planning);
		*status = tradeoff_status(json);
	}
	plans_close(&plans);
	return json;
}

static const struct question_member tradeoff_members[] = {
	{ "select", MEMBER_TEXTS, false },
	{ "weight_label", MEMBER_TEXT, false },
	{ "pins", MEMBER_TEXTS, false },
	{ "forbid", MEMBER_TEXTS, false },
	{ 0 },
};

const struct asking asking_tradeoff = { "tradeoff", SESSION_GUESTS, tradeoff_members, tradeoff };

/* --- pools ------------------------------------------------------------------------------------ */

static bool number(const json_t *question, const char *member, const char *option, guint *value, GError **error)
{
	int64_t given = asked_number(question, member, 0);

	if (json_object_get(question, member) && (given < 1 || given > 1000)) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "pools: --%s %" G_GINT64_FORMAT ": is no number from 1 to 1000 (see capbroker pools --help)",
			    option, (gint64)given);
		return false;
	}
	*value = (guint)given;
	return true;
}

static json_t *pools_of(struct session *s, const json_t *question, const GPtrArray *hosts,
			const struct pools_options *options, GError **error)
{
	const struct baseline_options baseline = { 0 };
	const struct planning_names names = { .spread = asked_text(question, "spread") };
	g_autoptr(GPtrArray) groups = baseline_groups(&s->judge, hosts, &baseline);
	struct plans plans;
	json_t *json = NULL;

	if (groups->len > options->max) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "pools: --max %u: these hosts are of %u architectures and vendors, which never share a pool (allow %u, or select fewer hosts)",
			    options->max, groups->len, groups->len);
		return NULL;
	}
	if (plans_open(&plans, s, &baseline, &names, hosts, error))
		json = answer_pools(&s->answering, hosts, groups, &plans.planning, options);
	plans_close(&plans);
	return json;
}

static json_t *pools(struct session *s, const json_t *question, int *status, GError **error)
{
	struct pools_options options = { .spread = asked_text(question, "spread") != NULL };
	g_autoptr(GPtrArray) hosts = NULL;
	json_t *json;

	if (!number(question, "max", "max", &options.max, error) ||
	    !number(question, "min_size", "min-size", &options.min_size, error))
		return NULL;
	hosts = asked_hosts(s, question, "select", error);
	json = hosts ? pools_of(s, question, hosts, &options, error) : NULL;
	*status = json && json_is_true(json_object_get(json, "fits")) &&
				  !json_array_size(json_object_get(json, "below_floors")) ? 0 : 1;
	return json;
}

static const struct question_member pools_members[] = {
	{ "select", MEMBER_TEXTS, false },
	{ "max", MEMBER_NUMBER, true },
	{ "min_size", MEMBER_NUMBER, false },
	{ "spread", MEMBER_TEXT, false },
	{ 0 },
};

const struct asking asking_pools = { "pools", SESSION_READ, pools_members, pools };
