/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back: the worker's sealed answer, or words of somebody in between. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "pm-client/job.h"

#define IN_BETWEEN   "in-between"
#define MESSAGE_SIZE 192

/* --- the worker's answer --------------------------------------------------------------------- */

static const char *field_of(const struct pm_sealed_response *head, const char *name)
{
	for (size_t i = 0; i < head->field_count; i++)
		if (!strcmp(head->fields[i].name, name))
			return head->fields[i].value;
	return NULL;
}

static void begin_answer(struct job *job, const struct pm_sealed_response *head)
{
	const char *retry = field_of(head, "retry-after");
	const struct http_field fields[] = {{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"}, {"Retry-After", retry}};

	/* It was the worker: no second try will be needed. */
	buffer_free(&job->body);
	http_respond(job->exchange, head->status, *head->content_type ? head->content_type : NULL,
		fields, retry ? 3 : 2, -1);
}

static void forged(struct job *job, int r)
{
	atomic_fetch_add(&job->client->not_whole, 1);
	job_fail(job, 502, IN_BETWEEN, "not_authentic",
		r == PM_E_REJECTED ? "the answer was changed on its way"
				   : "the answer was malformed or damaged on its way");
}

/* Each piece goes on at once. */
static bool receive(struct job *job, const char *bytes, size_t len)
{
	struct pm_exchange_event event;
	size_t used;

	do {
		int r = pm_exchange_client_receive(
			job->sealed, (const uint8_t *)bytes, len, NULL, &used, &event);

		if (r < 0) {
			forged(job, r);
			return false;
		}
		bytes += used;
		len -= used;
		if (event.type == PM_EXCHANGE_HEAD)
			begin_answer(job, event.response);
		if (event.type == PM_EXCHANGE_BODY) {
			http_send(job->exchange, event.body, event.body_len);
			dump_write(job->dump_answer, event.body, event.body_len);
		}
	} while (event.type != PM_EXCHANGE_MORE);
	return true;
}

static void end_answer(struct job *job, int error)
{
	int r = error < 0 ? PM_E_MISSING : pm_exchange_client_end(job->sealed, NULL);

	if (r < 0) {
		atomic_fetch_add(&job->client->not_whole, 1);
		job_fail(job, 502, IN_BETWEEN, "cut_short", "the answer was cut short on its way");
		return;
	}
	job->is_over = true;
	http_finish(job->exchange);
}

/* --- words of somebody in between ------------------------------------------------------------ */

/* The code that an error claims, when it is one that workers use; else NULL. */
static const char *claimed_code(const struct job *job)
{
	static const char *const codes[] = {"unknown_secret", "busy", "not_ready", "stale",
		"not_authentic", "no_memory", "bad_fields"};
	json_t *root = json_loadb(job->plain.bytes ? job->plain.bytes : "", job->plain.len,
		JSON_REJECT_DUPLICATES, NULL);
	const char *text =
		json_string_value(json_object_get(json_object_get(root, "error"), "code"));
	const char *found = NULL;

	for (size_t i = 0; text && i < sizeof(codes) / sizeof(codes[0]); i++)
		if (!strcmp(text, codes[i]))
			found = codes[i];
	json_decref(root);
	return found;
}

/* Statuses by which applications know that they may try later, or must not. */
static int status_of(int outer)
{
	return outer == 401 || outer == 403 || outer == 429 || outer == 503 ? outer : 502;
}

static void retry(struct job *job)
{
	job->is_retried = true;
	atomic_fetch_add(&job->client->retried, 1);
	client_distrust(job->client, job->key);
	buffer_clear(&job->plain);
	job->outer_status = 0;
	job_send(job);
}

static void end_plain(struct job *job, int error, const char *reason)
{
	const char *code = claimed_code(job);
	char message[MESSAGE_SIZE];

	if (code && !strcmp(code, "unknown_secret") && !job->is_retried && error == PM_OK) {
		retry(job);
		return;
	}
	atomic_fetch_add(&job->client->in_between, 1);
	if (!job->outer_status) {
		snprintf(message, sizeof(message), "the worker could not be reached: %s", reason);
		job_fail(job, 502, IN_BETWEEN, "unreachable", message);
		return;
	}
	snprintf(message, sizeof(message),
		"not the worker but somebody in between answered, with status %d%s%s",
		job->outer_status, code ? ", claiming: " : "", code ? code : "");
	job_fail(job, status_of(job->outer_status), IN_BETWEEN, "in_between", message);
}

/* --- what libcurl's side calls --------------------------------------------------------------- */

static void on_head(void *arg, int status, const char *content_type)
{
	struct job *job = arg;

	silence_hear(job);
	job->outer_status = status;
	job->is_sealed = pm_exchange_client_begin(job->sealed, status, content_type, NULL) == PM_OK;
}

static bool on_body(void *arg, const char *bytes, size_t len)
{
	struct job *job = arg;

	if (job->is_over)
		return false;
	silence_hear(job);
	if (!job->is_sealed)
		return buffer_add(&job->plain, bytes, len, JOB_PLAIN_MAX);
	if (!receive(job, bytes, len))
		return false;
	if (http_is_full(job->exchange))
		upstream_pause(job->upstream);
	return true;
}

static void on_done(void *arg, int error, const char *reason)
{
	struct job *job = arg;

	job->upstream = NULL;
	if (job->is_over)
		return;
	if (job->is_sealed)
		end_answer(job, error);
	else
		end_plain(job, error, reason);
}

const struct upstream_handler answer_handler = {on_head, on_body, on_done};
