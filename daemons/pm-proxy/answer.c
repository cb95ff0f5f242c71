/* SPDX-License-Identifier: Apache-2.0 */
/* What the inference server answers, on its way back; and errors of ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "pm-proxy/job.h"

/* Largest answer that is collected before it goes out. */
#define COLLECTED_MAX (128u << 20)
/* Of an answer that was collected, sealed at a time. */
#define PIECE_MAX  (1u << 20)
#define ERROR_SIZE 512
/* After an error that passes. */
#define RETRY_SECONDS "1"
/* Memory of a stream that is kept from one event to the next. */
#define KEPT_MAX 2048

static const struct http_field safe_fields[] = {
	{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"},
	{"Privatemode-Encrypted", "false"},
	{"Retry-After", RETRY_SECONDS}, /* with status 429 and 503 */
};

/* Those of an answer that is encrypted, or has no secret. */
#define FIELDS_OF_ANSWER 2
#define FIELDS_OF_ERROR	 3

static void account(struct job *job);

/* --- sealing --------------------------------------------------------------------------------- */

static void broken(struct job *job, const char *what, int r)
{
	log_event(LOG_LEVEL_WARN, "answer not sealed", "id", http_id(job->exchange), "what", what,
		"reason", pm_strerror(r), NULL);
}

/* The frames of a piece of an answer, into job->out. */
static int seal_piece(struct job *job, const void *bytes, size_t len, int final)
{
	const uint8_t *frames;
	size_t n;
	int r = pm_exchange_worker_send_body(job->sealed, bytes, len, final, &frames, &n);

	if (r < 0)
		return r;
	return buffer_add(&job->out, frames, n, SIZE_MAX) ? PM_OK : PM_E_NOMEM;
}

static int seal_head(struct job *job, int status, const char *content_type)
{
	static const struct pm_sealed_field retry = {"retry-after", RETRY_SECONDS};
	const struct pm_sealed_response head = {.status = status,
		.content_type = content_type,
		.fields = status == 503 ? &retry : NULL,
		.field_count = status == 503};
	const uint8_t *frames;
	size_t n;
	int r = pm_exchange_worker_send_head(job->sealed, &head, 0, NULL, &frames, &n);

	if (r < 0)
		return r;
	return buffer_add(&job->out, frames, n, SIZE_MAX) ? PM_OK : PM_E_NOMEM;
}

static void send_out(struct job *job)
{
	http_send(job->exchange, job->out.bytes, job->out.len);
	/* A stream that waits for its next event shall hold little. */
	if (job->out.room > KEPT_MAX)
		buffer_free(&job->out);
	else
		buffer_clear(&job->out);
}

/* One frame an event, so that a client that opens them sees the stream as it was. */
static int seal_events(struct job *job, const char *bytes, size_t len, int final)
{
	int r = PM_OK;

	while (r == PM_OK && len) {
		const char *end = memmem(bytes, len, "\n\n", 2);
		size_t n = end ? (size_t)(end - bytes) + 2 : len;

		r = seal_piece(job, bytes, n, 0);
		bytes += n;
		len -= n;
	}
	return r == PM_OK && final ? seal_piece(job, "", 0, 1) : r;
}

/* --- errors of ours -------------------------------------------------------------------------- */

static void fail_sealed(struct job *job, int status, const char *text, size_t len)
{
	buffer_clear(&job->out);
	if (seal_head(job, status, "application/json") < 0 || seal_piece(job, text, len, 1) < 0) {
		http_abort(job->exchange);
		return;
	}
	http_respond(job->exchange, 200, PM_SEALED_CONTENT_TYPE, safe_fields, FIELDS_OF_ANSWER,
		(int64_t)job->out.len);
	send_out(job);
	http_finish(job->exchange);
}

/* Clients of streams of the reference wait for an event. */
static void fail_plain(struct job *job, int status, const char *json)
{
	const char *accept = http_request_field(http_request(job->exchange), "accept");
	bool is_event = accept && !strcasecmp(accept, "text/event-stream");
	char text[ERROR_SIZE + 32];
	int n = snprintf(
		text, sizeof(text), is_event ? "event: error\n\ndata: %s\n\n" : "%s", json);

	http_respond(job->exchange, status, is_event ? "text/event-stream" : "application/json",
		safe_fields, FIELDS_OF_ERROR + (status == 429 || status == 503), n);
	http_send(job->exchange, text, (size_t)n);
	http_finish(job->exchange);
}

void job_fail(struct job *job, int status, const char *code, const char *message)
{
	char json[ERROR_SIZE];
	int n;

	if (job->is_over)
		return;
	job->is_over = true;
	job->status = status;
	if (job->upstream)
		upstream_cancel(job->upstream); /* which may look at the request a last time */
	else
		job_forget_request(job);
	job->upstream = NULL;
	log_event(LOG_LEVEL_DEBUG, "refused", "id", http_id(job->exchange), "code", code, NULL);
	if (http_has_responded(job->exchange)) {
		http_abort(job->exchange);
		return;
	}
	n = snprintf(json, sizeof(json),
		"{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"code\":\"%s\"}}", message,
		status < 500 ? "invalid_request_error" : "server_error", code);
	if (job->has_head)
		fail_sealed(job, status, json, (size_t)n);
	else
		fail_plain(job, status, json);
}

static void fail_upstream(struct job *job)
{
	atomic_fetch_add(&job->proxy->upstream_failed, 1);
	job_fail(job, 502, "upstream", "The inference server did not answer as it should.");
}

/* --- the answer begins ----------------------------------------------------------------------- */

static bool is_json_type(const char *content_type)
{
	return strcasestr(content_type, "json") != NULL;
}

/* Of what was sealed whole any kind goes; values of documents need documents. */
static void choose_kind(struct job *job)
{
	if (job->format == JOB_PLAIN || pm_endpoint_body_kind(job->endpoint, PM_BODY_RESPONSE,
						job->response_type, &job->kind) < 0)
		job->kind = PM_BODY_PLAIN;
	if (job->format == JOB_SEALED && job->kind == PM_BODY_JSON &&
		!is_json_type(job->response_type))
		job->kind = PM_BODY_PLAIN;
	job->is_stream = job->kind == PM_BODY_SSE ||
			 (job->format == JOB_SEALED && job->kind == PM_BODY_PLAIN);
}

static int make_response(struct job *job)
{
	enum pm_body_way way = job->format == JOB_FIELD ? PM_BODY_SEAL : PM_BODY_OPEN;
	struct pm_body_cipher cipher = job_no_cipher;

	if (job->kind != PM_BODY_JSON && job->kind != PM_BODY_SSE)
		return PM_OK;
	if (job->format == JOB_FIELD)
		pm_body_field_cipher(job->field, PM_BODY_SEAL, &cipher);
	return pm_body_new(job->endpoint, PM_BODY_RESPONSE, way, &cipher, &job->response);
}

static int begin_stream(struct job *job)
{
	int r = PM_OK;

	if (job->format == JOB_FIELD) {
		http_respond(job->exchange, job->status, job->response_type, safe_fields,
			FIELDS_OF_ANSWER, -1);
		return PM_OK;
	}
	r = seal_head(job, job->status, job->response_type);
	if (r < 0)
		return r;
	http_respond(job->exchange, 200, PM_SEALED_CONTENT_TYPE, safe_fields, FIELDS_OF_ANSWER, -1);
	send_out(job);
	return PM_OK;
}

/* What was asked is of no more use, and nobody shall find it in our memory. */
static void forget_request(struct job *job)
{
	if (upstream_has_sent(job->upstream))
		job_forget_request(job);
}

static void on_head(void *arg, int status, const char *content_type)
{
	struct job *job = arg;
	int r;

	forget_request(job);
	job->status = status;
	snprintf(job->response_type, sizeof(job->response_type), "%s", content_type);
	choose_kind(job);
	r = make_response(job);
	if (r == PM_OK && job->is_stream)
		r = begin_stream(job);
	if (r < 0) {
		broken(job, "head", r);
		fail_upstream(job);
	}
}

/* --- the answer comes ------------------------------------------------------------------------ */

/* Events that are whole go on at once. end: there will be no more. */
static int pass_events(struct job *job, const char *bytes, size_t len, bool end)
{
	const uint8_t *out;
	size_t n;
	int r = end ? pm_body_sse_end(job->response, NULL, &out, &n)
		    : pm_body_sse(job->response, bytes, len, NULL, &out, &n);

	if (r < 0)
		return r;
	if (job->format == JOB_FIELD) {
		http_send(job->exchange, out, n);
		return PM_OK;
	}
	r = seal_events(job, (const char *)out, n, end);
	if (r == PM_OK)
		send_out(job);
	return r;
}

static int pass(struct job *job, const char *bytes, size_t len, bool end)
{
	int r;

	if (job->kind == PM_BODY_SSE)
		return pass_events(job, bytes, len, end);
	r = seal_piece(job, bytes, len, end);
	if (r == PM_OK)
		send_out(job);
	return r;
}

/* Memory for len more bytes of an answer; false when that failed the job. */
static bool reserve(struct job *job, size_t len)
{
	if (budget_take(&job->proxy->buffered, &job->collected, len))
		return true;
	atomic_fetch_add(&job->proxy->no_room, 1);
	job_fail(job, 503, "busy", "Too many large answers are under way.");
	return false;
}

static bool on_body(void *arg, const char *bytes, size_t len)
{
	struct job *job = arg;
	int r = PM_OK;

	if (job->is_over || (!job->is_stream && !reserve(job, len)))
		return false;
	if (job->is_stream)
		r = pass(job, bytes, len, false);
	else if (!buffer_add(&job->out, bytes, len, COLLECTED_MAX))
		r = PM_E_LIMIT;
	if (r < 0) {
		broken(job, "body", r);
		fail_upstream(job);
		return false;
	}
	if (job->is_stream && http_is_full(job->exchange))
		upstream_pause(job->upstream);
	return true;
}

/* --- the answer is whole --------------------------------------------------------------------- */

static void reply_plain(struct job *job)
{
	const struct proxy_options *o = job->proxy->options;
	const char *bytes = job->out.bytes;
	size_t len = job->out.len;
	char *text = NULL;

	if (job->endpoint == PM_ENDPOINT_MODELS && job->status == 200 && o->task_count)
		text = models_with_tasks(bytes ? bytes : "", len, o->tasks, o->task_count, &len);
	http_respond(job->exchange, job->status, job->response_type, safe_fields, FIELDS_OF_ANSWER,
		(int64_t)len);
	http_send(job->exchange, text ? text : bytes, len);
	http_finish(job->exchange);
	free(text);
}

static int reply_field(struct job *job)
{
	const uint8_t *out;
	size_t n;
	int r = pm_body_json(job->response, job->out.bytes, job->out.len, NULL, &out, &n);

	if (r < 0)
		return r;
	/* The budget is for what waits to be sent from now on: it may be longer. */
	if (n > job->collected && !reserve(job, n - job->collected))
		return PM_OK;
	http_respond(job->exchange, job->status, job->response_type, safe_fields, FIELDS_OF_ANSWER,
		(int64_t)n);
	http_send(job->exchange, out, n);
	http_finish(job->exchange);
	return PM_OK;
}

/* The document is read for its usage alone; whatever it is, it is the server's answer. */
static int reply_sealed(struct job *job)
{
	struct buffer plain = job->out;
	const uint8_t *out;
	size_t n, at = 0;
	int r;

	if (job->response &&
		pm_body_json(job->response, plain.bytes, plain.len, NULL, &out, &n) < 0)
		log_event(LOG_LEVEL_WARN, "answer not read", "id", http_id(job->exchange), NULL);
	job->out = (struct buffer){0};
	r = begin_stream(job);
	while (r == PM_OK) {
		size_t piece = plain.len - at < PIECE_MAX ? plain.len - at : PIECE_MAX;
		bool final = at + piece == plain.len;

		r = seal_piece(job, plain.bytes ? plain.bytes + at : "", piece, final);
		if (r == PM_OK)
			send_out(job);
		at += piece;
		if (final)
			break;
	}
	buffer_free(&plain);
	if (r == PM_OK)
		http_finish(job->exchange);
	return r;
}

static int finish_stream(struct job *job)
{
	int r = pass(job, "", 0, true);

	if (r == PM_OK)
		http_finish(job->exchange);
	return r;
}

/* It waits to be sent, in a copy: a client that reads slowly shall not keep more than that. */
static void forget_answer(struct job *job)
{
	pm_body_free(job->response);
	job->response = NULL;
	buffer_free(&job->out);
}

static void finish(struct job *job)
{
	int r = PM_OK;

	if (job->is_stream)
		r = finish_stream(job);
	else if (job->format == JOB_FIELD)
		r = reply_field(job);
	else if (job->format == JOB_SEALED)
		r = reply_sealed(job);
	else
		reply_plain(job);
	if (r < 0) {
		broken(job, "end", r);
		fail_upstream(job);
		return;
	}
	job->is_over = true;
	account(job);
	forget_answer(job);
}

static void account(struct job *job)
{
	if (job->format == JOB_PLAIN)
		return;
	if (job->response)
		pm_body_usage(job->response, &job->usage);
	usage_add(job->proxy->usage, job->has_model ? job->model : "", job->status < 400,
		&job->usage);
}

static void on_done(void *arg, int error, const char *reason)
{
	struct job *job = arg;

	job->upstream = NULL;
	if (job->is_over)
		return;
	if (error < 0) {
		log_event(LOG_LEVEL_WARN, "upstream failed", "id", http_id(job->exchange), "reason",
			reason, NULL);
		fail_upstream(job);
		return;
	}
	finish(job);
}

/* --- the request goes on --------------------------------------------------------------------- */

void job_forward(struct job *job)
{
	static const struct upstream_handler handler = {on_head, on_body, on_done};
	const struct http_field fields[] = {{"X-Request-Id", http_id(job->exchange)}};
	const struct upstream_request request = {
		.method = job->method,
		.target = job->target,
		.content_type = *job->content_type ? job->content_type : NULL,
		.fields = fields,
		.field_count = 1,
		.body = job->plain,
		.body_len = job->plain_len,
	};

	if (upstream_start(job->loop->pool, &request, &handler, job, &job->upstream) < 0)
		job_fail(job, 503, "no_memory", "The worker is out of memory.");
}
