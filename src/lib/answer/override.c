/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* override.c: see override.h. */
#include "config.h"

#include <string.h>

#include "answer/override.h"

/* Which verdict a question's findings make; by enum question. */
static const unsigned int bits[] = { ON_START, ON_MIGRATE, ON_HOTPLUG };
_Static_assert(G_N_ELEMENTS(bits) == QUESTIONS, "a question without a bit");

void override_free(struct override *o)
{
	if (!o)
		return;
	g_free(o->guest);
	g_clear_pointer(&o->hosts, g_hash_table_unref);
	g_free(o->check);
	g_free(o->by);
	g_free(o->reason);
	g_free(o);
}

char *time_text(int64_t seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

	return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("?");
}

static bool holds_for(const struct override *o, const struct answering *a, const struct guest *guest,
		      const struct host *host)
{
	const char *own = guest->uuid ? guest->uuid : guest->name;

	return o->expires > a->now && own && !g_ascii_strcasecmp(o->guest, own) &&
	       (!host || g_hash_table_contains(o->hosts, host));
}

/* The override that touches a finding, or NULL. */
static const struct override *touching(const struct answering *a, const struct guest *guest,
				       const struct host *host, const struct finding *f)
{
	for (guint i = 0; a->overrides && i < a->overrides->len; i++) {
		const struct override *o = g_ptr_array_index(a->overrides, i);

		if (f->verdict > V_WARN && !strcmp(o->check, f->check) && holds_for(o, a, guest, host) &&
		    (f->effect != EFFECT_HAZARD || o->accept_risk))
			return o;
	}
	return NULL;
}

static enum verdict worst(const struct answering *a, const struct guest *guest, const struct host *host,
			  const struct verdicts *v, unsigned int bit)
{
	enum verdict worst = V_OK;

	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);
		bool silenced = host && touching(a, guest, host, f);

		if (f->on & bit)
			worst = MAX(worst, silenced ? V_WARN : f->verdict);
	}
	return worst;
}

enum verdict override_answer(const struct answering *a, const struct guest *guest, const struct host *host,
			     const struct verdicts *v, enum question question)
{
	enum verdict judged = verdicts_answer(v, question);

	/* What the findings don't account for, no override of a finding explains. */
	if (!a->overrides || !a->overrides->len || worst(a, guest, NULL, v, bits[question]) != judged)
		return judged;
	return worst(a, guest, host, v, bits[question]);
}

enum verdict override_class_answer(const struct answering *a, const struct guest *guest,
				   const struct host_class *class, const struct verdicts *v,
				   enum question question)
{
	enum verdict worst = V_OK;

	if (!a->overrides || !a->overrides->len)
		return verdicts_answer(v, question);
	for (guint i = 0; i < class->hosts->len; i++)
		worst = MAX(worst, override_answer(a, guest, g_ptr_array_index(class->hosts, i), v, question));
	return worst;
}

guint override_good_hosts(const struct answering *a, const struct guest *guest,
			  const struct host_class *class, const struct verdicts *v,
			  enum question question)
{
	bool plain = !a->overrides || !a->overrides->len;
	guint good = 0;

	if (plain)
		return verdicts_answer(v, question) <= V_WARN ? class->hosts->len : 0;
	for (guint i = 0; i < class->hosts->len; i++)
		good += override_answer(a, guest, g_ptr_array_index(class->hosts, i), v, question) <= V_WARN;
	return good;
}

static void show_finding(json_t *finding, const struct override *o)
{
	g_autofree char *until = time_text(o->expires);

	json_object_set_new(finding, "override",
			    json_pack("{s:I, s:s, s:s, s:s, s:O}", "id", (json_int_t)o->id, "until", until,
				      "by", o->by, "reason", o->reason, "was",
				      json_object_get(finding, "verdict")));
	json_object_set_new(finding, "verdict", json_string(verdict_name(V_WARN)));
}

void override_show(const struct answering *a, const struct guest *guest, const struct host *host,
		   const struct verdicts *v, json_t *entry)
{
	static const char *const members[] = { "start", "migrate", "hotplug" };
	json_t *findings = NULL;

	for (guint i = 0; i < v->findings->len; i++) {
		const struct override *o = touching(a, guest, host, g_ptr_array_index(v->findings, i));

		if (!o)
			continue;
		if (!findings) /* those there are shared by the class's hosts */
			findings = json_deep_copy(json_object_get(entry, "findings"));
		show_finding(json_array_get(findings, i), o);
	}
	if (!findings)
		return;
	json_object_set_new(entry, "findings", findings);
	for (guint q = 0; q < G_N_ELEMENTS(members); q++)
		if (json_object_get(entry, members[q]))
			json_object_set_new(entry, members[q],
					    json_string(verdict_name(override_answer(a, guest, host, v, q))));
}

char *override_signature(const struct answering *a, const struct guest *guest, const struct host *host)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; a->overrides && i < a->overrides->len; i++) {
		const struct override *o = g_ptr_array_index(a->overrides, i);

		if (holds_for(o, a, guest, host))
			g_string_append_printf(text, "%" G_GINT64_FORMAT " ", o->id);
	}
	return g_string_free(text, FALSE);
}
