/* SPDX-License-Identifier: Apache-2.0 */
/* An event loop, one a thread, and a way to run something in it from another thread. */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <event2/event.h>
#include <stdint.h>

/* Bytes that a loop reads at a time; the memory is shared by all connections of the loop. */
#define LOOP_SCRATCH_SIZE 65536

struct loop {
	struct event_base *base;
	int index;
	char *scratch;
	/* For request ids. */
	uint64_t id_base;
	uint64_t id_count;
	struct loop_inbox *inbox;
	void *user; /* of the program */
};

/* 0; PM_E_NOMEM, PM_E_SYS. */
int loop_new(int index, struct loop **ret_loop);

/* Its thread is not running any more. */
void loop_free(struct loop *loop);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);

/* From the loop's own thread. */
void loop_stop(struct loop *loop);

/* From any thread: run(arg) will be called in the loop's. 0; PM_E_NOMEM. */
int loop_post(struct loop *loop, void (*run)(void *arg), void *arg);

/* Milliseconds to what libevent takes. */
struct timeval loop_time(int64_t milliseconds);

/* Milliseconds of a clock that only moves forward. */
int64_t loop_now(void);

#endif
