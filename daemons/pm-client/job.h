/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of an application: it is completed, sealed to the verified worker, and the answer is
 * opened piece by piece as it comes. What the worker did not seal is never passed on as an answer.
 */
#ifndef CLIENT_JOB_H
#define CLIENT_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include <pm/envelope.h>

#include "common/buffer.h"
#include "common/http_server.h"
#include "common/upstream.h"
#include "pm-client/client.h"
#include "pm-client/keeper.h"

/* Of an answer in plaintext, as much is kept to see what it claims. */
#define JOB_PLAIN_MAX 4096
/* Of a request without one. */
#define JOB_NO_MODEL "-"

struct job {
	struct client *client;
	struct client_loop *loop;
	struct http_exchange *exchange;
	enum pm_endpoint endpoint;
	int64_t began; /* milliseconds */

	/* The request. It is kept until the worker answers, for a second try. */
	struct buffer body;
	char model[PM_REQUEST_MODEL_SIZE];
	char shard[PM_SHARD_KEY_SIZE];
	unsigned int asks; /* of this try */
	struct keeper_ask *ask;
	struct pm_session_key *key;
	bool is_retried;

	/* On its way. */
	struct pm_exchange_client *sealed;
	struct buffer out;
	struct upstream *upstream;
	struct event *silence; /* of silence.c */
	int64_t heard;	       /* when something came last */

	/* The answer. */
	int outer_status;
	bool is_sealed;		       /* the outer answer is of the right kind */
	struct buffer plain;	       /* what came instead */
	bool is_over;		       /* an answer was given, or it was cut */
	int dump_request, dump_answer; /* descriptors, or -1 */
};

/* Whose functions stand in job.c: what the HTTP server calls. */
extern const struct http_handler job_handler;

/* --- job.c --- */

/* An error of ours; after the head it cuts the answer. from: "pm-client" or "in-between". */
void job_fail(struct job *job, int status, const char *from, const char *code, const char *message);

/* --- prepare.c: model, salt and shard key; false when that failed the job --- */

bool job_prepare(struct job *job);

/* --- send.c --- */

/* Gets a secret, seals and sends. */
void job_send(struct job *job);

/* --- answer.c --- */

extern const struct upstream_handler answer_handler;

/* --- silence.c: nothing when it may be silent for ever --- */

void silence_begin(struct job *job);
/* Something came. */
void silence_hear(struct job *job);
void silence_end(struct job *job);

/* --- dump.c: nothing without --dump --- */

void dump_open(struct job *job);
void dump_write(int fd, const void *bytes, size_t len);
void dump_close(struct job *job);

#endif
