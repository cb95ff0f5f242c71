/* SPDX-License-Identifier: Apache-2.0 */
/* One request: its body is collected, then one of the flows answers it, soon or later. */
#ifndef COORDINATOR_JOB_H
#define COORDINATOR_JOB_H

#include <jansson.h>

#include "common/buffer.h"
#include "common/http_server.h"
#include "pm-coordinator/coordinator.h"

struct job;

/* A path, and who answers it. */
struct route {
	const char *method, *path;
	size_t most;	/* bytes of the body */
	bool has_query; /* the target may go on with one */
	void (*run)(struct job *job);
};

struct job {
	struct coordinator *c;
	struct http_exchange *exchange;
	const struct route *route;
	struct sockaddr_storage address;
	struct buffer in;
	struct job *next, **link; /* among those whose bodies come; link NULL: not there */
	bool is_over;		  /* an answer was given, or begun */
	/* Who works on the answer; told when the client goes before it, and when there is room. */
	void *flow;
	void (*leave)(void *flow);
	void (*drained)(void *flow);
};

extern const struct http_handler job_handler;

const struct sockaddr *job_address(const struct job *job);

/* The answer; takes the JSON; NULL: there was no memory. */
void job_reply(struct job *job, int status, json_t *json);
/* {"error": {"code", "message"}}; what is not printable ASCII becomes "?". */
void job_fail(struct job *job, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* --- the flows ------------------------------------------------------------------------------- */

void change_run(struct job *job);
void join_run(struct job *job);
void recover_run(struct job *job);
void workers_run(struct job *job);

/* recover.c: what came so far, for a status. False: no shares are waited for. */
bool recovery_count(const struct coordinator *c, unsigned int *ret_have, unsigned int *ret_need);

#endif
