/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request: it comes encrypted, is opened and checked, goes to the inference server, and the
 * answer goes back encrypted. Nothing leaves in plaintext but what the format says, and our own
 * errors, which repeat nothing of the request.
 */
#ifndef PROXY_JOB_H
#define PROXY_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include <pm/envelope.h>

#include "common/http_server.h"
#include "common/upstream.h"
#include "common/buffer.h"
#include "pm-proxy/proxy.h"

enum job_format {
	JOB_PLAIN = 0, /* nothing is secret: models, health */
	JOB_FIELD,     /* values of a document, as Privatemode's */
	JOB_SEALED,    /* the whole */
};

struct job {
	struct proxy *proxy;
	struct proxy_loop *loop;
	struct http_exchange *exchange;
	enum job_format format;
	enum pm_endpoint endpoint;
	int64_t began; /* milliseconds */

	struct key *key;
	struct pm_field_exchange *field;
	struct pm_exchange_worker *sealed;
	bool has_head; /* of a sealed request: from then on errors are sealed too */

	/* The request, opened. */
	char *method, *target, *content_type;
	char model[PM_REQUEST_MODEL_SIZE];
	bool has_model; /* it was read of the request, and is no mere word outside */
	struct buffer in;
	size_t buffered; /* of the budget, for the request */
	struct pm_body *request;
	const char *plain;
	size_t plain_len;

	bool is_direct; /* for direct.h */
	struct evidence_ask *ask;
	bool has_asked; /* the secret service, once */
	struct secrets_ask *asked;

	/* The answer. */
	struct upstream *upstream;
	struct pm_body *response;
	enum pm_body_kind kind;
	int status;
	char response_type[UPSTREAM_TYPE_SIZE];
	bool is_stream; /* it goes on as it comes; else it is collected first */
	bool is_over;	/* an answer was given, or it was cut */
	struct buffer out;
	size_t collected; /* of the budget, for an answer that is sent as one piece */
	struct pm_usage usage;
};

/* Whose functions stand in job.c: what the HTTP server calls. */
extern const struct http_handler job_handler;
/* Of the mesh's listeners: only for who may call us. */
extern const struct http_handler job_mesh_handler;

/* --- answer.c --- */

/* An error of ours, in the request's format as far as that is possible. The text is ours alone. */
void job_fail(struct job *job, int status, const char *code, const char *message);
/* The request is opened and checked: it goes on. */
void job_forward(struct job *job);

/* --- open.c: the request's body has come; what is wrong fails the job --- */

void job_open_head(struct job *job);
void job_open_body(struct job *job, const char *bytes, size_t len);
void job_open_end(struct job *job);
/* The request's body is of no more use. */
void job_forget_request(struct job *job);

/* Once more from where the secret was looked for. */
void job_go_on(struct job *job);

/* --- await.c: false when nobody can be asked for the secret; else job_go_on() or an error --- */

bool job_await_key(struct job *job, const char *id);

/* --- check.c: what a worker demands of a request; false when that failed the job --- */

bool job_check(struct job *job);
/* header and mac may be NULL. */
bool job_check_ocsp(struct job *job, const char *header, const char *mac);

/* --- cipher.c --- */

/* A cipher that changes nothing: the bodies' readers work on what was sealed as a whole. */
extern const struct pm_body_cipher job_no_cipher;

#endif
