/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the session's secret fresh. Asking a worker takes time, which no loop has: a thread does
 * it, and tells those who wait.
 */
#ifndef CLIENT_KEEPER_H
#define CLIENT_KEEPER_H

#include <event2/buffer.h>
#include <stdbool.h>

#include <pm/session.h>

#include "pm-client/trust.h"
#include "common/loop.h"

#define KEEPER_REASON_SIZE 512

struct keeper;
/* Somebody who waits. */
struct keeper_ask;

/* In the loop of who asked: 0, and pm_session_peek() has a key, or the error and its reason. */
typedef void keeper_done(void *arg, int error, const char *reason);

/* The slot must outlive it. 0; PM_E_NOMEM. */
int keeper_new(struct trust_slot *trust, struct keeper **ret_keeper);

/* The thread begins: by now privileges are given up. 0; PM_E_SYS. */
int keeper_start(struct keeper *keeper);

/*
 * The thread ends, or, when it waits for the network just now, is left behind: then nothing that it
 * uses may be freed, and false is returned. While the loops are still there. Once.
 */
bool keeper_end(struct keeper *keeper);

/* After keeper_end() that returned true, or without keeper_start(). */
void keeper_free(struct keeper *keeper);

/* NULL without memory. */
struct keeper_ask *keeper_ask(
	struct keeper *keeper, struct loop *loop, keeper_done *done, void *arg);

/* There is another session: the thread asks the worker at once. */
void keeper_wake(struct keeper *keeper);

/* Nobody waits any more: done is not called. From the loop of who asked. */
void keeper_cancel(struct keeper_ask *ask);

void keeper_metrics(struct keeper *keeper, struct evbuffer *out, const char *prefix);

#endif
