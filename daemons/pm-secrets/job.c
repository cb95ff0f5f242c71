/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#define ERROR_SIZE 512

static const struct http_field safe_fields[] = {
	{"Cache-Control", "no-store"},
	{"X-Content-Type-Options", "nosniff"},
};

#define SAFE_COUNT (sizeof(safe_fields) / sizeof(safe_fields[0]))

/* --- answers --------------------------------------------------------------------------------- */

void job_reply(struct job *job, int status, const char *json, size_t len)
{
	if (job->is_over)
		return;
	job->is_over = true;
	http_respond(
		job->exchange, status, "application/json", safe_fields, SAFE_COUNT, (int64_t)len);
	http_send(job->exchange, json, len);
	http_finish(job->exchange);
}

void job_fail(struct job *job, int status, const char *code, const char *message)
{
	char json[ERROR_SIZE];
	int n = snprintf(json, sizeof(json), "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n",
		code, message);

	if (status == 503)
		atomic_fetch_add(&job->secrets->counts.unavailable, 1);
	job_reply(job, status, json, (size_t)n);
}

void job_fail_store(struct job *job, const struct store_result *result)
{
	log_event(LOG_LEVEL_WARN, "store failed", "id", http_id(job->exchange), "reason",
		result ? result->reason : "out of memory", NULL);
	job_fail(job, 503, "store", "The store does not answer.");
}

static void on_noted(void *arg, bool kept)
{
	struct job *job = arg;
	void (*done)(struct job *) = job->noted;

	job->wait = NULL;
	if (kept)
		done(job);
	else
		job_fail(job, 503, "store", "The log could not be written.");
}

void job_note(struct job *job, const char *event, const struct pm_audit_field *fields, size_t count,
	void (*done)(struct job *job))
{
	job->noted = done;
	if (trail_note(job->loop->trail, event, fields, count, on_noted, job, &job->wait) < 0)
		job_fail(job, 503, "busy", "The log is full for the moment.");
}

/* --- requests -------------------------------------------------------------------------------- */

static const struct job_kind *find_kind(
	const struct job_kind *const *kinds, const struct http_request *request)
{
	for (; *kinds; kinds++)
		if (!strcmp(request->method, "POST") && !strcmp(request->target, (*kinds)->path))
			return *kinds;
	return NULL;
}

static bool is_available(struct job *job)
{
	struct secrets *s = job->secrets;

	job->now = clock_seconds();
	job->ring = atomic_load(&s->ring);
	job->identity = mesh_hold(s->mesh);
	if (job->ring && job->identity && job->loop->trail && secrets_is_ready(s))
		return true;
	job_fail(job, 503, "not_ready", "The service has no certificate, or no store.");
	return false;
}

static void begin(
	struct http_exchange *x, struct secrets *secrets, const struct job_kind *const *kinds)
{
	struct job *job = calloc(1, sizeof(*job));

	http_set_user(x, job);
	if (!job) {
		http_reply(x, 503, "text/plain", "", 0);
		return;
	}
	job->secrets = secrets;
	job->loop = http_loop(x)->user;
	job->exchange = x;
	job->kind = find_kind(kinds, http_request(x));
	job->body_max = job->kind ? job->kind->body_max : 0;
	if (!job->kind)
		job_fail(job, 404, "not_found", "There is nothing here.");
	else if (is_available(job) && job->kind->check)
		(void)job->kind->check(job);
}

static void begin_public(struct http_exchange *x, void *arg)
{
	static const struct job_kind *const kinds[] = {&job_agree, &job_operator, &job_admin, NULL};

	begin(x, arg, kinds);
}

static void begin_mesh(struct http_exchange *x, void *arg)
{
	static const struct job_kind *const kinds[] = {&job_fetch, &job_watch, NULL};

	begin(x, arg, kinds);
}

static void take_body(struct http_exchange *x, const char *bytes, size_t len)
{
	struct job *job = http_user(x);

	if (!job || job->is_over)
		return;
	if (job->in.len + len > job->body_max && job->kind->enlarge)
		job->body_max = job->kind->enlarge(job);
	if (!buffer_add(&job->in, bytes, len, job->body_max))
		job_fail(job, 413, "too_large", "The request is too large.");
}

static void take_end(struct http_exchange *x)
{
	struct job *job = http_user(x);

	if (job && !job->is_over)
		job->kind->run(job);
}

static void drained(struct http_exchange *x)
{
	struct job *job = http_user(x);

	if (job && !job->is_over && job->kind->drained)
		job->kind->drained(job);
}

/* Names and figures: nothing of what was asked or answered. */
static void log_job(const struct job *job, bool whole)
{
	char status[12];

	if (!log_is_on(LOG_LEVEL_INFO))
		return;
	snprintf(status, sizeof(status), "%d", http_status(job->exchange));
	log_event(LOG_LEVEL_INFO, "request", "id", http_id(job->exchange), "path",
		job->kind ? job->kind->path : NULL, "status", status, "whole", whole ? "yes" : "no",
		NULL);
}

static void done(struct http_exchange *x, bool whole)
{
	struct job *job = http_user(x);

	if (!job)
		return;
	job->is_over = true;
	if (job->op)
		store_cancel(job->op);
	trail_forget(job->wait);
	if (job->kind && job->kind->end)
		job->kind->end(job);
	log_job(job, whole);
	if (job->identity)
		mesh_drop(job->identity);
	buffer_free(&job->in);
	free(job);
}

const struct http_handler job_public_handler = {
	begin_public, take_body, take_end, drained, done, NULL};
const struct http_handler job_mesh_handler = {begin_mesh, take_body, take_end, drained, done, NULL};
