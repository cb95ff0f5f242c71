/* SPDX-License-Identifier: Apache-2.0 */
/* A request waits while its secret is fetched: then it is as if it had come only now. */
#include "pm-proxy/job.h"
#include "pm-proxy/secrets.h"

static void too_many(struct job *job)
{
	job_fail(job, 429, "busy", "Too many secrets are asked for that are not known yet.");
}

static void on_fetched(void *arg, int error)
{
	struct job *job = arg;

	job->asked = NULL;
	if (job->is_over)
		return;
	if (error == PM_E_LIMIT) {
		too_many(job);
		return;
	}
	if (error == PM_E_NET) {
		job_fail(job, 503, "no_answer", "The secret service does not answer.");
		return;
	}
	job_go_on(job);
	/* Of a sealed request the body was held back. */
	if (job->format == JOB_SEALED)
		http_resume(job->exchange);
}

bool job_await_key(struct job *job, const char *id)
{
	struct secrets_client client;
	int r;

	if (!job->proxy->secrets || job->has_asked)
		return false;
	job->has_asked = true;
	client.len =
		limit_key_of_client(job->exchange, job->proxy->options->client_field, client.key);
	r = secrets_ask(job->proxy->secrets, http_loop(job->exchange), id, &client, on_fetched, job,
		&job->asked);
	if (r == PM_OK && job->format == JOB_SEALED)
		http_pause(job->exchange);
	if (r == PM_E_LIMIT)
		too_many(job);
	else if (r == PM_E_NOMEM)
		job_fail(job, 503, "no_memory", "The worker is out of memory.");
	return r != PM_E_MISSING;
}
