/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer-check.c: the answer "check"; see answer.h.
 *
 * A guest is judged once a class, on all of the fleet: hosts that nobody asked about are needed
 * to say how many others it could go to from there, and which would do instead. A device to be plugged
 * in is judged on the guest's own host, and the others by the guest with it.
 */
#include "config.h"

#include <string.h>

#include "answer/override.h"
#include "answer/routes.h"
#include "guest/dma.h"
#include "judge/hotplug.h"
#include "judge/onward.h"
#include "judge/verdict-policy.h"
#include "model/document.h"

/* Hosts offered instead where no target will do. */
#define MAX_INSTEAD 1000

struct run {
	const struct answering *a;
	const struct guest *guest;
	enum question question;
	const struct host *from;
	GPtrArray *verdicts;   /* struct verdicts by class */
	guint can;             /* hosts, of all, whose answer is ok or warn */
	const struct needs *plugged; /* the guest with the device that is to be plugged in, or NULL */
	guint could;           /* hosts that would take the guest without it */
	json_t **parts;        /* by class: findings, shared by its hosts */
	struct onward *onward; /* by class, of a move; NULL: the question is another */
};

/* From a host of a class that the guest may get to. */
struct onward {
	guint hosts;           /* others that would take it */
	bool asked;            /* it can get there */
	enum verdict back;     /* to the host it comes from */
};

static const struct verdicts *of_class(const struct run *run, const struct host_class *class)
{
	return g_ptr_array_index(run->verdicts, class->index);
}

static enum verdict answer_of(const struct run *run, const struct host *host)
{
	return override_answer(run->a, run->guest, host, of_class(run, host->class), run->question);
}

static json_t *finding(const struct run *run, const struct finding *f)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:b, s:s?, s:O?, s:O?, s:s?, s:s?, s:s?, s:s?}",
			 "check", f->check, "verdict", verdict_name(f->verdict), "effect",
			 effect_name(f->effect), "start", (f->on & ON_START) != 0, "migrate",
			 (f->on & ON_MIGRATE) != 0, "capability", f->capability, "need", f->need,
			 "have", f->have, "where", f->where, "origin", f->origin, "text", f->text,
			 "fix", f->fix);

	if (run->plugged)
		json_object_set_new(json, "hotplug", json_boolean(f->on & ON_HOTPLUG));
	if (f->by_policy)
		json_object_set_new(json, "found", json_string(verdict_name(f->found)));
	return json;
}

static json_t *findings(const struct run *run, const struct verdicts *v)
{
	json_t *array = json_array();

	for (guint i = 0; i < v->findings->len; i++)
		json_array_append_new(array, finding(run, g_ptr_array_index(v->findings, i)));
	return array;
}

static json_t *cpu(const struct verdicts *v)
{
	if (!v->cpu_judged)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:s?, s:s?}", "relation", cpu_relation_name(v->relation),
			 "missing", json_strings(v->missing), "extra", json_strings(v->extra),
			 "reason", v->reason, "view", v->view);
}

/* What the hosts of a class have in common in the answer. */
static json_t *class_part(struct run *run, const struct host_class *class)
{
	const struct verdicts *v = of_class(run, class);
	json_t **part = &run->parts[class->index];

	if (!*part)
		*part = json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s, s:o, s:o}", "class", class->id,
				  "start", verdict_name(v->start), "migrate",
				  verdict_name(v->migrate), "viommu", v->viommu, "qemu_starts",
				  verdict_name(v->qemu_starts), "dma_works",
				  verdict_name(v->dma_works), "cpu", cpu(v), "findings", findings(run, v));
	return *part;
}

/* The verdict on going back to where it comes from; null where it can't get there, or that isn't known. */
static json_t *back(const struct run *run, const struct host *host)
{
	const struct onward *onward = &run->onward[host->class->index];

	return onward->asked && run->from && answer_of(run, host) != V_BLOCK ?
		       json_string(verdict_name(onward->back)) : json_null();
}

/* How many other hosts would take it: from there, where it moves; else than this one. */
static guint onward_of(const struct run *run, const struct host *host)
{
	enum verdict v = answer_of(run, host);

	if (run->onward)
		return v == V_BLOCK ? 0 : run->onward[host->class->index].hosts;
	return run->can - (!run->plugged && verdict_is_good(v) ? 1 : 0);
}

/* "9 days", or in the largest unit of which there is one. */
static char *span_text(int64_t seconds)
{
	static const struct { int64_t length; const char *name; } units[] = {
		{ 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" },
	};
	size_t u = 0;

	while (u < G_N_ELEMENTS(units) - 1 && seconds < units[u].length)
		u++;
	seconds /= units[u].length;
	return g_strdup_printf("%" G_GINT64_FORMAT " %s%s", seconds, units[u].name, seconds == 1 ? "" : "s");
}

/* What a site's limit makes of the age of what is known of a host; V_OK without a finding. */
static enum verdict too_old(const struct run *run, const struct host *host, json_t **told)
{
	const struct answering *a = run->a;
	int64_t age = host_confirmed(host) > 0 ? a->now - host_confirmed(host) : INT64_MAX;
	g_autofree char *limit = span_text(a->age_limit), *old = span_text(age);
	struct finding f = { .check = "profile-age", .effect = EFFECT_FAILS_SAFELY, .on = ON_BOTH | ON_HOTPLUG };

	if (!a->age_limit || age <= a->age_limit)
		return V_OK;
	f.verdict = age - a->age_limit > a->age_grace ? V_UNKNOWN : V_WARN;
	verdict_policy_apply(a->judge->policy, &f);
	if (!told)
		return f.verdict;
	f.text = host_confirmed(host) > 0 ?
			 g_strdup_printf("what is known of the host is %s old, and the policy's limit is %s", old, limit) :
			 g_strdup_printf("how old what is known of the host is isn't known, and the policy's limit is %s", limit);
	f.fix = (char *)"run 'capbroker probe' on the host, or import it again";
	f.need = json_array();
	f.have = json_array();
	*told = finding(run, &f);
	json_decref(f.need);
	json_decref(f.have);
	g_free(f.text);
	return f.verdict;
}

/* A class's part is shared by its hosts; their ages are their own. */
static void add_age(const struct run *run, const struct host *host, json_t *json)
{
	static const char *const questions[] = { "start", "migrate", "hotplug" };
	json_t *told = NULL, *findings;
	enum verdict verdict = too_old(run, host, &told);

	if (!told)
		return;
	findings = json_copy(json_object_get(json, "findings"));
	json_array_append_new(findings, told);
	json_object_set_new(json, "findings", findings);
	for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
		const char *word = json_string_value(json_object_get(json, questions[i]));
		enum verdict now = V_OK;

		while (word && now < V_BLOCK && strcmp(verdict_name(now), word))
			now++;
		if (word && now < verdict)
			json_object_set_new(json, questions[i], json_string(verdict_name(verdict)));
	}
}

static json_t *verdict(struct run *run, const struct host *host)
{
	json_t *json = json_pack("{s:s}", "host", host->name);
	int64_t age = run->a->now - host_confirmed(host);

	json_object_update(json, class_part(run, host->class));
	override_show(run->a, run->guest, host, of_class(run, host->class), json);
	if (run->plugged) {
		json_object_set_new(json, "hotplug", json_string(verdict_name(answer_of(run, host))));
		json_object_set_new(json, "onward_before", json_integer(run->could));
	}
	json_object_set_new(json, "age_s",
			    host_confirmed(host) > 0 ? json_integer(age > 0 ? age : 0) : json_null());
	json_object_set_new(json, "onward_hosts", json_integer(onward_of(run, host)));
	if (run->onward)
		json_object_set_new(json, "back", back(run, host));
	add_age(run, host, json);
	return json;
}

/* Names of checks in a state. */
static json_t *checks_in(const struct verdicts *v, enum check_state state)
{
	json_t *array = json_array();

	for (size_t i = 0; v->states && i < check_count; i++)
		if (v->states[i] == state)
			json_array_append_new(array, json_string(check_at(i)->name));
	return array;
}

static json_t *class_entry(const struct run *run, const struct host_class *class, json_t *names)
{
	const struct verdicts *v = of_class(run, class);

	return json_pack("{s:s, s:i, s:o, s:o, s:o}", "id", class->id, "hosts_n", (int)class->hosts->len,
			 "hosts", names, "passed", checks_in(v, CHECK_PASSED), "not_reached",
			 checks_in(v, CHECK_PREREQ));
}

/*
 * The classes among the targets: their hosts among the targets, and what was fine. Hosts that
 * other overrides hold for than for their twins make an entry of their own.
 */
static json_t *classes(const struct run *run, const GPtrArray *targets)
{
	g_autoptr(GHashTable) entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	json_t *array = json_array();

	for (guint i = 0; i < targets->len; i++) {
		const struct host *h = g_ptr_array_index(targets, i);
		g_autofree char *allowed = override_signature(run->a, run->guest, h);
		char *key = g_strdup_printf("%u %s", h->class->index, allowed);
		json_t *names = g_hash_table_lookup(entries, key);

		if (names) {
			g_free(key);
		} else {
			names = json_array();
			g_hash_table_insert(entries, key, names);
			json_array_append_new(array, class_entry(run, h->class, names));
		}
		json_array_append_new(names, json_string(h->name));
	}
	return array;
}

static json_t *instead(const struct run *run, const GPtrArray *targets)
{
	const GPtrArray *hosts = run->a->fleet->hosts;
	json_t *array = json_array();

	for (guint i = 0; i < targets->len; i++)
		if (run->plugged || (verdict_is_good(answer_of(run, g_ptr_array_index(targets, i))) &&
				     verdict_is_good(too_old(run, g_ptr_array_index(targets, i), NULL))))
			return array;
	for (guint i = 0; i < hosts->len && json_array_size(array) < MAX_INSTEAD; i++) {
		const struct host *h = g_ptr_array_index(hosts, i);

		if (h != run->from && verdict_is_good(answer_of(run, h)) && verdict_is_good(too_old(run, h, NULL)))
			json_array_append_new(array, json_string(h->name));
	}
	return array;
}

static json_t *guest(const struct guest *g)
{
	const struct needs *needs = guest_needs(g);
	json_t *unjudged = json_array();

	for (guint i = 0; i < needs->unjudged->len; i++) {
		const struct needs_unjudged *u = g_ptr_array_index(needs->unjudged, i);

		json_array_append_new(unjudged, json_pack("{s:s, s:s, s:b}", "path", u->path, "what",
							  u->what, "decides", u->decides));
	}
	return json_pack("{s:s, s:s?, s:s?, s:b, s:b, s:s?, s:s?, s:s?, s:o}", "name", g->name,
			 "uuid", g->uuid, "host", g->host, "running", g->running, "cpu_only",
			 needs->cpu_only, "type", needs->type, "machine", needs->machine, "cpu",
			 needs->cpu ? (needs->cpu->model ? needs->cpu->model
							 : cpu_mode_name(needs->cpu->mode))
				    : NULL,
			 "unjudged", unjudged);
}

/* Where the guest could go from each class that it may get to; a move to where it ends warns. */
static void judge_onward(struct run *run, const bool *asked)
{
	const struct profile *source = run->from ? run->from->profile : NULL;
	const struct fleet *fleet = run->a->fleet;
	struct routes *routes = routes_new(run->a);

	run->onward = g_new0(struct onward, fleet->classes->len + 1);
	for (guint i = 0; i < fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(fleet->classes, i);
		struct verdicts *v = g_ptr_array_index(run->verdicts, i);
		struct onward *onward = &run->onward[i];
		struct reach reach;

		if (!asked[i] || (v->migrate == V_BLOCK &&
				  !override_good_hosts(run->a, run->guest, class, v, ASK_MIGRATE)))
			continue;
		reach = routes_onward(routes, fleet, run->guest, source, class, false);
		onward->asked = true;
		onward->hosts = reach_good(&reach);
		if (run->from)
			onward->back = routes_on(routes, run->guest, source, class->profile, source);
		if (!run->from || class != run->from->class || class->hosts->len > 1)
			move_onward(v, run->a->judge, onward->hosts, reach.hosts[V_UNKNOWN],
				    fleet->hosts->len - 1);
	}
	routes_free(routes);
}

/* Judges every class, with reasons where somebody will read them; counts the hosts that would do. */
static void judge_all(struct run *run, const GPtrArray *targets)
{
	const GPtrArray *all = run->a->fleet->classes;
	const struct profile *source = run->from ? run->from->profile : NULL;
	g_autofree bool *asked = g_new0(bool, all->len + 1);
	struct judge brief = *run->a->judge;

	brief.brief = true;
	for (guint i = 0; i < targets->len; i++) {
		const struct host *h = g_ptr_array_index(targets, i);

		asked[h->class->index] = true;
	}
	run->verdicts = g_ptr_array_new_with_free_func((GDestroyNotify)verdicts_free);
	for (guint i = 0; i < all->len; i++) {
		const struct host_class *class = g_ptr_array_index(all, i);
		struct verdicts *v = guest_judge(asked[i] ? run->a->judge : &brief, run->guest, source,
						 class->profile);

		g_ptr_array_add(run->verdicts, v);
		run->can += override_good_hosts(run->a, run->guest, class, v, run->question);
	}
	run->parts = g_new0(json_t *, all->len + 1);
	if (run->question == ASK_MIGRATE)
		judge_onward(run, asked);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_decision(json_t *answer, const struct run *run, const GPtrArray *targets)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
	const struct needs *needs[] = { run->guest->defined, run->guest->live, run->plugged };
	g_autofree char *allowed = override_signature(run->a, run->guest, NULL);

	for (guint i = 0; i < targets->len; i++) {
		const struct host *h = g_ptr_array_index(targets, i);

		g_ptr_array_add(parts, g_strdup_printf("%s %s", h->name, h->class->full));
	}
	g_ptr_array_sort(parts, by_text);
	g_ptr_array_add(parts, g_strdup(question_name(run->question)));
	g_ptr_array_add(parts, g_strdup(run->from ? run->from->class->full : ""));
	if (*allowed)
		g_ptr_array_add(parts, g_steal_pointer(&allowed));
	for (guint i = 0; i < G_N_ELEMENTS(needs); i++) {
		json_t *json = needs[i] ? needs_to_json(needs[i]) : NULL;

		g_ptr_array_add(parts, json ? document_text(json) : g_strdup(""));
		json_decref(json);
	}
	answer_decision(answer, run->a, parts);
}

/* How many hosts of a class but the one it is on would take the guest. */
static guint takes(const struct run *run, const struct host_class *class, const struct needs *needs,
		   const struct cpu_need *cpu)
{
	struct judge brief = *run->a->judge;
	guint hosts = class->hosts->len - (class == run->from->class ? 1 : 0);
	struct verdicts *v;
	bool takes;

	if (!hosts)
		return 0;
	brief.brief = true;
	v = judge_guest(&brief, needs, cpu, run->from->profile, class->profile);
	takes = verdict_is_good(v->migrate);
	verdicts_free(v);
	return takes ? hosts : 0;
}

/* Judges the device on the guest's host, and the guest with and without it on all others. */
static void judge_plug(struct run *run)
{
	const GPtrArray *all = run->a->fleet->classes;
	const struct needs *needs = guest_needs(run->guest);
	const struct cpu_need *cpu = run->guest->live ? run->guest->live_cpu : run->guest->defined_cpu;
	struct verdicts *v = judge_hotplug(run->a->judge, needs, run->plugged, cpu, run->from->profile);

	for (guint i = 0; i < all->len; i++) {
		run->could += takes(run, g_ptr_array_index(all, i), needs, cpu);
		run->can += takes(run, g_ptr_array_index(all, i), run->plugged, cpu);
	}
	hotplug_onward(v, run->a->judge, run->could, run->can);
	run->verdicts = g_ptr_array_new_with_free_func((GDestroyNotify)verdicts_free);
	g_ptr_array_set_size(run->verdicts, (gint)all->len);
	run->verdicts->pdata[run->from->class->index] = v;
	run->parts = g_new0(json_t *, all->len + 1);
}

static json_t *answer_of_run(struct run *run, const GPtrArray *targets)
{
	json_t *answer = answer_new("check");
	json_t *array = json_array();

	json_object_set_new(answer, "guest", guest(run->guest));
	json_object_set_new(answer, "question", json_string(question_name(run->question)));
	json_object_set_new(answer, "from", run->from ? json_string(run->from->name) : json_null());
	for (guint i = 0; i < targets->len; i++)
		json_array_append_new(array, verdict(run, g_ptr_array_index(targets, i)));
	json_object_set_new(answer, "verdicts", array);
	json_object_set_new(answer, "classes", classes(run, targets));
	json_object_set_new(answer, "instead", instead(run, targets));
	answer_not_judged(answer);
	add_decision(answer, run, targets);
	for (guint i = 0; i < run->a->fleet->classes->len; i++)
		json_decref(run->parts[i]);
	g_free(run->parts);
	g_free(run->onward);
	g_ptr_array_unref(run->verdicts);
	return answer;
}

json_t *answer_check(const struct answering *a, const struct guest *g, enum question question,
		     const struct host *from, const GPtrArray *targets)
{
	struct run run = { .a = a, .guest = g, .question = question, .from = from };

	judge_all(&run, targets);
	return answer_of_run(&run, targets);
}

/* The device that is plugged in: its element, and its address on the host where it has one. */
static json_t *device(const struct needs *plugged)
{
	const struct xml_node *node = xml_child(xml_root(plugged->definition), "devices")->children;
	const struct dma *dma = dma_of(plugged);
	const char *address = NULL;

	while (node->next)
		node = node->next;
	for (guint i = 0; i < dma->devices->len; i++) {
		const struct dma_device *d = g_ptr_array_index(dma->devices, i);

		address = d->plugged ? d->address : address;
	}
	return json_pack("{s:s, s:s?}", "element", node->name, "address", address);
}

json_t *answer_hotplug(const struct answering *a, const struct guest *g, const struct needs *plugged,
		       const struct host *from)
{
	struct run run = { .a = a, .guest = g, .question = ASK_HOTPLUG, .from = from, .plugged = plugged };
	g_autoptr(GPtrArray) targets = g_ptr_array_new();
	json_t *answer;

	g_ptr_array_add(targets, (void *)from);
	judge_plug(&run);
	answer = answer_of_run(&run, targets);
	json_object_set_new(answer, "device", device(plugged));
	return answer;
}

enum verdict answer_age(const struct answering *a, const struct host *host)
{
	const struct run run = { .a = a };

	return too_old(&run, host, NULL);
}

int answer_check_status(const json_t *answer)
{
	const char *question = json_string_value(json_object_get(answer, "question"));
	const json_t *v;
	bool unknown = false;
	size_t i;

	json_array_foreach (json_object_get(answer, "verdicts"), i, v) {
		const char *word = json_string_value(json_object_get(v, question));

		if (!g_strcmp0(word, "ok") || !g_strcmp0(word, "warn"))
			return 0;
		unknown = unknown || !g_strcmp0(word, "unknown");
	}
	return unknown ? 3 : 1;
}
