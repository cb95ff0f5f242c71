/* SPDX-License-Identifier: Apache-2.0 */
/* A request waits while its secret is fetched: then it is as if it had come only now. */
#include "pm-proxy/job.h"
#include "pm-proxy/secrets.h"

static void on_fetched(void *arg, int error)
{
	struct job *job = arg;

	job->asked = NULL;
	if (job->is_over)
		return;
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
	if (!job->proxy->secrets || job->has_asked)
		return false;
	job->has_asked = true;
	job->asked =
		secrets_ask(job->proxy->secrets, http_loop(job->exchange), id, on_fetched, job);
	if (job->asked && job->format == JOB_SEALED)
		http_pause(job->exchange);
	return job->asked != NULL;
}
