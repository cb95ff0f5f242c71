/* SPDX-License-Identifier: Apache-2.0 */
/* From what came over the wire to the request in plaintext. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "pm-proxy/direct.h"
#include "pm-proxy/job.h"

/* Where a secret's id is looked for in a body, when no field of the head names it. */
#define ID_SEARCH_MAX 65536

static int64_t now(void)
{
	return (int64_t)time(NULL);
}

static bool copy_text(char **ret, const char *text)
{
	*ret = strdup(text ? text : "");
	return *ret != NULL;
}

/* A path that a server could take for another one. */
static bool is_devious(const char *target)
{
	return strstr(target, "..") || strstr(target, "//") || strcasestr(target, "%2e");
}

static bool is_served(const struct job *job)
{
	unsigned int adapters = job->proxy->options->adapters;

	switch (job->endpoint) {
	case PM_ENDPOINT_MESSAGES:
	case PM_ENDPOINT_COUNT_TOKENS:
		return adapters & ADAPTER_ANTHROPIC;
	case PM_ENDPOINT_UNSTRUCTURED:
	case PM_ENDPOINT_HEALTH:
		return adapters & ADAPTER_UNSTRUCTURED;
	case PM_ENDPOINT_MODELS:
		return true;
	default:
		return adapters & ADAPTER_OPENAI;
	}
}

/* What is asked for; false when that failed the job. */
static bool take_route(
	struct job *job, const char *method, const char *target, const char *content_type)
{
	if (!http_is_target(target) || is_devious(target)) {
		job_fail(job, 400, "bad_path", "The path is malformed.");
		return false;
	}
	if (pm_endpoint_find(method, target, &job->endpoint) < 0 || !is_served(job)) {
		job->endpoint = 0;
		job_fail(job, 501, "unsupported_endpoint", "unsupported endpoint");
		return false;
	}
	if (!copy_text(&job->method, method) || !copy_text(&job->target, target) ||
		!copy_text(&job->content_type, content_type)) {
		job_fail(job, 503, "no_memory", "The worker is out of memory.");
		return false;
	}
	return true;
}

static bool find_key(struct job *job, const char *id)
{
	job->key = keys_find(job->proxy->keys, id, now());
	if (job->key)
		return true;
	if (job_await_key(job, id))
		return false;
	/* Clients of the reference look for these words, and agree on a new secret. */
	job_fail(job, 500, "unknown_secret", "no secret for ID");
	return false;
}

/* The secret is the client's from now on. */
static bool confirm(struct job *job)
{
	enum key_use use = job->format == JOB_SEALED ? KEY_USE_SEALED : KEY_USE_FIELD;

	if (key_confirm(job->proxy->keys, job->key, use))
		return true;
	job_fail(job, 500, "unknown_secret", "no secret for ID");
	return false;
}

static void not_opened(struct job *job, int r)
{
	if (r == PM_E_NOMEM || r == PM_E_CRYPTO) {
		job_fail(job, 503, "no_memory", "The worker is out of memory.");
		return;
	}
	atomic_fetch_add(&job->proxy->not_opened, 1);
	if (r == PM_E_STALE)
		job_fail(job, 409, "stale", "The request is too old, or its clock is wrong.");
	else if (r == PM_E_LIMIT)
		job_fail(job, 503, "busy", "Too many requests of this secret, or too large.");
	else
		job_fail(job, 400, "not_authentic", "The request could not be decrypted.");
}

/* --- sealed requests ------------------------------------------------------------------------- */

static bool is_sealed(const char *content_type)
{
	static const char type[] = PM_SEALED_CONTENT_TYPE;
	size_t len = sizeof(type) - 1;

	return content_type && !strncasecmp(content_type, type, len) &&
	       (!content_type[len] || content_type[len] == ';' || content_type[len] == ' ');
}

static void open_sealed(struct job *job, const struct http_request *request)
{
	const char *id = http_request_field(request, "pm-secret-id");
	const char *model = http_request_field(request, "pm-model");
	struct pm_exchange_key *key;
	int r;

	job->format = JOB_SEALED;
	if (strcmp(request->method, "POST") != 0 || !id || !model || !*model ||
		strlen(model) >= sizeof(job->model)) {
		job_fail(job, 400, "bad_fields", "Pm-Secret-Id or Pm-Model is missing.");
		return;
	}
	if (!find_key(job, id))
		return;
	strcpy(job->model, model);
	key = key_sealed(job->proxy->keys, job->key);
	r = key ? pm_exchange_worker_new(key, model, http_request_field(request, "pm-shard-key"),
			  job->proxy->options->bucket, &job->sealed)
		: PM_E_NOMEM;
	if (r < 0)
		not_opened(job, r);
}

static const char *field_of(const struct pm_sealed_request *head, const char *name)
{
	for (size_t i = 0; i < head->field_count; i++)
		if (!strcmp(head->fields[i].name, name))
			return head->fields[i].value;
	return NULL;
}

static void take_sealed_head(struct job *job, const struct pm_sealed_request *head)
{
	if (!confirm(job))
		return;
	job->has_head = true;
	if (take_route(job, head->method, head->path, head->content_type))
		(void)job_check_ocsp(job, field_of(head, "privatemode-nvidia-ocsp-policy"),
			field_of(head, "privatemode-nvidia-ocsp-policy-mac"));
}

/* Memory for len more bytes of the request; false when that failed the job. */
static bool reserve(struct job *job, size_t len)
{
	if (budget_take(&job->proxy->buffered, &job->buffered, len))
		return true;
	atomic_fetch_add(&job->proxy->no_room, 1);
	job_fail(job, 503, "busy", "Too many large requests are under way.");
	return false;
}

static void take_plain(struct job *job, const void *bytes, size_t len)
{
	if (!reserve(job, len))
		return;
	if (!buffer_add(&job->in, bytes, len, job->proxy->options->common.limits.body))
		job_fail(job, 413, "too_large", "The request is too large.");
}

static void receive(struct job *job, const char *bytes, size_t len)
{
	struct pm_exchange_event event;
	size_t used;

	do {
		int r = pm_exchange_worker_receive(
			job->sealed, (const uint8_t *)bytes, len, now(), NULL, &used, &event);

		if (r < 0) {
			not_opened(job, r);
			return;
		}
		bytes += used;
		len -= used;
		if (event.type == PM_EXCHANGE_HEAD)
			take_sealed_head(job, event.request);
		else if (event.type == PM_EXCHANGE_BODY)
			take_plain(job, event.body, event.body_len);
	} while (!job->is_over && event.type != PM_EXCHANGE_MORE);
}

/* --- bodies ---------------------------------------------------------------------------------- */

/*
 * Of what was read and written anew. Its own might say that it be read in another way, such as in
 * another character set, in which it means something else.
 */
static int set_type(struct job *job, const char *type)
{
	free(job->content_type);
	return copy_text(&job->content_type, type) ? PM_OK : PM_E_NOMEM;
}

static int run_body(struct job *job, const struct pm_body_cipher *cipher, enum pm_body_kind kind)
{
	char form_type[PM_FORM_CONTENT_TYPE_SIZE];
	const uint8_t *out = NULL;
	int r = pm_body_new(job->endpoint, PM_BODY_REQUEST, PM_BODY_OPEN, cipher, &job->request);

	if (r < 0)
		return r;
	pm_body_ask_usage(job->request);
	if (job->proxy->options->no_prompt_cache)
		pm_body_forbid_cache(job->request);
	if (job->format == JOB_SEALED)
		pm_body_keep_files(job->request);
	if (kind == PM_BODY_JSON)
		r = pm_body_json(
			job->request, job->in.bytes, job->in.len, NULL, &out, &job->plain_len);
	else if (kind == PM_BODY_RAW)
		r = pm_body_raw(
			job->request, job->in.bytes, job->in.len, NULL, &out, &job->plain_len);
	else
		r = pm_body_form(job->request, job->content_type, job->in.bytes, job->in.len, NULL,
			&out, &job->plain_len, form_type);
	if (r < 0)
		return r;
	job->plain = (const char *)out;
	if (kind == PM_BODY_RAW)
		return PM_OK;
	return set_type(job, kind == PM_BODY_JSON ? "application/json" : form_type);
}

static bool body_kind(struct job *job, enum pm_body_kind *ret)
{
	if (pm_endpoint_body_kind(job->endpoint, PM_BODY_REQUEST, job->content_type, ret) == PM_OK)
		return true;
	job_fail(job, 415, "bad_type", "The content type does not fit the path.");
	return false;
}

/* What was read is there a second time now, as it will be sent. */
static void drop_read(struct job *job)
{
	size_t len = job->in.len;

	buffer_free(&job->in);
	budget_give(&job->proxy->buffered, &job->buffered, len);
}

static void end_sealed(struct job *job)
{
	enum pm_body_kind kind;
	int r = pm_exchange_worker_end(job->sealed, NULL);

	if (r < 0) {
		not_opened(job, r);
		return;
	}
	if (!body_kind(job, &kind))
		return;
	if (kind == PM_BODY_JSON || kind == PM_BODY_FORM) {
		if (!reserve(job, job->in.len))
			return;
		r = run_body(job, &job_no_cipher, kind);
		if (r < 0)
			not_opened(job, r);
		drop_read(job);
		return;
	}
	job->plain = job->in.bytes;
	job->plain_len = job->in.len;
}

/* --- requests in field messages -------------------------------------------------------------- */

/* The id of the first message that stands in the body. */
static bool search_id(const struct job *job, char ret_id[PM_FIELD_ID_MAX + 1])
{
	size_t len = job->in.len < ID_SEARCH_MAX ? job->in.len : ID_SEARCH_MAX;
	const char *at = job->in.bytes, *end = at + len;

	while (at && at < end && (at = memchr(at, '"', (size_t)(end - at)))) {
		if (pm_field_message_id(at, (size_t)(end - at), ret_id) == PM_OK)
			return true;
		at++;
	}
	return false;
}

static bool find_field_key(struct job *job)
{
	const struct http_request *request = http_request(job->exchange);
	const char *named = http_request_field(request, "privatemode-secret-id");
	char id[PM_FIELD_ID_MAX + 1];

	if (named && *named)
		return find_key(job, named);
	if (search_id(job, id))
		return find_key(job, id);
	job_fail(job, 400, "not_encrypted", "The request is not encrypted.");
	return false;
}

/* Without any message there is no way to encrypt the answer. */
static bool is_encrypted(struct job *job)
{
	if (pm_field_exchange_nonce(job->field))
		return true;
	job_fail(job, 400, "not_encrypted", "The request is not encrypted.");
	return false;
}

static void end_field(struct job *job)
{
	const struct http_request *request = http_request(job->exchange);
	struct pm_body_cipher cipher;
	struct pm_field_key *key;
	enum pm_body_kind kind;
	int r;

	if (!body_kind(job, &kind) || !find_field_key(job) || !reserve(job, job->in.len))
		return;
	key = key_field(job->proxy->keys, job->key);
	r = key ? pm_field_responder_new(key, &job->field) : PM_E_NOMEM;
	if (r == PM_OK) {
		pm_body_field_cipher(job->field, PM_BODY_OPEN, &cipher);
		r = run_body(job, &cipher, kind);
	}
	drop_read(job);
	if (r < 0)
		not_opened(job, r);
	if (r < 0 || !is_encrypted(job) || !confirm(job))
		return;
	(void)job_check_ocsp(job, http_request_field(request, "privatemode-nvidia-ocsp-policy"),
		http_request_field(request, "privatemode-nvidia-ocsp-policy-mac"));
}

/* --- the doors ------------------------------------------------------------------------------- */

void job_forget_request(struct job *job)
{
	pm_body_free(job->request);
	job->request = NULL;
	buffer_free(&job->in);
	job->plain = NULL;
	job->plain_len = 0;
	budget_give(&job->proxy->buffered, &job->buffered, job->buffered);
}

void job_open_head(struct job *job)
{
	const struct http_request *request = http_request(job->exchange);
	const char *content_type = http_request_field(request, "content-type");
	enum pm_body_kind kind;

	if (!proxy_is_ready(job->proxy)) {
		atomic_fetch_add(&job->proxy->not_ready, 1);
		job_fail(job, 503, "not_ready", "The worker is not attested yet.");
		return;
	}
	job->is_direct = direct_is_for(job->proxy->direct, request);
	if (job->is_direct)
		return;
	if (is_sealed(content_type)) {
		open_sealed(job, request);
		return;
	}
	if (!take_route(job, request->method, request->target, content_type))
		return;
	if (body_kind(job, &kind) && kind != PM_BODY_PLAIN)
		job->format = JOB_FIELD;
}

void job_open_body(struct job *job, const char *bytes, size_t len)
{
	if (job->format == JOB_SEALED)
		receive(job, bytes, len);
	else if (job->format == JOB_FIELD)
		take_plain(job, bytes, len);
}

void job_open_end(struct job *job)
{
	if (job->format == JOB_SEALED)
		end_sealed(job);
	else if (job->format == JOB_FIELD)
		end_field(job);
}
