/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp.c: see qmp.h.
 *
 * Theory of operation: each QEMU is started with -S and no devices in a process group of its own,
 * QMP on one socket pair, standard error on a pipe that is always drained and of which the end is
 * kept. One poll loop serves all that run. A process that is done, has used up its time or says
 * what is no QMP is killed with its group; the kernel kills it too when this process dies.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qmp.h"

#define MAX_REPLY (16u * 1024 * 1024)
#define MAX_STDERR 4096u
#define MAX_PARALLEL 8u
/* How long a QEMU whose socket closed may take to end, so that its message and status are known. */
#define END_MS 500

struct session {
	struct qmp_job *job;
	pid_t pid;
	int qmp, err;          /* -1 where closed */
	GString *in, *errors;
	size_t next;           /* command to send when the pending reply is in; counts the handshake */
	bool greeted;
	gint64 deadline;
};

static const char *const outcome_names[] = {
	[QMP_NOT_REACHED] = "not-reached", [QMP_OK] = "ok",	       [QMP_REFUSED] = "refused",
	[QMP_CRASHED] = "crashed",	   [QMP_TIMED_OUT] = "timed-out", [QMP_GARBAGE] = "garbage",
	[QMP_NOT_STARTED] = "not-started",
};
_Static_assert(G_N_ELEMENTS(outcome_names) == QMP_OUTCOMES, "an outcome without a name");

const char *qmp_outcome_name(enum qmp_outcome outcome)
{
	return outcome_names[outcome];
}

int qmp_outcome_find(const char *name)
{
	for (int i = 0; name && i < QMP_OUTCOMES; i++)
		if (!strcmp(outcome_names[i], name))
			return i;
	return -1;
}

struct qmp_job *qmp_job_new(const char *emulator, const char *accel, const char *machine)
{
	struct qmp_job *job = g_new0(struct qmp_job, 1);

	job->emulator = g_strdup(emulator);
	job->accel = g_strdup(accel);
	job->machine = g_strdup(machine);
	job->commands = json_array();
	job->replies = json_object();
	job->raw = g_string_new(NULL);
	return job;
}

void qmp_job_free(struct qmp_job *job)
{
	g_free(job->emulator);
	g_free(job->accel);
	g_free(job->machine);
	g_free(job->reason);
	g_string_free(job->raw, TRUE);
	json_decref(job->commands);
	json_decref(job->replies);
	g_free(job);
}

void qmp_job_ask(struct qmp_job *job, const char *key, const char *execute, json_t *arguments)
{
	json_array_append_new(job->commands, json_pack("{s:s, s:s, s:o*}", "key", key, "execute",
						       execute, "arguments", arguments));
}

void qmp_job_keep_only(struct qmp_job *job, json_t *members)
{
	size_t n = json_array_size(job->commands);

	json_object_set_new(json_array_get(job->commands, n - 1), "keep", members);
}

char *qmp_job_text(const struct qmp_job *job)
{
	g_autofree char *reason = NULL;
	json_t *text;

	if (job->reason) {
		text = json_string(job->reason);
		reason = json_dumps(text, JSON_ENCODE_ANY);
		json_decref(text);
	}
	return g_strdup_printf("{\"outcome\": \"%s\", \"reason\": %s, \"replies\": {%s}}\n",
			       outcome_names[job->outcome], reason ? reason : "null", job->raw->str);
}

bool qmp_job_load(struct qmp_job *job, const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_INT_AS_REAL, NULL);
	json_t *replies = json_object_get(json, "replies");
	int outcome = qmp_outcome_find(json_string_value(json_object_get(json, "outcome")));

	if (outcome >= 0 && json_is_object(replies)) {
		job->outcome = (enum qmp_outcome)outcome;
		job->reason = g_strdup(json_string_value(json_object_get(json, "reason")));
		json_object_update(job->replies, replies);
	}
	json_decref(json);
	return job->outcome != QMP_NOT_REACHED;
}

const json_t *qmp_job_return(const struct qmp_job *job, const char *key)
{
	return json_object_get(json_object_get(job->replies, key), "return");
}

/* --- processes -------------------------------------------------------------------------------- */

/* Only calls that are safe between fork and exec. */
static G_GNUC_NORETURN void become_qemu(const struct qmp_job *job, int qmp, int err, pid_t parent,
					char *const *argv, char *const *envp)
{
	static const struct rlimit no_core = { 0, 0 };

	setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	setrlimit(RLIMIT_CORE, &no_core);
	if (dup2(qmp, 0) < 0 || dup2(qmp, 1) < 0 || dup2(err, 2) < 0 || chdir("/") < 0)
		_exit(127);
	execve(job->emulator, argv, envp);
	_exit(127);
}

static bool start_process(struct session *s)
{
	struct qmp_job *job = s->job;
	char *argv[] = { job->emulator, "-S", "-no-user-config", "-nodefaults", "-display", "none",
			 "-machine", job->machine, "-accel", job->accel, "-qmp", "stdio", NULL };
	g_auto(GStrv) envp = g_environ_setenv(g_get_environ(), "LC_ALL", "C", TRUE);
	int qmp[2], err[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp) < 0)
		return false;
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(qmp[0]);
		close(qmp[1]);
		return false;
	}
	s->pid = fork();
	if (!s->pid)
		become_qemu(job, qmp[1], err[1], parent, argv, envp);
	close(qmp[1]);
	close(err[1]);
	if (s->pid < 0) {
		close(qmp[0]);
		close(err[0]);
		return false;
	}
	setpgid(s->pid, s->pid);
	s->qmp = qmp[0];
	s->err = err[0];
	fcntl(s->qmp, F_SETFL, O_NONBLOCK);
	fcntl(s->err, F_SETFL, O_NONBLOCK);
	return true;
}

static struct session *session_start(struct qmp_job *job, gint64 deadline)
{
	struct session *s = g_new0(struct session, 1);

	s->job = job;
	s->qmp = s->err = -1;
	s->in = g_string_new(NULL);
	s->errors = g_string_new(NULL);
	s->deadline = deadline;
	if (start_process(s))
		return s;
	job->outcome = QMP_NOT_STARTED;
	job->reason = g_strdup(g_strerror(errno));
	g_string_free(s->in, TRUE);
	g_string_free(s->errors, TRUE);
	g_free(s);
	return NULL;
}

/* Keeps the end of what QEMU has to say. */
static void drain_errors(struct session *s)
{
	char chunk[4096];
	ssize_t n;

	while (s->err >= 0 && (n = read(s->err, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		g_string_append_len(s->errors, chunk, n);
		if (s->errors->len > MAX_STDERR)
			g_string_erase(s->errors, 0, (gssize)(s->errors->len - MAX_STDERR));
	}
	if (s->err >= 0)
		close(s->err);
	s->err = -1;
}

/* The line that says why: the first of the last ones, for QEMU's hints come after its errors. */
static char *error_line(const struct session *s)
{
	g_autofree char *valid = g_utf8_make_valid(s->errors->str, (gssize)s->errors->len);
	g_auto(GStrv) lines = g_strsplit(valid, "\n", -1);

	for (size_t i = 0; lines[i]; i++) {
		bool warning = strstr(lines[i], "warning:") != NULL;

		if (*g_strstrip(lines[i]) && !warning)
			return g_strdup(lines[i]);
	}
	return NULL;
}

/* Waits a moment for a process that is ending anyway; true where its status is known. */
static bool reap(const struct session *s, int *status)
{
	for (int waited = 0; waited < END_MS; waited += 5) {
		if (waitpid(s->pid, status, WNOHANG) == s->pid)
			return true;
		g_usleep(5000);
	}
	return false;
}

static void finish(struct session *s, enum qmp_outcome outcome, const char *reason)
{
	int status = 0;
	bool ended = outcome == QMP_REFUSED && reap(s, &status);

	kill(-s->pid, SIGKILL);
	if (!ended)
		while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
			;
	drain_errors(s);
	s->job->outcome = outcome;
	if (outcome == QMP_REFUSED) {
		s->job->reason = error_line(s);
		if (ended && WIFSIGNALED(status)) {
			s->job->outcome = QMP_CRASHED;
			g_free(s->job->reason);
			s->job->reason = g_strdup_printf("ended by signal %d", WTERMSIG(status));
		} else if (ended && WEXITSTATUS(status) == 127 && !s->greeted && !s->job->reason) {
			s->job->outcome = QMP_NOT_STARTED;
			s->job->reason = g_strdup("cannot be executed");
		} else if (!s->job->reason) {
			s->job->reason = g_strdup("closed the connection without a word");
		}
	} else if (reason) {
		s->job->reason = g_strdup(reason);
	}
	if (s->qmp >= 0)
		close(s->qmp);
	if (s->err >= 0)
		close(s->err);
	g_string_free(s->in, TRUE);
	g_string_free(s->errors, TRUE);
	g_free(s);
}

/* --- the conversation ------------------------------------------------------------------------- */

/* Sends what comes next; false where all has been asked. Commands are short and fit the socket. */
static bool send_next(struct session *s)
{
	const json_t *command = s->next ? json_array_get(s->job->commands, s->next - 1) : NULL;
	json_t *arguments = json_object_get(command, "arguments");
	json_t *json;
	g_autofree char *text = NULL;

	if (s->next && !command)
		return false;
	json = json_pack("{s:s, s:O*}", "execute",
			 command ? json_string_value(json_object_get(command, "execute"))
				 : "qmp_capabilities",
			 "arguments", arguments);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	s->next++;
	/* Where this fails the reading side will see why. */
	return send(s->qmp, text, strlen(text), MSG_NOSIGNAL) >= 0 || errno != EINVAL;
}

/* The members of a reply that may be kept, as a reply of its own; NULL where it has none. */
static json_t *only_members(const json_t *reply, const json_t *members)
{
	const json_t *from = json_object_get(reply, "return");
	json_t *kept = json_object();
	const json_t *name;
	size_t i;

	json_array_foreach (members, i, name) {
		const char *key = json_string_value(name);

		if (json_object_get(from, key))
			json_object_set(kept, key, json_object_get(from, key));
	}
	return json_pack("{s:o}", "return", kept);
}

static void keep_reply(struct qmp_job *job, const json_t *asked, json_t *json, const char *line,
		       size_t length)
{
	const char *key = json_string_value(json_object_get(asked, "key"));
	const json_t *members = json_object_get(asked, "keep");

	g_string_append_printf(job->raw, "%s\n\"%s\": ", job->raw->len ? "," : "", key);
	if (members && json_object_get(json, "return")) {
		json_t *kept = only_members(json, members);
		g_autofree char *text = json_dumps(kept, JSON_COMPACT);

		g_string_append(job->raw, text);
		json_object_set_new(job->replies, key, kept);
		return;
	}
	g_string_append_len(job->raw, line, (gssize)length);
	json_object_set(job->replies, key, json);
}

/* One line from QEMU. Returns QMP_NOT_REACHED to go on, else how the conversation ended. */
static enum qmp_outcome take_line(struct session *s, const char *line, size_t length)
{
	/* Some of QEMU's numbers are beyond 2^63, which jansson doesn't take as integers. */
	json_t *json = json_loadb(line, length, JSON_DECODE_INT_AS_REAL, NULL);
	enum qmp_outcome outcome = QMP_NOT_REACHED;

	if (!json_is_object(json)) {
		outcome = QMP_GARBAGE;
	} else if (!s->greeted) {
		s->greeted = json_object_get(json, "QMP") != NULL;
		if (!s->greeted)
			outcome = QMP_GARBAGE;
		else
			send_next(s);
	} else if (json_object_get(json, "return") || json_object_get(json, "error")) {
		const json_t *asked =
			s->next > 1 ? json_array_get(s->job->commands, s->next - 2) : NULL;

		if (asked)
			keep_reply(s->job, asked, json, line, length);
		if (!send_next(s))
			outcome = QMP_OK;
	} /* else an event */
	json_decref(json);
	return outcome;
}

static enum qmp_outcome take_bytes(struct session *s)
{
	char chunk[65536];
	ssize_t n = read(s->qmp, chunk, sizeof(chunk));
	enum qmp_outcome outcome = QMP_NOT_REACHED;
	char *newline;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return QMP_NOT_REACHED;
	if (n <= 0)
		return QMP_REFUSED;
	g_string_append_len(s->in, chunk, n);
	if (s->in->len > MAX_REPLY)
		return QMP_GARBAGE;
	if (!memchr(chunk, '\n', (size_t)n))
		return QMP_NOT_REACHED;
	while (outcome == QMP_NOT_REACHED && (newline = memchr(s->in->str, '\n', s->in->len))) {
		size_t length = (size_t)(newline - s->in->str);

		if (length && s->in->str[length - 1] == '\r')
			length--;
		if (length)
			outcome = take_line(s, s->in->str, length);
		g_string_erase(s->in, 0, newline - s->in->str + 1);
	}
	return outcome;
}

/* True while it goes on. */
static bool serve(struct session *s, const struct pollfd *fds)
{
	enum qmp_outcome outcome = QMP_NOT_REACHED;

	if (fds[1].revents)
		drain_errors(s);
	if (fds[0].revents)
		outcome = take_bytes(s);
	if (outcome == QMP_NOT_REACHED)
		return true;
	finish(s, outcome, outcome == QMP_GARBAGE ? "what it says is no QMP" : NULL);
	return false;
}

/* Ends what has used up its own time, or everything once all time is up. */
static bool overdue(struct session *s, gint64 now, gint64 deadline)
{
	if (now < MIN(s->deadline, deadline))
		return false;
	if (s->deadline <= deadline)
		finish(s, QMP_TIMED_OUT, s->greeted ? "stopped answering" : "no greeting");
	else
		finish(s, QMP_NOT_REACHED, NULL);
	return true;
}

static int wait_ms(struct session *const *sessions, size_t n, gint64 deadline)
{
	gint64 first = deadline, left;

	for (size_t i = 0; i < n; i++)
		first = MIN(first, sessions[i]->deadline);
	left = (first - g_get_monotonic_time()) / 1000 + 1;
	return left < 0 ? 0 : left > 1000 ? 1000 : (int)left;
}

void qmp_run(const GPtrArray *jobs, unsigned int parallel, int limit_ms, gint64 deadline)
{
	struct session *sessions[MAX_PARALLEL];
	size_t running = 0, next = 0;

	parallel = MIN(parallel, MAX_PARALLEL);
	for (;;) {
		struct pollfd fds[2 * MAX_PARALLEL];
		gint64 now = g_get_monotonic_time();

		while (running < parallel && next < jobs->len && now < deadline) {
			struct session *s = session_start(g_ptr_array_index(jobs, next++),
							  now + (gint64)limit_ms * 1000);

			if (s)
				sessions[running++] = s;
		}
		if (!running)
			return;
		for (size_t i = 0; i < running; i++) {
			fds[2 * i] = (struct pollfd){ .fd = sessions[i]->qmp, .events = POLLIN };
			fds[2 * i + 1] = (struct pollfd){ .fd = sessions[i]->err, .events = POLLIN };
		}
		if (poll(fds, 2 * running, wait_ms(sessions, running, deadline)) < 0 && errno != EINTR)
			memset(fds, 0, sizeof(fds));
		now = g_get_monotonic_time();
		for (size_t i = running; i-- > 0;)
			if (!serve(sessions[i], &fds[2 * i]) || overdue(sessions[i], now, deadline))
				sessions[i] = sessions[--running];
	}
}
