/* SPDX-License-Identifier: Apache-2.0 */
/* A round, or the clearing of the ready state, in a process of its own. */
#ifndef PM_AGENT_WORKER_H
#define PM_AGENT_WORKER_H

#include <jansson.h>

#include "pm-agent/process.h"

#include "pm-agent/options.h"

/* Bytes that a round may tell. */
#define WORKER_OUTPUT_MAX (8u << 20)

/* Seconds that the clearing of the ready state may take. */
#define WORKER_CLEAR_TIME 60

/* Starts a process for a round, or with clear for the clearing. 0, or -1 with errno. */
int worker_start(const struct agent_options *o, bool clear, struct process *ret);

/* What it told; NULL when that is no status. */
json_t *worker_parse(const char *text, size_t len);

/*
 * Runs one to its end, at most so many seconds. What it told; NULL when it hung, crashed or could
 * not be started, and *ret_why then says which.
 */
json_t *worker_run(
	const struct agent_options *o, bool clear, uint64_t seconds, const char **ret_why);

/*
 * After a round that came to nothing: the ready state is cleared in another process. The status of
 * all that.
 */
json_t *worker_give_up(const struct agent_options *o, const char *why);

/* In the process itself: does the work, tells the supervisor. An exit status. */
int worker_main(struct agent_options *o);

/* Ends the round that worker_run() waits for; fit for a signal's handler. Not one that clears. */
void worker_stop(void);

#endif
