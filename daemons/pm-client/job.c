/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-client/job.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/browser.h"

/* --- errors of ours -------------------------------------------------------------------------- */

/* In the form that the application's library knows. */
static char *error_json(const struct job *job, int status, const char *code, const char *message)
{
	bool is_anthropic =
		job->endpoint == PM_ENDPOINT_MESSAGES || job->endpoint == PM_ENDPOINT_COUNT_TOKENS;
	const char *type = status < 500 ? "invalid_request_error" : "api_error";
	json_t *error = json_pack(
		"{s:s, s:s, s:n, s:s}", "message", message, "type", type, "param", "code", code);
	json_t *root = is_anthropic ? json_pack("{s:s, s:o}", "type", "error", "error", error)
				    : json_pack("{s:o}", "error", error);
	char *text = json_dumps(root, JSON_COMPACT);

	json_decref(root);
	return text;
}

static void respond(
	struct job *job, int status, const char *from, const char *code, const char *message)
{
	const struct http_field fields[] = {
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"Pm-Error-From", from},
	};
	char *text = error_json(job, status, code, message);
	size_t len = text ? strlen(text) : 0;

	http_respond(job->exchange, status, "application/json", fields, 3, (int64_t)len);
	http_send(job->exchange, text ? text : "", len);
	http_finish(job->exchange);
	free(text);
}

void job_fail(struct job *job, int status, const char *from, const char *code, const char *message)
{
	if (job->is_over)
		return;
	job->is_over = true;
	if (job->upstream)
		upstream_cancel(job->upstream);
	job->upstream = NULL;
	log_event(LOG_LEVEL_WARN, "failed", "id", http_id(job->exchange), "from", from, "code",
		code, "what", message, NULL);
	if (http_has_responded(job->exchange))
		http_abort(job->exchange);
	else
		respond(job, status, from, code, message);
}

/* --- the request comes ----------------------------------------------------------------------- */

/*
 * False when that failed the job. With --allow-remote any name may be ours; there a certificate
 * says which.
 */
static bool check_caller(struct job *job)
{
	const struct http_request *request = http_request(job->exchange);
	const struct client_options *o = job->client->options;
	static const struct browser_names none;
	struct sockaddr_storage from;
	const char *code = NULL;

	http_client_address(job->exchange, &from);
	if (!o->allow_remote &&
		!browser_host_is_good(&from, http_request_field(request, "host"), &none))
		code = "bad_host";
	else if (browser_is_foreign(request, o->common.tls_cert != NULL))
		code = "foreign_page";
	if (!code)
		return true;
	atomic_fetch_add(&job->client->not_allowed, 1);
	job_fail(job, 403, "pm-client", code, "pages of the web may not use this");
	return false;
}

static void begin(struct http_exchange *x, void *arg)
{
	const struct http_request *request = http_request(x);
	struct job *job = calloc(1, sizeof(*job));

	http_set_user(x, job);
	if (!job) {
		http_reply(x, 503, "text/plain", "", 0);
		return;
	}
	job->client = arg;
	job->loop = http_loop(x)->user;
	job->exchange = x;
	job->began = loop_now();
	job->dump_request = job->dump_answer = -1;
	if (!check_caller(job))
		return;
	if (pm_endpoint_find(request->method, request->target, &job->endpoint) < 0) {
		job->endpoint = 0;
		job_fail(job, 404, "pm-client", "unknown_path", "no such method and path");
	}
}

static void take_body(struct http_exchange *x, const char *bytes, size_t len)
{
	struct job *job = http_user(x);

	if (!job || job->is_over)
		return;
	if (!buffer_add(&job->body, bytes, len, job->client->options->common.limits.body))
		job_fail(job, 413, "pm-client", "too_large", "the request is too large");
}

static void take_end(struct http_exchange *x)
{
	struct job *job = http_user(x);

	if (!job || job->is_over || !job_prepare(job))
		return;
	dump_open(job);
	dump_write(job->dump_request, job->body.bytes, job->body.len);
	job_send(job);
}

static void drained(struct http_exchange *x)
{
	struct job *job = http_user(x);

	if (job && job->upstream)
		upstream_resume(job->upstream);
}

/* --- the end --------------------------------------------------------------------------------- */

/* Figures only: neither the model nor the path is anybody's business. */
static void log_job(const struct job *job, bool whole)
{
	char status[12], time[24];

	if (!log_is_on(LOG_LEVEL_INFO))
		return;
	snprintf(status, sizeof(status), "%d", http_status(job->exchange));
	snprintf(time, sizeof(time), "%lld", (long long)(loop_now() - job->began));
	log_event(LOG_LEVEL_INFO, "request", "id", http_id(job->exchange), "status", status,
		"whole", whole ? "yes" : "no", "retried", job->is_retried ? "yes" : "no", "ms",
		time, NULL);
}

/* Also when the application has gone: then the worker is told by the end of the connection. */
static void done(struct http_exchange *x, bool whole)
{
	struct job *job = http_user(x);

	if (!job)
		return;
	if (job->upstream)
		upstream_cancel(job->upstream);
	if (job->ask)
		keeper_cancel(job->ask);
	silence_end(job);
	log_job(job, whole);
	dump_close(job);
	pm_exchange_client_free(job->sealed);
	pm_session_key_free(job->key);
	buffer_free(&job->body);
	buffer_free(&job->out);
	buffer_free(&job->plain);
	free(job);
}

const struct http_handler job_handler = {begin, take_body, take_end, drained, done, NULL};
