/* SPDX-License-Identifier: Apache-2.0 */
/* Further processes: of this program, or of a command, whose output is read through a pipe. */
#ifndef PM_AGENT_PROCESS_H
#define PM_AGENT_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid; /* 0: none */
	int fd;	   /* its output; -1: none */
};

/*
 * Starts path with argv (NULL at its end) and env; what it writes to the descriptor child_fd comes
 * out of ret->fd. 0, or -1 with errno.
 */
int process_start(
	const char *path, char *const argv[], char *const env[], int child_fd, struct process *ret);

/* This program, as it runs. */
#define PROCESS_SELF "/proc/self/exe"

/*
 * Reads to the end of the output, at most max bytes, until the deadline of the monotonic clock in
 * milliseconds. Bytes read with a NUL behind, freed by the caller; NULL when it took too long, said
 * too much, or without memory. The process is not waited for.
 */
char *process_read(struct process *p, size_t max, int64_t deadline, size_t *ret_len);

/* Waits until it ends, as it does soon after its output has; as process_end(). */
int process_wait(struct process *p);

/* Ends it, unless it has ended; the exit status, or -1 when it has none. Closes the output. */
int process_end(struct process *p);

/* Milliseconds of a clock that only moves forward. */
int64_t process_now(void);

#endif
