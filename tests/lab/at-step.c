/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * at-step.c: runs a program up to its Nth step and kills it there, or looks at others at each step.
 *
 * usage: at-step kill caller|main N PROGRAM…   status 0 killed, 3 it ended before, 1 trouble
 *        at-step watch NODE[,NODE…] PROGRAM…   status 0 no NODE was ever busy or opened, else 1
 *
 * Theory of operation: the program and its children are traced. A step is a call that may change or
 * hold something (open, close, ioctl, write, fork), before it is made: from the return of the one
 * before it nothing differs. "kill" counts from the first open of what a claim touches: a node of
 * VFIO's, /dev/iommu, or a file of sysfs to be written; it kills the process that makes the call, or
 * the one that was started first, as kill -9 does. A process that makes a session of its own is left
 * alone from there: that is how one waits for others' deaths. "watch" counts from the beginning and
 * opens the nodes at each step, as a guest that starts just then would.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* From linux/ptrace.h, which can't be included beside sys/ptrace.h everywhere. */
struct call {
	uint8_t op;
	uint8_t pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct { uint64_t nr, args[6]; } entry;
		struct { int64_t value; uint8_t is_error; } exit;
	};
};
#define GET_SYSCALL_INFO 0x420e
enum { OP_ENTRY = 1, OP_EXIT = 2 };

#define MAX_TRACEES 256
static struct tracee {
	pid_t pid;
	uint64_t nr; /* of the call that it is in */
} tracees[MAX_TRACEES];

static pid_t first;
static bool watching, kill_main, armed, killed;
static long wanted, step;
static char *nodes[8];
static int busy;

static void die(const char *what)
{
	fprintf(stderr, "at-step: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct tracee *find(pid_t pid)
{
	struct tracee *room = NULL;

	for (size_t i = 0; i < MAX_TRACEES; i++) {
		if (tracees[i].pid == pid)
			return &tracees[i];
		if (!tracees[i].pid && !room)
			room = &tracees[i];
	}
	if (!room) {
		errno = ENOBUFS;
		die("children");
	}
	*room = (struct tracee){ .pid = pid };
	return room;
}

/* A path in the program's memory, cut to @size; by words, for not every kernel can do it at once. */
static void read_path(pid_t pid, uint64_t address, char *path, size_t size)
{
	for (size_t at = 0; at + sizeof(long) < size; at += sizeof(long)) {
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)(address + at), 0);
		if (errno)
			return;
		memcpy(path + at, &word, sizeof(word));
		if (memchr(&word, 0, sizeof(word)))
			return;
	}
}

/* Does this open touch what a claim touches? */
static bool touches(pid_t pid, const struct call *call)
{
	char path[128] = "";

	read_path(pid, call->entry.args[1], path, sizeof(path));
	if (watching) {
		for (size_t i = 0; nodes[i]; i++)
			if (!strcmp(path, nodes[i])) {
				printf("step %ld: the program opens %s\n", step, path);
				busy++;
			}
		return true;
	}
	if (!strncmp(path, "/dev/vfio/", 10) || !strcmp(path, "/dev/iommu"))
		return true;
	return !strncmp(path, "/sys/", 5) && (call->entry.args[2] & O_ACCMODE) != O_RDONLY;
}

static bool is_step(uint64_t nr)
{
	switch (nr) {
	case SYS_openat:
	case SYS_close:
	case SYS_ioctl:
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64:
	case SYS_clone:
#ifdef SYS_clone3
	case SYS_clone3:
#endif
#ifdef SYS_open
	case SYS_open:
	case SYS_fork:
	case SYS_vfork:
#endif
		return true;
	default:
		return false;
	}
}

static void try_nodes(void)
{
	for (size_t i = 0; nodes[i]; i++) {
		int fd = open(nodes[i], O_RDWR | O_CLOEXEC);

		if (fd < 0) {
			printf("step %ld: %s: %s\n", step, nodes[i], strerror(errno));
			busy++;
		} else {
			close(fd);
		}
	}
}

/* After a death the others are traced on: a child that was just forked has a stop due, and would be
 * left in it. */
static void at_step(pid_t pid, uint64_t nr)
{
	step++;
	if (watching) {
		try_nodes();
	} else if (step == wanted && !killed) {
		printf("killed %s at step %ld, call %llu\n", kill_main ? "main" : "caller", step,
		       (unsigned long long)nr);
		killed = true;
		kill(kill_main ? first : pid, SIGKILL);
	}
}

/* Whether to go on tracing it. */
static bool on_call(pid_t pid)
{
	struct call call = { 0 };
	struct tracee *tracee = find(pid);

	if (ptrace(GET_SYSCALL_INFO, pid, sizeof(call), &call) < 0) {
		if (errno != ESRCH) /* killed in its stop */
			die("ptrace for the call's number");
		return true;
	}
	if (call.op == OP_ENTRY) {
		tracee->nr = call.entry.nr;
		if (tracee->nr == SYS_openat && touches(pid, &call))
			armed = true;
	} else if (call.op == OP_EXIT && tracee->nr == SYS_setsid && !call.exit.is_error) {
		tracee->pid = 0;
		return false;
	}
	if (call.op == OP_ENTRY && armed && is_step(tracee->nr))
		at_step(pid, tracee->nr);
	return true;
}

static void trace(void)
{
	const int calls = SIGTRAP | 0x80;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int signal = 0;

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			find(pid)->pid = 0;
			if (pid == first && WIFEXITED(status) && WEXITSTATUS(status))
				printf("the program's status is %d\n", WEXITSTATUS(status));
			continue;
		}
		if (WSTOPSIG(status) == calls) {
			if (!on_call(pid)) {
				ptrace(PTRACE_DETACH, pid, 0, 0);
				continue;
			}
		} else if (!(status >> 16) && WSTOPSIG(status) != SIGSTOP) {
			signal = WSTOPSIG(status);
		}
		ptrace(PTRACE_SYSCALL, pid, 0, signal);
	}
}

static void start(char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	int status;

	first = fork();
	if (first < 0)
		die("fork");
	if (!first) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(argv[0], argv);
		die(argv[0]);
	}
	if (waitpid(first, &status, 0) != first || !WIFSTOPPED(status))
		die(argv[0]);
	if (ptrace(PTRACE_SETOPTIONS, first, 0, options) < 0 ||
	    ptrace(PTRACE_SYSCALL, first, 0, 0) < 0)
		die("ptrace");
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "watch")) {
		size_t n = 0;

		watching = armed = true;
		for (char *node = strtok(argv[2], ","); node && n < 7; node = strtok(NULL, ","))
			nodes[n++] = node;
		argv += 3;
	} else if (argc > 4 && !strcmp(argv[1], "kill")) {
		kill_main = !strcmp(argv[2], "main");
		wanted = atol(argv[3]);
		argv += 4;
	} else {
		fprintf(stderr, "usage: at-step kill caller|main N PROGRAM… | watch NODES PROGRAM…\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	start(argv);
	trace();
	printf("%ld steps\n", step);
	if (watching)
		return busy > 0;
	return killed ? 0 : 3;
}
