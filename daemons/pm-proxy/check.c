/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker demands of a request before a model sees it. */
#include <string.h>

#include "pm-proxy/job.h"

static bool refuse(struct job *job, int status, const char *code, const char *message)
{
	atomic_fetch_add(&job->proxy->not_allowed, 1);
	job_fail(job, status, code, message);
	return false;
}

/* The client's policy on the status of the GPUs' certificates. */
bool job_check_ocsp(struct job *job, const char *header, const char *mac)
{
	const struct ocsp_table *table = atomic_load(&job->proxy->ocsp);
	struct pm_ocsp_policy policy;
	bool asked = (header && *header) || (mac && *mac);

	if (!table) {
		if (!asked)
			return true;
		return refuse(job, 403, "gpu_policy", "This worker tells nothing of GPUs.");
	}
	if (pm_ocsp_policy_read(header, mac, key_secret(job->key), &policy, NULL) < 0)
		return refuse(job, 400, "gpu_policy", "The policy for GPUs is not authentic.");
	if (pm_ocsp_policy_check(&policy, table->status, table->count, NULL) < 0)
		return refuse(job, 403, "gpu_policy", "The GPUs do not satisfy the policy.");
	return true;
}

static bool needs_salt(enum pm_endpoint endpoint)
{
	return endpoint == PM_ENDPOINT_CHAT || endpoint == PM_ENDPOINT_COMPLETIONS ||
	       endpoint == PM_ENDPOINT_MESSAGES;
}

static bool check_salt(struct job *job, const struct pm_request_facts *facts)
{
	int r = needs_salt(job->endpoint) ? pm_cache_salt_check(facts->cache_salt_len, NULL)
					  : PM_OK;

	if (r == PM_E_MISSING)
		return refuse(job, 400, "cache_salt", "missing field 'cache_salt'");
	if (r < 0)
		return refuse(
			job, 400, "cache_salt", "cache_salt must be at least 32 characters long");
	return true;
}

/* Whatever the endpoint: servers take messages for embeddings and for counting tokens as well. */
static bool check_media(struct job *job)
{
	if (pm_media_check_body(job->proxy->options->media, job->plain, job->plain_len, NULL) < 0)
		return refuse(job, 400, "media", "A part of the prompt points where it may not.");
	return true;
}

/* A sealed request was routed by a field that must be the request's own model. */
static bool check_model(struct job *job, const struct pm_request_facts *facts)
{
	if (job->format == JOB_SEALED && strcmp(job->model, facts->model) != 0)
		return refuse(job, 400, "model", "Pm-Model is not the request's model.");
	strcpy(job->model, facts->model);
	job->has_model = true;
	return true;
}

static int read_facts(const struct job *job, enum pm_body_kind kind, struct pm_request_facts *facts)
{
	if (kind == PM_BODY_FORM)
		return pm_request_read_form(
			job->content_type, job->plain, job->plain_len, facts, NULL);
	return pm_request_read(job->plain, job->plain_len, facts, NULL);
}

bool job_check(struct job *job)
{
	struct pm_request_facts facts = {.size = sizeof(facts)};
	enum pm_body_kind kind;

	if (job->format == JOB_PLAIN ||
		pm_endpoint_body_kind(job->endpoint, PM_BODY_REQUEST, job->content_type, &kind) <
			0 ||
		(kind != PM_BODY_JSON && kind != PM_BODY_FORM))
		return true;
	if (read_facts(job, kind, &facts) < 0)
		return refuse(job, 400, "bad_request", "The request is malformed.");
	if (!check_model(job, &facts))
		return false;
	return kind == PM_BODY_FORM || (check_salt(job, &facts) && check_media(job));
}
