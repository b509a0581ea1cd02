/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu.c: what each QEMU on this host makes of its processors, by accelerator and machine type.
 *
 * Theory of operation: first every emulator is asked without a machine (version, machine types,
 * CPU definitions, device properties), which also shows what works at all; then with each machine
 * type, those that matter most first (qemu-plan.c), until the time is up. What was not reached
 * leaves the source partial. Machine types that give exactly the same are one entry.
 */
#include "config.h"

#include <string.h>

#include "model/arch.h"
#include "qemu-devices.h"
#include "qemu-plan.h"
#include "qmp.h"
#include "read/read.h"

/* Machines have at least two processors to spare for a probe; more at once gains little. */
#define PARALLEL 2u
/* What one QEMU may take, as a part of all the time and within these milliseconds. */
#define LIMIT_PART 3
#define LIMIT_MIN_MS 1000
#define LIMIT_MAX_MS 10000
/* The part of the time that is kept for making facts of what came back. */
#define RESERVE_PART 8
/* After so many machine types that hang or crash an emulator is left alone. */
#define PATIENCE 3u
#define BATCH 8u

/* --- asking ----------------------------------------------------------------------------------- */

static const char *offered_model(const struct qmp_job *job)
{
	return strcmp(job->accel, "kvm") ? "max" : "host";
}

/* Only x86 tells what can migrate from what can't; IBM Z names the model beside all it has. */
static void ask_other_cpu(struct qmp_job *job, enum arch_family family)
{
	static const char *const keys[][2] = { { "expansion-static", "static" }, { "expansion", "full" } };

	for (size_t i = family == ARCH_S390X ? 0 : 1; i < G_N_ELEMENTS(keys); i++)
		qmp_job_ask(job, keys[i][0], "query-cpu-model-expansion",
			    json_pack("{s:s, s:{s:s}}", "type", keys[i][1], "model", "name",
				      offered_model(job)));
	if (family == ARCH_ARM64 && !strcmp(job->accel, "kvm"))
		qmp_job_ask(job, "gic", "query-gic-capabilities", NULL);
}

static void ask_expansion(struct qmp_job *job, const char *key, bool migratable)
{
	const char *model = offered_model(job);

	qmp_job_ask(job, key, "query-cpu-model-expansion",
		    json_pack("{s:s, s:{s:s, s:{s:b}}}", "type", "full", "model", "name", model,
			      "props", "migratable", migratable));
}

/* What the program has, whichever machine it plays. */
static void ask_program(struct qmp_job *job)
{
	qmp_job_ask(job, "machines", "query-machines", NULL);
	qmp_job_ask(job, "migrate-capabilities", "query-migrate-capabilities", NULL);
	qmp_job_ask(job, "migrate-parameters", "query-migrate-parameters", NULL);
}

/* Guests that the host can't look into. SEV's reply also holds keys and the processor's own id. */
static void ask_security(struct qmp_job *job)
{
	qmp_job_ask(job, "sev", "query-sev-capabilities", NULL);
	qmp_job_keep_only(job, json_pack("[s, s]", "cbitpos", "reduced-phys-bits"));
	qmp_job_ask(job, "sgx", "query-sgx-capabilities", NULL);
}

static enum arch_family family_of(const struct context *context, const char *emulator)
{
	const char *arch = arch_of_emulator(emulator);

	return arch_family(arch ? arch : probe_arch(context));
}

static struct qmp_job *make_job(const struct context *context, const char *emulator,
				const char *accel, const char *machine)
{
	struct qmp_job *job = qmp_job_new(emulator, accel, machine);
	enum arch_family family = family_of(context, emulator);

	qmp_job_ask(job, "status", "query-status", NULL);
	qmp_job_ask(job, "version", "query-version", NULL);
	qmp_job_ask(job, "definitions", "query-cpu-definitions", NULL);
	if (family == ARCH_X86) {
		ask_expansion(job, "expansion", true);
		ask_expansion(job, "expansion-not-migratable", false);
	} else {
		ask_other_cpu(job, family);
	}
	if (strcmp(machine, "none"))
		return job;
	qmp_job_ask(job, "kvm", "query-kvm", NULL);
	ask_program(job);
	if (!strcmp(accel, "kvm") && family == ARCH_X86)
		ask_security(job);
	return job;
}

/* "qmp/usr-bin-qemu-system-x86_64/kvm-pc-q35-7.2.json" */
static char *record_name(const struct qmp_job *job)
{
	g_autofree char *path = g_strdup(job->emulator + 1);
	g_autofree char *machine = g_strdup(job->machine);

	g_strdelimit(path, "/", '-');
	g_strdelimit(machine, "/", '-');
	return g_strdup_printf("qmp/%s/%s-%s%s%s.json", path, job->accel, machine, job->part ? "-" : "",
			       job->part ? job->part : "");
}

static int limit_ms(const struct context *context)
{
	return CLAMP((int)context->options->timeout * 1000 / LIMIT_PART, LIMIT_MIN_MS, LIMIT_MAX_MS);
}

/* No QEMU is asked any more after this. */
static gint64 last_call(const struct context *context)
{
	return context->deadline - (context->deadline - context->start) / RESERVE_PART;
}

/* Runs jobs, or takes what a recording has of them. */
static void run_jobs(struct context *context, const GPtrArray *jobs)
{
	if (source_mode(context->source) != SOURCE_REPLAY)
		qmp_run(jobs, PARALLEL, limit_ms(context), last_call(context));
	for (guint i = 0; i < jobs->len; i++) {
		struct qmp_job *job = g_ptr_array_index(jobs, i);
		g_autofree char *name = record_name(job);
		g_autofree char *text = NULL;

		if (source_mode(context->source) == SOURCE_REPLAY) {
			text = source_recall(context->source, name);
			if (text)
				qmp_job_load(job, text);
		} else if (job->outcome != QMP_NOT_REACHED) {
			text = qmp_job_text(job);
			source_keep(context->source, name, text);
		}
	}
}

/* --- from replies to facts -------------------------------------------------------------------- */

/* What one process said, and what of it becomes a document. */
struct reading {
	json_t *doc;
	const struct qmp_job *job;
	const struct cpu_models *models;
};

static void read_reply(struct reading *r, const char *key, enum read_kind kind, bool migratable,
		       const char *model, const char *command)
{
	const struct qmp_job *job = r->job;
	const struct scope scope = { VIEW_QEMU, job->emulator, job->accel, job->machine, migratable };
	const json_t *reply = json_object_get(job->replies, key);
	g_autofree char *origin = g_strdup_printf("QMP %s", command);

	/* An error is an answer too (no such device, no such model): then there is no fact. */
	if (reply && json_object_get(reply, "return"))
		read_qmp(r->doc, kind, reply, &scope, model, r->models, origin, NULL);
}

/* Here an error says that the host can't do it. */
static void read_security(struct reading *r)
{
	const struct qmp_job *job = r->job;
	const struct scope scope = { VIEW_QEMU, job->emulator, job->accel, job->machine, -1 };
	const json_t *sev = json_object_get(job->replies, "sev");
	const json_t *sgx = json_object_get(job->replies, "sgx");

	read_reply(r, "sev", READ_QMP_SEV, true, NULL, "query-sev-capabilities");
	read_reply(r, "sgx", READ_QMP_SGX, true, NULL, "query-sgx-capabilities");
	read_qmp_security_error(r->doc, "sev.enabled", sev, &scope, "QMP query-sev-capabilities");
	read_qmp_security_error(r->doc, "sgx.enabled", sgx, &scope, "QMP query-sgx-capabilities");
}

/* All that one process said, as a document of its own. */
static json_t *job_facts(const struct qmp_job *job, const struct cpu_models *models)
{
	struct reading r = { document_new("", NULL, NULL), job, models };
	const char *model = offered_model(job);

	read_reply(&r, "version", READ_QMP_VERSION, true, NULL, "query-version");
	read_reply(&r, "machines", READ_QMP_MACHINES, true, NULL, "query-machines");
	read_reply(&r, "kvm", READ_QMP_KVM, true, NULL, "query-kvm");
	read_reply(&r, "definitions", READ_QMP_CPU_DEFINITIONS, true, NULL,
		   "query-cpu-definitions");
	read_reply(&r, "gic", READ_QMP_GIC, true, NULL, "query-gic-capabilities");
	read_reply(&r, "expansion-static", READ_QMP_EXPANSION, true, model,
		   "query-cpu-model-expansion static");
	read_reply(&r, "expansion", READ_QMP_EXPANSION, true, model,
		   "query-cpu-model-expansion full");
	read_reply(&r, "expansion-not-migratable", READ_QMP_EXPANSION, false, model,
		   "query-cpu-model-expansion full, migratable=false");
	read_reply(&r, "migrate-capabilities", READ_QMP_MIGRATE_CAPABILITIES, true, NULL,
		   "query-migrate-capabilities");
	read_reply(&r, "migrate-parameters", READ_QMP_MIGRATE_PARAMETERS, true, NULL,
		   "query-migrate-parameters");
	read_security(&r);
	return r.doc;
}

/* What machine types have in common, as text: everything but their name. */
static char *likeness(const json_t *doc)
{
	json_t *copy = json_deep_copy(json_object_get(doc, "emulators"));
	json_t *entry;
	size_t i;
	char *text;

	json_array_foreach (copy, i, entry)
		json_object_del(entry, "machine");
	text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(copy);
	return text;
}

static void add_same_as(json_t *doc, const char *machine)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "emulators"), i, entry) {
		if (!json_object_get(entry, "same_as"))
			json_object_set_new(entry, "same_as", json_array());
		json_array_append_new(json_object_get(entry, "same_as"), json_string(machine));
	}
}

/* Adds one process's facts to its emulator's documents, which groups has by likeness. */
static void add_facts(struct emulator_plan *plan, const struct qmp_job *job)
{
	json_t *doc = job_facts(job, plan->models);
	g_autofree char *like = likeness(doc);
	g_autofree char *key = g_strdup_printf("%s\n%s", job->accel, like);
	json_t *first = strcmp(job->machine, "none") ? g_hash_table_lookup(plan->groups, key) : NULL;

	if (first) {
		add_same_as(first, job->machine);
		json_decref(doc);
		return;
	}
	g_ptr_array_add(plan->docs, doc);
	if (strcmp(job->machine, "none"))
		g_hash_table_insert(plan->groups, g_steal_pointer(&key), doc);
}

/* --- what came of it -------------------------------------------------------------------------- */

static void note_trouble(struct emulator_plan *plan, const struct qmp_job *job)
{
	g_free(plan->trouble);
	plan->trouble = g_strdup_printf("%s with %s: %s", job->machine, job->accel, job->reason);
	plan->troubles++;
}

/* A machine type that this QEMU itself refuses is an answer; what hangs or crashes is trouble. */
static void take_job(struct emulator_plan *plan, const struct qmp_job *job)
{
	switch (job->outcome) {
	case QMP_OK:
		plan->reached++;
		add_facts(plan, job);
		break;
	case QMP_REFUSED:
		plan->reached++;
		json_object_set_new(json_object_get(plan->refused, job->accel), job->machine,
				    json_string(job->reason));
		break;
	case QMP_NOT_REACHED:
		plan->left++;
		break;
	default:
		note_trouble(plan, job);
		break;
	}
}

/* Without a machine nothing is refused unless the accelerator doesn't work here. */
static void take_first_job(struct emulator_plan *plan, const struct qmp_job *job)
{
	const json_t *machines = qmp_job_return(job, "machines");

	if (job->outcome == QMP_OK) {
		g_ptr_array_add(plan->accels, g_strdup(job->accel));
		if (!plan->machines)
			plan_machines(plan, machines);
	} else if (job->outcome == QMP_REFUSED) {
		g_autofree char *reason = g_strdup_printf("%s: %s", job->accel, job->reason);

		g_ptr_array_add(plan->unusable, g_steal_pointer(&reason));
		return;
	}
	take_job(plan, job);
}

static void report(struct context *context, const struct emulator_plan *plan)
{
	g_autofree char *name = g_strconcat("qemu:", plan->path, NULL);
	g_autofree char *unusable = NULL, *reason = NULL;
	const char *state = "ok";

	if (!plan->accels->len) {
		g_ptr_array_add(plan->unusable, NULL);
		unusable = g_strjoinv("; ", (char **)plan->unusable->pdata);
		state = plan->hung ? "timed-out" : plan->left ? "timed-out" : "failed";
		if (plan->trouble)
			reason = g_strdup_printf("%s (run it with -machine none -S -qmp stdio to see why)",
						 plan->trouble);
		else
			reason = g_strdup_printf("%s (no accelerator of its own works here)",
						 *unusable ? unusable : "not reached in time");
	} else if (plan->troubles) {
		state = "partial";
		reason = g_strdup_printf(
			"%u machine types hang or crash, last %s; %u of %u read (report it to QEMU)",
			plan->troubles, plan->trouble, plan->reached, plan->asked);
	} else if (plan->left) {
		state = "partial";
		reason = g_strdup_printf(
			"%u of %u pairs of machine type and accelerator read in time (give more by --timeout)",
			plan->reached, plan->asked);
	} else if (plan->no_devices) {
		state = "partial";
		reason = g_strdup_printf("asked for its devices: %s (do its modules fit it?)",
					 plan->no_devices);
	}
	document_source(context->doc, name, state, state[0] == 'o', VIEWS, reason, -1);
}

static void add_fingerprint(struct context *context, const struct emulator_plan *plan)
{
	json_t *fingerprint = json_object_get(context->doc, "fingerprint");
	json_t *list = json_object_get(fingerprint, "emulators");

	if (!list) {
		list = json_array();
		json_object_set_new(fingerprint, "emulators", list);
	}
	json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:s*}", "path", plan->path, "size",
					      (json_int_t)plan->file.size, "mtime",
					      (json_int_t)plan->file.mtime, "inode",
					      (json_int_t)plan->file.inode, "version", plan->version));
}

/* A member that an earlier entry of the emulator has alike is not repeated. */
static void drop_member(json_t *entry, const char *key, json_t *seen)
{
	json_t *member = json_object_get(entry, key);

	if (member && json_object_get(seen, key))
		json_object_del(entry, key);
	else if (member)
		json_object_set(seen, key, member);
}

/* What devices there are, and their properties, stand once for each emulator. */
static void drop_repeated(json_t *entry, json_t *seen)
{
	json_t *types = json_object_get(entry, "devices");
	const char *type;
	json_t *names;
	void *next;

	drop_member(entry, "devices_complete", seen);
	drop_member(entry, "objects", seen);
	json_object_foreach_safe (types, next, type, names) {
		if (!json_object_get(seen, type))
			json_object_set(seen, type, names);
		else if (json_equal(json_object_get(seen, type), names))
			json_object_del(types, type);
	}
	if (types && !json_object_size(types))
		json_object_del(entry, "devices");
}

/* What is said where the machine types are listed: those refused, accelerators that don't work. */
static void add_refusals(const struct emulator_plan *plan, json_t *entry)
{
	json_t *refused = json_object_get(plan->refused,
					  json_string_value(json_object_get(entry, "accel")));
	json_t *unusable;

	if (!json_object_get(entry, "machines"))
		return;
	if (json_object_size(refused))
		json_object_set(entry, "refused", refused);
	if (!plan->unusable->len)
		return;
	unusable = json_array();
	for (guint i = 0; i < plan->unusable->len; i++)
		json_array_append_new(unusable, json_string(g_ptr_array_index(plan->unusable, i)));
	json_object_set_new(entry, "unusable_accels", unusable);
}

/* Facts of the emulator as a whole, which each accelerator's process told. */
static void add_own_facts(json_t *facts, const json_t *more)
{
	json_t *fact;
	size_t i, k;

	json_array_foreach (more, i, fact) {
		const json_t *before;
		bool there = false;

		json_array_foreach (facts, k, before)
			there |= json_equal(json_object_get(before, "id"), json_object_get(fact, "id")) &&
				 json_equal(json_object_get(before, "scope"),
					    json_object_get(fact, "scope"));
		if (!there)
			json_array_append(facts, fact);
	}
}

/* Moves what was found into the fragment. */
static void hand_over(struct context *context, struct emulator_plan *plan)
{
	json_t *emulators = json_object_get(context->doc, "emulators");
	json_t *seen = json_object();

	for (guint i = 0; i < plan->docs->len; i++) {
		json_t *doc = g_ptr_array_index(plan->docs, i);
		json_t *entry;
		size_t k;

		add_own_facts(json_object_get(context->doc, "facts"), json_object_get(doc, "facts"));
		json_array_foreach (json_object_get(doc, "emulators"), k, entry) {
			const char *version = json_string_value(json_object_get(entry, "version"));

			if (!plan->version)
				plan->version = g_strdup(version);
			add_refusals(plan, entry);
			drop_repeated(entry, seen);
			json_array_append(emulators, entry);
		}
	}
	json_decref(seen);
	add_fingerprint(context, plan);
	report(context, plan);
	context->told = true;
	probe_flush(context);
}

/* --- the run ---------------------------------------------------------------------------------- */

static void ask_first(struct context *context, const GPtrArray *plans, bool kvm)
{
	g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func((GDestroyNotify)qmp_job_free);
	guint per_plan = kvm ? 2 : 1;

	for (guint i = 0; i < plans->len; i++) {
		const struct emulator_plan *plan = g_ptr_array_index(plans, i);

		if (kvm)
			g_ptr_array_add(jobs, make_job(context, plan->path, "kvm", "none"));
		g_ptr_array_add(jobs, make_job(context, plan->path, "tcg", "none"));
	}
	run_jobs(context, jobs);
	for (guint i = 0; i < jobs->len; i++) {
		struct emulator_plan *plan = g_ptr_array_index(plans, i / per_plan);
		const struct qmp_job *job = g_ptr_array_index(jobs, i);

		plan->asked++;
		plan->hung |= job->outcome == QMP_TIMED_OUT;
		take_first_job(plan, job);
	}
}

/* Once for each emulator: what it has of devices is the same with every accelerator. */
static void ask_devices(struct context *context, const GPtrArray *plans)
{
	g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func((GDestroyNotify)qmp_job_free);

	for (guint i = 0; i < plans->len; i++) {
		const struct emulator_plan *plan = g_ptr_array_index(plans, i);

		if (plan->accels->len)
			g_ptr_array_add(jobs, qemu_devices_job(plan->path,
							       g_ptr_array_index(plan->accels, 0)));
	}
	run_jobs(context, jobs);
	for (guint i = 0; i < jobs->len; i++) {
		const struct qmp_job *job = g_ptr_array_index(jobs, i);
		struct emulator_plan *plan = plan_find(plans, job->emulator);

		/* the first document is the same accelerator's, without a machine type */
		qemu_devices_read(g_ptr_array_index(plan->docs, 0), job);
		if (job->outcome != QMP_OK && job->outcome != QMP_NOT_REACHED)
			plan->no_devices = g_strdup(job->reason);
	}
}

/* The next jobs in the plan's order, leaving out emulators that only make trouble. */
static GPtrArray *next_jobs(const struct context *context, const GPtrArray *turns, guint *next)
{
	GPtrArray *jobs = g_ptr_array_new_with_free_func((GDestroyNotify)qmp_job_free);

	while (*next < turns->len && jobs->len < BATCH) {
		const struct turn *turn = g_ptr_array_index(turns, (*next)++);

		if (turn->plan->troubles >= PATIENCE) {
			turn->plan->left++;
			continue;
		}
		g_ptr_array_add(jobs, make_job(context, turn->plan->path, turn->accel,
					    turn->machine));
	}
	return jobs;
}

static void ask_machines(struct context *context, const GPtrArray *plans, const GPtrArray *turns)
{
	guint next = 0;

	while (next < turns->len) {
		g_autoptr(GPtrArray) jobs = next_jobs(context, turns, &next);

		run_jobs(context, jobs);
		for (guint i = 0; i < jobs->len; i++) {
			const struct qmp_job *job = g_ptr_array_index(jobs, i);

			take_job(plan_find(plans, job->emulator), job);
		}
	}
}

static void collect(struct context *context)
{
	bool kvm = json_is_true(json_object_get(context->shared, "kvm"));
	g_autoptr(GPtrArray) plans = plan_emulators(context);
	g_autoptr(GPtrArray) turns = NULL;
	g_autoptr(CpuModels) models = NULL;

	if (!plans->len) {
		g_autofree char *reason =
			g_strdup_printf("no QEMU for %s found (install its package qemu-system-…, or name one by --emulator)",
					probe_arch(context));

		probe_report(context, &qemu_probe, "missing", false, reason);
		return;
	}
	if (arch_family(probe_arch(context)) != ARCH_X86)
		models = probe_models(NULL);
	for (guint i = 0; i < plans->len; i++)
		((struct emulator_plan *)g_ptr_array_index(plans, i))->models = models;
	ask_first(context, plans, kvm);
	ask_devices(context, plans);
	turns = plan_turns(context, plans);
	ask_machines(context, plans, turns);
	for (guint i = 0; i < plans->len; i++)
		hand_over(context, g_ptr_array_index(plans, i));
}

const struct probe qemu_probe = {
	.name = "qemu",
	.help = "each QEMU: machine types, CPU models, what it gives guests by accelerator and machine",
	.needs = "kvm",
	.local = true,
	.view = VIEWS,
	.percent = 100,
	.collect = collect,
};
