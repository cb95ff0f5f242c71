/* SPDX-License-Identifier: Apache-2.0 */
/* A request on its way: a secret of the verified worker, and everything under it. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pm-client/job.h"
#include "pm-client/passed.h"

/* Times that a request waits for a secret which is gone again when its turn comes. */
#define ASKS_MAX 3

/* --- the head -------------------------------------------------------------------------------- */

struct head {
	struct pm_sealed_field fields[PASSED_MAX + 2];
	size_t count;
	char ocsp[PM_OCSP_HEADER_SIZE], mac[PM_OCSP_MAC_SIZE];
};

static void add(struct head *head, const char *name, const char *value)
{
	if (value && *value)
		head->fields[head->count++] = (struct pm_sealed_field){name, value};
}

static int add_ocsp(struct job *job, struct head *head)
{
	const struct client_options *o = job->client->options;
	struct pm_ocsp_policy policy = o->ocsp;
	int r;

	if (!o->has_ocsp)
		return PM_OK;
	policy.revoked_not_before = (int64_t)time(NULL) - o->ocsp_grace;
	r = pm_session_key_ocsp(job->key, &policy, head->ocsp, head->mac);
	add(head, "privatemode-nvidia-ocsp-policy", head->ocsp);
	add(head, "privatemode-nvidia-ocsp-policy-mac", head->mac);
	return r;
}

static int seal_head(struct job *job)
{
	const struct http_request *request = http_request(job->exchange);
	const char *type = http_request_field(request, "content-type");
	struct head head = {.count = 0};
	struct pm_sealed_request sealed = {
		.method = request->method,
		.path = request->target,
		.content_type = type ? type : "",
		.fields = head.fields,
		.issued_at = (int64_t)time(NULL),
	};
	const uint8_t *bytes;
	size_t len;
	int r;

	head.count = passed_fields(request, job->client->authorization, head.fields);
	r = add_ocsp(job, &head);
	sealed.field_count = head.count;
	if (r == PM_OK)
		r = pm_exchange_client_send_head(
			job->sealed, &sealed, job->body.len == 0, NULL, &bytes, &len);
	if (r < 0)
		return r;
	return buffer_add(&job->out, bytes, len, SIZE_MAX) ? PM_OK : PM_E_NOMEM;
}

/* --- the body -------------------------------------------------------------------------------- */

static int seal_body(struct job *job)
{
	const uint8_t *bytes;
	size_t len;
	int r;

	if (!job->body.len)
		return PM_OK;
	r = pm_exchange_client_send_body(
		job->sealed, (const uint8_t *)job->body.bytes, job->body.len, 1, &bytes, &len);
	if (r < 0)
		return r;
	return buffer_add(&job->out, bytes, len, SIZE_MAX) ? PM_OK : PM_E_NOMEM;
}

static int seal(struct job *job)
{
	int r;

	pm_exchange_client_free(job->sealed);
	job->sealed = NULL;
	buffer_clear(&job->out);
	r = pm_exchange_client_new(pm_session_key_exchange(job->key), job->model, job->shard,
		job->client->options->bucket, &job->sealed);
	if (r == PM_OK)
		r = seal_head(job);
	return r < 0 ? r : seal_body(job);
}

/* --- outside --------------------------------------------------------------------------------- */

static int start(struct job *job)
{
	const struct http_request *asked = http_request(job->exchange);
	const char *key = job->client->options->outer_key
				  ? passed_value(asked, job->client->authorization, "authorization")
				  : NULL;
	struct http_field fields[4] = {
		{PM_SEALED_FIELD_SECRET_ID, pm_session_key_id(job->key)},
		{PM_SEALED_FIELD_MODEL, job->model},
	};
	struct upstream_request request = {
		.method = "POST",
		.target = CLIENT_SEALED_PATH,
		.content_type = PM_SEALED_CONTENT_TYPE,
		.fields = fields,
		.field_count = 2,
		.body = job->out.bytes,
		.body_len = job->out.len,
	};

	if (*job->shard)
		fields[request.field_count++] =
			(struct http_field){PM_SEALED_FIELD_SHARD_KEY, job->shard};
	if (key)
		fields[request.field_count++] = (struct http_field){"Authorization", key};
	silence_begin(job);
	return upstream_start(job->loop->pool, &request, &answer_handler, job, &job->upstream);
}

static void seal_and_start(struct job *job)
{
	int r = seal(job);

	if (r == PM_OK)
		r = start(job);
	if (r == PM_E_FORMAT || r == PM_E_LIMIT)
		job_fail(job, 400, "pm-client", "bad_request",
			"the request's head has what can't be passed on");
	else if (r < 0)
		job_fail(job, 503, "pm-client", "no_memory", "pm-client is out of memory");
}

/* --- the secret ------------------------------------------------------------------------------ */

struct pm_session_key *client_peek(struct client *client)
{
	struct trust *trust = trust_get(&client->trust);
	struct pm_session_key *key = pm_session_peek(trust->session);

	trust_unref(trust);
	return key;
}

void client_distrust(struct client *client, const struct pm_session_key *key)
{
	struct trust *trust = trust_get(&client->trust);

	pm_session_distrust(trust->session, key);
	trust_unref(trust);
}

static void on_key(void *arg, int error, const char *reason)
{
	struct job *job = arg;
	char message[KEEPER_REASON_SIZE + 64];

	job->ask = NULL;
	if (job->is_over)
		return;
	if (error == PM_OK) {
		job_send(job);
		return;
	}
	snprintf(message, sizeof(message), "%s: %s",
		error == PM_E_NET ? "the worker can't be reached" : "the worker was not verified",
		reason);
	job_fail(
		job, 503, "pm-client", error == PM_E_NET ? "unreachable" : "not_verified", message);
}

void job_send(struct job *job)
{
	struct client *client = job->client;

	pm_session_key_free(job->key);
	job->key = client_peek(client);
	if (job->key) {
		job->asks = 0;
		seal_and_start(job);
		return;
	}
	if (job->asks++ == ASKS_MAX) {
		job_fail(job, 503, "pm-client", "unreachable", "the worker's secret never lasted");
		return;
	}
	job->ask = keeper_ask(client->keeper, http_loop(job->exchange), on_key, job);
	if (!job->ask)
		job_fail(job, 503, "pm-client", "no_memory", "pm-client is out of memory");
}
