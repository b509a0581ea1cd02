/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * run.c: see run.h.
 *
 * Theory of operation: for each probe the parent forks a child that calls collect() and writes
 * its fragments as lines of JSON into a pipe. The parent merges each line as it comes; at the
 * probe's time limit it kills the child and keeps what came before. A child that dies of a signal
 * is a failed source. How such a run ended and how many fragments had come is kept in a recording
 * (recording.json), for a replay can't hang or crash in the same way.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claim.h"
#include "guest/needs.h"
#include "model/error.h"
#include "merge.h"
#include "run.h"

/* Time that a child which keeps its deadline gets to hand over its last fragment. */
#define GRACE_US (G_USEC_PER_SEC / 2)
#define MAX_FRAGMENTS (256u * 1024 * 1024)
#define RECORDING "recording.json"

const struct probe *const probes[] = {
	&kernel_probe, &cpuid_probe,  &msr_probe,     &kvm_probe,  &mitigations_probe,
	&firmware_probe, &swtpm_probe, &resources_probe, &acpi_probe, &options_probe, &vtd_probe,
	&amdvi_probe, &smmuv3_probe, &spapr_probe, &iommu_probe, &pci_probe, &iommufd_probe, &vfio_probe,
	&guests_probe, &libvirt_probe, &qemu_probe, NULL,
};

/* --- the child's side ------------------------------------------------------------------------- */

static void write_line(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1); /* nobody is listening any more */
		text += n;
		length -= (size_t)n;
	}
}

void probe_flush(struct context *context)
{
	json_t *line = json_pack("{s:o, s:o}", "doc", context->doc, "found", context->found);
	g_autofree char *text = json_dumps(line, JSON_COMPACT);

	write_line(context->pipe, text);
	write_line(context->pipe, "\n");
	json_decref(line);
	context->doc = document_new("", NULL, NULL);
	context->found = json_object();
}

static G_GNUC_NORETURN void child(struct context *context, const struct probe *probe, pid_t parent)
{
	/* Nothing outlives the parent, whatever ends it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	context->doc = document_new("", NULL, NULL);
	context->found = json_object();
	probe->collect(context);
	if (!context->told)
		probe_report(context, probe, "failed", false, "the probe said nothing (report this)");
	probe_flush(context);
	json_decref(context->doc);
	json_decref(context->found);
	_exit(0);
}

/* --- the parent's side ------------------------------------------------------------------------ */

struct run {
	json_t *doc, *shared;
	json_t *sources;  /* of the current probe, not yet in doc */
	json_t *outcomes; /* replay: how probes ended that were cut short; record: being made */
	json_t *claims;   /* name → what came of claiming it; of a replay, as recorded */
	char *complaint;  /* what claim_end() said; of a replay, as recorded */
	json_int_t fragments, wanted; /* merged of the current probe; of a replay, those recorded */
};

static void merge(struct run *run, const json_t *fragment)
{
	json_t *doc = json_object_get(fragment, "doc");

	merge_fragment(run->doc, doc);
	json_array_extend(run->sources, json_object_get(json_object_get(doc, "probe"), "sources"));
	merge_object(run->shared, json_object_get(fragment, "found"));
}

/* Takes whole lines out of what has been read so far. */
static void take_lines(struct run *run, GString *buffer)
{
	char *newline;

	while ((newline = memchr(buffer->str, '\n', buffer->len))) {
		size_t length = (size_t)(newline - buffer->str);
		json_t *fragment = json_loadb(buffer->str, length, 0, NULL);

		if (fragment && run->fragments < run->wanted) {
			merge(run, fragment);
			run->fragments++;
		}
		json_decref(fragment);
		g_string_erase(buffer, 0, (gssize)length + 1);
	}
}

/* Reads until the child closes the pipe; false where time or patience ran out first. */
static bool drain(struct run *run, int fd, gint64 deadline)
{
	GString *buffer = g_string_new(NULL);
	char chunk[65536];
	size_t total = 0;
	bool whole = false;

	while (total < MAX_FRAGMENTS) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		gint64 left = deadline - g_get_monotonic_time();
		ssize_t n;

		if (left <= 0)
			break;
		if (poll(&poll_fd, 1, (int)(left / 1000) + 1) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		whole = n == 0;
		if (n <= 0)
			break;
		total += (size_t)n;
		g_string_append_len(buffer, chunk, n);
		if (memchr(chunk, '\n', (size_t)n))
			take_lines(run, buffer);
	}
	g_string_free(buffer, TRUE);
	return whole;
}

/* What to say of a child that did not come to its end, or NULL. */
static json_t *outcome_of(bool whole, int status, const struct probe *probe, unsigned int seconds)
{
	g_autofree char *reason = NULL;

	if (!whole) {
		reason = g_strdup_printf(
			"no end after %u s (look at what it reads; give it longer by --timeout)", seconds);
		return json_pack("{s:s, s:s}", "state", "timed-out", "reason", reason);
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return NULL;
	if (WIFSIGNALED(status))
		reason = g_strdup_printf("ended by signal %d (%s) (run capbroker-probe --only %s to see it)",
					 WTERMSIG(status), g_strsignal(WTERMSIG(status)), probe->name);
	else
		reason = g_strdup_printf("ended with status %d (run capbroker-probe --only %s to see it)",
					 WEXITSTATUS(status), probe->name);
	return json_pack("{s:s, s:s}", "state", "failed", "reason", reason);
}

/* Sources into the document: with their duration, or as one that was cut short. */
static void add_sources(struct run *run, const struct probe *probe, const json_t *outcome,
			double ms)
{
	json_t *all = json_object_get(json_object_get(run->doc, "probe"), "sources");
	json_t *source;
	size_t i;

	json_array_foreach (run->sources, i, source) {
		if (!json_object_get(source, "ms"))
			json_object_set_new(source, "ms", json_real(ms));
		if (!outcome || strcmp(json_string_value(json_object_get(source, "name")), probe->name))
			json_array_append(all, source);
	}
	if (outcome)
		document_source(run->doc, probe->name,
				json_string_value(json_object_get(outcome, "state")), false, probe->view,
				json_string_value(json_object_get(outcome, "reason")), ms);
}

static int start_child(struct run *run, struct context *context, const struct probe *probe,
		       pid_t *pid)
{
	int fds[2];
	pid_t parent = getpid();

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	*pid = fork();
	if (*pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	if (!*pid) {
		close(fds[0]);
		context->pipe = fds[1];
		context->shared = run->shared;
		child(context, probe, parent);
	}
	close(fds[1]);
	return fds[0];
}

/* Runs one child to its end or to its deadline; what to say where it was cut short, else NULL. */
static json_t *run_child(struct run *run, struct context *context, const struct probe *probe)
{
	unsigned int seconds = (unsigned int)((context->deadline - context->start) / G_USEC_PER_SEC);
	bool whole;
	int status;
	pid_t pid;
	int fd = start_child(run, context, probe, &pid);

	if (fd < 0)
		return json_pack("{s:s, s:s}", "state", "failed", "reason", g_strerror(errno));
	whole = drain(run, fd, context->deadline + GRACE_US);
	if (!whole)
		kill(pid, SIGKILL);
	close(fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return outcome_of(whole, status, probe, seconds);
}

static void run_probe(struct run *run, struct context *context, const struct probe *probe,
		      gint64 end)
{
	gint64 limit = (gint64)context->options->timeout * G_USEC_PER_SEC * probe->percent / 100;
	json_t *recorded = json_object_get(run->outcomes, probe->name);
	json_t *outcome;

	run->sources = json_array();
	context->start = g_get_monotonic_time();
	/* The last one gets what the others left; none gets less than a second. */
	context->deadline = MAX(MIN(end, context->start + limit), context->start + G_USEC_PER_SEC);
	run->fragments = 0;
	run->wanted = recorded ? json_integer_value(json_object_get(recorded, "fragments"))
			       : G_MAXINT64;
	outcome = run_child(run, context, probe);
	if (recorded) {
		json_decref(outcome);
		outcome = json_incref(recorded);
	} else if (outcome) {
		json_object_set_new(outcome, "fragments", json_integer(run->fragments));
		json_object_set(run->outcomes, probe->name, outcome);
	}
	add_sources(run, probe, outcome, (double)(g_get_monotonic_time() - context->start) / 1000);
	json_decref(outcome);
	json_decref(run->sources);
}

/* --- which of them ---------------------------------------------------------------------------- */

static bool named(const char *list, const char *name)
{
	g_auto(GStrv) names = g_strsplit(list, ",", -1);

	for (size_t i = 0; names[i]; i++)
		if (!strcmp(g_strstrip(names[i]), name))
			return true;
	return false;
}

static bool check_names(const char *only, GError **error)
{
	g_auto(GStrv) names = g_strsplit(only, ",", -1);

	for (size_t i = 0; names[i]; i++) {
		size_t k = 0;

		g_strstrip(names[i]);
		while (probes[k] && strcmp(probes[k]->name, names[i]))
			k++;
		if (!probes[k]) {
			g_set_error(error, SOURCE_ERROR, SOURCE_FAILED,
				    "--only: there is no probe '%s' (--list shows them)", names[i]);
			return false;
		}
	}
	return true;
}

/* Named, or needed by one that is; who the host is, is always asked. */
static bool wanted(const struct probe *probe, const char *only, bool remote)
{
	if (remote && probe->local)
		return false;
	if (!only || named(only, probe->name) || probe == &kernel_probe)
		return true;
	for (size_t i = 0; probes[i]; i++)
		if (named(only, probes[i]->name) && probes[i]->needs &&
		    named(probes[i]->needs, probe->name))
			return true;
	return false;
}

/* --- the whole -------------------------------------------------------------------------------- */

static char *now(void)
{
	g_autoptr(GDateTime) time = g_date_time_new_now_utc();

	return g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
}

/* Who the host is: libvirt's UUID where it answers, else the firmware's, else the machine id's. */
static void finish_host(struct run *run, const char *fallback_name)
{
	static const char *const kinds[] = { "libvirt", "dmi", "machine-id" };
	json_t *host = json_object_get(run->doc, "host");
	json_t *uuids = json_object_get(run->shared, "uuid");
	json_t *hostname = json_object_get(run->shared, "hostname");
	const json_t *own = json_object_get(host, "uuid");

	if (hostname && *json_string_value(hostname))
		json_object_set(host, "name", hostname);
	else
		json_object_set_new(host, "name", json_string(fallback_name));
	if (own) {
		json_object_set_new(host, "uuid_from", json_string("libvirt"));
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		json_t *uuid = json_object_get(uuids, kinds[i]);

		if (!uuid)
			continue;
		json_object_set(host, "uuid", uuid);
		json_object_set_new(host, "uuid_from", json_string(kinds[i]));
		return;
	}
}

static json_t *guests_document(const struct run *run)
{
	json_t *host = json_object_get(run->doc, "host");
	json_t *guests = json_object_get(run->shared, "guests");

	return json_pack("{s:s, s:O, s:O*, s:b, s:o}", "format", GUESTS_FORMAT, "host",
			 json_object_get(host, "name"), "host_uuid", json_object_get(host, "uuid"),
			 "complete", guests != NULL, "guests",
			 guests ? json_incref(guests) : json_array());
}

/* --- what a recording says of itself ---------------------------------------------------------- */

/* How probes ended that were cut short. */
static json_t *outcomes_of(const json_t *recording)
{
	json_t *outcomes = json_object();
	const char *key;
	json_t *outcome;

	json_object_foreach (json_object_get(recording, "outcomes"), key, outcome)
		if (json_is_string(json_object_get(outcome, "state")) &&
		    json_is_string(json_object_get(outcome, "reason")))
			json_object_set(outcomes, key, outcome);
	return outcomes;
}

/* A replay runs the probes that the recording ran, and as it ran them. */
static json_t *load_recording(struct source *source, struct probe_options *options)
{
	g_autofree char *text = source_recall(source, RECORDING);
	json_t *recording = text ? json_bytes_parse(text, strlen(text), SOURCE_MAX_FILE, NULL) : NULL;
	const json_t *path;
	size_t i;

	if (!recording)
		return json_object();
	options->remote = json_is_true(json_object_get(recording, "remote"));
	options->connect = json_string_value(json_object_get(recording, "connect"));
	json_array_foreach (json_object_get(recording, "emulators"), i, path)
		if (json_is_string(path))
			g_ptr_array_add(options->emulators, g_strdup(json_string_value(path)));
	return recording;
}

static void keep_recording(struct source *source, const struct run *run,
			   const struct probe_options *options, const char *only)
{
	json_t *emulators = json_array();
	json_t *recording;
	g_autofree char *text = NULL;

	for (guint i = 0; i < options->emulators->len; i++)
		json_array_append_new(emulators, json_string(g_ptr_array_index(options->emulators, i)));
	recording = json_pack("{s:s, s:b, s:s*, s:s*, s:o, s:O, s:O*, s:s*}", "format",
			      "capbroker.recording/1", "remote", options->remote, "connect",
			      options->connect, "only", only, "emulators", emulators, "outcomes",
			      run->outcomes, "claims", run->claims, "claim_end", run->complaint);
	text = json_dumps(recording, JSON_INDENT(1) | JSON_SORT_KEYS);
	source_keep(source, RECORDING, text);
	json_decref(recording);
}

/* --- claimed devices -------------------------------------------------------------------------- */

/* What was claimed is held from the first probe that asks it to the last. */
static void begin_claims(struct run *run, const struct context *context, struct claim **claim)
{
	const struct probe_options *options = context->options;

	if (source_mode(context->source) != SOURCE_REPLAY && options->claims && !run->claims) {
		run->claims = json_object();
		*claim = claim_begin(options->claims, run->claims);
	}
	if (run->claims)
		json_object_set(run->shared, "claims", run->claims);
}

static void end_claims(struct run *run, struct claim **claim)
{
	if (*claim)
		run->complaint = claim_end(*claim);
	*claim = NULL;
}

static void run_wanted(struct run *run, struct context *context, const char *only, gint64 end)
{
	struct claim *claim = NULL;

	for (size_t i = 0; probes[i]; i++) {
		if (!wanted(probes[i], only, context->options->remote))
			continue;
		if (probes[i]->claims)
			begin_claims(run, context, &claim);
		else
			end_claims(run, &claim);
		run_probe(run, context, probes[i], end);
	}
	end_claims(run, &claim);
	if (run->complaint)
		document_source(run->doc, "claim", "failed", false, VIEWS, run->complaint, -1);
}

/* A remote host that doesn't say its name has said nothing: its libvirt's reason is the error. */
static bool check_answer(const struct run *run, const struct probe_options *options, GError **error)
{
	const json_t *sources = json_object_get(json_object_get(run->doc, "probe"), "sources");
	const json_t *last = json_array_get(sources, json_array_size(sources) - 1);
	const char *reason = json_string_value(json_object_get(last, "reason"));

	if (!options->remote || json_object_get(run->shared, "hostname"))
		return true;
	if (!reason)
		reason = "no answer (run the probe libvirt too)";
	if (!options->connect || g_str_has_prefix(reason, options->connect))
		g_set_error_literal(error, SOURCE_ERROR, SOURCE_FAILED, reason);
	else
		g_set_error(error, SOURCE_ERROR, SOURCE_FAILED, "%s: %s", options->connect, reason);
	return false;
}

json_t *run_probes(struct source *source, struct probe_options *options, const char *only,
		   const char *fallback_name, json_t **guests, GError **error)
{
	struct context context = { .source = source, .options = options };
	struct run run = { 0 };
	gint64 end = g_get_monotonic_time() + (gint64)options->timeout * G_USEC_PER_SEC;
	g_autofree char *time = now();
	json_t *recording, *probe;

	if (only && !check_names(only, error))
		return NULL;
	recording = load_recording(source, options);
	if (!only)
		only = json_string_value(json_object_get(recording, "only"));
	run.doc = document_new("", NULL, NULL);
	run.shared = json_object();
	run.outcomes = outcomes_of(recording);
	json_object_del(json_object_get(run.doc, "host"), "name");
	run.claims = json_incref(json_object_get(recording, "claims"));
	run.complaint = g_strdup(json_string_value(json_object_get(recording, "claim_end")));
	run_wanted(&run, &context, only, end);
	probe = json_object_get(run.doc, "probe");
	json_object_set_new(probe, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(probe, "dictionary", json_string(cap_dictionary_version));
	json_object_set_new(probe, "time", json_string(time));
	finish_host(&run, fallback_name);
	keep_recording(source, &run, options, only);
	if (check_answer(&run, options, error)) {
		*guests = guests_document(&run);
	} else {
		json_decref(run.doc);
		run.doc = NULL;
	}
	json_decref(run.shared);
	json_decref(run.outcomes);
	json_decref(run.claims);
	g_free(run.complaint);
	json_decref(recording);
	return run.doc;
}
