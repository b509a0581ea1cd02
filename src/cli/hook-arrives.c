/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hook-arrives.c: a guest that is about to come here: judged, recorded, refused by policy. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "answer/contract.h"
#include "contracts.h"
#include "decisions.h"
#include "files.h"
#include "guest/dma.h"
#include "here.h"
#include "hook.h"
#include "load.h"
#include "model/document.h"
#include "validity.h"

/* How much of the limit other processes may hold the database, in hundredths. */
#define LOCK_SHARE 30

struct arrival {
	const struct hook_run *run;
	struct session session;
	GPtrArray *rows;          /* struct store_host */
	const struct store_host *own;
	struct guest *guest;
	struct xml_document *xml;
	struct contract_told told; /* borrows from @xml */
	struct host *here, *from;
	json_t *doubts;           /* texts: why it isn't known that all is well, although the judge says so */
	json_t *answer;
	bool stale;               /* the host isn't as it was stored: blocks are doubtful, too */
	GError *read_only;        /* why nothing can be recorded, or NULL */
};

static bool read_guest(struct arrival *a, GError **error)
{
	const struct hook_call *call = a->run->call;
	g_autofree char *bytes = NULL;
	struct needs *needs;
	gsize length;

	if (!call->xml) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "definition: none was given");
		return false;
	}
	if (!file_read(call->xml, HOOK_MAX_XML, &bytes, &length, error))
		return false;
	a->xml = xml_parse(bytes, length, "definition", error);
	needs = a->xml ? needs_from_xml(a->xml, error) : NULL;
	if (!needs)
		return false;
	needs->live = true; /* it runs at its source, whether or not it still has its number */
	contract_read(a->xml, &a->told);
	a->guest = g_new0(struct guest, 1);
	a->guest->name = g_strdup(needs->name ? needs->name : call->guest);
	a->guest->uuid = g_strdup(needs->uuid);
	a->guest->running = true;
	a->guest->live = needs;
	if (needs->cpu_only)
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "definition: a <cpu> and no <domain>");
	return !needs->cpu_only;
}

static bool open_store(struct arrival *a, GError **error)
{
	const struct hook_run *run = a->run;
	unsigned int wait = run->policy->limit_ms * LOCK_SHARE / 100;

	if (access(run->database, F_OK) != 0) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_IO,
			    "%s: no such database yet (run 'capbroker probe' on this host)", run->database);
		return false;
	}
	a->session.store = store_open_within(run->database, false, wait, &a->read_only);
	if (!a->session.store)
		a->session.store = store_open_within(run->database, true, wait, error);
	return a->session.store != NULL;
}

static const struct store_host *row_of(const GPtrArray *rows, const char *name)
{
	for (guint i = 0; name && i < rows->len; i++) {
		const struct store_host *row = g_ptr_array_index(rows, i);

		if (!strcmp(row->name, name) || (row->uuid && !g_ascii_strcasecmp(row->uuid, name)))
			return row;
	}
	return NULL;
}

/* Where the store knows the guest to run; a guest that is known to run here already came. */
static const char *known_source(const struct arrival *a, const GPtrArray *guests)
{
	for (guint i = 0; i < guests->len; i++) {
		const struct store_guest *g = g_ptr_array_index(guests, i);

		if (g->running && g->host && strcmp(g->host, a->own->name))
			return g->host;
	}
	return NULL;
}

static void doubt(struct arrival *a, const char *text)
{
	json_array_append_new(a->doubts, json_string(text));
}

/* The contract that came with the guest stands for a source that nobody stored. */
static void take_contract(struct arrival *a)
{
	struct session *s = &a->session;
	struct profile *profile = contract_profile(&a->told, a->guest->live, s->fleet->universe);
	g_autofree char *other = NULL;

	if (!profile)
		return;
	other = contract_contradiction(&a->told, &s->judge, a->guest->live, profile);
	if (other)
		doubt(a, other);
	fleet_own(s->fleet, profile);
	a->from = fleet_add(s->fleet, a->told.host ? a->told.host : "source", profile, NULL);
}

static bool has_viommu(const struct needs *needs)
{
	const struct dma *dma = dma_of(needs);

	return needs->has_viommu || (dma && dma->viommus->len);
}

static bool has_qemu(const struct host *host, const char *version)
{
	for (guint i = 0; i < host->profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(host->profile->emulators, i);

		if (!g_strcmp0(e->version, version))
			return true;
	}
	return false;
}

/*
 * A guest runs the QEMU that it was started with, its host may have another by now: what that one
 * makes of a virtual IOMMU says nothing of the guest's.
 */
static bool check_qemu(struct arrival *a, GError **error)
{
	const struct guest *guest = a->guest;
	g_autoptr(GPtrArray) contracts = store_contracts(a->session.store, guest->uuid ? guest->uuid : guest->name,
							 error);
	const struct store_contract *newest = contracts && contracts->len ? contracts->pdata[0] : NULL;
	json_t *doc = newest && !g_strcmp0(newest->host, a->from->name) ? json_loads(newest->document, 0, NULL) :
									  NULL;
	const char *stored = json_string_value(json_object_get(json_object_get(doc, "qemu"), "version"));
	const char *runs = a->told.qemu && !g_strcmp0(a->told.host, a->from->name) ? a->told.qemu : stored;
	g_autofree char *text = NULL;

	if (runs && has_viommu(guest->live) && !has_qemu(a->from, runs)) {
		text = g_strdup_printf("it runs QEMU %s, which %s has no more: what its virtual IOMMU is, isn't known",
				       runs, a->from->name);
		doubt(a, text);
	}
	json_decref(doc);
	return contracts != NULL;
}

static bool load_source(struct arrival *a, const GPtrArray *guests, GError **error)
{
	const struct store_host *row = row_of(a->rows, known_source(a, guests));

	if (!row)
		row = row_of(a->rows, a->told.host);
	if (row && row != a->own) {
		a->from = session_add_host(&a->session, row, a->guest->live, error);
		return a->from && check_qemu(a, error);
	}
	if (row || !g_strcmp0(a->told.host, a->own->name))
		a->from = a->here; /* a guest that was saved here is restored */
	else if (a->told.element)
		take_contract(a);
	if (!a->from && has_viommu(a->guest->live))
		doubt(a, "where it comes from isn't known, so neither is what its virtual IOMMU is");
	return true;
}

static bool load(struct arrival *a, GError **error)
{
	g_autoptr(GPtrArray) guests = NULL;

	a->rows = store_hosts(a->session.store, error);
	guests = a->rows ? store_find_guests(a->session.store, a->guest->uuid, a->guest->name, error) : NULL;
	a->own = guests ? here_find(a->rows, a->run->policy->host, error) : NULL;
	a->here = a->own ? session_add_host(&a->session, a->own, a->guest->live, error) : NULL;
	if (!a->here || !load_source(a, guests, error))
		return false;
	fleet_settle(a->session.fleet);
	guest_expand(a->guest, &a->session.judge);
	return session_load_overrides(&a->session, error);
}

/* The profile is held against this host; one that changed is probed again, for the next time. */
static void check_fingerprint(struct arrival *a)
{
	json_t *changed = validity_quick(a->own->fingerprint);
	g_autofree char *what = NULL;

	if (changed && json_array_size(changed)) {
		what = g_strdup_printf("this host changed since it was probed: %s%s",
				       json_string_value(json_array_get(changed, 0)),
				       json_array_size(changed) > 1 ? " and more" : "");
		a->stale = !a->run->policy->trust_changed;
		if (a->stale)
			doubt(a, what);
		if (a->run->policy->reprobe)
			hook_reprobe(a->run->database, a->own->name);
	}
	json_decref(changed);
}

static enum verdict weigh(const struct arrival *a, const char *judged)
{
	enum verdict v = 0;

	while (v < V_BLOCK && g_strcmp0(judged, verdict_name(v)))
		v++;
	return a->stale ? V_UNKNOWN : json_array_size(a->doubts) ? MAX(v, V_UNKNOWN) : v;
}

/* Has the verdict a finding of an effect that is enforced? */
static bool enforced(const json_t *verdict, unsigned int effects)
{
	const json_t *f;
	size_t i;

	json_array_foreach (json_object_get(verdict, "findings"), i, f)
		for (unsigned int e = 0; e < EFFECTS; e++)
			if (effects & 1u << e && json_is_true(json_object_get(f, "migrate")) &&
			    !g_strcmp0(json_string_value(json_object_get(f, "verdict")), "block") &&
			    !g_strcmp0(json_string_value(json_object_get(f, "effect")), effect_name(e)))
				return true;
	return false;
}

static bool record(struct arrival *a, enum verdict verdict, bool refused, GError **error)
{
	json_t *id = json_object_get(json_object_get(a->answer, "decision"), "id");
	g_autofree char *document = document_text(a->answer);
	const struct store_decision row = {
		.name = (char *)json_string_value(id),
		.time = a->session.answering.now,
		.guest_uuid = a->guest->uuid,
		.guest_name = a->guest->name,
		.source = a->from ? a->from->name : NULL,
		.target = a->here->name,
		.question = (char *)"migrate",
		.verdict = (char *)verdict_name(verdict),
		.mode = (char *)hook_mode(a->run->policy),
		.refused = refused,
		.ms = (g_get_monotonic_time() - a->run->began) / 1000,
		.document = document,
	};

	if (a->read_only) {
		g_propagate_error(error, g_steal_pointer(&a->read_only));
		return false;
	}
	return store_put_decision(a->session.store, &row, error);
}

/* hook.conf comes before the site's policy, which holds where it says nothing. */
static bool refuses_unknown(const struct arrival *a)
{
	const struct hook_policy *policy = a->run->policy;

	return policy->unknown_said ? policy->refuse_unknown :
				      !policy_unknown_ok(a->session.policy, POLICY_HOOK);
}


static enum hook_status decide(struct arrival *a, GString *say)
{
	const struct hook_policy *policy = a->run->policy;
	g_autoptr(GPtrArray) targets = g_ptr_array_new();
	g_autoptr(GError) unrecorded = NULL;
	const json_t *judged;
	enum verdict verdict;
	bool refused;

	g_ptr_array_add(targets, a->here);
	a->answer = answer_check(&a->session.answering, a->guest, ASK_MIGRATE, a->from, targets);
	judged = json_array_get(json_object_get(a->answer, "verdicts"), 0);
	verdict = weigh(a, json_string_value(json_object_get(judged, "migrate")));
	json_object_set(a->answer, "doubts", a->doubts);
	refused = policy->enforce && !policy->off &&
		  (verdict == V_BLOCK ? enforced(judged, policy->effects) :
					verdict == V_UNKNOWN && refuses_unknown(a));
	if (refused)
		hook_say_refused(say, a->here->name, a->answer, verdict == V_BLOCK ? policy->effects : 0);
	if (!record(a, verdict, refused, &unrecorded) && !refused)
		g_string_append_printf(say, "capbroker: %s: %s, not recorded: %s\n", a->here->name,
				       verdict_name(verdict), unrecorded->message);
	return refused ? HOOK_REFUSE : HOOK_ALLOW;
}

/* What couldn't be judged is recorded as unknown, as far as the database lets it. */
static void record_failure(struct arrival *a, const char *why)
{
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, why, -1);
	json_t *answer = json_pack("{s:s}", "failure", why);
	g_autofree char *document = document_text(answer);
	const struct hook_policy *policy = a->run->policy;
	const struct store_decision row = {
		.name = g_strndup(sum, 8),
		.time = g_get_real_time() / G_USEC_PER_SEC,
		.guest_uuid = a->guest->uuid,
		.guest_name = a->guest->name,
		.target = (char *)(a->own ? a->own->name : g_get_host_name()),
		.question = (char *)"migrate",
		.verdict = (char *)verdict_name(V_UNKNOWN),
		.mode = (char *)hook_mode(policy),
		.refused = policy->enforce && !policy->off && policy->refuse_failure,
		.ms = (g_get_monotonic_time() - a->run->began) / 1000,
		.document = document,
	};

	if (!a->read_only)
		store_put_decision(a->session.store, &row, NULL);
	json_decref(answer);
	g_free(row.name);
}

enum hook_status hook_arrives(const struct hook_run *run, GString *say, GError **error)
{
	/* One a process, which it goes with: freeing it all would take as long as half the work. */
	static struct arrival a;
	GError *problem = NULL;

	a = (struct arrival){ .run = run, .doubts = json_array() };
	if (!read_guest(&a, error) || !session_open(&a.session, run->cli, SESSION_FILES, error) ||
	    !session_policy(&a.session, run->cli, error) || !open_store(&a, error))
		return HOOK_FAILED;
	if (!load(&a, &problem)) {
		record_failure(&a, problem->message);
		g_propagate_error(error, problem);
		return HOOK_FAILED;
	}
	check_fingerprint(&a);
	return decide(&a, say);
}
