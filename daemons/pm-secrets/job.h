/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request: of a client (agree.c), of owners (agree.c, admin.c), or of a worker (fetch.c,
 * watch.c). Each waits for the store and for its line in the log, and for nothing else.
 */
#ifndef SECRETS_JOB_H
#define SECRETS_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/http_server.h"
#include "pm-secrets/secrets.h"

/* Where requests come. */
#define JOB_AGREE_PATH	  "/privatemode/v1/secret"
#define JOB_OPERATOR_PATH "/pm/v1/operator"
#define JOB_ADMIN_PATH	  "/pm/v1/admin"
#define JOB_FETCH_PATH	  "/pm/v1/fetch"
#define JOB_WATCH_PATH	  "/pm/v1/watch"

/* Longest request of a worker. */
#define JOB_WORKER_BODY_MAX 4096

/* Milliseconds between two signs of life of a watch. */
#define WATCH_BEAT 10000

struct job;

/* What is done with the requests of a path. */
struct job_kind {
	const char *path;
	size_t body_max;
	/* Is it to be refused before its body is read? It failed the job then. May be NULL. */
	bool (*check)(struct job *job);
	/* The body is whole. */
	void (*run)(struct job *job);
	/* It is over. May be NULL. */
	void (*end)(struct job *job);
	/* The body is longer: how much it may have, or 0: the job failed. NULL: no more. */
	size_t (*enlarge)(struct job *job);
	/* There is room again for an answer that goes on. May be NULL. */
	void (*drained)(struct job *job);
};

struct agreement;
struct admin;
struct fetch;
struct watching;

struct job {
	struct secrets *secrets;
	struct secrets_loop *loop;
	struct http_exchange *exchange;
	const struct job_kind *kind;
	const struct mesh_identity *identity;
	struct ring *ring;
	int64_t now; /* seconds since 1970, when the request had come */
	bool is_over;
	struct buffer in;
	size_t body_max;
	struct store_op *op;	 /* under way, or NULL */
	struct trail_wait *wait; /* likewise */
	void (*noted)(struct job *job);
	union {
		struct agreement *agreement;
		struct admin *admin;
		struct fetch *fetch;
		struct watching *watching;
	};
};

/* Whose functions stand in job.c: for listeners of clients and owners, and for those of workers. */
extern const struct http_handler job_public_handler, job_mesh_handler;

/* Answers, once. */
void job_reply(struct job *job, int status, const char *json, size_t len);
/* {"error": {"code", "message"}}; both are ours alone. */
void job_fail(struct job *job, int status, const char *code, const char *message);
/* An operation could not be begun, or failed: says so, and tells the log why. */
void job_fail_store(struct job *job, const struct store_result *result);
/*
 * Writes a line of the log, and calls done when it is kept; when it is not, the job fails. What it
 * shall say of who asked is in fields.
 */
void job_note(struct job *job, const char *event, const struct pm_audit_field *fields, size_t count,
	void (*done)(struct job *job));

/* Is this client within its rate? If not, it failed the job. agree.c. */
bool job_check_client(struct job *job);

/* Ends the watches of a loop, which would go on for ever, and begins no more. watch.c. */
void job_end_watches(struct secrets_loop *loop);

extern const struct job_kind job_agree, job_operator, job_admin, job_fetch, job_watch;

#endif
