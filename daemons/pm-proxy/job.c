/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "pm-proxy/direct.h"
#include "pm-proxy/secrets.h"

bool proxy_is_ready(const struct proxy *proxy)
{
	if (proxy->mesh && !mesh_is_ready(proxy->mesh))
		return false;
	return !proxy->options->ready_file || access(proxy->options->ready_file, F_OK) == 0;
}

static void begin(struct http_exchange *x, void *arg)
{
	struct job *job = calloc(1, sizeof(*job));

	http_set_user(x, job);
	if (!job) {
		http_reply(x, 503, "text/plain", "", 0);
		return;
	}
	job->proxy = arg;
	job->loop = http_loop(x)->user;
	job->exchange = x;
	job->began = loop_now();
	job_open_head(job);
}

static void begin_mesh(struct http_exchange *x, void *arg)
{
	static const char text[] = "This certificate may ask nothing here.\n";
	struct proxy *proxy = arg;
	const struct pm_mesh_identity *who;

	if (mesh_check_peer(proxy->mesh, x, &who) == PM_OK) {
		begin(x, arg);
		return;
	}
	atomic_fetch_add(&proxy->not_allowed, 1);
	http_reply(x, 403, "text/plain", text, sizeof(text) - 1);
}

static void take_body(struct http_exchange *x, const char *bytes, size_t len)
{
	struct job *job = http_user(x);

	if (!job || job->is_over)
		return;
	if (job->is_direct)
		direct_take(job, bytes, len);
	else
		job_open_body(job, bytes, len);
}

static void end_open(struct job *job)
{
	job_open_end(job);
	if (!job->is_over && !job->asked && job_check(job))
		job_forward(job);
}

static void take_end(struct http_exchange *x)
{
	struct job *job = http_user(x);

	if (!job || job->is_over)
		return;
	if (job->is_direct)
		direct_finish(job);
	else
		end_open(job);
}

void job_go_on(struct job *job)
{
	if (job->format == JOB_SEALED)
		job_open_head(job);
	else
		end_open(job);
}

static void drained(struct http_exchange *x)
{
	struct job *job = http_user(x);

	if (job && job->upstream)
		upstream_resume(job->upstream);
}

/* --- the end --------------------------------------------------------------------------------- */

static const char *endpoint_name(enum pm_endpoint endpoint)
{
	static const char *const names[] = {
		[PM_ENDPOINT_CHAT] = "chat",
		[PM_ENDPOINT_COMPLETIONS] = "completions",
		[PM_ENDPOINT_EMBEDDINGS] = "embeddings",
		[PM_ENDPOINT_TRANSCRIPTIONS] = "transcriptions",
		[PM_ENDPOINT_MESSAGES] = "messages",
		[PM_ENDPOINT_COUNT_TOKENS] = "count_tokens",
		[PM_ENDPOINT_UNSTRUCTURED] = "unstructured",
		[PM_ENDPOINT_MODELS] = "models",
		[PM_ENDPOINT_HEALTH] = "health",
	};

	return endpoint ? names[endpoint] : NULL;
}

/* Names and figures: nothing of what was asked or answered. */
static void log_job(const struct job *job, bool whole)
{
	static const char *const formats[] = {"plain", "field", "sealed"};
	char status[12], time[24];

	if (!log_is_on(LOG_LEVEL_INFO))
		return;
	snprintf(status, sizeof(status), "%d",
		job->status ? job->status : http_status(job->exchange));
	snprintf(time, sizeof(time), "%lld", (long long)(loop_now() - job->began));
	log_event(LOG_LEVEL_INFO, "request", "id", http_id(job->exchange), "format",
		job->is_direct ? "direct" : formats[job->format], "endpoint",
		endpoint_name(job->endpoint), "model", *job->model ? job->model : NULL, "status",
		status, "whole", whole ? "yes" : "no", "ms", time, NULL);
}

static void done(struct http_exchange *x, bool whole)
{
	struct job *job = http_user(x);

	if (!job)
		return;
	if (job->upstream)
		upstream_cancel(job->upstream);
	if (job->ask)
		evidence_cancel(job->ask);
	if (job->asked)
		secrets_cancel(job->asked);
	log_job(job, whole);
	job_forget_request(job);
	budget_give(&job->proxy->buffered, &job->collected, job->collected);
	pm_body_free(job->response);
	pm_field_exchange_free(job->field);
	pm_exchange_worker_free(job->sealed);
	key_unref(job->proxy->keys, job->key);
	buffer_free(&job->out);
	free(job->method);
	free(job->target);
	free(job->content_type);
	free(job);
}

const struct http_handler job_handler = {begin, take_body, take_end, drained, done, NULL};
const struct http_handler job_mesh_handler = {begin_mesh, take_body, take_end, drained, done, NULL};
