/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-agent/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t process_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Signals that the daemon blocks or handles are the child's own again. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigemptyset(&all);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGINT);
	sigaddset(&all, SIGHUP);
	sigaddset(&all, SIGPIPE);
	sigaddset(&all, SIGCHLD);
	if (posix_spawnattr_setsigmask(attributes, &none) ||
		posix_spawnattr_setsigdefault(attributes, &all))
		return -1;
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int start(const char *path, char *const argv[], char *const env[], int child_fd, int write,
	pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	error = posix_spawn_file_actions_adddup2(&actions, write, child_fd);
	if (!error && set_attributes(&attributes))
		error = EINVAL;
	if (!error)
		error = posix_spawn(ret_pid, path, &actions, &attributes, argv, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* dup2() of a descriptor to itself would leave it closed in the child: its number is another. */
static int move_away(int fd, int from)
{
	int moved;

	if (fd != from)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, from + 1);
	close(fd);
	return moved;
}

int process_start(
	const char *path, char *const argv[], char *const env[], int child_fd, struct process *ret)
{
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	ends[1] = move_away(ends[1], child_fd);
	error = ends[1] < 0 ? EMFILE : start(path, argv, env, child_fd, ends[1], &pid);
	if (ends[1] >= 0)
		close(ends[1]);
	if (error) {
		close(ends[0]);
		errno = error;
		return -1;
	}
	*ret = (struct process){pid, ends[0]};
	return 0;
}

static int wait_for(int fd, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t left = deadline - process_now();
	int r;

	do
		r = poll(&p, 1, left > 0 ? (int)left : 0);
	while (r < 0 && errno == EINTR);
	return r;
}

char *process_read(struct process *p, size_t max, int64_t deadline, size_t *ret_len)
{
	char *text = malloc(max + 2);
	size_t len = 0;
	ssize_t n = 1;

	while (text && n > 0 && len <= max && wait_for(p->fd, deadline) > 0) {
		n = read(p->fd, text + len, max + 1 - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else
			len += n > 0 ? (size_t)n : 0;
	}
	if (!text || n != 0 || len > max) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	*ret_len = len;
	return text;
}

/* The exit status once it has ended, within so many hundredths of a second; -1 without one. */
static int collect_status(struct process *p, int tries)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int status;
	pid_t ended = waitpid(p->pid, &status, WNOHANG);

	for (; ended == 0 && tries > 0; tries--) {
		nanosleep(&pause, NULL);
		ended = waitpid(p->pid, &status, WNOHANG);
	}
	if (ended == 0)
		return -1;
	p->pid = 0;
	return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One that hangs in the kernel can't be ended; it is left behind, and init inherits it. */
static int finish(struct process *p, int tries)
{
	int status = -1;

	if (p->fd >= 0)
		close(p->fd);
	if (p->pid)
		status = collect_status(p, tries);
	if (p->pid) {
		kill(p->pid, SIGKILL);
		(void)collect_status(p, 200);
	}
	*p = (struct process){0, -1};
	return status;
}

int process_wait(struct process *p)
{
	return finish(p, 1000);
}

int process_end(struct process *p)
{
	return finish(p, 0);
}
