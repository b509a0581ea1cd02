/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook-guard.c: a parent that outlives whatever becomes of the work; see hook.h.
 *
 * The child writes one byte (enum hook_status) and its lines into a pipe, all at its end. The
 * parent is ended by an alarm of its own: the handler does nothing that could wait.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "hook.h"

#define SAY_MAX 8192
#define BY_POLICY " (by policy: see capbroker-hook(8))\n"
#define PROBE_SECONDS 120 /* of a probe in the background, at most */
#define MANY_FDS 256
#define PROBE_PAUSE 60    /* seconds between two of them */

static volatile sig_atomic_t failed_status;
static volatile pid_t child;

static void put(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		length -= (size_t)n;
	}
}

static void on_end(int signal)
{
	static const char late[] = "capbroker: hook: no answer within its limit" BY_POLICY;
	static const char killed[] = "capbroker: hook: was told to end" BY_POLICY;

	if (child > 0)
		kill(child, SIGKILL);
	if (signal == SIGALRM)
		put(STDERR_FILENO, late, sizeof(late) - 1);
	else
		put(STDERR_FILENO, killed, sizeof(killed) - 1);
	_exit(failed_status);
}

static void watch(const struct hook_policy *policy)
{
	static const int signals[] = { SIGALRM, SIGTERM, SIGINT, SIGHUP };
	const struct sigaction action = { .sa_handler = on_end };
	const struct itimerval timer = {
		.it_value = { policy->limit_ms / 1000, (suseconds_t)(policy->limit_ms % 1000) * 1000 },
	};

	failed_status = policy->enforce && !policy->off && policy->refuse_failure;
	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* The child holds nothing of the caller's but standard input. */
static void let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		_exit(1);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
}

static void G_GNUC_NORETURN work_in_child(int fd, hook_work *work, void *data)
{
	static const int signals[] = { SIGALRM, SIGTERM, SIGINT, SIGHUP };
	static GString *say;

	say = g_string_new(" ");
	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		signal(signals[i], SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	let_go();
	say->str[0] = (char)work(data, say);
	put(fd, say->str, say->len);
	/* What was allocated goes with the process: freeing it would only take time. */
	_exit(0);
}

/* All that the child wrote; its first byte is the status. */
static GString *listen_to(int fd)
{
	GString *text = g_string_new(NULL);
	char buffer[1024];

	for (;;) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || text->len > SAY_MAX)
			return text;
		g_string_append_len(text, buffer, n);
	}
}

/* The line for whoever reads the system's log: the caller throws away what an allowed move says. */
static void log_line(const char *line)
{
	openlog("capbroker-hook", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	syslog(LOG_WARNING, "%.*s", (int)strcspn(line, "\n"), line);
	closelog();
}

static int fail(const char *line)
{
	put(STDERR_FILENO, line, strlen(line));
	log_line(line);
	return failed_status;
}

int hook_guard(const struct hook_policy *policy, hook_work *work, void *data)
{
	g_autoptr(GString) text = NULL;
	int ends[2];

	watch(policy);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail("capbroker: hook: cannot make a pipe (too many open files?)\n");
	child = fork();
	if (child < 0)
		return fail("capbroker: hook: cannot start a process (too many, or no memory?)\n");
	if (child == 0) {
		close(ends[0]);
		work_in_child(ends[1], work, data);
	}
	close(ends[1]);
	text = listen_to(ends[0]);
	close(ends[0]);
	waitpid(child, NULL, 0);
	child = 0;
	if (text->len == 0)
		return fail("capbroker: hook: the process that decides was killed (see the system's log)\n");
	if (text->str[0] == HOOK_FAILED)
		return fail(text->str + 1);
	put(STDERR_FILENO, text->str + 1, text->len - 1);
	return text->str[0] == HOOK_REFUSE;
}

/* --- probing again ---------------------------------------------------------------------------- */

/* The lock's file, held until the probe ends; -1 where somebody is at it, or was just now. */
static int take_turn(const char *database)
{
	g_autofree char *path = g_strconcat(database, "-reprobe", NULL);
	int fd = open(path, O_RDWR | O_CREAT, 0600); /* handed on to the probe */
	struct stat st;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
	    (st.st_size == 0 || st.st_mtime + PROBE_PAUSE < g_get_real_time() / G_USEC_PER_SEC) &&
	    ftruncate(fd, 0) == 0 && write(fd, "\n", 1) == 1)
		return fd;
	close(fd);
	return -1;
}

/* @turn alone is handed on: whoever waits for the other ends of our pipes is not to wait for this. */
static void close_others(int turn)
{
	for (int fd = STDERR_FILENO + 1; fd < MANY_FDS; fd++)
		if (fd != turn)
			close(fd);
}

static void G_GNUC_NORETURN probe_again(const char *database, const char *host, int turn)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	int null;

	close_others(turn);
	null = open("/dev/null", O_RDONLY);
	setsid();
	if (fork() != 0)
		_exit(0);
	prctl(PR_SET_PDEATHSIG, 0);
	if (null < 0 || !self || dup2(null, STDIN_FILENO) < 0)
		_exit(1);
	alarm(PROBE_SECONDS); /* stays across exec, and ends what doesn't catch it */
	if (nice(10) == -1)
		errno = 0;
	execl(self, self, "--db", database, "probe", "--name", host, "--timeout", "60", (char *)NULL);
	_exit(1);
}

void hook_reprobe(const char *database, const char *host)
{
	int turn = take_turn(database);
	pid_t pid = turn < 0 ? -1 : fork();

	if (pid == 0)
		probe_again(database, host, turn);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (turn >= 0)
		close(turn);
}
